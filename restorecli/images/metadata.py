"""Which of an image's metadata the format of its new file can hold, and what is lost."""

from __future__ import annotations

from dataclasses import dataclass

from restorecli.images.colors import profile_channels
from restorecli.images.exif import upright_block
from restorecli.images.formats import FORMATS
from restorecli.images.image import FileTraits
from restorecli.images.png_chunks import TEXT_KINDS, Carried, comment_of, names_other_colors
from restorecli.images.xmp import upright_packet

_JPEG_EXIF_LIMIT = 65533
_JPEG_XMP_LIMIT = 65533 - 29
_JPEG_COMMENT_LIMIT = 65533


@dataclass(frozen=True, slots=True)
class Metadata:
    """What of an image's metadata its new file can hold; see `FileTraits`."""

    icc: bytes | None
    exif: bytes | None
    xmp: bytes | None
    dpi: tuple[float, float] | None
    chunks: tuple[Carried, ...]
    comment: bytes | None


def metadata_for(traits: FileTraits, channels: int, file_format: str) -> tuple[Metadata, tuple[str, ...]]:
    """Return what of an image's metadata a format can hold, and in words what it cannot.

    Args:
        traits: Of the image.
        channels: 1 for gray, 3 for RGB.
        file_format: Pillow's name of the format to write.
    """
    losses: list[str] = []
    metadata = Metadata(
        icc=_profile(traits, channels, file_format, losses),
        exif=_exif(traits, file_format, losses),
        xmp=_xmp(traits, file_format, losses),
        dpi=_dpi(traits, file_format, losses),
        chunks=traits.chunks if file_format == "PNG" else (),
        comment=_comment(traits, losses) if file_format == "JPEG" else None,
    )
    if file_format != "PNG":
        losses += _chunk_losses(traits, file_format, metadata.comment)
    return metadata, tuple(losses)


def _profile(traits: FileTraits, channels: int, file_format: str, losses: list[str]) -> bytes | None:
    icc = traits.icc
    if icc is None:
        return None
    if not FORMATS[file_format].metadata:
        losses.append(f"{file_format} holds no ICC profile")
        return None
    if profile_channels(icc) not in (None, channels):
        losses.append("the ICC profile is for another number of channels: left out")
        return None
    return icc


def _exif(traits: FileTraits, file_format: str, losses: list[str]) -> bytes | None:
    exif = upright_block(traits.exif)
    if exif is None:
        return None
    if not FORMATS[file_format].metadata:
        losses.append(f"{file_format} holds no EXIF")
        return None
    if file_format == "JPEG" and len(exif) > _JPEG_EXIF_LIMIT:
        losses.append("JPEG holds no EXIF of this size")
        return None
    return exif


def _xmp(traits: FileTraits, file_format: str, losses: list[str]) -> bytes | None:
    packet = upright_packet(traits.xmp)
    if packet is None:
        return None
    if not FORMATS[file_format].metadata:
        losses.append(f"{file_format} holds no XMP")
        return None
    if file_format == "JPEG" and len(packet) > _JPEG_XMP_LIMIT:
        losses.append("JPEG holds no XMP of this size")
        return None
    return packet


def _dpi(traits: FileTraits, file_format: str, losses: list[str]) -> tuple[float, float] | None:
    if traits.dpi is None:
        return None
    if not FORMATS[file_format].resolution:
        losses.append(f"{file_format} holds no resolution (dpi)")
        return None
    return traits.dpi


def _comment(traits: FileTraits, losses: list[str]) -> bytes | None:
    comment = comment_of(traits.chunks)
    if comment is not None and len(comment) > _JPEG_COMMENT_LIMIT:
        losses.append("JPEG holds no comment of this size")
        return None
    return comment


def _chunk_losses(traits: FileTraits, file_format: str, comment: bytes | None) -> list[str]:
    texts = sum(kind in TEXT_KINDS for kind, _ in traits.chunks)
    losses = []
    if texts > (comment is not None):
        losses.append(f"{file_format} does not hold all the text of the image")
    if traits.icc is None and names_other_colors(traits.chunks):
        losses.append(f"{file_format} does not hold the color space of a PNG; an ICC profile it would")
    return losses
