"""Animated PNG, GIF and WebP: read frame by frame as they are shown, written as PNG or WebP."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path

import imagecodecs
import numpy as np
from PIL import Image

from restorecli.errors import ImageError
from restorecli.images import pillow_files, png
from restorecli.images.atomic import write_file
from restorecli.images.budget import check_budget
from restorecli.images.decoded import DECODER_FAULTS, DamagedImageError, Decoded, Samples, to_image
from restorecli.images.image import ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.planes import Layout
from restorecli.images.png_chunks import make_chunk, with_description
from restorecli.images.untrusted import Untrusted
from restorecli.images.writing import Page, encode, prepare

_MAX_DELAY = 65535
_MAX_LOOPS = (1 << 16) - 1


class AnimatedPlanes:
    """An open animation; see `planes.Planes`. Frames are whole images, as a viewer shows them.

    All are gray or all are RGB, and all have alpha or none has.

    Args:
        data: The whole file.
        file_format: Pillow's name of the format: PNG, GIF or WEBP.
        options: How to read what is unusual.

    Raises:
        ImageError: The file is damaged.
    """

    def __init__(self, data: bytes, file_format: str, options: ReadOptions) -> None:
        self._data = data
        self._format = file_format
        self._options = options
        self._chunks = png.read_chunks(data) if file_format == "PNG" else []
        self._deep = file_format == "PNG" and png.read_header(data).depth == 16
        self._image = pillow_files.open_file(io.BytesIO(data), file_format)
        self._gray, self._alpha = True, False
        try:
            self.layout = self._find_layout()
        except DECODER_FAULTS as fault:
            self._image.close()
            raise self._damaged(fault) from fault

    def _find_layout(self) -> Layout:
        image = self._image
        count = int(getattr(image, "n_frames", 1))
        width, height = image.size
        check_budget(height, width, 4, 16 if self._deep else 8)
        durations = []
        for number in range(count):
            image.seek(number)
            image.load()
            durations.append(_milliseconds(image.info.get("duration")))
            self._gray = self._gray and pillow_files.is_gray(image)
            if not self._alpha and pillow_files.has_alpha(image):
                self._alpha = image.convert("RGBA").getchannel(3).getextrema() != (255, 255)
        loop = image.info.get("loop")
        still = ("the still image before the animation became its first frame",)
        return Layout(
            self._format,
            (count,),
            "I",
            durations=tuple(durations),
            loop=loop if isinstance(loop, int) and 0 <= loop <= _MAX_LOOPS else None,
            height=height,
            notes=still if image.info.get("default_image") else (),
        )

    def read(self, number: int) -> ImageData:
        """Decode a frame; see `planes.Planes`."""
        try:
            self._image.seek(number)
            self._image.load()
            colors, alpha = self._deep_samples(number) if self._deep else self._samples()
        except DECODER_FAULTS as fault:
            raise self._damaged(fault) from fault
        info, untrusted = self._image.info, Untrusted()
        decoded = Decoded(
            colors,
            self._format,
            alpha=alpha,
            icc=untrusted.block("icc", info.get("icc_profile")),
            exif=untrusted.block("exif", info.get("exif")),
            xmp=untrusted.block("xmp", info.get("xmp")),
            notes=tuple(untrusted.notes),
        )
        if self._format == "PNG":
            decoded = with_description(decoded, self._chunks)
        return to_image(decoded, self._options)

    def _samples(self) -> tuple[Samples, Samples | None]:
        shown = np.asarray(self._image.convert("RGBA"))
        colors = shown[..., 0] if self._gray else shown[..., :3]
        return colors, np.ascontiguousarray(shown[..., 3]) if self._alpha else None

    def _deep_samples(self, number: int) -> tuple[Samples, Samples | None]:
        width, height = self._image.size
        samples = imagecodecs.apng_decode(self._data, index=number).reshape(height, width, -1)
        channels = samples.shape[2]
        alpha = np.ascontiguousarray(samples[..., -1]) if channels in (2, 4) else None
        return samples[..., 0] if channels < 3 else samples[..., :3], alpha

    def _damaged(self, fault: Exception) -> DamagedImageError:
        return DamagedImageError(
            f"The {self._format} is damaged or cut short.", got=str(fault) or type(fault).__name__
        )

    def close(self) -> None:
        """Close the file."""
        self._image.close()


def write_animation(
    path: Path, images: Iterable[ImageData], layout: Layout, file_format: str, *, quality: int
) -> tuple[str, ...]:
    """Write images as one animation, atomically; packed or 8-bit frames are in memory together.

    Args:
        path: The file to write; its folder must exist.
        images: Of one size; the first one's metadata are written.
        layout: Its durations and its number of rounds are written.
        file_format: PNG or WEBP.
        quality: For WebP, 1 to 100.

    Returns:
        What could not be kept.

    Raises:
        ImageError: The frames differ in size or kind, or an image cannot be written.
        ResourceError: The disk is full or failing.
    """
    losses: dict[str, None] = {}

    def pages() -> Iterator[Page]:
        for image in images:
            page, more = prepare(image, file_format, quality)
            losses.update(dict.fromkeys(more))
            yield page

    data = _apng(pages(), layout) if file_format == "PNG" else _webp(pages(), layout)
    write_file(path, data)
    return tuple(losses)


def _apng(pages: Iterable[Page], layout: Layout) -> bytes:
    """Return an animated PNG of whole frames (PNG specification, third edition, section 11.3.6)."""
    kept, frames, header, sequence = b"", [], b"", 0
    for number, page in enumerate(pages):
        chunks = png.read_chunks(encode(page, "PNG"))
        first, rest = bytes(chunks[0][1]), chunks[1:]
        if not number:
            header = first
            plain = [chunk for chunk in rest if chunk[0] not in (b"IDAT", b"IEND")]
            kept = b"".join(make_chunk(kind, bytes(payload)) for kind, payload in plain)
        elif first != header:
            raise ImageError("The frames of an animation differ in size or kind.", got=f"frame {number}")
        delay = min(round(layout.durations[number]), _MAX_DELAY) if layout.durations else 0
        control = struct.pack(">I8sIIHHBB", sequence, first[:8], 0, 0, delay, 1000, 0, 0)
        packed = b"".join(bytes(payload) for kind, payload in rest if kind == b"IDAT")
        frames.append(make_chunk(b"fcTL", control))
        frames.append(
            make_chunk(b"fdAT", struct.pack(">I", sequence + 1) + packed)
            if number
            else make_chunk(b"IDAT", packed)
        )
        sequence += 2 if number else 1
    control = make_chunk(b"acTL", struct.pack(">II", len(frames) // 2, layout.loop or 0))
    return b"".join(
        [png.SIGNATURE, make_chunk(b"IHDR", header), control, kept, *frames, make_chunk(b"IEND", b"")]
    )


def _webp(pages: Iterable[Page], layout: Layout) -> bytes:
    held = list(pages)
    images = [Image.fromarray(page.samples) for page in held]
    metadata = held[0].metadata
    blocks = {"icc_profile": metadata.icc, "exif": metadata.exif, "xmp": metadata.xmp}
    stream = io.BytesIO()
    images[0].save(
        stream,
        "WEBP",
        save_all=True,
        append_images=images[1:],
        duration=[round(milliseconds) for milliseconds in layout.durations] or 0,
        loop=layout.loop or 0,
        quality=held[0].quality,
        exact=True,
        **{name: block for name, block in blocks.items() if block is not None},
    )
    return stream.getvalue()


def _milliseconds(value: object) -> float:
    return float(value) if isinstance(value, int | float) and 0 <= value < 1e9 else 0.0
