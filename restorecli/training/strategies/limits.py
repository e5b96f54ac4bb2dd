"""What the arguments of strategies must satisfy; nothing is imported, so that a recipe is checked at once.

Each function bears the name of a strategy's file. The strategy calls it first, and `catalog.check_limits`
calls it for a recipe: both say the same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from restorecli.catalogs import did_you_mean
from restorecli.core.losses.limits import KINDS

DISCRIMINATORS = ("patch", "vgg")
"""What judges the images of adversarial training: patches, or crops whole."""

_SIDE = 32
"""Of what the vgg discriminator's crops must be multiples."""


def adversarial(
    crop: int,
    discriminator: str,
    kind: str,
    weight: float,
    start: int,
    width: int,
    layers: int,
    *,
    conditional: bool,
) -> None:
    """Raise a ValueError for what `Adversarial` cannot be; as all functions below for theirs."""
    _check_word("discriminator", discriminator, DISCRIMINATORS)
    _check_word("kind", kind, KINDS)
    if weight < 0 or start < 0:
        raise ValueError(f"weight and start: from 0, got {weight} and {start}")
    if not (1 <= width <= 256 and 1 <= layers <= 5):
        raise ValueError(f"width: 1 to 256 and layers: 1 to 5, got {width} and {layers}")
    if discriminator == "vgg":
        if conditional:
            raise ValueError("conditional: the vgg discriminator sees the image alone; use patch")
        if crop % _SIDE:
            raise ValueError(f"the vgg discriminator needs crops of a multiple of {_SIDE} pixels, got {crop}")
    elif crop < 3 * 2**layers:
        needed = f"needs crops of {3 * 2**layers} pixels, got {crop}"
        raise ValueError(f"a patch discriminator of {layers} layers {needed}")


def autoregressive(auxiliary: float) -> None:
    """See `adversarial`."""
    if auxiliary < 0:
        raise ValueError(f"auxiliary: a weight from 0, got {auxiliary}")


def masked(inside: float) -> None:
    """See `adversarial`."""
    if inside < 0:
        raise ValueError(f"inside: a weight from 0, got {inside}")


def old_photo(inside: float, mask: float, positive: float) -> None:
    """See `adversarial`."""
    if inside < 1 or mask < 0 or positive < 1:
        got = f"{inside}, {mask} and {positive}"
        raise ValueError(f"inside: from 1, mask: from 0, positive: from 1, got {got}")


def variational(pair: float, kl: float, warmup: int, free: float, matching: float, width: int) -> None:
    """See `adversarial`."""
    if min(pair, kl, warmup, free, matching) < 0 or not 1 <= width <= 256:
        raise ValueError("weights, warmup and free: from 0, and width: 1 to 256")


LIMITS: Mapping[str, Callable[..., None]] = {
    "adversarial": adversarial,
    "autoregressive": autoregressive,
    "masked": masked,
    "old-photo": old_photo,
    "variational": variational,
}
"""By the name of the strategy; the others have no arguments."""


def _check_word(argument: str, word: str, known: Sequence[str]) -> None:
    if word not in known:
        near = did_you_mean(str(word), known)
        hint = f"; {near}" if near else ""
        raise ValueError(f"{argument}: one of {', '.join(known)}, got {word!r}{hint}")
