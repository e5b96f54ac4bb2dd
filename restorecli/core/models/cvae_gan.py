"""CVAE-GAN as a conditional restorer: several restorations of one degraded image, by a code.

Bao, Chen, Wen, Li, Hua, "CVAE-GAN: Fine-Grained Image Generation through Asymmetric Training", ICCV 2017,
makes images of a class from a code. Here the degraded image is the condition in place of the class, which
is this program's adaptation: the encoder sees reference and degraded image, the generator is a U-Net on the
degraded one. Its discriminator and classifier are `Recognizer`s, and only training has them.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.losses.variational import reparameterize
from restorecli.core.models.blocks.convolution import DoubleConv
from restorecli.core.recognizer import strided


class CvaeGan(nn.Module):
    """G(y, z) = y + unet(y; z), with z ~ N(mu, e^logvar) of the encoder E([x, y]) while training.

    The code enters the U-Net at the bottleneck and at each level of the decoder, as a gain and an offset per
    channel (FiLM), since skips would else make it useless. A restored image is that of the mean code,
    z = 0; `sample` gives others.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Channels of the first level; the others have 2, 4 and 8 times as many.
        latent: Length of the code.
    """

    scale = 1
    multiple = 8
    receptive_field: int | None = 2 * 65 + 1  # as unet.py counts; the code is the same everywhere

    def __init__(self, channels: int = 3, width: int = 32, latent: int = 64) -> None:
        super().__init__()
        self.channels = channels
        self.latent = latent
        widths = [width * 2**level for level in range(4)]
        self.recognition = strided(2 * channels, widths)
        self.moments = nn.Linear(widths[-1], 2 * latent)
        self.encoder = nn.ModuleList(
            DoubleConv(before, after, residual=False) for before, after in pairwise([channels, *widths])
        )
        self.decoder = nn.ModuleList(
            DoubleConv(widths[level + 1] + widths[level], widths[level], residual=False)
            for level in (2, 1, 0)
        )
        self.films = nn.ModuleList(Film(latent, channels_out) for channels_out in reversed(widths))
        self.last = nn.Conv2d(width, channels, 1)

    def encode(self, reference: Tensor, degraded: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and logarithm of the variance of the code, (N, latent) each, of a pair (N, C, H, W)."""
        features = self.recognition(torch.cat([reference, degraded], dim=1)).mean((2, 3))
        mean, logvar = self.moments(features).chunk(2, dim=1)
        return mean, logvar.clamp(-10, 10)

    def decode(self, degraded: Tensor, code: Tensor) -> Tensor:
        """Restore (N, C, H, W), H and W multiples of 8, with codes (N, latent)."""
        skips: list[Tensor] = []
        y = degraded
        for level, encode in enumerate(self.encoder):
            y = encode(y if level == 0 else F.max_pool2d(y, 2))
            skips.append(y)
        y = self.films[0](skips.pop(), code)
        for decode, film in zip(self.decoder, self.films[1:], strict=True):
            y = F.interpolate(y, scale_factor=2, mode="bilinear", align_corners=False)
            y = film(decode(torch.cat([y, skips.pop()], dim=1)), code)
        restored: Tensor = degraded + self.last(y)
        return restored

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1], H and W multiples of 8, to restored, with the mean code 0."""
        return self.decode(x, x.new_zeros(x.shape[0], self.latent))

    def sample(self, x: Tensor, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Restore with codes drawn from N(0, 1).

        Args:
            x: Degraded (N, C, H, W) in [0, 1], H and W multiples of 8.
            count: Restorations of each image.
            generator: Source of randomness, on the device of `x`; by default torch's own.

        Returns:
            (count, N, C, H, W).
        """
        shape = (count, x.shape[0], self.latent)
        codes = torch.randn(shape, generator=generator, device=x.device, dtype=x.dtype)
        return torch.stack([self.decode(x, code) for code in codes])

    def outputs(self, x: Tensor) -> list[Tensor]:
        """Return the restored image, and `x` decoded with a code drawn for it as its own reference.

        The second goes through the encoder, which `forward` does without.
        """
        mean, logvar = self.encode(x, x)
        return [self(x), self.decode(x, reparameterize(mean, logvar, torch.randn_like(mean)))]


class Film(nn.Module):
    """(1 + gain) x + offset with gain and offset per channel linear in a code (Perez et al., AAAI 2018).

    It starts close to the identity: large gains drawn at random would be noise to what is learned first.

    Args:
        latent: Length of the code.
        channels: Channels of the features.
    """

    def __init__(self, latent: int, channels: int) -> None:
        super().__init__()
        self.linear = nn.Linear(latent, 2 * channels)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.zeros_(self.linear.bias)

    def forward(self, x: Tensor, code: Tensor) -> Tensor:
        """Map (N, C, H, W) and codes (N, latent) to (N, C, H, W)."""
        gain, offset = self.linear(code)[..., None, None].chunk(2, dim=1)
        modulated: Tensor = (1 + gain) * x + offset
        return modulated
