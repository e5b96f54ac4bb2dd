"""Trained networks by name or file, and what computes them: torch, or another runtime where it is faster."""

from __future__ import annotations

import copy
import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from restorecli.core.card_reading import Card
from restorecli.core.carrying import carried
from restorecli.core.learned import cache_folder, learned
from restorecli.core.restorer import PaddingRestorer
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.zoo import load_with_card
from restorecli.errors import UsageError, WeightsError
from restorecli.restoration.export import write_export
from restorecli.restoration.ncnn_runtime import in_ncnn, is_chain
from restorecli.restoration.onnx_runtime import SUFFIX, OnnxRestorer, load_onnx
from restorecli.restoration.openvino_runtime import in_openvino
from restorecli.restoration.race import are_finishes, from_json, race, to_json, winner
from restorecli.restoration.runtime import cache_faults_told


@dataclass(frozen=True, slots=True)
class Backend:
    """A way to compute networks other than torch as it is.

    Attributes:
        title: Its name in sentences.
        build: Returns a network computed by it.
        packages: What it needs.
        extra: That of ours which installs the packages.
        races: Whether "auto" tries it.
        half: Whether it computes in bfloat16.
        devices: Where it computes.
    """

    title: str
    build: Callable[[TorchRestorer, Card], PaddingRestorer]
    packages: tuple[str, ...] = ()
    extra: str = ""
    races: bool = True
    half: bool = False
    devices: tuple[str, ...] = ("cpu",)

    @property
    def missing(self) -> list[str]:
        """The packages that are not installed."""
        return [name for name in self.packages if importlib.util.find_spec(name) is None]


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
        DataError: The cache folder, where translated networks are kept, cannot be written to.
    """
    check_backend(backend)
    if Path(name_or_file).suffix == SUFFIX:
        if weights is not None:
            raise UsageError(
                "--weights cannot be used with an ONNX model.", got=f"--weights beside {name_or_file}"
            )
        graph = load_onnx(Path(name_or_file), device=device, precision=precision)
        return carried(graph, graph.card.side)
    network, card = load_with_card(name_or_file, weights=weights, device=device, precision=precision)
    if backend == "torch":
        return carried(network, card.side)
    computed = _fastest if backend == "auto" else partial(_built, OTHERS[backend])
    return carried(computed(network, card, precision), card.side)


def check_backend(name: str) -> None:
    """Refuse a back end that is unknown or not installed.

    Raises:
        UsageError: It is.
    """
    if name not in BACKENDS:
        raise UsageError("Unknown backend.", expected=", ".join(BACKENDS), got=name)
    if name in OTHERS and OTHERS[name].missing:
        backend = OTHERS[name]
        raise UsageError(
            f"{backend.title} needs {' and '.join(backend.missing)}, which is not installed.",
            hint=f"pip install 'restorecli[{backend.extra}]'",
        )


def _built(backend: Backend, network: TorchRestorer, card: Card, precision: str) -> PaddingRestorer:
    """Return a network in the back end that was asked for.

    Raises:
        UsageError: It cannot compute this network so.
    """
    reason = _obstacle(backend, network, precision)
    if reason is not None:
        raise UsageError(
            f"{backend.title} cannot compute {network.spec.name} so.",
            expected="--backend torch or auto",
            got=reason,
        )
    made = backend.build(network, card)
    made.backend_reason = "asked for"
    return made


def _obstacle(backend: Backend, network: TorchRestorer, precision: str) -> str | None:
    """Return why a back end cannot compute a network as asked, or None."""
    if backend.title == _NCNN and not is_chain(network.module):
        return "a network that is no plain chain of convolutions, as dncnn is"
    if network.spec.needs and backend.title != _COMPILE:
        return "a network that is told the noise level, which a graph cannot be"
    if network.device.type not in backend.devices:
        return f"--device {network.device.type}; {backend.title} is used on the CPU"
    allowed = ("auto", "fp32", "bf16") if backend.half else ("auto", "fp32")
    if precision not in allowed:
        return f"--precision {precision}; {backend.title} computes in " + " or ".join(allowed[1:])
    if backend.title == _COMPILE and network.device.type == "cpu" and not _compiler():
        return "no C++ compiler was found (g++ or clang++, or the one that CXX names)"
    return None


def _compiler() -> str | None:
    named = os.environ.get("CXX")
    return shutil.which(named) if named else shutil.which("g++") or shutil.which("clang++")


def _fastest(network: TorchRestorer, card: Card, precision: str) -> PaddingRestorer:
    """Return a network in the back end that is fastest on this machine, measured once, and equal."""
    entries = {
        name: backend
        for name, backend in OTHERS.items()
        if backend.races and not backend.missing and _obstacle(backend, network, precision) is None
    }
    if not entries:
        network.backend_reason = "no other back end is installed that can compute it so"
        return network
    made: dict[str, PaddingRestorer] = {"torch": network}

    def measure() -> dict[str, list[float | str]]:
        for name, backend in entries.items():
            runner = _attempt(backend, network, card)
            if runner is not None:
                made[name] = runner
        return to_json(race(made, network.in_float32() or network))

    known = learned("backends", _machine(network, entries), measure, are_finishes)
    name, reason = winner(from_json(known))
    chosen = made[name] if name in made else entries[name].build(network, card)
    chosen.backend_reason = reason
    return chosen


def _attempt(backend: Backend, network: TorchRestorer, card: Card) -> PaddingRestorer | None:
    """Return a network in a back end, or None where that cannot take it."""
    try:
        return backend.build(network, card)
    except (WeightsError, NotImplementedError, RuntimeError):
        return None


def _machine(network: TorchRestorer, entries: Mapping[str, Backend]) -> str:
    """Return all that decides which back end is faster."""
    packages = [package for backend in entries.values() for package in backend.packages]
    versions = [f"{package} {importlib.metadata.version(package)}" for package in packages]
    machine = (platform.node(), platform.machine(), os.cpu_count(), torch.get_num_threads())
    return f"{network.digest()} {network.spec} {network.precision} {machine} {versions}"


def _in_onnx_runtime(network: TorchRestorer, card: Card) -> OnnxRestorer:
    """Return a network run by ONNX Runtime; its graph is kept in the cache folder and checked when read."""
    file = cache_folder() / "graphs" / f"{network.digest()}{SUFFIX}"
    graph = _kept(file)
    if graph is None:
        with cache_faults_told(file.parent):
            file.parent.mkdir(parents=True, exist_ok=True)
        precise = network.in_float32() or network
        write_export(precise, card, file)
        graph = OnnxRestorer(file, device="cpu")
    graph.spec = replace(graph.spec, name=network.spec.name)
    graph.backend = "onnxruntime"
    return graph


def _kept(file: Path) -> OnnxRestorer | None:
    """Return a graph that an earlier run kept, or None where there is none or it is damaged."""
    try:
        return OnnxRestorer(file, device="cpu") if file.is_file() else None
    except WeightsError:
        return None


def _compiled(network: TorchRestorer, card: Card) -> PaddingRestorer:
    """Return a network compiled by torch, at its first image, which takes up to a minute."""
    del card
    compiled = copy.copy(network)
    compiled.module = copy.deepcopy(network.module)
    compiled.module.compile()
    compiled.running = compiled.module
    compiled.backend = "compile"
    return compiled


_NCNN, _COMPILE = "ncnn", "torch.compile"

OTHERS = {
    "onnxruntime": Backend("ONNX Runtime", _in_onnx_runtime, ("onnx", "onnxruntime"), "onnx"),
    "openvino": Backend(
        "OpenVINO", lambda network, _: in_openvino(network), ("openvino",), "openvino", half=True
    ),
    "ncnn": Backend(_NCNN, lambda network, _: in_ncnn(network), ("ncnn",), "ncnn"),
    # It takes a minute to compile and gains nothing on a CPU over oneDNN: whoever wants it asks for it.
    "compile": Backend(_COMPILE, _compiled, races=False, half=True, devices=("cpu", "cuda")),
}
"""What can compute a network in place of torch as it is, by name."""

BACKENDS = ("torch", *OTHERS, "auto")
"""What can compute a network; "auto" measures once which is fastest on this machine."""
