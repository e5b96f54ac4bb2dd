"""Images as people hold them in Python, to the (C, H, W) pixels of the rooms and back.

PIL images, NumPy arrays (HW or HWC) and torch tensors (CHW or NCHW) come in; the same kind, layout and type
goes out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from restorecli.errors import ImageError, UsageError
from restorecli.images.image import FileTraits, ImageData, Pixels
from restorecli.images.scale import (
    UNKNOWN_LEVELS,
    ValueScale,
    check_finite,
    check_range,
    choose_scale,
    extent_of,
    to_unit,
)
from restorecli.images.writing import quantize, samples_of

if TYPE_CHECKING:
    from torch import Tensor

    AnyImage = TypeVar("AnyImage", Image.Image, NDArray[Any], Tensor)
    SomeImage = Image.Image | NDArray[Any] | Tensor

MAX_VALUE = 3.0
"""Floats beyond this cannot be images in [0, 1], however much noise they hold."""

_NEGATIVE_SHARE = (-0.5, 0.05)
"""Noise brings hardly any value below the first number; a larger share than the second is another scale."""

_EXPECTED = "a PIL image, a NumPy array (H, W) or (H, W, C), or a torch tensor (C, H, W) or (N, C, H, W)"
_DEPTHS = {"uint8": 8, "uint16": 16, "float16": 32, "float32": 32, "float64": 32}
_MODE_HINTS = {
    "I": "numpy.asarray(image).astype(numpy.uint16) for levels from 0 to 65535",
    "F": "numpy.asarray(image), divided so that white is 1",
}
"""Modes whose levels `convert` would clip at 255."""

_MODES = {"1": "L", "L": "L", "LA": "LA", "P": "RGB", "RGB": "RGB", "RGBA": "RGBA", "I;16": "I;16"}


@dataclass(frozen=True)
class Taken:
    """What came in.

    Attributes:
        images: One, or those of a batch.
        give_back: Makes of processed images, in the same order, the kind that came in.
    """

    images: Sequence[ImageData]
    give_back: Callable[[Sequence[ImageData]], Any]


def take(image: object, values: str = "type") -> Taken:
    """Read an image of any kind.

    Args:
        image: The image.
        values: Which values are black and white: "type" (the whole range of integers, 0 to 1 of floats),
            "auto" (the same, but of uint16 that is filled in part 8, 10 or 12 bits), or two as "LOW..HIGH",
            which any type of integers and floats may have.

    Raises:
        UsageError: It is of another kind, type, layout or range.
    """
    check_range(values)
    if isinstance(image, np.ndarray):
        return _take_array(image, values)
    if _is_a(image, "torch", "Tensor"):
        return _take_tensor(image, values)
    if _is_a(image, "PIL.Image", "Image"):
        return _take_image(image, values)
    is_file = isinstance(image, str | Path)
    raise UsageError(
        "This is no image.",
        expected=_EXPECTED,
        got=type(image).__name__,
        hint="PIL.Image.open(file) opens a file; restorecli.restore takes files and folders"
        if is_file
        else None,
    )


def _is_a(value: object, module: str, name: str) -> bool:
    """Tell whether a value is of a class, without importing its module: who made the value has."""
    loaded = sys.modules.get(module)
    return loaded is not None and isinstance(value, getattr(loaded, name))


def _take_array(array: NDArray[Any], values: str) -> Taken:
    kind = array.dtype
    array = array.astype(kind.newbyteorder("="), copy=False)
    scale = _scale_of(array, values)
    depth = 8 * array.dtype.itemsize if scale else _depth_of(array, str(array.dtype), _array_hint)
    if array.ndim == 2:
        planes, alpha = array[None], None
    elif array.ndim == 3 and array.shape[2] in (1, 3, 4):
        planes = array.transpose(2, 0, 1)
        planes, alpha = (planes[:3], planes[3]) if len(planes) == 4 else (planes, None)
    else:
        raise UsageError(
            "The array has a wrong shape.",
            expected="(H, W) or (H, W, C) with 1, 3 or 4 channels",
            got=str(array.shape),
            hint=_layout_hint(array.shape),
        )
    taken = _image(planes, depth, None if alpha is None else np.ascontiguousarray(_alpha(alpha)), scale)

    def give_back(images: Sequence[ImageData]) -> NDArray[Any]:
        [done] = images
        samples = _samples(done.pixels, depth, scale, array.dtype)
        if done.traits.alpha is not None:
            samples = np.dstack([samples, done.traits.alpha.astype(array.dtype)])
        samples = samples.astype(kind, copy=False)
        return samples[:, :, None] if array.ndim == 3 and samples.ndim == 2 else samples

    return Taken([taken], give_back)


def _take_tensor(tensor: Any, values: str) -> Taken:  # noqa: ANN401 - torch is not imported for this
    import torch

    if tensor.ndim not in (3, 4) or tensor.shape[-3] not in (1, 3):
        raise UsageError(
            "The tensor has a wrong shape.",
            expected="(C, H, W) or (N, C, H, W) with 1 or 3 channels",
            got=str(tuple(tensor.shape)),
            hint=_tensor_layout_hint(tuple(tensor.shape)),
        )
    if len(tensor) == 0:
        raise UsageError("The batch has no images.", got=str(tuple(tensor.shape)))
    kind = str(tensor.dtype).removeprefix("torch.")
    batch = tensor if tensor.ndim == 4 else tensor[None]
    plain = batch.detach().cpu()
    arrays = (plain.float() if tensor.dtype.is_floating_point else plain).numpy()
    scale = _scale_of(arrays, values)
    if scale is None:
        depth = _depth_of(tensor, "float32" if kind == "bfloat16" else kind, _tensor_hint)
    else:
        depth = 8 * arrays.dtype.itemsize
    images = [_image(planes, depth, None, scale) for planes in arrays]

    def give_back(done: Sequence[ImageData]) -> Tensor:
        samples = [
            np.atleast_3d(_samples(image.pixels, depth, scale, arrays.dtype)).transpose(2, 0, 1)
            for image in done
        ]
        stacked = torch.from_numpy(np.ascontiguousarray(np.stack(samples)))
        stacked = stacked.to(device=tensor.device, dtype=tensor.dtype)
        return stacked if tensor.ndim == 4 else stacked[0]

    return Taken(images, give_back)


def _take_image(image: Any, values: str) -> Taken:  # noqa: ANN401 - PIL is not imported for this
    mode = _MODES.get(image.mode)
    if mode is None:
        raise UsageError(
            "A PIL image of this mode cannot be processed.",
            expected=", ".join(_MODES),
            got=image.mode,
            hint=_MODE_HINTS.get(image.mode, 'image.convert("RGB")'),
        )
    if image.mode == "P" and "transparency" in image.info:
        mode = "RGBA"
    samples = np.asarray(image if image.mode == mode else image.convert(mode))
    depth = 16 if mode == "I;16" else 8
    has_alpha = mode in ("LA", "RGBA")
    planes = np.atleast_3d(samples).transpose(2, 0, 1)
    alpha = np.ascontiguousarray(planes[-1]) if has_alpha else None
    scale = _scale_of(samples, values)
    taken = _image(planes[:-1] if has_alpha else planes, depth, alpha, scale)

    def give_back(images: Sequence[ImageData]) -> Image.Image:
        [done] = images
        samples = _samples(done.pixels, depth, scale, planes.dtype)
        if done.traits.alpha is not None:
            samples = np.dstack([samples, done.traits.alpha])
        result = Image.fromarray(samples)
        result.info = dict(image.info)
        return result

    return Taken([taken], give_back)


def _scale_of(samples: NDArray[Any], values: str) -> ValueScale | None:
    """Return the scale of an image's values; None for that of their type."""
    known = samples.dtype == np.uint16 or (samples.dtype.kind in "iuf" and ".." in values)
    if not known or samples.size == 0:
        return None
    return choose_scale(samples.dtype, UNKNOWN_LEVELS, values, lambda: extent_of([samples]))


