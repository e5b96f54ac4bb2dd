"""The kernel that blurred an image, estimated from the image: coarse to fine, with sparse gradients."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage

from restorecli.degradation.operators import PointSpread
from restorecli.restoration.methods.classical.boundaries import extend

Doubles = NDArray[np.float64]
Spectrum = NDArray[np.complex128]

_MIN_KERNEL_SIDE = 5
_STEP = 0.5**0.5
_RIDGE = 2.0
"""Weight of the kernel's energy (Pan et al.)."""

_KERNEL_THRESHOLD = 0.05
"""Share of the kernel's peak below which its values are taken for noise (Cho and Lee)."""

_ACROSS = PointSpread(np.array([[1.0, -1.0]]), (0, 1))
_DOWN = PointSpread(np.array([[1.0], [-1.0]]), (1, 0))


def estimate_kernel(luma: Doubles, size: int, *, sparsity: float, turns: int) -> Doubles:
    """Estimate the kernel that blurred an image.

    Args:
        luma: (H, W) in [0, 1].
        size: Largest side of the kernel; an even one counts as the next odd.
        sparsity: Weight of every gradient that is not 0.
        turns: Estimates of image and kernel on every scale.

    Returns:
        (size, size) float64 that sums to 1, its center of mass in the middle.
    """
    count = max(int(np.floor(np.log(_MIN_KERNEL_SIDE / size) / np.log(_STEP))), 0) + 1
    kernel = np.zeros((3, 3))
    kernel[1, 1:] = 0.5  # not symmetric: a point would be a fixed point of the turns
    for scale in reversed(range(count)):
        share = _STEP**scale
        small = _smaller(luma, share)
        kernel = _resized(kernel, int(np.ceil(size * share)) | 1)
        for _ in range(turns):
            kernel = _turn(small, kernel, sparsity)
            sparsity = max(sparsity / 1.1, 1e-4)
    return kernel


def _turn(blurred: Doubles, kernel: Doubles, sparsity: float) -> Doubles:
    """Estimate the image from the kernel, and the kernel from the image."""
    spread = PointSpread.centered(kernel)
    extended, _ = extend(blurred, spread, "taper")
    sharp = sparse_gradients(extended, spread, sparsity)
    return cleaned(kernel_from_gradients(sharp, extended, kernel.shape[0]))


def sparse_gradients(blurred: Doubles, spread: PointSpread, sparsity: float) -> Doubles:
    """Return argmin over x of ||k x - y||^2 + sparsity ||gradient of x||_0 by half-quadratic splitting.

    Xu, Lu, Xu, Jia, "Image Smoothing via L0 Gradient Minimization", TOG 2011, with a kernel.

    Args:
        blurred: (H, W), which repeats.
        spread: The kernel.
        sparsity: Weight of a gradient.
    """
    shape = (blurred.shape[0], blurred.shape[1])
    across, down = _ACROSS.transfer(shape, half=True), _DOWN.transfer(shape, half=True)
    spectrum = spread.transfer(shape, half=True)
    power, steepness = np.abs(spectrum) ** 2, np.abs(across) ** 2 + np.abs(down) ** 2
    observed = np.conj(spectrum) * fft.rfft2(blurred)
    x, weight = blurred, 2 * sparsity
    while weight < 1e5:
        rows, columns = np.roll(x, -1, 1) - x, np.roll(x, -1, 0) - x
        flat = rows**2 + columns**2 < sparsity / weight
        rows[flat] = columns[flat] = 0
        wanted = np.conj(across) * fft.rfft2(rows) + np.conj(down) * fft.rfft2(columns)
        x = fft.irfft2((observed + weight * wanted) / (power + weight * steepness + 1e-12), s=shape)
        weight *= 2
    return np.asarray(x)


def kernel_from_gradients(sharp: Doubles, blurred: Doubles, size: int) -> Doubles:
    """Return the least-squares kernel (size, size) that maps the gradients of one image to another's."""
    above: Spectrum = np.zeros((1, 1), complex)
    below = np.full((1, 1), _RIDGE)
    for axis in (0, 1):
        clear, soft = (fft.rfft2(np.roll(x, -1, axis) - x) for x in (sharp, blurred))
        above, below = above + np.conj(clear) * soft, below + np.abs(clear) ** 2
    full = np.fft.fftshift(fft.irfft2(above / below, s=blurred.shape))
    row, column = (side // 2 - size // 2 for side in full.shape)
    return np.asarray(full[row : row + size, column : column + size])


def cleaned(kernel: Doubles) -> Doubles:
    """Return a kernel without its faint values and small islands, of sum 1, its mass in the middle."""
    peak = kernel.max()
    kept = np.where(kernel > _KERNEL_THRESHOLD * peak, kernel, 0.0) if peak > 0 else np.zeros_like(kernel)
    labels, count = ndimage.label(kept > 0, np.ones((3, 3)))
    masses = ndimage.sum_labels(kept, labels, np.arange(1, count + 1))
    for island in np.flatnonzero(masses < 0.1 * kept.sum()):
        kept[labels == island + 1] = 0
    middle = kernel.shape[0] // 2
    if not kept.sum() > 0:
        kept[middle, middle] = 1.0
    shift = [middle - round(float(at)) for at in ndimage.center_of_mass(kept)]
    moved = ndimage.shift(kept, shift, order=0)
    centered: Doubles = (moved if moved.sum() > 0.9 * kept.sum() else kept).astype(np.float64)
    centered /= centered.sum()
    return centered


def _smaller(plane: Doubles, share: float) -> Doubles:
    if share == 1:
        return plane
    smooth = ndimage.gaussian_filter(plane, 0.5 * (1 / share - 1) + 0.2, mode="reflect")
    return np.asarray(ndimage.zoom(smooth, share, order=1, mode="reflect", grid_mode=True))


def _resized(kernel: Doubles, size: int) -> Doubles:
    """Return a kernel on another scale, (size, size)."""
    grown = np.maximum(
        ndimage.zoom(kernel, size / kernel.shape[0], order=1, grid_mode=True, mode="nearest"), 0
    )
    return cleaned(grown)
