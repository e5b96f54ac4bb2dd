"""What the verbs give back beside the images that they write."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from restorecli.errors import GateError
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.statistics.comparison import Comparison
from restorecli.folders.jobs import FolderSummary

if TYPE_CHECKING:
    from restorecli.tune.tuning import Tuning


@dataclass(frozen=True, repr=False)
class RestoreResult(FolderSummary):
    """What `restore` did.

    Attributes:
        tuning: What `tune` tried and picked; None where it was not asked for.
        kinds: What `auto` found and did, a line for each kind of image; empty for other models.
    """

    tuning: Tuning | None = None
    kinds: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return the summary as JSON values, with what was tuned and what `auto` found."""
        document = FolderSummary.to_dict(self)
        if self.kinds:
            document["kinds"] = list(self.kinds)
        return document if self.tuning is None else {**document, "tuned": self.tuning.to_dict()}


@dataclass(frozen=True, repr=False)
class EvalResult(Evaluation):
    """What `evaluate` found, what it was compared with, and what was written of it.

    Attributes:
        comparison: Of other methods with it; None without others.
        refused: The quality gates that were not passed, each as the error it is on the command line.
        written: The files that were written.
    """

    comparison: Comparison | None = None
    refused: tuple[GateError, ...] = ()
    written: tuple[Path, ...] = ()

    @classmethod
    def of(cls, evaluation: Evaluation, **more: Any) -> EvalResult:  # noqa: ANN401 - the fields above
        """Return an evaluation with what else is known."""
        return cls(**{field.name: getattr(evaluation, field.name) for field in fields(evaluation)}, **more)

    def to_dict(self) -> dict[str, object]:
        """Return the evaluation as JSON values, with the comparison."""
        document = Evaluation.to_dict(self)
        return document if self.comparison is None else {**document, "comparison": self.comparison.to_dict()}
