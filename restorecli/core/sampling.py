"""Drawing images from a PixelCNN, pixel by pixel, with everything kept that the next pixel needs again.

Ramachandran et al., "Fast Generation for Convolutional Autoregressive Models", arXiv:1704.06001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from restorecli.core.models.blocks.levels import to_levels
from restorecli.core.models.blocks.masked import GatedLayer, MaskedRow, gate, with_ones

if TYPE_CHECKING:
    from restorecli.core.models.pixelcnn import PixelCnn

MAX_TEMPERATURE = 2.0


def sample_cached(
    network: PixelCnn, alone: Tensor, s: Tensor, temperature: float, generator: torch.Generator | None
) -> Tensor:
    """Draw an image; see `PixelCnn.sample`.

    Row by row the vertical stack, which sees only finished rows; in a row the horizontal one, pixel by pixel
    and color by color. It draws what the network evaluated anew for every color of every pixel would draw.

    Args:
        network: The network.
        alone: Parameters of A(x): (N, C, P, H, W).
        s: The features of x: (N, condition, H, W).
        temperature: From 0 to 2.
        generator: Of the uniform numbers, (N, C, H, W, 2) of them at once.

    Returns:
        (N, C, H, W), levels / 255.

    Raises:
        ValueError: Another temperature.
    """
    if not 0 <= temperature <= MAX_TEMPERATURE:
        raise ValueError(f"temperature must be from 0 to {MAX_TEMPERATURE:g}, got {temperature}")
    n, colors, _, height, width = alone.shape
    chance = torch.rand(n, colors, height, width, 2, generator=generator).to(alone.device)
    reach = network.first_vertical.reach
    inside = with_ones(-torch.ones(n, colors, height, width, dtype=alone.dtype, device=alone.device))
    seen = F.pad(inside, (0, 0, reach, 0))
    above = _RowsAbove(network, s)
    line = _Line(network, n, width, alone)
    for row in range(height):
        first = network.first_vertical.strip(seen[:, :, row : row + reach])
        linked = above.next(first, s[:, :, row : row + 1])
        seen[:, :colors, reach + row] = line.draw(linked, alone[..., row, :], chance[:, :, row], temperature)
    return to_levels((seen[:, :colors, reach:] + 1) / 2).to(alone.dtype) / 255


class _RowsAbove:
    """The vertical stack: of each layer's input the last rows."""

    def __init__(self, network: PixelCnn, s: Tensor) -> None:
        self.layers = _gated(network)
        n, _, _, width = s.shape
        self.rows = [
            s.new_zeros(n, layer.vertical.in_channels, layer.vertical.reach, width) for layer in self.layers
        ]

    def next(self, v: Tensor, s: Tensor) -> list[Tensor]:
        """Return what each layer adds to the horizontal stack's row: (W, N, 2 width) each."""
        linked = []
        for number, layer in enumerate(self.layers):
            strip = torch.cat([self.rows[number], v], 2)
            self.rows[number] = strip[:, :, 1:]
            v, link = layer.from_above(layer.vertical.strip(strip), s)
            linked.append(link[:, :, 0].permute(2, 0, 1).contiguous())
        return linked


class _Line:
    """The horizontal stack: of each layer's input the row so far."""

    def __init__(self, network: PixelCnn, n: int, width: int, like: Tensor) -> None:
        self.distribution = network.distribution
        self.colors = network.channels
        self.first = _matrix(network.first_horizontal)
        self.layers = [
            (layer.horizontal.reach, _matrix(layer.horizontal), _matrix(layer.out))
            for layer in _gated(network)
        ]
        self.head = _matrix(network.head)
        weight, bias = _matrix(network.last)
        self.last = list(zip(weight.chunk(self.colors), bias.chunk(self.colors), strict=True))
        reach = network.first_horizontal.reach
        self.start = F.pad(with_ones(like.new_full((n, self.colors, 1, width), -1.0))[:, :, 0], (reach, 0))
        self.reach = reach
        self.empty = [
            like.new_zeros(n, layer.horizontal.in_channels, layer.horizontal.reach + width)
            for layer in _gated(network)
        ]

    def draw(self, linked: list[Tensor], alone: Tensor, chance: Tensor, temperature: float) -> Tensor:
        """Draw a row: (N, C, W) in [-1, 1], of A's parameters (N, C, P, W) and chance (N, C, W, 2)."""
        line, kept = self.start.clone(), [empty.clone() for empty in self.empty]
        for column in range(alone.shape[-1]):
            for color in range(self.colors):
                features = self._features(line, kept, linked, column)
                parameters = alone[:, color, :, column] + F.linear(features, *self.last[color])
                level = self.distribution.draw(parameters, chance[:, color, column], temperature)
                line[:, color, self.reach + column] = 2 * (level.to(line.dtype) / 255) - 1
        return line[:, : self.colors, self.reach :]

    def _features(self, line: Tensor, kept: list[Tensor], linked: list[Tensor], column: int) -> Tensor:
        """Return the pixel's features before the last layer; a later color's call sees the earlier ones."""
        h = F.linear(line[..., column : column + self.reach + 1].flatten(1), *self.first)
        for (reach, wide, out), row, link in zip(self.layers, kept, linked, strict=True):
            row[..., reach + column] = h
            mixed = F.linear(row[..., column : column + reach + 1].flatten(1), *wide) + link[column]
            h = h + F.linear(gate(mixed), *out)
        return F.linear(h.relu(), *self.head).relu()


def _gated(network: PixelCnn) -> list[GatedLayer]:
    return [layer for layer in network.layers if isinstance(layer, GatedLayer)]


def _matrix(layer: MaskedRow) -> tuple[Tensor, Tensor]:
    """Return a masked row's weights as a matrix for its flattened window, and its bias."""
    bias = layer.bias
    if bias is None:
        raise TypeError("a masked row has a bias")
    return layer.masked().flatten(1), bias
