"""Every method without weights by its name: one line each, nothing found by scanning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from restorecli.catalogs import Catalog, Entry, OwnParts, check_arguments, check_own_name
from restorecli.degradation.parameters import parameters_of, read_setting
from restorecli.errors import UsageError

if TYPE_CHECKING:
    from restorecli.restoration.methods.base import Method


def _entry(name: str, place: str) -> Entry[type[Method]]:
    return Entry(name, f"restorecli.restoration.methods.{place}")


def _registered(name: str, place: str) -> Entry[type[Method]]:
    return Entry(name, place)


_ENTRIES = (
    _entry("median", "classical.filters:Median"),
    _entry("gaussian", "classical.filters:Gaussian"),
    _entry("wiener", "classical.filters:Wiener"),
    _entry("bilateral", "classical.filters:Bilateral"),
    _entry("nlm", "classical.denoising:NonLocalMeans"),
    _entry("tv", "classical.denoising:TotalVariation"),
    _entry("wavelet", "classical.denoising:Wavelet"),
    _entry("bm3d", "classical.denoising:Bm3d"),
    _entry("switching-median", "classical.impulses:SwitchingMedian"),
    _entry("inverse", "classical.deconvolution:Inverse"),
    _entry("wiener-deconv", "classical.deconvolution:WienerDeconvolution"),
    _entry("richardson-lucy", "classical.deconvolution:RichardsonLucy"),
    _entry("unsupervised-wiener", "classical.deconvolution:UnsupervisedWiener"),
    _entry("blind-deconv", "classical.blind:BlindDeconvolution"),
    _entry("bicubic", "classical.superresolution:Bicubic"),
    _entry("lanczos", "classical.superresolution:Lanczos"),
    _entry("back-projection", "classical.superresolution:BackProjection"),
    _entry("tv-super-resolution", "classical.superresolution:TvSuperResolution"),
    _entry("self-similarity", "classical.examples:SelfSimilarity"),
    _entry("deblock", "classical.deblocking:Deblock"),
    _entry("demoire", "classical.notching:Demoire"),
    _entry("descreen", "classical.descreening:Descreen"),
    _entry("inverse-halftone", "classical.halftones:InverseHalftone"),
    _entry("gray-world", "classical.weather:GrayWorld"),
    _entry("dehaze", "classical.weather:Dehaze"),
    _entry("dedust", "classical.weather:Dedust"),
    _entry("inpaint-harmonic", "classical.inpainting:InpaintHarmonic"),
    _entry("inpaint-biharmonic", "classical.inpainting:InpaintBiharmonic"),
    _entry("inpaint-tv", "classical.inpainting:InpaintTv"),
    _entry("inpaint-exemplar", "classical.synthesis:InpaintExemplar"),
    _entry("inpaint-quilting", "classical.synthesis:InpaintQuilting"),
    _entry("anscombe", "anscombe:Anscombe"),
    _entry("pnp", "pnp:PlugAndPlay"),
    _entry("j-invariant", "per_image.j_invariant:JInvariant"),
    _entry("dip", "per_image.dip:Dip"),
    _entry("hopfield", "per_image.hopfield:Hopfield"),
)

METHODS = Catalog(
    "method",
    _ENTRIES,
    hint="restorecli models",
    own=OwnParts("restorecli.methods", "restorecli.restoration.methods.base:Method", _registered),
)


def create_method(name: str, parameters: Mapping[str, object] | None = None) -> Method:
    """Build a method with its parameters, which are checked.

    Args:
        name: A name of `METHODS`.
        parameters: Values by name; the others keep their defaults. Text is read as on the command line.

    Raises:
        UsageError: An unknown name or parameter, or a value out of bounds.

    Example:
        >>> import numpy as np
        >>> from restorecli.restoration.context import Context
        >>> specks = np.zeros((1, 5, 5), np.float32)
        >>> specks[0, 2, 2] = 1
        >>> float(create_method("median", {"size": 3}).restore(specks, Context()).max())
        0.0
    """
    method = METHODS.find(name).load()
    check_own_name(method.name, name)
    info = parameters_of(method)
    given = dict(parameters or {})
    check_arguments(method.name, given, info, "parameter", prefix=f"{method.name}.")
    values = {
        key: info[key].read(value, method.name) if isinstance(value, str) else value
        for key, value in given.items()
    }
    return method(**values)


def settings_for(name: str, settings: Sequence[str]) -> dict[str, object]:
    """Return the parameters that `--set NAME.PARAM=VALUE` gives to the method of that name.

    Raises:
        UsageError: Not understood, or for another method.
    """
    values: dict[str, object] = {}
    for setting in settings:
        owner, key, value = read_setting(
            setting, expected="NAME.PARAM=VALUE", hint=f"--set {name}.PARAM=VALUE"
        )
        if owner != name:
            raise UsageError(
                f"--set is for {owner}, but --model is {name}.", expected=f"{name}.PARAM", got=setting
            )
        values[key] = value
    return values
