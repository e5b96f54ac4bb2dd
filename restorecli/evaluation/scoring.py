"""The scores of one pair: decode each file once, check the sizes, apply every metric."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from restorecli.errors import DataError, ResourceError, RestorecliError
from restorecli.evaluation.metrics.metric import Mask, Metric, Subject, View
from restorecli.evaluation.metrics.protocol import Protocol
from restorecli.evaluation.metrics.psnr_ssim import to_8_bits
from restorecli.evaluation.pairing.defect_masks import read_mask
from restorecli.evaluation.pairing.pairs import Pair, Side, Source, Unmatched, unread
from restorecli.evaluation.pairing.sizes import is_enlarged, kind_of, mismatch
from restorecli.evaluation.result import Outcome, PairScore, Scores
from restorecli.evaluation.scoring_rows import is_too_large, score_pair_by_rows
from restorecli.evaluation.statistics.grouping import fields_of
from restorecli.folders.manifest import Record
from restorecli.images.image import FileTraits, Pixels

_ROUNDING = 1
"""Levels of 255 by which the channels of a gray image differ after WebP's way to RGB."""

ALPHA_NOTE = "alpha ignored"
"""Stands in the notes of a pair of which an image has an alpha channel."""

GRAY_NOTE = "RGB without color scored as gray"
"""Stands in the notes of a pair of which one image is gray, and the other gray in an RGB file."""

Redegrade = Callable[[Record, Pixels], Pixels]
"""Degrades pixels again as a line of the manifest says."""


@dataclass(frozen=True, slots=True)
class _Decoded:
    """An image, with what is computed from it once."""

    view: View
    has_alpha: bool
    values: FileTraits

    @property
    def shape(self) -> tuple[int, ...]:
        """(C, H, W)."""
        return self.view.pixels.shape


@dataclass(frozen=True, slots=True)
class _Task:
    """What is asked of a pair, and where its defect is."""

    metrics: Sequence[Metric]
    protocol: Protocol
    redegrade: Redegrade | None
    mask: Mask | None


def score_pair(
    pair: Pair, metrics: Sequence[Metric], protocol: Protocol, redegrade: Redegrade | None = None
) -> Outcome:
    """Score the degraded and the restored image of a pair against its reference.

    An image that cannot be read, that differs from the reference in size, or of which one is in color and
    the other is not, is a problem to be listed. If the restored image is at fault the pair has no score at
    all; if only the degraded one or the mask is, the restored score stands. A degraded image that
    down-scaling made smaller by a whole factor has no score and is no problem: its restored image has the
    reference's size, but for the rows and columns that down-scaling cut off at the right and bottom to divide
    the sides; the reference is cut as it did.
    A metric that needs what is not there, or that is not defined for an image, is None; so are those that
    cannot be measured by rows where memory cannot hold an image, which is a TIFF.

    Args:
        pair: Where the images are.
        metrics: What is measured.
        protocol: What is compared, and how.
        redegrade: Degrades again as a manifest's line says; None where nobody asks how consistent it is.

    Returns:
        The score and the problems.

    Raises:
        ResourceError: The memory or the disk gave up.
        UsageError: A metric's package or its weights are missing.
    """
    if is_too_large(pair):
        return score_pair_by_rows(pair, metrics, protocol)
    reference = _decode(pair, "reference", pair.reference)
    if isinstance(reference, Unmatched):
        return Outcome(None, (reference,))
    values = None if reference is None else reference.values
    degraded = _decode(pair, "degraded", pair.degraded, values)
    restored = _decode(pair, "restored", pair.restored, values)
    if isinstance(restored, Unmatched):
        return Outcome(None, (restored,))
    seen = reference or restored or (None if isinstance(degraded, Unmatched) else degraded)
    mask = None if seen is None else _read_mask(pair, metrics, seen)
    unread = (mask,) if isinstance(mask, Unmatched) else ()
    task = _Task(metrics, protocol, redegrade, None if isinstance(mask, Unmatched) else mask)
    outcome = _score_sides(pair, task, reference, degraded, restored)
    return Outcome(outcome.score, (*outcome.problems, *unread))


