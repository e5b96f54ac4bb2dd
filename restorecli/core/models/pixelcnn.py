"""PixelCNN as a restorer: the distribution of the clean image, pixel by pixel, given the degraded one.

Gated PixelCNN: van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu, NeurIPS 2016,
arXiv:1606.05328. Conditioned as in Dahl, Norouzi, Shlens, "Pixel Recursive Super Resolution", ICCV 2017.
Discretized logistics: Salimans et al., "PixelCNN++", ICLR 2017.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from restorecli.core.models import limits
from restorecli.core.models.blocks.convolution import ResidualBlock
from restorecli.core.models.blocks.levels import Categorical, Distribution, LogisticMixture, bits, to_levels
from restorecli.core.models.blocks.masked import GatedLayer, MaskedRow, RowsAbove, groups_of, with_ones
from restorecli.core.sampling import sample_cached

FIRST_REACH = 3


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the network says of every color of every pixel: (N, C, P, H, W) each.

    Attributes:
        joint: Parameters of p(y_i | y_<i, x), of A(x) + B(y_<i, s(x)).
        alone: Parameters of p(y_i | x), of A(x).
    """

    joint: Tensor
    alone: Tensor


class PixelCnn(nn.Module):
    """p(y | x) = prod_i p(y_i | y_<i, x), in rows from the top, in a row from the left, R, G, B in a pixel.

    x goes unmasked through a residual network, to features s(x) and to parameters A(x) of a distribution for
    every color of every pixel; y goes through two gated stacks, the vertical one over all rows above and the
    horizontal one over the row so far, which together see everything before a pixel (no blind spot within
    their reach) and add B(y_<i, s(x)). B starts at zero.

    What `forward` restores takes the same time for every image and is the same at every call: the mean of
    p(y_i | x), the best guess in mean square, then `refinements` Jacobi steps y <- E[y_i | y_<i, x] on all
    pixels at once. One step gains a little; further ones lose again, since the network has learned to trust
    what comes before a pixel as if it were clean. `sample` draws an image instead, `likelihood` judges one.

    Left open by the papers and chosen here: a first reach of 3 pixels (7x7), then 1 (3x3); the logistic means
    are counted from the degraded pixel; an additional channel of ones tells the stacks what lies inside.
    The defaults have 6,232,788 parameters.

    Args:
        channels: 3 for RGB or 1 for gray.
        width: Features of each stack; a multiple of `channels`.
        layers: Gated layers.
        condition: Channels of the residual network on x.
        blocks: Its residual blocks.
        output: "logistic", a mixture of discretized logistics, or "categorical", 256 numbers per color.
        components: Logistics of a mixture.
        refinements: Jacobi steps of `forward`, from 1.

    Raises:
        ValueError: The width, the output or the refinements are not possible.
    """

    scale = 1
    multiple = 1

    def __init__(
        self,
        channels: int = 3,
        width: int = 120,
        layers: int = 15,
        condition: int = 64,
        blocks: int = 16,
        output: Literal["logistic", "categorical"] = "logistic",
        components: int = 10,
        *,
        refinements: int = 1,
    ) -> None:
        super().__init__()
        limits.pixelcnn(channels, width, output, refinements)
        self.channels = channels
        self.refinements = refinements
        self.stack_reach = FIRST_REACH + layers
        radius = 1 + 2 * blocks + refinements * self.stack_reach
        self.receptive_field: int | None = 2 * radius + 1
        self.distribution: Distribution = (
            Categorical() if output == "categorical" else LogisticMixture(components)
        )
        groups = groups_of(width, channels)
        self.condition = nn.Sequential(
            nn.Conv2d(channels, condition, 3, padding=1),
            *(ResidualBlock(condition) for _ in range(blocks)),
            nn.ReLU(),
        )
        size = self.distribution.size
        self.alone = nn.Conv2d(condition, channels * size, 1)
        self.first_vertical = RowsAbove(channels + 1, width, FIRST_REACH, strict=True)
        self.first_horizontal = MaskedRow([*range(channels), -1], groups, FIRST_REACH, strict=True)
        self.layers = nn.ModuleList(GatedLayer(width, channels, condition) for _ in range(layers))
        self.head = MaskedRow(groups, groups)
        self.last = MaskedRow(groups, groups_of(channels * size, channels))
        for layer in (self.alone, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.alone.bias.copy_(self.distribution.start().repeat(channels))  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """Map degraded (N, C, H, W) in [0, 1] to restored of the same shape."""
        s = self.condition(2 * x - 1)
        alone = self._alone(s, x)
        y = self.mean(alone)
        for _ in range(self.refinements):
            y = self.mean(alone + self._stacks(y, s))
        return y

    def predict(self, y: Tensor, x: Tensor) -> Prediction:
        """Return the distributions of every color given those before it in y and all of x.

        Args:
            y: (N, C, H, W) in [0, 1]: the image that is judged, or its guess.
            x: The degraded image, of the same shape.
        """
        s = self.condition(2 * x - 1)
        alone = self._alone(s, x)
        return Prediction(alone + self._stacks(y, s), alone)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the means (N, C, H, W) in [0, 1] of predicted distributions."""
        return self.distribution.mean(parameters)

    def log_probability(self, parameters: Tensor, y: Tensor) -> Tensor:
        """Return the natural logarithms (N, C, H, W) of the probabilities of y, rounded to 8 bits."""
        return self.distribution.log_probability(parameters, to_levels(y))

    @torch.no_grad()
    def likelihood(self, y: Tensor, x: Tensor) -> Tensor:
        """Return -log2 p(y | x) per color of a pixel, "bits per dimension", (N,).

        Args:
            y: (N, C, H, W) in [0, 1], rounded to 8 bits: the image that is judged.
            x: The degraded image, of the same shape.
        """
        y = to_levels(y).to(x.dtype) / 255
        return bits(self.log_probability(self.predict(y, x).joint, y))

    @torch.no_grad()
    def sample(self, x: Tensor, temperature: float = 1.0, generator: torch.Generator | None = None) -> Tensor:
        """Draw an image from p(y | x): (N, C, H, W), levels / 255.

        What each layer needs of the pixels before is kept, so that a pixel costs as many steps as there are
        layers, whatever the size of the image.

        Args:
            x: Degraded (N, C, H, W) in [0, 1].
            temperature: 1 draws as learned; less keeps to what is likely; 0 takes the likeliest each time.
            generator: On the CPU; N x C x H x W x 2 uniform numbers are taken from it at once.

        Raises:
            ValueError: A temperature below 0 or above 2.
        """
        s = self.condition(2 * x - 1)
        return sample_cached(self, self._alone(s, x), s, temperature, generator)

    def _alone(self, s: Tensor, x: Tensor) -> Tensor:
        return self.distribution.centered(self._by_color(self.alone(s)), x)

    def _stacks(self, y: Tensor, s: Tensor) -> Tensor:
        """Return B(y_<i, s): (N, C, P, H, W)."""
        seen = with_ones(2 * y - 1)
        v, h = self.first_vertical(seen), self.first_horizontal(seen)
        for layer in self.layers:
            v, h = layer(v, h, s)
        return self._by_color(self.last(self.head(h.relu()).relu()))

    def _by_color(self, parameters: Tensor) -> Tensor:
        exact = parameters.to(torch.promote_types(parameters.dtype, torch.float32))
        n, _, height, width = exact.shape
        return exact.reshape(n, self.channels, self.distribution.size, height, width)
