"""Which network a checkpoint belongs to: by the names and shapes of its tensors, nothing else is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from restorecli.core.foreign import esrgan, kair, modern, ports, sca_unet
from restorecli.core.foreign.naming import Translated
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.errors import UsageError, WeightsError

Tensors = Mapping[str, Tensor]

_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "netG.", "generator.")
"""What trainers put before all names; taken off where the names are not known with it."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Layout:
    """How one project names and shapes the tensors of a network.

    Attributes:
        origin: Whose it is, as a message says it.
        model: The network in the catalog.
        marks: Names that every checkpoint of it holds.
        translate: Renames the tensors into ours and reads the network's arguments from their shapes.
        fits: Tells it from other networks of the same names.
    """

    origin: str
    model: str
    marks: tuple[str, ...]
    translate: Callable[[Tensors], Translated]
    fits: Callable[[Tensors], bool] = lambda _: True


LAYOUTS = (
    Layout(
        "SCA-UNet of its authors",
        "sca-unet",
        ("dconv_bottleneck.conv_block.0.weight", "dconv_down1.conv_block.0.weight", "conv_last.weight"),
        sca_unet.sca_unet,
    ),
    Layout("IRCNN of KAIR", "ircnn", ("model.0.weight", "model.12.weight"), kair.ircnn, kair.is_dilated),
    Layout("DnCNN of KAIR", "dncnn", ("model.0.weight", "model.2.weight"), kair.dncnn, kair.is_plain),
    Layout("FFDNet of KAIR", "ffdnet", ("model.0.weight", "model.2.weight"), kair.ffdnet, kair.is_ffdnet),
    Layout(
        "IRCNN of KAIR, all noise levels",
        "ircnn",
        ("0.model.0.weight", "1.model.0.weight", "0.model.12.weight"),
        kair.ircnn_levels,
    ),
    Layout(
        "DRUNet of KAIR",
        "drunet",
        (
            "m_head.weight",
            "m_down1.0.res.0.weight",
            "m_body.0.res.0.weight",
            "m_up1.0.weight",
            "m_tail.weight",
        ),
        kair.drunet,
        kair.is_drunet,
    ),
    Layout(
        "RRDBNet of BasicSR and Real-ESRGAN",
        "esrgan",
        (
            "conv_first.weight",
            "body.0.rdb1.conv1.weight",
            "conv_body.weight",
            "conv_up2.weight",
            "conv_hr.weight",
        ),
        esrgan.released,
    ),
    Layout(
        "RRDBNet of ESRGAN's authors",
        "esrgan",
        ("conv_first.weight", "RRDB_trunk.0.RDB1.conv1.weight", "trunk_conv.weight", "upconv2.weight"),
        esrgan.released,
    ),
    Layout(
        "RRDBNet of ESRGAN's first code",
        "esrgan",
        ("model.0.weight", "model.1.sub.0.RDB1.conv1.0.weight", "model.3.weight", "model.10.weight"),
        esrgan.first_code,
        esrgan.has_two_steps,
    ),
    Layout(
        "RDN of yjn870's port",
        "rdn",
        ("sfe1.weight", "sfe2.weight", "rdbs.0.layers.0.conv.weight", "rdbs.0.lff.weight", "gff.0.weight"),
        ports.rdn,
    ),
    Layout(
        "RED-Net of yjn870's port",
        "red-net",
        ("conv_layers.0.0.weight", "conv_layers.1.0.weight", "deconv_layers.0.0.weight"),
        ports.red_net,
    ),
    Layout(
        "NAFNet of its authors",
        "nafnet",
        ("intro.weight", "middle_blks.0.conv1.weight"),
        modern.nafnet,
        lambda tensors: tensors["intro.weight"].ndim == 4,
    ),
    Layout(
        "Restormer of its authors",
        "restormer",
        ("patch_embed.proj.weight", "latent.0.attn.temperature"),
        modern.restormer,
        lambda tensors: tensors["patch_embed.proj.weight"].ndim == 4,
    ),
)
"""Every layout that is known; of two that fit the first is taken."""


@dataclass(frozen=True, slots=True)
class Recognized:
    """A checkpoint whose network is known.

    Attributes:
        origin: Whose layout it is.
        model: The network in the catalog.
        tensors: The tensors by our names.
        arguments: The network's arguments that they need.
    """

    origin: str
    model: str
    tensors: dict[str, Tensor]
    arguments: dict[str, object]


def recognize(tensors: Tensors) -> Recognized | None:
    """Return what a checkpoint holds, or None where nothing is known that fits."""
    for candidate in _with_and_without_prefix(tensors):
        for layout in LAYOUTS:
            if all(mark in candidate for mark in layout.marks) and layout.fits(candidate):
                return Recognized(layout.origin, layout.model, *layout.translate(candidate))
        own = _own(candidate)
        if own is not None:
            return own
    return None


def translate(model: str, tensors: Tensors) -> Translated:
    """Rename the tensors of a checkpoint that is said to be of a network into ours.

    Args:
        model: Name of the network.
        tensors: The checkpoint's tensors by its own names.

    Returns:
        The tensors by our names, and the network's arguments that these weights need. Names that are not
        known are left as they are.
    """
    for layout in LAYOUTS:
        known = layout.model == model and all(mark in tensors for mark in layout.marks)
        if known and layout.fits(tensors):
            return layout.translate(tensors)
    return dict(tensors), {}


def unknown(tensors: Tensors, file: Path, more: str = "") -> WeightsError:
    """Return the error for a checkpoint that is not known: the nearest network, and what it lacks of it."""
    names = ", ".join(list(tensors)[:_SHOWN])
    layout = max(LAYOUTS, key=lambda layout: _share(layout, tensors))
    got = f"{len(tensors)} tensors: {names}, ..."
    if _share(layout, tensors) > 0:
        missing = [mark for mark in layout.marks if mark not in tensors]
        lacks = f"without {', '.join(missing[:_SHOWN])}" if missing else "but with other shapes"
        got += f"; nearest is {layout.origin}, {lacks}"
    return WeightsError(
        "It is not known which network these weights belong to.",
        expected="a file of `restorecli train`, or " + ", ".join(dict.fromkeys(o.origin for o in LAYOUTS)),
        got=got,
        file=file,
        unchanged="everything",
        hint=f"restorecli restore FOLDER --model NAME --weights {file}" + (more and f", or {more}"),
    )


def _share(layout: Layout, tensors: Tensors) -> float:
    return sum(mark in tensors for mark in layout.marks) / len(layout.marks)


def _with_and_without_prefix(tensors: Tensors) -> list[Tensors]:
    """Return the tensors as they are, and without what a trainer put before all names."""
    candidates = [tensors]
    prefix = next((p for p in _PREFIXES if all(name.startswith(p) for name in tensors)), None)
    if prefix is not None:
        shorter = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
        candidates += _with_and_without_prefix(shorter)
    return candidates


def _own(tensors: Tensors) -> Recognized | None:
    """Recognize a network of the catalog by our own names, with its default arguments, without a card."""
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    for model in MODELS:
        for channels in (3, 1):
            arguments: dict[str, object] = {"channels": channels}
            try:
                with torch.device("meta"):
                    own = create_model(model, **arguments).state_dict()
            except (UsageError, NotImplementedError, RuntimeError):
                continue  # a network that cannot be built without values is not recognized this way
            if {name: tensor.shape for name, tensor in own.items()} == shapes:
                return Recognized("restorecli, without a card", model, dict(tensors), arguments)
    return None
