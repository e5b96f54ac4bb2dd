"""Checkpoints of KAIR: DnCNN, IRCNN (also 25 levels in one file), FFDNet and DRUNet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from restorecli.core.foreign.naming import Pattern, Translated, count, renamed
from restorecli.errors import WeightsError

_BATCH_NORM_EPS = 1e-4
"""What KAIR's batch norms add to the variance; it does not stand in the files."""

_DRUNET: tuple[Pattern, ...] = (
    (r"^m_head\.", "first."),
    (r"^m_tail\.", "last."),
    (r"^m_body\.", "body."),
    *((rf"^m_down{level + 1}\.", f"down.{level}.") for level in range(3)),
    *((rf"^m_up{3 - step}\.", f"up.{step}.") for step in range(3)),
    (r"\.res\.", ".body."),
)


def is_plain(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether this is a plain stack of convolutions from an image to its noise: DnCNN's."""
    first, last = _ends(tensors)
    return first.ndim == 4 and first.shape[1] == last.shape[0] and first.shape[1] in (1, 3)


def is_dilated(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether this is IRCNN: seven convolutions; their dilations do not stand in the file."""
    return is_plain(tensors) and len(_convolutions(tensors)) == 7


def is_ffdnet(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether a plain stack takes four quarters of an image and a noise level."""
    first, last = _ends(tensors)
    return first.ndim == 4 and first.shape[1] == last.shape[0] + 1 and last.shape[0] in (4, 12)


def is_drunet(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether the U-Net takes a noise level beside the image."""
    return tensors["m_head.weight"].shape[1] == tensors["m_tail.weight"].shape[0] + 1


def dncnn(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate DnCNN; batch norms, if any, are merged into the convolutions before them."""
    plain = _merged(tensors)
    first, _ = _ends(plain)
    arguments: dict[str, object] = {
        "channels": int(first.shape[1]),
        "depth": len(_convolutions(plain)),
        "width": int(first.shape[0]),
        "batch_norm": False,
    }
    return renamed(plain, ((r"^model\.", "layers."),)), arguments


def ircnn(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate IRCNN for one noise level."""
    first, _ = _ends(tensors)
    arguments: dict[str, object] = {"channels": int(first.shape[1]), "width": int(first.shape[0])}
    return renamed(tensors, ((r"^model\.", "layers."),)), arguments


def ircnn_levels(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate IRCNN for 25 noise levels in one file; one is picked by the level of each image."""
    first = tensors["0.model.0.weight"]
    levels = count(tensors, r"(\d+)\.")
    arguments = {"channels": int(first.shape[1]), "width": int(first.shape[0]), "levels": levels}
    return renamed(tensors, ((r"^(\d+)\.model\.", r"levels.\1."),)), dict(arguments)


def ffdnet(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate FFDNet."""
    first, last = _ends(tensors)
    arguments: dict[str, object] = {
        "channels": int(last.shape[0]) // 4,
        "width": int(first.shape[0]),
        "depth": len(_convolutions(tensors)),
    }
    return renamed(tensors, ((r"^model\.", "layers."),)), arguments


def drunet(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate DRUNet."""
    arguments: dict[str, object] = {
        "channels": int(tensors["m_tail.weight"].shape[0]),
        "width": int(tensors["m_head.weight"].shape[0]),
        "blocks": count(tensors, r"m_body\.(\d+)\."),
    }
    return renamed(tensors, _DRUNET), arguments


def _convolutions(tensors: Mapping[str, Tensor]) -> list[str]:
    """Return the names of a stack's filters, from first to last."""
    names = [name for name, tensor in tensors.items() if name.endswith(".weight") and tensor.ndim == 4]
    return sorted(names, key=_place)


def _place(name: str) -> int:
    found = re.match(r"model\.(\d+)\.", name)
    return int(found[1]) if found else -1


def _ends(tensors: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    names = _convolutions(tensors)
    return (tensors[names[0]], tensors[names[-1]]) if names else (torch.empty(0), torch.empty(0))


def _merged(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Merge batch norms into the convolutions before them, and number the layers as if there were none.

    Raises:
        WeightsError: A convolution is missing.
    """
    plain: dict[str, Tensor] = {}
    names = _convolutions(tensors)
    places = [_place(name) for name in names]
    for layer, (name, place) in enumerate(zip(names, places, strict=True)):
        weight = tensors[name]
        bias = tensors.get(f"model.{place}.bias", weight.new_zeros(len(weight)))
        norm = f"model.{place + 1}."
        has_norm = f"{norm}running_mean" in tensors
        _check_next(places[layer : layer + 2], 3 if has_norm else 2)
        if has_norm:
            gain = tensors[f"{norm}weight"] / (tensors[f"{norm}running_var"] + _BATCH_NORM_EPS).sqrt()
            weight = weight * gain[:, None, None, None]
            bias = (bias - tensors[f"{norm}running_mean"]) * gain + tensors[f"{norm}bias"]
        plain |= {f"model.{2 * layer}.weight": weight, f"model.{2 * layer}.bias": bias}
    return plain


def _check_next(places: Sequence[int], distance: int) -> None:
    """Refuse a stack in which the next convolution does not stand at its distance, where there is one.

    Raises:
        WeightsError: Numbered anew, the others would make another network.
    """
    if len(places) == 2 and places[1] != places[0] + distance:
        raise WeightsError(
            "These weights of DnCNN lack a convolution.",
            expected=f"model.{places[0] + distance}.weight",
            got=f"model.{places[1]}.weight after model.{places[0]}.weight",
            hint="copy or download the file again",
        )
