"""Nothing that was read is written over, whatever its name in that moment."""

from __future__ import annotations

import pytest

from restorecli.errors import UsageError
from restorecli.folders.protect import file_identity, keep_folder_apart, keep_inputs, refuse_image_names


@pytest.fixture
def image(tmp_path):
    file = tmp_path / "photos" / "a.png"
    file.parent.mkdir()
    file.write_bytes(b"pixels")
    return file


def test_an_input_is_no_output(image, tmp_path) -> None:
    keep_inputs([tmp_path / "new.png", tmp_path / "other.csv"], [image])
    with pytest.raises(UsageError, match="is read"):
        keep_inputs([tmp_path / "new.png", image.parent / ".." / "photos" / "a.png"], [image])


def test_a_link_to_an_input_is_that_input(image, tmp_path) -> None:
    for name, make in (("soft", "symlink_to"), ("hard", "hardlink_to")):
        link = tmp_path / name
        getattr(link, make)(image)
        with pytest.raises(UsageError, match="is read"):
            keep_inputs([link], [image])


def test_an_earlier_output_is_written_again(image, tmp_path) -> None:
    old = tmp_path / "scores.csv"
    old.write_text("old")
    keep_inputs([old], [image, tmp_path / "gone.png"])
    assert old.read_text() == "old"
    with pytest.raises(UsageError, match="is read"):
        keep_inputs([old], [image, old])


def test_two_outputs_are_two_files(tmp_path) -> None:
    with pytest.raises(UsageError, match="same file"):
        keep_inputs([tmp_path / "x.txt", tmp_path / "y.txt", tmp_path / "." / "x.txt"], [])


def test_a_manifest_is_no_output(tmp_path) -> None:
    with pytest.raises(UsageError, match="is read"):
        keep_inputs([tmp_path / "manifest.jsonl"], [])


def test_a_folder_with_inputs_is_not_filled(image, tmp_path) -> None:
    keep_folder_apart(tmp_path / "out", [image])
    keep_folder_apart(tmp_path / "pho", [image])
    with pytest.raises(UsageError, match="is read"):
        keep_folder_apart(tmp_path, [image])


def test_a_table_has_no_name_of_an_image(tmp_path) -> None:
    refuse_image_names([tmp_path / "scores.csv", tmp_path / "scores"])
    with pytest.raises(UsageError, match="image"):
        refuse_image_names([tmp_path / "scores.PNG"])


def test_what_is_not_there_has_no_identity(tmp_path) -> None:
    assert file_identity(tmp_path / ("x" * 300)) is None
    assert file_identity(tmp_path) is not None
