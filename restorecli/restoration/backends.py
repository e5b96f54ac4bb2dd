"""Trained networks by name or file, whatever runs them: torch, or ONNX Runtime for an exported graph."""

from __future__ import annotations

from pathlib import Path

from restorecli.core.restorer import TorchRestorer
from restorecli.core.zoo import load
from restorecli.errors import UsageError
from restorecli.restoration.onnx_runtime import SUFFIX, OnnxRestorer, load_onnx


def load_network(
    name_or_file: str | Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
) -> TorchRestorer | OnnxRestorer:
    """Return a trained network as a restorer; see `restorecli.load`."""
    if Path(name_or_file).suffix != SUFFIX:
        return load(name_or_file, weights=weights, device=device, precision=precision)
    if weights is not None:
        raise UsageError("An exported graph brings its weights.", came=f"--weights beside {name_or_file}")
    return load_onnx(Path(name_or_file), device=device, precision=precision)
