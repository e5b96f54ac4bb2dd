"""Addresses on the command line: they arrive whole, and failures say which file and why."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import restorecli

fsspec = pytest.importorskip("fsspec")


@pytest.fixture
def store(photos):
    """The store memory:// with the photographs of the shell in data/photos."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    for path in photos.rglob("*.png"):
        system.pipe(f"/data/photos/{path.relative_to(photos)}", path.read_bytes())
    yield system
    system.store.clear()
    system.pseudo_dirs[:] = [""]


def test_the_three_verbs_take_addresses(shell, store) -> None:
    shell("restorecli degrade memory://data/photos -o memory://data/noisy --noise gaussian --sigma 25")
    answer = shell("restorecli restore memory://data/noisy -o memory://data/clean/ --model median")
    assert "4 written -> memory:///data/clean" in answer.err
    again = shell("restorecli restore memory://data/noisy memory://data/clean --model median --json").data
    assert (again["written"], again["skipped"]) == (0, 4)
    scored = shell("restorecli eval memory://data/clean memory://data/photos --json").data
    assert scored["folders"]["restored"] == "memory:///data/clean"


def test_a_failure_gives_exit_code_3_with_the_address(shell, store) -> None:
    store.pipe("/data/photos/indoors/broken.png", b"no image")
    answer = shell("restorecli restore memory://data/photos -o out --model median --json", code=3)
    assert answer.data["written"] == 4
    assert answer.error["file"] == "memory:///data/photos/indoors/broken.png"
    assert "restorecli-remote" not in answer.out + answer.err


def test_an_unknown_store_is_a_usage_error_with_its_package(shell) -> None:
    answer = shell("restorecli restore nosuchstore://bucket/photos --model median --json", code=2)
    assert "nosuchstore" in answer.error["problem"]
    assert "s3fs" in answer.error["expected"]


def test_images_at_an_address_are_diagnosed_as_those_here(shell, store, photos) -> None:
    (path, *_) = sorted(photos.rglob("*.png"))
    store.pipe("/data/scans/a/x.png", path.read_bytes())
    store.pipe("/data/scans/broken.png", b"no image")
    here = restorecli.diagnose(path).to_dict()
    there = shell("restorecli diagnose memory://data/scans --json", code=3)
    assert there.data["source"] == "memory:///data/scans"
    assert {"path": "a/x.png", **here} in there.data["pictures"]
    assert there.error["file"] == "memory:///data/scans/broken.png"
    assert restorecli.diagnose("memory://data/scans/a/x.png").to_dict() == here


def test_masks_at_an_address_are_those_here(shell, store, photos, tmp_path) -> None:
    lost = np.zeros((64, 72), np.uint8)
    lost[20:24, 30:34] = 255
    for path in photos.rglob("*.png"):
        mask = tmp_path / "masks" / path.relative_to(photos)
        mask.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.roll(lost, int(path.stem), 0)).save(mask)
        store.pipe(f"/data/masks/{path.relative_to(photos)}", mask.read_bytes())
    fill = "--model inpaint-harmonic --mask"
    shell(f"restorecli restore {photos} -o here {fill} masks")
    shell(f"restorecli restore memory://data/photos -o there {fill} memory://data/masks")
    for path in photos.rglob("*.png"):
        name = path.relative_to(photos)
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()
    again = shell(f"restorecli restore memory://data/photos -o there {fill} memory://data/masks --json")
    assert (again.data["written"], again.data["skipped"]) == (0, 4)
    missing = shell(f"restorecli restore {photos} -o other {fill} memory://data/nothing --json", code=2)
    assert missing.error["got"] == "memory:///data/nothing"
