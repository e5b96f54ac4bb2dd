"""The evaluation of folders: pair, score in a thread pool, sum up by category and by any other field."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from pathlib import Path

from restorecli.errors import DataError, ImageError, RestorecliError
from restorecli.evaluation.metrics.catalog import DEFAULT, DEFECT_SCORE
from restorecli.evaluation.metrics.metric import Metric, protocol_line
from restorecli.evaluation.metrics.protocol import Protocol, find_protocol
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.evaluation.pairing.pairs import Pair, Side, Unmatched
from restorecli.evaluation.pairing.remote import have_here
from restorecli.evaluation.parts import PartPairing
from restorecli.evaluation.result import Evaluation, Outcome, PairScore
from restorecli.evaluation.scoring import Redegrade, score_pair
from restorecli.evaluation.selection import ALL, choose_metrics
from restorecli.evaluation.statistics.assembly import assemble
from restorecli.evaluation.statistics.grouping import check_fields
from restorecli.folders.addresses import address_of
from restorecli.folders.cluster import Cluster, refuse_addresses
from restorecli.folders.jobs import Progress, SilentProgress, run_ordered
from restorecli.folders.mirror import Mirror
from restorecli.folders.packed import Packed
from restorecli.folders.shards import WHOLE, Shard
from restorecli.folders.workers import DeadlyFileError
from restorecli.images.scale import check_range

__all__ = ["Evaluation", "default_folder", "evaluate_folders", "evaluate_pairs"]

_DEFAULTS = (Path("restored"), Path("degraded"))
_SHOWN_REASONS = 5


def evaluate_folders(
    restored: Path | None = None,
    reference: Path | None = None,
    *,
    degraded: Path | None = None,
    by: Sequence[str] = ("category",),
    metrics: Sequence[str] | None = None,
    protocol: str = "rgb",
    values: str = "auto",
    masks: Path | None = None,
    endings: Sequence[str] = (),
    redegrade: Redegrade | None = None,
    shard: Shard = WHOLE,
    workers: int | None = None,
    remote: Mirror | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a folder of images against their references.

    Memory does not grow with the images, only with one line of scores for each; the result is the same to
    the last digit with any number of workers, since every pair is scored alone and summed up in the folder's
    order.

    Args:
        restored: Folder (or file) of restored images, or a `degrade` output, which is then scored as
            degraded; None takes `degraded` if given, else `./restored`, else `./degraded`.
        reference: Folder of references, found by name; None follows the manifest.
        degraded: Folder of degraded images to compare with, found by name; None follows the manifest.
        by: Fields whose values, crossed, make the groups: "category", "defect", "degradation", "severity",
            "seed", "model" or any value of the manifest, such as "sigma" or "gaussian.sigma".
        metrics: Names of the catalog, or "all" for those that can be computed here without the network; None
            takes PSNR and SSIM, and the score of defects where an image has a mask.
        protocol: What PSNR and SSIM compare, and how: a name of the protocols, "basicsr:4" with a crop.
        values: Which values of the references are black and white, see `images.options.ReadOptions.range`;
            "auto" leaves it to the manifest, and then to the files.
        masks: Folder of masks of the defects, found by name; None takes those of an MVTec-style tree.
        endings: What the names of one folder end in besides those of the other, e.g. "_x1_Mine". Where none
            is given and no name fits, the one by which all names differ is taken, and a note says so.
        redegrade: Degrades again as a manifest's line says, for the metrics that ask how consistent a
            restored image is with what it was restored from.
        shard: The part of the images to score; `joining.join_parts` puts the parts together.
        workers: Threads; by default one for each core.
        remote: What mirrors folders that are remote, and images that a manifest calls by their address.
        cluster: Where pairs are scored, in place of threads.
        progress: Progress callback.

    Returns:
        Scores by image, by group and overall, and everything that was not scored, each with its reason.

    Raises:
        UsageError: A metric, the protocol or a field is unknown.
        DataError: A folder is missing, nothing says where references are, or not one pair could be scored.
    """
    rules = find_protocol(protocol)
    check_range(values)
    if restored is None and degraded is not None:
        restored, degraded = degraded, None
    folder = restored or default_folder()
    names = DEFAULT if metrics is None else metrics
    named = choose_metrics(names)  # a misspelled name is reported before a tree is walked
    needed = ALL in names or any("reference" in metric.needs for metric in named)
    pairing = pair_folder(folder, reference, degraded, masks=masks, endings=endings, needs_reference=needed)
    check_fields(pairing.pairs, by)
    if metrics is None and any(pair.mask is not None for pair in pairing.pairs):
        names = (*DEFAULT, DEFECT_SCORE)
    mine = PartPairing(pairing, shard, remote)
    evaluation = evaluate_pairs(
        Packed(_read_by(pair, values) for pair in mine.pairs),
        mine.unmatched,
        folder=folder,
        reference=reference,
        by=by,
        metrics=choose_metrics(names, pairing.pairs, redegrade),
        protocol=rules,
        redegrade=redegrade,
        workers=workers,
        remote=remote,
        cluster=cluster,
        progress=progress,
        may_be_empty=shard != WHOLE,
    )
    evaluation = replace(evaluation, notes=(*pairing.notes, *evaluation.notes))
    if shard == WHOLE:
        return evaluation
    problems = (entry.path for entry in evaluation.unmatched[len(mine.unmatched) :])
    scored = (score.pair.path for score in evaluation.images)
    return replace(evaluation, part=mine.part(folder.resolve().name, scored, problems))


