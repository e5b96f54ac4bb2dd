"""Boundary conditions of deconvolution with Fourier transforms, which see an image repeated.

"mirror": the image and its mirror images fill an image twice as high and wide, which repeats without a
seam. It is exact for an image that was mirrored at its border when it was blurred, as `degrade` does it, with
a kernel that is its own mirror image.
"taper": a margin as wide as the kernel in which the image fades into its own other side: cheap, and with
little noise it rings.
"unknown": the margin of "taper" is only the first guess, and is then estimated by turns with the image:
what the restored image, blurred again, holds there. It is right for photographs, and for every kernel.
"circular": nothing is done; only for images that were blurred with their own other side, as studies do it.
"auto": "mirror" for a kernel that is its own mirror image, else "unknown".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from restorecli.degradation.operators import PointSpread
from restorecli.images.image import Pixels

SIMPLE_BOUNDARIES = ("mirror", "taper", "circular")
BOUNDARIES = ("auto", "unknown", *SIMPLE_BOUNDARIES)

_MIN_MARGIN = 8

Doubles = NDArray[np.float64]


def resolve_boundary(boundary: str, spread: PointSpread, otherwise: str = "unknown") -> str:
    """Return the boundary that "auto" stands for: "mirror" for a kernel that mirrors, else `otherwise`."""
    if boundary != "auto":
        return boundary
    return "mirror" if spread.mirrors else otherwise


def place_of(pixels: Pixels) -> tuple[slice, slice]:
    """Return where in its extension an image lies: at the top left."""
    return slice(0, pixels.shape[1]), slice(0, pixels.shape[2])


def extend(
    plane: NDArray[np.floating], spread: PointSpread, boundary: str
) -> tuple[Doubles, tuple[slice, slice]]:
    """Extend one plane (H, W), so that it may be repeated.

    Args:
        plane: (H, W).
        spread: What blurred it.
        boundary: "unknown" or one of `SIMPLE_BOUNDARIES`; see the module.

    Returns:
        The extended plane, float64, and where in it the image lies.
    """
    height, width = plane.shape
    wide = np.asarray(plane, np.float64)
    if boundary == "circular":
        return wide, (slice(0, height), slice(0, width))
    if boundary == "mirror":
        extended = np.pad(wide, ((0, height), (0, width)), mode="symmetric")
        return extended, (slice(0, height), slice(0, width))
    for axis in (0, 1):
        wide = _faded(wide, max(spread.kernel.shape[axis], _MIN_MARGIN), axis)
    return wide, (slice(0, height), slice(0, width))


def _faded(plane: Doubles, margin: int, axis: int) -> Doubles:
    """Add at least 2 `margin` pixels behind an axis, in which its end fades into its beginning, mirrored."""
    length = plane.shape[axis]
    gap = fft.next_fast_len(length + 2 * margin, real=True) - length
    pad = [(0, 0), (0, 0)]
    pad[axis] = (gap, gap)
    mirrored = np.moveaxis(np.pad(plane, pad, mode="symmetric"), axis, 0)
    weight = (0.5 - 0.5 * np.cos(np.pi * (np.arange(gap) + 0.5) / gap))[:, None]
    seam = (1 - weight) * mirrored[gap + length :] + weight * mirrored[:gap]
    return np.moveaxis(np.concatenate((mirrored[gap : gap + length], seam)), 0, axis)


def each_plane(
    pixels: Pixels, spread: PointSpread, boundary: str, change: Callable[[Doubles], Doubles]
) -> Pixels:
    """Apply `change` to every channel, extended beyond its border, and cut the result back; float32."""
    planes = []
    for plane in pixels:
        extended, place = extend(plane, spread, boundary)
        planes.append(change(extended)[place].astype(np.float32))
    return np.stack(planes)
