"""Convolutions that see only what comes before: rows from the top, pixels from the left, colors in order.

Van den Oord et al., "Conditional Image Generation with PixelCNN Decoders", NeurIPS 2016, arXiv:1606.05328.
Features come in as many groups as the image has colors; group g may depend on the colors up to g of its
own pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models.limits import check_groups


def groups_of(features: int, colors: int) -> list[int]:
    """Return the group of each of `features` features: equal groups, one after the other.

    Raises:
        ValueError: The number of colors does not divide the number of features.
    """
    check_groups(features, colors)
    return [feature * colors // features for feature in range(features)]


class RowsAbove(nn.Conv2d):
    """A convolution over a pixel's own row and `reach` rows above, `reach` pixels to both sides.

    Args:
        channels_in: Channels of the input.
        channels_out: Channels of the output.
        reach: Rows above, and pixels to each side.
        strict: Leave the pixel's own row out.
    """

    def __init__(self, channels_in: int, channels_out: int, reach: int, *, strict: bool = False) -> None:
        super().__init__(channels_in, channels_out, (reach + (not strict), 2 * reach + 1))
        self.reach = reach

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H, W), with zeros above and at the sides."""
        return self.strip(F.pad(x, (0, 0, self.reach, 0)))[..., : x.shape[2], :]

    def strip(self, rows: Tensor) -> Tensor:
        """Map rows that have what they need above them; the output is lower by the kernel's height less 1."""
        return super().forward(F.pad(rows, (self.reach, self.reach, 0, 0)))


class MaskedRow(nn.Conv2d):
    """A convolution over the pixel itself, as far as the colors' order allows, and `reach` to its left.

    Args:
        groups_in: Group of each input channel; -1 for what is known beforehand.
        groups_out: Group of each output channel.
        reach: Pixels to the left.
        strict: A group sees only smaller groups of its own pixel (mask A), else itself too (mask B).
    """

    mask: Tensor

    def __init__(
        self, groups_in: Sequence[int], groups_out: Sequence[int], reach: int = 0, *, strict: bool = False
    ) -> None:
        super().__init__(len(groups_in), len(groups_out), (1, reach + 1))
        self.reach = reach
        own, seen = torch.tensor(groups_out)[:, None], torch.tensor(groups_in)[None]
        mask = torch.ones(len(groups_out), len(groups_in), 1, reach + 1)
        mask[:, :, 0, -1] = (seen < own if strict else seen <= own).float()
        self.register_buffer("mask", mask, persistent=False)

    def masked(self) -> Tensor:
        """Return the weights with zeros where the mask forbids."""
        return self.weight * self.mask

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C, H, W) to (N, C', H, W), with zeros at the left."""
        return F.conv2d(F.pad(x, (self.reach, 0, 0, 0)), self.masked(), self.bias)


def with_ones(x: Tensor) -> Tensor:
    """Append a channel of ones to (N, C, H, W): after padding with zeros it tells what lies inside."""
    return torch.cat([x, torch.ones_like(x[:, :1])], 1)


def gate(x: Tensor, dim: int = 1) -> Tensor:
    """Return tanh(first half) * sigmoid(second half) of the channels (eq. 2)."""
    first, second = x.chunk(2, dim)
    return first.tanh() * second.sigmoid()


class GatedLayer(nn.Module):
    """One layer of the two stacks, conditioned on a map s (fig. 2, eq. 4).

    v' = gate(u) with u = Wv * v + V s, the vertical stack over all rows above;
    h' = h + W1 gate(Wh * h + L u + V' s), the horizontal one over the row so far. The vertical stack of the
    network leaves a pixel's own row out from its first layer on, so the link L need not be shifted.

    Args:
        width: Features of each stack.
        colors: Colors of a pixel; must divide `width`.
        condition: Channels of s, which nothing masks.
        reach: Of the convolutions.
    """

    def __init__(self, width: int, colors: int, condition: int, reach: int = 1) -> None:
        super().__init__()
        groups = groups_of(width, colors)
        self.reach = reach
        self.vertical = RowsAbove(width, 2 * width, reach)
        self.vertical_condition = nn.Conv2d(condition, 2 * width, 1, bias=False)
        self.horizontal = MaskedRow(groups, 2 * groups, reach)
        self.horizontal_condition = nn.Conv2d(condition, 2 * width, 1, bias=False)
        self.link = nn.Conv2d(2 * width, 2 * width, 1, bias=False)
        self.out = MaskedRow(groups, groups)

    def forward(self, v: Tensor, h: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """Map the stacks v and h (N, width, H, W) to the same shapes; s is (N, condition, H, W)."""
        above, linked = self.from_above(self.vertical(v), s)
        return above, h + self.out(gate(self.horizontal(h) + linked))

    def from_above(self, seen: Tensor, s: Tensor) -> tuple[Tensor, Tensor]:
        """Return v' and what the horizontal stack adds before its gate, of seen = Wv * v."""
        u = seen + self.vertical_condition(s)
        return gate(u), self.link(u) + self.horizontal_condition(s)
