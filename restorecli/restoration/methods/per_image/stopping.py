"""When to stop fitting an image: rules that never look at the reference."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

import torch
from torch import Tensor

_SAMPLE = 1 << 16
"""Values of the output whose variance is watched; all of them where there are fewer."""


class Rule(Protocol):
    """What gives a score, the lower the better, to some of the steps."""

    def score(self, step: int, output: Tensor, average: Tensor) -> float | None:
        """Return the score of a step, or None for a step that has none."""
        ...


class Never:
    """No score: all steps are done."""

    def score(self, step: int, output: Tensor, average: Tensor) -> None:
        """Return None."""
        del step, output, average


class MovingVariance:
    """The variance of the last outputs, over `window` steps, averaged over pixels.

    Wang et al., "Early Stopping for Deep Image Prior", TMLR 2023 (ES-WMV): outputs first settle on the
    image and then wander with the noise that they learn, so that the variance is least in between.

    Args:
        window: Steps.
        generator: Chooses which values to watch where there are too many.
    """

    def __init__(self, window: int, generator: torch.Generator) -> None:
        self._generator = generator
        self._last: deque[Tensor] = deque(maxlen=window)
        self._places: Tensor | None = None

    def score(self, step: int, output: Tensor, average: Tensor) -> float | None:
        """Return the variance once the window is full, at every tenth of it."""
        del average
        values = output.flatten()
        if self._places is None:
            order = torch.randperm(len(values), generator=self._generator)
            self._places = order[:_SAMPLE].to(values.device)
        self._last.append(values[self._places])
        window = self._last.maxlen or 1
        if len(self._last) < window or step % max(window // 10, 1):
            return None
        return float(torch.stack(list(self._last)).var(dim=0, correction=0).mean())


class HeldOut:
    """The error of the averaged output at pixels that are not fitted.

    Their noise is independent of the noise that is fitted, so the error is least, up to a constant, where
    the image is nearest to the clean one.

    Args:
        error: Mean squared error of an output at the pixels held out.
        every: Steps between scores.
    """

    def __init__(self, error: Callable[[Tensor], float], every: int = 10) -> None:
        self._error = error
        self._every = every

    def score(self, step: int, output: Tensor, average: Tensor) -> float | None:
        """Return the error at every `every`-th step."""
        del output
        return None if step % self._every else self._error(average)
