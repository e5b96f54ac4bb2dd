"""How strong each damage is, from the measurements that tell it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from restorecli.diagnosis.faint.camera_noise import FILM, LEVEL
from restorecli.diagnosis.result import Strength

Measurements = Mapping[str, float]

NOISE = "noise"
"""The name of the strength of white noise that lies over a blur."""

GROWTH = "exponent of brightness"
"""The name of the strength that tells how noise grows with brightness: 0 Gaussian, 0.5 photons, 1 speckle."""

_LEVELS = "0-255 scale"
_BEST_QUALITY = 100.0


def _sigma(found: Measurements) -> tuple[Strength, ...]:
    return (Strength("sigma", found["noise sigma"], _LEVELS), Strength(GROWTH, found["noise slope"]))


def _shared(found: Measurements) -> tuple[Strength, ...]:
    """Noise that neighbors share."""
    return (Strength("level", found[LEVEL], _LEVELS), Strength(FILM, found[FILM], "log10 of odds"))


def _photons(found: Measurements) -> tuple[Strength, ...]:
    """Noise of variance x / peak at the mean brightness x."""
    mean, sigma = max(found["mean"], 1.0) / 255, max(found["noise sigma"], 0.1) / 255
    return (Strength("photons at white", mean / sigma**2), *_sigma(found))


def _speckle(found: Measurements) -> tuple[Strength, ...]:
    spread = found["noise sigma"] / max(found["mean"], 1.0)
    return (Strength("spread of the factor", spread, "share"), *_sigma(found))


def _impulses(found: Measurements) -> tuple[Strength, ...]:
    return (Strength("lost pixels", max(found["impulses extreme"], found["impulses any"]), "share"),)


def _levels(found: Measurements) -> tuple[Strength, ...]:
    return (Strength("levels", round(found["levels used"])),)


def _jpeg(found: Measurements) -> tuple[Strength, ...]:
    quality = found["jpeg quality"]
    return (Strength("quality", quality),) if quality < _BEST_QUALITY else ()


def _gaussian_blur(found: Measurements) -> tuple[Strength, ...]:
    return (Strength("sigma", found["gaussian sigma"], "px"), _under_blur(found))


def _defocus(found: Measurements) -> tuple[Strength, ...]:
    radius = Strength("radius", found["defocus radius"], "px")
    return (radius, Strength("edge", found["defocus edge"], "px"), _under_blur(found))


def _motion(found: Measurements) -> tuple[Strength, ...]:
    return (
        Strength("length", found["path length"], "px"),
        Strength("angle", found["path angle"], "degrees"),
        Strength("sigma", found["path sigma"], "px"),
        _under_blur(found),
    )


def _under_blur(found: Measurements) -> Strength:
    return Strength(NOISE, found["blur noise"], _LEVELS)


def _veil(found: Measurements) -> tuple[Strength, ...]:
    return (Strength("veil", found["veil middle"] / 255, "share"),)


def _dust(found: Measurements) -> tuple[Strength, ...]:
    """A gray image has no cast."""
    lifted = Strength("darkest level", found["dark end"], _LEVELS)
    return (lifted, Strength("cast", found["warm"], "log red / blue")) if "warm" in found else (lifted,)


def _screen(found: Measurements) -> tuple[Strength, ...]:
    period = Strength("period", found["screen period"], "px")
    return (period, Strength("angle", found["screen angle"], "degrees"))


def _wave(found: Measurements) -> tuple[Strength, ...]:
    height = max(found["wave luma"], found.get("wave color", 0.0))
    return (Strength("wave above its surroundings", height, "dB"),)


STRENGTHS: Mapping[str, Callable[[Measurements], tuple[Strength, ...]]] = {
    "gaussian": _sigma,
    "poisson": _photons,
    "speckle": _speckle,
    "camera-noise": _shared,
    "film-grain": _shared,
    "salt-pepper": _impulses,
    "quantize": _levels,
    "dither": _levels,
    "gaussian-blur": _gaussian_blur,
    "defocus": _defocus,
    "motion-blur": _motion,
    "halftone-screen": _screen,
    "sand-dust": _dust,
    "haze": _veil,
    "low-light": lambda found: (Strength("median brightness", found["median"], _LEVELS),),
    "rain": lambda found: (Strength("light added", found["streak light"], _LEVELS),),
    "moire": _wave,
    "jpeg": _jpeg,
    "scratches": lambda found: (Strength("long lines", found["line share"], "share"),),
    "fade": lambda found: (Strength("darkest level", found["dark end"], _LEVELS),),
    "old-photo": lambda found: (Strength("long lines", found["line share"], "share"),),
    "holes": lambda found: (Strength("lost pixels", found["hole share"], "share"),),
}
"""For each damage, what tells its strength; units as in `restorecli degrade --list` where it is the same."""

TITLES: Mapping[str, str] = {
    "gaussian": "noise",
    "poisson": "photon noise",
    "speckle": "speckle",
    "camera-noise": "noise of a camera",
    "film-grain": "film grain",
    "salt-pepper": "salt and pepper",
    "quantize": "few levels",
    "dither": "dither",
    "gaussian-blur": "blur",
    "defocus": "out of focus",
    "motion-blur": "motion blur",
    "halftone-screen": "printed screen",
    "sand-dust": "sand-dust",
    "haze": "haze",
    "low-light": "low light",
    "rain": "rain",
    "moire": "moire",
    "jpeg": "JPEG",
    "scratches": "scratches",
    "fade": "fading",
    "old-photo": "old photo",
    "holes": "holes",
}
"""The damages in a person's words."""
