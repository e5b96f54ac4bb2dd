"""What the arguments of networks must satisfy; nothing is imported, so that a recipe is checked at once.

Each function bears the name of a network's file and takes those of its arguments that have limits. The
network's constructor calls it first, and `catalog.check_limits` calls it for a recipe: both say the same.
Types, numbers of channels, and sizes from 1 to 1024 are checked beside (`catalog.check_sizes`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

MAX_LEVELS = 6
MAX_BLOCKS = 64
MAX_BANDS = 16
"""More bands than these have no bin of their own in a small image."""

REDUCTION = 16
"""By what the gates of CBAM divide their channels."""

SCALES = (1, 2, 3, 4)
"""How many times larger a network can make an image."""

EDGES = (0.28, 0.64)
"""Between the three bands of frequencies of the figures in the post, as shares of the Nyquist frequency."""

NORMS = ("layer", "batch", "none")
"""How attention with convolutional projections normalizes."""

PATCH_WINDOWS = ("hann", "triangular", "flat")
"""Under what overlapping patches are joined."""

SELECTION_MODES = ("mute", "clamp")
"""What becomes of frequencies that stand out."""


def check_depths(name: str, depths: Sequence[int], *, levels: int | None = None) -> tuple[int, ...]:
    """Return the numbers of blocks as a tuple.

    Args:
        name: Of the argument, for the message.
        depths: Blocks on each level.
        levels: How many levels there must be; None allows 1 to 6.

    Raises:
        ValueError: Another number of levels, or a number of blocks that is not a whole one from 1 to 64.
    """
    fits = 1 <= len(depths) <= MAX_LEVELS if levels is None else len(depths) == levels
    if not fits or any(type(depth) is not int or not 1 <= depth <= MAX_BLOCKS for depth in depths):
        wanted = f"1 to {MAX_LEVELS}" if levels is None else levels
        raise ValueError(f"{name} must be {wanted} whole numbers from 1 to {MAX_BLOCKS}, got {list(depths)}")
    return tuple(depths)


def check_word(name: str, word: str, words: Sequence[str]) -> None:
    """Refuse a word that is none of those that an argument can be.

    Raises:
        ValueError: It is another one.
    """
    if word not in words:
        known = ", ".join(map(repr, words[:-1]))
        raise ValueError(f"{name} must be {known} or {words[-1]!r}, got {word!r}")


def check_heads(channels: int, heads: int) -> None:
    """Refuse heads of an attention that do not share its channels evenly.

    Raises:
        ValueError: The number of heads does not divide that of the channels.
    """
    if channels % heads:
        raise ValueError(f"heads must divide the {channels} channels, got {heads}")


def check_attention(channels: int, heads: int, key_stride: int, window: int | None) -> None:
    """Refuse what attention with convolutional projections cannot be.

    Raises:
        ValueError: The heads, the stride or the window do not fit.
    """
    check_heads(channels, heads)
    if key_stride < 1:
        raise ValueError(f"key_stride must be from 1, got {key_stride}")
    if window is not None and window % key_stride:
        raise ValueError(f"window must be a multiple of the key stride {key_stride}, got {window}")


def check_reduction(channels: int, reduction: int) -> None:
    """Refuse fewer channels than a gate divides them by.

    Raises:
        ValueError: There are fewer.
    """
    if channels < reduction:
        raise ValueError(f"channels must be at least {reduction}, got {channels}")


def check_patches(patch: int, stride: int, out: int | None = None) -> None:
    """Refuse sides of patches that do not fit together.

    Raises:
        ValueError: What is put out does not lie in the middle of the patch, or the stride leaves gaps.
    """
    out = patch if out is None else out
    if out > patch or (patch - out) % 2:
        raise ValueError(f"out must be {patch} less an even number, got {out}")
    if not 1 <= stride <= out:
        raise ValueError(f"stride must be 1 to {out}, got {stride}")


def check_scale(scale: int) -> None:
    """Refuse a scale that networks cannot enlarge by.

    Raises:
        ValueError: Another scale.
    """
    if scale not in SCALES:
        raise ValueError(f"scale must be 1, 2, 3 or 4, got {scale!r}")


def check_level(sigma: float | None) -> None:
    """Refuse a noise level below 0; None is one that is estimated.

    Raises:
        ValueError: It is below 0.
    """
    if sigma is not None and not sigma >= 0:
        raise ValueError(f"sigma must be 0 or more, got {sigma}")


def check_edges(edges: Sequence[float]) -> None:
    """Refuse edges between frequency bands that do not rise, or are too many.

    Raises:
        ValueError: They do not rise inside (0, 1).
    """
    rising = all(below < above for below, above in pairwise((0.0, *edges, 1.0)))
    if not rising or len(edges) >= MAX_BANDS:
        raise ValueError(f"edges must rise inside (0, 1), at most {MAX_BANDS - 1}, got {list(edges)}")


def check_window(side: int) -> None:
    """Refuse windows that cannot overlap by half.

    Raises:
        ValueError: The side is odd or below 8.
    """
    if side < 8 or side % 2:
        raise ValueError(f"windows must have an even side from 8, got {side}")


def check_groups(features: int, colors: int) -> None:
    """Refuse features that the colors do not share evenly.

    Raises:
        ValueError: The number of colors does not divide that of the features.
    """
    if features % colors:
        raise ValueError(f"width must be a multiple of {colors}, got {features}")


def check_drop_path(rate: float) -> None:
    """Refuse a rate that would drop every branch.

    Raises:
        ValueError: It is not from 0 and below 1.
    """
    if not 0 <= rate < 1:
        raise ValueError(f"drop_path must be from 0 and below 1, got {rate}")


def cvt(
    widths: Sequence[int],
    depths: Sequence[int],
    decoder: Sequence[int],
    heads: Sequence[int],
    key_strides: Sequence[int],
    window: int | None,
    norm: str,
    drop_path: float,
) -> None:
    """Raise a ValueError for what `Cvt` cannot be; as all functions below for theirs."""
    for name, numbers, levels in (
        ("depths", depths, 3),
        ("decoder", decoder, 2),
        ("heads", heads, 3),
        ("key_strides", key_strides, 3),
    ):
        check_depths(name, numbers, levels=levels)
    if len(widths) != 3 or any(type(width) is not int or not 1 <= width <= 1024 for width in widths):
        raise ValueError(f"widths must be 3 whole numbers from 1 to 1024, got {list(widths)}")
    check_word("norm", norm, NORMS)
    for level in zip(widths, heads, key_strides, (window, window, None), strict=True):
        check_attention(*level)
    check_drop_path(drop_path)


def dncnn(depth: int | None) -> None:
    """See `cvt`."""
    if depth is not None and depth < 2:
        raise ValueError(f"depth must be at least 2, got {depth}")


def drunet(sigma: float | None) -> None:
    """See `cvt`."""
    check_level(sigma)


def esrgan(scale: int) -> None:
    """See `cvt`."""
    check_scale(scale)


def ffdnet(depth: int | None, sigma: float | None) -> None:
    """See `cvt`."""
    check_level(sigma)
    dncnn(depth)


def gan(levels: int, dropout: float) -> None:
    """See `cvt`."""
    if not 2 <= levels <= 10:
        raise ValueError(f"levels must be 2 to 10, got {levels}")
    if not 0 <= dropout <= 1:
        raise ValueError(f"dropout must be from 0 to 1, got {dropout}")


def hybrid(width: int, heads: int, window: int) -> None:
    """See `cvt`."""
    check_reduction(width, REDUCTION)
    check_attention(width, heads, 2, window)


def lcdnet(width: int, encoder: Sequence[int], middle: int, decoder: Sequence[int]) -> None:
    """See `cvt`."""
    if width % 2:
        raise ValueError(f"width must be even, got {width}")
    check_depths("encoder", encoder, levels=4)
    check_depths("decoder", decoder, levels=4)
    check_depths("middle", (middle,))


def mlp(patch: int, out: int, hidden: Sequence[int], stride: int) -> None:
    """See `cvt`."""
    if not 1 <= len(hidden) <= 8 or any(type(width) is not int or not 1 <= width <= 4096 for width in hidden):
        raise ValueError(f"hidden must be 1 to 8 widths from 1 to 4096, got {list(hidden)}")
    check_patches(patch, stride, out)


def nafnet(encoder: Sequence[int], middle: int, decoder: Sequence[int]) -> None:
    """See `cvt`."""
    check_depths("encoder", encoder)
    check_depths("decoder", decoder, levels=len(encoder))
    check_depths("middle", (middle,))


def noise2noise(width: int) -> None:
    """See `cvt`."""
    if width < 2:
        raise ValueError(f"width must be at least 2, got {width}")


def old_photo(threshold: float) -> None:
    """See `cvt`."""
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold}")


def patch_cnn(patch: int, stride: int, window: str, depth: int) -> None:
    """See `cvt`."""
    check_patches(patch, stride)
    check_word("window", window, PATCH_WINDOWS)
    dncnn(depth)


def perceptron(patch: int, out: int, stride: int) -> None:
    """See `cvt`."""
    check_patches(patch, stride, out)


def pixelcnn(channels: int, width: int, output: str, refinements: int) -> None:
    """See `cvt`."""
    check_word("output", output, ("logistic", "categorical"))
    if not 1 <= refinements <= 64:
        raise ValueError(f"refinements must be from 1 to 64, got {refinements}")
    check_groups(width, channels)


def rdn(scale: int) -> None:
    """See `cvt`."""
    check_scale(scale)


def red_net(depth: int) -> None:
    """See `cvt`."""
    if depth < 4 or depth % 2:
        raise ValueError(f"depth must be an even number from 4, got {depth}")


def resnet(scale: int) -> None:
    """See `cvt`."""
    check_scale(scale)


def restormer(
    width: int, blocks: Sequence[int], refinement: int, heads: Sequence[int], factor: float, norm: str
) -> None:
    """See `cvt`."""
    if width % 2:
        raise ValueError(f"width must be even, got {width}")
    check_depths("blocks", blocks, levels=4)
    check_depths("heads", heads, levels=4)
    check_depths("refinement", (refinement,))
    check_word("norm", norm, ("with-bias", "bias-free"))
    if not 1 <= factor <= 8:
        raise ValueError(f"factor must be from 1 to 8, got {factor}")
    # Below full resolution each level has twice the channels; the last blocks have two times the first's.
    for channels, count in (*((width * 2**level, heads[level]) for level in range(4)), (2 * width, heads[0])):
        check_heads(channels, count)


def sca_unet(width: int, weighting: str, *, attention: bool) -> None:
    """See `cvt`."""
    if attention:
        check_reduction(width, REDUCTION)
    check_word("weighting", weighting, ("softmax", "dot"))


def swm(
    depths: Sequence[int], bottleneck: int, mode: str, window: int | None, *, edges: Sequence[float] = EDGES
) -> None:
    """See `cvt`."""
    check_depths("depths", depths, levels=3)
    check_depths("bottleneck", (bottleneck,))
    check_edges(edges)
    check_word("mode", mode, SELECTION_MODES)
    if window is not None:
        check_window(window)


LIMITS: Mapping[str, Callable[..., None]] = {
    "cvt": cvt,
    "dncnn": dncnn,
    "drunet": drunet,
    "esrgan": esrgan,
    "ffdnet": ffdnet,
    "gan": gan,
    "hybrid": hybrid,
    "lcdnet": lcdnet,
    "mlp": mlp,
    "nafnet": nafnet,
    "noise2noise": noise2noise,
    "old-photo": old_photo,
    "patch-cnn": patch_cnn,
    "perceptron": perceptron,
    "pixelcnn": pixelcnn,
    "rdn": rdn,
    "red-net": red_net,
    "resnet": resnet,
    "restormer": restormer,
    "sca-unet": sca_unet,
    "swm": swm,
}
"""By the name of the network; the others take any sizes."""


MULTIPLES: Mapping[str, int | Callable[..., int]] = {
    "sca-unet": 8,
    "dncnn": 1,
    "unet": 8,
    "swm": 8,
    "lcdnet": 16,
    "nafnet": lambda encoder: 2 ** len(encoder),
    "restormer": 8,
    "perceptron": lambda stride: stride,
    "mlp": lambda stride: stride,
    "autoencoder": 16,
    "resnet": 1,
    "patch-cnn": lambda stride: stride,
    "hybrid": lambda window: window,
    "gan": lambda levels: 2**levels,
    "esrgan": lambda scale: 4 // scale,
    "rdn": 1,
    "red-net": lambda halved: 2 if halved else 1,
    "noise2noise": 32,
    "drunet": 8,
    "ffdnet": 2,
    "ircnn": 1,
    "cvae-gan": 8,
    "old-photo": 8,
    "cvt": lambda window: 8 if window is None else math.lcm(8, 4 * window),
    "pixelcnn": 1,
}
"""Of what the sides of images must be multiples, by the name of the network, from its arguments."""
