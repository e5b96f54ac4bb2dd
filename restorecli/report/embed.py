"""Pictures inside the page: a central cut at full resolution, as a data URI."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from restorecli.report.panels import Panel, to_image

CUT = (560, 420)
"""Width and height of what the page shows at most: shrinking a picture would hide its noise."""

_SMALL = 160 * 160
_QUALITY = 85


@dataclass(frozen=True, slots=True)
class Embedded:
    """One picture as the page shows it.

    Attributes:
        label: degraded, restored or reference.
        caption: Its scores in words, or nothing.
        uri: A data URI, PNG for small pictures and JPEG 4:4:4 for others.
        size: Width and height of what is shown.
        is_cut: Whether that is only the middle of the picture.
    """

    label: str
    caption: str
    uri: str
    size: tuple[int, int]
    is_cut: bool

    @property
    def is_small(self) -> bool:
        """Whether the page enlarges it so much that it should show its pixels."""
        return self.size[0] * self.size[1] <= _SMALL


def embed(panels: Sequence[Panel]) -> tuple[Embedded, ...]:
    """Make the pictures of one pair ready for the page.

    Args:
        panels: The pictures, the reference last; another size than the reference's is enlarged to it first.
    """
    images = [to_image(panel.pixels) for panel in panels]
    full = images[-1].size
    embedded = []
    for panel, image in zip(panels, images, strict=True):
        whole = image if image.size == full else image.resize(full, Image.Resampling.NEAREST)
        shown = _middle(whole)
        uri = _data_uri(shown)
        embedded.append(Embedded(panel.label, panel.caption, uri, shown.size, shown.size != full))
    return tuple(embedded)


def _middle(image: Image.Image) -> Image.Image:
    width, height = min(image.width, CUT[0]), min(image.height, CUT[1])
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _data_uri(image: Image.Image) -> str:
    stream = io.BytesIO()
    if image.width * image.height <= _SMALL:
        image.save(stream, format="PNG")
        kind = "png"
    else:
        image.save(stream, format="JPEG", quality=_QUALITY, subsampling=0)
        kind = "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(stream.getvalue()).decode('ascii')}"
