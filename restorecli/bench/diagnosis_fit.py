"""Fits the table of `restorecli.diagnosis` to measurements of training images, and checks it on others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from restorecli.bench.diagnosis_examples import Example
from restorecli.diagnosis.deciding.decide import CLEAN_WEIGHT, FAR, NONE, DecisionTable
from restorecli.diagnosis.measuring.measurements import measure

Doubles = NDArray[np.float64]

UNUSED = frozenset({"jpeg quality", "mean", "motion angle", "path length", "path angle", "path sigma"})
"""Measurements that say how a damage is, not whether."""

_PENALTY = 2e-3
"""Weight of half the sum of squares of slopes and bends, beside the mean loss of an example."""


_MIN_DEVIATION = 1e-3


@dataclass(frozen=True, slots=True)
class Measured:
    """Measurements of examples.

    Attributes:
        names: Of the measurements.
        values: (examples, measurements); NaN where an image does not have one.
        labels: The damages of each example.
        images: What each example was made of.
    """

    names: tuple[str, ...]
    values: Doubles
    labels: tuple[tuple[str, ...], ...]
    images: tuple[str, ...]

    def chosen(self, kept: NDArray[np.bool_]) -> Measured:
        """Return some of the examples."""
        places = np.flatnonzero(kept)
        labels = tuple(self.labels[place] for place in places)
        return Measured(self.names, self.values[kept], labels, tuple(self.images[place] for place in places))

    def found(self, example: int) -> dict[str, float]:
        """Return the measurements that an example has, by name."""
        pairs = zip(self.names, self.values[example].tolist(), strict=True)
        return {name: value for name, value in pairs if not np.isnan(value)}


NEEDED: Mapping[str, Sequence[str]] = {
    "gaussian": ("noise sigma",),
    "poisson": ("noise sigma",),
    "speckle": ("noise sigma",),
    "salt-pepper": ("impulses extreme", "impulses any"),
    "quantize": ("levels used",),
    "dither": ("levels used",),
    "gaussian-blur": ("edges",),
    "defocus": ("edges",),
    "motion-blur": ("edges", "directed"),
    "sand-dust": ("dark end", "warm share"),
    "haze": ("dark end", "veil", "contrast"),
    "low-light": ("light end", "bright"),
    "rain": ("streak single", "streak light"),
    "moire": ("wave luma", "wave color"),
    "jpeg": ("grid",),
    "scratches": ("line light", "line share"),
    "fade": ("dark end", "noise shared"),
    "old-photo": ("noise shared", "line light"),
    "holes": ("hole share", "hole jump"),
}
"""What must be measured for a damage to be possible: not below, or not above, what its examples have."""

_OUTLIERS = 0.5
"""Percent of the examples of a damage that may lie outside what is needed for it."""


def fit_table(measured: Measured) -> DecisionTable:
    """Return the table that fits the examples best, with what each damage needs."""
    return replace(fit_chances(measured), needed=_needed(measured))


def _needed(measured: Measured) -> dict[str, dict[str, tuple[float, float]]]:
    clean = measured.values[[labels == (NONE,) for labels in measured.labels]]
    needed: dict[str, dict[str, tuple[float, float]]] = {}
    for damage, names in NEEDED.items():
        having = measured.values[[labels == (damage,) for labels in measured.labels]]
        needed[damage] = {}
        if not len(having):
            continue
        for name in names:
            place = measured.names.index(name)
            low, middle, high = np.nanpercentile(having[:, place], [_OUTLIERS, 50, 100 - _OUTLIERS])
            above = middle > np.nanmedian(clean[:, place])
            needed[damage][name] = (float(low), FAR) if above else (-FAR, float(high))
    return needed


def fit_chances(
    measured: Measured, shares: Doubles | None = None, penalty: float = _PENALTY
) -> DecisionTable:
    """Return the table whose chances fit the examples best: maximum likelihood with a quadratic penalty.

    An example of two damages counts as half an example of each.

    Args:
        measured: The examples.
        shares: What each counts, of sum 1; by default what `example_weights` says.
        penalty: Weight of half the sum of squares of slopes and bends.
    """
    classes = (NONE, *sorted({label for labels in measured.labels for label in labels} - {NONE}))
    targets = np.array([[labels.count(name) / len(labels) for name in classes] for labels in measured.labels])
    scale = blank(measured, classes)
    z = scale.standardize(measured.values)
    inputs = np.concatenate([np.ones((len(z), 1)), z, z * z - 1], axis=1)
    weights = _solve(inputs, targets, example_weights(targets) if shares is None else shares, penalty)
    count = len(measured.names)
    return replace(
        scale, offsets=weights[:, 0], slopes=weights[:, 1 : count + 1], bends=weights[:, count + 1 :]
    )


def blank(measured: Measured, classes: Sequence[str]) -> DecisionTable:
    """Return a table that knows how to standardize and nothing else."""
    most = np.nanmax(np.abs(measured.values), axis=0)
    units = np.where(most < 2, 0.1, 1.0)
    logs = np.sign(measured.values) * np.log1p(np.abs(measured.values) / units)
    deviations = np.maximum(np.nanstd(logs, axis=0), _MIN_DEVIATION)
    nothing = np.zeros((len(classes), len(measured.names)))
    return DecisionTable(
        measured.names,
        units,
        np.nanmean(logs, axis=0),
        deviations,
        tuple(classes),
        np.zeros(len(classes)),
        nothing,
        nothing,
    )


def fitted_to(count: int) -> str:
    """Return what a file of tables says of how it was fitted: to how many examples."""
    return f"Fitted by `restorecli bench diagnosis` to {count} examples of training photographs"


def example_weights(targets: Doubles) -> Doubles:
    """Give all damages the same weight, and `NONE`, the first class, `CLEAN_WEIGHT` times as much.

    Args:
        targets: Share of each class in each example, (examples, classes).

    Returns:
        The weight of each example; the sum is 1.
    """
    share = targets.sum(axis=0)
    factor = np.where(share > 0, targets.sum() / np.maximum(share, 1) / len(share), 0)
    factor[0] *= CLEAN_WEIGHT
    weights = targets @ np.minimum(factor, 4 * CLEAN_WEIGHT)
    return np.asarray(weights / weights.sum())


def _solve(inputs: Doubles, targets: Doubles, shares: Doubles, penalty: float) -> Doubles:
    """Minimize the weighted cross entropy: (classes, inputs)."""
    shape = (targets.shape[1], inputs.shape[1])

    def loss(flat: Doubles) -> tuple[float, Doubles]:
        weights = flat.reshape(shape)
        scores = inputs @ weights.T
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        penalized = weights.copy()
        penalized[:, 0] = 0
        value = -float(shares @ (targets * logs).sum(axis=1)) + 0.5 * penalty * float((penalized**2).sum())
        slope = ((np.exp(logs) - targets) * shares[:, None]).T @ inputs + penalty * penalized
        return value, slope.reshape(-1)

    start = np.zeros(shape[0] * shape[1])
    found = optimize.minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 600})
    result: Doubles = found.x.reshape(shape)
    return result


def measure_examples(given: Iterable[Example]) -> Measured:
    """Measure examples."""
    rows, labels, images = [], [], []
    for example in given:
        rows.append(measure(example.pixels))
        labels.append(example.labels)
        images.append(example.name)
    names = tuple(sorted(set().union(*rows) - UNUSED))
    values = np.array([[row.get(name, np.nan) for name in names] for row in rows])
    return Measured(names, values, tuple(labels), tuple(images))
