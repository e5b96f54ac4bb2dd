"""Which sizes go together in a pair, and what is said where they do not."""

from __future__ import annotations

from restorecli.evaluation.pairing.pairs import Pair, Side, Unmatched

Shape = tuple[int, ...]
"""(C, H, W)."""


def kind_of(shape: Shape) -> str:
    """Return width, height and gray or RGB, as a reader expects them."""
    channels, height, width = shape
    return f"{width}x{height} {'gray' if channels == 1 else 'RGB'}"


def mismatch(pair: Pair, side: Side, image: Shape, reference: Shape) -> Unmatched | str | None:
    """Return why an image has no score against a reference of another size or other channels.

    Args:
        pair: Where the images are.
        side: Which image it is.
        image: Its shape.
        reference: The shape of the reference.

    Returns:
        None where the shapes are equal; a note where the degraded image is smaller by a whole factor and
        nothing is wrong; else the problem.
    """
    if image == reference:
        return None
    sizes = f"{side} {kind_of(image)}, reference {kind_of(reference)}"
    if side == "degraded" and pair.restored is not None and is_downscaled(image, reference):
        return f"degraded not scored: {sizes}"
    if image[1:] == reference[1:]:
        return Unmatched(side, pair.path, f"different channels: {sizes}; make both gray or both RGB")
    return Unmatched(side, pair.path, f"different sizes: {sizes}")


def is_downscaled(image: Shape, reference: Shape) -> bool:
    """Whether the reference is larger by one whole factor, up to the rounding of its sides."""
    channels, height, width = image
    target_channels, target_height, target_width = reference
    factor = round(target_height / height)
    sides = ((height, target_height), (width, target_width))
    return factor > 1 and channels == target_channels and all(-(-b // factor) - a in (0, 1) for a, b in sides)


def is_enlarged(image: Shape, degraded: Shape, reference: Shape) -> bool:
    """Whether an image lacks only the border that down-scaling cuts off to divide by a whole factor."""
    factor = image[1] // degraded[1]
    enlarged = tuple(factor * side for side in degraded[1:]) == image[1:]
    borders = [whole - side for side, whole in zip(image[1:], reference[1:], strict=True)]
    return factor > 1 and enlarged and any(borders) and all(0 <= border < factor for border in borders)
