"""`restorecli doctor`: what is here, what would be used, and what is missing."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import textwrap
from pathlib import Path

from restorecli.cli import options, render
from restorecli.core.shipped import shipped
from restorecli.cores import usable_cores
from restorecli.result import CommandResult
from restorecli.version import __version__

EXAMPLES = ("restorecli doctor", "restorecli doctor --json")

_CELL = 50  # columns of a list: with the names before it, 80 are enough

_LIBRARIES = ("torch", "numpy", "scipy", "scikit-image", "pillow", "tifffile", "imagecodecs", "numba")


def command(as_json: options.Json = False) -> None:
    """Show versions, device, precision and weights that would be used, and whether files can be written."""
    found = {**_versions(), **_computing(), **_files()}
    if as_json:
        render.as_json(CommandResult("doctor", found))
        return
    render.table(("what", "here"), [(name, _words(value)) for name, value in found.items()])


def _versions() -> dict[str, object]:
    ours = {"restorecli": __version__, "python": platform.python_version(), "system": platform.platform()}
    from importlib.metadata import version  # `--help`, which needs none, is the faster without

    return {**ours, **{name: version(name) for name in _LIBRARIES}, **_onnx_runtime()}


def _onnx_runtime() -> dict[str, object]:
    """Return version and providers of ONNX Runtime, whichever package brought it, where it is installed."""
    if importlib.util.find_spec("onnxruntime") is None:
        return {}
    import onnxruntime

    return {
        "onnxruntime": onnxruntime.__version__,
        "onnxruntime computes on": onnxruntime.get_available_providers(),
    }


def _computing() -> dict[str, object]:
    import torch

    from restorecli.core.device import pick_device, precision, training_precision

    device = pick_device()
    cuda = device.type == "cuda"
    named = torch.cuda.get_device_name(device) if cuda else platform.processor() or platform.machine()
    return {
        "device": f"{device} ({named})",
        "cores": usable_cores(),
        "precision when restoring": str(precision("auto")).removeprefix("torch."),
        "precision when training": str(training_precision("auto", device)).removeprefix("torch."),
    }


def _files() -> dict[str, object]:
    here = Path.cwd()
    return {
        "weights": [weights.name for weights in shipped()],
        "program": str(Path(sys.argv[0]).resolve()),
        "this folder can be written": os.access(here, os.W_OK),
        "this folder": str(here),
    }


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return textwrap.fill(", ".join(value), _CELL, break_on_hyphens=False) or "none"
    return str(value)
