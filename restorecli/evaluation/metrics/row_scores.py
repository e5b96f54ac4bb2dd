"""Scores of images that come row by row: sums for the errors of pixels, overlapping rows for SSIM."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.gaussian import WINDOW
from restorecli.evaluation.metrics.metric import Metric
from restorecli.evaluation.metrics.pixelwise import (
    Levels,
    difference,
    mae,
    mse,
    psnr_of_levels,
    psnr_of_mse,
    psnr_of_mse_with_floor,
    psnr_with_floor,
    rmse,
)
from restorecli.evaluation.metrics.protocol import PROTOCOLS, Protocol, Scorer
from restorecli.evaluation.metrics.psnr_ssim import check_window, psnr, psnr_of_sum, ssim
from restorecli.images.image import Pixels

Bytes = NDArray[np.uint8]

_OWN = {"psnr-y": "psnr", "ssim-y": "ssim"}
"""Metrics that are those of the protocol y-matlab under every protocol."""


class RowScores:
    """Scores of one image against its reference, both of which come from top to bottom.

    Errors of pixels are exact for images of 8 bits. SSIM is summed in another order than for a whole image,
    which changes less than its twelfth digit.

    Args:
        metrics: What is asked for.
        protocol: What is compared, and how.
        size: Height and width of the images.

    Attributes:
        left_out: Titles of the metrics that cannot be measured by rows.
    """

    def __init__(self, metrics: Sequence[Metric], protocol: Protocol, size: tuple[int, int]) -> None:
        self._metrics = metrics
        self._scorers = {metric.name: _scorer(metric, protocol) for metric in metrics}
        self.left_out = [metric.title for metric in metrics if self._scorers[metric.name] is None]
        known = [found for found in self._scorers.values() if found is not None]
        self._sums = {rules.name: _Sums(rules, size, similarity=(rules, ssim) in known) for rules, _ in known}

    def add(self, start: int, restored: Pixels | Bytes, reference: Pixels | Bytes) -> None:
        """Add the rows from `start` on, which follow those that were added before.

        Args:
            start: Number of the first of them.
            restored: (C, rows, W), float32 in [0, 1] or uint8.
            reference: The same rows of the clean image.

        Raises:
            DataError: A value is not finite, or the shapes differ.
        """
        for sums in self._sums.values():
            sums.add(start, restored, reference)

    def scores(self) -> tuple[dict[str, float | None], list[str]]:
        """Return the scores by name, None for what is not measured or defined, and why it is not defined."""
        scores: dict[str, float | None] = {}
        notes = []
        for metric in self._metrics:
            scores[metric.name] = None
            found = self._scorers[metric.name]
            if found is not None:
                rules, scorer = found
                try:
                    scores[metric.name] = _RESULTS[scorer](self._sums[rules.name])
                except DataError as undefined:
                    notes.append(
                        f"{metric.title} undefined: expected {undefined.expected}, got {undefined.got}"
                    )
        return scores, notes


def _scorer(metric: Metric, protocol: Protocol) -> tuple[Protocol, Scorer] | None:
    """Return the protocol and its function that a metric is, where this one can be measured by rows."""
    rules = PROTOCOLS.find("y-matlab") if metric.name in _OWN else protocol
    scorer = rules.scorers.get(_OWN.get(metric.name, metric.name))
    return None if scorer is None or scorer not in _RESULTS else (rules, scorer)


class _Sums:
    """What one protocol's scores are made of, summed up while rows come."""

    def __init__(self, protocol: Protocol, size: tuple[int, int], *, similarity: bool) -> None:
        self._crop = protocol.crop
        self._levels = replace(protocol, crop=0).levels
        self._size = size
        self._with_similarity = similarity
        self._last: tuple[Levels, Levels] | None = None
        self._similarity: list[float] = []
        self._squared: list[float] = []
        self._absolute: list[float] = []
        self._count = 0
        self._channels = 1

    def add(self, start: int, restored: Pixels | Bytes, reference: Pixels | Bytes) -> None:
        border, (height, width) = self._crop, self._size
        first, stop = max(border - start, 0), min(height - border - start, restored.shape[1])
        if first >= stop or width <= 2 * border:
            return
        inside = np.s_[:, first:stop, border : width - border]
        one, other = self._levels(restored[inside]), self._levels(reference[inside])
        error = difference(one, other)
        self._count += error.size
        self._absolute.append(np.abs(error).sum(dtype=np.float64))
        self._squared.append(np.square(error, out=error).sum(dtype=np.float64))
        if self._with_similarity:
            self._add_similarity(one, other)

    def _add_similarity(self, one: Levels, other: Levels) -> None:
        from restorecli.evaluation.metrics.similarity import similarity_sum  # loads the compiler

        if self._last is not None:
            one, other = (
                np.concatenate([before, rows], axis=1)
                for before, rows in zip(self._last, (one, other), strict=True)
            )
        self._last = (one[:, 1 - WINDOW :], other[:, 1 - WINDOW :])
        self._channels = len(one)
        if min(one.shape[1:]) >= WINDOW:
            self._similarity += map(similarity_sum, one, other)

    @property
    def squared(self) -> float:
        """Sum of the squared differences, a whole number for levels of 8 bits."""
        return math.fsum(self._squared)

    @property
    def count(self) -> int:
        """Number of differences.

        Raises:
            DataError: There is none.
        """
        if not self._count:
            height, width = self._size
            raise DataError(
                "The border crop leaves nothing of the image.",
                expected=f"both sides above {2 * self._crop} pixels",
                got=f"{width}x{height}",
            )
        return self._count

    @property
    def mean_squared(self) -> float:
        """Mean of the squared differences."""
        return self.squared / self.count

    @property
    def mean_absolute(self) -> float:
        """Mean of the differences without their sign."""
        return math.fsum(self._absolute) / self.count

    @property
    def similarity(self) -> float:
        """Mean of the SSIM map over its valid area and the channels.

        Raises:
            DataError: The window does not fit into the image.
        """
        height, width = (side - 2 * self._crop for side in self._size)
        check_window(height, width)
        area = (height - WINDOW + 1) * (width - WINDOW + 1)
        return math.fsum(self._similarity) / (self._channels * area)


_RESULTS: Mapping[Callable[..., float], Callable[[_Sums], float]] = {
    psnr: lambda sums: psnr_of_sum(int(sums.squared), sums.count),
    psnr_of_levels: lambda sums: psnr_of_mse(sums.mean_squared),
    psnr_with_floor: lambda sums: psnr_of_mse_with_floor(sums.mean_squared),
    mse: lambda sums: sums.mean_squared,
    rmse: lambda sums: math.sqrt(sums.mean_squared),
    mae: lambda sums: sums.mean_absolute,
    ssim: lambda sums: sums.similarity,
}
"""What each function of whole images comes to, from the sums."""
