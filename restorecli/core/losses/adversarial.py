"""Adversarial losses of logits: what a discriminator makes smaller, and what the network that it judges does.

All are means over the logits. The discriminator's is the mean of its two halves, true and restored images
(pix2pix, Isola et al. 2017, sec. 3.3, halves it so that it learns more slowly).
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from restorecli.core.losses.limits import Kind


def discriminator_loss(true: Tensor, restored: Tensor, *, kind: Kind = "vanilla") -> Tensor:
    """Return the discriminator's loss: it wants large logits for true images, small ones for restored.

    With t and r the logits of true and restored images, and s(a) = log(1 + e^a):
    vanilla (s(-t) + s(r)) / 2, which is log 2 where nothing is told apart (Goodfellow et al. 2014);
    lsgan ((t - 1)^2 + r^2) / 2 (Mao et al., ICCV 2017);
    hinge (max(0, 1 - t) + max(0, 1 + r)) / 2 (Lim, Ye 2017);
    relativistic (s(-(t - E r)) + s(r - E t)) / 2 (Wang et al., ESRGAN, ECCVW 2018, eq. 1).

    Args:
        true: Logits of any shape.
        restored: Logits of any shape.
        kind: One of `limits.KINDS`.

    Returns:
        A scalar, float32 at least.
    """
    true, restored = _wide(true), _wide(restored)
    if kind == "lsgan":
        parts = (true - 1).square().mean(), restored.square().mean()
    elif kind == "hinge":
        parts = F.relu(1 - true).mean(), F.relu(1 + restored).mean()
    elif kind == "relativistic":
        parts = F.softplus(restored.mean() - true).mean(), F.softplus(restored - true.mean()).mean()
    else:
        parts = F.softplus(-true).mean(), F.softplus(restored).mean()
    return 0.5 * (parts[0] + parts[1])


def generator_loss(restored: Tensor, true: Tensor | None = None, *, kind: Kind = "vanilla") -> Tensor:
    """Return the loss of the network that is judged: it wants large logits for its images.

    In the words of `discriminator_loss`: vanilla s(-r), the form that does not saturate; lsgan (r - 1)^2;
    hinge -r; relativistic (s(t - E r) + s(E t - r)) / 2 (ESRGAN, eq. 2, halved like the discriminator's).

    Args:
        restored: Logits of restored images.
        true: Logits of true images; needed by relativistic alone.
        kind: One of `limits.KINDS`.

    Raises:
        ValueError: relativistic without `true`.
    """
    restored = _wide(restored)
    if kind == "lsgan":
        return (restored - 1).square().mean()
    if kind == "hinge":
        return -restored.mean()
    if kind == "vanilla":
        return F.softplus(-restored).mean()
    if true is None:
        raise ValueError("the relativistic loss compares with the logits of true images, got none")
    true = _wide(true)
    less_true = F.softplus(true - restored.mean()).mean()
    return 0.5 * (less_true + F.softplus(true.mean() - restored).mean())


def _wide(logits: Tensor) -> Tensor:
    return logits.to(torch.promote_types(logits.dtype, torch.float32))
