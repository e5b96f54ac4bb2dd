"""What computes a network: torch, or another runtime that is faster and gives the same."""

import importlib.util
import json
import math

import numpy as np
import pytest
import torch
from PIL import Image

from restorecli import restore
from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.weights import pack
from restorecli.diagnosis.result import Step
from restorecli.errors import DataError, UsageError, WeightsError
from restorecli.restoration import auto, backends
from restorecli.restoration.backends import load_network
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context
from restorecli.restoration.onnx_runtime import OnnxRestorer
from restorecli.restoration.race import Finish, are_finishes, from_json, race, to_json, winner
from restorecli.restoration.runtime import check_translation

ARGUMENTS = {"depth": 3, "width": 8, "channels": 3, "batch_norm": False}


def needs(*packages):
    absent = [name for name in packages if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(absent), reason=f"not installed: {', '.join(absent)}")


RUNTIMES = [
    pytest.param("onnxruntime", marks=needs("onnx", "onnxruntime")),
    pytest.param("openvino", marks=needs("openvino")),
    pytest.param("ncnn", marks=needs("ncnn")),
]


def packed(arguments, model="dncnn", **card):
    torch.manual_seed(0)
    return pack(create_model(model, **arguments).state_dict(), Card(model, arguments, channels=3, **card))


@pytest.fixture
def weights(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path / "cache"))
    file = tmp_path / "tiny.safetensors"
    file.write_bytes(packed(ARGUMENTS))
    return file


@pytest.mark.parametrize("backend", RUNTIMES)
@pytest.mark.parametrize("shape", [(1, 3, 21, 34), (2, 3, 7, 5), (2, 1, 16, 40)])
def test_each_runtime_computes_the_same_and_goes_by_the_same_name(weights, backend, shape):
    ours, other = (load_network(weights, device="cpu", backend=name) for name in ("torch", backend))
    assert other.backend == backend
    assert other.spec.name == ours.spec.name == "tiny"
    assert other.identity()["backend"] == backend
    assert "backend" not in ours.identity()
    x = torch.rand(shape)
    torch.testing.assert_close(other(x), ours(x), atol=1e-5, rtol=0)


@needs("openvino")
@pytest.mark.parametrize("tag", ["sca-unet.gaussian", "resnet.dither"])
def test_openvino_computes_networks_that_ship(tmp_path, monkeypatch, tag):
    """Global pooling, pixel shuffles and attention keep their meaning at sizes that were not traced."""
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path))
    ours, other = (
        load_network(tag, device="cpu", precision="fp32", backend=n) for n in ("torch", "openvino")
    )
    x = torch.rand(1, 3, 45, 70)
    torch.testing.assert_close(other(x), ours(x), atol=1e-4, rtol=0)


@needs("openvino")
def test_openvino_keeps_its_translation_and_makes_a_damaged_one_again(weights, tmp_path, monkeypatch):
    from restorecli.restoration import openvino_runtime

    load_network(weights, device="cpu", backend="openvino")
    (folder,) = (tmp_path / "cache" / "openvino").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(openvino_runtime, "_translated", None)  # it would fail if it were called
        load_network(weights, device="cpu", backend="openvino")
    (folder / "network.bin").write_bytes(b"")
    x = torch.rand(1, 3, 8, 8)
    again = load_network(weights, device="cpu", backend="openvino")
    torch.testing.assert_close(again(x), load_network(weights, device="cpu")(x), atol=1e-5, rtol=0)
    assert (folder / "network.bin").stat().st_size > 0


@pytest.mark.parametrize("backend", RUNTIMES[:2])
def test_a_cache_that_cannot_be_made_names_the_variable(weights, tmp_path, monkeypatch, backend):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path / "file"))
    with pytest.raises(DataError) as caught:
        load_network(weights, device="cpu", backend=backend)
    assert caught.value.file == str(tmp_path / "file")
    assert "RESTORECLI_CACHE" in caught.value.hint


