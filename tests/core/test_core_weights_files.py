"""What cannot be a weights file is refused by its first bytes, without torch."""

import pickle
import subprocess
import sys
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.tensor_names import OWN_MARKS, can_be_known
from restorecli.core.weights import read_foreign
from restorecli.core.weights_files import check_known_network, check_weights_file
from restorecli.errors import WeightsError


@pytest.mark.parametrize("name", ["bad.safetensors", "bad.pth", "bad.pt", "bad.ckpt"])
@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\xff" * 8 + b"{}"])
def test_what_is_no_weights_file_is_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WeightsError) as caught:
        check_weights_file(path)
    assert caught.value.file == str(path)


@pytest.mark.parametrize("name", ["gone.safetensors", "gone.pth"])
def test_a_missing_file_is_said(tmp_path, name):
    with pytest.raises(WeightsError, match="no such weights file"):
        check_weights_file(tmp_path / name)


def test_what_torch_writes_passes_in_both_of_its_formats(tmp_path):
    for new in (True, False):
        path = tmp_path / f"{new}.pth"
        torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=new)
        check_weights_file(path)
        assert read_foreign(path).keys() == {"a"}
    (tmp_path / "plain.ckpt").write_bytes(pickle.dumps({"a": 1}, protocol=2))
    check_weights_file(tmp_path / "plain.ckpt")
    check_weights_file(tmp_path / "sca-unet")


@pytest.mark.parametrize("option", ["model", "weights"])
def test_restore_refuses_such_a_file_before_it_imports_torch(tmp_path, option):
    (tmp_path / "bad.pth").write_bytes(b"x" * 100)
    code = (
        "import sys, restorecli\n"
        "from restorecli.errors import WeightsError\n"
        f"options = {{'model': 'sca-unet', {option!r}: 'bad.pth'}}\n"
        "try:\n    restorecli.restore('photos', 'out', **options)\n"
        "except WeightsError:\n    assert 'torch' not in sys.modules\nelse:\n    sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


def save(tensors, path):
    (save_file if path.suffix == ".safetensors" else torch.save)(tensors, path)


@pytest.fixture
def no_spandrel(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
def test_weights_of_a_network_that_is_not_known_are_refused_by_their_names(tmp_path, no_spandrel, name):
    save({"blocks.0.attention.weight": torch.ones(2, 2), "head.bias": torch.ones(2)}, tmp_path / name)
    with pytest.raises(WeightsError, match="not known which network") as caught:
        check_known_network(tmp_path / name)
    assert "blocks.0.attention.weight" in caught.value.got


@pytest.mark.parametrize("prefix", ["", "module."])
def test_the_nearest_network_is_named_whatever_trained_it(tmp_path, no_spandrel, prefix):
    save({f"{prefix}{name}": torch.ones(1) for name in ("conv_first.weight", "x.y")}, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="not known which network") as caught:
        check_known_network(tmp_path / "w.pth")
    assert "nearest is RRDBNet" in caught.value.got
    assert "restorecli[spandrel]" in caught.value.hint


@pytest.mark.parametrize("name", ["w.safetensors", "w.pth"])
@pytest.mark.parametrize("prefix", ["", "module.", "module.net."])
def test_names_of_a_known_layout_pass(tmp_path, no_spandrel, name, prefix):
    tensors = {f"{prefix}model.{number}.weight": torch.ones(1) for number in (0, 2, 4)}
    save(tensors, tmp_path / name)
    check_known_network(tmp_path / name)
    if name.endswith("pth"):
        save({"params": tensors, "epoch": 3}, tmp_path / name)
        check_known_network(tmp_path / name)
        save({0: tensors, 1: tensors}, tmp_path / name)
        check_known_network(tmp_path / name)


@pytest.mark.parametrize("model", MODELS)
def test_every_network_of_the_catalog_has_a_mark_by_which_it_passes(model):
    for channels in (3, 1):
        with torch.device("meta"):
            names = list(create_model(model, channels=channels).state_dict())
        assert OWN_MARKS[model] in names
        assert can_be_known(names)


def test_a_pickle_in_a_zip_is_read_and_not_run(tmp_path, no_spandrel):
    class Evil:
        def __reduce__(self):
            return (pytest.fail, ("it was run",))

    torch.save({"a.weight": Evil()}, tmp_path / "evil.pth")
    with pytest.raises(WeightsError):
        check_known_network(tmp_path / "evil.pth")


@pytest.mark.parametrize("damaged", [False, True])
def test_a_compressed_pickle_is_left_to_the_reader_of_weights(tmp_path, no_spandrel, damaged):
    path = tmp_path / "packed.pth"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", pickle.dumps({"a.weight": 1}, protocol=2) + b"x" * 500)
    content = bytearray(path.read_bytes())
    if damaged:
        start = content.index(b"a/data.pkl") + len("a/data.pkl")
        content[start : start + 2] = b"\xff\xff"
    path.write_bytes(content)
    check_known_network(path)
    with pytest.raises(WeightsError):
        read_foreign(path)
