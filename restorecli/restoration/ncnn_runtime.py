"""Plain convolutional networks computed by ncnn, whose Winograd convolutions need far fewer products.

Lavin, Gray, "Fast Algorithms for Convolutional Neural Networks", CVPR 2016. In float32 the results are those
of torch to a thousandth of an 8-bit level.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from restorecli.core.models.dncnn import DnCnn
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.restoration.runtime import RuntimeRestorer, check_translation

_MAGIC = 7767517
_FLOAT32 = b"\0\0\0\0"
"""Says that the weights behind it are plain float32."""


def is_chain(module: nn.Module) -> bool:
    """Tell whether a network is what is translated here: x - R(x), R a chain of convolutions."""
    return isinstance(module, DnCnn) and not module.batch_norm


def in_ncnn(network: TorchRestorer) -> RuntimeRestorer:
    """Return a network for which `is_chain` holds, computed by ncnn in float32.

    Raises:
        WeightsError: ncnn does not compute what torch computes.
    """
    run = partial(_run, _built(network.module))
    made = RuntimeRestorer(network, backend="ncnn", precision="float32", run=run)
    check_translation(network, made)
    return made


def _built(module: nn.Module) -> Any:  # noqa: ANN401 - ncnn's types are compiled
    """Return ncnn's form of a chain.

    It reads two files: a graph as text, one line a layer with the names of what comes in and goes out, and
    the weights in the order of the layers.
    """
    import ncnn

    convolutions = [layer for layer in module.modules() if isinstance(layer, nn.Conv2d)]
    layers = ["Input input 0 1 x", "Split split 1 2 x kept c0"]
    for number, convolution in enumerate(convolutions, start=1):
        shape = f"0={convolution.out_channels} 1=3 4=1 5=1 6={convolution.weight.numel()}"
        relu = " 9=1" if number < len(convolutions) else ""
        layers.append(f"Convolution conv{number} 1 1 c{number - 1} c{number} {shape}{relu}")
    layers.append(f"BinaryOp subtract 2 1 kept c{len(convolutions)} y 0=1")
    graph = "\n".join([str(_MAGIC), f"{len(layers)} {len(layers) + 1}", *layers, ""])
    weights = b"".join(_FLOAT32 + _bytes(layer.weight) + _bytes(layer.bias) for layer in convolutions)
    net = ncnn.Net()
    net.opt.num_threads = torch.get_num_threads()
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.opt.use_bf16_storage = False
    with TemporaryDirectory() as folder:
        files = (Path(folder) / "network.param", Path(folder) / "network.bin")
        files[0].write_text(graph, "utf-8")
        files[1].write_bytes(weights)
        net.load_param(str(files[0]))
        net.load_model(str(files[1]))
    return net


def _bytes(values: torch.Tensor | None) -> bytes:
    assert values is not None  # noqa: S101 - without batch norm every convolution has a bias
    return values.detach().cpu().contiguous().numpy().astype("<f4").tobytes()


def _run(net: Any, batch: NDArray[np.float32]) -> NDArray[np.float32]:  # noqa: ANN401
    import ncnn

    results = []
    for image in batch:
        extractor = net.create_extractor()
        extractor.input("x", ncnn.Mat(image).clone())  # padded as its kernels want it
        failed, result = extractor.extract("y")
        if failed:
            raise MemoryError("ncnn could not compute a tile, most likely for lack of memory")
        results.append(np.array(result))
    return np.stack(results)
