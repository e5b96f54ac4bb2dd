"""Scoring folders of images: the options, and the one implementation behind Python and command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from pathlib import Path

from restorecli.api.files import Files, check_targets, write_files
from restorecli.api.gates import Gates, read_gates
from restorecli.api.keywords import from_keywords, listed
from restorecli.api.parts import check_together
from restorecli.api.results import EvalResult
from restorecli.degradation.again import degrade_again
from restorecli.errors import UsageError
from restorecli.evaluation.folder import default_folder, evaluate_folders
from restorecli.evaluation.joining import check_comparable, join_parts
from restorecli.evaluation.metrics.protocol import find_protocol
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.rivals import evaluate_rival
from restorecli.evaluation.statistics.comparison import Comparison, compare
from restorecli.folders.cluster import Cluster, refuse_addresses
from restorecli.folders.jobs import Progress
from restorecli.folders.mirror import Mirror
from restorecli.folders.shards import Shard


@dataclass(frozen=True)
class EvalOptions:
    """What to score, how, against what, and what to write of it.

    Attributes:
        restored: Folder of restored images, or its address, such as s3://bucket/restored, as for every
            folder below; None takes `degraded`, else `./restored`, else `./degraded`.
        reference: Folder of references; None follows the manifest.
        degraded: Folder of degraded images to compare with; None follows the manifest.
        by: Fields whose values, crossed, make the groups: "category", "defect", "degradation", "severity",
            "model", "seed", or a drawn value of the manifest such as "sigma"; a single one needs no list.
            None takes the category, and compares methods over all images only.
        metrics: Names of `restorecli eval --list-metrics`, or "all" for those that need no extra package;
            None takes those of the baseline, else PSNR and SSIM, and "defect-score" where there are masks.
        protocol: Whose convention PSNR and SSIM follow, e.g. "y-matlab" or "basicsr:4".
        range: Which values of the references are black and white, for their own images too: "auto", "file",
            "type" or two values, as "0..4095". PSNR's peak lies between them.
        masks: Folder of masks of the defects; None takes those of an MVTec-style tree.
        strip_suffix: What the names of one folder end in besides those of the other, e.g. ["_x1_Mine"]. By
            default the one by which all names differ, if none fits as it is; a note then says so.
        shard: "I/N" scores part I of N of the images, split as by `restore` and `degrade`; what looks at all
            images goes with `join`.
        cluster: A Ray cluster whose workers score pairs, one at a time: "auto" for the one that RAY_ADDRESS
            names, else for all cores of this machine, or HOST:PORT. `workers` counts its processes then.
        join: Folder with the JSON of all parts, and of nothing else: they become one evaluation, equal to the
            digit to that of one process. `against` names folders of the parts of other methods then.
        workers: Threads; any number gives the same table to the last digit.
        against: Other methods' folders by name, compared image by image.
        min_psnr: The least mean PSNR in dB; the result says whether it was reached.
        baseline: Earlier scores, saved by `eval --json`, that no mean may fall behind.
        tolerance: By how much a mean may be worse than in the baseline; None takes 0.01 dB, and 0.0005 where
            there is no dB.
        csv: File for one line per image; beside it NAME.groups.csv with one per group.
        markdown: File for the tables as Markdown.
        latex: File for the means as a LaTeX table.
        report: File for one HTML page that opens offline.
        output: Folder for an HTML page and side-by-side images.
        title: Of the pages; None takes data, method and date.
        about: Lines that the pages say below their title.
        progress: Progress callbacks of the job.
    """

    restored: str | Path | None = None
    reference: str | Path | None = None
    _: KW_ONLY
    degraded: str | Path | None = None
    by: str | Sequence[str] | None = None
    metrics: str | Sequence[str] | None = None
    protocol: str = "rgb"
    range: str = "auto"
    masks: str | Path | None = None
    strip_suffix: str | Sequence[str] = ()
    shard: str | None = None
    cluster: str | None = None
    join: str | Path | None = None
    workers: int | None = None
    against: Mapping[str, str | Path] = field(default_factory=dict)
    min_psnr: float | None = None
    baseline: str | Path | None = None
    tolerance: float | None = None
    csv: str | Path | None = None
    markdown: str | Path | None = None
    latex: str | Path | None = None
    report: str | Path | None = None
    output: str | Path | None = None
    title: str | None = None
    about: str | Sequence[str] = ()
    progress: Progress | None = None


def run_evaluate(options: EvalOptions) -> EvalResult:
    """Score restored images against their references: per image, then by category and any other field.

    Args:
        options: See the class.

    Returns:
        Scores by image, by category, by group and overall, every image without a counterpart, the
        comparison with other methods, and the gates that were not passed.

    Raises:
        UsageError: A metric, the protocol or a field is unknown, or an output would overwrite an input; or
            options were given that do not go together.
        DataError: A folder is missing, nothing says where references are, not one pair could be scored, or
            a part is missing.

    Example:
        >>> import restorecli
        >>> made = restorecli.degrade(None, "noisy", noise=[{"name": "gaussian", "sigma": 25}])
        >>> found = restorecli.evaluate("noisy", metrics=["psnr"], min_psnr=40)
        >>> 18 < found.overall.final["psnr"].mean < 24
        True
        >>> len(found.refused)
        1
    """
    options = replace(
        options,
        by=None if options.by is None else listed(options.by),
        metrics=None if options.metrics is None else listed(options.metrics),
        strip_suffix=listed(options.strip_suffix),
        about=listed(options.about),
    )
    check_together(options)
    if options.join is not None:
        return _join(options, Path(options.join))
    if options.cluster is not None:
        refuse_addresses(
            options.restored, options.reference, options.degraded, options.masks, *options.against.values()
        )
    with Mirror() as remote, Cluster.if_asked(options.cluster, options.workers) as cluster:
        here = replace(
            options,
            restored=remote.place_if(options.restored),
            reference=remote.place_if(options.reference),
            degraded=remote.place_if(options.degraded),
            masks=remote.place_if(options.masks),
            against={name: remote.place(place) for name, place in options.against.items()},
        )
        return _evaluate_folders(here, remote, cluster)


evaluate = from_keywords("evaluate", EvalOptions, run_evaluate)


def _path(place: str | Path | None) -> Path | None:
    return None if place is None else Path(place)


def _evaluate_folders(options: EvalOptions, remote: Mirror, cluster: Cluster | None) -> EvalResult:
    """Score what is here or mirrored."""
    folder = _path(options.restored) or _path(options.degraded) or default_folder()
    name = folder.resolve().name
    rivals = _rivals(options, name)
    gates = read_gates(options.min_psnr, _path(options.baseline), options.tolerance)
    gates.check_protocol(find_protocol(options.protocol).line)
    scored = _scored(options, gates, remote, cluster)
    evaluation, comparison = _compared(options, scored, rivals, name, remote, cluster)
    read = (folder, *map(_path, (options.reference, options.degraded, options.masks)), *rivals.values())
    folders = [place for place in read if place is not None]
    return _finished(options, gates, evaluation, comparison, name=name, folders=folders, remote=remote)


def _join(options: EvalOptions, folder: Path) -> EvalResult:
    gates = read_gates(options.min_psnr, _path(options.baseline), options.tolerance)
    by = options.by or ("category",)
    joined = join_parts(folder, by)
    evaluation, files, comparison = joined.evaluation, [*joined.files], None
    rivals = {name: join_parts(place, by) for name, place in _rivals(options, joined.folder).items()}
    if rivals:
        found = {name: rival.evaluation for name, rival in rivals.items()}
        check_comparable(evaluation, found)
        comparison = compare(evaluation, found, name=joined.folder, groups=options.by is not None)
        files += [file for rival in rivals.values() for file in rival.files]
    return _finished(options, gates, evaluation, comparison, name=joined.folder, others=files)


def _finished(
    options: EvalOptions,
    gates: Gates,
    evaluation: Evaluation,
    comparison: Comparison | None,
    *,
    name: str,
    folders: Sequence[Path] = (),
    others: Sequence[Path] = (),
    remote: Mirror | None = None,
) -> EvalResult:
    """Apply the gates and write the files that are asked for.

    Args:
        options: What is asked for.
        gates: What the scores must reach.
        evaluation: The scores.
        comparison: With other methods.
        name: What the evaluated folder is called.
        folders: Where images were looked for; nothing there is overwritten.
        others: Further files that were read.
        remote: What mirrors the folders.
    """
    refused = tuple(gates.refusals(evaluation))
    evaluation = gates.noted(evaluation)
    files = Files(*map(_path, (options.csv, options.markdown, options.latex, options.report, options.output)))
    baseline = [] if options.baseline is None else [Path(options.baseline)]
    check_targets(files, evaluation, others=[*others, *baseline], folders=folders)
    written = write_files(
        files, evaluation, comparison, title=options.title, method=name, about=options.about, remote=remote
    )
    return EvalResult.of(evaluation, comparison=comparison, refused=refused, written=written)


def _scored(options: EvalOptions, gates: Gates, remote: Mirror, cluster: Cluster | None) -> Evaluation:
    return evaluate_folders(
        _path(options.restored),
        _path(options.reference),
        degraded=_path(options.degraded),
        by=options.by or ("category",),
        metrics=options.metrics or gates.metrics,
        protocol=options.protocol,
        values=options.range,
        masks=_path(options.masks),
        endings=options.strip_suffix,
        redegrade=degrade_again,
        shard=Shard.parse(options.shard),
        workers=options.workers,
        remote=remote,
        cluster=cluster,
        progress=options.progress,
    )


def _rivals(options: EvalOptions, name: str) -> dict[str, Path]:
    """Return the folders of other methods, each with a name of its own.

    Raises:
        UsageError: One has none, or that of the folder that is evaluated.
    """
    rivals = {rival: Path(place) for rival, place in options.against.items()}
    for rival, place in rivals.items():
        if not rival or rival == name:
            raise UsageError(
                "A method to compare with needs a name of its own.",
                expected=f"NAME=DIR, with a name other than {name!r}",
                got=f"{rival}={place}",
                hint=f"--against other={place}",
            )
    return rivals


def _compared(
    options: EvalOptions,
    evaluation: Evaluation,
    rivals: Mapping[str, Path],
    name: str,
    remote: Mirror,
    cluster: Cluster | None,
) -> tuple[Evaluation, Comparison | None]:
    """Score other methods on the same images; notes about them join the evaluation's."""
    if not rivals:
        return evaluation, None
    found = {
        rival: evaluate_rival(
            evaluation,
            place,
            protocol=options.protocol,
            endings=options.strip_suffix,
            redegrade=degrade_again,
            workers=options.workers,
            remote=remote,
            cluster=cluster,
            progress=options.progress,
        )
        for rival, place in rivals.items()
    }
    told = set(evaluation.notes)  # of references and masks, which they share
    notes = [f"{rival}: {note}" for rival, other in found.items() for note in other.notes if note not in told]
    comparison = compare(evaluation, found, name=name, groups=options.by is not None)
    return replace(evaluation, notes=(*evaluation.notes, *notes)), comparison
