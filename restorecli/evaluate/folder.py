"""The evaluation of folders: pair, score in a thread pool, sum up by category."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path

from restorecli.errors import DataError, ImageError, RestorecliError, UsageError
from restorecli.evaluate.metrics import METRICS
from restorecli.evaluate.pairing import pair_folder
from restorecli.evaluate.pairs import Pair, Unmatched
from restorecli.evaluate.result import Evaluation, Group, PairScore, group_scores
from restorecli.evaluate.scoring import ALPHA_NOTE, score_pair
from restorecli.images.jobs import Progress, SilentProgress, run_ordered

__all__ = ["Evaluation", "evaluate_folders"]

GROUPINGS = ("category", "defect")
"""What `by` may name."""

_DEFAULTS = (Path("restored"), Path("degraded"))
_SHOWN_REASONS = 5


def evaluate_folders(
    restored: Path | None = None,
    reference: Path | None = None,
    *,
    degraded: Path | None = None,
    by: Sequence[str] = ("category",),
    workers: int | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a folder of pictures against their references.

    Memory does not grow with the pictures, only with one line of scores for each; the result is the same to
    the last digit with any number of workers, since every pair is scored alone and summed up in the folder's
    order.

    Args:
        restored: Folder (or file) of restored pictures, or a `degrade` output, which is then scored as
            degraded; None takes `degraded` if given, else `./restored`, else `./degraded`.
        reference: Folder of references, found by name; None follows the manifest.
        degraded: Folder of degraded pictures to compare with, found by name; None follows the manifest.
        by: What a group of the table is: "category", "defect" or both, which gives groups "category/defect".
        workers: Threads; by default one for each core.
        progress: Who is told how far the job is.

    Returns:
        Scores by image, by group and overall, and everything that was not scored, each with its reason.

    Raises:
        UsageError: `by` names something else.
        DataError: A folder is missing, nothing says where references are, or not one pair could be scored.
    """
    _check_groupings(by)
    if restored is None and degraded is not None:
        restored, degraded = degraded, None
    folder = restored or _default_folder()
    pairing = pair_folder(folder, reference, degraded)
    unmatched = list(pairing.unmatched)
    scores = list(_score_all(pairing.pairs, unmatched, workers, progress or SilentProgress()))
    if not scores:
        raise _nothing_scored(folder, reference, unmatched)
    overall = group_scores(scores)
    return Evaluation(
        overall=overall,
        categories=_grouped(scores, by),
        images=tuple(scores),
        unmatched=tuple(unmatched),
        notes=_notes(scores, overall),
    )


def _check_groupings(by: Sequence[str]) -> None:
    for name in by:
        if name not in GROUPINGS:
            near = difflib.get_close_matches(name, GROUPINGS, n=1)
            raise UsageError(
                "pictures cannot be grouped by this",
                expected=", ".join(GROUPINGS),
                came=repr(name),
                hint=f"did you mean {near[0]!r}?" if near else None,
            )


def _default_folder() -> Path:
    for folder in _DEFAULTS:
        if folder.is_dir():
            return folder
    raise DataError(
        "there is nothing to evaluate here",
        expected="a folder ./restored or ./degraded with its manifest.jsonl",
        came=f"neither of them in {Path.cwd()}",
        hint="restorecli eval RESTORED REFERENCE, or run `restorecli degrade` and `restorecli restore` first",
    )


def _score_all(
    pairs: Sequence[Pair], unmatched: list[Unmatched], workers: int | None, progress: Progress
) -> Iterator[PairScore]:
    """Yield the scores in the order of the pairs, and add what could not be scored to `unmatched`."""
    progress.start(len(pairs), "pairs")
    try:
        for pair, outcome in run_ordered(score_pair, pairs, workers):
            if isinstance(outcome, RestorecliError):
                raise outcome
            unmatched.extend(outcome.problems)
            progress.advance(pair.path, _as_failure(outcome.problems))
            if outcome.score is not None:
                yield outcome.score
    finally:
        progress.finish()


def _as_failure(problems: Sequence[Unmatched]) -> RestorecliError | None:
    return ImageError(problems[0].reason, file=problems[0].path) if problems else None


def _nothing_scored(folder: Path, reference: Path | None, unmatched: Sequence[Unmatched]) -> DataError:
    reasons = [f"{entry.path}: {entry.reason}" for entry in unmatched[:_SHOWN_REASONS]]
    if len(unmatched) > _SHOWN_REASONS:
        reasons.append(f"and {len(unmatched) - _SHOWN_REASONS} more")
    where = "the references that its manifest.jsonl names" if reference is None else f"{reference} by name"
    return DataError(
        "not one pair could be scored",
        expected=f"pictures in {folder} with a mate of the same size: {where}",
        came="; ".join(reasons) or "a folder without pictures",
        file=folder,
        hint="pairs are found by the manifest, else by relative path, then by stem",
    )


def _grouped(scores: Sequence[PairScore], by: Sequence[str]) -> dict[str, Group]:
    members: dict[str, list[PairScore]] = {}
    for score in scores:
        parts = {"category": score.pair.category, "defect": score.pair.defect}
        name = "/".join(part for key in by if (part := parts[key]) is not None)
        members.setdefault(name, []).append(score)
    return {name: group_scores(members[name]) for name in sorted(members)}


def _notes(scores: Sequence[PairScore], overall: Group) -> tuple[str, ...]:
    total = len(scores)
    notes = []
    with_alpha = sum(ALPHA_NOTE in score.notes for score in scores)
    if with_alpha:
        notes.append(f"alpha ignored in {with_alpha} of {total} pairs")
    for side, summaries in (("degraded", overall.degraded), ("restored", overall.restored)):
        for name, summary in (summaries or {}).items():
            title = METRICS[name].title
            if summary.identical:
                notes.append(
                    f"{summary.identical} of {total} {side} pictures equal their reference ({title} inf); "
                    "the mean is over the others"
                )
            if summary.undefined:
                notes.append(f"{title} undefined in {summary.undefined} of {total} {side} pictures")
    return tuple(notes)
