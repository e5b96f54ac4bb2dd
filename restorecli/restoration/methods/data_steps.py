"""The data step of half-quadratic splitting: argmin over x of ||A x - y||^2 + a ||x - z||^2, in closed form.

Zhang et al., "Plug-and-Play Image Restoration with Deep Denoiser Prior", TPAMI 2021 (DPIR), section 4, and
Zhao et al., "Fast Single Image Super-Resolution Using a New Analytical Solution for l2-l2 Problems", IEEE
TIP 2016.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

Doubles = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


def fourier_step(y: Doubles, z: Doubles, spectrum: Spectrum, a: float, factor: int = 1) -> Doubles:
    """Return the solution for a circular convolution of which every `factor`-th pixel is kept.

    With d = conj(K) F(y spread apart) + a F(z), and "down" the mean of the factor^2 blocks that fall onto
    each other when the image is reduced,

        x = 1/a F^-1 [ d - conj(K) (K d) down / (|K|^2 down + a) ],

    which for factor 1 is F^-1 [ (conj(K) Y + a Z) / (|K|^2 + a) ].

    Args:
        y: (C, H, W), what was observed.
        z: (C, factor H, factor W), what the prior wants.
        spectrum: (factor H, factor W) transfer function K of the convolution.
        a: Weight of `z`, above 0.
        factor: By how much the convolved image is reduced.

    Returns:
        (C, factor H, factor W).
    """
    spaced = np.zeros(z.shape)
    spaced[:, ::factor, ::factor] = y
    wanted = np.conj(spectrum) * fft.fft2(spaced) + a * fft.fft2(z)
    if factor == 1:
        solved = wanted / (np.abs(spectrum) ** 2 + a)
    else:
        shares = _aliased(spectrum * wanted, factor) / (_aliased(np.abs(spectrum) ** 2, factor) + a)
        solved = (wanted - np.conj(spectrum) * np.tile(shares, (1, factor, factor))) / a
    return np.asarray(fft.ifft2(solved).real)


def mask_step(y: Doubles, z: Doubles, known: NDArray[np.bool_], a: float) -> Doubles:
    """Return (m y + a z) / (m + a), the solution for an image (C, H, W) that is known where `known` is."""
    return np.asarray(np.where(known, (y + a * z) / (1 + a), z))


def observe(x: Doubles, spectrum: Spectrum, factor: int = 1) -> Doubles:
    """Return every `factor`-th pixel of the circular convolution of (C, H, W) with the transfer function."""
    return np.asarray(fft.ifft2(fft.fft2(x) * spectrum).real[:, ::factor, ::factor])


def _aliased(blocks: NDArray[np.inexact], factor: int) -> NDArray[np.inexact]:
    """Return the mean of the factor x factor blocks of the last two axes; a leading axis is added."""
    *_, height, width = blocks.shape
    parts = blocks.reshape(-1, factor, height // factor, factor, width // factor)
    mean: NDArray[np.inexact] = parts.mean(axis=(1, 3))
    return mean


def noise_schedule(noise: float, iterations: int, *, first: float = 49.0) -> Doubles:
    """Return the levels that the prior removes: falling geometrically from `first` to the image's noise.

    Args:
        noise: Of the image, 0-255 scale.
        iterations: How many levels.
        first: The first level, unless the image's noise is higher.

    Returns:
        (iterations,), on the 0-255 scale.
    """
    return np.geomspace(max(first, noise), noise, iterations)


def step_weights(noise: float, levels: Doubles, strength: float = 0.23) -> Doubles:
    """Return a_k = strength noise^2 / sigma_k^2, which rise as the levels fall."""
    weights: Doubles = strength * noise**2 / levels**2
    return weights