def _read_by(pair: Pair, values: str) -> Pair:
    """Return a pair whose reference, or whose only images, are read by a range that was asked for."""
    if values == "auto":
        return pair
    sides = {side: getattr(pair, side) for side in ("reference", "degraded", "restored")}
    asked = {
        side: replace(source, options=replace(source.options, range=values))
        for side, source in sides.items()
        if source is not None
    }
    return replace(pair, **asked)


def evaluate_pairs(
    pairs: Sequence[Pair],
    unmatched: Sequence[Unmatched],
    *,
    folder: Path,
    reference: Path | None,
    by: Sequence[str],
    metrics: Sequence[Metric],
    protocol: Protocol,
    redegrade: Redegrade | None = None,
    workers: int | None = None,
    remote: Mirror | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
    may_be_empty: bool = False,
) -> Evaluation:
    """Score pairs that were found, and sum them up.

    Args:
        pairs: In the order of the folder.
        unmatched: What was not found.
        folder: Where the images are, for messages.
        reference: Where the references are, for messages.
        by: As of `evaluate_folders`.
        metrics: What is measured.
        protocol: What is compared, and how.
        redegrade: As of `evaluate_folders`.
        workers: Threads; by default one for each core.
        remote: As of `evaluate_folders`.
        cluster: As of `evaluate_folders`.
        progress: Progress callback.
        may_be_empty: Return an evaluation without a score where there is none, in place of the error.

    Raises:
        UsageError: A field is unknown.
        DataError: Not one pair could be scored.
    """
    check_fields(pairs, by)
    left = list(unmatched)
    score = partial(score_pair, metrics=metrics, protocol=protocol, redegrade=redegrade)
    if cluster is not None:
        outcomes = _by_cluster(score, pairs, cluster)
    else:
        work = score if remote is None else partial(_score_remote, score=score, remote=remote)
        outcomes = run_ordered(work, pairs, workers)
    scores: Packed[PairScore] = Packed()
    unscored: list[Pair] = []
    reporter = progress or SilentProgress()
    reporter.start(len(pairs), "pairs")
    try:
        for pair, outcome in outcomes:
            if isinstance(outcome, RestorecliError):
                raise outcome
            left.extend(outcome.problems)
            reporter.advance(pair.path, _as_failure(outcome.problems))
            if outcome.score is None:
                unscored.append(pair)
            else:
                scores.append(outcome.score)
    finally:
        outcomes.close()
        reporter.finish()
    if not scores and not may_be_empty:
        raise _nothing_scored(folder, reference, left)
    evaluation = assemble(scores, left, metrics=metrics, by=by, protocol=protocol_line(protocol, metrics))
    return replace(evaluation, unscored=tuple(unscored))


def _score_remote(pair: Pair, score: Callable[[Pair], Outcome], remote: Mirror) -> Outcome:
    """Score a pair whose images are fetched for it."""
    with ExitStack() as stack:
        missing = have_here(pair, remote, stack)
        return score(pair) if missing is None else Outcome(None, (missing,))


def _by_cluster(
    score: Callable[[Pair], Outcome], pairs: Sequence[Pair], cluster: Cluster
) -> Generator[tuple[Pair, Outcome | RestorecliError], None, None]:
    """Score pairs by the workers of a cluster; one that these die on is a problem to be listed.

    Raises:
        UsageError: An image is in a remote store.
    """
    for pair in pairs:
        refuse_addresses(*(str(address) for file in pair.files if (address := address_of(file)) is not None))
    with closing(cluster.run(partial(_given, score), pairs)) as answers:
        for answer in answers:
            outcome = answer.outcome
            if isinstance(outcome, DeadlyFileError):
                side: Side = "degraded" if answer.item.restored is None else "restored"
                reason = f"{outcome.problem} ({outcome.got})"
                outcome = Outcome(None, (Unmatched(side, answer.item.path, reason),))
            yield answer.item, outcome


def _given(score: Callable[[Pair], Outcome]) -> Callable[[Pair], Outcome]:
    """Return what a worker scores pairs by."""
    return score


def default_folder() -> Path:
    """Return what is evaluated when nothing is said: ./restored, else ./degraded.

    Raises:
        DataError: There is neither.
    """
    for folder in _DEFAULTS:
        if folder.is_dir():
            return folder
    raise DataError(
        "There is nothing to evaluate here.",
        expected="a folder ./restored or ./degraded with its manifest.jsonl",
        got=f"neither of them in {Path.cwd()}",
        hint="restorecli eval RESTORED REFERENCE, or run `restorecli degrade` and `restorecli restore` first",
    )


def _as_failure(problems: Sequence[Unmatched]) -> RestorecliError | None:
    return ImageError(problems[0].reason, file=problems[0].path) if problems else None


def _nothing_scored(folder: Path, reference: Path | None, unmatched: Sequence[Unmatched]) -> DataError:
    reasons = [f"{entry.path}: {entry.reason}" for entry in unmatched[:_SHOWN_REASONS]]
    if len(unmatched) > _SHOWN_REASONS:
        reasons.append(f"and {len(unmatched) - _SHOWN_REASONS} more")
    where = "the references that its manifest.jsonl names" if reference is None else f"{reference} by name"
    return DataError(
        "Not one pair could be scored.",
        expected=f"images in {folder} with a reference of the same size and channels: {where}",
        got="; ".join(reasons) or "a folder without images",
        file=folder,
        hint="pairs are found by the manifest, else by relative path, then by stem",
    )
