"""The files of a run folder."""

from __future__ import annotations

from pathlib import Path

from restorecli.errors import UsageError

RESOLVED = "recipe.resolved.yaml"
LOG = "log.jsonl"
LAST, BEST = "last.safetensors", "best.safetensors"
STATE, PREVIOUS = "last.state.safetensors", "previous.state.safetensors"
IMAGES_LIST = "pictures.jsonl"
DAMAGED = "damaged.state.safetensors"


def nothing_to_resume(folder: Path) -> UsageError:
    """Return the error for a folder that holds no run."""
    return UsageError("There is no run to resume.", file=folder, hint="leave --resume out to start it")
