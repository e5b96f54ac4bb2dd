"""Quality gates: a least PSNR, and a baseline that nothing may fall behind."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from restorecli.counting import counted
from restorecli.errors import GateError, UsageError
from restorecli.evaluation.metrics.metric import OWN, Metric
from restorecli.evaluation.result import Evaluation, PairScore
from restorecli.evaluation.tables.cells import OVERALL, format_number

TOLERANCE_DB = 0.01
"""By how much a mean in dB may get worse."""

TOLERANCE = 0.0005
"""By how much any other mean may get worse."""

_SHOWN = 8


def psnr_gate(evaluation: Evaluation, least: float) -> GateError | None:
    """Return the error of a mean PSNR below `least` dB over all images, or None where it is reached.

    Raises:
        UsageError: PSNR was not measured.
    """
    if "psnr" not in evaluation.overall.final:
        raise UsageError("--min-psnr needs PSNR.", expected="psnr among --metrics")
    mean = evaluation.overall.final["psnr"].mean
    if mean is not None and mean >= least:
        return None
    return GateError(
        "The mean PSNR is below the gate.",
        expected=f"at least {least:g} dB",
        got="no score" if mean is None else f"{mean:.4f} dB over {counted(evaluation.overall.n, 'image')}",
    )


def baseline_gate(
    evaluation: Evaluation, baseline: Evaluation, tolerance: float | None = None
) -> GateError | None:
    """Tell whether an evaluation fell behind an earlier one.

    Means are taken over the images that both have, overall and in every category of the baseline, by each
    metric of the baseline that has a direction. An image that equalled its reference and does not any more
    is a fault too.

    Args:
        evaluation: What is judged.
        baseline: The earlier evaluation.
        tolerance: By how much a mean may get worse, in the metric's own unit; by default 0.01 for metrics in
            dB and 0.0005 for the others.

    Returns:
        The error with every fault: a mean that got worse, an image that the baseline has and this one has
        not, an image that has no reference now and had one; None where there is no fault.

    Raises:
        UsageError: The protocols differ, or a metric of the baseline was not measured.
    """
    check_protocol(evaluation.protocol, baseline)
    _check_metrics(evaluation, baseline)
    faults = [*_regressions(evaluation, baseline, tolerance), *_lost(evaluation, baseline)]
    if not faults:
        return None
    hidden = len(faults) - _SHOWN
    got = [*faults[:_SHOWN], *([f"and {hidden} more"] if hidden > 0 else [])]
    allowed = f"{TOLERANCE_DB:g} dB, or {TOLERANCE:g} where there is no unit"
    return GateError(
        "The scores fell behind the baseline.",
        expected=f"no mean worse by more than {allowed if tolerance is None else f'{tolerance:g}'}, "
        "and every image of the baseline",
        got="; ".join(got),
    )


def check_protocol(line: str, baseline: Evaluation) -> None:
    """Refuse a baseline that was scored by another protocol.

    Args:
        line: The protocol in one line; which metrics define themselves plays no part.
        baseline: The earlier evaluation.

    Raises:
        UsageError: The protocols differ.
    """
    if line.partition(OWN)[0] != baseline.protocol.partition(OWN)[0]:
        raise UsageError(
            "The baseline was scored by another protocol.",
            expected=baseline.protocol,
            got=line,
            hint="--protocol as for the baseline, or make the baseline again",
        )


def _check_metrics(evaluation: Evaluation, baseline: Evaluation) -> None:
    measured = {metric.name for metric in evaluation.metrics}
    lacking = [metric.name for metric in baseline.metrics if metric.name not in measured]
    if lacking:
        raise UsageError(
            "A metric of the baseline was not measured.",
            expected=", ".join(metric.name for metric in baseline.metrics),
            got=", ".join(metric.name for metric in evaluation.metrics),
            hint="leave out --metrics: those of the baseline are taken then",
        )


def _regressions(evaluation: Evaluation, baseline: Evaluation, tolerance: float | None) -> Iterator[str]:
    now = {score.pair.path: score for score in evaluation.images}
    earlier = [score for score in baseline.images if score.pair.path in now]
    groups: dict[str, list[PairScore]] = {OVERALL: earlier}
    for score in earlier:
        groups.setdefault(f"category {score.pair.category}", []).append(score)
    for name, before in groups.items():
        for metric in baseline.metrics:
            was = [score.final.get(metric.name) for score in before]
            is_now = [now[score.pair.path].final.get(metric.name) for score in before]
            for fault in _faults(was, is_now, metric, tolerance):
                yield f"{name}: {metric.title} {fault}"


def _faults(
    was: Sequence[float | None], now: Sequence[float | None], metric: Metric, tolerance: float | None
) -> Iterator[str]:
    """Say what is worse now; the means are over the images that have a finite score both times."""
    if metric.higher_is_better is None:
        return
    pairs = [(before, after) for before, after in zip(was, now, strict=True) if before is not None]
    undefined = sum(after is None for _, after in pairs)
    if undefined:
        yield f"has no value any more for {counted(undefined, 'image')}"
    known = [(before, after) for before, after in pairs if after is not None]
    spoiled = sum(math.isinf(before) and math.isfinite(after) for before, after in known)
    if spoiled:
        yield f"is not inf any more for {counted(spoiled, 'image')}"
    finite = [pair for pair in known if all(map(math.isfinite, pair))]
    if not finite:
        return
    before, after = (math.fsum(side) / len(finite) for side in zip(*finite, strict=True))
    allowed = tolerance if tolerance is not None else (TOLERANCE_DB if metric.unit == "dB" else TOLERANCE)
    if (before - after if metric.higher_is_better else after - before) > allowed:
        digits = metric.decimals + 2
        yield f"{format_number(after, digits)} instead of {format_number(before, digits)}"


def _lost(evaluation: Evaluation, baseline: Evaluation) -> Iterator[str]:
    now = {score.pair.path for score in evaluation.images}
    reasons: Mapping[str, str] = {entry.path: entry.reason for entry in evaluation.unmatched}
    for score in baseline.images:
        path = score.pair.path
        if path not in now:
            yield f"{path} is missing ({reasons.get(path, 'no such image')})"
    known = {(entry.side, entry.path) for entry in baseline.unmatched}
    listed = {score.pair.path for score in baseline.images} - now
    for entry in evaluation.unmatched:
        if (entry.side, entry.path) not in known and entry.path not in listed:
            yield f"{entry.side} {entry.path} has no score ({entry.reason})"
