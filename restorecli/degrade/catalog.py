"""Every degradation by its command-line name: one line each, nothing found by scanning."""

from __future__ import annotations

from collections.abc import Mapping

from restorecli.degrade import blur, compression, dither, noise, quantize, resize, sand_dust
from restorecli.degrade.base import Degradation, check_names, nearest
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
    compression.Jpeg,
    resize.Downscale,
)

DEGRADATIONS: Mapping[str, type[Degradation]] = {entry.name: entry for entry in _CLASSES}

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
    """Build the degradation that a manifest's record names: its name and all its parameters.

    Raises:
        UsageError: An unknown name or parameter, or a value out of bounds.
    """
    values = {name: value for name, value in record.items() if name != "name"}
    degradation = find(str(record.get("name", "")))
    check_names(degradation, values)
    return degradation(**values)
