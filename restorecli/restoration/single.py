"""One picture by a network or a method, as told; folders are the business of `restoration.folder`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from restorecli.errors import UsageError
from restorecli.images.picture import Picture
from restorecli.restoration.context import Context
from restorecli.restoration.picture import PictureRestorer, TileUse
from restorecli.restoration.restorer import Restorer


def restore_picture(
    picture: Picture,
    restorer: Restorer,
    context: Context,
    *,
    tile: int | str = "auto",
    overlap: int | None = None,
    strength: float = 1.0,
) -> tuple[Picture, TileUse]:
    """Restore one picture; alpha, depth and metadata come back as they were.

    Args:
        picture: The picture.
        restorer: A network or a method.
        context: What is known about it; what a method finds out is noted there.
        tile: "auto", "none" or a side in pixels; see `PictureRestorer`.
        overlap: Pixels that neighbouring tiles share; None takes what the restorer needs.
        strength: Share of the restored picture in the result, 0 to 1; the rest is the input.

    Raises:
        UsageError: The tile does not fit, or `strength` is out of range or not possible.
        ImageError: The pixels, or what comes of them, are not finite, or what a method needs is not known.
        ResourceError: Memory ran out, or the device failed.
    """
    check_strength(strength)
    _check_told(restorer, context)
    restored, use = PictureRestorer(restorer, tile=tile, overlap=overlap)(picture, context)
    return mixed(picture, restored, strength), use


def _check_told(restorer: Restorer, context: Context) -> None:
    """Refuse what the restorer would not use.

    Raises:
        UsageError: There is such a thing.
    """
    used = {need.removesuffix("?") for need in restorer.spec.needs}
    told = {"sigma": context.sigma, "operator": context.operator, "mask": context.mask}
    vain = [f"--{name}" for name, fact in told.items() if fact is not None and name not in used]
    if vain:
        raise UsageError(
            f"{restorer.spec.name} does not use {' and '.join(vain)}.",
            expected=", ".join(f"--{name}" for name in sorted(used)) or "nothing about the picture",
            came=", ".join(vain),
        )


def check_strength(strength: float) -> None:
    """Check that a strength is one.

    Raises:
        UsageError: It is not from 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise UsageError("Invalid --strength.", expected="a number from 0 to 1", came=repr(strength))


def mixed(picture: Picture, restored: Picture, strength: float) -> Picture:
    """Return the share `strength` of a restored picture, and the rest of what it was made of.

    Raises:
        UsageError: The two differ in size.
    """
    if strength == 1:
        return restored
    if picture.size != restored.size:
        raise UsageError(
            "A picture that is enlarged cannot be mixed with what it was.",
            expected="--strength 1",
            came=f"--strength {strength:g}",
        )
    share = np.float32(strength)
    return replace(restored, pixels=picture.pixels + share * (restored.pixels - picture.pixels))
