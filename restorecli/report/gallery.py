"""The images of the page: which pairs, how large, and what the page's script needs to know of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from restorecli.counting import counted
from restorecli.errors import RestorecliError
from restorecli.evaluation.metrics.metric import Mask, Metric
from restorecli.evaluation.pairing.defect_masks import read_mask
from restorecli.evaluation.result import Evaluation, PairScore, Scores, json_number
from restorecli.evaluation.statistics.difference import Comparison
from restorecli.report.choice import RULE, Choice, badness, choose
from restorecli.report.embed import BUDGET, MAX_PIXELS, Embedded, embed
from restorecli.report.maps import FLOOR_DECADES, FULL_ERROR, GAIN, colored
from restorecli.report.outline import outline_path
from restorecli.report.panels import panels_of

LIMIT: Final = 24
"""How many pairs a page shows by default."""

MAX_OPEN: Final = 4
"""How many pairs stand open before the numbers; a button shows the others."""

_CENTER = (0.5, 0.5)
_KEYS = (
    ("← →", "move the divider of the pair in focus"),
    ("n  p", "next, previous pair"),
    ("1 2 3 4", "image, difference, error, spectrum"),
    ("c", "next choice of what is compared"),
    ("o", "outline of the defect on or off"),
    ("+  −  0", "zoom in, out, whole image"),
    ("Shift ← → ↑ ↓", "move the enlarged image"),
    ("t", "light or dark"),
    ("?", "this list"),
)
_MAP_WORDS = (
    "Difference: gray where an image equals its reference, brighter where it is too bright, darker "
    "where too dark. Error: the absolute difference averaged over the channels, from black (none) to "
    f"pale yellow ({255 * FULL_ERROR:.0f} of 255 or more). Spectrum: log magnitude of the Fourier "
    "transform of the middle part, low frequencies in the center, "
    f"{20 * FLOOR_DECADES} dB from black to white."
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a card's table of scores."""

    title: str
    scores: Scores | None = None
    is_gain: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One pair of the gallery.

    Attributes:
        score: The pair and its scores.
        reason: Why it was chosen.
        images: What is shown, the reference last; none where a file cannot be read any more.
        problem: Why nothing is shown.
        outline: SVG path of the defect's outline, in pixels of the part that is shown; empty without a mask.
        columns: Of the table of scores.
        details: What sets the pair apart by the manifest, and the notes on it.
    """

    score: PairScore
    reason: str
    images: tuple[Embedded, ...]
    problem: str
    outline: str
    columns: tuple[Column, ...]
    details: tuple[str, ...]

    @property
    def size_words(self) -> str:
        """The size of what is shown, and of the whole where it is a part."""
        shown = self.images[-1]
        width, height = shown.size
        return f"{width}×{height}" + (f" of {shown.full[0]}×{shown.full[1]}" if shown.is_cut else "")


@dataclass(frozen=True, slots=True)
class Gallery:
    """The pairs of the page, the worst first, and what its choices offer.

    Attributes:
        cards: The pairs.
        categories: Of these pairs.
        comparisons: Value and words of each choice of what is compared.
        words: What is shown, by which rule, and how much of the page it takes.
        details: What the page's script sorts and filters by, and the scales of its maps.
    """

    cards: tuple[Card, ...]
    categories: tuple[str, ...]
    comparisons: tuple[tuple[str, str], ...]
    words: str
    details: Mapping[str, object]
    max_open: int = MAX_OPEN
    gain: int = int(GAIN)
    keys: tuple[tuple[str, str], ...] = _KEYS
    map_words: str = _MAP_WORDS

    @property
    def has_outlines(self) -> bool:
        """Whether some pair has a mask."""
        return any(card.outline for card in self.cards)


def make_gallery(evaluation: Evaluation, limit: int, comparison: Comparison | None = None) -> Gallery:
    """Read at most `limit` pairs, the worst first, with the same images by other methods beside them."""
    choices = choose(evaluation, limit)
    if not choices:
        return Gallery((), (), (), "", {"cards": []})
    metrics = evaluation.metrics
    ordered = sorted(choices, key=lambda choice: (badness(choice.score, metrics[0]), choice.score.pair.path))
    maker = _Maker(evaluation, comparison, BUDGET // len(ordered))
    cards = tuple(maker.card(choice) for choice in ordered)
    categories = tuple(sorted({card.score.pair.category for card in cards}))
    return Gallery(
        cards=cards,
        categories=categories,
        comparisons=tuple(_comparisons(cards)),
        words=_words(evaluation, cards),
        details=_script_data(cards, categories, metrics),
    )


class _Maker:
    """Makes the cards of one gallery."""

    def __init__(self, evaluation: Evaluation, comparison: Comparison | None, room: int) -> None:
        others = {} if comparison is None else comparison.evaluations
        self._name = "restored" if comparison is None else comparison.candidate
        self._others = {
            name: {score.pair.path: score for score in other.images} for name, other in others.items()
        }
        self._fields = _telling_fields(evaluation.images)
        self._room = room

    def card(self, choice: Choice) -> Card:
        score = choice.score
        path = score.pair.path
        others = {name: known[path] for name, known in self._others.items() if path in known}
        images: tuple[Embedded, ...] = ()
        problem = outline = ""
        try:
            mask = _mask_of(score)
            images = embed(panels_of(score, others, self._name), self._room, _center(mask))
            outline = "" if mask is None else _outline(mask, images[-1])
        except RestorecliError as error:
            problem = error.problem
        details = [f"{name} {score.fields[name]}" for name in self._fields if name in score.fields]
        columns = tuple(_columns(score, others, self._name))
        return Card(score, choice.reason, images, problem, outline, columns, (*details, *score.notes))


def _columns(score: PairScore, others: Mapping[str, PairScore], name: str) -> Iterator[Column]:
    if score.degraded is not None:
        yield Column("degraded", score.degraded)
    if score.restored is not None:
        yield Column(name, score.restored)
    if score.degraded is not None and score.restored is not None:
        yield Column("gain", is_gain=True)
    for other, theirs in others.items():
        yield Column(other, theirs.final)


def _telling_fields(scores: Sequence[PairScore]) -> tuple[str, ...]:
    """Return the manifest's fields in which images differ, without what the restorer noted for itself."""
    values: dict[str, set[str]] = {}
    for score in scores:
        for name, value in score.fields.items():
            values.setdefault(name, set()).add(value)
    own = ("category", "restorer.")
    return tuple(name for name, found in values.items() if len(found) > 1 and not name.startswith(own))


