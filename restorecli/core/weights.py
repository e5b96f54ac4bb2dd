"""Weights in and out: safetensors files that describe themselves, and other people's checkpoints.

A file of ours holds the network's tensors and, in the header's metadata, one JSON object under the key
"restorecli": the card. Nothing here ever unpickles code: safetensors holds numbers only, and a `.pth` is
read with torch's safe loader, which refuses everything but tensors, plain containers and `harmless_classes`.
"""

from __future__ import annotations

import hashlib
import json
import re
import warnings
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from restorecli.core.card_reading import FORMAT, Card, no_card, parse_card
from restorecli.core.harmless_classes import STAND_INS
from restorecli.core.weights_files import CARD_KEY, check_weights_file, opened
from restorecli.counting import counted
from restorecli.errors import WeightsError

_WRAPPERS = (
    "params_ema",
    "params",
    "state_dict",
    "model_state_dict",
    "model_ema",
    "g_ema",
    "network",
    "net",
    "netG",
    "generator",
    "model",
)
"""Keys under which checkpoints keep their tensors; averaged weights come first."""


def digest_of(tensors: Mapping[str, Tensor]) -> str:
    """Return the SHA-256 of the tensors' names, types, shapes and bytes, in the order of their names."""
    sha = hashlib.sha256()
    for name in sorted(tensors):
        tensor = tensors[name].detach().cpu().contiguous()
        sha.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        sha.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return sha.hexdigest()


def pack(tensors: Mapping[str, Tensor], card: Card) -> bytes:
    """Return the bytes of a weights file; the card's digest is filled in."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    described = {"format": FORMAT, **asdict(card), "digest": digest_of(plain)}
    return to_bytes(plain, metadata={CARD_KEY: json.dumps(described, ensure_ascii=False)})


def read_weights(path: Path) -> tuple[dict[str, Tensor], Card]:
    """Read a weights file of ours: its tensors on the CPU, and its card.

    Raises:
        WeightsError: The file is missing, damaged, not a safetensors file, has no card, or holds values that
            are not finite.
    """
    tensors, metadata = _read_safetensors(path)
    if CARD_KEY not in metadata:
        raise no_card(path, len(tensors))
    card = parse_card(metadata[CARD_KEY], path)
    if card.digest != digest_of(tensors):
        raise WeightsError(
            "These weights are damaged: their checksum does not match.",
            file=path,
            hint="copy or train them again",
        )
    _check_tensors(tensors, path)
    return tensors, card


def is_ours(path: Path) -> bool:
    """Tell whether a file holds a card of ours; what cannot be opened does not."""
    try:
        with safe_open(path, framework="pt") as file:
            return CARD_KEY in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def _read_safetensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    with opened(path, "pt") as file:
        # Cloned: tensors are else windows into the file, and change when it is written over.
        tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118
        return tensors, dict(file.metadata() or {})


def _check_tensors(tensors: Mapping[str, Tensor], path: Path) -> None:
    for name, tensor in tensors.items():
        if tensor.layout != torch.strided:
            raise WeightsError(
                "These weights are stored in a way that no network takes.",
                expected="dense tensors",
                got=f"tensor {name}: {tensor.layout}",
                file=path,
            )
        if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
            raise WeightsError(
                "These weights hold values that are not finite.", got=f"tensor {name}", file=path
            )


def read_foreign(path: Path) -> dict[str, Tensor]:
    """Read somebody else's checkpoint: a .safetensors, or a .pth/.pt through torch's safe loader.

    Wrappers that are common in the field ("params_ema", "params", "state_dict", ...) are opened, and the
    "module." prefix of data-parallel training is taken off. Several tables of tensors, as the 25 networks of
    IRCNN, become one whose names begin with the table's.

    Raises:
        WeightsError: Missing, damaged, or it would have to run code to be read.
    """
    check_weights_file(path)
    if path.suffix == ".safetensors":
        tensors, _ = _read_safetensors(path)
    else:
        tensors = _tensors_inside(_safe_load(path), path)
    _check_tensors(tensors, path)
    return {re.sub(r"^module\.", "", name): tensor for name, tensor in tensors.items()}


def _safe_load(path: Path) -> object:
    try:
        with torch.serialization.safe_globals(list(STAND_INS)), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice is for those who made the file
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # damaged bytes make the loader raise whatever it comes across
        refused = re.search(r"GLOBAL (?:builtins\.)?(\S+)", f"{error}")  # some versions of torch name it
        raise (_damaged(path, error) if refused is None else _runs_code(path, refused[1])) from error


def _runs_code(path: Path, name: str) -> WeightsError:
    return WeightsError(
        "This checkpoint was refused: reading it would run code.",
        expected="tensors in plain containers, with options, paths, dates and numbers at most",
        got=f"an object of {name}",
        file=path,
        unchanged="nothing in the file was run",
        hint="save the tensors alone, where it was made: torch.save(model.state_dict(), 'weights.pth')",
    )


def _damaged(path: Path, error: Exception) -> WeightsError:
    cause = f"{error}".rpartition("WeightsUnpickler error: ")[2]  # what comes before is how to run its code
    return WeightsError(
        "This checkpoint cannot be read: it is damaged, or torch.save did not write it.",
        expected="tensors in plain containers",
        got=f"{type(error).__name__}: {cause}".splitlines()[0][:200],
        file=path,
        unchanged="nothing in the file was run",
        hint="copy or download it again, or save it again: torch.save(model.state_dict(), 'weights.pth')",
    )


def _tensors_inside(content: object, path: Path) -> dict[str, Tensor]:
    while isinstance(content, Mapping):
        wrapper = next((key for key in _WRAPPERS if isinstance(content.get(key), Mapping)), None)
        if wrapper is None:
            break
        content = content[wrapper]
    if isinstance(content, Mapping) and content and all(isinstance(v, Mapping) for v in content.values()):
        content = {f"{number}.{name}": v for number, part in content.items() for name, v in part.items()}
    if (
        not isinstance(content, Mapping)
        or not all(isinstance(v, Tensor) for v in content.values())
        or not content
    ):
        raise WeightsError(
            "This checkpoint holds no table of tensors.", got=type(content).__name__, file=path
        )
    return {str(name): tensor for name, tensor in content.items()}


def load_into(module: nn.Module, tensors: Mapping[str, Tensor], *, file: Path) -> None:
    """Copy tensors into a network; names and shapes must match exactly.

    Raises:
        WeightsError: They do not; the first three differences are named, and the network is unchanged.
    """
    own = module.state_dict()
    faults = [f"missing {name}" for name in own if name not in tensors]
    faults += [f"unexpected {name}" for name in tensors if name not in own]
    faults += [
        f"{name}: expected {tuple(own[name].shape)}, got {tuple(tensors[name].shape)}"
        for name in own
        if name in tensors and own[name].shape != tensors[name].shape
    ]
    faults += [
        f"{name}: expected {own[name].dtype}, got {tensors[name].dtype}"
        for name in own
        if name in tensors and own[name].is_floating_point() != tensors[name].is_floating_point()
    ]
    if faults:
        raise WeightsError(
            f"These weights do not fit {type(module).__name__} ({counted(len(faults), 'difference')}).",
            got="; ".join(faults[:3]),
            file=file,
            unchanged="the network",
        )
    module.load_state_dict(tensors)
