"""What has changed between a run that was saved and the one that goes on with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch

from restorecli.errors import RecipeError, UsageError
from restorecli.training.checkpoint import SavedState
from restorecli.training.pairs import Listing, images_digest, read_listing
from restorecli.training.places import IMAGES_LIST

IMAGES, TORCH = "pictures", "torch"
_SHOWN = 5
_FREE = ("budget",)
_FIXED = ("model", "strategy", "rivals", "ema", "optimizer.name")
"""Parts of a recipe that the saved state is made of: no run goes on without them."""


def refuse_changes(
    saved: SavedState, recipe: Mapping[str, Any], images: Listing, allowed: Sequence[str] = ()
) -> None:
    """Refuse to resume with another recipe, other images or another torch; a larger budget is no change.

    Args:
        saved: The state to go on from.
        recipe: The resolved recipe of now.
        images: The images of now.
        allowed: Names of what may have changed: "pictures", "torch", a recipe's key ("optimizer.lr") or
            section ("data").

    Raises:
        UsageError: Something is allowed to change that cannot.
        RecipeError: With every difference that is not allowed.
    """
    for name in allowed:
        if _within(name, _FIXED):
            raise UsageError(
                f"{name} cannot change within a run: what was saved is made of it.",
                expected="a key of the recipe outside " + ", ".join(_FIXED) + f", {IMAGES} or {TORCH}",
                got=name,
                hint="start a new run, with `init:` the old one's best.safetensors",
            )
    before = {**_flat(saved.metadata["recipe"]), TORCH: saved.metadata["torch"]}
    now = {**_flat(recipe), TORCH: torch.__version__}
    if IMAGES in saved.metadata:  # not in states that version 0.1.0 wrote early on
        before[IMAGES], now[IMAGES] = saved.metadata[IMAGES], images_digest(images)
    differing = [
        key
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and not _within(key, (*_FREE, *allowed))
    ]
    if differing:
        told = [f"{key}: {before.get(key)!r} -> {now.get(key)!r}" for key in differing[:8]]
        if IMAGES in differing[:8]:
            earlier = read_listing(saved.file.parent / IMAGES_LIST)
            if earlier is not None and images_digest(earlier) == before[IMAGES]:
                told[differing.index(IMAGES)] = f"{IMAGES}: {_named(earlier, images)}"
        raise RecipeError(
            "The recipe, its images or torch have changed since this run began.",
            got="; ".join(told),
            file=saved.file,
            unchanged="the run folder",
            hint=f"undo the changes, start a new run with another -o/--output, or go on with them by "
            f"--allow-change {','.join(differing[:8])}",
        )


def _named(before: Listing, now: Listing) -> str:
    """Say which images are new, gone or changed."""
    old, new = dict(before), dict(now)
    kinds = {
        "new": [key for key in new if key not in old],
        "gone": [key for key in old if key not in new],
        "of another size": [key for key in new if key in old and new[key] != old[key]],
    }
    told = [f"{len(keys)} {kind} ({_first(keys)})" for kind, keys in kinds.items() if keys]
    return ", ".join(told) or "in another order"


def _first(keys: Sequence[str]) -> str:
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    return f"{', '.join(keys[:_SHOWN])}{more}"


def _within(key: str, names: Iterable[str]) -> bool:
    """Tell whether a key is one of the names or lies below one."""
    return any(key == name or key.startswith(f"{name}.") for name in names)


def _flat(content: object, at: str = "") -> dict[str, Any]:
    if isinstance(content, Mapping) and content:
        return {k: v for key, value in content.items() for k, v in _flat(value, f"{at}{key}.").items()}
    if isinstance(content, list) and content:
        return {k: v for i, value in enumerate(content) for k, v in _flat(value, f"{at}{i}.").items()}
    return {at.rstrip("."): content}
