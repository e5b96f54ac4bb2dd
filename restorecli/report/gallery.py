"""The pictures of the page: which pairs, how large, and what the page's script needs to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from restorecli.errors import RestorecliError
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.pairing.masks import read_mask
from restorecli.evaluation.result import Evaluation, PairScore, json_number
from restorecli.report.cards import card, toolbar
from restorecli.report.choice import RULE, badness, choose
from restorecli.report.embed import BUDGET, LARGEST, Embedded, embed
from restorecli.report.maps import FLOOR_DECADES, FULL_ERROR, colored
from restorecli.report.markup import Html, element
from restorecli.report.panels import panels_of

LIMIT = 24
"""How many pairs a page shows unless told otherwise."""

_CENTRE = (0.5, 0.5)


@dataclass(frozen=True, slots=True)
class Gallery:
    """The section with the pictures, and the data that the page's script reads."""

    html: Html
    facts: dict[str, object]


def gallery_section(evaluation: Evaluation, limit: int) -> Gallery:
    """Return the section with at most `limit` pairs, the worst first; nothing for none."""
    choices = choose(evaluation, limit)
    if not choices:
        return Gallery(Html(""), {"cards": []})
    metrics = evaluation.metrics
    ordered = sorted(choices, key=lambda choice: (badness(choice.score, metrics[0]), choice.score.pair.path))
    categories = sorted({choice.score.pair.category for choice in ordered})
    shown = [_pictures(choice.score, BUDGET // len(ordered)) for choice in ordered]
    fields = _telling_fields(evaluation.images)
    cards = [
        card(index, choice, pictures, metrics, fields)
        for index, (choice, pictures) in enumerate(zip(ordered, shown, strict=True))
    ]
    html = element(
        "section",
        element("h2", "Pictures", id="pictures"),
        _words(evaluation, shown),
        toolbar(categories, metrics),
        element("div", *cards, class_="gallery"),
    )
    return Gallery(html, _facts([choice.score for choice in ordered], categories, metrics))


def _telling_fields(scores: Sequence[PairScore]) -> tuple[str, ...]:
    """Return the manifest's fields in which pictures differ, without what the restorer noted for itself."""
    values: dict[str, set[str]] = {}
    for score in scores:
        for name, value in score.fields.items():
            values.setdefault(name, set()).add(value)
    own = ("category", "restorer.")
    return tuple(name for name, found in values.items() if len(found) > 1 and not name.startswith(own))


def _pictures(score: PairScore, room: int) -> tuple[Embedded, ...] | RestorecliError:
    try:
        return embed(panels_of(score), room, _centre(score))
    except RestorecliError as error:
        return error


def _centre(score: PairScore) -> tuple[float, float]:
    """Return the middle of the defect, where a mask shows one, else the middle of the picture."""
    pair = score.pair
    if pair.mask is None or pair.reference is None:
        return _CENTRE
    height, width = pair.reference.read().size
    try:
        rows, columns = np.nonzero(read_mask(pair.mask, (height, width)))
    except RestorecliError:  # the scores say what is wrong with the mask
        return _CENTRE
    if not rows.size:
        return _CENTRE
    return float((columns.min() + columns.max() + 1) / 2 / width), float(
        (rows.min() + rows.max() + 1) / 2 / height
    )


def _words(evaluation: Evaluation, shown: Sequence[tuple[Embedded, ...] | RestorecliError]) -> Html:
    """Say what is shown, by which rule, and how much of the page it takes."""
    total = sum(len(picture.uri) for pictures in shown if isinstance(pictures, tuple) for picture in pictures)
    everything = len(evaluation.images)
    rule = "all" if len(shown) == everything else f"{RULE}, by {evaluation.metrics[0].title}"
    return element(
        "p",
        f"{len(shown)} of {everything} pairs: {rule}. At full resolution and without loss; of large pictures "
        "the middle (around the defect, where a mask shows one), at most "
        f"{LARGEST / 1e6:.1f} megapixels, and less where a pair would take more than its share of "
        f"{BUDGET / 1e6:.0f} MB. The pictures of this page take {total / 1e6:.1f} MB.",
        class_="key muted",
    )


def _facts(
    scores: Sequence[PairScore], categories: Sequence[str], metrics: Sequence[Metric]
) -> dict[str, object]:
    """Return what the script sorts and filters by, and the scales of its maps."""
    return {
        "metrics": [{"name": m.name, "higher_is_better": m.higher_is_better} for m in metrics],
        "cards": [
            {
                "category": categories.index(score.pair.category),
                "final": {m.name: json_number(score.final.get(m.name)) for m in metrics},
                "gain": {m.name: json_number(score.gain(m.name)) for m in metrics},
            }
            for score in scores
        ],
        "decades": FLOOR_DECADES,
        "colors": _error_colors(),
    }


def _error_colors() -> list[list[int]]:
    """Return the colour of every absolute error, summed over the channels, up to the full one."""
    errors = np.arange(round(3 * 255 * FULL_ERROR) + 1, dtype=np.float32)[None]
    colors = colored(errors / errors.max())[:, 0].T
    return [[int(level * 255 + 0.5) for level in color] for color in colors.tolist()]
