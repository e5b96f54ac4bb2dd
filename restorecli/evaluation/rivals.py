"""Other methods' images, scored against the very references that one evaluation used."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from restorecli.evaluation.folder import evaluate_pairs
from restorecli.evaluation.metrics.protocol import find_protocol
from restorecli.evaluation.pairing.pairs import Pair, Source, Unmatched
from restorecli.evaluation.pairing.planes import file_of, plane_of
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.scoring import Redegrade
from restorecli.folders.cluster import Cluster
from restorecli.folders.jobs import Progress
from restorecli.folders.made import Made
from restorecli.folders.manifest import Manifest
from restorecli.folders.matching import Matches, index_for
from restorecli.folders.mirror import Mirror
from restorecli.folders.packed import Packed
from restorecli.folders.walking import ImageFile


def evaluate_rival(
    candidate: Evaluation,
    folder: Path,
    *,
    protocol: str = "rgb",
    endings: Sequence[str] = (),
    redegrade: Redegrade | None = None,
    workers: int | None = None,
    remote: Mirror | None = None,
    cluster: Cluster | None = None,
    progress: Progress | None = None,
) -> Evaluation:
    """Score a folder of another method against the references of an evaluation.

    Args:
        candidate: The evaluation to be compared with; its references, metrics and groups are taken.
        folder: The other method's images, found by the relative path or the stem of the candidate's.
        protocol: The protocol that the candidate was scored by.
        endings: As of `evaluate_folders`.
        redegrade: As of `evaluate_folders`.
        workers: Threads; by default one for each core.
        remote: As of `evaluate_folders`.
        cluster: As of `evaluate_folders`.
        progress: Progress callback.

    Returns:
        The scores under the candidate's paths; what only one side has is unmatched. A note tells
        where the folder's manifest says that its images were made from others.

    Raises:
        DataError: There is no such folder, or not one pair could be scored.
    """
    images = candidate.images
    names = Made(len(images), lambda place: PurePosixPath(file_of(images[place].pair.path)))
    index, notes = index_for(folder, names, endings)
    partners = Matches(index, names)
    with_degraded = any(metric.needs & {"degraded", "redegraded"} for metric in candidate.metrics)
    pairs: Packed[Pair] = Packed()
    unmatched: list[Unmatched] = []
    for score in images:
        partner = partners.find(PurePosixPath(file_of(score.pair.path)))
        if isinstance(partner, str):
            unmatched.append(Unmatched("restored", score.pair.path, partner))
        else:
            pairs.append(_pair(score.pair, partner, folder, with_degraded=with_degraded))
    reason = "the compared images hold none of this name"
    unmatched += [Unmatched("restored", file.relative.as_posix(), reason) for file in partners.unused()]
    evaluation = evaluate_pairs(
        pairs,
        unmatched,
        folder=folder,
        reference=None,
        by=(),
        metrics=candidate.metrics,
        protocol=find_protocol(protocol),
        redegrade=redegrade,
        workers=workers,
        remote=remote,
        cluster=cluster,
        progress=progress,
    )
    return replace(evaluation, notes=(*notes, *evaluation.notes, *_made_otherwise(pairs, folder)))


def _pair(pair: Pair, partner: ImageFile, folder: Path, *, with_degraded: bool) -> Pair:
    source = Source(partner.relative.as_posix(), folder, partner.path, partner.category, partner.defect)
    restored = plane_of(source, pair.path)
    return replace(pair, restored=restored, degraded=pair.degraded if with_degraded else None)


def _made_otherwise(pairs: Sequence[Pair], folder: Path) -> Iterator[str]:
    """Say of how many images the manifests tell that they were degraded in another way."""
    if not folder.is_dir():
        return
    records = Manifest(folder).read()
    otherwise = 0
    for pair in pairs:
        ours = pair.record
        theirs = None if pair.restored is None else records.get(pair.restored.locator)
        if ours is not None and theirs is not None and theirs.degradations:
            same = (ours.degradations, ours.seed, ours.key) == (theirs.degradations, theirs.seed, theirs.key)
            otherwise += not same
    if otherwise:
        yield f"{otherwise} of {len(pairs)} images were degraded in another way than those compared with"
