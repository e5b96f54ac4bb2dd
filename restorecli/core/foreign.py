"""Names of other people's checkpoints, translated into ours."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

from restorecli.core import foreign_modern

_SCA_UNET = (
    (r"^dconv_down(\d)\.", lambda m: f"encoder.{int(m[1]) - 1}."),
    (r"^dconv_up(\d)\.", lambda m: f"decoder.{3 - int(m[1])}."),
    (r"^dconv_bottleneck\.", lambda _: "bottleneck."),
    (r"^att(\d)\.", lambda m: f"attention.{int(m[1]) - 1}."),
    (r"^nl_block\.", lambda _: "non_local."),
    (r"^conv_last\.", lambda _: "last."),
    (r"\.conv_block\.", lambda _: ".body."),
    (r"\.residual_conv\.", lambda _: ".shortcut."),
    (r"\.spatial_attention\.", lambda _: ".spatial."),
    (r"\.channel_attention\.", lambda _: ".channel."),
)


def translate(model: str, tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, object]]:
    """Rename a foreign checkpoint's tensors into ours.

    Known: SCA-UNet as its authors published it, whose weights need the non-local block scaled by 1/(HW) and
    left untransposed; DnCNN as KAIR publishes it, with batch norm merged; NAFNet and Restormer as their
    authors publish them. Other names are left as they are.

    Args:
        model: Name of the network.
        tensors: The checkpoint's tensors by its own names.

    Returns:
        The tensors by our names, and the network's arguments that these weights need.
    """
    if model == "sca-unet" and "dconv_bottleneck.conv_block.0.weight" in tensors:
        renamed = {_rename(name): tensor for name, tensor in tensors.items()}
        return renamed, {"weighting": "dot", "legacy_nonlocal": True}
    if model == "dncnn" and "model.0.weight" in tensors and tensors["model.0.weight"].ndim == 4:
        return _kair_dncnn(tensors)
    if model == "nafnet" and foreign_modern.is_nafnet(tensors):
        return foreign_modern.nafnet(tensors)
    if model == "restormer" and foreign_modern.is_restormer(tensors):
        return foreign_modern.restormer(tensors)
    return dict(tensors), {}


def _rename(name: str) -> str:
    for pattern, replacement in _SCA_UNET:
        name = re.sub(pattern, replacement, name)
    return name


def _kair_dncnn(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, object]]:
    depth = sum(name.endswith(".weight") for name in tensors)
    first = tensors["model.0.weight"]
    arguments: dict[str, object] = {
        "channels": int(first.shape[1]),
        "depth": depth,
        "width": int(first.shape[0]),
        "batch_norm": False,
    }
    return {re.sub(r"^model\.", "layers.", name): tensor for name, tensor in tensors.items()}, arguments
