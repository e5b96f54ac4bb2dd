"""What may be done to measured data: noise is removed, brightness and what is there stay.

A cell on a dark ground looks like a photograph in too little light, an offset of the detector like haze, and
a field of view like a hole; to undo these changes what was measured. Optics blur every specimen, and to
sharpen it by a guess makes peaks higher.
"""

from __future__ import annotations

from dataclasses import replace

from restorecli.diagnosis.measuring.photons import PhotonNoise, find_photon_noise
from restorecli.diagnosis.measuring.view import Pixels
from restorecli.diagnosis.remedies import LIMITS, PHOTONS, plan
from restorecli.diagnosis.result import Diagnosis, Finding, Step, Strength
from restorecli.diagnosis.strengths import TITLES

TREATED = frozenset(("gaussian", "poisson", "speckle", "camera-noise", "film-grain", "salt-pepper", "jpeg"))
"""Damages whose treatment keeps the mean of every region, and makes nothing up from far around."""

_WHITE = frozenset(("gaussian", "poisson"))
"""What photon noise is taken for by tables that know photographs, which are never so dark."""

_SURE = 0.95
"""Confidence in noise that follows the law of photons and is white."""


def as_measured(diagnosis: Diagnosis, pixels: Pixels) -> Diagnosis:
    """Return the diagnosis of an image that is measured data, the noise of its photons included.

    Args:
        diagnosis: Of the pixels, as of a photograph; `images.measured` says for which images this is meant.
        pixels: (C, H, W) float32 in [0, 1].
    """
    return with_photons(of_measured(diagnosis, is_gray=len(pixels) == 1), pixels)


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


def with_photons(diagnosis: Diagnosis, pixels: Pixels) -> Diagnosis:
    """Return the diagnosis of measured data, where the noise of photons shows with that and its remedy.

    Few photons on a black ground are unlike any photograph with noise: variance that grows along a line with
    the level tells them. What was taken for other damage than white noise stays as it was told.

    Args:
        diagnosis: What `of_measured` returned.
        pixels: (C, H, W) float32 in [0, 1]; more than one channel is left alone.
    """
    told = {one.damage for one in diagnosis.findings}
    if len(pixels) != 1 or diagnosis.untold or diagnosis.inside is not None or not told <= _WHITE:
        return diagnosis
    noise = find_photon_noise(pixels[0])
    if noise is None:
        return diagnosis
    return replace(
        diagnosis,
        findings=(_photons(noise),),
        steps=(Step(PHOTONS, {"gain": noise.gain, "at_zero": noise.at_zero}),),
        limits=(LIMITS["poisson"],),
        confidence=_SURE,
        suspicion=None,
    )


def _photons(noise: PhotonNoise) -> Finding:
    strengths = (
        Strength("photons at the brightest", noise.brightest),
        Strength("gain", 255 * noise.gain, "0-255 scale"),
        Strength("noise in the dark", 255 * noise.dark**0.5, "0-255 scale"),
    )
    return Finding("poisson", TITLES["poisson"], _SURE, strengths, {"variance at black": noise.at_zero})