def _mask_of(score: PairScore) -> Mask | None:
    """Return the mask of the defect, or None where there is none that can be read: the scores say why."""
    pair = score.pair
    if pair.mask is None or pair.reference is None:
        return None
    height, width = pair.reference.read().size
    try:
        return read_mask(pair.mask, (height, width))
    except RestorecliError:
        return None


def _center(mask: Mask | None) -> tuple[float, float]:
    """Return the middle of the defect, where a mask shows one, else the middle of the image."""
    if mask is None or not mask.any():
        return _CENTER
    rows, columns = np.nonzero(mask)
    height, width = mask.shape
    return float((columns.min() + columns.max() + 1) / 2 / width), float(
        (rows.min() + rows.max() + 1) / 2 / height
    )


def _outline(mask: Mask, shown: Embedded) -> str:
    left, top = shown.place
    width, height = shown.size
    return outline_path(mask[top : top + height, left : left + width])


def _comparisons(cards: Sequence[Card]) -> Iterator[tuple[str, str]]:
    """Yield what can be compared: value and words, the usual ones first."""
    labels = {image.role: image.label for card in cards for image in card.images}
    others = [role for role in labels if role.startswith("other")]
    wanted = [("degraded", "restored"), ("restored", "reference"), ("degraded", "reference")]
    for other in others:
        wanted += [("restored", other), (other, "reference")]
    for left, right in wanted:
        if left in labels and right in labels:
            yield f"{left}-{right}", f"{labels[left]} | {labels[right]}"


def _words(evaluation: Evaluation, cards: Sequence[Card]) -> str:
    total = sum(len(image.uri) for card in cards for image in card.images)
    everything = len(evaluation.images)
    rule = "all" if len(cards) == everything else f"{RULE}, by {evaluation.metrics[0].title}"
    return (
        f"{len(cards)} of {counted(everything, 'pair')}: {rule}. At full resolution and without loss; of "
        "large images the middle (around the defect, where a mask shows one), at most "
        f"{MAX_PIXELS / 1e6:.1f} megapixels, and less where a pair would take more than its share of "
        f"{BUDGET / 1e6:.0f} MB. The images of this page take {total / 1e6:.1f} MB."
    )


def _script_data(
    cards: Sequence[Card], categories: Sequence[str], metrics: Sequence[Metric]
) -> Mapping[str, object]:
    return {
        "metrics": [{"name": m.name, "higher_is_better": m.higher_is_better} for m in metrics],
        "cards": [
            {
                "category": categories.index(score.pair.category),
                "final": {m.name: json_number(score.final.get(m.name)) for m in metrics},
                "gain": {m.name: json_number(score.gain(m.name)) for m in metrics},
            }
            for score in (card.score for card in cards)
        ],
        "open": MAX_OPEN,
        "decades": FLOOR_DECADES,
        "colors": _error_colors(),
    }


def _error_colors() -> list[list[int]]:
    """Return the color of every absolute error, summed over the channels, up to the full one."""
    errors = np.arange(round(3 * 255 * FULL_ERROR) + 1, dtype=np.float32)[None]
    colors = colored(errors / errors.max())[:, 0].T
    return [[int(level * 255 + 0.5) for level in color] for color in colors.tolist()]
