"""Adversarial losses against closed forms, torch's own criteria and the directions of their gradients."""

import math

import pytest
import torch
from torch import nn

from restorecli.core.losses.adversarial import discriminator_loss, generator_loss
from restorecli.core.losses.limits import KINDS

SHAPE = (2, 1, 5, 4)


def logits(value):
    return torch.full(SHAPE, float(value), dtype=torch.float64)


def drawn(seed):
    return torch.randn(SHAPE, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize(
    ("kind", "true", "restored", "critic", "fooling"),
    [
        ("vanilla", 0, 0, math.log(2), math.log(2)),
        ("lsgan", 1, 0, 0, 1),
        ("lsgan", 0, 1, 1, 0),
        ("lsgan", 0.5, 0.5, 0.25, 0.25),
        ("hinge", 1, -1, 0, 1),
        ("hinge", 0, 0, 1, 0),
        ("hinge", -2, 3, 3.5, -3),
        ("relativistic", 7, 7, math.log(2), math.log(2)),
        ("relativistic", 3, 1, math.log1p(math.exp(-2)), math.log1p(math.exp(2))),
    ],
)
def test_values_at_known_logits(kind, true, restored, critic, fooling):
    t, r = logits(true), logits(restored)
    assert float(discriminator_loss(t, r, kind=kind)) == pytest.approx(critic)
    assert float(generator_loss(r, t, kind=kind)) == pytest.approx(fooling)


def test_vanilla_and_relativistic_equal_torchs_cross_entropy():
    judge = nn.BCEWithLogitsLoss()
    t, r = drawn(0), drawn(1)
    yes, no = torch.ones_like(t), torch.zeros_like(t)
    torch.testing.assert_close(discriminator_loss(t, r), (judge(t, yes) + judge(r, no)) / 2)
    torch.testing.assert_close(generator_loss(r), judge(r, yes))
    higher, lower = t - r.mean(), r - t.mean()
    torch.testing.assert_close(
        discriminator_loss(t, r, kind="relativistic"), (judge(higher, yes) + judge(lower, no)) / 2
    )
    torch.testing.assert_close(
        generator_loss(r, t, kind="relativistic"), (judge(higher, no) + judge(lower, yes)) / 2
    )


def test_lsgan_equals_torchs_squared_error():
    judge = nn.MSELoss()
    t, r = drawn(0), drawn(1)
    yes, no = torch.ones_like(t), torch.zeros_like(t)
    torch.testing.assert_close(discriminator_loss(t, r, kind="lsgan"), (judge(t, yes) + judge(r, no)) / 2)
    torch.testing.assert_close(generator_loss(r, kind="lsgan"), judge(r, yes))


@pytest.mark.parametrize("kind", KINDS)
def test_the_two_pull_at_the_logits_of_restored_images_against_each_other(kind):
    t = (0.5 + 0.1 * drawn(0)).requires_grad_()
    r = (0.5 + 0.1 * drawn(1)).requires_grad_()
    up, down = torch.autograd.grad(discriminator_loss(t, r, kind=kind), (t, r))
    assert float(up.max()) < 0 < float(down.min())
    (fooled,) = torch.autograd.grad(generator_loss(r, t.detach(), kind=kind), r)
    assert float(fooled.max()) < 0


@pytest.mark.parametrize("kind", KINDS)
def test_half_precision_and_large_logits_stay_finite(kind):
    t, r = logits(-3e4).half(), logits(3e4).half()
    assert discriminator_loss(t, r, kind=kind).dtype == torch.float32
    assert torch.isfinite(discriminator_loss(t, r, kind=kind))
    assert torch.isfinite(generator_loss(r, t, kind=kind))


def test_relativistic_needs_true_images():
    with pytest.raises(ValueError, match="true images"):
        generator_loss(drawn(0), kind="relativistic")
