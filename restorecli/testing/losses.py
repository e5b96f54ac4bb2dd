"""Laws that hold for every loss; each is called with its name and arguments."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch
from torch import Tensor, nn

from restorecli.core.losses.catalog import create_loss

SHAPES = ((2, 3, 24, 20), (1, 1, 17, 31))
LEVELS = (0.01, 0.05, 0.2)
"""Standard deviations of noise, mild to strong."""


def images(
    shape: tuple[int, ...] = SHAPES[0], *, seed: int = 0, dtype: torch.dtype = torch.float64
) -> Tensor:
    """Return a batch of random images, (N, C, H, W) in [0.2, 0.8], always the same of a seed."""
    return 0.2 + 0.6 * torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def noisy(clean: Tensor, level: float) -> Tensor:
    """Return a batch with noise of a standard deviation, always the same noise times `level`."""
    generator = torch.Generator().manual_seed(1)
    return clean + level * torch.randn(clean.shape, generator=generator, dtype=clean.dtype)


def built(name: str, arguments: Mapping[str, object] | None) -> nn.Module:
    """Return the loss in float64, in which the laws are judged."""
    return create_loss(name, **(arguments or {})).double()


def it_gives_one_finite_number(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """Gray and color of any size give one number of the input's type, black against white too."""
    for shape in SHAPES:
        loss = create_loss(name, **(arguments or {}))
        clean = images(shape, dtype=torch.float32)
        for restored, reference in ((noisy(clean, 0.1), clean), (clean * 0, clean * 0 + 1)):
            value = loss(restored, reference)
            assert value.shape == (), (
                f"{name} gives {tuple(value.shape)}; a loss is one number: take the mean"
            )
            assert value.dtype == torch.float32
            assert torch.isfinite(value), f"{name} is {float(value)} for finite images"


def equal_images_give_the_least_loss(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """Nothing is better than the reference, which gives what the loss states as `least`."""
    loss, clean = built(name, arguments), images()
    value = float(loss(clean, clean))
    least = getattr(loss, "least", None)
    if least is not None:
        assert value == pytest.approx(least, abs=1e-9), f"{name}: state {value} as `least`"
    assert value < min(float(loss(noisy(clean, level), clean)) for level in LEVELS)


def more_damage_costs_more(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """The loss grows with the noise."""
    loss, clean = built(name, arguments), images()
    values = [float(loss(noisy(clean, level), clean)) for level in LEVELS]
    assert values == sorted(values), f"{name} falls where the noise grows: {values}"
    assert len(set(values)) == len(LEVELS), f"{name} does not see the noise: {values}"


def its_gradient_is_right(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """Judge: finite differences, in float64."""
    loss, reference = built(name, arguments), images((1, 2, 12, 13))
    restored = images((1, 2, 12, 13), seed=1).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: loss(x, reference), restored, fast_mode=True)


def its_gradient_stays_finite(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """Equal and flat images, where roots and quotients like to fail, give finite gradients."""
    loss = create_loss(name, **(arguments or {}))
    clean = images(dtype=torch.float32)
    flat = torch.zeros_like(clean)
    for restored, reference in ((clean, clean), (flat, flat), (flat, flat + 1), (flat, clean)):
        restored = restored.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(loss(restored, reference), restored)
        assert torch.isfinite(gradient).all(), f"{name}: a gradient is not finite; add an eps under the root"


def a_batch_costs_the_mean_of_its_images(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """No image of a batch changes what another one costs, and their order does not matter."""
    loss, clean = built(name, arguments), images((3, 3, 24, 20))
    restored = noisy(clean, 0.1) + torch.tensor([0.0, 0.1, -0.2], dtype=clean.dtype)[:, None, None, None]
    alone = [loss(restored[n : n + 1], clean[n : n + 1]) for n in range(3)]
    torch.testing.assert_close(loss(restored, clean), torch.stack(alone).mean(), rtol=1e-9, atol=1e-12)


def its_sides_count_as_it_says(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """Where it states `symmetric`, restored and reference may change places, or may not."""
    loss, clean = built(name, arguments), images()
    there, back = loss(noisy(clean, 0.1), clean), loss(clean, noisy(clean, 0.1))
    symmetric = getattr(loss, "symmetric", None)
    if symmetric is not None:
        assert torch.allclose(there, back, rtol=1e-9) == symmetric, f"{name}: `symmetric` is not {symmetric}"


def autocast_changes_nothing(name: str, arguments: Mapping[str, object] | None = None) -> None:
    """Noise as weak as the rounding of bfloat16 costs the same under autocast."""
    loss, clean = create_loss(name, **(arguments or {})), images(dtype=torch.float32)
    restored = noisy(clean, 0.005)
    with torch.autocast("cpu", torch.bfloat16):
        inside = float(loss(restored, clean))
    assert inside == pytest.approx(float(loss(restored, clean)), rel=1e-5), (
        f"{name}: compute under `torch.autocast(restored.device.type, enabled=False)`"
    )


LOSS_LAWS: tuple[Callable[..., None], ...] = (
    it_gives_one_finite_number,
    equal_images_give_the_least_loss,
    more_damage_costs_more,
    its_gradient_is_right,
    its_gradient_stays_finite,
    a_batch_costs_the_mean_of_its_images,
    its_sides_count_as_it_says,
    autocast_changes_nothing,
)
"""Each is called with a loss's name and, where it needs some, its arguments."""
