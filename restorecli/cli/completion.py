"""What the shell offers after Tab. These run at every key press, so none of them imports torch."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def degradations(incomplete: str) -> list[tuple[str, str]]:
    """Return the names of degradations that begin with `incomplete`, each with its summary."""
    from restorecli.degrade.catalog import DEGRADATIONS

    return [(name, entry.summary) for name, entry in DEGRADATIONS.items() if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Return the shipped weights, "model" and "model.tag", that begin with `incomplete`."""
    tagged = [path.stem for path in sorted((_PACKAGE / "weights").glob("*.safetensors"))]
    names = dict.fromkeys(name for stem in tagged for name in (stem.partition(".")[0], stem))
    return [name for name in names if name.startswith(incomplete)]


def recipes(incomplete: str) -> list[str]:
    """Return the names of shipped recipes that begin with `incomplete`."""
    from restorecli.train.shelf import shipped_recipes

    return [name for name in shipped_recipes() if name.startswith(incomplete)]
