"""What is known about one image that a method restores, and what the method finds out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restorecli.degradation.operators import Operator
from restorecli.folders.record import Record
from restorecli.images.image import Pixels

DIAGNOSIS = "diagnosis"
"""The finding that says what damage an image has, and what was done about it."""

LEFT = "left"
"""The finding that lists the damages which only a photograph would have; see `images.measured`."""

KEPT_MEANS = "kept_means"
"""The finding that local means are to stay those of the input; see `keep_means`."""

if TYPE_CHECKING:  # other models need not wait for what diagnoses
    from restorecli.diagnosis.result import Diagnosis

FindingValue = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a method found out on its way; the only thing that it may change.

    Attributes:
        values: Written into the manifest's line of the restored image, e.g. {"sigma": 24.8}.
        images: (C, H, W) float32 in [0, 1] by the name of a folder; written as PNG beside the restored
            image, e.g. {"kernels": kernel} as `kernels/a/b.png` for `a/b.png`.
        notes: What a reader should know, e.g. "3 marks filled, 0.20 % of the image".
    """

    values: dict[str, FindingValue] = field(default_factory=dict)
    images: dict[str, Pixels] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Example:
    """An image like which others are treated.

    Attributes:
        pixels: (C, H, W) float32.
        diagnosis: What it has, once that was found out.
    """

    pixels: Pixels
    diagnosis: Diagnosis | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What is known about one image, from the command line or else from its manifest's line.

    Attributes:
        sigma: Level of its noise on the 0-255 scale; None where it is not known (see `sigma_of`).
        operator: What blurred or reduced it.
        mask: (H, W), True where a pixel is lost or defective.
        record: The manifest's line about it.
        device: Where a method that needs one computes; None picks.
        file: The image's file, where it has one.
        measured: Whether the image is data rather than a photograph; see `images.measured`.
        like: The image by which damage is found, where this one is to be treated like that.
        found: What the method finds out.
        on_progress: Called with steps done and steps in all by a method that takes minutes.
    """

    sigma: float | None = None
    operator: Operator | None = None
    mask: NDArray[np.bool_] | None = None
    record: Record | None = None
    device: str | None = None
    file: Path | None = None
    measured: bool = False
    like: Example | None = field(default=None, compare=False)
    found: Findings = field(default_factory=Findings, compare=False)
    on_progress: Callable[[int, int], None] | None = field(default=None, compare=False)

    def note(self, values: Mapping[str, FindingValue]) -> None:
        """Keep what was found out for the manifest."""
        self.found.values.update(values)


def sigma_of(pixels: Pixels, context: Context) -> float:
    """Return the level of the noise on the 0-255 scale: as known, else as estimated from the image.

    The estimate (`core.ops.noise_level`) is noted among the findings as "estimated_sigma". It is meant for
    white noise: blurred or compressed noise comes out too small, fine texture counts as noise.

    Args:
        pixels: (C, H, W) float32.
        context: What is known.
    """
    if context.sigma is not None:
        return context.sigma
    import torch

    from restorecli.core.ops.noise_level import estimate_noise

    sigma = float(estimate_noise(torch.from_numpy(np.ascontiguousarray(pixels))[None])[0])
    context.note({"estimated_sigma": round(sigma, 3)})
    return sigma
