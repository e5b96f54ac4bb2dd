"""What the arguments of losses must satisfy; nothing is imported, so that a recipe is checked at once.

Each function bears the name of a loss and takes those of its arguments that have limits. The loss calls it
first, and `catalog.check_limits` calls it for a recipe: both say the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Literal, get_args

Kind = Literal["vanilla", "lsgan", "hinge", "relativistic"]
KINDS: tuple[str, ...] = get_args(Kind)
"""Of adversarial losses."""

FORMS = ("pyramid", "laplacian")
"""Of the Laplacian whose differences the edge loss compares."""

NORMS = ("backward", "ortho")
"""How the frequency loss scales its Fourier transforms."""


def charbonnier(eps: float) -> None:
    """Raise a ValueError for what `CharbonnierLoss` cannot be; as all functions below for theirs."""
    if not isinstance(eps, (int, float)) or not 0 < eps < math.inf:
        raise ValueError(f"eps must be a number above 0, got {eps!r}")


def edge(form: str, eps: float) -> None:
    """See `charbonnier`."""
    if form not in FORMS:
        raise ValueError(f"form must be one of {', '.join(FORMS)}, got {form!r}")
    charbonnier(eps)


def frequency(norm: str) -> None:
    """See `charbonnier`."""
    if norm not in NORMS:
        raise ValueError(f"norm must be 'backward' or 'ortho', got {norm!r}")


def ssim(window: int, sigma: float) -> None:
    """See `charbonnier`."""
    if type(window) is not int or window < 1 or window % 2 == 0:
        raise ValueError(f"window must be an odd number of pixels, got {window!r}")
    if not isinstance(sigma, (int, float)) or not 0 < sigma < math.inf:
        raise ValueError(f"sigma must be a number of pixels above 0, got {sigma!r}")


LIMITS: Mapping[str, Callable[..., None]] = {
    "charbonnier": charbonnier,
    "edge": edge,
    "frequency": frequency,
    "psnr": charbonnier,
    "ssim": ssim,
}
"""By the name of the loss; the others have no arguments."""
