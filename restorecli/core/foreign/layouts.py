"""Which network a checkpoint belongs to: by the names and shapes of its tensors, nothing else is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from restorecli.core.foreign import esrgan, kair, modern, ports, sca_unet
from restorecli.core.foreign.naming import Translated
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.tensor_names import LAYOUT_MARKS, OWN_MARKS
from restorecli.errors import UsageError

Tensors = Mapping[str, Tensor]

_PREFIXES = ("module.", "_orig_mod.", "model.", "net.", "network.", "netG.", "generator.")
"""What trainers put before all names; taken off where the names are not known with it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How one project names and shapes the tensors of a network.

    Attributes:
        origin: Whose it is, as a message says it.
        model: The network in the catalog.
        translate: Renames the tensors into ours and reads the network's arguments from their shapes.
        fits: Tells it from other networks of the same names.
    """

    origin: str
    model: str
    translate: Callable[[Tensors], Translated]
    fits: Callable[[Tensors], bool] = lambda _: True

    @property
    def marks(self) -> tuple[str, ...]:
        """Names that every checkpoint of it holds."""
        return LAYOUT_MARKS[self.origin]


LAYOUTS = (
    Layout("SCA-UNet of its authors", "sca-unet", sca_unet.sca_unet),
    Layout("IRCNN of KAIR", "ircnn", kair.ircnn, kair.is_dilated),
    Layout("DnCNN of KAIR", "dncnn", kair.dncnn, kair.is_plain),
    Layout("FFDNet of KAIR", "ffdnet", kair.ffdnet, kair.is_ffdnet),
    Layout("IRCNN of KAIR, all noise levels", "ircnn", kair.ircnn_levels),
    Layout("DRUNet of KAIR", "drunet", kair.drunet, kair.is_drunet),
    Layout("RRDBNet of BasicSR and Real-ESRGAN", "esrgan", esrgan.released),
    Layout("RRDBNet of ESRGAN's authors", "esrgan", esrgan.released),
    Layout("RRDBNet of ESRGAN's first code", "esrgan", esrgan.first_code, esrgan.has_two_steps),
    Layout("RDN of yjn870's port", "rdn", ports.rdn),
    Layout("RED-Net of yjn870's port", "red-net", ports.red_net),
    Layout(
        "NAFNet of its authors", "nafnet", modern.nafnet, lambda tensors: tensors["intro.weight"].ndim == 4
    ),
    Layout(
        "Restormer of its authors",
        "restormer",
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
        if OWN_MARKS.get(model, next(iter(tensors), "")) not in tensors:
            continue
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
