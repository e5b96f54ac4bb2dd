"""Large images: what lies over a whole scene is told from a reduced copy, texture from full resolution.

The measurements know photographs that are sharp at each pixel. Large ones seldom are: to them they look
blurred, which hides haze, dust, fading and darkness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from restorecli.diagnosis.deciding.naming import BLURS, TONES
from restorecli.diagnosis.deciding.together import kind_of, together
from restorecli.diagnosis.diagnosing import (
    MIN_SIDE,
    FileInfo,
    diagnose,
    looked_at,
    measurements,
    print_chance,
)
from restorecli.diagnosis.measuring.cells import cell_means
from restorecli.diagnosis.measuring.view import Pixels
from restorecli.diagnosis.remedies import LIMITS, plan
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.diagnosis.strengths import STRENGTHS, TITLES

LARGE_SIDE = 1024
"""Longer side in pixels from which a reduced copy is looked at, too."""

_REDUCED_SIDE = 512

_FADE = "fade"

_GRAIN = frozenset(("gaussian", "camera-noise"))
"""What the grain of a print is taken for; what undoes fading takes it away, too."""

_SHARP_AGAIN, _MIN_COPY = 3, 100
"""By how much prints are enlarged, or scanned larger than they are sharp, and pixels of the shorter side that
a copy needs which is reduced by that."""

_PRINT_SHOWN, _CONFIDENCE = 0.001, 0.9
"""Chance of an old print in such a copy, by measurements times that by the network, from which what looks
blurred is one, and the confidence in that."""

_FULL = 254.0
"""Brightest level that no copy of a print has that faded: prints of severity 3 and 5 have 249 at most."""


def diagnose_any_size(image: Pixels, info: FileInfo | None = None) -> Diagnosis:
    """Say what damage an image of any size has; see `diagnose`.

    Of a large image the tones of a reduced copy count, too: haze, dust, fading or darkness that is found in
    it is undone, and what texture shows at full resolution beside it, where it is known how the two go
    together. A blur of some pixels of a large image, which is hardly seen, is left alone then. Of an image of
    any size that looks blurred it is told from a copy that is sharp again whether it is a print that faded:
    its softness and its grain are those of the enlargement.
    """
    found = diagnose(image, info)
    if found.measured or _tones(found):
        return found
    findings = _veiled(image, found) or _faded(image, found)
    return _of(found, findings, is_gray=len(image) == 1) if findings else found


def _veiled(image: Pixels, found: Diagnosis) -> tuple[Finding, ...]:
    """Return the tone that a reduced copy of a large image shows, and what is found beside it."""
    side = max(image.shape[1:])
    if side < LARGE_SIDE:
        return ()
    reduced = cell_means(image, -(-side // _REDUCED_SIDE))
    seen = _tones(diagnose(reduced)) if min(reduced.shape[1:]) >= MIN_SIDE else {}
    beside = [one for one in found.findings if one.damage not in BLURS]
    for name, tone in seen.items():
        if all(together(name, one.damage) for one in beside):
            return (tone, *beside)
    return ()


def _faded(image: Pixels, found: Diagnosis) -> tuple[Finding, ...]:
    """Return that an image is a print, where it looks blurred, perhaps grainy, and a copy shows fading."""
    names = {one.damage for one in found.findings}
    if names.isdisjoint(BLURS) or not all(name in BLURS or kind_of(name) in _GRAIN for name in names):
        return ()
    image = looked_at(image, found.inside)
    if min(image.shape[1:]) < _SHARP_AGAIN * _MIN_COPY:
        return ()
    reduced = cell_means(image, _SHARP_AGAIN)
    if print_chance(reduced) < _PRINT_SHOWN:
        return ()
    measured = measurements(reduced)
    if measured["whitest"] >= _FULL:
        return ()
    strengths = STRENGTHS[_FADE](measured)
    return (Finding(_FADE, TITLES[_FADE], _CONFIDENCE, strengths),)


def _tones(found: Diagnosis) -> Mapping[str, Finding]:
    return {finding.damage: finding for finding in found.findings if finding.damage in TONES}


def _of(found: Diagnosis, findings: tuple[Finding, ...], *, is_gray: bool) -> Diagnosis:
    return replace(
        found,
        findings=findings,
        steps=plan(findings, is_gray=is_gray),
        limits=tuple(dict.fromkeys(LIMITS[finding.damage] for finding in findings)),
        confidence=min(1.0, sum(finding.confidence for finding in findings)),
        suspicion=None,
        doubts=(),
    )
