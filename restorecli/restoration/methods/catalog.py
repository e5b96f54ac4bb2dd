"""Every method without weights by its name: one line each, nothing found by scanning.

This is imported at every Tab of a shell and by `restorecli models`, so no method's file imports torch at
its top; what needs torch imports it where it computes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from restorecli.degradation.parameters import facts_of, nearest
from restorecli.errors import UsageError
from restorecli.restoration.methods import pnp
from restorecli.restoration.methods.base import Method
from restorecli.restoration.methods.classical import (
    blind,
    deblocking,
    deconvolution,
    denoising,
    examples,
    filters,
    halftones,
    impulses,
    inpainting,
    notching,
    superresolution,
    synthesis,
    weather,
)
from restorecli.restoration.methods.per_image import dip, hopfield, j_invariant

_CLASSES: tuple[type[Method], ...] = (
    filters.Median,
    filters.Gaussian,
    filters.Wiener,
    filters.Bilateral,
    denoising.NonLocalMeans,
    denoising.TotalVariation,
    denoising.Wavelet,
    denoising.Bm3d,
    impulses.SwitchingMedian,
    deconvolution.Inverse,
    deconvolution.WienerDeconvolution,
    deconvolution.RichardsonLucy,
    deconvolution.UnsupervisedWiener,
    blind.BlindDeconvolution,
    superresolution.Bicubic,
    superresolution.Lanczos,
    superresolution.BackProjection,
    superresolution.TvSuperResolution,
    examples.SelfSimilarity,
    deblocking.Deblock,
    notching.Demoire,
    halftones.InverseHalftone,
    weather.GrayWorld,
    weather.Dehaze,
    weather.Dedust,
    inpainting.InpaintHarmonic,
    inpainting.InpaintBiharmonic,
    inpainting.InpaintTv,
    synthesis.InpaintExemplar,
    synthesis.InpaintQuilting,
    pnp.PlugAndPlay,
    j_invariant.JInvariant,
    dip.Dip,
    hopfield.Hopfield,
)

METHODS: Mapping[str, type[Method]] = {entry.name: entry for entry in _CLASSES}


def find_method(name: str) -> type[Method]:
    """Return the method called `name`.

    Raises:
        UsageError: No such method; the nearest name is offered.
    """
    if name in METHODS:
        return METHODS[name]
    near = nearest(name, METHODS)
    raise UsageError(
        f"There is no method {name!r}.",
        expected=", ".join(METHODS),
        came=name,
        hint=f"--model {near}" if near else "restorecli models",
    )


def create_method(name: str, parameters: Mapping[str, object] | None = None) -> Method:
    """Build a method with its parameters, which are checked.

    Args:
        name: A name of `METHODS`.
        parameters: Values by name; the others keep their defaults. Text is read as on the command line.

    Raises:
        UsageError: An unknown name or parameter, or a value out of bounds.
    """
    method = find_method(name)
    facts = facts_of(method)
    values: dict[str, object] = {}
    for key, value in (parameters or {}).items():
        if key not in facts:
            near = nearest(key, facts)
            raise UsageError(
                f"{name} has no parameter {key!r}.",
                expected=", ".join(facts) or "no parameters",
                came=key,
                hint=f"{name}.{near}" if near else None,
            )
        values[key] = facts[key].read(value, name) if isinstance(value, str) else value
    return method(**values)


def settings_for(name: str, settings: Sequence[str]) -> dict[str, object]:
    """Return the parameters that `--set NAME.PARAM=VALUE` gives to the method of that name.

    Raises:
        UsageError: Not understood, or for another method.
    """
    values: dict[str, object] = {}
    for setting in settings:
        place, equals, value = setting.partition("=")
        owner, dot, key = place.strip().partition(".")
        if not (equals and dot and owner and key):
            raise UsageError(
                "--set is not understood.",
                expected="NAME.PARAM=VALUE",
                came=setting,
                hint=f"--set {name}.PARAM=VALUE",
            )
        if owner != name:
            raise UsageError(
                f"--set is for {owner}, but --model is {name}.", expected=f"{name}.PARAM", came=setting
            )
        values[key] = value.strip()
    return values
