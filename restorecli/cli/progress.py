"""Progress as one tqdm bar on stderr, off where stderr is not a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Never

from restorecli.cli.render import plain, say
from restorecli.errors import RestorecliError

if TYPE_CHECKING:
    from tqdm.auto import tqdm

    from restorecli.training.validation import ValidationScores

_UNITS = {"tuning": "parameter"}
_PAUSE = 0.2  # seconds between two drawings of the steps of one image
_SMOOTHING = 0.5  # share of the past in the loss and dB that the training bar shows
_TRAINING_LINE = "{desc} {percentage:5.1f}% |{bar}| {elapsed} < {remaining}{postfix}"


def scores_line(scores: Mapping[str, float]) -> str:
    """Return scores by name in one line, decibels as such: "psnr 28.50 dB, ssim 0.8000, step 11"."""

    def value(name: str, number: float) -> str:
        if name == "step":
            return f"{number:.0f}"
        return f"{number:.2f} dB" if "psnr" in name else f"{number:.4f}"

    return ", ".join(f"{name} {value(name, number)}" for name, number in scores.items())


def _shown() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()


class BarProgress:
    """The `Progress` of the folder jobs; failures are written above the bar as they come."""

    def __init__(self) -> None:
        self._bar: tqdm[Never] | None = None
        self._told = 0.0

    def start(self, total: int, what: str) -> None:
        """Open the bar for `total` items of the job called `what`."""
        from tqdm.auto import tqdm

        self._bar = tqdm(
            total=total, desc=what, unit=_UNITS.get(what, "image"), disable=not _shown(), dynamic_ncols=True
        )

    def advance(self, done: str, failure: RestorecliError | None = None) -> None:
        """Count the item `done`; say so at once when it failed."""
        if self._bar is None:
            return
        self._bar.set_postfix_str("", refresh=False)
        if failure is not None and not self._bar.disable:
            self._bar.write(plain(f"failed: {done}: {failure.problem}"), file=sys.stderr)
        self._bar.update()

    def within(self, done: int, total: int) -> None:
        """Show how far the item in hand is, at most a few times a second."""
        now = time.monotonic()
        if self._bar is None or self._bar.disable or now - self._told < _PAUSE:
            return
        self._told = now
        self._bar.set_postfix_str(f"step {done} of {total}")

    def finish(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()


class TrainingBar:
    """The `Monitor` of a training run: share of the budget, loss, dB, time left; a line per validation.

    Attributes:
        notes: What the user was told before it began.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._bar: tqdm[Never] | None = None
        self._loss: float | None = None
        self._psnr = 0.0

    def note(self, text: str) -> None:
        """Write it on a line of its own, and keep it for `--json`."""
        self.notes.append(text)
        say(f"note: {text}")

    def begin(self, step: int, fraction: float) -> None:
        """Open the bar where the run begins or goes on."""
        from tqdm.auto import tqdm

        if step:
            say(f"going on after step {step}")
        self._bar = tqdm(
            total=100,
            initial=100 * fraction,
            desc="train",
            bar_format=_TRAINING_LINE,
            disable=not _shown(),
            dynamic_ncols=True,
        )

    def measured(self, loss: float, psnr: float) -> None:
        """Take in a batch's loss and dB; shown are moving averages, since single batches jump."""
        if self._bar is None:
            return
        past = 0.0 if self._loss is None else _SMOOTHING
        self._loss = past * (self._loss or 0.0) + (1 - past) * loss
        self._psnr = past * self._psnr + (1 - past) * psnr

    def step(self, step: int, fraction: float) -> None:
        """Show a step."""
        if self._bar is None:
            return
        known = "" if self._loss is None else f", loss {self._loss:.4f}, {self._psnr:.2f} dB"
        self._bar.set_postfix_str(f"step {step}{known}", refresh=False)
        self._bar.update(100 * min(fraction, 1.0) - self._bar.n)

    def validated(self, step: int, scores: ValidationScores, best: bool) -> None:
        """Write a validation's scores above the bar."""
        line = f"step {step}: {scores_line(scores.numbers())}{' (best so far)' if best else ''}"
        if scores.levels:
            levels = ", ".join(f"{level.psnr:.2f} dB {100 * level.share:.0f} %" for level in scores.levels)
            line += f"; levels and their shares from now on: {levels}"
        if self._bar is None or self._bar.disable:
            say(line)
        else:
            self._bar.write(line, file=sys.stderr)

    def end(self) -> None:
        """Close the bar."""
        if self._bar is not None:
            self._bar.close()
