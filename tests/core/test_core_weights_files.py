"""What cannot be a weights file is refused by its first bytes, without torch."""

import pickle
import subprocess
import sys

import pytest
import torch

from restorecli.core.weights import read_foreign
from restorecli.core.weights_files import check_weights_file
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
