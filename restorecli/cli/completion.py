"""What the shell offers after Tab. These run at every key press, so none of them imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restorecli.docs import pages
from restorecli.training.shelf import shipped_recipes

_PACKAGE = Path(__file__).resolve().parent.parent


def degradations(incomplete: str) -> list[tuple[str, str]]:
    """Return the names of degradations that begin with `incomplete`, each with its summary."""
    from restorecli.degradation.catalog import DEGRADATIONS

    return [(name, entry.summary) for name, entry in DEGRADATIONS.items() if name.startswith(incomplete)]


def models(incomplete: str) -> list[str]:
    """Return "auto", the shipped weights as "model" and "model.tag", and methods, as `incomplete` begins."""
    from restorecli.restoration.methods.catalog import METHODS

    tagged = [path.stem for path in sorted((_PACKAGE / "weights").glob("*.safetensors"))]
    names = dict.fromkeys(name for stem in tagged for name in (stem.partition(".")[0], stem))
    return [name for name in ("auto", *names, *METHODS) if name.startswith(incomplete)]


def protocols(incomplete: str) -> list[tuple[str, str]]:
    """Return the names of protocols that begin with `incomplete`, each with what it compares."""
    from restorecli.evaluation.metrics.protocol import PROTOCOLS

    return [(name, entry.line) for name, entry in PROTOCOLS.items() if name.startswith(incomplete)]


def metrics(incomplete: str) -> list[tuple[str, str]]:
    """Return the names of metrics that begin with what stands behind the last comma, each explained."""
    from restorecli.evaluation.metrics.catalog import METRICS

    known = {name: entry.definition for name, entry in METRICS.items()}
    return _last_of_list(incomplete, {**known, "all": "every metric that these images allow"})


def fields(incomplete: str) -> list[tuple[str, str]]:
    """Return the fields that every manifest has, by what stands behind the last comma."""
    return _last_of_list(
        incomplete,
        {
            "category": "the folder",
            "defect": "the kind of defect",
            "degradation": "the steps of the chain",
            "severity": "1 to 5, where it was given",
            "sigma": "or any other drawn value",
            "model": "what restored it",
            "seed": "the seed of the run",
        },
    )


def _last_of_list(incomplete: str, known: Mapping[str, str]) -> list[tuple[str, str]]:
    before, comma, word = incomplete.rpartition(",")
    taken = before.split(",")
    return [
        (f"{before}{comma}{name}", told)
        for name, told in known.items()
        if name.startswith(word) and name not in taken
    ]


def recipes(incomplete: str) -> list[str]:
    """Return the names of shipped recipes that begin with `incomplete`."""
    return [name for name in shipped_recipes() if name.startswith(incomplete)]


def topics(incomplete: str) -> list[tuple[str, str]]:
    """Return the pages of the manual that begin with `incomplete`, each with its title."""
    return [(name, title) for name, title in pages().items() if name.startswith(incomplete)]
