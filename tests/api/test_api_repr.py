"""What is shown of a result or a restorer fits a line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "a.png")
    (folder / "b.png").write_bytes(b"no image")
    return folder


def test_results_are_one_line(photos, tmp_path) -> None:
    made = restorecli.degrade(photos, tmp_path / "out", noise=["gaussian"])
    assert repr(made) == f"<FolderSummary: 1 written, 1 failed -> {tmp_path / 'out'}>"
    done = restorecli.restore(tmp_path / "out", tmp_path / "done", model="median")
    assert repr(done) == f"<RestoreResult: 1 written -> {tmp_path / 'done'}>"
    again = restorecli.restore(tmp_path / "out", tmp_path / "done", model="median")
    assert repr(again) == f"<RestoreResult: 0 written, 1 already there -> {tmp_path / 'done'}>"
    found = restorecli.evaluate(tmp_path / "done")
    before, after = found.overall.degraded["psnr"].mean, found.overall.restored["psnr"].mean
    assert str(found.overall).startswith(f"psnr {before:.4g} -> {after:.4g}, ssim ")
    assert str(found.overall).endswith(", 1 image")
    assert repr(found) == f"<EvalResult: 1 image, psnr {before:.4g} -> {after:.4g}>"


def test_restorers_are_one_line() -> None:
    assert repr(restorecli.load("auto", device="cpu")) == "<auto on cpu>"
    assert repr(restorecli.load("median")) == "<method median(size=3)>"
    assert (
        repr(restorecli.load("sca-unet", device="cpu", precision="fp32"))
        == "<network sca-unet.gaussian on cpu, float32>"
    )
