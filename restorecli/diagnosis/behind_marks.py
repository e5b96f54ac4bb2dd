"""A look behind scratches: what an image has beside them is told from a copy in which they are filled.

Noise hides thin marks from the first look, and marks hide what lies behind them: white ones look like the
whites that a faded print lacks.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from restorecli.diagnosis.deciding.together import kind_of
from restorecli.diagnosis.diagnosing import diagnose, print_chance
from restorecli.diagnosis.measuring.view import Pixels, is_gray, window_of
from restorecli.diagnosis.remedies import LIMITS, model_against, plan
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.diagnosis.second_look.confirming import SCRATCHES, confirms
from restorecli.diagnosis.strengths import TITLES

_PRINTS = frozenset(("fade", "old-photo"))
_NOISE = frozenset(("gaussian", "camera-noise"))
"""What is looked for behind marks: an old print, or noise of any kind."""

_DEGRAINER = "sca-unet.grain"
"""Takes away noise that was not found."""

_PRINT_BEHIND = 0.03
"""Chance of an old print from which what is scratched is one, be its grain as coarse as that of film; see
`diagnosing.print_chance`. Of training photographs that did not fade, with grain or without, none has 0.01."""


def look_behind_marks(
    diagnosis: Diagnosis,
    image: Pixels,
    restored: Callable[[str, Pixels], Pixels],
    without_marks: Callable[[Pixels, Pixels], Pixels],
) -> Diagnosis:
    """Return a diagnosis after a look for scratches in noise, and for fading and noise behind scratches.

    Only images in which nothing else was found are looked at again: scratches alone, or noise alone, or
    nothing where a gray image may have scratches. The last two must show a mark that is paint once noise is
    removed.

    Args:
        diagnosis: Of the image.
        image: What it looked at, (C, H, W) float32, C = 1 or 3, in [0, 1]; see `diagnosing.looked_at`.
        restored: Returns what the weights of a name make of an image, of the same size and in [0, 1]. It is
            given the window that the first look saw; see `view`.
        without_marks: Returns an image but for its marks, given it and what weights against scratches made
            of it; see `restoration.only_marks`.
    """
    noise = tuple(one for one in diagnosis.findings if kind_of(one.damage) in _NOISE)
    marks = tuple(one for one in diagnosis.findings if one.damage == SCRATCHES)
    # Colors tell scratches well enough without this.
    doubtful = is_gray(255 * image) and any(doubt.damage == SCRATCHES for doubt in diagnosis.doubts)
    alone = len(noise) + len(marks) == len(diagnosis.findings)
    if diagnosis.measured or not alone or not (noise or marks or doubtful):
        return diagnosis
    window = window_of(image)
    quiet = window if marks else restored(model_against(noise[0].damage) if noise else _DEGRAINER, window)
    after = restored(model_against(SCRATCHES), quiet)
    if not marks:
        chance = confirms(SCRATCHES, quiet, after)
        if chance is None:
            return diagnosis
        marks = (Finding(SCRATCHES, TITLES[SCRATCHES], chance),)
    filled = np.clip(window + (without_marks(quiet, after) - quiet), 0, 1)
    return _of(diagnosis, (*marks, *(_behind(filled) or noise)), is_gray=len(image) == 1)


def _behind(filled: Pixels) -> tuple[Finding, ...]:
    """Return the print, or the noise, that is found where marks are filled."""
    found = diagnose(filled).findings
    of_print = tuple(one for one in found if one.damage in _PRINTS)
    noise = tuple(one for one in found if kind_of(one.damage) in _NOISE)
    if of_print or any(kind_of(one.damage) == "gaussian" for one in noise):
        return of_print or noise
    chance = print_chance(filled)
    return (Finding("fade", TITLES["fade"], chance),) if chance >= _PRINT_BEHIND else noise


def _of(diagnosis: Diagnosis, findings: tuple[Finding, ...], *, is_gray: bool) -> Diagnosis:
    return replace(
        diagnosis,
        findings=findings,
        steps=plan(findings, is_gray=is_gray),
        limits=tuple(dict.fromkeys(LIMITS[one.damage] for one in findings)),
        confidence=min(one.confidence for one in findings),
        suspicion=None,
    )
