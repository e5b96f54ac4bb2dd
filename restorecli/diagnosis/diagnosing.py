"""The diagnosis of one image: measure, decide, plan."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from restorecli.diagnosis.deciding.decide import NONE, DecisionTable, shipped_table
from restorecli.diagnosis.deciding.naming import (
    BLURS,
    NOISES,
    TONES,
    chance_of_print,
    damages_found,
    faded_in_gray,
    leading,
    limits,
    possible_damages,
    share_blots,
    with_evidence,
    without_dust,
    without_evidence,
)
from restorecli.diagnosis.deciding.network import network_chances
from restorecli.diagnosis.deciding.together import alike
from restorecli.diagnosis.deciding.votes import shipped_votes, trust
from restorecli.diagnosis.faint.camera_noise import beside_camera_noise, find_shared_noise
from restorecli.diagnosis.faint.darkness import LOW_LIGHT, beside_darkness, denies_darkness, find_darkness
from restorecli.diagnosis.faint.hidden_layer import Told
from restorecli.diagnosis.faint.saved_noise import (
    SAVED_DAMAGES,
    beside_saved_noise,
    find_saved_noise,
    is_coarse,
)
from restorecli.diagnosis.faint.veil import HAZE, beside_veil, find_veil
from restorecli.diagnosis.measuring.blocks import NO_QUALITY, first_block, quality_of_table
from restorecli.diagnosis.measuring.blur_fit import fit_blurs, is_endless, is_weak, measured
from restorecli.diagnosis.measuring.borders import Print, find_print
from restorecli.diagnosis.measuring.holes import find_holes, shows_holes
from restorecli.diagnosis.measuring.impulses import (
    HOT_PIXELS,
    can_be_hot,
    is_full_of_impulses,
    shows_impulses,
    without_hot_pixels,
)
from restorecli.diagnosis.measuring.levels import is_drawn, is_rounded, measure_levels, shows_few_levels
from restorecli.diagnosis.measuring.measurements import measure
from restorecli.diagnosis.measuring.noise import shows_white_noise
from restorecli.diagnosis.measuring.screens import SCREEN, Screen, find_screen
from restorecli.diagnosis.measuring.view import Pixels, View, view_of
from restorecli.diagnosis.remedies import LIMITS, model_against, plan
from restorecli.diagnosis.result import Diagnosis, Finding, Strength, Suspicion
from restorecli.diagnosis.second_look.confirming import doubts_among
from restorecli.diagnosis.strengths import STRENGTHS, TITLES
from restorecli.errors import ImageError

MIN_SIDE = 32
"""Pixels of a side that are needed to tell anything."""

_TOO_SMALL = f"too small to tell: a side is under {MIN_SIDE} px"

_MIN_RANGE = 2 / 255
"""Images of one value are what they are."""

_PLAIN = 0.95
"""Confidence in damage that is plain to see, whatever the table makes of the rest of the image."""

_NOISY_DARK = 0.15
"""Noise over the median brightness from which noise shows when a dark image is brightened."""

_QUIET, _SEEN, _SEEN_FLAT = 0.7, 0.75, 0.85
"""Chances that damaged tones need beside plain noise: by measurements but those of noise, or the network,
which takes flat photographs with noise, dark or gray, for badly lit or faded ones."""

_MEASURED_IN_SAVED = 0.9
"""Chance by measurements that damaged tones need where noise under JPEG is sure: of 27 noisy photographs at
each of six levels and qualities one in ten reaches 0.6."""

_DUST_SEEN_IN_SAVED = 0.6
"""Chance of dust by the network that dust needs there: of 90 noisy photographs whose noise is sure none has
it, of 39 with dust (severity 3, 5) 37."""

_MEASURED = 0.1
"""Chance by measurements alone that damaged tones need: skies and retinas look dusty to the network."""

_CLEAN_TO_THE_EYE = 0.3
"""Chance of no damage by the network from which not even plain noise is looked for: grain of surfaces."""

_SUSPICIOUS = 0.25
"""Chance from which a damage that is not sure is named, so that a person may look."""

_COARSE_WEBP = 46
"""Quantizer's index from which to undo WebP helps: training photographs of quality 20 and 50 (75 to 78, and
48 to 52) gain 0.5 to 0.8 dB, each at least 0.1; those of quality 75 (33 to 36) gain 0.2, and some lose 1."""

_PLAIN_QUALITY = 85
"""Quality of JPEG below which that coefficients keep its steps is proof enough, and worth undoing."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """What a file says beside its pixels.

    Attributes:
        depth: Bits for each sample.
        jpeg_table: The 64 steps of the luma table, where it is a JPEG, as Pillow gives them.
        webp_quantizer: The quantizer's index, 0 to 127, where it is a lossy WebP.
    """

    depth: int = 8
    jpeg_table: tuple[int, ...] | None = None
    webp_quantizer: int | None = None


def diagnose(image: Pixels, info: FileInfo | None = None) -> Diagnosis:
    """Say what damage an image has, how strong, how sure that is, and what helps.

    Of a print inside a border of one color, that alone is looked at.

    Args:
        image: (C, H, W) float32, C = 1 or 3, in [0, 1].
        info: What its file says.

    Returns:
        The diagnosis; no finding where there is no damage, too little to be sure, or where a side is under
        32 px, which is too small to tell.

    Raises:
        ImageError: The shape is another, or values are not finite.
    """
    _check(image)
    if min(image.shape[1:]) < MIN_SIDE:
        return Diagnosis((), (), (), 0.0, untold=_TOO_SMALL)
    inside = find_print(image)
    found = _diagnosed(looked_at(image, inside), info)
    if found.is_clean and info is not None and (info.webp_quantizer or 0) >= _COARSE_WEBP:
        found = _of_webp(float(info.webp_quantizer or 0), is_gray=len(image) == 1)
    return found if inside is None else replace(found, inside=inside)


def print_chance(image: Pixels) -> float:
    """Return the chance of an old print by measurements times that by the network, whatever else there is.

    Args:
        image: (C, H, W) float32, C = 1 or 3, in [0, 1], sides of 32 px at least.
    """
    image, view = _from_first_block(image)
    by_measurements = shipped_table().chances(measurements(image, None, view))
    return chance_of_print(by_measurements, network_chances(view))


def looked_at(image: Pixels, inside: Print | None) -> Pixels:
    """Return what of an image is looked at: all of it, or the upright part of it inside a border.

    Args:
        image: (C, H, W).
        inside: The print, where there is a border.
    """
    if inside is None:
        return image
    rows, columns = inside.core((image.shape[1], image.shape[2]))
    return np.ascontiguousarray(image[:, rows, columns])


def _of_webp(quantizer: float, *, is_gray: bool) -> Diagnosis:
    """Return the diagnosis of an image that shows nothing, but whose file was rounded coarsely."""
    strength = Strength("quantizer", quantizer, "of 127")
    found = (Finding("jpeg", "WebP", _PLAIN, (strength,), {"webp quantizer": quantizer}),)
    limit = LIMITS["jpeg"].replace("JPEG", "WebP")
    return Diagnosis(found, plan(found, is_gray=is_gray), (limit,), _PLAIN)


def _diagnosed(image: Pixels, info: FileInfo | None) -> Diagnosis:
    if image.max() - image.min() < _MIN_RANGE:
        return Diagnosis((), (), (), 1.0)
    image, view = _from_first_block(image)
    screen = find_screen(view)
    if screen is not None:
        return _of_screen(screen, is_gray=len(image) == 1)
    sound, count = without_hot_pixels(image, view.window)
    if count and can_be_hot(measure_levels(view)):
        return _with_hot_pixels(_told(sound, view_of(sound), info), count, is_gray=len(image) == 1)
    return _told(image, view, info)


def _with_hot_pixels(diagnosis: Diagnosis, count: int, *, is_gray: bool) -> Diagnosis:
    """Return the diagnosis of an image with hot pixels, from that of the same without them."""
    hot = Finding("salt-pepper", "hot pixels", _PLAIN, (Strength(HOT_PIXELS, float(count)),))
    return replace(
        diagnosis,
        findings=(hot, *diagnosis.findings),
        steps=(*plan((hot,), is_gray=is_gray), *diagnosis.steps),
        limits=tuple(dict.fromkeys((LIMITS[hot.damage], *diagnosis.limits))),
        confidence=diagnosis.confidence if diagnosis.findings else _PLAIN,
        suspicion=None,
        doubts=(),
    )


def _told(image: Pixels, view: View, info: FileInfo | None) -> Diagnosis:
    table = shipped_table()
    found = measurements(image, info, view)
    seen = without_dust(found, network_chances(view))
    dark = find_darkness(view)
    denied = frozenset((LOW_LIGHT,)) if denies_darkness(dark, view) else frozenset[str]()
    noise = find_shared_noise(view)
    saved = find_saved_noise(view, found, noise)
    names, chances, possible = _named(found, table, seen, view.luma.size, denied, saved)
    if not BLURS.isdisjoint(names):
        blur = fit_blurs(view)[0]
        found |= measured(blur)
        # That it is one of them must be sure; which, and whether it is worth a word, the fit knows better.
        kept = () if is_weak(blur) or is_endless(blur) else (blur.damage,)
        names = tuple(one for name in names for one in (kept if name in BLURS else (name,)))
        chances = {**chances, blur.damage: sum(chances[name] for name in BLURS)}
        possible = possible - BLURS
    if saved.is_sure:
        names = beside_saved_noise(names)
    if is_saved := saved.is_sure and names == SAVED_DAMAGES:
        chances = {**chances, **dict.fromkeys(names, saved.chance)}
    chances, possible = {**chances, noise.name: noise.chance}, possible | {noise.name}
    if is_drawn(found):
        possible = possible - {noise.name}
    elif noise.is_sure:
        names = beside_camera_noise(names, found, noise.name, is_dark=dark.is_sure)
    found |= noise.measurements
    tables = {noise.name: noise.table}
    faint = None if is_drawn(found) else _faint(view, names, dark)
    if faint is not None:
        names, chances = (faint.damage, *names), {**chances, faint.damage: faint.chance}
    findings = tuple(_finding(name, found, chances[name], tables.get(name, table)) for name in names)
    if is_saved:  # it says that there is noise; of JPEG its traces say more
        findings = tuple(
            replace(one, evidence=saved.evidence) if one.damage == SAVED_DAMAGES[0] else one
            for one in findings
        )
    if faint is not None:
        findings = (replace(findings[0], evidence=faint.evidence), *findings[1:])
    confidence = min(sum(chances[name] for name in names), 1.0) if names else chances[NONE]
    lost = tuple(dict.fromkeys(LIMITS[name] for name in names))
    steps = plan(findings, _hole_color(image, names), is_gray=len(image) == 1)
    doubtful = () if names or is_drawn(found) else doubts_among(chances, is_gray=view.is_gray)
    doubts = tuple(_finding(name, found, chances[name], table) for name in doubtful)
    return Diagnosis(findings, steps, lost, confidence, _suspicion(names, chances, possible), doubts)


def _faint(view: View, names: Sequence[str], dark: Told) -> Told | None:
    """Return faint darkness or haze, where one is sure and goes with what was found otherwise."""
    if LOW_LIGHT not in names and dark.is_sure and beside_darkness(names):
        return dark
    if HAZE not in names and beside_veil(names):
        veil = find_veil(view)
        return veil if veil.is_sure else None
    return None


def _of_screen(screen: Screen, *, is_gray: bool) -> Diagnosis:
    """Return the diagnosis of a printed screen: among its dots nothing else is told."""
    found = {"screen period": screen.period, "screen angle": screen.angle}
    evidence = {"screen share": screen.share, "screen balance": screen.balance}
    findings = (Finding(SCREEN, TITLES[SCREEN], _PLAIN, STRENGTHS[SCREEN](found), evidence),)
    return Diagnosis(findings, plan(findings, is_gray=is_gray), (LIMITS[SCREEN],), _PLAIN)


def _named(
    found: Mapping[str, float],
    table: DecisionTable,
    by_network: Mapping[str, float],
    pixels: int,
    denied: frozenset[str],
    saved: Told,
) -> tuple[tuple[str, ...], Mapping[str, float], frozenset[str]]:
    """Return the damages found, the chance of each class, and the damages that are possible at all.

    Those that are `denied` are neither, whatever table and network say, and noise that was `saved` as JPEG
    is evidence of no other damage.
    """
    votes, by_measurements = shipped_votes(), table.chances(found)
    doubtful = denied | _due_to_noise(found, table, by_network) | without_evidence(found, by_measurements)
    if saved.is_sure and "noise shared" in found and not is_coarse(found):
        doubtful |= _due_to_saved_noise(found, by_measurements, by_network)
    evident = with_evidence(found, by_measurements, by_network) - doubtful
    doubtful |= _without_measurements(by_measurements) - evident
    joined = votes.join(by_measurements, by_network, trust(pixels))
    chances: Mapping[str, float] = {name: joined[name] for name in joined if name not in doubtful}
    possible = possible_damages(table.possible(found) | evident, by_measurements, by_network) & set(chances)
    names = damages_found(chances, possible, limits(found, by_network, votes.sure, pixels))
    if not names or is_full_of_impulses(found) or (names == ("dither",) and is_rounded(found)):
        names, chances = _plain_to_see(found, chances, by_network)
    if tuple(names) == (LOW_LIGHT,) and found["noise sigma"] > _NOISY_DARK * found["median"]:
        # JPEG makes neighbors share noise: the two are undone at once.
        noise = "jpeg" if found["jpeg quality"] < NO_QUALITY else "gaussian"
        names, chances = (LOW_LIGHT, noise), {**chances, noise: _PLAIN}
    faded = faded_in_gray(found, by_measurements, by_network) if names and NOISES.issuperset(names) else None
    if faded is not None:
        names, chances = ("fade",), {**chances, "fade": faded}
    return names, chances, possible


def _due_to_noise(
    found: Mapping[str, float], table: DecisionTable, by_network: Mapping[str, float]
) -> frozenset[str]:
    """Return the damages of tones that plain noise only seems to show: made ones come with noise, too."""
    if not shows_white_noise(found):
        return frozenset()
    quiet = table.chances({name: value for name, value in found.items() if not name.startswith("noise ")})
    plain = {name: _SEEN_FLAT if name in (LOW_LIGHT, "fade") else _SEEN for name in TONES}
    return frozenset(name for name in TONES if quiet[name] < _QUIET and by_network[name] < plain[name])


def _due_to_saved_noise(
    found: Mapping[str, float], by_measurements: Mapping[str, float], by_network: Mapping[str, float]
) -> frozenset[str]:
    """Return the damages of tones that noise of colors under fine JPEG only seems to show.

    The network knows it too little, and takes it for fading, which leaves channels alike at every scale. For
    an old print, with its marks, or for dust, with its color, it does not take it.
    """
    plain = {name: by_measurements[name] >= _MEASURED_IN_SAVED for name in TONES - {LOW_LIGHT}}
    plain["fade"] |= share_blots(found)
    plain["old-photo"] |= by_network["old-photo"] >= _SEEN
    plain["sand-dust"] |= by_network["sand-dust"] >= _DUST_SEEN_IN_SAVED
    return frozenset(name for name, is_plain in plain.items() if not is_plain)


def _without_measurements(chances: Mapping[str, float]) -> frozenset[str]:
    """Return the damages of tones that measurements speak against: to undo them changes the whole image."""
    return frozenset(
        name
        for name in TONES
        if sum(chance for other, chance in chances.items() if alike(name, other)) < _MEASURED
    )


def _plain_to_see(
    found: Mapping[str, float], chances: Mapping[str, float], by_network: Mapping[str, float]
) -> tuple[tuple[str, ...], Mapping[str, float]]:
    """Return damage that follows its own law, whatever the rest of the image looks like."""
    if is_full_of_impulses(found) and not is_drawn(found):
        return ("salt-pepper",), {**chances, "salt-pepper": _PLAIN}
    if shows_holes(found):
        return ("holes",), {**chances, "holes": _PLAIN}
    if shows_few_levels(found):
        few = "quantize" if is_rounded(found) else max(("quantize", "dither"), key=chances.__getitem__)
        return (few,), {**chances, few: _PLAIN}
    if found["jpeg quality"] < _PLAIN_QUALITY:
        return ("jpeg",), {**chances, "jpeg": _PLAIN}
    if by_network[NONE] >= _CLEAN_TO_THE_EYE or is_drawn(found):
        return (), chances
    if shows_impulses(found):
        return ("salt-pepper",), {**chances, "salt-pepper": _PLAIN}
    if shows_white_noise(found):
        noise = max(("gaussian", "poisson", "speckle"), key=chances.__getitem__)
        return (noise,), {**chances, noise: _PLAIN}
    return (), chances


def _suspicion(
    names: Sequence[str], chances: Mapping[str, float], possible: Collection[str]
) -> Suspicion | None:
    lead = None if names else leading(chances, possible)
    if lead is None or lead[1] < _SUSPICIOUS:
        return None
    return Suspicion(lead[0], TITLES[lead[0]], lead[1], model_against(lead[0]))


def measurements(image: Pixels, info: FileInfo | None = None, view: View | None = None) -> dict[str, float]:
    """Return all measurements by name; a JPEG's tables say more about its quality than its pixels.

    Args:
        image: (C, H, W) float32 in [0, 1].
        info: What its file says.
        view: What `view_of` returns of it, where that is known.
    """
    found = measure(image, view)
    if info is not None and info.jpeg_table is not None:
        # An image that was compressed worse before keeps the traces of that.
        found["jpeg quality"] = min(float(quality_of_table(info.jpeg_table)), found["jpeg quality"])
    return found


def _from_first_block(image: Pixels) -> tuple[Pixels, View]:
    """Return an image from its first whole block of JPEG on, as one that was not cropped, and its view."""
    view = view_of(image)
    top, left = first_block(view)
    if (top, left) == (0, 0) or min(image.shape[1:]) < MIN_SIDE + 8:
        return image, view
    image = image[:, top:, left:]
    return image, view_of(image)


def _check(image: Pixels) -> None:
    if image.ndim != 3 or len(image) not in (1, 3) or not image.size:
        raise ImageError(
            "The image cannot be diagnosed.",
            expected="(1 or 3, H, W) with pixels",
            got=str(tuple(image.shape)),
        )
    if not np.isfinite(image).all():
        raise ImageError("The image holds values that are not finite.", expected="finite pixels")


def _finding(name: str, found: Mapping[str, float], chance: float, table: DecisionTable) -> Finding:
    return Finding(name, TITLES[name], chance, STRENGTHS[name](found), table.evidence(found, name))


def _hole_color(image: Pixels, names: Sequence[str]) -> str | None:
    if "holes" not in names:
        return None
    _, color = find_holes(image)
    channels = np.resize(np.rint(color), 3).astype(int)
    return "#" + "".join(f"{channel:02X}" for channel in channels)
