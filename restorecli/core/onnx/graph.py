"""A network as one ONNX file that describes itself: any batch, height and width, float32.

The file is the graph, then, as ONNX metadata under the key "restorecli", one JSON object: the card of the
weights, what a caller must know (`RestorerSpec`), what the graph takes in memory, and length and SHA-256 of
the bytes before it, by which damage is noticed. Sides must be multiples of the network's; whoever runs the
graph pads.

The older of torch's two exporters is used: on the networks of the catalog it takes 0.1 to 5 seconds where the
newer one takes 1 to 80, and what it gives is as exact.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import nn

from restorecli.core.card_reading import Card
from restorecli.core.onnx.functions import OPSET, with_functions
from restorecli.core.onnx.label import KEY, GraphLabel, write_label
from restorecli.core.restorer import RestorerSpec
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import UsageError

INPUT, OUTPUT = "degraded", "restored"

MAX_BYTES = 2**31 - 2**20
"""What a protobuf message, hence an ONNX file without others beside it, can hold."""

_TRACED = (80, 96)
_EXPECTED_WARNINGS = (
    "You are using the legacy TorchScript-based ONNX export",
    "The feature will be removed",
    "Constant folding - Only steps=1 can be constant folded",
    "ONNX export mode is set to TrainingMode.EVAL, but operator 'instance_norm'",
)


def to_onnx(restorer: TorchRestorer, card: Card, footprints: Mapping[int, tuple[float, float]]) -> bytes:
    """Return the bytes of an ONNX file that computes what the restorer's network computes.

    Args:
        restorer: On the CPU.
        card: Of its weights.
        footprints: See `GraphLabel`.

    Raises:
        UsageError: The network is too large for one file.
    """
    size = sum(4 * tensor.numel() for tensor in restorer.module.state_dict().values())
    if size > MAX_BYTES:
        raise UsageError(
            "The network is too large for one ONNX file.",
            expected=f"at most {MAX_BYTES:,} bytes of weights",
            got=f"{size:,} bytes",
        )
    graph = _graph(restorer.module, restorer.spec)
    return graph + _metadata(write_label(GraphLabel(restorer.spec, card, footprints), graph))


def _graph(module: nn.Module, spec: RestorerSpec) -> bytes:
    import onnx

    from restorecli.core.onnx.symbolics import symbolics

    height, width = (-(-side // spec.multiple) * spec.multiple for side in _TRACED)
    batch = torch.rand(2, spec.channels, height, width, generator=torch.Generator().manual_seed(0))
    free = {0: "batch", 2: "height", 3: "width"}
    enlarged = free if spec.scale == 1 else {0: "batch", 2: "height_out", 3: "width_out"}
    written = io.BytesIO()  # and no file, which would need room on a second disk
    with torch.no_grad(), symbolics(), _expected_warnings():
        torch.onnx.export(
            module,
            (batch,),
            written,  # type: ignore[arg-type]  # any stream is taken, which the annotation does not say
            dynamo=False,
            opset_version=OPSET,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: free, OUTPUT: enlarged},
        )
        model = with_functions(onnx.load_from_string(written.getvalue()))
    onnx.checker.check_model(model)
    graph: bytes = model.SerializeToString()
    return graph


@contextmanager
def _expected_warnings() -> Iterator[None]:
    """Silence what is known of the exporter; decisions of Python that it warns of show in the check later."""
    with warnings.catch_warnings():
        for message in _EXPECTED_WARNINGS:
            warnings.filterwarnings("ignore", message)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        yield


def _metadata(text: str) -> bytes:
    """Return bytes that, after those of an ONNX model, give it a line of metadata: messages are joined so."""
    import onnx

    tail = onnx.ModelProto()
    entry = tail.metadata_props.add()
    entry.key, entry.value = KEY, text
    joined: bytes = tail.SerializeToString()
    return joined
