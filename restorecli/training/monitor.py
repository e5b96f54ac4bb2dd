"""Progress callbacks of a training run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from restorecli.training.validation import ValidationScores


class Monitor(Protocol):
    """Progress callbacks of a run; the command line shows a progress bar.

    Another concept than `folders.jobs.Progress`, which counts items that are done or fail: a run has no items
    but a budget of steps or hours, and tells losses and scores on its way.
    """

    def note(self, text: str) -> None:
        """Something that the user should know before it begins."""

    def begin(self, step: int, fraction: float) -> None:
        """Training begins, or goes on from a step."""

    def step(self, step: int, fraction: float) -> None:
        """A step is done; `fraction` of the budget is used up."""

    def measured(self, loss: float, psnr: float) -> None:
        """Every few steps: the loss and the PSNR in dB of a training batch."""

    def validated(self, step: int, scores: ValidationScores, best: bool) -> None:
        """A validation is done; `best` tells whether it is the best so far."""

    def end(self) -> None:
        """Training has ended, for whatever reason."""


class SilentMonitor:
    """Watches nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def begin(self, step: int, fraction: float) -> None:
        """Do nothing."""

    def step(self, step: int, fraction: float) -> None:
        """Do nothing."""

    def measured(self, loss: float, psnr: float) -> None:
        """Do nothing."""

    def validated(self, step: int, scores: ValidationScores, best: bool) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""
