"""Pages, pointers, archives and other models under a name of weights: each is told for what it is."""

import io
import tarfile
import zipfile

import pytest
import torch
from onnx import TensorProto, helper
from safetensors.torch import save

from restorecli.core.weights import read_foreign
from restorecli.core.weights_files import check_weights_file
from restorecli.errors import WeightsError

PAGE = b"\n<!DOCTYPE html>\n<html><title>Virus scan warning</title></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\nsize 123\n"
TENSORS = {"a.weight": torch.ones(3000)}


def saved(content, **options):
    file = io.BytesIO()
    torch.save(content, file, **options)
    return file.getvalue()


def tar_of(*names):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(name))
    return file.getvalue()


def zip_of(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return file.getvalue()


def graph():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
    return helper.make_model(
        helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:])
    ).SerializeToString()


CONTENTS = {
    "nothing": (b"", "an empty file", "download"),
    "page": (PAGE, "(HTML)", "open"),
    "pointer": (POINTER, "pointer of Git LFS", "git lfs pull"),
    "gzip": (b"\x1f\x8b\x08" + bytes(60), "a gzip archive", "unpack"),
    "zip of others": (zip_of("read.me", "w.pth"), "a zip archive of read.me, w.pth", "unpack"),
    "tar of others": (tar_of("a", "b", "c", "d"), "a tar archive of a, b, c, ...", "unpack"),
    "tar of torch": (tar_of("pickle", "storages", "tensors"), "tar format of torch", "newer torch"),
    "graph": (graph(), "an ONNX graph", "--model NAME.onnx"),
    "script": (zip_of("n/data.pkl", "n/constants.pkl"), "a TorchScript archive", "torch.jit.load('w.pth')"),
    "cut zip": (saved(TENSORS)[:-200], "cut short", "download it again"),
    "safetensors": (save(TENSORS), "a safetensors file", "name it w.safetensors"),
    "text": (b"hello, world", "begins with b'hell'", "download"),
}


@pytest.mark.parametrize("kind", CONTENTS)
def test_what_is_no_checkpoint_is_told_for_what_it_is(tmp_path, kind):
    content, what, hint = CONTENTS[kind]
    path = tmp_path / "w.pth"
    path.write_bytes(content)
    for read in (check_weights_file, read_foreign):
        with pytest.raises(WeightsError) as caught:
            read(path)
        assert what in caught.value.got
        assert hint in caught.value.hint


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_a_script_as_torch_writes_it_is_told(tmp_path):
    torch.jit.script(torch.nn.Conv2d(1, 1, 1)).save(str(tmp_path / "w.pt"))
    with pytest.raises(WeightsError) as caught:
        check_weights_file(tmp_path / "w.pt")
    assert "TorchScript" in caught.value.got


def test_a_checkpoint_of_the_older_format_that_is_cut_short_is_said_to_be_damaged(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(saved({"state_dict": TENSORS}, _use_new_zipfile_serialization=False)[:-200])
    with pytest.raises(WeightsError, match="damaged") as caught:
        read_foreign(path)
    assert "again" in caught.value.hint


def test_a_pickle_of_a_newer_protocol_is_said_without_the_advice_of_torch(tmp_path):
    path = tmp_path / "w.pth"
    path.write_bytes(saved({"state_dict": TENSORS}, _use_new_zipfile_serialization=False, pickle_protocol=4))
    with pytest.raises(WeightsError) as caught:
        read_foreign(path)
    assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize(("content", "what"), [(b"", "empty"), (PAGE, "HTML"), (POINTER, "Git LFS")])
def test_what_is_no_safetensors_file_is_told_for_what_it_is(tmp_path, content, what):
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not a whole safetensors file") as caught:
        check_weights_file(path)
    assert what in caught.value.got


def test_a_safetensors_file_with_a_broken_header_is_refused(tmp_path):
    content = bytearray(save(TENSORS))
    content[8:12] = b"\xff" * 4
    path = tmp_path / "w.safetensors"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="not a whole safetensors file") as caught:
        check_weights_file(path)
    assert "copy it again" in caught.value.hint
