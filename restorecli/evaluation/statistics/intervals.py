"""The bootstrap interval of a mean, the same to the last digit in any order and on any number of threads."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
"""How often the interval is meant to hold the true mean."""

RESAMPLES = 4000
"""How often the images are drawn anew."""

INTERVAL_POLICY = (
    f"An interval holds the mean with {CONFIDENCE:.0%} confidence: BCa bootstrap over the images "
    f"(Efron 1987), {RESAMPLES} resamples, seeded by the scores; with fewer than about ten images "
    "it is too narrow."
)
"""How intervals are computed; printed where they are shown."""

Interval = tuple[float, float]
"""Lower and upper end."""

Doubles = NDArray[np.float64]

_CHUNK = 1 << 14  # numbers drawn at a time, in 200 kB; how many changes nothing in the result
_ROUNDING = 1e-12  # a resample of all images in another order has the mean itself, up to rounding


def bootstrap_interval(values: Sequence[float]) -> Interval | None:
    """Return the bias-corrected and accelerated (BCa) bootstrap interval of a mean.

    Efron, "Better Bootstrap Confidence Intervals", JASA 1987; as in Efron and Tibshirani, "An Introduction to
    the Bootstrap", 1993, equations 14.9 to 14.15. With the resampled means m*, the mean m and the jackknife
    means m(i), z0 = Phi^-1 of the share of m* below m (ties count half),
    a = sum (m(.) - m(i))^3 / (6 (sum (m(.) - m(i))^2)^1.5), and the ends are the quantiles of m* at
    Phi(z0 + (z0 + z) / (1 - a (z0 + z))) for z = Phi^-1(0.025) and Phi^-1(0.975).

    Args:
        values: Finite numbers, one per image, in any order.

    Returns:
        The interval, or None for fewer than two numbers.
    """
    if len(values) < 2:
        return None
    ordered = np.sort(np.asarray(values, dtype=np.float64) + 0.0)  # no -0.0: bytes seed the draws
    if ordered[0] == ordered[-1]:
        return float(ordered[0]), float(ordered[0])
    means = resampled_means(ordered)
    low, high = _levels(ordered, means)
    ends = np.quantile(means, (low, high))
    return float(ends[0]), float(ends[1])


def resampled_means(ordered: Doubles) -> Doubles:
    """Return the means of all resamples, drawn by a generator that the values themselves seed.

    Args:
        ordered: (n,) sorted, so that the same images in another order give the same draws.

    Returns:
        (RESAMPLES,) float64.
    """
    digest = hashlib.sha256(ordered.tobytes()).digest()
    rng = np.random.Generator(np.random.PCG64(int.from_bytes(digest[:16], "little")))
    count = len(ordered)
    rows = max(_CHUNK // count, 1)
    means = np.empty(RESAMPLES)
    for start in range(0, RESAMPLES, rows):
        shape = (min(rows, RESAMPLES - start), count)
        drawn = rng.integers(count, size=shape, dtype=np.int32)
        means[start : start + rows] = ordered[drawn].mean(axis=1)
    return means


def _levels(ordered: Doubles, means: Doubles) -> tuple[float, float]:
    """Return the two levels at which the quantiles of the resampled means are taken."""
    from scipy.special import ndtr, ndtri  # here, since importing it takes time that others need not wait for

    center = math.fsum(ordered) / len(ordered)
    equal = np.abs(means - center) <= _ROUNDING * np.abs(ordered).max()
    below = (np.count_nonzero((means < center) & ~equal) + np.count_nonzero(equal) / 2) / len(means)
    bias = float(ndtri(min(max(below, 0.5 / len(means)), 1 - 0.5 / len(means))))
    acceleration = _acceleration(ordered, center)
    tail = float(ndtri((1 - CONFIDENCE) / 2))
    low, high = (float(ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))) for z in (tail, -tail))
    return low, high


def _acceleration(ordered: Doubles, center: float) -> float:
    """Return the skewness of the jackknife; for a mean, m(.) - m(i) is (x(i) - m) / (n - 1).

    It does not depend on the scale, which is taken out so that no power underflows.
    """
    influence = ordered - center
    influence /= np.abs(influence).max()
    return float(math.fsum(influence**3) / (6 * math.fsum(influence**2) ** 1.5))
