"""The report: one HTML file that opens offline, drawn only from what an evaluation computed."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path, PurePosixPath
from typing import Final

from markupsafe import Markup

from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.difference import Comparison
from restorecli.evaluation.statistics.intervals import INTERVAL_POLICY
from restorecli.evaluation.statistics.lost_defects import lost_defects
from restorecli.evaluation.statistics.summary import MEAN_POLICY
from restorecli.evaluation.tables.cells import OVERALL, format_number
from restorecli.folders.places import make_folder
from restorecli.images.atomic import write_file
from restorecli.report.chart_images import distribution_chart, gain_chart
from restorecli.report.chart_means import MAX_GROUPS, mean_chart
from restorecli.report.chart_rows import Series, has_gains, has_scores, series_of
from restorecli.report.chart_style import PAGE, Chart, chart_style
from restorecli.report.choice import badness
from restorecli.report.gallery import LIMIT, make_gallery
from restorecli.report.inline_svg import inline_svg
from restorecli.report.templating import data_island, rendered
from restorecli.version import __version__

MAX_LISTED: Final = 500
"""How many unscored images and lost defects the page lists; `--json` prints them all."""

MAX_IMAGES: Final = 1000
"""How many images the page lists; `--csv` writes them all."""

_MIN_IMAGES = 3  # for a distribution
_STYLES = ("page.css", "charts.css", "gallery.css")
_SCRIPTS = ("maps.js", "viewer.js", "page.js")
_PLAIN_NAMES = frozenset({"images", "test", "train", "val", "clean", "good", "reference", "references"})
_SIDES = ("degraded", "restored", "gain")
_MARKS = {
    "better": ("▲ better", "gain"),
    "worse": ("▼ worse", "loss"),
    "tie": ("= tie", "muted"),
    "undecided": ("? undecided (few)", "muted"),
}


@dataclass(frozen=True, slots=True)
class PageChart:
    """A chart of the page, and the words above it."""

    title: str
    subtitle: str
    svg: Markup


def write_page(
    evaluation: Evaluation,
    path: Path,
    *,
    title: str = "Restoration report",
    about: Sequence[str] = (),
    limit: int = LIMIT,
    comparison: Comparison | None = None,
) -> None:
    """Write the report as one self-contained HTML file.

    It loads nothing from anywhere: images are data URIs, and a content security policy allows only the one
    style sheet and the one script whose hashes it names. Every text is escaped. Without scripts the tables
    and charts are the same, and the images stand beside one another.

    Args:
        evaluation: What was found; nothing is computed here.
        path: The .html file; its folder is made when missing.
        title: The heading, e.g. of `report_title`.
        about: Sentences below the heading, e.g. what was degraded and restored how.
        limit: How many pairs to show at most; they are chosen by `report.choice.RULE`.
        comparison: The same images by other methods: shown in the viewer, as charts, and as tables of
            differences and verdicts.

    Raises:
        ResourceError: The disk is full; an older report is left as it was.
        DataError: The folder cannot be written to.
    """
    text = render_page(evaluation, title=title, about=about, limit=limit, comparison=comparison)
    make_folder(path.parent, path.parent)
    write_file(path, text)


def render_page(
    evaluation: Evaluation,
    *,
    title: str = "Restoration report",
    about: Sequence[str] = (),
    limit: int = LIMIT,
    comparison: Comparison | None = None,
) -> str:
    """Return the report's HTML; the arguments are those of `write_page`."""
    style, script = _assets(_STYLES), _assets(_SCRIPTS)
    overall, first = evaluation.overall, evaluation.metrics[0]
    gallery = make_gallery(evaluation, limit, comparison)
    worst = sorted(evaluation.images, key=lambda score: (badness(score, first), score.pair.path))
    groups = evaluation.groups or evaluation.categories
    with chart_style(PAGE):
        charts = {
            "mean_charts": _mean_charts(evaluation),
            "image_charts": list(_image_charts(evaluation)),
            "method_charts": _method_charts(evaluation, comparison),
        }
    return rendered(
        "page.html",
        policy=_policy(style, script),
        style=Markup(style),  # noqa: S704 (our own files)
        script=Markup(script),  # noqa: S704
        title=title,
        about=about,
        evaluation=evaluation,
        overall=overall,
        sides=[side for side in _SIDES if getattr(overall, side) is not None],
        groups=[*groups.items(), (OVERALL, overall)],
        gallery=gallery,
        details=data_island(gallery.details),
        comparison=comparison,
        marks=_MARKS,
        lost=lost_defects(evaluation.images),
        listed=worst[:MAX_IMAGES],
        max_listed=MAX_LISTED,
        mean_policy=MEAN_POLICY,
        interval_policy=INTERVAL_POLICY,
        version=__version__,
        **charts,
    )


