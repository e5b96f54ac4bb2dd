"""Large images: what lies over a whole scene is told from a reduced copy, texture from full resolution.

The measurements know photographs that are sharp at each pixel. Large ones seldom are: to them they look
blurred, which hides haze, dust, fading and darkness.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from restorecli.diagnosis.deciding.naming import BLURS, TONES
from restorecli.diagnosis.deciding.together import together
from restorecli.diagnosis.diagnosing import MIN_SIDE, FileInfo, diagnose
from restorecli.diagnosis.measuring.cells import cell_means
from restorecli.diagnosis.measuring.view import Pixels
from restorecli.diagnosis.remedies import LIMITS, plan
from restorecli.diagnosis.result import Diagnosis, Finding

LARGE_SIDE = 1024
"""Longer side in pixels from which a reduced copy is looked at, too."""

_REDUCED_SIDE = 512


def diagnose_any_size(image: Pixels, info: FileInfo | None = None) -> Diagnosis:
    """Say what damage an image of any size has; see `diagnose`.

    Of a large image the tones of a reduced copy count, too: haze, dust, fading or darkness that is found in
    it is undone, and what texture shows at full resolution beside it, where it is known how the two go
    together. A blur of some pixels of a large image, which is hardly seen, is left alone then.
    """
    found = diagnose(image, info)
    if max(image.shape[1:]) < LARGE_SIDE or found.measured or _tones(found):
        return found
    reduced = cell_means(image, -(-max(image.shape[1:]) // _REDUCED_SIDE))
    seen = _tones(diagnose(reduced)) if min(reduced.shape[1:]) >= MIN_SIDE else {}
    beside = [one for one in found.findings if one.damage not in BLURS]
    for name, tone in seen.items():
        if all(together(name, one.damage) for one in beside):
            return _of(found, (tone, *beside), is_gray=len(image) == 1)
    return found


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
