"""`export` writes a file that `restore` runs like the network it came from, and refuses what it cannot."""

import importlib.util
import json

import numpy as np
import pytest
import torch
from PIL import Image

from restorecli import create_model, load
from restorecli.core.card_reading import Card
from restorecli.core.weights import pack
from restorecli.restoration import export as export_room

ARGUMENTS = {"channels": 1, "depth": 4, "width": 8}


@pytest.fixture
def tiny(shell):
    """The shell with ./tiny.safetensors, a gray DnCNN with batch norm that has seen statistics."""
    torch.manual_seed(0)
    network = create_model("dncnn", **ARGUMENTS)
    network(torch.rand(4, 1, 32, 32))
    card = Card(model="dncnn", arguments=ARGUMENTS, channels=1, tag="tiny", licence="CC0-1.0", data="none")
    (shell.folder / "tiny.safetensors").write_bytes(pack(network.state_dict(), card))
    return shell


@pytest.fixture
def exported(tiny):
    """The shell with ./tiny.onnx beside the weights it came from."""
    tiny("restorecli export tiny.safetensors")
    return tiny


def pixels(folder):
    return {
        path.relative_to(folder): np.asarray(Image.open(path), dtype=float) for path in folder.rglob("*.png")
    }


def test_a_folder_is_restored_as_by_the_network(exported, photos):
    exported("restorecli restore photos -o by-torch --model tiny.safetensors")
    exported("restorecli restore photos -o by-onnx --model tiny.onnx")
    by_torch, by_onnx = pixels(exported.folder / "by-torch"), pixels(exported.folder / "by-onnx")
    assert len(by_torch) == 4
    assert by_torch.keys() == by_onnx.keys()
    assert all(np.abs(by_torch[name] - by_onnx[name]).max() <= 1 for name in by_torch)
    assert "4 already there" in exported("restorecli restore photos -o by-onnx --model tiny.onnx").err


def test_tiles_give_what_the_whole_image_gives(exported, photos):
    exported("restorecli restore photos -o whole --model tiny.onnx")
    exported("restorecli restore photos -o tiled --model tiny.onnx --tile 32")
    whole, tiled = pixels(exported.folder / "whole"), pixels(exported.folder / "tiled")
    assert all(np.abs(whole[name] - tiled[name]).max() <= 1 for name in whole)


def test_python_loads_it_with_its_card_and_folded(exported):
    restorer = load("tiny.onnx", device="cpu")
    original = load("tiny.safetensors", device="cpu")
    x = torch.rand(2, 3, 19, 23)
    torch.testing.assert_close(restorer(x), original(x), atol=1e-5, rtol=0)
    assert (restorer.card.tag, restorer.card.licence) == ("tiny", "CC0-1.0")
    assert restorer.spec.receptive_field == 9
    onnx = importlib.import_module("onnx")
    kinds = {node.op_type for node in onnx.load("tiny.onnx").graph.node}
    assert "BatchNormalization" not in kinds


def test_json_tells_the_difference_and_nothing_else(tiny):
    answer = tiny("restorecli export tiny.safetensors -o some.onnx --json").data
    assert answer["output"] == "some.onnx"
    assert 0 <= answer["difference"] <= answer["tolerance"] == 1e-4
    assert answer["bytes"] == (tiny.folder / "some.onnx").stat().st_size


def test_a_file_is_replaced_only_when_asked(exported):
    before = (exported.folder / "tiny.onnx").read_bytes()
    assert "--overwrite" in exported("restorecli export tiny.safetensors", code=2).err
    assert (exported.folder / "tiny.onnx").read_bytes() == before
    exported("restorecli export tiny.safetensors --overwrite")


def test_an_export_that_differs_from_torch_leaves_nothing(tiny, monkeypatch):
    monkeypatch.setattr(export_room, "largest_difference", lambda *_: float("nan"))
    assert "does not compute what torch computes" in tiny("restorecli export tiny.safetensors", code=5).err
    assert [path.name for path in tiny.folder.iterdir()] == ["tiny.safetensors"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("no-such-model", 2),
        ("unet", 5),
        ("missing.safetensors", 5),
        ("tiny.safetensors -o tiny.pt", 2),
        ("tiny.safetensors -o no-folder/tiny.onnx", 4),
    ],
)
def test_what_cannot_be_exported_is_refused(tiny, words, code):
    tiny(f"restorecli export {words}", code=code)


@pytest.mark.parametrize(
    ("words", "code"),
    [("--precision bf16", 2), ("--device mps", 2), ("--device cuda:7", 2), ("--weights tiny.safetensors", 2)],
)
def test_what_a_graph_cannot_do_is_refused(exported, photos, words, code):
    exported(f"restorecli restore photos --model tiny.onnx {words}", code=code)


@pytest.mark.parametrize("keep", [0, 10, 1000, -1])
def test_truncated_files_are_refused(exported, photos, keep):
    file = exported.folder / "tiny.onnx"
    file.write_bytes(file.read_bytes()[:keep])
    exported("restorecli restore photos --model tiny.onnx", code=5)


@pytest.mark.parametrize("where", [0.3, 0.5])
def test_one_flipped_bit_is_noticed(exported, photos, where):
    file = exported.folder / "tiny.onnx"
    raw = bytearray(file.read_bytes())
    raw[int(len(raw) * where)] ^= 1
    file.write_bytes(raw)
    exported("restorecli restore photos --model tiny.onnx", code=5)


def test_somebody_elses_graph_is_refused(exported, photos):
    onnx = importlib.import_module("onnx")
    model = onnx.load("tiny.onnx")
    del model.metadata_props[:]
    onnx.save(model, "theirs.onnx")
    answer = exported("restorecli restore photos --model theirs.onnx", code=5)
    assert "does not describe itself" in answer.err


@pytest.mark.parametrize(
    "lie", [{"scale": 2}, {"channels": 3}, {"channels": 2}, {"multiple": 0}, {"scale": "1"}]
)
def test_a_label_that_lies_is_refused(exported, photos, lie):
    onnx = importlib.import_module("onnx")
    model = onnx.load("tiny.onnx")
    label = json.loads(model.metadata_props[0].value)
    label["spec"] |= lie
    model.metadata_props[0].value = json.dumps(label)
    onnx.save(model, "liar.onnx")
    answer = exported("restorecli restore photos --model liar.onnx", code=None)
    assert answer.code in (3, 5)


def test_a_missing_package_is_named_with_the_command_that_brings_it(exported, photos, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "onnxruntime" else find(name, *more)
    )
    for line in (
        "restorecli export tiny.safetensors -o x.onnx",
        "restorecli restore photos --model tiny.onnx",
    ):
        assert "pip install 'restorecli[onnx]'" in exported(line, code=2).err
    assert "onnxruntime" not in exported("restorecli doctor --json").data


def test_doctor_tells_what_runs_graphs(shell):
    found = shell("restorecli doctor --json").data
    assert "CPUExecutionProvider" in found["onnxruntime computes on"]
