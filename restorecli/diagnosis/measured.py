"""What may be done to measured data: noise is removed, brightness and what is there stay.

A cell on a dark ground looks like a photograph in too little light, an offset of the detector like haze, and
a field of view like a hole; to undo these changes what was measured. Optics blur every specimen, and to
sharpen it by a guess makes peaks higher.
"""

from __future__ import annotations

from dataclasses import replace

from restorecli.diagnosis.remedies import LIMITS, plan
from restorecli.diagnosis.result import Diagnosis

TREATED = frozenset(("gaussian", "poisson", "speckle", "camera-noise", "film-grain", "salt-pepper", "jpeg"))
"""Damages whose treatment keeps the mean of every region, and makes nothing up from far around."""


def of_measured(diagnosis: Diagnosis, *, is_gray: bool) -> Diagnosis:
    """Return the diagnosis of an image that is measured data, from that of the same pixels as a photograph.

    Args:
        diagnosis: Of the pixels; `images.measured` says for which images this is meant.
        is_gray: Whether the image has one channel.
    """
    findings = tuple(one for one in diagnosis.findings if one.damage in TREATED)
    left = tuple(one.damage for one in diagnosis.findings if one.damage not in TREATED)
    suspicion, confidence = diagnosis.suspicion, diagnosis.confidence
    if left and findings:
        confidence = sum(one.confidence for one in findings)
    return replace(
        diagnosis,
        findings=findings,
        steps=plan(findings, is_gray=is_gray) if left else diagnosis.steps,
        limits=tuple(dict.fromkeys(LIMITS[one.damage] for one in findings)),
        confidence=confidence,
        suspicion=suspicion if suspicion is not None and suspicion.damage in TREATED else None,
        doubts=(),
        measured=True,
        left=left,
    )
