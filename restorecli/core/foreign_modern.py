"""Checkpoints of NAFNet and Restormer as their authors publish them: names, and what the shapes tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

Translated = tuple[dict[str, Tensor], dict[str, object]]

_NAFNET = (
    (r"^intro\.", "first."),
    (r"^ending\.", "last."),
    (r"^encoders\.", "encoder."),
    (r"^decoders\.", "decoder."),
    (r"^middle_blks\.", "middle."),
    (r"^downs\.", "down."),
    (r"^ups\.", "up."),
    (r"\.norm1\.", ".norm_mixing."),
    (r"\.norm2\.", ".norm_feeding."),
    (r"\.conv1\.", ".expand."),
    (r"\.conv2\.", ".depthwise."),
    (r"\.sca\.1\.", ".attention.weigh."),
    (r"\.conv3\.", ".project."),
    (r"\.conv4\.", ".feed_in."),
    (r"\.conv5\.", ".feed_out."),
)
_RESTORMER = (
    (r"^patch_embed\.proj\.", "first."),
    (r"^output\.", "last."),
    *((rf"^encoder_level{level + 1}\.", f"encoder.{level}.") for level in range(3)),
    *((rf"^decoder_level{3 - step}\.", f"decoder.{step}.") for step in range(3)),
    *((rf"^down{level + 1}_{level + 2}\.body\.", f"down.{level}.") for level in range(3)),
    *((rf"^up{4 - step}_{3 - step}\.body\.", f"up.{step}.") for step in range(3)),
    *((rf"^reduce_chan_level{3 - step}\.", f"reduce.{step}.") for step in range(2)),
    (r"\.norm1\.body\.", ".norm_attention."),
    (r"\.norm2\.body\.", ".norm_feeding."),
    (r"\.attn\.qkv\.", ".attention.project."),
    (r"\.attn\.qkv_dwconv\.", ".attention.depthwise."),
    (r"\.attn\.project_out\.", ".attention.out."),
    (r"\.attn\.", ".attention."),
    (r"\.ffn\.project_in\.", ".feed.expand."),
    (r"\.ffn\.dwconv\.", ".feed.depthwise."),
    (r"\.ffn\.project_out\.", ".feed.out."),
)


def _is_filter(tensors: Mapping[str, Tensor], name: str) -> bool:
    return name in tensors and tensors[name].ndim == 4


def is_nafnet(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether these are the names of NAFNet's authors."""
    return _is_filter(tensors, "intro.weight") and "middle_blks.0.conv1.weight" in tensors


def nafnet(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate a checkpoint of NAFNet's authors; see `restorecli.core.foreign.translate`."""
    width, channels = tensors["intro.weight"].shape[:2]
    levels = _count(tensors, r"encoders\.(\d+)\.")
    arguments: dict[str, object] = {
        "channels": int(channels),
        "width": int(width),
        "encoder": [_count(tensors, rf"encoders\.{level}\.(\d+)\.") for level in range(levels)],
        "middle": _count(tensors, r"middle_blks\.(\d+)\."),
        "decoder": [_count(tensors, rf"decoders\.{level}\.(\d+)\.") for level in range(levels)],
    }
    return _renamed(tensors, _NAFNET), arguments


def is_restormer(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether these are the names of Restormer's authors."""
    return _is_filter(tensors, "patch_embed.proj.weight") and "latent.0.attn.temperature" in tensors


def restormer(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate a checkpoint of Restormer's authors; see `restorecli.core.foreign.translate`."""
    width, channels = tensors["patch_embed.proj.weight"].shape[:2]
    levels = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
    wide, inner = tensors["latent.0.ffn.project_out.weight"].shape[:2]
    arguments: dict[str, object] = {
        "channels": int(channels),
        "width": int(width),
        "blocks": [_count(tensors, rf"{level}\.(\d+)\.") for level in levels],
        "refinement": _count(tensors, r"refinement\.(\d+)\."),
        "heads": [_heads(tensors, level) for level in levels],
        "factor": round((inner + 0.5) / wide, 2),  # the inner width is rounded down from a factor like 2.66
        "norm": "with-bias" if "latent.0.norm1.body.bias" in tensors else "bias-free",
    }
    return _renamed(tensors, _RESTORMER), arguments


def _heads(tensors: Mapping[str, Tensor], level: str) -> int:
    temperature = tensors.get(f"{level}.0.attn.temperature")
    return 1 if temperature is None else len(temperature)


def _count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    """Return how many numbers stand at one place of the names."""
    return len({found[1] for name in tensors if (found := re.match(pattern, name))})


def _renamed(tensors: Mapping[str, Tensor], patterns: Sequence[tuple[str, str]]) -> dict[str, Tensor]:
    renamed = {}
    for name, tensor in tensors.items():
        for pattern, replacement in patterns:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed
