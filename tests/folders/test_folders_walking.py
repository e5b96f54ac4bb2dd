"""Which files a folder holds for us, in which order, category and with which mask."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from restorecli.errors import DataError, ImageError
from restorecli.folders.mask_places import mask_for
from restorecli.folders.walking import ImageFile, walk
from restorecli.images.reading import read_image


def plant(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")
    return root


def relatives(files: list[ImageFile]) -> list[str]:
    return [file.relative.as_posix() for file in files]


def test_recursive_sorted_and_by_first_level(tmp_path):
    plant(tmp_path, "b/x.PNG", "b/deep/er/y.tif", "a/z.jpg", "root.webp", "a/é テスト 🙂.bmp", "a/-rf.ppm")
    files = walk(tmp_path)
    assert relatives(files) == [
        "a/-rf.ppm",
        "a/z.jpg",
        "a/é テスト 🙂.bmp",
        "b/deep/er/y.tif",
        "b/x.PNG",
        "root.webp",
    ]
    assert [file.category for file in files] == ["a", "a", "a", "b", "b", "all"]
    assert all(file.defect is None for file in files)
    assert all(file.path == tmp_path / file.relative for file in files)


def test_what_is_no_image_is_skipped(tmp_path):
    plant(
        tmp_path,
        ".DS_Store",
        "desktop.ini",
        "Thumbs.db",
        "manifest.jsonl",
        "notes.txt",
        ".hidden.png",
        ".git/x.png",
    )
    plant(tmp_path, "x.png", ".restorecli-1-ab.png")
    assert relatives(walk(tmp_path)) == ["x.png"]


@pytest.mark.parametrize("name", ["x.gif", "x.heic", "x.avif", "x.jp2"])
def test_images_that_cannot_be_read_are_listed_so_that_they_are_reported(tmp_path, name):
    plant(tmp_path, name)
    assert relatives(walk(tmp_path)) == [name]


def test_an_empty_folder_and_a_missing_one(tmp_path):
    assert list(walk(tmp_path)) == []
    with pytest.raises(DataError, match="no such file or folder"):
        walk(tmp_path / "missing")


def test_a_pipe_is_refused_as_such_and_a_file_of_its_name_is_not(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match="not read from a pipe") as caught:
        walk("-")
    assert "file first" in caught.value.hint
    (tmp_path / "-").touch()
    assert [str(file.relative) for file in walk("-")] == ["-"]


def test_a_single_file_is_a_root(tmp_path):
    plant(tmp_path, "a/x.unknown")
    assert walk(tmp_path / "a" / "x.unknown") == [
        ImageFile(tmp_path / "a" / "x.unknown", PurePosixPath("x.unknown"), "all")
    ]


def test_links_are_followed_but_not_in_circles(tmp_path):
    plant(tmp_path, "real/x.png")
    (tmp_path / "real" / "up").symlink_to(tmp_path)
    (tmp_path / "linked").symlink_to(tmp_path / "real")
    (tmp_path / "broken.png").symlink_to(tmp_path / "nowhere.png")
    names = relatives(walk(tmp_path))
    assert names == ["broken.png", "linked/x.png", "real/x.png"]
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path / "broken.png")


def test_a_folder_that_cannot_be_listed_stands_in_the_list(tmp_path, monkeypatch):
    plant(tmp_path, "good/x.png", "locked/y.png")
    scandir = os.scandir

    def refuse(folder):
        if Path(folder).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", refuse)
    files = walk(tmp_path)
    assert relatives(files) == ["good/x.png", "locked"]
    with pytest.raises(ImageError):
        read_image(files[1].path)


def test_the_output_folder_inside_the_source_is_left_out(tmp_path):
    plant(tmp_path, "x.png", "restored/x.png", "restored/a/y.png")
    assert relatives(walk(tmp_path, without=tmp_path / "restored")) == ["x.png"]
    assert relatives(walk(tmp_path, without=tmp_path / "elsewhere")) == [
        "restored/a/y.png",
        "restored/x.png",
        "x.png",
    ]


def test_mvtec_tree(tmp_path):
    plant(tmp_path, "bottle/train/good/1.png", "bottle/test/good/2.png", "bottle/test/broken/3.png")
    plant(tmp_path, "bottle/ground_truth/broken/3_mask.png", "cable/test/cut/4.png")
    files = walk(tmp_path)
    assert [(file.relative.as_posix(), file.category, file.defect) for file in files] == [
        ("bottle/test/broken/3.png", "bottle", "broken"),
        ("bottle/test/good/2.png", "bottle", "good"),
        ("bottle/train/good/1.png", "bottle", "good"),
        ("cable/test/cut/4.png", "cable", "cut"),
    ]
    assert mask_for(files[0]) == tmp_path / "bottle/ground_truth/broken/3_mask.png"
    assert mask_for(files[0].path) == mask_for(files[0])
    assert mask_for(files[1]) is None
    assert mask_for(files[3]) is None


def test_one_category_of_an_mvtec_tree(tmp_path):
    plant(tmp_path, "bottle/test/broken/3.png", "bottle/ground_truth/broken/3_mask.png")
    (file,) = walk(tmp_path / "bottle")
    assert (file.category, file.defect) == ("bottle", "broken")
    assert mask_for(file) is not None


def test_images_beside_masks(tmp_path):
    plant(tmp_path, "images/crack/x.jpg", "images/free/y.jpg", "images/z.jpg", "masks/crack/x.png")
    files = walk(tmp_path)
    assert [(file.relative.as_posix(), file.category) for file in files] == [
        ("images/crack/x.jpg", "crack"),
        ("images/free/y.jpg", "free"),
        ("images/z.jpg", "all"),
    ]
    (cracked, _) = [file for file in walk(tmp_path / "images") if file.category != "all"]
    assert cracked.category == "crack"
    assert mask_for(cracked) == tmp_path / "masks/crack/x.png"
    assert mask_for(files[1]) is None


def test_folders_that_are_only_called_so_are_ordinary(tmp_path):
    plant(tmp_path, "masks/x.png", "images/y.png", "ground_truth/z.png")
    plant(tmp_path / "other", "masks/x.png", "ground_truth/z.png")
    assert relatives(walk(tmp_path / "other")) == ["ground_truth/z.png", "masks/x.png"]


@pytest.mark.data
def test_the_real_inspection_photographs(data_folder):
    root = data_folder / "magnetic-tile" / "test"
    whole, inner = walk(root), walk(root / "images")
    assert {file.category for file in whole} == {"blowhole", "break", "crack", "fray", "free", "uneven"}
    assert [file.path for file in whole] == [file.path for file in inner]
    masked = [file for file in whole if file.category != "free"]
    assert all(mask_for(file) for file in masked)
    assert not any(mask_for(file) for file in whole if file.category == "free")


def test_hidden_files_are_counted_and_ours_are_not(tmp_path):
    plant(
        tmp_path, "x.png", ".DS_Store", "a/._y.png", "a/desktop.ini", "a/Thumbs.db", "a/y.png", ".git/z.png"
    )
    plant(tmp_path, ".restorecli.lock", ".restorecli-1-ab.png", "notes.txt")
    hidden: list[PurePosixPath] = []
    assert relatives(walk(tmp_path, hidden=hidden)) == ["a/y.png", "x.png"]
    assert sorted(map(str, hidden)) == [".DS_Store", "a/._y.png", "a/Thumbs.db", "a/desktop.ini"]
