"""What the system refuses to read or to write costs one image, is told in its words, and changes nothing."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from restorecli.errors import DataError, ImageError
from restorecli.images.atomic import atomic_write
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.reading import probe, read_image
from restorecli.images.stacks import open_stack
from restorecli.images.writing import write_image

IMAGE = ImageData(np.full((1, 8, 8), 0.5, np.float32), FileTraits())

READERS: dict[str, Callable[[Path], object]] = {
    "header": probe,
    "image": read_image,
    "plane": lambda path: read_image(path, ReadOptions(frames="0")),
    "stack": lambda path: open_stack(path, ReadOptions(frames="all")),
}


def refused(code: int, name: str, call: Callable[..., object]) -> Callable[..., object]:
    """Return a call that the system refuses for paths whose name begins so."""

    def guarded(path: Path | str, *arguments: object, **named: object) -> object:
        if Path(path).name.startswith(name):
            raise OSError(code, os.strerror(code), str(path))
        return call(path, *arguments, **named)

    return guarded


@pytest.mark.parametrize(
    ("code", "hint"), [(errno.EIO, "use another one"), (errno.EPERM, "you may read it")], ids=("EIO", "EPERM")
)
@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_refused_reading_names_file_and_reason(tmp_path, monkeypatch, code, hint, reader, suffix):
    path = tmp_path / f"x{suffix}"
    write_image(path, IMAGE)
    monkeypatch.setattr(Path, "open", refused(code, "x", Path.open))
    with pytest.raises(ImageError, match="cannot be read") as caught:
        READERS[reader](path)
    assert (caught.value.file, caught.value.got) == (str(path), os.strerror(code))
    assert hint in caught.value.hint


@pytest.mark.parametrize("code", [errno.EPERM, errno.EROFS], ids=("EPERM", "EROFS"))
@pytest.mark.parametrize("place", ["create", "write", "move"])
def test_a_refused_writing_names_file_and_reason(tmp_path, monkeypatch, code, place):
    path = tmp_path / "x.png"
    path.write_text("old")
    owner, name = {"create": (os, "open"), "write": (Path, "write_bytes"), "move": (Path, "replace")}[place]
    monkeypatch.setattr(owner, name, refused(code, ".restorecli-", getattr(owner, name)))
    with pytest.raises(ImageError, match="cannot be written") as caught:
        write_image(path, IMAGE)
    assert (caught.value.file, caught.value.got) == (str(path), os.strerror(code))
    assert "permissions" in caught.value.hint
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("x.png", "old")]


def test_a_file_where_a_folder_is_needed_is_named(tmp_path):
    (tmp_path / "file").write_text("old")
    below = tmp_path / "file" / "deep" / "x.png"
    with pytest.raises(DataError, match="where a folder is needed") as caught, atomic_write(below):
        pass
    assert caught.value.file == str(tmp_path / "file")
    assert caught.value.expected == "a folder, or nothing yet"
    assert caught.value.got == "a file"
    assert "-o/--output" in caught.value.hint
