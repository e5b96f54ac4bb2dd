"""A first look at a weights file, without torch: what cannot be one is refused before seconds are spent."""

from __future__ import annotations

from pathlib import Path

from safetensors import SafetensorError, safe_open

from restorecli.errors import WeightsError

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
    if not path.is_file():
        raise WeightsError("There is no such weights file.", file=path, hint="restorecli models")
    if path.suffix == ".safetensors":
        _check_safetensors(path)
        return
    with path.open("rb") as file:
        start = file.read(4)
    if not start.startswith(_PICKLES):
        raise WeightsError(
            "This checkpoint was refused: it is damaged, or reading it would run code from the file.",
            expected="a zip archive or a pickle, as torch.save writes them",
            got=f"a file that begins with {start!r}",
            file=path,
            unchanged="nothing in the file was run",
        )


def _check_safetensors(path: Path) -> None:
    try:
        with safe_open(path, framework="np"):
            return
    except (SafetensorError, OSError) as error:
        raise WeightsError(
            "This is not a whole safetensors file.", got=f"{error}".partition("\n")[0], file=path
        ) from error
