"""Earlier results inside the source: they are left out where their own sources are restored."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.api.restoration import RestoreOptions, plan_restore
from restorecli.restoration.earlier import LEFT_OUT


@pytest.fixture
def source(tmp_path):
    """A folder of two images, with their results in a sub-folder."""
    rng = np.random.default_rng(0)
    root = tmp_path / "images"
    (root / "cars").mkdir(parents=True)
    for name in ("a.png", "cars/b.png"):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3), np.uint8)).save(root / name)
    restorecli.restore(root, root / "better", model="median")
    return root


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.png"))


def test_results_of_the_same_images_are_left_out_and_told(source, tmp_path):
    done = restorecli.restore(source, tmp_path / "other", model="tv")
    assert names(tmp_path / "other") == ["a.png", "cars/b.png"]
    assert [note.to_dict() for note in done.notes] == [
        {"note": LEFT_OUT, "pictures": 2, "first": "better/a.png"}
    ]
    again = restorecli.restore(source, tmp_path / "other", model="tv")
    assert (again.written, again.skipped) == (0, 2)


def test_a_dry_run_says_so_too(source, tmp_path):
    planned = plan_restore(RestoreOptions(source, tmp_path / "other", model="tv"))
    assert planned.images == 2
    assert f"2 images, first better/a.png: {LEFT_OUT}" in planned.notes


def test_the_folder_of_results_itself_is_restored(source, tmp_path):
    restorecli.restore(source / "better", tmp_path / "other", model="tv")
    assert names(tmp_path / "other") == ["a.png", "cars/b.png"]


def test_results_whose_sources_are_elsewhere_or_gone_are_restored(source, tmp_path):
    results = tmp_path / "results"
    restorecli.restore(source / "cars", results / "median", model="median")
    (source / "a.png").unlink()
    for folder, kept in ((results, ["median/b.png"]), (source, ["better/a.png", "cars/b.png"])):
        restorecli.restore(folder, tmp_path / f"{folder.name}-again", model="tv")
        assert names(tmp_path / f"{folder.name}-again") == kept


def test_images_beside_results_and_degraded_images_are_restored(source, tmp_path):
    shutil.copy(source / "a.png", source / "better" / "mine.png")
    restorecli.degrade(source / "cars", source / "noisy", noise=["gaussian"])
    (source / "cars" / "manifest.jsonl").write_text("somebody's\n")
    restorecli.restore(source, tmp_path / "other", model="tv")
    assert names(tmp_path / "other") == ["a.png", "better/mine.png", "cars/b.png", "noisy/b.png"]
