"""Looking into frequency selection: what each layer saw, where it drew the line, and what it took out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from restorecli.core.models.blocks.frequency import SelectiveFrequency, band_masks
from restorecli.core.restorer import pad_to_multiple
from restorecli.errors import UsageError

Array = NDArray[np.float32]

PATCH = 32
"""Side of the patch whose flattened spectrum the source shows."""


@dataclass(frozen=True, slots=True)
class BandStatistics:
    """What a layer did in one band, mean over its channels.

    Attributes:
        low: Lower edge as a share of the Nyquist frequency.
        high: Upper edge.
        mean: mu of the log-magnitudes.
        deviation: sigma of the log-magnitudes.
        strictness: lambda.
        threshold: mu + lambda sigma.
        weight: omega.
        suppressed: Share of the bins whose gate is below one half, DC left out.
        removed: Share of the band's energy that the gate took out, weights aside, DC left out.
    """

    low: float
    high: float
    mean: float
    deviation: float
    strictness: float
    threshold: float
    weight: float
    suppressed: float
    removed: float


@dataclass(frozen=True, slots=True)
class BandView:
    """What one layer did to one image or feature map, in float32 on the CPU.

    Planes are whole, with DC in the middle (at H // 2, W // 2), and as large as what the layer transformed,
    its padding included.

    Attributes:
        name: Of the layer in its network; "" for a layer alone.
        edges: Between the K bands.
        before: What came in, (C, H, W).
        after: What went out, (C, H, W).
        bands: Memberships, (K, H', W').
        level: Log-magnitudes, (C, H', W').
        threshold: Above it a bin is an outlier, (C, H', W').
        gate: 1 keeps, 0 suppresses, (C, H', W').
        patch_level: Log-magnitudes of the central 32x32 pixels alone, or of all where there are fewer.
        patch_threshold: Of the same.
        statistics: One entry per band.
    """

    name: str
    edges: tuple[float, ...]
    before: Array
    after: Array
    bands: Array
    level: Array
    threshold: Array
    gate: Array
    patch_level: Array
    patch_threshold: Array
    statistics: tuple[BandStatistics, ...]

    @property
    def busiest(self) -> int:
        """The channel of whose energy the largest share was suppressed."""
        energy = np.expm1(self.level.astype(np.float64)) ** 2
        return int(_shares((1 - self.gate.astype(np.float64) ** 2) * energy, energy).argmax())


def central(image: Tensor, side: int) -> Tensor:
    """Return the middle of (C, H, W), at most `side` pixels high and wide."""
    top, left = ((length - min(length, side)) // 2 for length in image.shape[-2:])
    return image[..., top : top + side, left : left + side]


def full_plane(half: Tensor, width: int) -> Tensor:
    """Return the whole, centered plane of something that is the same for F(u) and F(-u).

    Args:
        half: (..., H, W // 2 + 1), as from `rfft2`.
        width: W.

    Returns:
        (..., H, W) with DC at (H // 2, W // 2).
    """
    mirrored = half[..., 1 : (width + 1) // 2].flip((-2, -1)).roll(1, dims=-2)
    whole: Tensor = torch.fft.fftshift(torch.cat([half, mirrored], dim=-1), dim=(-2, -1))
    return whole


def selection_layers(network: nn.Module) -> dict[str, SelectiveFrequency]:
    """Return the frequency selections of a network by their names, in its order."""
    return {name: m for name, m in network.named_modules() if isinstance(m, SelectiveFrequency)}


@torch.no_grad()
def inspect(network: nn.Module, image: Tensor) -> tuple[BandView, ...]:
    """Return what every frequency selection of a network does to one image.

    Args:
        network: A network of the catalog, or a `SelectiveFrequency` alone; it is put into evaluation mode.
        image: (C, H, W), in [0, 1] for a network; an RGB one gets gray repeated, a gray one the mean of
            the colors.

    Returns:
        One view per layer, in the order in which the network runs through them.

    Raises:
        UsageError: The network selects no frequencies.
    """
    layers = selection_layers(network.eval())
    if not layers:
        raise UsageError(
            "This network selects no frequencies.",
            expected="one with SelectiveFrequency layers, such as swm",
            got=type(network).__name__,
        )
    seen: dict[str, Tensor] = {}

    names: dict[nn.Module, str] = {layer: name for name, layer in layers.items()}

    def keep(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        seen[names[layer]] = inputs[0][0]

    handles = [layer.register_forward_pre_hook(keep) for layer in names]
    try:
        x = _with_channels(image[None].float(), getattr(network, "channels", image.shape[0]))
        network(pad_to_multiple(x, getattr(network, "multiple", 1)))
    finally:
        for handle in handles:
            handle.remove()
    return tuple(view_of(layers[name], x, name=name) for name, x in seen.items())


def _with_channels(x: Tensor, channels: int) -> Tensor:
    if x.shape[1] == channels:
        return x
    return x.expand(-1, channels, -1, -1) if x.shape[1] == 1 else x.mean(dim=1, keepdim=True)


@torch.no_grad()
def view_of(layer: SelectiveFrequency, x: Tensor, *, name: str = "") -> BandView:
    """Return what a layer does to (C, H, W)."""
    chosen = layer.select(x[None])
    patch = layer.select(central(x, PATCH)[None], padded=False)
    masks = band_masks(chosen.level.shape[-2], chosen.width, layer.edges).float()
    planes = (masks, chosen.level[0], chosen.threshold[0], chosen.gate[0])
    bands, level, threshold, gate = (_array(full_plane(plane, chosen.width)) for plane in planes)
    patch_level, patch_threshold = (
        _array(full_plane(plane[0], patch.width)) for plane in (patch.level, patch.threshold)
    )
    return BandView(
        name=name,
        edges=layer.edges,
        before=_array(x.float()),
        after=_array(layer(x[None])[0].float()),
        bands=bands,
        level=level,
        threshold=threshold,
        gate=gate,
        patch_level=patch_level,
        patch_threshold=patch_threshold,
        statistics=_statistics(layer, chosen.mean[0], chosen.deviation[0], bands, level, gate),
    )


def _statistics(
    layer: SelectiveFrequency, mean: Tensor, deviation: Tensor, bands: Array, level: Array, gate: Array
) -> tuple[BandStatistics, ...]:
    counted = bands.copy()
    counted[:, counted.shape[1] // 2, counted.shape[2] // 2] = 0
    energy = np.expm1(level.astype(np.float64)) ** 2
    out = (1 - gate.astype(np.float64) ** 2) * energy
    limits = (0.0, *layer.edges, 1.0)
    statistics = []
    for band, mask in enumerate(counted):
        strictness = layer.thresholds[:, band]
        threshold = mean[:, band] + strictness * deviation[:, band]
        statistics.append(
            BandStatistics(
                low=limits[band],
                high=limits[band + 1],
                mean=float(mean[:, band].mean()),
                deviation=float(deviation[:, band].mean()),
                strictness=float(strictness.mean()),
                threshold=float(threshold.mean()),
                weight=float(layer.band_weights[:, band].mean()),
                suppressed=float(_shares((gate < 0.5) * mask, np.broadcast_to(mask, gate.shape)).mean()),
                removed=float(_shares(out * mask, energy * mask).mean()),
            )
        )
    return tuple(statistics)


def _shares(part: NDArray[np.floating], whole: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return part / whole of each channel, both summed over their planes (C, H, W); 0 of nothing."""
    parts, wholes = (plane.sum(axis=(1, 2), dtype=np.float64) for plane in (part, whole))
    shares: NDArray[np.float64] = np.divide(parts, wholes, out=np.zeros_like(parts), where=wholes > 0)
    return shares


def _array(x: Tensor) -> Array:
    array: Array = x.detach().cpu().numpy()
    return array
