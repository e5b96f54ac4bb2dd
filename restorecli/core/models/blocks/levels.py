"""Distributions over the 256 levels of a color of a pixel: one number per level, or a mixture of logistics.

Each turns P numbers per color of a pixel, (N, C, P, H, W), into log-probabilities, means and draws.
"""

from __future__ import annotations

import math
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 256
HALF = 1 / (LEVELS - 1)
"""Half the width of a level where the levels 0 to 255 stand for -1 to 1."""
MIN_LOG_SCALE = -7.0


def to_levels(y: Tensor) -> Tensor:
    """Return the whole levels 0 to 255 of pixels in [0, 1], as int64; values outside are clipped."""
    return (y * (LEVELS - 1)).round().clamp(0, LEVELS - 1).long()


class Distribution(Protocol):
    """A family of distributions over the 256 levels."""

    @property
    def size(self) -> int:
        """P, how many numbers describe a distribution."""

    def start(self) -> Tensor:
        """Return the P numbers of the distribution to start training from."""

    def centered(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Return parameters that were counted from the degraded pixels x (N, C, H, W) in [0, 1]."""

    def log_probability(self, parameters: Tensor, levels: Tensor) -> Tensor:
        """Return the natural logarithms (N, C, H, W) of the probabilities of whole levels (N, C, H, W)."""

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the means (N, C, H, W) in [0, 1]."""

    def draw(self, parameters: Tensor, chance: Tensor, temperature: float) -> Tensor:
        """Draw levels (N,) from parameters (N, P) by chance (N, 2), uniform in [0, 1)."""


class Categorical:
    """A softmax over the 256 levels: any distribution, but with no notion that neighbors are alike."""

    size = LEVELS

    def start(self) -> Tensor:
        """Return 256 zeros: all levels are equally likely, 8 bits."""
        return torch.zeros(LEVELS)

    def centered(self, parameters: Tensor, x: Tensor) -> Tensor:  # noqa: ARG002
        """Return the parameters as they are."""
        return parameters

    def log_probability(self, parameters: Tensor, levels: Tensor) -> Tensor:
        """Return log softmax at the levels."""
        return parameters.log_softmax(2).gather(2, levels[:, :, None])[:, :, 0]

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the sum of level times probability."""
        values = torch.linspace(0, 1, LEVELS, dtype=parameters.dtype, device=parameters.device)
        return (parameters.softmax(2) * values[:, None, None]).sum(2)

    def draw(self, parameters: Tensor, chance: Tensor, temperature: float) -> Tensor:
        """Draw a level with probabilities softmax(parameters / temperature); at 0 the likeliest."""
        return _pick(parameters, chance[:, 0], temperature)


class LogisticMixture:
    """A mixture of logistic distributions, each cut into levels.

    The probability of the level at v in [-1, 1] is sigmoid(b) - sigmoid(a) with b = (v - m + 1/255) / s and
    a = (v - m - 1/255) / s, the outermost levels taking the tails: Salimans, Karpathy, Chen, Kingma,
    "PixelCNN++", ICLR 2017, eq. 2.
    Its logarithm is computed as log sigmoid(b) + log sigmoid(-a) + log(1 - exp(a - b)), which is exact also
    where the difference underflows; the authors switch to the density there. Every color has a mixture of
    its own (3 numbers per component: weight, mean, logarithm of the scale); the authors share weights between
    the colors and link their means, which the color groups of the network do here.

    Args:
        components: How many logistics.

    Raises:
        ValueError: Fewer than 1.
    """

    def __init__(self, components: int = 10) -> None:
        if components < 1:
            raise ValueError(f"components must be from 1, got {components}")
        self.components = components
        self.size = 3 * components

    def start(self) -> Tensor:
        """Return equal weights, means 0, and scales from narrow to wide: equal ones would stay equal."""
        scales = torch.linspace(-4.5, -1.5, self.components + 2)[1:-1]
        return torch.cat([torch.zeros(2 * self.components), scales])

    def centered(self, parameters: Tensor, x: Tensor) -> Tensor:
        """Add the degraded pixels to the means."""
        weights, means, scales = parameters.chunk(3, 2)
        return torch.cat([weights, means + (2 * x - 1)[:, :, None], scales], 2)

    def log_probability(self, parameters: Tensor, levels: Tensor) -> Tensor:
        """Return the logarithms of the mixtures' probabilities."""
        weights, means, scales = self._split(parameters)
        away = (levels.to(means.dtype) * (2 * HALF) - 1)[:, :, None] - means
        rate = (-scales).exp()
        above, below = F.logsigmoid((away + HALF) * rate), F.logsigmoid(-(away - HALF) * rate)
        inside = above + below + torch.log(-torch.expm1(-2 * HALF * rate))
        at = levels[:, :, None]
        each = torch.where(at == 0, above, torch.where(at == LEVELS - 1, below, inside))
        return (weights.log_softmax(2) + each).logsumexp(2)

    def mean(self, parameters: Tensor) -> Tensor:
        """Return the means of the mixtures clipped to [-1, 1], mapped to [0, 1].

        E[clip(v)] = 1 - s (softplus((1 - m) / s) - softplus((-1 - m) / s)) before the cut into levels, which
        moves it by less than half a level.
        """
        weights, means, scales = self._split(parameters)
        scale = scales.exp()
        upper, lower = F.softplus((1 - means) / scale), F.softplus((-1 - means) / scale)
        clipped = 1 - scale * (upper - lower)
        return ((weights.softmax(2) * clipped).sum(2) + 1) / 2

    def draw(self, parameters: Tensor, chance: Tensor, temperature: float) -> Tensor:
        """Draw a component, then a value m + temperature s logit(u); at 0 the likeliest component's mean."""
        weights, means, scales = parameters.chunk(3, 1)
        which = _pick(weights, chance[:, 0], temperature)[:, None]
        mean, scale = means.gather(1, which)[:, 0], scales.clamp_min(MIN_LOG_SCALE).gather(1, which)[:, 0]
        spread = temperature * scale.exp() * torch.logit(chance[:, 1].to(mean), eps=1e-6)
        return to_levels((mean + spread + 1) / 2)

    def _split(self, parameters: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weights, means, scales = parameters.chunk(3, 2)
        return weights, means, scales.clamp_min(MIN_LOG_SCALE)


def _pick(logits: Tensor, chance: Tensor, temperature: float) -> Tensor:
    """Return per row of (N, K) logits the place that `chance` (N,) in [0, 1) falls on."""
    if temperature == 0:
        return logits.argmax(1)
    sums = (logits / temperature).softmax(1).cumsum(1)
    place = torch.searchsorted(sums, chance.to(sums)[:, None] * sums[:, -1:], right=True)[:, 0]
    return place.clamp_max(logits.shape[1] - 1)


def bits(log_probability: Tensor) -> Tensor:
    """Return the mean bits per color of a pixel, (N,), of natural logarithms (N, C, H, W)."""
    return -log_probability.mean((1, 2, 3)) / math.log(2)
