"""Checkpoints of NAFNet and Restormer as their authors publish them: names, and what the shapes tell."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from restorecli.core.foreign.naming import Pattern, Translated, count, renamed

_NAFNET: tuple[Pattern, ...] = (
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
_RESTORMER: tuple[Pattern, ...] = (
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


def nafnet(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate a checkpoint of NAFNet's authors."""
    width, channels = tensors["intro.weight"].shape[:2]
    levels = count(tensors, r"encoders\.(\d+)\.")
    arguments: dict[str, object] = {
        "channels": int(channels),
        "width": int(width),
        "encoder": [count(tensors, rf"encoders\.{level}\.(\d+)\.") for level in range(levels)],
        "middle": count(tensors, r"middle_blks\.(\d+)\."),
        "decoder": [count(tensors, rf"decoders\.{level}\.(\d+)\.") for level in range(levels)],
    }
    return renamed(tensors, _NAFNET), arguments


def restormer(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate a checkpoint of Restormer's authors."""
    width, channels = tensors["patch_embed.proj.weight"].shape[:2]
    levels = ("encoder_level1", "encoder_level2", "encoder_level3", "latent")
    wide, inner = tensors["latent.0.ffn.project_out.weight"].shape[:2]
    arguments: dict[str, object] = {
        "channels": int(channels),
        "width": int(width),
        "blocks": [count(tensors, rf"{level}\.(\d+)\.") for level in levels],
        "refinement": count(tensors, r"refinement\.(\d+)\."),
        "heads": [_heads(tensors, level) for level in levels],
        "factor": round((inner + 0.5) / wide, 2),  # the inner width is rounded down from a factor like 2.66
        "norm": "with-bias" if "latent.0.norm1.body.bias" in tensors else "bias-free",
    }
    return renamed(tensors, _RESTORMER), arguments


def _heads(tensors: Mapping[str, Tensor], level: str) -> int:
    temperature = tensors.get(f"{level}.0.attn.temperature")
    return 1 if temperature is None else len(temperature)
