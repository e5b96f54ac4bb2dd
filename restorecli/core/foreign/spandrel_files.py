"""Networks that are not ours, read by spandrel (extra `spandrel`): some 40, with its safe loader."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from restorecli.errors import UsageError, WeightsError


class Sizes(Protocol):
    """What spandrel says about the sides of images that a network takes."""

    minimum: int
    multiple_of: int
    square: bool


class Descriptor(Protocol):
    """What spandrel says about a network; `spandrel.ImageModelDescriptor`."""

    model: nn.Module
    architecture: Any
    scale: int
    input_channels: int
    output_channels: int
    size_requirements: Sizes
    tiling: Any

    def __call__(self, image: Tensor) -> Tensor:
        """Map (1, C, H, W) in [0, 1] to the same, sides times the scale; pads where sizes ask for it."""


class SpandrelNetwork(nn.Module):
    """A network that spandrel built, as a network of ours.

    Attributes:
        channels: 1 or 3.
        scale: Sides of the output divided by those of the input.
        multiple: Sides must be multiples of it.
        receptive_field: Not known, so that tiles count as changing the result.
        whole: Whether it cuts by itself, or would suffer from being cut.
        architecture: Spandrel's name of it.
    """

    receptive_field: int | None = None

    def __init__(self, descriptor: Descriptor) -> None:
        super().__init__()
        self.network = descriptor.model
        self._descriptor = descriptor
        self.channels = descriptor.input_channels
        self.scale = descriptor.scale
        self.multiple = descriptor.size_requirements.multiple_of
        self.whole = descriptor.tiling.name != "SUPPORTED"
        self.architecture = str(descriptor.architecture.name)

    def forward(self, x: Tensor) -> Tensor:
        """Restore (N, C, H, W) in [0, 1] image by image, as spandrel promises for one."""
        return torch.cat([self._descriptor(x[i : i + 1]) for i in range(len(x))])


def is_installed() -> bool:
    """Tell whether spandrel is there."""
    return importlib.util.find_spec("spandrel") is not None


def load(tensors: Mapping[str, Tensor], path: Path, unknown: WeightsError) -> SpandrelNetwork:
    """Build the network that spandrel knows by its tensors, filled with them.

    Args:
        tensors: What the file holds; spandrel does not see the file, and refuses none that was read.
        path: The file.
        unknown: What to raise where spandrel does not know it either.

    Raises:
        WeightsError: It is not known, damaged, or takes something else than one gray or RGB image.
        UsageError: Spandrel is installed, but cannot be imported.
    """
    try:
        import spandrel
    except Exception as error:  # e.g. its torchvision does not fit this torch
        raise UsageError(
            "spandrel is installed, but it cannot be imported.",
            got=f"{type(error).__name__}: {error}".splitlines()[0][:200],
            hint="pip install 'restorecli[spandrel]' with a torchvision that fits this torch",
        ) from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's advice is for spandrel's authors
            descriptor = spandrel.ModelLoader(torch.device("cpu")).load_from_state_dict(dict(tensors))
    except spandrel.UnsupportedModelError as error:
        raise unknown from error
    except Exception as error:  # shapes that its detection did not expect raise whatever they come across
        raise WeightsError(
            "spandrel cannot load these weights.",
            got=f"{type(error).__name__}: {error}".splitlines()[0][:200],
            file=path,
        ) from error
    if not isinstance(descriptor, spandrel.ImageModelDescriptor):
        raise WeightsError(
            f"{descriptor.architecture.name} needs more than an image.",
            expected="a network from an image to an image",
            got=type(descriptor).__name__,
            file=path,
        )
    _check(descriptor, path)
    return SpandrelNetwork(descriptor)


def _check(descriptor: Descriptor, path: Path) -> None:
    taken, given = descriptor.input_channels, descriptor.output_channels
    if taken != given or taken not in (1, 3):
        raise WeightsError(
            f"{descriptor.architecture.name} does not map an image to an image of the same kind.",
            expected="1 or 3 channels in, and as many out",
            got=f"{taken} in, {given} out",
            file=path,
        )