def _samples(pixels: Pixels, depth: int, scale: ValueScale | None, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Return (H, W) or (H, W, 3) samples of a type as they came; see `images.writing`."""
    samples = quantize(pixels, depth) if scale is None else samples_of(pixels, dtype, scale)
    return samples.astype(dtype, copy=False)


def _image(
    planes: NDArray[Any], depth: int, alpha: NDArray[Any] | None, scale: ValueScale | None
) -> ImageData:
    if planes.size == 0:
        raise UsageError("The image has no pixels.", got=str(planes.shape))
    if scale is not None:
        traits = FileTraits(depth=depth, kind=planes.dtype.kind, scale=scale, alpha=alpha)
        try:
            check_finite(planes)
        except ImageError as error:
            raise UsageError("The image holds values that are not finite.", got=error.got) from error
        return ImageData(to_unit(np.ascontiguousarray(planes), scale), traits)
    full = np.float32(1 if depth == 32 else (1 << depth) - 1)
    pixels: Pixels = np.ascontiguousarray(planes.astype(np.float32) / full)
    if depth == 32:
        _check_range(pixels)
    return ImageData(pixels, FileTraits(depth=depth, alpha=alpha))


def _alpha(plane: NDArray[Any]) -> NDArray[Any]:
    """Return alpha in a type that files have."""
    return plane if plane.dtype.kind == "u" else plane.astype(np.float32)


def _depth_of(pixels: Any, kind: str, hint: Callable[[str], str]) -> int:  # noqa: ANN401 - array or tensor
    """Return the bits of a type, 32 for floats.

    Args:
        pixels: The array or tensor.
        kind: The name of its type.
        hint: Says how to convert it to a type by its name.

    Raises:
        UsageError: It is of another type.
    """
    if kind in _DEPTHS:
        return _DEPTHS[kind]
    raise UsageError(
        "Pixels of this type cannot be processed.",
        expected=", ".join(_DEPTHS),
        got=kind,
        hint=_type_hint(pixels, kind, hint),
    )


def _type_hint(pixels: Any, kind: str, hint: Callable[[str], str]) -> str:  # noqa: ANN401 - array or tensor
    """Return how to bring levels into a type that holds them all."""
    if kind == "bool":
        return f"{hint('uint8')} * 255"
    if "int" not in kind or 0 in pixels.shape:
        return "floats in [0, 1]"
    levels = np.asarray(pixels.cpu() if hasattr(pixels, "cpu") else pixels)
    low, high = int(levels.min()), int(levels.max())
    fits = [name for name, bits in (("uint8", 8), ("uint16", 16)) if low >= 0 and high < 1 << bits]
    return f"{hint(fits[0])} holds levels from {low} to {high}" if fits else "floats in [0, 1]"


def _array_hint(kind: str) -> str:
    return f'array.astype("{kind}")'


def _tensor_hint(kind: str) -> str:
    return f"tensor.to(torch.{kind})"


def _layout_hint(shape: tuple[int, ...]) -> str | None:
    if len(shape) == 4:
        return "one image of a batch at a time; only tensors may be batches"
    if len(shape) == 3:
        if shape[0] in (1, 3):
            return "array.transpose(1, 2, 0) puts the channels last"
        return (
            "numpy.stack([restorecli.restore_image(plane) for plane in array]) takes a stack plane by plane"
        )
    return None


def _tensor_layout_hint(shape: tuple[int, ...]) -> str | None:
    if len(shape) == 2:
        return "tensor[None] has the channel that is missing"
    if shape[-1:] not in ((1,), (3,)):
        return None
    axes = "2, 0, 1" if len(shape) == 3 else "0, 3, 1, 2"
    return f"tensor.permute({axes}) puts the channels first"


def _check_range(pixels: Pixels) -> None:
    """Refuse floats that cannot be in [0, 1]; noise may reach a little beyond.

    Raises:
        UsageError: They are not finite, or on another scale.
    """
    low, high = float(pixels.min()), float(pixels.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise UsageError("The image holds values that are not finite.", expected="floats in [0, 1]")
    got = f"values from {low:g} to {high:g}"
    if max(high, -low) > MAX_VALUE:
        scale = next((full for full in (255, 1023, 4095, 65535) if high <= full), None)
        raise UsageError(
            "The values of the image are out of range.",
            expected="floats in [0, 1]",
            got=got,
            hint=None if scale is None or low < 0 else f"divide by {scale}",
        )
    limit, share = _NEGATIVE_SHARE
    if float((pixels < limit).mean()) > share:
        raise UsageError(
            "The values of the image are out of range.",
            expected="floats in [0, 1]",
            got=got,
            hint="x / 2 + 0.5 brings [-1, 1] to [0, 1]",
        )
