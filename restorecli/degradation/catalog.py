"""Every degradation by its command-line name: one line each, nothing found by scanning."""

from __future__ import annotations

from collections.abc import Mapping

from restorecli.degradation.base import Degradation, check_names, nearest
from restorecli.degradation.families import (
    blur,
    compression,
    dither,
    fade,
    haze,
    holes,
    low_light,
    moire,
    noise,
    old_photo,
    quantize,
    rain,
    resize,
    sand_dust,
    scratches,
)
from restorecli.errors import UsageError

_CLASSES: tuple[type[Degradation], ...] = (
    noise.Gaussian,
    noise.Poisson,
    noise.SaltPepper,
    noise.Speckle,
    quantize.Quantize,
    blur.GaussianBlur,
    blur.MotionBlur,
    blur.Defocus,
    dither.Dither,
    sand_dust.SandDust,
    haze.Haze,
    rain.Rain,
    low_light.LowLight,
    moire.Moire,
    compression.Jpeg,
    resize.Downscale,
    scratches.Scratches,
    fade.Fade,
    old_photo.OldPhoto,
    holes.Holes,
)

DEGRADATIONS: Mapping[str, type[Degradation]] = {entry.name: entry for entry in _CLASSES}

_ABOUT = ("name", "severity", "mask")
"""What a manifest's record of a degradation holds beside its parameters."""

ALIASES: Mapping[str, str] = {"blur": "gaussian-blur"}


def find(name: str) -> type[Degradation]:
    """Return the degradation called `name` (or one of its aliases).

    Raises:
        UsageError: No such degradation; the nearest name is offered.
    """
    known = ALIASES.get(name, name)
    if known in DEGRADATIONS:
        return DEGRADATIONS[known]
    near = nearest(name, (*DEGRADATIONS, *ALIASES))
    raise UsageError(
        f"There is no degradation {name!r}.",
        expected=", ".join(DEGRADATIONS),
        came=name,
        hint=f"--noise {near}" if near else None,
    )


def from_record(record: Mapping[str, object]) -> Degradation:
    """Build the degradation that a manifest's record names: its name, all its parameters and its severity.

    Raises:
        UsageError: An unknown name or parameter, or a value out of bounds.
    """
    values = {name: value for name, value in record.items() if name not in _ABOUT}
    degradation = find(str(record.get("name", "")))
    check_names(degradation, values)
    severity = record.get("severity")
    return degradation(**values).of_severity(severity if isinstance(severity, int) else None)
