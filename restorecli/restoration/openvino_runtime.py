"""Networks computed by OpenVINO, Intel's runtime for CPUs: in bfloat16 the fastest on those that have it."""

from __future__ import annotations

import shutil
import tempfile
import warnings
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from restorecli.core.learned import cache_folder
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import WeightsError
from restorecli.restoration.runtime import RuntimeRestorer, cache_faults_told, check_translation

_HINTS = {torch.float32: "f32", torch.bfloat16: "bf16"}
_EXAMPLE = (64, 96)
_MODEL = "network.xml"


def in_openvino(network: TorchRestorer) -> RuntimeRestorer:
    """Return a network computed by OpenVINO, in the precision that it has in torch.

    The translation is compared with torch once and kept in the cache folder for later runs.

    Raises:
        WeightsError: OpenVINO cannot translate the network, or translates it into something else.
        DataError: The cache folder cannot be written to.
    """
    import openvino

    folder = cache_folder() / "openvino" / f"{network.digest()}-{openvino.__version__.split('-')[0]}"
    model = _kept(folder)
    if model is None:
        model = _translated(network)
        check_translation(network, _compiled(network, model, torch.float32))
        _keep(model, folder)
    return _compiled(network, model, network.dtype)


def _translated(network: TorchRestorer) -> Any:  # noqa: ANN401 - OpenVINO has no types
    """Return OpenVINO's form of a network, of any batch, height and width.

    By the front end itself: `openvino.convert_model` reports its use to the makers of OpenVINO.
    """
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    precise = network.in_float32() or network
    height, width = (-(-side // network.spec.multiple) * network.spec.multiple for side in _EXAMPLE)
    example = torch.rand(1, network.spec.channels, height, width)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of tracing: the comparison on other sizes says what it did
            decoder = TorchScriptPythonDecoder(precise.module, example_input=example)
        front = FrontEndManager().load_by_framework("pytorch")
        model = front.convert(front.load(decoder))
        model.reshape([-1, network.spec.channels, -1, -1])
    except Exception as fault:  # OpenVINO raises whatever its parts raise
        raise WeightsError(
            f"OpenVINO cannot compute {network.spec.name}.",
            got=str(fault).splitlines()[-1][:200],
            hint="--backend torch or auto",
        ) from fault
    return model


def _compiled(network: TorchRestorer, model: Any, dtype: torch.dtype) -> RuntimeRestorer:  # noqa: ANN401
    import openvino

    settings = {
        "INFERENCE_PRECISION_HINT": _HINTS[dtype],
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        "PERFORMANCE_HINT": "LATENCY",
        "NUM_STREAMS": 1,
    }
    request = openvino.Core().compile_model(model, "CPU", settings).create_infer_request()
    return RuntimeRestorer(
        network,
        backend="openvino",
        precision=str(dtype).removeprefix("torch."),
        run=partial(_run, request),
    )


def _run(request: Any, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ANN401
    # A copy: the request gives its own memory, which the next batch overwrites.
    return np.array(request.infer([batch], share_inputs=True)[0], np.float32)


def _kept(folder: Path) -> Any:  # noqa: ANN401
    """Return a translation that an earlier run kept, or None where there is none or it is damaged."""
    import openvino

    if not (folder / _MODEL).is_file():
        return None
    try:
        return openvino.Core().read_model(folder / _MODEL)
    except RuntimeError:
        shutil.rmtree(folder, ignore_errors=True)
        return None


def _keep(model: Any, folder: Path) -> None:  # noqa: ANN401
    """Write a translation; its folder gets its name when all of it is there."""
    import openvino

    with cache_faults_told(folder.parent):
        folder.parent.mkdir(parents=True, exist_ok=True)
        half = Path(tempfile.mkdtemp(dir=folder.parent))
    openvino.save_model(model, half / _MODEL, compress_to_fp16=False)
    try:
        half.rename(folder)
    except OSError:  # another run was faster
        shutil.rmtree(half, ignore_errors=True)
