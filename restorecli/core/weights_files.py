"""A first look at a weights file, without torch: what cannot be one is refused before seconds are spent."""

from __future__ import annotations

import importlib.util
import pickletools
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from safetensors import SafetensorError, safe_open

from restorecli.core.other_contents import Content, other_content
from restorecli.core.tensor_names import MORE_NETWORKS, can_be_known, unknown
from restorecli.errors import WeightsError

CARD_KEY = "restorecli"
"""Where the metadata of a safetensors file hold the card of ours."""

_MAX_PICKLE = 16 << 20

_PICKLES = (b"PK\x03\x04", b"\x80")
"""How a checkpoint of torch begins: as a zip archive, or as a pickle of protocol 2 and later."""

PICKLED = (".pth", ".pt", ".ckpt")
"""Suffixes of checkpoints that torch wrote."""


def check_weights_file(path: Path) -> None:
    """Refuse a file that cannot hold weights, by its first bytes; other suffixes are passed over.

    Raises:
        WeightsError: It is missing, or is neither whole safetensors nor a checkpoint of torch.
    """
    if path.suffix not in (".safetensors", *PICKLED):
        return
    if path.suffix == ".safetensors":
        with opened(path, "np"):
            return
    if not path.is_file():
        raise _missing(path)
    other = other_content(path)
    if other is None:
        other = _not_pickled(path)
    if other is not None:
        raise WeightsError(
            "This is not a checkpoint that can be read.",
            expected="a zip archive or a pickle, as torch.save writes them",
            got=other.what,
            file=path,
            unchanged="nothing in the file was run",
            hint=other.hint,
        )


def _not_pickled(path: Path) -> Content | None:
    """Tell what a file is that torch did not write; None where it may have."""
    with path.open("rb") as file:
        start = file.read(9)
    if start.startswith(_PICKLES):
        return None
    if start.endswith(b"{"):
        return Content("a safetensors file, by its content", f"name it {path.stem}.safetensors")
    return Content(f"a file that begins with {start[:4]!r}", "copy or download it again")


@contextmanager
def opened(path: Path, framework: Literal["np", "pt"]) -> Iterator[Any]:
    """Open a safetensors file for NumPy or torch.

    Raises:
        WeightsError: It is missing, or not whole.
    """
    if not path.is_file():
        raise _missing(path)
    try:
        with safe_open(path, framework=framework) as file:
            yield file
    except (SafetensorError, OSError) as error:
        other = other_content(path)
        raise WeightsError(
            "This is not a whole safetensors file.",
            got=f"{error}".partition("\n")[0] if other is None else other.what,
            file=path,
            hint="copy it again from where it came: it is cut short, or something else by its content"
            if other is None
            else other.hint,
        ) from error


def _missing(path: Path) -> WeightsError:
    return WeightsError("There is no such weights file.", file=path, hint="restorecli models")


def check_known_network(path: Path) -> None:
    """Refuse weights that say nothing of their network and that no network known here can be of.

    Only names are looked at: what passes may be refused later, for its shapes or values.

    Args:
        path: A file that `check_weights_file` let through; other suffixes are passed over.

    Raises:
        WeightsError: It is of no such network, or reading it would run code from it.
    """
    names = _names(path) if path.suffix in (".safetensors", *PICKLED) else None
    if names is None or can_be_known(names) or importlib.util.find_spec("spandrel") is not None:
        return
    raise unknown(names, path, MORE_NETWORKS)


def _names(path: Path) -> list[str] | None:
    """Return the names of a file's tensors, or None where it describes itself or they cannot be told."""
    if path.suffix != ".safetensors":
        return _pickled_names(path)
    with safe_open(path, framework="np") as file:
        return None if CARD_KEY in (file.metadata() or {}) else list(file.keys())


def _pickled_names(path: Path) -> list[str] | None:
    """Return the words of a checkpoint that can be names of tensors: they hold a dot. Nothing is unpickled.

    None for the older format of torch, for what is compressed, which torch never does, for more than
    `_MAX_PICKLE` bytes, and where there is no such word.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entry = next(entry for entry in archive.infolist() if entry.filename.endswith("/data.pkl"))
            if entry.file_size > _MAX_PICKLE or entry.compress_type != zipfile.ZIP_STORED:
                return None
            words = [word for _, word, _ in pickletools.genops(archive.read(entry)) if isinstance(word, str)]
    except (zipfile.BadZipFile, StopIteration, ValueError, EOFError, NotImplementedError, RuntimeError):
        return None  # not such a file, damaged or encrypted: reading it as weights refuses it with the reason
    return [word for word in dict.fromkeys(words) if "." in word and " " not in word] or None
