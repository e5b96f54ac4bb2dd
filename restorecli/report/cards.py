"""One pair of the gallery as markup, and the choices above all of them."""

from __future__ import annotations

from collections.abc import Sequence

from restorecli.errors import RestorecliError
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.result import PairScore
from restorecli.evaluation.tables.cells import format_number
from restorecli.report.choice import Choice
from restorecli.report.embed import Embedded
from restorecli.report.maps import FLOOR_DECADES, FULL_ERROR, GAIN
from restorecli.report.markup import Html, element, joined, named
from restorecli.report.overview import gain_cell

_OPEN_METRICS = 4
_LONGEST_OPTION = 60
_GAINS = (1, 2, 4, 8, 16)

_ORDERS = {
    "worst": "worst first",
    "best": "best first",
    "change": "largest change first",
    "gain": "largest gain first",
    "loss": "largest loss first",
}
_COMPARISONS = {
    "degraded-restored": "degraded | restored",
    "restored-reference": "restored | reference",
    "degraded-reference": "degraded | reference",
    "beside": "side by side",
}
_VIEWS = {"picture": "Picture", "difference": "Difference", "error": "Error", "spectrum": "Spectrum"}
_KEYS = (
    ("← →", "move the divider of the pair in focus"),
    ("n  p", "next, previous pair"),
    ("1 2 3 4", "picture, difference, error, spectrum"),
    ("c", "next choice of what is compared"),
    ("+  −  0", "zoom in, out, whole picture"),
    ("Shift ← → ↑ ↓", "move the enlarged picture"),
    ("t", "light or dark"),
    ("?", "this list"),
)


def toolbar(categories: Sequence[str], metrics: Sequence[Metric]) -> Html:
    """Return the choices that hold for all pairs, and the list of keys; both need the script."""
    every = {"all": "all categories"} | {str(index): name for index, name in enumerate(categories)}
    parts = [_select("category", "Category", every)] if len(categories) > 1 else []
    parts.append(_select("order", "Order", _ORDERS))
    if len(metrics) > 1:
        by = {str(index): metric.title for index, metric in enumerate(metrics)}
        parts.append(_select("metric", "by", by))
    parts += [_select("compare", "Compare", _COMPARISONS), _views()]
    gains = {str(gain): f"× {gain}" for gain in _GAINS}
    parts.append(_select("gain", "Enlarged", gains, chosen=f"{GAIN:g}"))
    status = element("p", "", id="status", class_="status muted", role="status")
    keys = [element("div", element("dt", *_pressed(key)), element("dd", words)) for key, words in _KEYS]
    return joined(
        element(
            "details",
            element("summary", "Keys and maps", class_="muted"),
            element("dl", *keys, class_="keys"),
            element("p", _map_words(), class_="key muted"),
            id="keys",
            class_="script",
        ),
        element("div", *parts, status, class_="toolbar script row"),
    )


def card(
    index: int,
    choice: Choice,
    pictures: tuple[Embedded, ...] | RestorecliError,
    metrics: Sequence[Metric],
    fields: Sequence[str] = (),
) -> Html:
    """Return one pair: its name, why it is here, the stage with its pictures, its scores and some fields."""
    score = choice.score
    reason = f" · {choice.reason}" if choice.reason else ""
    header = element(
        "header",
        element("h3", named(score.pair.path)),
        element("span", named(score.pair.category), reason),
    )
    if isinstance(pictures, RestorecliError):
        body = element("p", f"Cannot be shown: {pictures.problem}", class_="unshown")
    else:
        body = joined(_stage(pictures, score.pair.path), _zoom(pictures[-1]))
    footer = element("footer", _scores(score, metrics), _said(score, fields))
    return element("article", header, body, footer, class_="card", data_index=str(index))


def _stage(pictures: Sequence[Embedded], name: str) -> Html:
    panes = [_pane(picture, name) for picture in pictures]
    slider = element(
        "input", type="range", min="0", max="100", step="0.5", value="50", aria_label="Divider",
        class_="slider script",
    )  # fmt: skip
    return element("div", *panes, element("span", class_="divider"), slider, class_="stage")


