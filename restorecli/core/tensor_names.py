"""Which networks a weights file can be of, by the names in it alone: without torch, which takes seconds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from restorecli.counting import counted
from restorecli.errors import WeightsError

LAYOUT_MARKS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "SCA-UNet of its authors": (
            "dconv_bottleneck.conv_block.0.weight",
            "dconv_down1.conv_block.0.weight",
            "conv_last.weight",
        ),
        "IRCNN of KAIR": ("model.0.weight", "model.12.weight"),
        "DnCNN of KAIR": ("model.0.weight", "model.2.weight"),
        "FFDNet of KAIR": ("model.0.weight", "model.2.weight"),
        "IRCNN of KAIR, all noise levels": ("0.model.0.weight", "1.model.0.weight", "0.model.12.weight"),
        "DRUNet of KAIR": (
            "m_head.weight",
            "m_down1.0.res.0.weight",
            "m_body.0.res.0.weight",
            "m_up1.0.weight",
            "m_tail.weight",
        ),
        "RRDBNet of BasicSR and Real-ESRGAN": (
            "conv_first.weight",
            "body.0.rdb1.conv1.weight",
            "conv_body.weight",
            "conv_up2.weight",
            "conv_hr.weight",
        ),
        "RRDBNet of ESRGAN's authors": (
            "conv_first.weight",
            "RRDB_trunk.0.RDB1.conv1.weight",
            "trunk_conv.weight",
            "upconv2.weight",
        ),
        "RRDBNet of ESRGAN's first code": (
            "model.0.weight",
            "model.1.sub.0.RDB1.conv1.0.weight",
            "model.3.weight",
            "model.10.weight",
        ),
        "RDN of yjn870's port": (
            "sfe1.weight",
            "sfe2.weight",
            "rdbs.0.layers.0.conv.weight",
            "rdbs.0.lff.weight",
            "gff.0.weight",
        ),
        "RED-Net of yjn870's port": (
            "conv_layers.0.0.weight",
            "conv_layers.1.0.weight",
            "deconv_layers.0.0.weight",
        ),
        "NAFNet of its authors": ("intro.weight", "middle_blks.0.conv1.weight"),
        "Restormer of its authors": ("patch_embed.proj.weight", "latent.0.attn.temperature"),
    }
)
"""Names that every checkpoint of a layout of others holds, by whose it is; see `core.foreign.layouts`."""

OWN_MARKS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "sca-unet": "encoder.0.body.0.weight",
        "dncnn": "layers.0.weight",
        "unet": "encoder.0.body.0.weight",
        "swm": "first.weight",
        "lcdnet": "first.weight",
        "nafnet": "first.weight",
        "restormer": "first.weight",
        "perceptron": "affine.weight",
        "mlp": "layers.0.weight",
        "autoencoder": "layers.0.weight",
        "resnet": "first.weight",
        "patch-cnn": "cnn.layers.0.weight",
        "hybrid": "normalised.network.first.weight",
        "gan": "down.0.0.weight",
        "esrgan": "first.weight",
        "rdn": "shallow_1.weight",
        "red-net": "down.0.weight",
        "noise2noise": "first.0.weight",
        "drunet": "first.weight",
        "ffdnet": "layers.0.weight",
        "ircnn": "layers.0.weight",
        "cvae-gan": "recognition.0.weight",
        "old-photo": "detector.encoder.0.0.weight",
        "cvt": "stem.weight",
        "pixelcnn": "condition.0.weight",
    }
)
"""A name that every weights file of a network of the catalog holds, by the network."""

MORE_NETWORKS: Final = "pip install 'restorecli[spandrel]', which knows some 40 more networks"

_SHOWN = 3


def can_be_known(names: Collection[str]) -> bool:
    """Tell whether a file of these names may be of a network that is known here.

    Args:
        names: Of its tensors; further words do no harm, and prefixes of trainers ("module.") are allowed.
    """
    ends = {name[start:] for name in names for start in _starts(name)}
    return any(all(_bare(mark) in ends for mark in marks) for marks in _all_marks())


def unknown(names: Collection[str], file: Path, more: str = "") -> WeightsError:
    """Return the error for a checkpoint that is not known: the nearest network, and what it lacks of it.

    Args:
        names: Of its tensors.
        file: The checkpoint.
        more: What else to try.
    """
    got = f"{counted(len(names), 'tensor')}: {', '.join(list(names)[:_SHOWN])}, ..."
    bare = {name.removeprefix("module.") for name in names}
    shares = {origin: sum(mark in bare for mark in marks) for origin, marks in LAYOUT_MARKS.items()}
    origin = max(LAYOUT_MARKS, key=lambda origin: shares[origin] / len(LAYOUT_MARKS[origin]))
    if shares[origin] > 0:
        missing = [mark for mark in LAYOUT_MARKS[origin] if mark not in bare]
        lacks = f"without {', '.join(missing[:_SHOWN])}" if missing else "but with other shapes"
        got += f"; nearest is {origin}, {lacks}"
    return WeightsError(
        "It is not known which network these weights belong to.",
        expected="a file of `restorecli train`, or " + ", ".join(LAYOUT_MARKS),
        got=got,
        file=file,
        unchanged="everything",
        hint=f"restorecli restore FOLDER --model NAME --weights {file}" + (more and f", or {more}"),
    )


def _all_marks() -> Iterable[tuple[str, ...]]:
    yield from LAYOUT_MARKS.values()
    yield from ((mark,) for mark in OWN_MARKS.values())


def _starts(name: str) -> Iterable[int]:
    """Return where a name begins once parts of it are taken off."""
    yield 0
    yield from (place + 1 for place, letter in enumerate(name) if letter == ".")


def _bare(mark: str) -> str:
    """Return a mark without the number of its table: tables are put together when they are read."""
    first, _, rest = mark.partition(".")
    return rest if first.isdigit() else mark
