"""The outline of a defect, as a path that an image of any size can carry."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from restorecli.evaluation.metrics.metric import Mask

MAX_RUNS = 20_000
"""Straight pieces of the most ragged outline that is drawn: about 200 kB."""


def outline_path(mask: Mask) -> str:
    """Return the borders between marked and unmarked pixels as the `d` of an SVG path.

    Args:
        mask: (H, W), True where the defect is.

    Returns:
        Moves and straight pieces in pixels from the upper left corner; nothing for an empty mask and for one
        of more than `MAX_RUNS` pieces.

    Example:
        >>> outline_path(np.array([[False, True, True]]))
        'M1 0h2M1 1h2M1 0v1M3 0v1'
    """
    padded = np.pad(mask, 1)
    across = padded[1:, 1:-1] != padded[:-1, 1:-1]  # (H + 1, W): between the rows
    down = padded[1:-1, 1:] != padded[1:-1, :-1]  # (H, W + 1): between the columns
    pieces = [f"M{start} {line}h{length}" for line, start, length in _runs(across)]
    pieces += [f"M{line} {start}v{length}" for line, start, length in _runs(down.T)]
    return "".join(pieces) if len(pieces) <= MAX_RUNS else ""


def _runs(lines: NDArray[np.bool_]) -> Iterator[tuple[int, int, int]]:
    """Yield (line, start, length) of every run of True along the lines."""
    steps = np.diff(np.pad(lines, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    rows, starts = np.nonzero(steps == 1)
    ends = np.nonzero(steps == -1)[1]
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        yield row, start, end - start