def _pane(picture: Embedded, name: str) -> Html:
    image = element(
        "img",
        src=picture.uri,
        alt=f"{picture.label}: {name}",
        width=str(picture.size[0]),
        height=str(picture.size[1]),
        decoding="async",
        draggable="false",
        class_="small" if picture.is_small else "large",
    )
    view = element("div", image, class_="view")
    caption = element("figcaption", picture.label)
    return element("figure", view, caption, class_="pane", data_role=picture.label)


def _zoom(picture: Embedded) -> Html:
    width, height = picture.size
    size = f"{width}×{height}" + (f" of {picture.full[0]}×{picture.full[1]}" if picture.is_cut else "")
    return element(
        "div",
        element("button", "−", type="button", aria_label="Zoom out", data_zoom="-1"),
        element("output", "1×"),
        element("button", "+", type="button", aria_label="Zoom in", data_zoom="1"),
        element("span", size),
        class_="zoom script row",
    )


def _scores(score: PairScore, metrics: Sequence[Metric]) -> Html:
    """Return the scores of the pair; those after the fourth metric are folded."""
    sides = [side for side in ("degraded", "restored") if getattr(score, side) is not None]
    columns = [*sides, "gain"] if len(sides) == 2 else sides
    head = element("tr", *(element("th", words, scope="col") for words in ("", *columns)))
    rows = [_score_row(score, metric, columns) for metric in metrics]
    table = element(
        "table", element("thead", head), element("tbody", *rows[:_OPEN_METRICS]), class_="numbers"
    )
    if len(rows) <= _OPEN_METRICS:
        return table
    more = element("table", element("tbody", *rows[_OPEN_METRICS:]), class_="numbers")
    return joined(table, element("details", element("summary", "all metrics", class_="muted"), more))


def _score_row(score: PairScore, metric: Metric, columns: Sequence[str]) -> Html:
    cells = []
    for column in columns:
        if column == "gain":
            content = gain_cell(score.gain(metric.name), metric)
        else:
            side = score.degraded if column == "degraded" else score.restored
            content = joined(format_number((side or {}).get(metric.name), metric.decimals))
        cells.append(element("td", content, class_="number"))
    unit = f" ({metric.unit})" if metric.unit else ""
    return element("tr", element("th", f"{metric.title}{unit}", scope="row"), *cells)


def _said(score: PairScore, fields: Sequence[str]) -> Html:
    """Return what sets the pair apart by the manifest, and the notes on it."""
    fields = [f"{name} {score.fields[name]}" for name in fields if name in score.fields]
    words = [*fields, *score.notes]
    return element("p", " · ".join(words), class_="said") if words else Html("")


def _select(name: str, label: str, options: dict[str, str], chosen: str = "") -> Html:
    entries = [
        element("option", _shortened(words), value=value, **({"selected": ""} if value == chosen else {}))
        for value, words in options.items()
    ]
    return element("label", label, element("select", *entries, id=name))


def _views() -> Html:
    buttons = [
        element("button", words, type="button", data_view_button=view, aria_pressed="false")
        for view, words in _VIEWS.items()
    ]
    return element("fieldset", element("legend", "Show"), element("div", *buttons, class_="segments"))


def _pressed(keys: str) -> list[Html]:
    return [joined(element("kbd", key), " ") for key in keys.split()]


def _shortened(text: str) -> str:
    return text if len(text) <= _LONGEST_OPTION else f"{text[:_LONGEST_OPTION]}…"


def _map_words() -> str:
    return (
        "Difference: gray where a picture equals its reference, brighter where it is too bright, darker "
        "where too dark. Error: the absolute difference averaged over the channels, from black (none) to "
        f"pale yellow ({255 * FULL_ERROR:.0f} of 255 or more). Spectrum: log magnitude of the Fourier "
        "transform of the middle part, low frequencies in the centre, "
        f"{20 * FLOOR_DECADES} dB from black to white."
    )
