"""From the chance of each damage to the one or two that count as found."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from restorecli.diagnosis.decide import NONE
from restorecli.diagnosis.holes import ends_at_once
from restorecli.diagnosis.lines import shows_paint
from restorecli.diagnosis.together import alike, together

THRESHOLD = 0.6
"""Chance from which the likeliest damage counts as found, where nothing else is known."""

TONES = frozenset(("fade", "haze", "low-light", "old-photo", "sand-dust"))

BLURS = frozenset(("gaussian-blur", "defocus", "motion-blur"))

_VEILS = frozenset(("haze", "sand-dust"))

_PLAIN_TO_SEE = 0.8
"""Chance by the network from which a damage is possible, whatever is measured; veils are seen in skies."""

_PAINTED, _UNPAINTED = 0.6, 0.97
"""Chances that scratches need where lines look painted, and where none does: reeds are lines, too."""

_DARK = 0.76
"""Chance that low light needs at least: 800 clean crops of training photographs, 192 px, reach 0.74."""

_MEASURED_BLUR = 0.1
"""Chance of any blur by measurements that blur needs: behind what is in focus photographs are soft, too."""

_JOINT, _JOINT_TONES = 0.15, 0.35
"""Chance from which a second damage counts, where `together` knows the two. Tones need more: to undo what is
not there would change the whole image."""


def possible_damages(measured: Collection[str], seen: Mapping[str, float]) -> frozenset[str]:
    """Return the damages that an image may have.

    Args:
        measured: Those that have all that they need to be measured.
        seen: The chances by the network.
    """
    plain = {name for name, chance in seen.items() if chance >= _PLAIN_TO_SEE}
    return frozenset(measured) | (plain - _VEILS - {NONE})


def with_evidence(found: Mapping[str, float]) -> frozenset[str]:
    """Return damages that an image shows something of, whatever else speaks against them.

    Args:
        found: Measurements by name.
    """
    return frozenset({"scratches"}) if shows_paint(found) else frozenset()


def without_evidence(found: Mapping[str, float], measured: Mapping[str, float]) -> frozenset[str]:
    """Return damages of which an image lacks what they cannot be without.

    Args:
        found: Measurements by name.
        measured: The chances by measurements.
    """
    blur = sum(measured[name] for name in BLURS)
    lacking = BLURS if blur < _MEASURED_BLUR else frozenset[str]()
    return lacking if ends_at_once(found) else lacking | {"holes"}


def limits(found: Mapping[str, float], sure: Mapping[str, float]) -> Mapping[str, float]:
    """Return from which chance each damage counts in an image, given from which it does by default."""
    return {
        **sure,
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
    if second is not None:
        also = _of_its_kind(second, chances)
        if also >= (_JOINT_TONES if second in TONES else _JOINT) and chance + also >= limit:
            return first, second
    return (first,) if chance >= limit else ()


def _of_its_kind(damage: str, chances: Mapping[str, float]) -> float:
    """That it is one of several that are alike must be sure, not which."""
    return sum(chance for name, chance in chances.items() if alike(name, damage))
