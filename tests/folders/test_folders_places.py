"""Nothing is written through a link that leads out of the output folder, by any command."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
from PIL import Image

from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.errors import DataError, RestorecliError
from restorecli.folders.lock import FILE_NAME as LOCK
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import FILE_NAME as MANIFEST
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.places import make_folder, open_output, touch
from restorecli.folders.walking import OUTPUT_MARK, mark_output
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image
from restorecli.report.strips import write_strips
from restorecli.restoration.context import Findings
from restorecli.restoration.findings import write_findings
from restorecli.training.logbook import LOG, Logbook

NOISE = Chain.from_specs([{"name": "gaussian", "sigma": 5}])
HOLES = Chain.from_specs([{"name": "holes"}])
RECORD = Record("a.png", "degrade", "all", None, "../a.png", "1")


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "victim").write_text("precious")
    return folder


@pytest.fixture
def output(tmp_path: Path) -> Path:
    folder = tmp_path / "output"
    folder.mkdir()
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name in ("cats/a.png", "dogs/b.png"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True)
        Image.fromarray(np.full((16, 16), 99, np.uint8)).save(path)
    return tmp_path / "photos"


def untouched(outside: Path) -> bool:
    names = [path.name for path in outside.iterdir()]
    return names == ["victim"] and (outside / "victim").read_text() == "precious"


@pytest.mark.parametrize("below", ["cats", "cats/deep", "in/cats"])
def test_folders_are_made_below_the_output_only(output: Path, outside: Path, below: str) -> None:
    make_folder(output / "in", output)
    for link in ("cats", "in/cats"):
        (output / link).symlink_to(outside)
    with pytest.raises(DataError, match="leads out of it") as caught:
        make_folder(output / below, output)
    assert str(outside.resolve()) in str(caught.value.got)
    assert untouched(outside)


def test_a_link_that_stays_inside_is_followed(output: Path) -> None:
    (output / "store").mkdir()
    (output / "cats").symlink_to("store")
    make_folder(output / "cats" / "deep", output)
    assert (output / "store" / "deep").is_dir()


def test_the_output_folder_itself_may_be_a_link(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "named").symlink_to(outside)
    make_folder(tmp_path / "named" / "cats", tmp_path / "named")
    assert (outside / "cats").is_dir()


def test_a_file_where_a_folder_is_needed_is_a_data_error(output: Path) -> None:
    (output / "cats").write_text("")
    for folder in (output / "cats", output / "cats" / "deep"):
        with pytest.raises(DataError, match="where a folder is needed") as caught:
            make_folder(folder, output)
        assert caught.value.file == str(output / "cats")


@pytest.mark.parametrize("kind", ["symbolic", "dangling"])
def test_no_file_is_opened_through_a_link(output: Path, outside: Path, kind: str) -> None:
    victim = outside / ("victim" if kind == "symbolic" else "new")
    (output / "x").symlink_to(victim)
    for opening in (
        lambda: touch(output / "x"),
        lambda: os.close(open_output(output / "x", os.O_RDWR)),
        lambda: Manifest(output).append(RECORD),
    ):
        (output / MANIFEST).unlink(missing_ok=True)
        (output / MANIFEST).symlink_to(victim)
        with pytest.raises(DataError, match="cannot be written") as caught:
            opening()
        assert "symbolic link" in str(caught.value.got)
    assert untouched(outside)


def test_the_lock_is_not_written_through_a_link(output: Path, outside: Path) -> None:
    (output / LOCK).symlink_to(outside / "victim")
    with pytest.raises(DataError, match="cannot be written"), output_lock(output):
        pass
    assert untouched(outside)


def test_a_mark_is_not_made_through_a_link(output: Path, outside: Path) -> None:
    (output / "masks").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of it"):
        mark_output(output / "masks", output)
    (output / "charts").mkdir()
    (output / "charts" / OUTPUT_MARK).symlink_to(outside / "mark")
    mark_output(output / "charts", output)  # holds something already, so it stays unmarked
    assert untouched(outside)


def test_degrade_does_not_write_through_a_linked_folder(photos: Path, output: Path, outside: Path) -> None:
    (output / "cats").symlink_to(outside)
    summary = degrade_folder(photos, output, NOISE)
    assert [failure.path for failure in summary.failures] == ["cats/a.png"]
    assert "leads out of it" in summary.failures[0].error.problem
    assert summary.written == 1
    assert untouched(outside)


@pytest.mark.parametrize("link", ["masks", "masks/cats"])
def test_degrade_writes_no_mask_through_a_linked_folder(
    photos: Path, output: Path, outside: Path, link: str
) -> None:
    (output / link).parent.mkdir(exist_ok=True)
    (output / link).symlink_to(outside)
    summary = degrade_folder(photos, output, HOLES)
    assert "cats/a.png" in [failure.path for failure in summary.failures]
    assert untouched(outside)


@pytest.mark.parametrize("name", [LOCK, MANIFEST])
def test_degrade_refuses_a_linked_file_of_its_own(
    photos: Path, output: Path, outside: Path, name: str
) -> None:
    (output / name).symlink_to(outside / "victim")
    with pytest.raises(RestorecliError):
        degrade_folder(photos, output, NOISE)
    assert untouched(outside)


def test_a_linked_target_is_replaced_and_not_followed(output: Path, outside: Path) -> None:
    (output / "a.png").symlink_to(outside / "victim")
    write_image(output / "a.png", ImageData(np.zeros((1, 8, 8), np.float32), FileTraits()))
    assert not (output / "a.png").is_symlink()
    assert untouched(outside)


def test_findings_are_not_written_through_a_linked_folder(output: Path, outside: Path) -> None:
    (outside / OUTPUT_MARK).touch()
    (output / "kernels").symlink_to(outside)
    found = Findings(images={"kernels": np.zeros((1, 4, 4), np.float32)})
    with pytest.raises(DataError, match="leads out of it"):
        write_findings(found, output, PurePosixPath("a.png"))
    (outside / OUTPUT_MARK).unlink()
    assert untouched(outside)


def test_the_log_of_a_training_is_not_written_through_a_link(output: Path, outside: Path) -> None:
    (output / LOG).symlink_to(outside / "new")
    with pytest.raises(DataError, match="cannot be written"):
        Logbook(output, 0)
    (output / LOG).unlink()
    (output / LOG).symlink_to(outside / "victim")
    Logbook(output, 0).close()  # read, and replaced
    assert not (output / LOG).is_symlink()
    assert untouched(outside)


def test_samples_of_a_training_are_not_written_through_a_link(output: Path, outside: Path) -> None:
    for name in ("events", "samples"):
        (output / name).symlink_to(outside)
    with pytest.raises(DataError, match="leads out of it"):
        Logbook(output, 0)
    assert untouched(outside)


def test_strips_are_not_written_through_a_linked_folder(output: Path, outside: Path) -> None:
    (output / "pictures").symlink_to(outside)
    with pytest.raises(DataError, match="leads out of it"):
        write_strips((), output / "pictures", within=output)
    assert untouched(outside)
