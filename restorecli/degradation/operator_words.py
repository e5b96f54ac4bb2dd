"""From the words of `--operator` to an operator: degradations with parameters, or a kernel's image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from restorecli.degradation.base import check_names, parameters_of
from restorecli.degradation.catalog import find
from restorecli.degradation.operators import Convolution, PointSpread, operator_of
from restorecli.errors import UsageError
from restorecli.images.formats import SUFFIXES
from restorecli.images.reading import read_image


def operator_named(words: Sequence[str]) -> Convolution | None:
    """Return the operator that words name, one after another.

    Args:
        words: Each "gaussian-blur:sigma=1.6", "motion-blur:length=15,angle=30", "downscale:factor=2", or the
            path of an image of a kernel (see `read_kernel`); applied in this order.

    Returns:
        One convolution, or None for no words.

    Raises:
        UsageError: An unknown name or parameter, a value out of bounds, or a degradation that is not linear.
        ImageError: The kernel's image cannot be read.
    """
    operator: Convolution | None = None
    for word in words:
        is_file = Path(word).suffix.lower() in SUFFIXES
        following = Convolution(read_kernel(Path(word))) if is_file else _named(word)
        operator = following if operator is None else operator.then(following)
    return operator


def read_kernel(path: Path) -> PointSpread:
    """Read the image of a kernel: how a point of light looks after the blur.

    The mean of the channels counts, scaled to sum 1; the point lies in the middle, or, where a side is even,
    before it.

    Raises:
        ImageError: It cannot be read.
        UsageError: It is black, or holds values below 0.
    """
    weights = read_image(path).pixels.mean(axis=0, dtype=np.float64)
    total = float(weights.sum())
    if not total > 0 or weights.min() < 0:
        raise UsageError(
            "This image is no kernel.",
            expected="light on black: values of 0 and more, not all 0",
            got=f"values from {weights.min():g} to {weights.max():g}",
        )
    return PointSpread.centered(weights / total)


def _named(word: str) -> Convolution:
    name, _, settings = word.partition(":")
    degradation = find(name.strip())
    values = dict(_setting(part, word) for part in settings.split(",") if part.strip())
    check_names(degradation, values)
    info = parameters_of(degradation)
    read = {key: info[key].read(text, degradation.name) for key, text in values.items()}
    operator = operator_of([{"name": degradation.name, **read}])
    if operator is None:
        raise UsageError(
            f"{degradation.name} is no linear operator that can be inverted.",
            expected="gaussian-blur, motion-blur, defocus, downscale, or an image of a kernel",
            got=word,
        )
    return operator


def _setting(part: str, word: str) -> tuple[str, str]:
    name, equals, value = part.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise UsageError(
            "--operator is not understood.",
            expected="NAME:PARAM=VALUE,PARAM=VALUE or an image of a kernel",
            got=word,
            hint="--operator gaussian-blur:sigma=1.6",
        )
    return name.strip(), value.strip()
