"""Trained networks by name or file, and what computes them: torch, or ONNX Runtime where it is faster."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from restorecli.core.learned import cache_folder, learned
from restorecli.core.restorer import PaddingRestorer, TorchRestorer
from restorecli.core.weights import Card
from restorecli.core.zoo import as_restorer, find_network, load
from restorecli.errors import UsageError, WeightsError
from restorecli.images.atomic import write_fault
from restorecli.restoration.export import write_export
from restorecli.restoration.onnx_runtime import SUFFIX, OnnxRestorer, is_available, load_onnx, require

BACKENDS = ("torch", "onnxruntime", "auto")
"""What can compute a network; "auto" measures once which is faster on this machine."""

_SIDE = 192
_ROUNDS = 3
_GAIN = 0.9
"""Share of torch's time below which ONNX Runtime is taken: less is not worth another file."""

_MOST_DIFFERENCE = 1 / 255


def load_network(
    name_or_file: str | Path,
    *,
    weights: str | Path | None = None,
    device: str | None = None,
    precision: str = "auto",
    backend: str = "torch",
) -> PaddingRestorer:
    """Return a trained network as a restorer; see `restorecli.load`.

    Args:
        name_or_file: "model", "model.tag", a weights file, or an exported graph.
        weights: A foreign checkpoint.
        device: Where to compute; None picks.
        precision: See `restorecli.load`.
        backend: One of `BACKENDS`.

    Raises:
        UsageError: The name or the backend is unknown, or the backend cannot compute this network so.
        WeightsError: The weights are missing, damaged or do not fit.
        DataError: The cache folder, where exported graphs are kept, cannot be written to.
    """
    if backend not in BACKENDS:
        raise UsageError("Unknown backend.", expected=", ".join(BACKENDS), got=backend)
    if Path(name_or_file).suffix == SUFFIX:
        if weights is not None:
            raise UsageError(
                "--weights cannot be used with an ONNX model.", got=f"--weights beside {name_or_file}"
            )
        return load_onnx(Path(name_or_file), device=device, precision=precision)
    if backend == "torch":
        return load(name_or_file, weights=weights, device=device, precision=precision)
    module, card, name = find_network(name_or_file, None if weights is None else Path(weights))
    losses = card.precision_loss
    network = as_restorer(module, name, device=device, precision_name=precision, losses=losses)
    reason = _why_torch(network, precision)
    if backend == "auto":
        return network if reason is not None or not is_available() else _faster(network, card)
    if reason is not None:
        raise UsageError(
            f"ONNX Runtime cannot compute {name} so.",
            expected="--backend torch or auto",
            got=reason,
        )
    require("onnx", "onnxruntime")
    return _in_onnx_runtime(network, card)


def _why_torch(network: TorchRestorer, precision: str) -> str | None:
    """Return why only torch computes a network as asked, or None."""
    if network.spec.needs:
        return "a network that is told the noise level, which a graph cannot be"
    if network.device.type != "cpu":
        return f"--device {network.device.type}; graphs are run on the CPU"
    return None if precision in ("auto", "fp32") else f"--precision {precision}; graphs compute in float32"


def _faster(network: TorchRestorer, card: Card) -> PaddingRestorer:
    """Return what is faster on this machine, measured once, and equal in 8 bits."""
    graph: list[OnnxRestorer] = []

    def measure() -> dict[str, float]:
        try:
            graph.append(_in_onnx_runtime(network, card))
        except (WeightsError, NotImplementedError, RuntimeError):
            return {"torch": 1.0, "onnxruntime": float("inf"), "difference": 1.0}  # it cannot be exported
        return _race(network, graph[0])

    taken = learned("backends", _machine(network), measure, _is_race)
    equal = taken["difference"] <= _MOST_DIFFERENCE
    if not equal or taken["onnxruntime"] >= _GAIN * taken["torch"]:
        return network
    return graph[0] if graph else _in_onnx_runtime(network, card)


def _race(network: PaddingRestorer, graph: PaddingRestorer) -> dict[str, float]:
    """Time both in turns; the first round, in which both get ready, does not count."""
    channels = network.spec.channels
    batch = torch.rand(1, channels, _SIDE, _SIDE, generator=torch.Generator().manual_seed(0))
    seconds: dict[str, list[float]] = {"torch": [], "onnxruntime": []}
    results: dict[str, Tensor] = {}
    runners: dict[str, Callable[[Tensor], Tensor]] = {
        "torch": network.unchecked,
        "onnxruntime": graph.unchecked,
    }
    for _ in range(1 + _ROUNDS):
        for name, run in runners.items():
            begun = time.perf_counter()
            results[name] = run(batch)
            seconds[name].append(time.perf_counter() - begun)
    difference = float((results["torch"] - results["onnxruntime"]).abs().max())
    return {**{name: min(taken[1:]) for name, taken in seconds.items()}, "difference": difference}


def _is_race(known: Any) -> bool:  # noqa: ANN401 - what a file holds
    names = ("torch", "onnxruntime", "difference")
    return isinstance(known, dict) and all(isinstance(known.get(name), float) for name in names)


def _machine(network: TorchRestorer) -> str:
    """Return all that decides which backend is faster."""
    import onnxruntime

    machine = (platform.node(), platform.machine(), os.cpu_count(), torch.get_num_threads())
    return f"{network.digest()} {network.spec} {network.precision} {machine} {onnxruntime.__version__}"


def _in_onnx_runtime(network: TorchRestorer, card: Card) -> OnnxRestorer:
    """Return a network run by ONNX Runtime; its graph is kept in the cache folder and checked when read."""
    file = cache_folder() / "graphs" / f"{network.digest()}{SUFFIX}"
    graph = _kept(file)
    if graph is None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise write_fault(fault, file) from fault
        precise = network.in_float32() or network
        write_export(precise, card, file)
        graph = OnnxRestorer(file, device="cpu")
    graph.spec = replace(graph.spec, name=network.spec.name)
    return graph


def _kept(file: Path) -> OnnxRestorer | None:
    """Return a graph that an earlier run kept, or None where there is none or it is damaged."""
    try:
        return OnnxRestorer(file, device="cpu") if file.is_file() else None
    except WeightsError:
        return None
