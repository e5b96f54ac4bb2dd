"""A second look: what a network against a damage takes away confirms that the damage was there, or not.

Clean reeds and wires look like faint scratches, and grass looks like faint rain. Whether what a network takes
away was paint, or rain, can be seen better than whether an image has it. `diagnose` restores nothing: it
names such damages as doubts, and who can restore looks again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from restorecli.diagnosis.drops import rain_chance
from restorecli.diagnosis.marks import paint_chance
from restorecli.diagnosis.remedies import LIMITS, model_against, plan
from restorecli.diagnosis.result import Diagnosis
from restorecli.diagnosis.view import Pixels, window_of

_SCRATCHES, _RAIN = "scratches", "rain"

DOUBTFUL: Mapping[str, float] = {_RAIN: 0.03, _SCRATCHES: 0.004}
"""Chance from which a damage, where nothing is sure, is worth a second look."""

_RAINED = 0.5
"""Chance by the second look that confirms rain: of 561 clean crops of training photographs, 192 px, six reach
it, and the first look suspects rain in none of them."""

_UNPAINTED, _TRUSTED = 0.095, 0.4
"""Chance that no mark is paint below which scratches are confirmed where the first look is undecided, and the
power of its odds by which that grows: no such crop is confirmed."""


def doubts_among(chances: Mapping[str, float]) -> tuple[str, ...]:
    """Return the damages that are worth a second look, the likeliest first.

    Args:
        chances: Of each damage that is possible, where none is sure.
    """
    doubtful = [name for name, least in DOUBTFUL.items() if chances.get(name, 0.0) >= least]
    return tuple(sorted(doubtful, key=lambda name: -chances[name]))


def confirm(diagnosis: Diagnosis, image: Pixels, restored: Callable[[str, Pixels], Pixels]) -> Diagnosis:
    """Return a diagnosis after a second look: the first doubt that it confirms counts as found.

    Args:
        diagnosis: Of the image.
        image: What it looked at, (C, H, W) float32, C = 1 or 3, in [0, 1]; see `diagnosing.looked_at`.
        restored: Returns what the weights of a name make of an image, of the same size and in [0, 1]. It is
            given the window that the first look saw; see `view`.
    """
    for doubt in diagnosis.doubts:
        window = window_of(image)
        after = restored(model_against(doubt.damage), window)
        chance = _LOOKS[doubt.damage](255 * window, 255 * after)
        if chance >= _needed(doubt.damage, doubt.confidence):
            found = (replace(doubt, confidence=chance),)
            steps = plan(found, is_gray=len(image) == 1)
            return Diagnosis(found, steps, (LIMITS[doubt.damage],), chance, inside=diagnosis.inside)
    return diagnosis


def _needed(damage: str, chance: float) -> float:
    """Return the chance by the second look that confirms a damage, given that of the first."""
    return _RAINED if damage == _RAIN else 1 - _UNPAINTED * (chance / (1 - chance)) ** _TRUSTED


_LOOKS: Mapping[str, Callable[[Pixels, Pixels], float]] = {_RAIN: rain_chance, _SCRATCHES: paint_chance}
