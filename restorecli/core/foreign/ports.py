"""Checkpoints of well-known ports to PyTorch: RDN and RED-Net by yjn870."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from restorecli.core.foreign.naming import Pattern, Translated, count, renamed

_RDN: tuple[Pattern, ...] = (
    (r"^sfe1\.", "shallow_1."),
    (r"^sfe2\.", "shallow_2."),
    (r"^rdbs\.", "blocks."),
    (r"\.conv\.", "."),
    (r"\.lff\.", ".fusion."),
    (r"^gff\.", "fusion."),
    (r"^upscale\.", "up."),
    (r"^output\.", "last."),
)
_RED_NET: tuple[Pattern, ...] = (
    (r"^conv_layers\.(\d+)\.0\.", r"down.\1."),
    (r"^deconv_layers\.(\d+)\.(?:0\.)?", r"up.\1."),
)


def rdn(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate RDN, which enlarges 2, 3 or 4 times: one step of 4 or 9 times the channels, or two of 4."""
    width, channels = tensors["sfe1.weight"].shape[:2]
    growth = tensors["rdbs.0.layers.0.conv.weight"].shape[0]
    steps = [tensor for name, tensor in tensors.items() if name.startswith("upscale.") and tensor.ndim == 4]
    arguments: dict[str, object] = {
        "channels": int(channels),
        "scale": math.prod(math.isqrt(step.shape[0] // step.shape[1]) for step in steps),
        "blocks": count(tensors, r"rdbs\.(\d+)\."),
        "layers": count(tensors, r"rdbs\.0\.layers\.(\d+)\."),
        "growth": int(growth),
        "width": int(width),
    }
    return renamed(tensors, _RDN), arguments


def red_net(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate RED-Net, which works at half the sides in this port."""
    width, channels = tensors["conv_layers.0.0.weight"].shape[:2]
    arguments: dict[str, object] = {
        "channels": int(channels),
        "depth": 2 * count(tensors, r"conv_layers\.(\d+)\."),
        "width": int(width),
        "halved": True,
    }
    return renamed(tensors, _RED_NET), arguments
