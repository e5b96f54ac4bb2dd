"""The base of every degradation: frozen parameters with units, applied with an explicit generator."""

from __future__ import annotations

import copy
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from restorecli.catalogs import check_arguments
from restorecli.degradation.parameters import ParameterInfo, Value, WithParameters, parameter, parameters_of
from restorecli.images.image import Pixels

__all__ = ["Degradation", "ParameterInfo", "Value", "parameter", "parameters_of"]


@dataclass(frozen=True)
class Degradation(WithParameters):
    """One way to damage an image, with all its values fixed.

    A subclass is a frozen dataclass whose fields are made with `parameter`; values are checked in one place,
    here, whoever builds it. The same values and the same generator state give the same bytes.

    Attributes:
        name: The name in the catalog and on the command line; of a class outside restorecli that gives none,
            its place "package.module:Name".
        reference: Where its model and its numbers come from.
        severities: Five mappings, severity 1 to 5, from parameter to a value or a range to draw from; none
            where it has no severities.
        identity: Parameters under which it changes nothing, or None where there are none.
        also_depends_on: What decides the value of a place beside the pixels within `margin` of it and their
            random numbers, in words; empty where nothing does.
        by_rows: Whether `apply` to rows of an image, with `row_margin` more above and below and the random
            numbers that these rows have in the whole, gives the rows of the whole to the bit. They are drawn
            for one channel after another, row by row, and only where there is no margin.
        masked: Whether it has a place, so that `mask` tells where it is: scratches, not noise.
        severity: The level, 1 to 5, that its values were drawn from, or None; a word for the manifest, which
            changes nothing.
    """

    reference: ClassVar[str] = ""
    severities: ClassVar[tuple[Mapping[str, Value], ...]] = ()
    identity: ClassVar[Mapping[str, Value] | None] = None
    also_depends_on: ClassVar[str] = ""
    by_rows: ClassVar[bool] = False
    masked: ClassVar[bool] = False

    severity: int | None = field(default=None, init=False, compare=False, repr=False)

    @abstractmethod
    def apply(self, image: Pixels, rng: np.random.Generator) -> Pixels:
        """Return a degraded copy of an image.

        Args:
            image: (C, H, W) float32, C = 1 or 3, nominal range [0, 1] (values outside are allowed).
            rng: The only source of randomness.

        Returns:
            A new (C, H, W) float32 array that may leave [0, 1]: it is clipped and rounded once, on writing.
        """

    def mask(self, shape: tuple[int, int], rng: np.random.Generator) -> NDArray[np.bool_]:
        """Return where `apply` destroys what was there, for a degradation that is `masked`.

        Args:
            shape: Height and width of the image.
            rng: A generator in the state in which `apply` gets it.

        Returns:
            (H, W), True where it is damaged; nowhere for a degradation that has no place.
        """
        del rng
        return np.zeros(shape, bool)

    @property
    def margin(self) -> int:
        """How many pixels around a place decide its value; 0 for noise.

        It is greatest where all numbers are at their lower ends or where all are at their upper ends.
        """
        return 0

    @property
    def row_margin(self) -> int:
        """How many rows above and below decide a row, where it is done `by_rows`."""
        return self.margin

    @property
    def scale(self) -> int:
        """By how much the sides shrink; 1 unless the image gets smaller."""
        return 1

    def parameters(self) -> dict[str, Value]:
        """Return every parameter and its value, in the order of declaration."""
        return {name: getattr(self, name) for name in parameters_of(type(self))}

    def of_severity(self, level: int | None) -> Self:
        """Return the same degradation, marked with the severity that its values were drawn from."""
        marked = copy.copy(self)
        object.__setattr__(marked, "severity", level)
        return marked

    def record(self) -> dict[str, Value]:
        """Return name, parameters and a known severity: what a manifest keeps and `from_record` reads."""
        known: dict[str, Value] = {"name": self.name, **self.parameters()}
        return known if self.severity is None else {**known, "severity": self.severity}


def check_names(degradation: type[Degradation], names: Iterable[str]) -> None:
    """Refuse names that are not parameters of `degradation`.

    Raises:
        UsageError: With the right names, the nearest first.
    """
    check_arguments(
        degradation.name, names, parameters_of(degradation), "parameter", prefix=f"{degradation.name}."
    )