@needs("openvino")
def test_openvino_in_bfloat16_rounds_as_torch_does(weights):
    exact = load_network(weights, device="cpu")
    halves = [load_network(weights, device="cpu", precision="bf16", backend=n) for n in ("torch", "openvino")]
    assert [half.precision for half in halves] == ["bfloat16"] * 2
    x = torch.rand(1, 3, 40, 40)
    errors = [float((half(x) - exact(x)).square().mean().sqrt()) for half in halves]
    assert errors[1] <= 1.25 * errors[0]
    assert halves[1].in_float32().precision == "float32"


@needs("onnx", "onnxruntime")
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


def finish(seconds, largest=1e-4, rms=1e-5, precision="float32"):
    return Finish(seconds, largest, rms, precision)


TORCH = finish(1.0, 0.0, 0.0)
TORCH_HALF = finish(1.0, 0.01, 0.002, "bfloat16")


@pytest.mark.parametrize(
    ("finishes", "expected"),
    [
        ({"torch": TORCH, "a": finish(0.5), "b": finish(0.4)}, "b"),
        ({"torch": TORCH, "a": finish(0.95)}, "torch"),
        ({"torch": TORCH, "a": finish(0.5), "b": finish(0.4, largest=0.01)}, "a"),
        ({"torch": TORCH, "a": finish(0.5, largest=math.nan)}, "torch"),
        ({"torch": TORCH_HALF, "a": finish(0.5, 0.01, 0.0024, "bfloat16")}, "a"),
        ({"torch": TORCH_HALF, "a": finish(0.5, 0.01, 0.0026, "bfloat16")}, "torch"),
        ({"torch": TORCH, "a": finish(0.5, 0.001, 0.0001, "bfloat16")}, "torch"),
    ],
)
def test_the_fastest_wins_if_it_is_equal_and_worth_it(finishes, expected):
    name, reason = winner(finishes)
    assert name == expected
    assert reason


def test_finishes_are_kept_as_json():
    finishes = {"torch": TORCH, "openvino": TORCH_HALF}
    known = json.loads(json.dumps(to_json(finishes)))
    assert are_finishes(known)
    assert from_json(known) == finishes
    for damaged in (None, [], {}, {"torch": [1.0]}, {"openvino": known["torch"]}, {"torch": [None] * 4}):
        assert not are_finishes(damaged)


def test_the_race_is_timed_and_compared(weights):
    ours, half = (load_network(weights, device="cpu", precision=precision) for precision in ("fp32", "bf16"))
    finishes = race({"torch": ours, "half": half}, ours)
    assert all(0 < finish.seconds < 60 for finish in finishes.values())
    assert finishes["torch"].largest == finishes["torch"].rms == 0
    assert 0 < finishes["half"].rms < finishes["half"].largest < 0.02
    assert finishes["half"].precision == "bfloat16"


def test_auto_measures_once_and_says_why(weights, monkeypatch):
    calls = []
    monkeypatch.setattr(
        backends, "race", lambda runners, _: calls.append(sorted(runners)) or {"torch": TORCH}
    )
    for _ in range(2):
        chosen = load_network(weights, device="cpu", backend="auto")
        assert chosen.backend == "torch"
        assert chosen.backend_reason
    assert len(calls) == 1
    assert "compile" not in calls[0]


@needs("onnx", "onnxruntime")
def test_auto_takes_the_winner_now_and_from_the_cache(weights, monkeypatch):
    monkeypatch.setattr(backends, "race", lambda *_: {"torch": TORCH, "onnxruntime": finish(0.5)})
    for _ in range(2):
        chosen = load_network(weights, device="cpu", backend="auto")
        assert isinstance(chosen, OnnxRestorer)
        assert "0.50 of torch's time" in chosen.backend_reason


@needs("ncnn")
def test_the_manifest_says_what_computed_and_why(weights, tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 24, 3), np.uint8)).save(source / "a.png")
    assert restore(source, output, model=weights, device="cpu", backend="ncnn").written == 1
    (line,) = (json.loads(text) for text in (output / "manifest.jsonl").read_text().splitlines()[-1:])
    assert line["restorer"]["backend"] == "ncnn"
    assert line["restorer"]["backend_reason"] == "asked for"
    assert restore(source, output, model=weights, device="cpu", backend="ncnn").skipped == 1
    assert restore(source, output, model=weights, device="cpu").written == 1


