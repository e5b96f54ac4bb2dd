"""What computes a network: torch or ONNX Runtime."""

import pytest
import torch

from restorecli.core.models.catalog import create_model
from restorecli.core.weights import Card, pack
from restorecli.errors import UsageError
from restorecli.restoration import backends
from restorecli.restoration.backends import load_network
from restorecli.restoration.onnx_runtime import OnnxRestorer

ARGUMENTS = {"depth": 3, "width": 8, "channels": 3, "batch_norm": False}


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path / "cache"))
    torch.manual_seed(0)
    network = create_model("dncnn", **ARGUMENTS)
    file = tmp_path / "tiny.safetensors"
    file.write_bytes(pack(network.state_dict(), Card("dncnn", ARGUMENTS, channels=3)))
    return file


def test_both_compute_the_same_and_go_by_the_same_name(weights):
    ours, graph = (load_network(weights, device="cpu", backend=name) for name in ("torch", "onnxruntime"))
    assert isinstance(graph, OnnxRestorer)
    assert graph.spec.name == ours.spec.name == "tiny"
    x = torch.rand(1, 3, 21, 34)
    torch.testing.assert_close(graph(x), ours(x), atol=1e-5, rtol=0)


def test_the_graph_is_kept_and_a_damaged_one_is_made_again(weights, tmp_path, monkeypatch):
    load_network(weights, device="cpu", backend="onnxruntime")
    (file,) = (tmp_path / "cache" / "graphs").iterdir()
    before = file.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(backends, "write_export", None)  # it would fail if it were called
        load_network(weights, device="cpu", backend="onnxruntime")
    file.write_bytes(before[:-200])
    load_network(weights, device="cpu", backend="onnxruntime")
    assert len(file.read_bytes()) == len(before)


@pytest.mark.parametrize(
    ("taken", "graph"),
    [
        ({"torch": 1.0, "onnxruntime": 0.5, "difference": 0.001}, True),
        ({"torch": 1.0, "onnxruntime": 0.95, "difference": 0.001}, False),
        ({"torch": 1.0, "onnxruntime": 0.5, "difference": 0.01}, False),
    ],
)
def test_auto_takes_what_is_faster_and_equal_and_measures_once(weights, monkeypatch, taken, graph):
    calls = []
    monkeypatch.setattr(backends, "_race", lambda *_: calls.append(1) or taken)
    for _ in range(2):
        assert isinstance(load_network(weights, device="cpu", backend="auto"), OnnxRestorer) is graph
    assert calls == [1]


def test_the_race_is_timed_and_compared(weights):
    ours, graph = (load_network(weights, device="cpu", backend=name) for name in ("torch", "onnxruntime"))
    taken = backends._race(ours, graph)
    assert 0 < taken["torch"] < 60
    assert 0 < taken["onnxruntime"] < 60
    assert taken["difference"] < 1e-4


def test_what_a_graph_cannot_do_stays_with_torch_or_is_refused(weights, tmp_path):
    with pytest.raises(UsageError, match="ONNX Runtime cannot compute"):
        load_network(weights, device="cpu", precision="bf16", backend="onnxruntime")
    assert not isinstance(load_network(weights, device="cpu", precision="bf16", backend="auto"), OnnxRestorer)
    with pytest.raises(UsageError, match="Unknown backend"):
        load_network(weights, device="cpu", backend="tensorrt")
    small = {"width": 8, "blocks": 1}
    file = tmp_path / "drunet.safetensors"
    file.write_bytes(pack(create_model("drunet", **small).state_dict(), Card("drunet", small)))
    with pytest.raises(UsageError, match="ONNX Runtime cannot compute"):
        load_network(file, device="cpu", backend="onnxruntime")
