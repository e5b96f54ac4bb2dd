"""The diagnosis of one image: measure, decide, plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from restorecli.diagnosis.blocks import NO_QUALITY, quality_of_table
from restorecli.diagnosis.blur_fit import fit_blurs, measured
from restorecli.diagnosis.decide import NONE, DecisionTable, shipped_table
from restorecli.diagnosis.holes import find_holes
from restorecli.diagnosis.impulses import shows_impulses
from restorecli.diagnosis.measurements import measure
from restorecli.diagnosis.noise import shows_white_noise
from restorecli.diagnosis.remedies import LIMITS, plan
from restorecli.diagnosis.result import Diagnosis, Finding
from restorecli.diagnosis.strengths import STRENGTHS, TITLES
from restorecli.diagnosis.together import alike, together
from restorecli.diagnosis.view import Pixels, view_of
from restorecli.errors import ImageError

MIN_SIDE = 32
"""Pixels of a side that are needed to tell anything."""

_THRESHOLD = 0.6
"""Chance from which the likeliest damage counts as found, where the table does not say."""

_MIN_RANGE = 2 / 255
"""Images of one value are what they are."""

_PLAIN_NOISE = 0.95
"""Confidence in noise that is plain to see, whatever the table makes of the rest of the image."""

_DARK = "low-light"
_NOISY_DARK = 0.15
"""Noise over the median brightness from which noise shows when a dark image is brightened."""

_TONES = frozenset(("fade", "haze", "low-light", "old-photo", "sand-dust"))

_QUIET, _QUIET_JOINT = 0.6, 0.75
"""Chance that damaged tones need beside plain noise, the noise not looked at: alone, and with it."""

_JOINT_THRESHOLD, _JOINT_TONES = 0.15, 0.35
"""Chance from which a second damage counts, where `together` knows the two. Tones need more: to undo what is
not there would change the whole image."""

_BLURS = frozenset(("gaussian-blur", "defocus", "motion-blur"))


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a file says beside its pixels.

    Attributes:
        depth: Bits for each sample.
        jpeg_table: The 64 steps of the luma table, where it is a JPEG, as Pillow gives them.
    """

    depth: int = 8
    jpeg_table: tuple[int, ...] | None = None


def diagnose(image: Pixels, info: FileInfo | None = None, *, table: DecisionTable | None = None) -> Diagnosis:
    """Say what damage an image has, how strong, how sure that is, and what helps.

    Args:
        image: (C, H, W) float32, C = 1 or 3, in [0, 1].
        info: What its file says.
        table: The logistic model; by default the package's.

    Returns:
        The diagnosis; no finding where there is no damage, or too little to be sure.

    Raises:
        ImageError: A side is under 32 px, the shape is another, or values are not finite.
    """
    _check(image)
    if image.max() - image.min() < _MIN_RANGE:
        return Diagnosis((), (), (), 1.0)
    table = table or shipped_table()
    found = measurements(image, info)
    chances = table.chances(found)
    names = _names(chances, found, table)
    if not names and shows_impulses(found):
        names, chances = ("salt-pepper",), chances | {"salt-pepper": _PLAIN_NOISE}
    if not names and shows_white_noise(found):
        noise = max(("gaussian", "poisson", "speckle"), key=chances.__getitem__)
        names, chances = (noise,), chances | {noise: _PLAIN_NOISE}
    if tuple(names) == (_DARK,) and found["noise sigma"] > _NOISY_DARK * found["median"]:
        # JPEG makes neighbors share noise: the two are undone at once.
        noise = "jpeg" if found["jpeg quality"] < NO_QUALITY else "gaussian"
        names, chances = (_DARK, noise), chances | {noise: _PLAIN_NOISE}
    if not _BLURS.isdisjoint(names):
        blur = fit_blurs(view_of(image))[0]
        found |= measured(blur)
        names = [blur.damage if name in _BLURS else name for name in names]
        # That it is one of them must be sure; which, the fit knows better.
        chances |= {blur.damage: sum(chances[name] for name in _BLURS)}
    findings = tuple(_finding(name, found, chances[name], table) for name in names)
    confidence = sum(chances[name] for name in names) if names else chances[NONE]
    limits = tuple(dict.fromkeys(LIMITS[name] for name in names))
    steps = plan(findings, _hole_color(image, names), is_gray=len(image) == 1)
    return Diagnosis(findings, steps, limits, confidence)


def measurements(image: Pixels, info: FileInfo | None = None) -> dict[str, float]:
    """Return all measurements by name; a JPEG's tables say more about its quality than its pixels.

    Args:
        image: (C, H, W) float32 in [0, 1].
        info: What its file says.
    """
    found = measure(image)
    if info is not None and info.jpeg_table is not None:
        # An image that was compressed worse before keeps the traces of that.
        found["jpeg quality"] = min(float(quality_of_table(info.jpeg_table)), found["jpeg quality"])
    return found


def _check(image: Pixels) -> None:
    if image.ndim != 3 or len(image) not in (1, 3) or min(image.shape[1:]) < MIN_SIDE:
        raise ImageError(
            "The image cannot be diagnosed.",
            expected=f"(1 or 3, H, W), both sides at least {MIN_SIDE} px",
            got=str(tuple(image.shape)),
        )
    if not np.isfinite(image).all():
        raise ImageError("The image holds values that are not finite.", expected="finite pixels")


def _names(chances: Mapping[str, float], found: Mapping[str, float], table: DecisionTable) -> Sequence[str]:
    """Return the damages that count as found, the likeliest first."""
    noise = _due_to_noise(chances, found, table)
    damages = [
        name for name in chances if name != NONE and name not in noise and table.is_possible(name, found)
    ]
    if not damages:
        return ()
    first = max(damages, key=lambda name: chances[name])
    limit = table.sure.get(first, _THRESHOLD)
    # Under another damage a second one is seen less well: it need not show all that it shows alone.
    others = sorted(set(chances) - noise, key=lambda name: -chances[name])
    second = next((name for name in others if together(first, name) is not None), None)
    sure = _with_alike(first, chances)
    if (
        second is not None
        and (also := _with_alike(second, chances)) >= (_JOINT_TONES if second in _TONES else _JOINT_THRESHOLD)
        and sure + also >= limit
    ):
        return first, second
    return (first,) if sure >= limit else ()


def _due_to_noise(
    chances: Mapping[str, float], found: Mapping[str, float], table: DecisionTable
) -> frozenset[str]:
    """Return the damages of tones that plain noise only seems to show: made ones come with noise, too."""
    if not shows_white_noise(found):
        return frozenset()
    quiet = table.chances({name: value for name, value in found.items() if not name.startswith("noise ")})
    return frozenset(
        name
        for name in _TONES & set(chances)
        if quiet[name] < (_QUIET if chances[name] >= table.sure.get(name, _THRESHOLD) else _QUIET_JOINT)
    )


def _with_alike(damage: str, chances: Mapping[str, float]) -> float:
    return sum(chance for name, chance in chances.items() if alike(name, damage))


def _finding(name: str, found: Mapping[str, float], chance: float, table: DecisionTable) -> Finding:
    return Finding(name, TITLES[name], chance, STRENGTHS[name](found), table.evidence(found, name))


def _hole_color(image: Pixels, names: Sequence[str]) -> str | None:
    if "holes" not in names:
        return None
    _, color = find_holes(image)
    channels = np.resize(np.rint(color), 3).astype(int)
    return "#" + "".join(f"{channel:02X}" for channel in channels)
