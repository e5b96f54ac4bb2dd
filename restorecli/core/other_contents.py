"""What a file with a name of weights really is: a page, a pointer, an archive, another kind of model."""

from __future__ import annotations

import tarfile
import zipfile
from pathlib import Path
from typing import Final, NamedTuple


class Content(NamedTuple):
    """What a file is, in words, and what to try."""

    what: str
    hint: str


_AGAIN: Final = "download it again"
_SAVE: Final = "torch.save(model.state_dict(), 'weights.pth')"

_STARTS: Final = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file it stands for", "git lfs pull"),
    (b"\x1f\x8b", "a gzip archive", "unpack it, and use the file in it"),
    (b"BZh", "a bzip2 archive", "unpack it, and use the file in it"),
    (b"\xfd7zXZ", "an xz archive", "unpack it, and use the file in it"),
    (b"7z\xbc\xaf", "a 7z archive", "unpack it, and use the file in it"),
    (b"Rar!", "a RAR archive", "unpack it, and use the file in it"),
    (b"\x89HDF", "an HDF5 file, as Keras writes them", "look for the weights of PyTorch"),
)
_PAGES: Final = (b"<!doctype", b"<html", b"<head", b"<?xml")
_ONNX: Final = tuple(bytes((8, version, tag)) for version in range(1, 20) for tag in (0x12, 0x3A))
"""How a graph begins: the version of its format, then the program that made it, or the graph."""
_LOOKED_AT: Final = 512
_SHOWN: Final = 3


def other_content(path: Path) -> Content | None:
    """Tell what a file is that no checkpoint of torch and no safetensors file is, else None."""
    with path.open("rb") as file:
        start = file.read(_LOOKED_AT)
    if not start:
        return Content("an empty file", "copy or download it again")
    if start.lstrip().lower().startswith(_PAGES):
        return Content(
            "a page of the web (HTML), not the file that was asked for",
            f"open {path} in a browser: it says why; then {_AGAIN}",
        )
    for beginning, what, hint in _STARTS:
        if start.startswith(beginning):
            return Content(what, hint)
    if start.startswith(_ONNX):
        return Content(
            "an ONNX graph, by its content", "name it NAME.onnx, and use it with --model NAME.onnx"
        )
    if tarfile.is_tarfile(path):
        return _tar(path)
    return _zip(path) if start.startswith(b"PK\x03\x04") else None


def _tar(path: Path) -> Content:
    with tarfile.open(path) as archive:
        names = archive.getnames()
    if {"pickle", "storages", "tensors"} <= set(names):
        return Content(
            "a checkpoint in the tar format of torch before 0.1.10",
            f"save it again with a newer torch: {_SAVE}",
        )
    return Content(f"a tar archive of {_some(names)}", "unpack it, and use the file in it")


def _zip(path: Path) -> Content | None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        return Content("a checkpoint that is cut short: the end of its zip archive is missing", _AGAIN)
    if any(name.endswith("/constants.pkl") for name in names):
        return Content(
            "a TorchScript archive: a program with its weights",
            f"save its weights alone: model = torch.jit.load('{path.name}'); {_SAVE}",
        )
    if not any(name.endswith("/data.pkl") for name in names):
        return Content(f"a zip archive of {_some(names)}", "unpack it, and use the file in it")
    return None


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
