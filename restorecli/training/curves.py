"""The learning curves of a run: validation scores by step, as its log holds them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from restorecli.errors import DataError
from restorecli.training.places import LOG, RESOLVED

Curve = Sequence[tuple[int, float]]
"""Steps, each with a score."""

_SCORES = ("psnr", "ssim", "degraded_psnr", "degraded_ssim")


def is_run(folder: Path) -> bool:
    """Tell whether a folder is that of a run."""
    return (folder / LOG).is_file() and (folder / RESOLVED).is_file()


def read_curves(folder: Path) -> Mapping[str, Curve]:
    """Return the validation scores of a run by name: psnr (dB), ssim, and both as degraded.

    Lines that a crash has torn are passed over, and so are scores that are not finite.

    Raises:
        DataError: The folder has no log, or no validation was done yet.
    """
    if not is_run(folder):
        raise DataError("This is not the folder of a run.", expected=f"a folder with {LOG}", file=folder)
    curves: dict[str, list[tuple[int, float]]] = {name: [] for name in _SCORES}
    for line in (folder / LOG).read_text(encoding="utf-8").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("kind") == "validation":
            for name in _SCORES:
                if entry.get(name) is not None:
                    curves[name].append((entry["step"], entry[name]))
    if not curves["psnr"]:
        raise DataError(
            "This run has not been validated yet.", file=folder, hint="validation.every says when"
        )
    return curves
