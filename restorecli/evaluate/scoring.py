"""The scores of one pair: decode, check the sizes, apply every metric."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError, ResourceError, RestorecliError
from restorecli.evaluate.metrics import METRICS, to_8_bits
from restorecli.evaluate.pairs import Pair, Side, Source, Unmatched
from restorecli.evaluate.result import PairScore, Scores

ALPHA_NOTE = "alpha ignored"
"""Stands in the notes of a pair of which a picture has an alpha channel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What scoring one pair gave: a score, or what stood in the way, or both."""

    score: PairScore | None
    problems: tuple[Unmatched, ...] = ()


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A picture rounded to 8 bits."""

    pixels: NDArray[np.uint8]
    has_alpha: bool

    @property
    def kind(self) -> str:
        """Width, height and gray or RGB, as a reader expects them."""
        channels, height, width = self.pixels.shape
        return f"{width}x{height} {'gray' if channels == 1 else 'RGB'}"


def score_pair(pair: Pair) -> Outcome:
    """Score the degraded and the restored picture of a pair against its reference.

    A picture that cannot be read, that differs from the reference in size, or of which one is in colour and
    the other is not, is a problem to be listed. If the restored picture is at fault the pair has no score at
    all; if only the degraded one is, the restored score stands. A degraded picture that down-scaling made
    smaller by a whole factor has no score and is no problem: its restored picture has the reference's size.

    Args:
        pair: Where the pictures are.

    Returns:
        The score and the problems.

    Raises:
        ResourceError: The memory or the disk gave up.
    """
    reference = _decode(pair, "reference", pair.reference)
    if isinstance(reference, Unmatched):
        return Outcome(None, (reference,))
    notes = [ALPHA_NOTE] if reference.has_alpha else []
    restored = _score_side(pair, "restored", pair.restored, reference, notes)
    if isinstance(restored, Unmatched):
        return Outcome(None, (restored,))
    degraded = _score_side(pair, "degraded", pair.degraded, reference, notes)
    problems = (degraded,) if isinstance(degraded, Unmatched) else ()
    known = None if isinstance(degraded, Unmatched) else degraded
    if restored is None and known is None:
        return Outcome(None, problems)
    return Outcome(PairScore(pair, known, restored, tuple(dict.fromkeys(notes))), problems)


def _score_side(
    pair: Pair, side: Side, source: Source | None, reference: _Decoded, notes: list[str]
) -> Scores | Unmatched | None:
    if source is None:
        return None
    picture = _decode(pair, side, source)
    if isinstance(picture, Unmatched):
        return picture
    picture, reference = _same_channels(picture, reference)
    if picture.pixels.shape != reference.pixels.shape:
        sizes = f"{side} {picture.kind}, reference {reference.kind}"
        if side == "degraded" and pair.restored is not None and _is_downscaled(picture, reference):
            notes.append(f"degraded not scored: {sizes}")
            return None
        return Unmatched(side, pair.path, f"different sizes: {sizes}")
    if picture.has_alpha:
        notes.append(ALPHA_NOTE)
    return _apply_metrics(picture, reference, notes)


def _apply_metrics(picture: _Decoded, reference: _Decoded, notes: list[str]) -> Scores:
    scores: dict[str, float | None] = {}
    for metric in METRICS.values():
        try:
            scores[metric.name] = metric.function(picture.pixels, reference.pixels)
        except DataError as undefined:
            scores[metric.name] = None
            notes.append(f"{metric.title} undefined: {undefined.expected}, {undefined.came} came")
    return scores


def _same_channels(picture: _Decoded, reference: _Decoded) -> tuple[_Decoded, _Decoded]:
    """Take a gray picture that some format stored as RGB for what it is, if the other one is gray."""
    if picture.pixels.shape[0] == reference.pixels.shape[0]:
        return picture, reference
    return _as_gray(picture), _as_gray(reference)


def _as_gray(picture: _Decoded) -> _Decoded:
    first = picture.pixels[:1]
    return replace(picture, pixels=first) if (picture.pixels == first).all() else picture


def _is_downscaled(picture: _Decoded, reference: _Decoded) -> bool:
    """Whether the reference is larger by one whole factor, up to the rounding of its sides."""
    channels, height, width = picture.pixels.shape
    target_channels, target_height, target_width = reference.pixels.shape
    factor = round(target_height / height)
    sides = ((height, target_height), (width, target_width))
    return factor > 1 and channels == target_channels and all(-(-b // factor) - a in (0, 1) for a, b in sides)


def _decode(pair: Pair, side: Side, source: Source) -> _Decoded | Unmatched:
    try:
        picture = source.read()
        return _Decoded(to_8_bits(picture.pixels), picture.traits.alpha is not None)
    except ResourceError:
        raise
    except RestorecliError as error:
        came = f" ({error.came})" if error.came else ""
        return Unmatched(side, pair.path, f"{source.locator}: {error.problem}{came}")
