"""Checkpoints of SCA-UNet as its authors publish them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from restorecli.core.foreign.naming import Pattern, Translated, renamed

_SCA_UNET: tuple[Pattern, ...] = (
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


def sca_unet(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate: their weights need the non-local block scaled by 1/(HW) and left untransposed."""
    return renamed(tensors, _SCA_UNET), {"weighting": "dot", "legacy_nonlocal": True}
