"""From the chance of each damage to the one or two that count as found."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from restorecli.diagnosis.deciding.decide import NONE
from restorecli.diagnosis.deciding.together import alike, together
from restorecli.diagnosis.measuring.blocks import NO_QUALITY
from restorecli.diagnosis.measuring.holes import can_be_holes
from restorecli.diagnosis.measuring.levels import is_drawn, is_mask
from restorecli.diagnosis.measuring.lines import shows_paint

THRESHOLD = 0.6
"""Chance from which the likeliest damage counts as found, where nothing else is known."""

TONES = frozenset(("fade", "haze", "low-light", "old-photo", "sand-dust"))

BLURS = frozenset(("gaussian-blur", "defocus", "motion-blur"))

_VEILS = frozenset(("haze", "sand-dust"))

NOISES = frozenset(("gaussian", "poisson", "speckle", "salt-pepper"))

_UNDRAWN = NOISES | BLURS | {"moire", "rain", "scratches"}
"""What drawings, pages and screenshots cannot have as long as most of their neighbors are equal."""

_PLAIN_TO_SEE = 0.8
"""Chance by the network from which a damage is possible, whatever it lacks; veils, which the network sees in
skies, need it by the measurements, too: real dust leaves black things near the camera black."""

_FADED_SEEN, _FADED_SHARED = 0.7, 0.98
"""Chance by the network from which fading needs no other measurement than that channels share their finest
details, as grays do: of 800 clean crops of training photographs, 192 px, none has more than 0.16."""

_ONE_HUE, _FADED_IN_ONE_HUE = 3.0, 0.75
"""Levels that the channels of a brown print are off straight lines in luma, and chance by measurements from
which it may have faded though channels do not share their finest details, for a scanner adds noise to each.
Of 624 clean images, of warm, brown and sepia tones among them, 0.66 is the most in one hue."""

_FADED_IN_GRAY, _FADED_IN_WIDE_GRAY = 0.5, 0.6
"""Chance of an old print by measurements times that by the network from which gray with noise is one, where
few levels are between its black and its white, and where many are."""

_WIDE, _SURE_IN_WIDE_GRAY = 150.0, 0.94
"""Levels between the first percentile and the brightest of a gray image from which its tones are not narrow,
and the chance by both that fading needs there: of 60 gray training photographs that faded, severity 1, 3 and
5, one has less with them, and flat photographs with noise of sigma 5 to 9 reach 0.93."""

_PRINTED_BLACK, _PRINTED_WHITE = 13.0, 240.0
"""Blackest level in means of 5 x 5 px of gray prints that faded, at least, and whitest in single pixels, at
most: of 200 training photographs that faded, severity 3 and 5, all lie between, of severity 1 three of four,
of the same with noise of sigma 8 one of four."""

_FADED_BLACK, _FADED_WHITE = 20.0, 230.0
"""Darkest level, the first percentile, of a gray print that faded, at least, and brightest, at most. With
both, of 40 training photographs with noise of sigma 6 to 12 one is taken for a print (four without), with
fading of severity 2 and 3 17 and 28 (26 and 32)."""

_DUST_PIXELS, _DUST_POWER = 256 * 256, 2.5
"""Pixels below which the odds that dust needs grow, and the power of their ratio: what is small shows one
thing, and that may be brown all over. Of 800 clean crops of training photographs, 192 px, one reaches it."""

_DUST_SHARED = 0.96
"""Correlation of the channels' finest details from which it is no dust: real dust reaches 0.91, made dust
0.94, and photographs whose colors faded have 0.97 and more."""

_BLOTS_SHARED = 0.945
"""The same at a quarter of the resolution: JPEG files hold finer colors as it left them, which channels share
whatever they had. Of 40 photographs, saved at quality 90, faded ones have 0.951 and more (95 %), dusty ones
(severity 3, 5) 0.932 and less (75 %), and noisy ones (sigma 10) 0.883 (half of them)."""

_DUST_SEEN = 0.3
"""Chance of dust by the network from which it counts as one of fading there: a round value, with which one of
800 clean whole images and crops of training photographs is taken for faded."""

_DUSTLESS_SHARED, _DUST_IN_SHARED = 0.6, 0.95
"""Correlation of the channels' finest details from which dust needs the second chance: made dust leaves 0.56
at most. Real dust often leaves more, and reaches 0.995 in 20 of 22 training photographs; of 62 in tungsten
light two reach 0.89, and a sunset in the desert, which nothing tells from dust, 0.99."""

_DUST_IN_SAVED = 0.92
"""Chance that dust needs where there are traces of JPEG, which leaves channels alike in any image: of 1200
clean JPEG files of training photographs (quality 85 to 95; whole, varied and 192 or 256 px of them) none
reaches 0.91."""

_VEIL_BESIDE = 0.86
"""Chance that haze or dust needs beside another damage: 400 JPEG files of clean crops reach 0.84."""

_FULL_WHITE, _HAZE_IN_WHITE = 251.0, 0.985
"""Brightest level from which haze needs the second chance: it takes whites away, and high-key photographs,
which lack blacks, too, have them. Of 31 made from training photographs four reach 0.984."""

_PAINTED, _UNPAINTED = 0.6, 0.97
"""Chances that scratches need where lines look painted, and where none does: reeds are lines, too."""

_DARK = 0.76
"""Chance that low light needs at least: 800 clean crops of training photographs, 192 px, reach 0.74."""

_MEASURED_BLUR = 0.1
"""Chance of any blur by measurements that blur needs: behind what is in focus photographs are soft, too."""

_RAINY, _RAIN_SEEN = 0.8, 0.9
"""Chance that rain needs where the network gives it the second one: of 800 clean crops of training
photographs, 192 px, one reaches that, which is taken for rain in any case."""

_JOINT = 0.15
"""Chance from which each of two damages counts, where `together` knows the two and one is sure."""

_MAJORITY, _NOTHING_ELSE = 0.5, 0.9
"""Chance that damaged tones need alone, whatever was ruled out, or share of what that leaves."""


_BRIGHT = 100.0
"""Median brightness above which a drawing does not lack light, whatever few colors make it look like."""


def possible_damages(
    complete: Collection[str], measured: Mapping[str, float], seen: Mapping[str, float]
) -> frozenset[str]:
    """Return the damages that an image may have.

    Args:
        complete: Those that have all that they need to be measured.
        measured: The chances by measurements.
        seen: The chances by the network.
    """
    plain = {name for name, chance in seen.items() if chance >= _PLAIN_TO_SEE}
    veils = {name for name in plain & _VEILS if measured[name] >= _PLAIN_TO_SEE}
    return frozenset(complete) | (plain - _VEILS - {NONE}) | veils


def without_dust(found: Mapping[str, float], seen: Mapping[str, float]) -> Mapping[str, float]:
    """Return the chances by the network where it may have taken a faded print for dust.

    Both are yellow and lack blacks. The grain of the prints that it learned was white; where a scan was
    reduced it is gone, but channels still share their finest details, which no dust leaves them: then its
    chance of dust is one of fading.

    Args:
        found: Measurements by name.
        seen: The chances by the network.
    """
    if not _share_details(found, _DUST_SHARED) or seen["sand-dust"] < _DUST_SEEN:
        return seen
    return {**seen, "fade": seen["fade"] + seen["sand-dust"], "sand-dust": 0.0}


def with_evidence(
    found: Mapping[str, float], measured: Mapping[str, float], seen: Mapping[str, float]
) -> frozenset[str]:
    """Return damages that an image shows something of, whatever else speaks against them.

    Args:
        found: Measurements by name.
        measured: The chances by measurements.
        seen: The chances by the network.
    """
    painted = frozenset({"scratches"}) if shows_paint(found) else frozenset[str]()
    faded = seen["fade"] >= _FADED_SEEN and _share_details(found, _FADED_SHARED)
    one_hue = found.get("one hue", math.inf) <= _ONE_HUE and measured["fade"] >= _FADED_IN_ONE_HUE
    return painted | {"fade"} if faded or one_hue else painted


def _share_details(found: Mapping[str, float], finest: float) -> bool:
    """Tell whether channels share their finest details so far, and those that JPEG cannot make them share."""
    return found.get("noise shared", 0.0) >= finest and share_blots(found)


def share_blots(found: Mapping[str, float]) -> bool:
    """Tell whether channels share their details at a quarter of the resolution as grays do.

    It is not asked where there is no trace of JPEG, or no color.
    """
    return not is_saved(found) or found.get("blots shared", _BLOTS_SHARED) >= _BLOTS_SHARED


def is_saved(found: Mapping[str, float]) -> bool:
    """Tell whether an image shows traces of JPEG, or its file says so."""
    return found.get("jpeg quality", NO_QUALITY) < NO_QUALITY


def faded_in_gray(
    found: Mapping[str, float], measured: Mapping[str, float], seen: Mapping[str, float]
) -> float | None:
    """Return the chance that a gray image with noise is a faded print, or None where that is too little.

    Prints have grain, which is white noise, and without colors the rest is seen less well: neither the
    measurements nor the network need be sure alone.

    Args:
        found: Measurements by name.
        measured: The chances by measurements.
        seen: The chances by the network.
    """
    if "noise shared" in found or found["whitest"] >= _FADED_WHITE or found["dark end"] < _FADED_BLACK:
        return None
    if _has_tones_of_no_print(found):
        return None
    chance = chance_of_print(measured, seen)
    return chance if chance >= (_FADED_IN_WIDE_GRAY if _is_wide(found) else _FADED_IN_GRAY) else None


def _is_wide(found: Mapping[str, float]) -> bool:
    return found.get("whitest", 0.0) - found.get("dark end", 0.0) >= _WIDE


def chance_of_print(measured: Mapping[str, float], seen: Mapping[str, float]) -> float:
    """Return the chance of an old print by measurements times that by the network."""
    by_both = [sum(chances[name] for name in ("fade", "old-photo")) for chances in (measured, seen)]
    return by_both[0] * by_both[1]


def without_evidence(found: Mapping[str, float], measured: Mapping[str, float]) -> frozenset[str]:
    """Return damages of which an image lacks what they cannot be without.

    Args:
        found: Measurements by name.
        measured: The chances by measurements.
    """
    blur = sum(measured[name] for name in BLURS)
    lacking = BLURS if blur < _MEASURED_BLUR else frozenset[str]()
    if _share_details(found, _DUST_SHARED):
        lacking = lacking | {"sand-dust"}
    if _has_tones_of_no_print(found):
        lacking = lacking | {"fade"}
    return lacking | _not_drawn(found) if can_be_holes(found) else lacking | _not_drawn(found) | {"holes"}


def _has_tones_of_no_print(found: Mapping[str, float]) -> bool:
    """Tell whether a gray image has a black or a white that none has that faded; not known of color."""
    if "noise shared" in found or "blackest" not in found:
        return False
    return found["whitest"] >= _PRINTED_WHITE or found["blackest"] < _PRINTED_BLACK


def _not_drawn(found: Mapping[str, float]) -> frozenset[str]:
    """Return what an image lacks because it is drawn: letters are no impulses and pixel art is no JPEG."""
    if not is_drawn(found):
        return frozenset()
    few = frozenset({"quantize"}) if is_mask(found) else frozenset[str]()
    few = few | {"low-light"} if found.get("median", 0.0) > _BRIGHT else few
    return _UNDRAWN | few if found.get("jpeg quality", 0.0) < NO_QUALITY else _UNDRAWN | few | {"jpeg"}


def limits(
    found: Mapping[str, float], seen: Mapping[str, float], sure: Mapping[str, float], pixels: int
) -> Mapping[str, float]:
    """Return from which chance each damage counts in an image, given from which it does by default.

    Args:
        found: Measurements by name.
        seen: The chances by the network.
        sure: The default, by damage.
        pixels: Of the image, height times width.
    """
    dust = sure.get("sand-dust", THRESHOLD)
    if found.get("noise shared", 0.0) >= _DUSTLESS_SHARED:
        dust = max(dust, _DUST_IN_SAVED if is_saved(found) else _DUST_IN_SHARED)
    odds = dust / (1 - dust) * max(_DUST_PIXELS / pixels, 1.0) ** _DUST_POWER
    rain, haze = sure.get("rain", THRESHOLD), sure.get("haze", THRESHOLD)
    fade = sure.get("fade", THRESHOLD)
    if "noise shared" not in found and _is_wide(found):
        fade = max(fade, _SURE_IN_WIDE_GRAY)
    return {
        **sure,
        "fade": fade,
        "haze": max(haze, _HAZE_IN_WHITE) if found.get("whitest", 0.0) >= _FULL_WHITE else haze,
        "rain": min(rain, _RAINY) if seen["rain"] >= _RAIN_SEEN else rain,
        "sand-dust": odds / (1 + odds),
        "scratches": _PAINTED if shows_paint(found) else _UNPAINTED,
        "low-light": max(sure.get("low-light", 0.0), _DARK),
    }


def leading(chances: Mapping[str, float], possible: Collection[str]) -> tuple[str, float] | None:
    """Return the likeliest damage that is possible, and the chance that it is one of its kind."""
    first = max(possible, key=lambda name: chances.get(name, 0.0), default=None)
    return None if first is None else (first, _of_its_kind(first, chances))


def damages_found(
    chances: Mapping[str, float], possible: Collection[str], sure: Mapping[str, float]
) -> tuple[str, ...]:
    """Return the damages that count as found, the likeliest first: none, one, or two that come together.

    An image of two damages counted as half an example of each: that one of them is there has its own chance
    and as much of the other's. To undo tones changes the whole image: that they are damaged must be as sure
    beside another damage as alone.

    Args:
        chances: Of each damage, and of `NONE`.
        possible: What the first may be. Under another damage a second one is seen less well: it need not
            show all that it shows alone.
        sure: From which chance, of all of its kind, a damage counts.
    """
    lead = leading(chances, possible)
    if lead is None:
        return ()
    first, chance = lead
    limit = sure.get(first, THRESHOLD)
    others = sorted(set(chances) - {NONE}, key=lambda name: -chances[name])
    second = next((name for name in others if together(first, name) is not None), None)
    also = 0.0 if second is None else _of_its_kind(second, chances)
    # What was ruled out leaves its chance to the rest.
    bound = limit * sum(chances.values()) if first in TONES else limit
    if chance + min(chance, also) < bound:
        return ()
    if second is None or min(chance, also) < _JOINT:
        left = _NOTHING_ELSE * sum(chances.values())
        return (first,) if first not in TONES or chance >= min(_MAJORITY, left) else ()
    beside = _VEIL_BESIDE if second in _VEILS else sure.get(second, THRESHOLD)
    certain = second not in TONES or also + min(chance, also) >= beside
    return (first, second) if certain else (first,)


def _of_its_kind(damage: str, chances: Mapping[str, float]) -> float:
    """That it is one of several that are alike must be sure, not which."""
    return sum(chance for name, chance in chances.items() if alike(name, damage))
