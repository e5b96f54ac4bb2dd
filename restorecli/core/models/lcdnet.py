"""LCDNet: spatial and frequency selection in an encoder-decoder with four scales in and out.

Gao, Dang, arXiv:2504.10558. Its code was never released, so this is the first that can be read. The paper
leaves open most sizes and details; each choice is named in the docstrings here and in `blocks`, and follows
the networks that LCDNet builds on (NAFNet, SFNet, ECFNet, MIMO-UNet) where they agree.

What a training step costs, and of what that is made, is in the manual's page on speed.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.models import limits
from restorecli.core.models.blocks.gates import squeeze_gate
from restorecli.core.models.blocks.spatial_frequency import HsfsBlock

SCALES = 4


class ShallowFeatures(nn.Sequential):
    """SFE: features of a small copy of the input, for the level of its size.

    3x3 to C/4, 1x1 to C/2, 3x3 to C/2, each with GELU, 1x1 to C, instance norm with weights.

    Args:
        channels: Of the image.
        features: C, from 4.
    """

    def __init__(self, channels: int, features: int) -> None:
        half = features // 2
        super().__init__(
            nn.Conv2d(channels, half // 2, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(half // 2, half, 1),
            nn.GELU(),
            nn.Conv2d(half, half, 3, padding=1),
            nn.GELU(),
            nn.Conv2d(half, features, 1, bias=False),  # the norm would take a bias off
            nn.InstanceNorm2d(features, affine=True),
        )


class SkipAttention(nn.Module):
    """SCAM: what of the encoder's features passes a skip: e * sigmoid(W2 ReLU(W1 GAP(e + d))).

    The paper's form is not known to us. A choice per channel between encoder e and decoder d as in selective
    kernels is a softmax over two heads; of it the encoder's share counts here, hence one head and a sigmoid.

    Args:
        channels: Channels of both features; W1 leads to an eighth of them, but at least 4.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gate = squeeze_gate(channels, max(1, min(8, channels // 4)))

    def forward(self, encoded: Tensor, decoded: Tensor) -> Tensor:
        """Map two (N, C, H, W) to the encoder's share, of the same shape."""
        passed: Tensor = encoded * self.gate(encoded + decoded)
        return passed


class LcdNet(nn.Module):
    """LCDNet; untrained it is the identity at each of its four scales, to which it adds residuals.

    Encoder: HSFSBlocks on four levels, with 2x2 convolutions of stride 2 between them, to twice the channels.
    Copies of the input at 1/2, 1/4 and 1/8 (nearest neighbor) enter through SFE and a 1x1 that joins them
    with what comes from above. A middle block at 1/16; then up by 1x1 and pixel shuffle, skips through SCAM
    joined by a 1x1, and HSFSBlocks again. A 3x3 convolution of the decoder's features on each level gives
    that scale's residual. Width, depths and those convolutions are chosen, since the paper leaves them open;
    the default has 35,898,376 parameters.

    Its Fourier transforms, pooling and instance norms are of the whole image, so every output pixel
    depends on every input pixel and tiles change the result.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level, even; each level below has twice as many.
        encoder: MSSFBlocks on each of the four levels on the way down.
        middle: MSSFBlocks on the deepest level.
        decoder: MSSFBlocks on each level on the way up, deepest first.
        msfm: False leaves the frequency selection out of every block, for the ablation.
        scam: False lets skips pass as they are, for the ablation.

    Raises:
        ValueError: The width or the numbers of blocks are not possible.
    """

    scale = 1
    multiple = 2**SCALES
    receptive_field: int | None = None

    def __init__(
        self,
        channels: int = 3,
        width: int = 32,
        encoder: Sequence[int] = (2, 2, 4, 8),
        middle: int = 2,
        decoder: Sequence[int] = (2, 2, 2, 2),
        *,
        msfm: bool = True,
        scam: bool = True,
    ) -> None:
        super().__init__()
        limits.lcdnet(width, encoder, middle, decoder)
        self.channels = channels
        widths = [width * 2**level for level in range(SCALES + 1)]
        upper = widths[:-1]
        self.first = nn.Conv2d(channels, width, 3, padding=1)
        self.shallow = nn.ModuleList(ShallowFeatures(channels, w) for w in upper[1:])
        self.inject = nn.ModuleList(nn.Conv2d(2 * w, w, 1) for w in upper[1:])
        self.encoder = nn.ModuleList(HsfsBlock(w, n, msfm=msfm) for w, n in zip(upper, encoder, strict=True))
        self.down = nn.ModuleList(nn.Conv2d(w, 2 * w, 2, stride=2) for w in upper)
        self.middle = HsfsBlock(widths[-1], middle, msfm=msfm)
        upper.reverse()
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(2 * w, 4 * w, 1, bias=False), nn.PixelShuffle(2)) for w in upper
        )
        self.skips = nn.ModuleList(SkipAttention(w) for w in upper) if scam else None
        self.join = nn.ModuleList(nn.Conv2d(2 * w, w, 1) for w in upper)
        self.decoder = nn.ModuleList(HsfsBlock(w, n, msfm=msfm) for w, n in zip(upper, decoder, strict=True))
        self.last = nn.ModuleList(nn.Conv2d(w, channels, 3, padding=1) for w in upper)
        for last in self.last:
            nn.init.zeros_(last.weight)  # type: ignore[arg-type]
            nn.init.zeros_(last.bias)  # type: ignore[arg-type]

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], sides multiples of 16, to restored of the same shape."""
        finest = self._features(pyramid(x))[-1]
        restored: Tensor = x + self.last[-1](finest)
        return restored

    def outputs(self, x: Tensor) -> list[Tensor]:
        """Return the restored images at scale 1, 1/2, 1/4 and 1/8, finest first; for training."""
        copies = pyramid(x)
        residuals = [last(y) for last, y in zip(self.last, self._features(copies), strict=True)]
        return [copy + residual for copy, residual in zip(copies, reversed(residuals), strict=True)]

    def _features(self, copies: list[Tensor]) -> list[Tensor]:
        """Return the decoder's features on every level, coarsest first."""
        y = self.first(copies[0])
        encoded: list[Tensor] = []
        for level, (encode, down) in enumerate(zip(self.encoder, self.down, strict=True)):
            if level > 0:
                small = self.shallow[level - 1](copies[level])
                y = self.inject[level - 1](torch.cat([y, small], dim=1))
            y = encode(y)
            encoded.append(y)
            y = down(y)
        return self._decode(self.middle(y), encoded)

    def _decode(self, y: Tensor, encoded: list[Tensor]) -> list[Tensor]:
        decoded: list[Tensor] = []
        for level, (up, join, decode) in enumerate(zip(self.up, self.join, self.decoder, strict=True)):
            y = up(y)
            skip = encoded.pop()
            if self.skips is not None:
                skip = self.skips[level](skip, y)
            y = decode(join(torch.cat([skip, y], dim=1)))
            decoded.append(y)
        return decoded


def pyramid(x: Tensor) -> list[Tensor]:
    """Return (N, C, H, W) at scale 1, 1/2, 1/4 and 1/8 by nearest neighbor, as MIMO-UNet does."""
    return [x, *(F.interpolate(x, scale_factor=0.5**step, mode="nearest") for step in range(1, SCALES))]
