"""A thin plate through known pixels: many small gaps at once, in any size of image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from restorecli.restoration.methods.classical.holes import Mask

Doubles = NDArray[np.float64]

_STEPS = ((-1, 0), (1, 0), (0, -1), (0, 1))
_PRECISION = 1e-5


def thin_plate(plane: NDArray[np.floating], mask: Mask) -> Doubles:
    """Fill lost pixels so that the sum of squares of the image's Laplacian is least.

    Inside, that is the biharmonic equation, with the stencil of scikit-image's `inpaint_biharmonic`; beyond
    the border of the image is nothing. It is solved by conjugate gradients over all gaps together, in time
    and memory proportional to their number: meant for gaps of some pixels, as wide ones take many rounds.

    Args:
        plane: (H, W).
        mask: (H, W), True where a pixel is lost; not all of them.

    Returns:
        (H, W) float64, within the range of the known pixels: a plate swings beyond it at edges.
    """
    result = plane.astype(np.float64)
    if not mask.any():
        return result
    known = result[~mask]
    result[mask] = known.mean()
    bend = _laplacian_of(mask)
    matrix = (bend.T @ bend).tocsr()
    right = -(bend.T @ _laplacian(result).ravel())
    scale = sparse.diags_array(1 / matrix.diagonal())
    change, _ = linalg.cg(matrix, right, rtol=_PRECISION, maxiter=20 * sum(mask.shape), M=scale)
    result[mask] = np.clip(result[mask] + change, known.min(), known.max())
    return result


def _laplacian(plane: Doubles) -> Doubles:
    """Return the sum of differences to the two to four neighbors within the image."""
    result = np.zeros_like(plane)
    down, across = np.diff(plane, axis=0), np.diff(plane, axis=1)
    result[:-1] += down
    result[1:] -= down
    result[:, :-1] += across
    result[:, 1:] -= across
    return result


def _laplacian_of(mask: Mask) -> sparse.csc_array:
    """Return `_laplacian` of an image that is 0 but at the lost pixels: (pixels, lost pixels)."""
    height, width = mask.shape
    rows, columns = np.nonzero(mask)
    lost = np.arange(len(rows))
    neighbors = np.zeros(len(rows))
    places, values, of = [], [], []
    for down, across in _STEPS:
        y, x = rows + down, columns + across
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        neighbors += inside
        places.append((y * width + x)[inside])
        values.append(np.ones(np.count_nonzero(inside)))
        of.append(lost[inside])
    index = np.concatenate([*places, rows * width + columns]), np.concatenate([*of, lost])
    entries = np.concatenate([*values, -neighbors])
    return sparse.csc_array((entries, index), shape=(mask.size, len(rows)))