def report_title(evaluation: Evaluation, method: str, day: dt.date) -> str:
    """Return a heading that says what was measured: data, method and date.

    Args:
        evaluation: What was found; the folder of its references (else of the degraded images) is the data.
        method: Name of the folder or the model.
        day: When it was measured.

    Example:
        "kodak, restored by sca-unet.gaussian, 2026-11-29"
    """
    models = sorted({model for score in evaluation.images if (model := score.fields.get("model"))})
    is_restored = evaluation.overall.restored is not None
    who = " and ".join(models) if 0 < len(models) <= 2 else method
    data = _data_name(evaluation)
    words = f"restored by {who}" if is_restored else f"degraded: {method}"
    return ", ".join((data, words, day.isoformat()))


def _data_name(evaluation: Evaluation) -> str:
    """Return the folder that the first reference lies in; built-in samples have none."""
    for score in evaluation.images:
        source = score.pair.reference or score.pair.degraded
        file = None if source is None else source.file
        if file is not None:
            folders = file.resolve().parents
            depth = min(len(PurePosixPath(score.pair.path).parts), len(folders)) - 1
            parts = folders[depth].parts[-2:]
            return "/".join(parts if parts[-1] in _PLAIN_NAMES else parts[-1:])
    return "samples"


def _mean_charts(evaluation: Evaluation) -> list[PageChart]:
    series = series_of(evaluation)
    return [
        _page_chart(
            f"means-{metric.name}",
            mean_chart(evaluation, metric, PAGE, limit=MAX_GROUPS),
            _numbers(evaluation, metric, series),
        )
        for metric in evaluation.metrics
    ]


def _image_charts(evaluation: Evaluation) -> Iterator[PageChart]:
    if len(evaluation.images) < _MIN_IMAGES:
        return
    for metric in evaluation.metrics:
        if has_scores(evaluation, metric):
            yield _page_chart(f"images-{metric.name}", distribution_chart(evaluation, metric, PAGE))
        if has_gains(evaluation, metric):
            yield _page_chart(f"gains-{metric.name}", gain_chart(evaluation, metric, PAGE))


def _method_charts(evaluation: Evaluation, comparison: Comparison | None) -> list[PageChart]:
    if comparison is None or not comparison.evaluations:
        return []
    series = series_of(evaluation, comparison.evaluations, comparison.candidate)
    return [
        _page_chart(
            f"methods-{metric.name}",
            mean_chart(evaluation, metric, PAGE, series=series, limit=MAX_GROUPS),
            _numbers(evaluation, metric, series),
        )
        for metric in comparison.metrics
    ]


def _page_chart(name: str, chart: Chart, numbers: str = "") -> PageChart:
    label = f"{chart.title}: {numbers}" if numbers else f"{chart.title}. {chart.subtitle}"
    return PageChart(chart.title, chart.subtitle, inline_svg(chart, name, label))


def _numbers(evaluation: Evaluation, metric: Metric, series: Sequence[Series]) -> str:
    """Return the means in words, for those who hear the page."""
    groups = [*list(evaluation.groups)[:MAX_GROUPS], OVERALL]
    return "; ".join(
        f"{name}: "
        + ", ".join(
            f"{one.label} {format_number(one.summaries[name][metric.name].mean, metric.decimals)}"
            for one in series
            if metric.name in one.summaries[name]
        )
        for name in groups
    )


def _assets(names: Sequence[str]) -> str:
    folder = resources.files("restorecli.report") / "assets"
    return "\n".join((folder / name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    """Return a policy that allows our style and script by their hashes, data URIs as images, no more."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"
