"""A second look: what a network against a damage takes away confirms that the damage was there, or not.

Clean reeds and wires look like faint scratches, grass looks like faint rain, and fabrics and fences look like
faint moire. Whether what a network takes away was paint, rain or moire can be seen better than whether an
image has it. `diagnose` restores nothing: it
names such damages as doubts, and who can restore looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from restorecli.diagnosis.measuring.view import Pixels, window_of
from restorecli.diagnosis.remedies import LIMITS, model_against, plan
from restorecli.diagnosis.result import Diagnosis
from restorecli.diagnosis.second_look.drops import rain_chance
from restorecli.diagnosis.second_look.marks import paint_chance
from restorecli.diagnosis.second_look.ripples import moire_chance

SCRATCHES, _RAIN, _MOIRE = "scratches", "rain", "moire"

DOUBTFUL: Mapping[str, float] = {_RAIN: 0.03, SCRATCHES: 0.004, _MOIRE: 0.01}
"""Chance from which a damage, where nothing is sure, is worth a second look."""

DOUBTFUL_GRAY: Mapping[str, float] = {SCRATCHES: 0.001, _MOIRE: 0.01}
"""The same for gray images, in which rain is not told from grass."""

_CONFIRMED: Mapping[str, float] = {_RAIN: 0.5, SCRATCHES: 0.99, _MOIRE: 0.95}
"""Chance by the second look above which a damage is confirmed. Rain: of 561 clean crops of training
photographs, 192 px, six reach it, and the first look suspects rain in none of them. Scratches: of 35
clean crops of photographs in color and 55 in gray that the table was not fitted to and that are looked at
again none has it, the likeliest 0.914 and 0.9957, and of 155 larger parts and whole ones, glossy samples
among them, 0.987 and 0.9966. Moire: of 200 clean crops in color, 200 clean photographs in gray and 481 clear
views of dusty places none has it, whatever the first look makes of them."""

_CONFIRMED_GRAY: Mapping[str, float] = {**_CONFIRMED, SCRATCHES: 0.998}
"""The same for gray images, in which wires and reeds have the color of paint."""


def doubts_among(chances: Mapping[str, float], *, is_gray: bool = False) -> tuple[str, ...]:
    """Return the damages that are worth a second look, the likeliest first.

    Args:
        chances: Of each damage that is possible, where none is sure.
        is_gray: Whether the image has no colors, in which fewer damages are told.
    """
    limits = DOUBTFUL_GRAY if is_gray else DOUBTFUL
    doubtful = [name for name, least in limits.items() if chances.get(name, 0.0) >= least]
    return tuple(sorted(doubtful, key=lambda name: -chances[name]))


def confirm(diagnosis: Diagnosis, image: Pixels, restored: Callable[[str, Pixels], Pixels]) -> Diagnosis:
    """Return a diagnosis after a second look: the first doubt that it confirms counts as found.

    Args:
        diagnosis: Of the image.
        image: What it looked at, (C, H, W) float32, C = 1 or 3, in [0, 1]; see `diagnosing.looked_at`.
        restored: Returns what the weights of a name make of an image, of the same size and in [0, 1]. It is
            given the window that the first look saw; see `view`.
    """
    window = window_of(image)
    for doubt in diagnosis.doubts:
        after = restored(model_against(doubt.damage), window)
        chance = confirms(doubt.damage, window, after)
        if chance is not None:
            found = (replace(doubt, confidence=chance),)
            steps = plan(found, is_gray=len(image) == 1)
            return Diagnosis(found, steps, (LIMITS[doubt.damage],), chance, inside=diagnosis.inside)
    return diagnosis


def confirms(damage: str, before: Pixels, after: Pixels) -> float | None:
    """Return the chance of a damage by what was taken away; None where that does not confirm it.

    Args:
        damage: "scratches", "rain" or "moire".
        before: (C, H, W) float32, C = 1 or 3, in [0, 1].
        after: The same as restored by weights against the damage.
    """
    chance = _LOOKS[damage](255 * before, 255 * after)
    limits = _CONFIRMED_GRAY if len(before) == 1 else _CONFIRMED
    return chance if chance > limits[damage] else None


_LOOKS: Mapping[str, Callable[[Pixels, Pixels], float]] = {
    _RAIN: rain_chance,
    SCRATCHES: paint_chance,
    _MOIRE: moire_chance,
}
