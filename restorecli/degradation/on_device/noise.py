"""Noise on the device; see `families.noise` for the laws."""

from __future__ import annotations

import torch
from torch import Tensor

from restorecli.degradation.on_device.base import Drawn, Randomness, Values, numbers, switches, value
from restorecli.degradation.sampler import DegradationSampler

_SMALL_RATE = 4.0
_SMALL_TERMS = 24
"""P(count > 24) at rate 4 is 5e-12."""

_CORRECTIONS = 2
"""The expansion of Cornish and Fisher misses the count by no more at rates from 4, but for one in 1e15."""


class Gaussian:
    """Additive white Gaussian noise."""

    def __init__(self, sampler: DegradationSampler) -> None:
        del sampler

    def values(self, drawn: Drawn) -> Values:
        """Return sigma in [0, 1] units, and whether all channels share one field."""
        shared = [bool(getattr(step, "gray", False)) for step in drawn]
        return {"sigma": numbers([value(step, "sigma", 0) / 255 for step in drawn]), "gray": switches(shared)}

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return images + noise; see the protocol."""
        noise = randomness.shared(randomness.stream.normal(images.shape[1:]))
        noise = torch.where(values["gray"], noise[:, :1], noise)
        return torch.addcmul(images, noise, values["sigma"])


class Speckle:
    """Multiplicative Gaussian noise of mean 1."""

    def __init__(self, sampler: DegradationSampler) -> None:
        del sampler

    def values(self, drawn: Drawn) -> Values:
        """Return the spread of the factor."""
        return {"std": numbers([value(step, "std", 0) for step in drawn])}

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return images times their factors; see the protocol."""
        factor = randomness.shared(randomness.stream.normal(images.shape[1:]))
        return images * (1 + factor * values["std"])


class SaltPepper:
    """Impulses: lost pixels."""

    def __init__(self, sampler: DegradationSampler) -> None:
        self._random_valued = any(step.parameters()["random_valued"] for step in sampler.extremes())

    def values(self, drawn: Drawn) -> Values:
        """Return the shares, and the two switches."""
        return {
            "amount": numbers([value(step, "amount", 0) for step in drawn]),
            "salt": numbers([value(step, "salt", 0) for step in drawn]),
            "independent": switches([bool(getattr(step, "independent", False)) for step in drawn]),
            "random_valued": switches([bool(getattr(step, "random_valued", False)) for step in drawn]),
        }

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return images with lost pixels; see the protocol."""
        chance = self._field(images, values, randomness, 0)
        lost = (chance < values["amount"] * values["salt"]).float()
        if self._random_valued:
            lost = torch.where(values["random_valued"], self._field(images, values, randomness, 1), lost)
        return torch.where(chance < values["amount"], lost, images)

    def _field(self, images: Tensor, values: Values, randomness: Randomness, draw: int) -> Tensor:
        field = randomness.shared(randomness.stream.uniform(images.shape[1:], draw))
        return torch.where(values["independent"], field, field[:, :1])


class Poisson:
    """Photon noise: y = Poisson(peak x) / peak."""

    def __init__(self, sampler: DegradationSampler) -> None:
        del sampler

    def values(self, drawn: Drawn) -> Values:
        """Return the peaks in float64, and where there is such a step."""
        peaks = torch.tensor([value(step, "peak", 1) for step in drawn], dtype=torch.float64)
        applied = switches([step is not None for step in drawn])
        return {"peak": peaks.reshape(-1, 1, 1, 1), "applied": applied}

    def apply(self, images: Tensor, values: Values, randomness: Randomness) -> Tensor:
        """Return photon counts divided by the peak; see the protocol."""
        chance = randomness.shared(randomness.stream.uniform_53(images.shape[1:]))
        peak = values["peak"]
        counts = poisson_quantile(chance, images.clamp_min(0).double() * peak)
        return torch.where(values["applied"], (counts / peak).float(), images)


def poisson_quantile(chance: Tensor, rate: Tensor) -> Tensor:
    """Return the smallest count whose cumulative probability is at least `chance`: inversion, exact in law.

    There is no loop that depends on values, so that the device is never waited for.

    Args:
        chance: float64 in (0, 1).
        rate: float64 from 0, the same shape.
    """
    small = _summed(chance, rate.clamp_max(_SMALL_RATE))
    return torch.where(rate < _SMALL_RATE, small, _expanded(chance, rate.clamp_min(_SMALL_RATE)))


def _summed(chance: Tensor, rate: Tensor) -> Tensor:
    """Sum probabilities from 0 on."""
    probability = torch.exp(-rate)
    below = probability.clone()
    count = torch.zeros_like(rate)
    for number in range(1, _SMALL_TERMS + 1):
        count += below < chance
        probability = probability * rate / number
        below += probability
    return count


def _expanded(chance: Tensor, rate: Tensor) -> Tensor:
    """Start at the expansion of Cornish and Fisher, and correct it by the true cumulative probability."""
    normal, spread = torch.special.ndtri(chance), rate.sqrt()
    near = rate + spread * normal + (normal.square() - 1) / 6 + (normal - normal**3) / (72 * spread)
    count: Tensor = (near - 0.5).ceil().clamp_min(0)
    below = torch.special.gammaincc(count + 1, rate)
    probability = torch.exp(torch.xlogy(count, rate) - rate - torch.lgamma(count + 1))
    for _ in range(_CORRECTIONS):
        lower = (below - probability >= chance) & (count > 0)
        below = torch.where(lower, below - probability, below)
        probability = torch.where(lower, probability * count / rate, probability)
        count = count - lower.double()
    for _ in range(_CORRECTIONS):
        higher = below < chance
        probability = torch.where(higher, probability * rate / (count + 1), probability)
        below = torch.where(higher, below + probability, below)
        count = count + higher.double()
    return count
