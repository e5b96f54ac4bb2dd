"""What variational auto-encoders make smaller, and how they draw: Kingma, Welling, ICLR 2014."""

from __future__ import annotations

import torch
from torch import Tensor


def reparameterize(mean: Tensor, logvar: Tensor, noise: Tensor) -> Tensor:
    """Return mean + e^(logvar / 2) noise: a draw through which gradients reach mean and logvar.

    Args:
        mean: (N, D).
        logvar: (N, D), logarithm of the variance.
        noise: (N, D), drawn from N(0, 1).
    """
    return mean + torch.exp(0.5 * logvar) * noise


def kl_divergence(mean: Tensor, logvar: Tensor, *, free: float = 0.0) -> Tensor:
    """Return the divergence of N(mean, e^logvar) from N(0, 1): (mean^2 + e^logvar - logvar - 1) / 2.

    It is averaged over the batch and summed over the code; what a dimension has below `free` counts as
    `free`, so that it need not become useless (free bits: Kingma et al., NeurIPS 2016).

    Args:
        mean: (N, D).
        logvar: (N, D), logarithm of the variance.
        free: Nats of each dimension that cost nothing more.

    Returns:
        A scalar, float32 at least, in nats.
    """
    mean, logvar = (x.to(torch.promote_types(x.dtype, torch.float32)) for x in (mean, logvar))
    each = 0.5 * (mean.square() + logvar.exp() - logvar - 1)
    return each.mean(0).clamp_min(free).sum()
