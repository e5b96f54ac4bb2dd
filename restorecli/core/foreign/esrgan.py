"""Checkpoints of RRDBNet: of ESRGAN's first code, of its authors' release, and of BasicSR and Real-ESRGAN."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from restorecli.core.foreign.naming import Pattern, Translated, count, renamed

_DENSE: Pattern = (
    r"\.(?:RDB|rdb)(\d)\.conv(\d)\.",
    lambda m: f".blocks.{int(m[1]) - 1}.layers.{int(m[2]) - 1}.",
)

_RELEASED: tuple[Pattern, ...] = (
    (r"^conv_first\.", "first."),
    (r"^(?:RRDB_trunk|body)\.", "body."),
    (r"^(?:upconv|conv_up)1\.", "up.0."),
    (r"^(?:upconv|conv_up)2\.", "up.1."),
    (r"^(?:HRconv|conv_hr)\.", "high."),
    (r"^conv_last\.", "last."),
)
_FIRST_CODE: tuple[Pattern, ...] = (
    (r"^model\.0\.", "first."),
    (r"^model\.1\.sub\.", "body."),
    (r"(conv\d)\.0\.", r"\1."),
    (r"^model\.3\.", "up.0."),
    (r"^model\.6\.", "up.1."),
    (r"^model\.8\.", "high."),
    (r"^model\.10\.", "last."),
)


def released(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate RRDBNet of the authors' release, of BasicSR and of Real-ESRGAN, which names it anew."""
    blocks = count(tensors, r"(?:RRDB_trunk|body)\.(\d+)\.")
    body_end: tuple[Pattern, ...] = ((r"^(?:trunk_conv|conv_body)\.", f"body.{blocks}."),)
    return _translated(tensors, (*_RELEASED, *body_end), blocks)


def first_code(tensors: Mapping[str, Tensor]) -> Translated:
    """Translate RRDBNet of ESRGAN's first code, which many collections of weights still use."""
    blocks = count(tensors, r"model\.1\.sub\.(\d+)\.RDB")
    return _translated(tensors, _FIRST_CODE, blocks)


def has_two_steps(tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether the first code's network enlarges four times: there are others of its names."""
    return "model.10.weight" in tensors and "model.12.weight" not in tensors


def _translated(tensors: Mapping[str, Tensor], patterns: tuple[Pattern, ...], blocks: int) -> Translated:
    ours = renamed(tensors, (*patterns, _DENSE))
    channels = int(ours["last.weight"].shape[0])
    width, seen = ours["first.weight"].shape[:2]
    arguments: dict[str, object] = {
        "channels": channels,
        "scale": 4 // max(math.isqrt(int(seen) // channels), 1),
        "blocks": blocks,
        "width": int(width),
        "growth": int(ours["body.0.blocks.0.layers.0.weight"].shape[0]),
    }
    return ours, arguments
