"""Every network of the catalog, exported to ONNX, computes what torch computes, whatever the size."""

import onnx
import pytest
import torch
from torch import nn

from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.onnx.graph import to_onnx
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.restoration.export import TOLERANCE, largest_difference
from restorecli.restoration.onnx_runtime import OnnxRestorer

FOOTPRINTS = {1: (1000.0, 0.0), 3: (1000.0, 0.0)}

VARIANTS = [
    *((name, {"channels": (3, 1)[turn % 2], **MODELS[name].small}) for turn, name in enumerate(MODELS)),
    ("sca-unet", {"weighting": "dot"}),
    ("sca-unet", {"weighting": "dot", "legacy_nonlocal": True}),
    ("dncnn", {"depth": 4, "width": 8, "batch_norm": False}),
    ("resnet", {"blocks": 1, "width": 8, "scale": 3}),
    ("rdn", {"blocks": 1, "layers": 1, "growth": 8, "width": 8, "scale": 2}),
    ("esrgan", {"blocks": 1, "width": 8, "growth": 4, "scale": 4}),
    ("drunet", {"width": 8, "blocks": 1, "sigma": 15.0}),
    ("old-photo", {"width": 4, "detector": 4, "inpaint_only": True, "keep_chroma": True}),
    ("pixelcnn", {**MODELS["pixelcnn"].small, "output": "categorical"}),
    ("restormer", {**MODELS["restormer"].small, "norm": "bias-free"}),
    ("swm", {**MODELS["swm"].small, "mode": "clamp", "padding": 3, "edges": (0.5,)}),
    ("patch-cnn", {"patch": 12, "stride": 6, "depth": 3, "width": 8, "window": "triangular"}),
]


def trained(name, arguments):
    """A network none of whose parameters is zero: what starts as the identity would hide what is behind."""
    torch.manual_seed(0)
    network = create_model(name, **arguments)
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return TorchRestorer(network, name=name, device=torch.device("cpu"))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "arguments"), VARIANTS, ids=lambda part: str(part))
def test_an_exported_network_computes_what_torch_computes(name, arguments, tmp_path):
    network = trained(name, arguments)
    file = tmp_path / "network.onnx"
    file.write_bytes(to_onnx(network, Card(name, arguments), FOOTPRINTS))
    exported = OnnxRestorer(file, device="cpu")
    assert (exported.spec.channels, exported.spec.scale) == (network.spec.channels, network.spec.scale)
    assert (exported.spec.multiple, exported.spec.receptive_field) == (
        network.spec.multiple,
        network.spec.receptive_field,
    )
    assert largest_difference(network, exported) <= TOLERANCE
    assert {node.domain for node in onnx.load(file).graph.node} == {""}, "only standard operators"


def test_awake_networks_do_something():
    """The judge above would also pass a network that does nothing."""
    x = torch.rand(1, 3, 64, 64)
    assert all(
        (trained(name, dict(entry.small)).compute(x)[..., :64, :64] - x).abs().max() > 1e-3
        for name, entry in MODELS.items()
        if entry.small
    )