def _score_sides(
    pair: Pair,
    task: _Task,
    reference: _Decoded | None,
    degraded: _Decoded | Unmatched | None,
    restored: _Decoded | None,
) -> Outcome:
    notes = [ALPHA_NOTE] if reference is not None and reference.has_alpha else []
    input_ = None if isinstance(degraded, Unmatched) else degraded
    after = _score_side(pair, "restored", task, restored, reference, input_, notes)
    if isinstance(after, Unmatched):
        return Outcome(None, (after,))
    before: Scores | Unmatched | None = (
        degraded
        if isinstance(degraded, Unmatched)
        else _score_side(pair, "degraded", task, degraded, reference, None, notes)
    )
    problems = (before,) if isinstance(before, Unmatched) else ()
    known = None if isinstance(before, Unmatched) else before
    if after is None and known is None:
        return Outcome(None, problems)
    score = PairScore(pair, known, after, tuple(dict.fromkeys(notes)), fields_of(pair))
    return Outcome(score, problems)


def _score_side(
    pair: Pair,
    side: Side,
    task: _Task,
    image: _Decoded | None,
    reference: _Decoded | None,
    degraded: _Decoded | None,
    notes: list[str],
) -> Scores | Unmatched | None:
    if image is None:
        return None
    if reference is not None:
        if image.shape[0] != reference.shape[0]:
            image, reference = _same_channels(image, reference)
            notes += [GRAY_NOTE] if image.shape[0] == reference.shape[0] else []
        if degraded is not None and is_enlarged(image.shape, degraded.shape, reference.shape):
            kinds = f"{kind_of(reference.shape)} to {kind_of(image.shape)}"
            notes.append(f"reference cut from {kinds}, as down-scaling did")
            _, height, width = image.shape
            reference = replace(reference, view=View(reference.view.pixels[:, :height, :width]))
        unlike = mismatch(pair, side, image.shape, reference.shape)
        if isinstance(unlike, str):
            notes.append(unlike)
            return None
        if unlike is not None:
            return unlike
    if image.has_alpha:
        notes.append(ALPHA_NOTE)
    return _apply_metrics(_subject(pair, side, task, image, reference, degraded), task.metrics, notes)


def _subject(
    pair: Pair,
    side: Side,
    task: _Task,
    image: _Decoded,
    reference: _Decoded | None,
    degraded: _Decoded | None,
) -> Subject:
    if degraded is not None:
        degraded = _same_channels(degraded, image)[0]
    again = None
    if side == "restored" and task.redegrade is not None and pair.record is not None:
        again = partial(task.redegrade, pair.record, image.view.unit)
    return Subject(
        image.view,
        None if reference is None else reference.view,
        protocol=task.protocol,
        degraded=None if degraded is None else degraded.view,
        mask=task.mask,
        redegraded=again,
    )


def _read_mask(pair: Pair, metrics: Sequence[Metric], seen: _Decoded) -> Mask | Unmatched | None:
    if pair.mask is None or not any("mask" in metric.needs for metric in metrics):
        return None
    try:
        return read_mask(pair.mask, (seen.shape[1], seen.shape[2]))
    except ResourceError:
        raise
    except RestorecliError as error:
        return unread(pair.path, "mask", pair.mask, error)


def _apply_metrics(subject: Subject, metrics: Sequence[Metric], notes: list[str]) -> Scores:
    scores: dict[str, float | None] = {}
    for metric in metrics:
        scores[metric.name] = None
        if metric.needs <= subject.known:
            try:
                scores[metric.name] = metric.function(subject)
            except DataError as undefined:
                notes.append(f"{metric.title} undefined: expected {undefined.expected}, got {undefined.got}")
    return scores


def _same_channels(image: _Decoded, other: _Decoded) -> tuple[_Decoded, _Decoded]:
    """Take a gray image that some format stored as RGB for what it is, if the other one is gray."""
    if image.shape[0] == other.shape[0]:
        return image, other
    return _as_gray(image), _as_gray(other)


def _as_gray(image: _Decoded) -> _Decoded:
    levels = image.view.eight_bits.astype(np.int16)
    if len(levels) == 1 or np.abs(levels - levels[:1]).max() > _ROUNDING:
        return image
    return replace(image, view=View(image.view.pixels[:1]))


def _decode(
    pair: Pair, side: Side, source: Source | None, like: FileTraits | None = None
) -> _Decoded | Unmatched | None:
    if source is None:
        return None
    try:
        image = source.read(like)
        # What an 8-bit file held takes a quarter of the memory as what it was.
        is_8_bits = image.traits.depth == 8 and image.traits.plain
        pixels = to_8_bits(image.pixels) if is_8_bits else image.pixels
        return _Decoded(View(pixels), image.traits.alpha is not None, image.traits.values)
    except ResourceError:
        raise
    except RestorecliError as error:
        return unread(pair.path, side, source, error)
