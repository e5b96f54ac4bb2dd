"""Damages that come together: which pairs are looked for, and in which order they are undone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

_STANDS_FOR: Mapping[str, str] = {
    "poisson": "gaussian",
    "speckle": "gaussian",
    "defocus": "gaussian-blur",
    "motion-blur": "gaussian-blur",
    "film-grain": "camera-noise",
}
"""Noise, and blur: a pair holds for every kind of them."""

_VEILS = frozenset(("haze", "sand-dust"))


@dataclass(frozen=True, slots=True)
class Together:
    """Two damages that come together.

    Attributes:
        first: What is undone first.
        then: What is undone after it.
        joint: Weights that undo both at once, better than one after the other; empty where there are none.
        least: The strength of `first`, its first, from which `joint` is better.
        below: The strength of `then`, its first, below which `joint` is better.
        then_by: Weights that undo `then` after `first` better than those for `then` alone.
    """

    first: str
    then: str
    joint: str = ""
    least: float = -math.inf
    below: float = math.inf
    then_by: str = ""


# Each order is the better one on training photographs; `restorecli bench orders` measures it again.
TOGETHER: tuple[Together, ...] = (
    Together("gaussian", "jpeg", joint="sca-unet.noise-jpeg"),
    Together("gaussian", "defocus", joint="sca-unet.deblur", least=5, below=2.4),
    Together("gaussian", "gaussian-blur", joint="sca-unet.noise-blur", least=5, below=2.4),
    Together("jpeg", "gaussian-blur", joint="sca-unet.noise-blur", below=2.4),
    Together("low-light", "gaussian"),
    Together("low-light", "camera-noise"),
    Together("low-light", "jpeg", then_by="sca-unet.noise-jpeg"),
    Together("haze", "jpeg"),
    Together("gaussian", "haze"),
    Together("sand-dust", "jpeg"),
    Together("gaussian", "scratches"),
    Together("camera-noise", "scratches"),
)


def together(one: str, other: str) -> Together | None:
    """Return what is known of two damages that come together, whichever is named first; None for others.

    What is known of one kind of blur comes before what holds for every kind.
    """
    wanted = {kind_of(one), kind_of(other)}
    exact = ({kind_of(one), other}, {one, kind_of(other)})
    return next((pair for pair in TOGETHER if {pair.first, pair.then} in (*exact, wanted)), None)


def kind_of(damage: str) -> str:
    """Return the damage that stands for its kind in pairs: "gaussian" for all noise, and so on."""
    return _STANDS_FOR.get(damage, damage)


def alike(one: str, other: str) -> bool:
    """Tell whether two are kinds of one damage: noise, blur, a veil. That it is one of them must be sure."""
    return kind_of(one) == kind_of(other) or {one, other} <= _VEILS
