"""Color management: the way from a file's own colors to sRGB, on request only."""

from __future__ import annotations

import io
from dataclasses import replace

import imagecodecs
import numpy as np
from PIL import Image, ImageCms

from restorecli.errors import ImageError
from restorecli.images.decoded import DECODER_FAULTS, Decoded, Samples
from restorecli.images.png_chunks import COLOR_KINDS

_SPACES = {b"RGB ": 3, b"GRAY": 1, b"CMYK": 4}


def profile_channels(icc: bytes) -> int | None:
    """Return the number of color channels that an ICC profile describes, or None if it is another kind."""
    return _SPACES.get(icc[16:20])


def convert_to_srgb(decoded: Decoded) -> Decoded:
    """Convert the samples through the ICC profile; without a profile they count as sRGB already.

    Args:
        decoded: Gray or RGB samples of any depth; gray stays one channel.

    Returns:
        The same image in sRGB, without a profile, with a note.

    Raises:
        ImageError: The profile is damaged or does not belong to such an image.
    """
    if decoded.icc is None:
        return decoded
    expected = 1 if decoded.samples.ndim == 2 else 3
    if profile_channels(decoded.icc) != expected:
        raise ImageError(
            "The ICC profile does not fit the image.",
            expected=f"a profile for {expected} channel(s)",
            got=repr(decoded.icc[16:20]),
            hint="read it without --to-srgb: the profile is then kept as it is",
        )
    try:
        samples = _transformed(decoded.samples, decoded.icc)
    except (*DECODER_FAULTS, ImageCms.PyCMSError) as fault:
        raise ImageError("The ICC profile cannot be used.", got=str(fault)) from fault
    text = tuple(chunk for chunk in decoded.chunks if chunk[0] not in COLOR_KINDS)
    notes = (*decoded.notes, "converted to sRGB")
    return replace(decoded, samples=samples, icc=None, chunks=text, notes=notes)


def cmyk_to_srgb(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, str]:
    """Convert an 8-bit CMYK image to RGB: through its profile, or by the plain formula if it has none.

    Args:
        image: The image.
        icc: Its profile.

    Returns:
        The RGB image and the note that says which way was taken.

    Raises:
        ImageError: The profile is damaged or not for CMYK.
    """
    if icc is None:
        return image.convert("RGB"), "CMYK without a profile converted to RGB by the plain formula"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        converted = ImageCms.profileToProfile(image, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (*DECODER_FAULTS, ImageCms.PyCMSError) as fault:
        raise ImageError("The ICC profile of the CMYK image cannot be used.", got=str(fault)) from fault
    if converted is None:
        raise ImageError("The CMYK image could not be converted.")
    return converted, "CMYK converted to sRGB through its profile"


def lab_to_srgb(image: Image.Image) -> tuple[Image.Image, str]:
    """Convert an 8-bit CIELAB image to RGB; its white is D50, as the ICC has it.

    Args:
        image: The image, of Pillow's mode LAB.

    Returns:
        The RGB image and the note that says so.

    Raises:
        ImageError: It cannot be converted.
    """
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    try:
        converted = ImageCms.profileToProfile(image, lab, srgb, outputMode="RGB")
    except (*DECODER_FAULTS, ImageCms.PyCMSError) as fault:
        raise ImageError("The Lab image could not be converted.", got=str(fault)) from fault
    if converted is None:
        raise ImageError("The Lab image could not be converted.")
    return converted, "Lab converted to sRGB, its white taken as D50"


def _transformed(samples: Samples, icc: bytes) -> Samples:
    space = "gray" if samples.ndim == 2 else "rgb"
    target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    converted: Samples = imagecodecs.cms_transform(
        np.ascontiguousarray(samples),
        icc,
        target,
        colorspace=space,
        outcolorspace="rgb",
        # The table that lcms would put in between at 16 bits is up to 8 levels of 255 off in dark colors.
        flags=imagecodecs.CMS.FLAGS.NOOPTIMIZE,
    )
    return converted if samples.ndim == 3 else np.ascontiguousarray(converted[..., 1])
