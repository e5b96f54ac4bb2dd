"""What `models` shows of files of weights and of networks that are counted by building them: with torch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch

from restorecli.cli.support.models import Rows, card_told
from restorecli.core.foreign import recognize, spandrel_files
from restorecli.core.models.catalog import count_parameters, create_model
from restorecli.core.tensor_names import MORE_NETWORKS
from restorecli.core.weights import read_foreign, read_weights
from restorecli.counting import counted
from restorecli.errors import WeightsError
from restorecli.restoration.description import describe_file
from restorecli.restoration.onnx_runtime import load_onnx


def count(name: str) -> int:
    """Return the number of parameters of a network with its default arguments."""
    with torch.device("meta"):  # shapes only: nothing is computed or kept
        return count_parameters(create_model(name))


def told(path: Path) -> tuple[dict[str, Any], Rows]:
    """Return what a file holds: the card of weights of ours, the label of a graph, or a checkpoint's tensors.

    Raises:
        WeightsError: It cannot be read.
    """
    if path.suffix == ".onnx":
        return _graph(path)
    try:
        return card_told(read_weights(path)[1])
    except WeightsError:
        tensors = read_foreign(path)
    if recognize(tensors) is not None:
        return _checkpoint(path)
    if spandrel_files.is_installed():
        with suppress(WeightsError):  # it does not know them either: the tensors are shown
            return _checkpoint(path)
    count = sum(tensor.numel() for tensor in tensors.values())
    shapes = {name: list(tensor.shape) for name, tensor in tensors.items()}
    first = list(shapes.items())[:8]
    rows: Rows = [
        (
            "what it is",
            f"a foreign checkpoint of {counted(count, 'number')} in {counted(len(shapes), 'tensor')}",
        )
    ]
    rows += [(name, "x".join(map(str, shape))) for name, shape in first]
    if not spandrel_files.is_installed():
        rows.append(("network", f"not known; {MORE_NETWORKS}"))
    rows.append(("use", f"restorecli restore FOLDER --model NAME --weights {path}"))
    return {"file": str(path), "parameters": count, "tensors": shapes}, rows


def _checkpoint(path: Path) -> tuple[dict[str, Any], Rows]:
    found = describe_file(path)
    rows: Rows = [
        ("what it is", found.origin),
        ("network", found.network),
        ("arguments", ", ".join(f"{name}: {value}" for name, value in found.arguments.items())),
        ("parameters", f"{found.parameters:,}"),
        ("images", "gray" if found.channels == 1 else "RGB and gray"),
        ("enlarges", f"{found.scale} times" if found.scale > 1 else "no"),
        (
            "noise level",
            "from --sigma, else from the manifest, else estimated" if found.takes_sigma else "not needed",
        ),
        ("use", f"restorecli restore FOLDER --model {path}"),
    ]
    return found.to_dict(), rows


def _graph(path: Path) -> tuple[dict[str, Any], Rows]:
    spec = load_onnx(path).spec
    document = {"file": str(path), "name": spec.name, "channels": spec.channels, "scale": spec.scale}
    rows: Rows = [
        ("what it is", "an exported graph (ONNX)"),
        ("network", spec.name),
        ("images", "gray" if spec.channels == 1 else "RGB and gray"),
        ("enlarges", f"{spec.scale} times" if spec.scale > 1 else "no"),
    ]
    return document, rows
