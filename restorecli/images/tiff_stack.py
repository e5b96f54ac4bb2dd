"""Several images are written as one TIFF: pages, ImageJ and OME hyperstacks; a plane at a time."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from restorecli.errors import ImageError
from restorecli.images.atomic import atomic_write
from restorecli.images.decoded import Samples
from restorecli.images.image import ImageData
from restorecli.images.metadata import Metadata, metadata_for
from restorecli.images.planes import Layout
from restorecli.images.tiff import how_to_write
from restorecli.images.tiff_tags import append_tags_to_file
from restorecli.images.writing import samples_of

_CLASSIC_LIMIT = (1 << 32) - (1 << 25)
_OF_IMAGEJ = frozenset({"uint8", "uint16", "float32"})
_SIZE = re.compile(r'\b(Size|PhysicalSize)([XY])="([^"]*)"')


def write_tiff_stack(path: Path, images: Iterable[ImageData], layout: Layout) -> tuple[str, ...]:
    """Write images as one TIFF with the axes and the description of a layout, atomically.

    Args:
        path: The file to write; its folder must exist.
        images: As many as the layout's shape says, one after another; their first one's traits count.
        layout: How they belong together.

    Returns:
        What could not be kept.

    Raises:
        ImageError: The images differ in size where they must not.
        ResourceError: The disk is full or failing.
    """
    stream = iter(images)
    first = next(stream)
    metadata, losses = metadata_for(first.traits, first.channels, "TIFF")
    with atomic_write(path) as temporary:
        if layout.kind == "pages":
            _write_pages(temporary, chain([first], stream), metadata, layout)
            append_tags_to_file(temporary, metadata.exif)
            return losses
        samples = _samples(first)
        how, more = _how(first, samples, layout, metadata)
        tifffile.imwrite(temporary, _alike(samples, stream), dtype=samples.dtype, **how)
    return (*losses, *more)


def _write_pages(path: Path, images: Iterable[ImageData], metadata: Metadata, layout: Layout) -> None:
    with tifffile.TiffWriter(path, byteorder="<") as writer:
        for image in images:
            samples = _samples(image)
            how = how_to_write(
                samples.dtype,
                samples.shape,
                alpha=image.traits.alpha is not None,
                icc=metadata.icc,
                xmp=metadata.xmp,
                dpi=metadata.dpi,
                scale=image.traits.scale,
            )
            del how["byteorder"]
            if layout.resolution is not None:
                across, down, unit = layout.resolution
                how |= {"resolution": (across, down), "resolutionunit": unit}
            writer.write(samples, **how)


def _how(
    first: ImageData, samples: Samples, layout: Layout, metadata: Metadata
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return tifffile's arguments for a whole stack, and what is lost."""
    shape, dtype = samples.shape, samples.dtype
    axes = layout.axes + ("YXS" if samples.ndim == 3 else "YX")
    size = prod(layout.shape) * samples.nbytes
    traits = first.traits
    how = how_to_write(
        dtype, shape, alpha=traits.alpha is not None, icc=metadata.icc, xmp=metadata.xmp, scale=traits.scale
    )
    how |= {"shape": (*layout.shape, *shape), "bigtiff": size > _CLASSIC_LIMIT}
    factor = first.size[0] / layout.height if layout.height else 1.0
    if layout.resolution is not None:
        across, down, unit = layout.resolution
        how |= {"resolution": (across * factor, down * factor), "resolutionunit": unit}
    if layout.kind == "ome":
        described = _enlarged(str(layout.described), factor).encode("utf-8")
        return how | {"shape": (prod(layout.shape), *shape), "description": described}, ()
    if layout.kind == "imagej":
        if dtype.name in _OF_IMAGEJ and size <= _CLASSIC_LIMIT and set(layout.axes) <= set("TZC"):
            return _as_imagej(how, axes, layout.described or {}), ()
        return how | {"metadata": {"axes": axes}}, ("ImageJ holds no such stack: written without its words",)
    return how | {"metadata": {"axes": axes}}, ()


def _as_imagej(how: dict[str, Any], axes: str, described: object) -> dict[str, Any]:
    """Return the arguments for an ImageJ hyperstack, which is never packed and says its kind itself."""
    kept = ("shape", "iccprofile", "extratags", "resolution", "resolutionunit", "software")
    plain = {name: how[name] for name in kept if how[name] is not None}
    words = described if isinstance(described, Mapping) else {}
    return plain | {"imagej": True, "metadata": {"axes": axes, **words}}


def _alike(first: Samples, rest: Iterator[ImageData]) -> Iterator[Samples]:
    yield first
    for image in rest:
        samples = _samples(image)
        if samples.shape != first.shape:
            raise ImageError(
                "The planes of a stack differ in size.", expected=str(first.shape), got=str(samples.shape)
            )
        yield samples


def _samples(image: ImageData) -> Samples:
    traits = image.traits
    samples = samples_of(image.pixels, traits.dtype, traits.scale)
    return samples if traits.alpha is None else np.dstack([samples, traits.alpha])


def _enlarged(xml: str, factor: float) -> str:
    """Return OME-XML for planes whose sides are longer by a factor."""

    def changed(found: re.Match[str]) -> str:
        kind, axis, value = found.groups()
        number = float(value) * factor if kind == "Size" else float(value) / factor
        return f'{kind}{axis}="{round(number) if kind == "Size" else repr(number)}"'

    return xml if factor == 1 else _SIZE.sub(changed, xml)
