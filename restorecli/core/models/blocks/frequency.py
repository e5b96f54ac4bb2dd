"""Frequency selection: band by band, what stands out of a spectrum is muted, and what is left is weighted.

After the post "Seeing what matters" on restoring sand-dust images and its source, Mishra and Dhara, "Dust
to Detail", CVPR Workshops 2025. Neither gives layer sizes; what they leave open is said where it is chosen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.blocks.half_plane import half_plane
from restorecli.core.models.blocks.mirroring import mirrored
from restorecli.core.models.limits import EDGES, SELECTION_MODES, check_edges, check_word

_MIN_VARIANCE = 1e-6
_TINY = 1e-12


def radial_frequency(height: int, width: int) -> Tensor:
    """Return rho = min(1, 2 sqrt(fy^2 + fx^2)) on the half-plane of `rfft2`.

    Returns:
        float64, (H, W // 2 + 1): 0 at DC, 1 at the Nyquist frequency and in the corners beyond.
    """
    rows = torch.fft.fftfreq(height, dtype=torch.float64)[:, None]
    columns = torch.fft.rfftfreq(width, dtype=torch.float64)
    return (2 * torch.hypot(rows, columns)).clamp(max=1)


def band_masks(height: int, width: int, edges: Sequence[float] = EDGES) -> Tensor:
    """Return the membership b_k(rho) of every bin in every band; over the bands it adds up to 1.

    A band rises and falls as a raised cosine around its edges, where it is one half; how wide, the sources
    leave open: here as wide as the narrowest band.

    Args:
        height: Of the image.
        width: Of the image.
        edges: Between the K bands, rising, inside (0, 1).

    Returns:
        float64, (K, H, W // 2 + 1), in [0, 1].
    """
    rho = radial_frequency(height, width)
    half = min(above - below for below, above in pairwise((0.0, *edges, 1.0))) / 2
    steps = [torch.ones_like(rho)]  # steps[k]: how far rho is beyond the lower edge of band k
    for edge in edges:
        risen = ((rho - edge) / (2 * half) + 0.5).clamp(0, 1)
        steps.append(0.5 - 0.5 * torch.cos(math.pi * risen))
    steps.append(torch.zeros_like(rho))
    return torch.stack([below - above for below, above in pairwise(steps)])


def column_weights(width: int) -> Tensor:
    """Return how many bins of the full plane each of the W // 2 + 1 columns stands for: 1 or 2."""
    column = torch.arange(width // 2 + 1)  # in tensor arithmetic, which exported graphs keep
    return 2 - (column == 0).double() - (2 * column == width).double()


@dataclass(frozen=True, slots=True)
class Plane:
    """What a size has in common for all images: float32, flattened over the B bins of the half-plane.

    Attributes:
        bands: Memberships, (K, B).
        shares: The same times the column weights, without DC, adding up to 1 over the bins (to 0 where a band
            of a tiny image has none), (K, B).
    """

    bands: Tensor
    shares: Tensor


@lru_cache(maxsize=8)
def _plane(height: int, width: int, edges: tuple[float, ...], device: torch.device) -> Plane:
    with torch.inference_mode(False):  # what is cached must serve training too
        bands = band_masks(height, width, edges)
        counted = bands * column_weights(width)
        counted[:, 0, 0] = 0
        shares = counted / counted.sum(dim=(1, 2), keepdim=True).clamp_min(_TINY)
        return Plane(*(plane.flatten(1).to(torch.float32).to(device) for plane in (bands, shares)))


def band_statistics(level: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of the log-magnitudes in each band, DC left out.

    mu_k = sum(w b_k L) / sum(w b_k), sigma_k = sqrt(sum(w b_k (L - mu_k)^2) / sum(w b_k) + 1e-6), w counting
    the bins of the full plane.

    Args:
        level: Log-magnitudes L of the half-plane, (N, C, B).
        shares: Of a `Plane`, (K, B).

    Returns:
        mu and sigma, each (N, C, K).
    """
    # Around a common center the difference of two moments loses nothing that float32 has.
    center = level.mean(dim=-1, keepdim=True)
    around = level - center
    first = around @ shares.T
    second = around.square() @ shares.T
    present = shares.sum(dim=1)
    variance = (second - first.square()).clamp_min(0) + _MIN_VARIANCE
    return first + center * present, variance.sqrt()


@dataclass(frozen=True, slots=True)
class Selection:
    """What the layer decided for a batch, on the half-plane, (N, C, H, W // 2 + 1) unless said otherwise.

    Attributes:
        spectrum: The orthonormal Fourier transform of the (padded) input.
        level: Log-magnitudes, log(1 + |F|).
        mean: Of the levels in each band, (N, C, K).
        deviation: Of the levels in each band, (N, C, K).
        threshold: T, above which a bin is an outlier.
        gate: g: 1 keeps, 0 suppresses.
        factor: What the spectrum is multiplied by: what the gate leaves, times the weights of the bands.
        width: Columns of what was transformed, which the half-plane alone does not tell.
    """

    spectrum: Tensor
    level: Tensor
    mean: Tensor
    deviation: Tensor
    threshold: Tensor
    gate: Tensor
    factor: Tensor
    width: int


class SelectiveFrequency(nn.Module):
    """Mute what stands out in each frequency band, and weigh the bands: y = irfft2(rfft2(x) g' omega).

    Per sample, channel and band k, T_k = mu_k + lambda_k sigma_k over log-magnitudes L; the soft gate
    g = sigmoid((T - L) / (tau sigma)) lets gradients reach lambda. What is gated is muted to a learned share
    a_k (0.02 at first) instead of removed, g' = g + (1 - g) a_k; omega_k = 1 + 2 tanh(theta_k) starts at 1.
    DC carries the mean and is never gated. Bands are functions of the frequency, so any size fits, and
    nothing learned depends on it. The Fourier transform is in float32 under any autocast.

    Every output pixel depends on every input pixel, and the statistics are the image's: tiles change the
    result.

    Args:
        channels: Channels of input and output.
        edges: Between the bands, as shares of the Nyquist frequency: rising, inside (0, 1).
        threshold: lambda to start from, in standard deviations.
        mode: "mute" as above, or "clamp": g' = g + (1 - g) (e^T - 1) / |F| shrinks magnitudes to the
            threshold and keeps their phases.
        padding: Pixels mirrored around the image before the transform, which thinks it periodic; fewer
            where the image is too small.
        hard: In evaluation gate with L > T instead of softly.

    Raises:
        ValueError: Edges, threshold, mode or padding are not possible.
    """

    def __init__(
        self,
        channels: int,
        *,
        edges: Sequence[float] = EDGES,
        threshold: float = 2.0,
        mode: Literal["mute", "clamp"] = "mute",
        padding: int = 8,
        hard: bool = False,
    ) -> None:
        super().__init__()
        check_edges(edges)
        self.edges = tuple(float(edge) for edge in edges)
        check_word("mode", mode, SELECTION_MODES)
        if threshold <= 0 or padding < 0:
            raise ValueError(f"threshold must be > 0 and padding >= 0, got {threshold} and {padding}")
        self.mode = mode
        self.padding = padding
        self.hard = hard
        shape = (channels, len(self.edges) + 1)
        self.raw_threshold = nn.Parameter(torch.full(shape, _inverse_softplus(threshold)))
        self.raw_temperature = nn.Parameter(torch.tensor(_inverse_softplus(0.25)))
        self.weight = nn.Parameter(torch.zeros(shape))
        if mode == "mute":
            self.raw_share = nn.Parameter(torch.full(shape, math.log(0.02 / 0.98)))

    @property
    def thresholds(self) -> Tensor:
        """The lambda of each channel and band, in standard deviations, (C, K)."""
        return F.softplus(self.raw_threshold)

    @property
    def temperature(self) -> Tensor:
        """The tau, softness of the gate in standard deviations."""
        return F.softplus(self.raw_temperature)

    @property
    def band_weights(self) -> Tensor:
        """The omega of each channel and band, in (-1, 3), (C, K)."""
        return 1 + 2 * self.weight.tanh()

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to the same shape."""
        height, width = x.shape[-2:]
        with torch.autocast(x.device.type, enabled=False):
            padded, top, left = self._padded(x.float())
            chosen = self._select(padded)
            y: Tensor = torch.fft.irfft2(chosen.spectrum * chosen.factor, s=padded.shape[-2:], norm="ortho")
        return y[..., top : top + height, left : left + width].to(x.dtype)

    def select(self, x: Tensor, *, padded: bool = True) -> Selection:
        """Return what the layer decides for (N, C, H, W), in float32; `padded` as `forward` sees it."""
        with torch.autocast(x.device.type, enabled=False):
            return self._select(self._padded(x.float())[0] if padded else x.float())

    def _padded(self, x: Tensor) -> tuple[Tensor, int, int]:
        if torch.onnx.is_in_onnx_export():
            return mirrored(x, self.padding)  # type: ignore[return-value] # sides are tensors there
        top, left = (min(self.padding, side - 1) for side in x.shape[-2:])
        return F.pad(x, (left, left, top, top), mode="reflect"), top, left

    def _select(self, x: Tensor) -> Selection:
        height, width = x.shape[-2:]
        plane = _plane(height, width, self.edges, x.device)
        spectrum = half_plane(x)
        level = spectrum.abs().log1p().flatten(2)
        mean, deviation = band_statistics(level, plane.shares)
        threshold = (mean + self.thresholds * deviation) @ plane.bands
        gate = self._gate(level, threshold, deviation @ plane.bands)
        left = gate + (1 - gate) * self._muted_share(level, threshold, plane.bands)
        factor = left * (self.band_weights @ plane.bands)
        maps = (torch.unflatten(part, -1, spectrum.shape[-2:]) for part in (level, threshold, gate, factor))
        level, threshold, gate, factor = maps
        return Selection(spectrum, level, mean, deviation, threshold, gate, factor, width)

    def _gate(self, level: Tensor, threshold: Tensor, deviation: Tensor) -> Tensor:
        if self.hard and not self.training:
            gate = (level <= threshold).to(level.dtype)
        else:
            gate = ((threshold - level) / (self.temperature * deviation)).sigmoid()
        is_dc = torch.zeros(level.shape[-1], dtype=torch.bool, device=level.device)
        is_dc[0] = True
        return gate.masked_fill(is_dc, 1.0)

    def _muted_share(self, level: Tensor, threshold: Tensor, bands: Tensor) -> Tensor:
        """Return how much of a gated bin is left."""
        if self.mode == "mute":
            return self.raw_share.sigmoid() @ bands
        # |F| = e^L - 1; of thresholds above a bin only that it stays counts, and their power would overflow.
        return torch.minimum(threshold, level).expm1() / level.expm1().clamp_min(_TINY)


def _inverse_softplus(value: float) -> float:
    return value + math.log(-math.expm1(-value))
