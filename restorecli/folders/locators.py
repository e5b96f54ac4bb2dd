"""Locators: how a manifest names an image, so that the tree can be moved."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from restorecli.folders.addresses import Address, address_of, parse_address, standing_for
from restorecli.folders.samples import LOCATOR, Sample, find_sample, read_sample
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import read_image


def locate(locator: str, folder: Path | str) -> Path | Sample:
    """Return the file or the built-in sample that a locator of a manifest in `folder` names.

    For an address such as s3://bucket/a.png this is the path that stands for it; see `folders.addresses`.

    Raises:
        DataError: It names a sample that does not exist.
    """
    if locator.startswith(LOCATOR):
        return find_sample(locator)
    address = parse_address(locator) if "://" in locator else None
    if address is not None:
        return standing_for(address, Path(folder).resolve())
    return Path(os.path.normpath(Path(folder).resolve() / locator))


def make_locator(path: Path | str | Sample, folder: Path | str) -> str:
    """Return the locator of an image for a manifest in `folder`.

    It is relative where both lie under a common folder other than the root of the file system, or in one
    bucket of a remote store; else absolute, or an address.

    Args:
        path: A file, or a built-in sample.
        folder: The manifest's folder.
    """
    if isinstance(path, Sample):
        return path.locator
    path = Path(path)
    absolute, base = path.parent.resolve() / path.name, Path(folder).resolve()
    address, home = address_of(absolute), address_of(base)
    if address is not None:
        return _remote_locator(address, home)
    if home is not None or absolute.parts[:2] != base.parts[:2]:
        return absolute.as_posix()
    relative = Path(os.path.relpath(absolute, base)).as_posix()
    return f"./{relative}" if relative.startswith(LOCATOR) else relative


def _remote_locator(address: Address, home: Address | None) -> str:
    if home is None or (home.scheme, home.host) != (address.scheme, address.host):
        return str(address)
    relative = posixpath.relpath(f"/{address.path}", f"/{home.path}")
    return f"./{relative}" if relative.startswith(LOCATOR) else relative


def open_locator(
    locator: str, folder: Path | str, options: ReadOptions = STRICT, like: FileTraits | None = None
) -> ImageData:
    """Read the image that a locator of a manifest in `folder` names.

    Args:
        locator: A file, or a built-in sample, which needs no options.
        folder: The manifest's folder.
        options: How to read what is unusual.
        like: Traits of the image that it is to be compared with.

    Raises:
        DataError: It names a sample that does not exist.
        ImageError: The file is missing or cannot be read.
    """
    place = locate(locator, folder)
    if isinstance(place, Sample):
        return read_sample(place.locator)
    return read_image(place, options, like=like)
