"""Quality gates of an evaluation: what its scores must reach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from restorecli.counting import counted
from restorecli.errors import GateError, UsageError
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.gates import baseline_gate, check_protocol, psnr_gate
from restorecli.evaluation.tables.saved import read_evaluation


@dataclass(frozen=True)
class Gates:
    """What was asked for.

    Attributes:
        least: The least mean PSNR in dB, or None.
        baseline: Earlier scores, or None.
        tolerance: By how much a mean may be worse than in the baseline; None for the defaults.
    """

    least: float | None
    baseline: Evaluation | None
    tolerance: float | None

    @property
    def metrics(self) -> Sequence[str] | None:
        """What is measured when nothing is said: as in the baseline; None where there is none."""
        return None if self.baseline is None else [metric.name for metric in self.baseline.metrics]

    def check_protocol(self, line: str) -> None:
        """Refuse a baseline that was scored by another protocol than that of this line.

        Raises:
            UsageError: The protocols differ.
        """
        if self.baseline is not None:
            check_protocol(line, self.baseline)

    def refusals(self, evaluation: Evaluation) -> list[GateError]:
        """Return the errors of the gates that are not passed."""
        found = [
            None if self.least is None else psnr_gate(evaluation, self.least),
            None if self.baseline is None else baseline_gate(evaluation, self.baseline, self.tolerance),
        ]
        return [error for error in found if error is not None]

    def noted(self, evaluation: Evaluation) -> Evaluation:
        """Return the evaluation with a note about images that the baseline says nothing of."""
        if self.baseline is None:
            return evaluation
        known = {score.pair.path for score in self.baseline.images}
        new = sum(score.pair.path not in known for score in evaluation.images)
        if not new:
            return evaluation
        note = f"the baseline lacks {counted(new, 'image')}, which its gate leaves out"
        return replace(evaluation, notes=(*evaluation.notes, note))


def read_gates(least: float | None, baseline: Path | None, tolerance: float | None) -> Gates:
    """Read the gates before anything is scored.

    Raises:
        UsageError: `tolerance` without a baseline.
        DataError: The baseline cannot be read.
    """
    if baseline is None:
        if tolerance is not None:
            raise UsageError("--tolerance goes with --baseline.", got="--tolerance alone")
        return Gates(least, None, None)
    return Gates(least, read_evaluation(baseline), tolerance)