def test_a_wrong_translation_is_refused(weights):
    ours = load_network(weights, device="cpu")
    with torch.no_grad():
        other = load_network(weights, device="cpu")
        next(other.module.parameters()).add_(0.1)
    with pytest.raises(WeightsError, match="does not compute what torch computes"):
        check_translation(ours, other)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_compile_is_asked_for_and_computes_the_same(weights):
    """The compiler itself is left out: that what it is given is the network, is ours to show."""
    chosen = load_network(weights, device="cpu", backend="compile")
    assert chosen.backend == "compile"
    assert chosen.module._compiled_call_impl is not None
    assert chosen.digest() == load_network(weights, device="cpu").digest()


def test_compile_needs_a_compiler(weights, monkeypatch):
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UsageError, match=r"torch\.compile cannot compute") as raised:
        load_network(weights, device="cpu", backend="compile")
    assert "no C++ compiler" in raised.value.got


def test_what_is_missing_is_named_with_its_extra(weights, monkeypatch):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs openvino") as raised:
        load_network(weights, device="cpu", backend="openvino")
    assert "restorecli[openvino]" in raised.value.hint
    chosen = load_network(weights, device="cpu", backend="auto")
    assert chosen.backend == "torch"
    assert "no other back end is installed" in chosen.backend_reason


@pytest.mark.parametrize(
    ("backend", "precision", "got"),
    [
        ("onnxruntime", "bf16", "--precision bf16"),
        ("ncnn", "bf16", "--precision"),
        ("openvino", "fp16", "fp16"),
    ],
)
def test_a_precision_that_a_runtime_lacks_is_refused(weights, backend, precision, got):
    pytest.importorskip(backend)
    with pytest.raises(UsageError, match="cannot compute") as raised:
        load_network(weights, device="cpu", precision=precision, backend=backend)
    assert got in raised.value.got


def test_an_unknown_runtime_is_refused(weights):
    with pytest.raises(UsageError, match="Unknown backend"):
        load_network(weights, device="cpu", backend="tensorrt")


@pytest.mark.parametrize("backend", ["onnxruntime", "openvino"])
def test_a_network_that_a_runtime_cannot_compute_is_refused(tmp_path, backend):
    pytest.importorskip(backend)
    file = tmp_path / "drunet.safetensors"
    file.write_bytes(packed({"width": 8, "blocks": 1}, "drunet"))
    with pytest.raises(UsageError, match="cannot compute"):
        load_network(file, device="cpu", backend=backend)


def test_ncnn_refuses_a_network_that_is_no_plain_chain():
    pytest.importorskip("ncnn")
    with pytest.raises(UsageError, match="ncnn cannot compute") as raised:
        load_network("sca-unet.gaussian", device="cpu", backend="ncnn")
    assert "no plain chain" in raised.value.got


def test_the_model_auto_hands_the_back_end_on_to_the_networks_that_it_picks(monkeypatch):
    asked = []
    monkeypatch.setattr(
        auto,
        "load_network",
        lambda name, **how: asked.append(how["backend"]) or load_network(name, device="cpu"),
    )
    restorer = choose_restorer("auto", device="cpu", backend="auto")
    restorer._apply(Step("sca-unet.gaussian"), np.zeros((3, 32, 32), np.float32), Context())
    assert asked == ["auto"]
    assert restorer.identity()["backend"] == "auto"
    assert "backend" not in choose_restorer("auto", device="cpu").identity()


def test_a_back_end_that_is_not_installed_is_refused_for_the_model_auto_before_it_looks_at_images(
    monkeypatch,
):
    monkeypatch.setattr(backends.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="needs openvino"):
        choose_restorer("auto", device="cpu", backend="openvino")
