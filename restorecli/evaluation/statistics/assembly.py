"""Scores of images put together: overall, by category, by the fields asked for, and what to note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from restorecli.counting import some_of
from restorecli.evaluation.metrics.defects import warnings
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.metrics.psnr_ssim import PROTOCOL
from restorecli.evaluation.pairing.pairs import Unmatched
from restorecli.evaluation.result import Evaluation, PairScore, group_scores
from restorecli.evaluation.scoring import ALPHA_NOTE, GRAY_NOTE
from restorecli.evaluation.scoring_rows import ROWS_NOTE
from restorecli.evaluation.statistics.grouping import fields_of, group_by
from restorecli.evaluation.statistics.summary import Summary
from restorecli.folders.mask_places import DEFECT_FREE_NAMES
from restorecli.folders.packed import Packed


def assemble(
    scores: Sequence[PairScore],
    unmatched: Sequence[Unmatched] = (),
    *,
    metrics: Sequence[Metric],
    by: Sequence[str] = ("category",),
    protocol: str = PROTOCOL,
) -> Evaluation:
    """Return the evaluation that scores come to.

    Args:
        scores: In the order of the folder; at least one. Packed ones have their fields already; those of
            others are completed by what their pairs say.
        unmatched: What was not scored.
        metrics: What was measured.
        by: Fields whose values, crossed, make the groups.
        protocol: How the scores were computed, in one line.

    Raises:
        UsageError: A field of `by` is unknown.
    """
    images = scores if isinstance(scores, Packed) else Packed(map(_with_fields, scores))
    wanted = tuple(dict.fromkeys(by))
    grouping = group_by(images, wanted, metrics) if wanted else None
    plain = grouping if grouping and wanted == ("category",) else group_by(images, ("category",), metrics)
    overall = group_scores(images, metrics)
    evaluation = Evaluation(
        overall=overall,
        categories=plain.groups,
        images=images,
        unmatched=tuple(unmatched),
        protocol=protocol,
        metrics=tuple(metrics),
        by=wanted,
        groups=grouping.groups if grouping else {},
    )
    about_groups = grouping.notes if grouping else ()
    return replace(evaluation, notes=(*_notes(evaluation), *about_groups, *warnings(evaluation)))


def _with_fields(score: PairScore) -> PairScore:
    return replace(score, fields={**score.fields, **fields_of(score.pair)})


def _notes(evaluation: Evaluation) -> tuple[str, ...]:
    total = len(evaluation.images)
    counts = Counter(note for score in evaluation.images for note in score.notes)
    notes = [f"{note} in {counts[note]} of {total} pairs" for note in _COUNTED if counts[note]]
    for note in counts:
        paths = [one.pair.path for one in evaluation.images if note in one.notes and _has_defect(one)]
        if note.startswith(_OF_MASKS) and paths:
            notes.append(f"{note}: {some_of(paths)}")
    overall = evaluation.overall
    for side, summaries in (("degraded", overall.degraded), ("restored", overall.restored)):
        notes += _side_notes(side, summaries or {}, evaluation)
    return tuple(notes)


def _has_defect(score: PairScore) -> bool:
    return (score.pair.defect or score.pair.category).casefold() not in DEFECT_FREE_NAMES


def _side_notes(side: str, summaries: Mapping[str, Summary], evaluation: Evaluation) -> list[str]:
    total = len(evaluation.images)
    notes = []
    lacking: dict[tuple[str, int], list[str]] = {}
    for metric in evaluation.metrics:
        summary = summaries.get(metric.name)
        if summary is None:
            continue
        if summary.identical:
            notes.append(
                f"{summary.identical} of {total} {side} images equal their reference ({metric.title} inf); "
                "the mean is over the others"
            )
        if not summary.undefined:
            continue
        what = " and ".join(_NEEDS[need] for need in sorted(metric.needs - {"reference"}))
        if not what:
            notes.append(f"{metric.title} undefined in {summary.undefined} of {total} {side} images")
        elif side == "restored" or not evaluation.overall.restored:
            lacking.setdefault((what, summary.undefined), []).append(metric.title)
    notes += [
        f"{count} of {total} images have no {', '.join(titles)}, which needs {what}"
        for (what, count), titles in lacking.items()
    ]
    return notes


_COUNTED = (ALPHA_NOTE, GRAY_NOTE, ROWS_NOTE)
"""The notes on pairs that are counted for all of them."""

_OF_MASKS = "Defect score undefined: "
"""How notes begin that say why a mask gives no score: whoever drew it should know of which images."""

_NEEDS = {
    "mask": "a mask",
    "degraded": "the degraded image in the same size",
    "redegraded": "a manifest that says what was done to the image",
}
