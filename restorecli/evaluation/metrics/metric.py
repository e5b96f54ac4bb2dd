"""What a metric is, and the subject that it measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.pixelwise import Levels
from restorecli.evaluation.metrics.protocol import Protocol
from restorecli.evaluation.metrics.psnr_ssim import to_8_bits
from restorecli.images.image import Pixels

Need = Literal["reference", "mask", "degraded", "redegraded"]
"""What a metric may need beside the image itself."""

OWN = "; by their own definition: "
"""Stands in a protocol's line before the metrics that the protocol does not define."""

Bytes = NDArray[np.uint8]
Mask = NDArray[np.bool_]

EightBitScorer = Callable[[Bytes, Bytes], float]
"""(restored, reference), whole images rounded to 8 bits, to one number."""


class View:
    """One image, and what is computed from it once, however many metrics ask.

    Args:
        pixels: (C, H, W), C = 1 or 3, float32 in [0, 1] or uint8, as decoded.
    """

    def __init__(self, pixels: Pixels | Bytes) -> None:
        self.pixels = pixels
        self._levels: dict[str, Levels] = {}

    @cached_property
    def eight_bits(self) -> Bytes:
        """The image rounded to 8 bits, uncropped."""
        return to_8_bits(self.pixels)

    @property
    def unit(self) -> Pixels:
        """The image as float32 in [0, 1], as the other rooms know it."""
        if self.pixels.dtype == np.uint8:
            return self.pixels.astype(np.float32) / np.float32(255)
        return cast("Pixels", self.pixels)

    def under(self, protocol: Protocol) -> Levels:
        """Return the image as a protocol compares it."""
        if protocol.name not in self._levels:
            source = self.eight_bits if protocol.rounds else self.pixels
            self._levels[protocol.name] = protocol.levels(source)
        return self._levels[protocol.name]


class Subject:
    """One image to be measured, and what is known about it.

    Args:
        image: The image: (C, H, W), float32 in [0, 1] or uint8, or a view of it.
        reference: The clean image in the same shape, or None.
        degraded: What the image was restored from, smaller where the restorer enlarges, or None.
        mask: (H, W), True where the defect is, or None.
        redegraded: Gives the image degraded again as the manifest says, or None where it does not say it.
        protocol: What is compared, and how.
    """

    def __init__(
        self,
        image: Pixels | Bytes | View,
        reference: Pixels | Bytes | View | None,
        *,
        protocol: Protocol,
        degraded: Pixels | Bytes | View | None = None,
        mask: Mask | None = None,
        redegraded: Callable[[], Pixels] | None = None,
    ) -> None:
        self.views = {
            name: side if isinstance(side, View) else View(side)
            for name, side in (("image", image), ("reference", reference), ("degraded", degraded))
            if side is not None
        }
        self.mask = mask
        self.redegraded = redegraded
        self.protocol = protocol

    @property
    def image(self) -> Pixels | Bytes:
        """The image as decoded."""
        return self.views["image"].pixels

    @property
    def reference(self) -> Pixels | Bytes | None:
        """The reference as decoded, or None."""
        view = self.views.get("reference")
        return None if view is None else view.pixels

    @property
    def degraded(self) -> Pixels | Bytes | None:
        """The degraded image as decoded, or None."""
        view = self.views.get("degraded")
        return None if view is None else view.pixels

    @property
    def known(self) -> frozenset[Need]:
        """What a metric can have."""
        there: dict[Need, object] = {
            "reference": self.reference,
            "mask": self.mask,
            "degraded": self.degraded,
            "redegraded": self.redegraded,
        }
        return frozenset(need for need, value in there.items() if value is not None)

    def compared(self) -> tuple[Levels, Levels]:
        """Return image and reference as the protocol compares them: color, crop and rounding.

        Returns:
            Two arrays (1 or C, H, W) on the 0-255 scale: uint8 if the protocol rounds, else float64. They are
            computed once and shared: never write into them.

        Raises:
            DataError: There is no reference, the shapes differ, or a value is not finite.
        """
        image, reference = self._sides()
        return image.under(self.protocol), reference.under(self.protocol)

    def compared_mask(self) -> Mask:
        """Return the mask cropped like `compared`, (H, W).

        Raises:
            DataError: There is no mask, or it differs in size from the image.
        """
        size = self.views["image"].pixels.shape[1:]
        if self.mask is None or self.mask.shape != size:
            got = "none" if self.mask is None else str(self.mask.shape)
            raise DataError("The mask does not fit the image.", expected=f"a mask of {size}", got=got)
        border = self.protocol.crop
        return self.mask[border : size[0] - border, border : size[1] - border]

    def eight_bits(self) -> tuple[Bytes, Bytes]:
        """Return image and reference rounded to 8 bits, whole and in their own colors: no protocol.

        Raises:
            DataError: There is no reference, the shapes differ, or a value is not finite.
        """
        image, reference = self._sides()
        return image.eight_bits, reference.eight_bits

    def _sides(self) -> tuple[View, View]:
        image, reference = self.views["image"], self.views.get("reference")
        if reference is None:
            raise DataError("There is no reference.", expected="a reference", got="none")
        shape = image.pixels.shape
        if shape != reference.pixels.shape or len(shape) != 3 or 0 in shape:
            raise DataError(
                "Two images of different shape cannot be compared.",
                expected=f"(channels, height, width) as the reference: {reference.pixels.shape}",
                got=f"{shape}",
            )
        return image, reference


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the catalog.

    Attributes:
        name: Key in tables and JSON, lower case, dashes.
        title: How a table's head shows it.
        unit: "dB", or "" for a plain number.
        higher_is_better: The direction of an improvement; None where there is none.
        decimals: Digits after the point that a table shows.
        function: A subject to one number; a DataError says that it is undefined there.
        needs: What the subject must know; where it does not, there is no score and no note.
        definition: Formula and source in one line.
        offline: Whether nothing has to be installed or downloaded for it; `--metrics all` takes these.
        best: Score of an image that equals its reference; None where it has none, or its own for each image.
    """

    name: str
    title: str
    unit: str
    higher_is_better: bool | None
    decimals: int
    function: Callable[[Subject], float]
    needs: frozenset[Need] = frozenset({"reference"})
    definition: str = ""
    offline: bool = True
    best: float | None = None


def by_protocol(name: str, otherwise: EightBitScorer | None = None) -> Callable[[Subject], float]:
    """Return the function of a metric that protocols define.

    Args:
        name: Its name among a protocol's scorers.
        otherwise: Its own definition on whole 8-bit images, for protocols that do not define it.
    """

    def measure(subject: Subject) -> float:
        if otherwise is not None and name not in subject.protocol.scorers:
            return otherwise(*subject.eight_bits())
        return subject.protocol.scorers[name](*subject.compared())

    return measure


def by_itself(scorer: EightBitScorer) -> Callable[[Subject], float]:
    """Return the function of a metric that compares whole 8-bit images under every protocol."""
    return lambda subject: scorer(*subject.eight_bits())


def protocol_line(protocol: Protocol, metrics: Sequence[Metric]) -> str:
    """Return what a table says about how its scores were computed.

    Args:
        protocol: What was compared, and how.
        metrics: What the table shows.

    Returns:
        The protocol's line, and which metrics it does not define.
    """
    own = [metric.title for metric in metrics if metric.name not in protocol.scorers]
    return f"{protocol.line}{OWN}{', '.join(own)}" if own else protocol.line
