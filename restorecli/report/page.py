"""The report: one HTML file that opens offline, drawn only from what an evaluation computed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.difference import Comparison
from restorecli.evaluation.statistics.intervals import INTERVAL_POLICY
from restorecli.evaluation.statistics.summary import MEAN_POLICY
from restorecli.folders.places import make_folder
from restorecli.images.atomic import write_file
from restorecli.report.bars import bar_section
from restorecli.report.gallery import LIMIT, gallery_section
from restorecli.report.listing import picture_list, unmatched_section
from restorecli.report.markup import Html, data_island, element
from restorecli.report.methods import comparison_section
from restorecli.report.overview import group_table, metric_table, tiles
from restorecli.report.spreads import spread_section
from restorecli.version import __version__

_STYLES = ("page.css", "charts.css", "gallery.css")
_SCRIPTS = ("maps.js", "viewer.js", "page.js")


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

    It loads nothing from anywhere: pictures are data URIs, and a content security policy allows only the one
    style sheet and the one script whose hashes it names. Every text is escaped. Without scripts the tables
    and charts are the same, and the pictures stand beside one another.

    Args:
        evaluation: What was found; nothing is computed here.
        path: The .html file; its folder is made when missing.
        title: The heading.
        about: Sentences below the heading, e.g. what was degraded and restored how.
        limit: How many pairs to show at most; they are chosen by `report.choice.RULE`.
        comparison: The same pictures by other methods, shown as tables of differences and verdicts.

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
    gallery = gallery_section(evaluation, limit)
    main = element(
        "main",
        _masthead(evaluation, title, about),
        _notes(evaluation),
        tiles(evaluation),
        element("h2", f"By {' and '.join(evaluation.by)}", id="groups"),
        bar_section(evaluation),
        group_table(evaluation),
        metric_table(evaluation),
        comparison_section(comparison),
        spread_section(evaluation),
        gallery.html,
        picture_list(evaluation),
        unmatched_section(evaluation),
        _footer(),
    )
    body = element("body", main, data_island("facts", gallery.facts), element("script", script))
    return f"<!doctype html>\n{element('html', _head(title, style, script), body, lang='en')}\n"


def _head(title: str, style: Html, script: Html) -> Html:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_policy(style, script)),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("link", rel="icon", href="data:,"),
        element("title", title),
        element("style", style),
    )


def _assets(names: Sequence[str]) -> Html:
    folder = resources.files("restorecli.report") / "assets"
    return Html("\n".join((folder / name).read_text(encoding="utf-8") for name in names))


def _policy(style: str, script: str) -> str:
    """Return a policy that allows our style and script by their hashes, data URIs as pictures, no more."""
    return (
        f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
    return f"'sha256-{digest}'"


def _masthead(evaluation: Evaluation, title: str, about: Sequence[str]) -> Html:
    words = [element("p", sentence, class_="lead muted") for sentence in about]
    return element(
        "div",
        element(
            "div",
            element("h1", title),
            *words,
            element("p", f"Protocol: {evaluation.protocol}.", class_="key muted", id="protocol"),
        ),
        element("button", "Dark", type="button", id="theme", class_="script"),
        class_="masthead",
    )


def _notes(evaluation: Evaluation) -> Html:
    """Return what a reader must know before the numbers: warnings and what was left out."""
    if not evaluation.notes:
        return Html("")
    items = [element("li", note) for note in evaluation.notes]
    return element("section", element("h2", "Please note"), element("ul", *items), class_="notes", id="notes")


def _footer() -> Html:
    return element(
        "footer",
        element("p", MEAN_POLICY),
        element("p", INTERVAL_POLICY),
        element("p", f"Made by restorecli {__version__}."),
    )
