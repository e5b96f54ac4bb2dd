"""Every degradation by its command-line name: one line each, nothing found by scanning."""

from __future__ import annotations

from collections.abc import Mapping

from restorecli.catalogs import Catalog, Entry, OwnParts, check_own_name
from restorecli.degradation.base import Degradation, check_names


def _entry(name: str, place: str, summary: str) -> Entry[type[Degradation]]:
    return Entry(name, f"restorecli.degradation.families.{place}", summary)


# fmt: off
_ENTRIES = (
    _entry("gaussian", "noise:Gaussian", "additive white Gaussian noise"),
    _entry("poisson", "noise:Poisson", "photon (shot) noise"),
    _entry("salt-pepper", "noise:SaltPepper", "impulses: pixels lost to white or black"),
    _entry("speckle", "noise:Speckle", "multiplicative noise"),
    _entry("camera-noise", "camera:CameraNoise",
           "noise of a camera's sensor, spread by its color mosaic and its software"),
    _entry("film-grain", "film_grain:FilmGrain", "grain of scanned film: of some pixels, in the midtones"),
    _entry("quantize", "quantize:Quantize", "fewer levels of brightness"),
    _entry("gaussian-blur", "blur:GaussianBlur", "blur with a Gaussian kernel"),
    _entry("motion-blur", "blur:MotionBlur", "blur along a straight line"),
    _entry("defocus", "blur:Defocus", "blur with a disc, as of a lens out of focus"),
    _entry("dither", "dither:Dither", "error diffusion to few levels or a palette"),
    _entry("halftone-screen", "screens:HalftoneScreen", "dots of ink on a grid, as scanned from newspapers"),
    _entry("sand-dust", "sand_dust:SandDust",
           "atmospheric scattering by dust: yellow veil, lost contrast, grains"),
    _entry("haze", "haze:Haze", "atmospheric scattering by haze: gray veil, lost contrast"),
    _entry("rain", "rain:Rain", "rain streaks with a light haze"),
    _entry("low-light", "low_light:LowLight", "too little light: dark, flat and noisy"),
    _entry("moire", "moire:Moire", "colored waves, as on a photographed screen"),
    _entry("jpeg", "compression:Jpeg", "JPEG compression"),
    _entry("downscale", "resize:Downscale", "fewer pixels: MATLAB-like antialiased bicubic reduction"),
    _entry("scratches", "scratches:Scratches", "scratches, dust and tears, as on old prints"),
    _entry("fade", "fade:Fade", "an old print: brown, flat, vignetted, grainy"),
    _entry("old-photo", "old_photo:OldPhoto",
           "blur, noise, coarse scan, JPEG, fading and scratches, drawn at random"),
    _entry("holes", "holes:Holes", "lost pixels for inpainting: boxes, single pixels, strokes, text"),
)
# fmt: on

ALIASES: Mapping[str, str] = {
    "noise": "gaussian",
    "shot": "poisson",
    "camera": "camera-noise",
    "sensor": "camera-noise",
    "grain": "film-grain",
    "salt-and-pepper": "salt-pepper",
    "impulses": "salt-pepper",
    "blur": "gaussian-blur",
    "motion": "motion-blur",
    "out-of-focus": "defocus",
    "halftone": "dither",
    "newsprint": "halftone-screen",
    "dust": "sand-dust",
    "fog": "haze",
    "dark": "low-light",
    "jpg": "jpeg",
    "compression": "jpeg",
    "reduce": "downscale",
}

DEGRADATIONS = Catalog(
    "degradation",
    _ENTRIES,
    aliases=ALIASES,
    hint="restorecli degrade --list",
    own=OwnParts(
        "restorecli.degradations", "restorecli.degradation.base:Degradation", Entry[type[Degradation]]
    ),
)

_ABOUT = ("name", "severity", "mask")
"""What a manifest's record of a degradation holds beside its parameters."""


def find(name: str) -> type[Degradation]:
    """Return the degradation called `name` (or one of its aliases).

    Raises:
        UsageError: No such degradation; the nearest name is offered.
    """
    degradation = DEGRADATIONS.find(name).load()
    check_own_name(degradation.name, name)
    return degradation


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
