"""Exported graphs as restorers, run by ONNX Runtime."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from restorecli.core.footprint import Footprint
from restorecli.core.onnx.label import read_label
from restorecli.core.restorer import PaddingRestorer
from restorecli.errors import UsageError, WeightsError

SUFFIX = ".onnx"

_CPU, _CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_MEMORY_WORDS = ("allocate memory", "bad_alloc", "bad allocation", "out of memory")


class OnnxRestorer(PaddingRestorer):
    """A graph that `restorecli export` wrote, as a restorer.

    Args:
        file: The ONNX file; read once, here.
        device: "cuda", "cuda:N" or "cpu"; None or "auto" takes CUDA where ONNX Runtime has it.

    Attributes:
        card: Of the weights inside.
        provider: What computes, by ONNX Runtime's name.

    Raises:
        UsageError: ONNX Runtime is missing, or cannot compute on the device.
        WeightsError: The file is missing, damaged, or none of ours.
    """

    def __init__(self, file: Path, *, device: str | None = None) -> None:
        require("onnxruntime")
        raw = _read(file)
        providers = _providers(device)
        self._session = _session(raw, providers, file)
        label = read_label(self._session.get_modelmeta().custom_metadata_map, raw, file)
        self._file = file
        self._input = self._session.get_inputs()[0].name
        self.device = torch.device("cpu")  # ONNX Runtime itself brings images to a GPU and back
        self.spec = label.spec
        self.card = label.card
        self._footprints = {kind: Footprint(*parts) for kind, parts in label.footprints.items()}
        self._digest = hashlib.sha256(raw).hexdigest()
        self.provider = self._session.get_providers()[0]
        if self.provider == _CPU and (device or "").startswith("cuda"):
            raise _no_device(str(device), "ONNX Runtime could not start CUDA")

    @property
    def precision(self) -> str:
        """Graphs are exported in float32."""
        return "float32"

    def digest(self) -> str:
        """Return the beginning of the SHA-256 of the file."""
        return self._digest[:16]

    def footprint(self, channels: int) -> Footprint:
        """Return what images of 1 or 3 channels take in memory: what the network took in torch."""
        return self._footprints[channels]

    def compute(self, batch: Tensor) -> Tensor:
        """Run the graph.

        Raises:
            MemoryError: Memory ran out.
            WeightsError: The graph does not do what its label says.
        """
        try:
            result = self._session.run(None, {self._input: batch.contiguous().numpy()})[0]
        except Exception as error:  # ONNX Runtime's errors have no common class but this
            if any(words in str(error) for words in _MEMORY_WORDS):
                raise MemoryError(str(error)) from error
            raise self._broken(str(error).splitlines()[0]) from error
        restored = torch.from_numpy(result)
        n, channels, height, width = batch.shape
        expected = (n, channels, height * self.spec.scale, width * self.spec.scale)
        if tuple(restored.shape) != expected or restored.dtype != torch.float32:
            raise self._broken(f"{restored.dtype} {tuple(restored.shape)} instead of float32 {expected}")
        return restored

    def _broken(self, got: str) -> WeightsError:
        return WeightsError(
            "The graph does not do what the file says.", got=got, file=self._file, hint="export it again"
        )


def load_onnx(file: Path, *, device: str | None = None, precision: str = "auto") -> OnnxRestorer:
    """Return an exported graph as a restorer; see `OnnxRestorer` for what can go wrong.

    Args:
        file: The ONNX file.
        device: See `OnnxRestorer`.
        precision: "auto" or "fp32": graphs are exported in float32.

    Raises:
        UsageError: Another precision.
    """
    if precision not in ("auto", "fp32"):
        raise UsageError(
            "An exported graph computes in float32.",
            expected="--precision auto or fp32",
            got=precision,
            hint="use the network itself: --model NAME or FILE.safetensors",
        )
    return OnnxRestorer(file, device=device)


def is_available() -> bool:
    """Tell whether the packages of the extra `onnx` are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("onnx", "onnxruntime"))


def require(*packages: str) -> None:
    """Make sure that packages of the extra `onnx` are installed.

    Raises:
        UsageError: One is not.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise UsageError(
            f"ONNX files need {' and '.join(missing)}, which is not installed.",
            hint="pip install 'restorecli[onnx]'",
        )


def _read(file: Path) -> bytes:
    if not file.is_file():
        raise WeightsError(
            "There is no such ONNX file.", file=file, hint="restorecli export MODEL -o FILE.onnx"
        )
    return file.read_bytes()


def _providers(device: str | None) -> list[tuple[str, dict[str, str]]]:
    """Return ONNX Runtime's providers for a device, the first choice first."""
    import onnxruntime

    kind, _, number = (device or "auto").partition(":")
    if kind == "cpu":
        return [(_CPU, {})]
    if kind not in ("auto", "cuda"):
        raise _no_device(str(device), "exported graphs run on CUDA or the CPU")
    if _CUDA in onnxruntime.get_available_providers():
        # TF32 keeps 10 bits of a product: what it gives is not what torch gives.
        return [(_CUDA, {"device_id": number or "0", "use_tf32": "0"}), (_CPU, {})]
    if kind == "cuda":
        raise _no_device(str(device), "this ONNX Runtime has no CUDA: install onnxruntime-gpu in its place")
    return [(_CPU, {})]


def _no_device(device: str, got: str) -> UsageError:
    return UsageError(
        f"The device {device!r} cannot run an exported graph here.",
        expected="cpu, or cuda where ONNX Runtime has it",
        got=got,
        hint="leave --device out, or use --device cpu",
    )


def _session(raw: bytes, providers: Sequence[tuple[str, dict[str, str]]], file: Path) -> Any:  # noqa: ANN401
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4  # what goes wrong is raised
    try:
        return onnxruntime.InferenceSession(raw, options, providers=list(providers))
    except Exception as error:  # damaged bytes make the loader raise whatever it comes across
        raise WeightsError(
            "This is not a whole ONNX file.",
            got=f"{type(error).__name__}: {error}".splitlines()[0][:200],
            file=file,
        ) from error
