"""The metrics as plain functions of arrays, each by its own definition and without a folder or a file.

Every function takes (C, H, W) or (H, W), C = 1 or 3 in RGB: uint8, or floats in [0, 1], which are rounded to
8 bits as the metric's definition asks. The restored image comes first. Whatever is not defined, e.g. SSIM of
an image smaller than its window, is a DataError. `restorecli.score` takes PIL images, (H, W, C) arrays and
tensors too.

Example:
    >>> import numpy as np
    >>> reference = np.tile(np.arange(64, dtype=np.uint8), (3, 64, 1)) * 3
    >>> noise = np.random.default_rng(0).integers(-9, 10, reference.shape)
    >>> restored = np.clip(reference + noise, 0, 255).astype(np.uint8)
    >>> round(psnr(restored, reference)), round(ssim(restored, reference), 1)
    (33, 0.8)
    >>> ssim(reference, reference)
    1.0
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from restorecli.errors import DataError
from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.evaluation.metrics.metric import Mask, Subject
from restorecli.evaluation.metrics.protocol import find_protocol

Image = NDArray[Any]
"""(C, H, W) or (H, W), C = 1 or 3; uint8, or floats in [0, 1]."""

_MAX_FLOAT = 8.0  # noise leaves [0, 1], but not by so much: such values are levels of 0 to 255


def measure(
    name: str,
    restored: Image,
    reference: Image | None = None,
    *,
    mask: Mask | None = None,
    degraded: Image | None = None,
    redegraded: Callable[[], NDArray[np.float32]] | None = None,
    protocol: str = "rgb",
) -> float:
    """Return one metric of one image.

    Args:
        name: Of the catalog, e.g. "gmsd".
        restored: The image to be measured.
        reference: The clean image in the same shape, for the metrics that compare.
        mask: (H, W), True where the defect is, for the metrics of defects.
        degraded: What was restored, for "whiteness" and "consistency".
        redegraded: Degrades `restored` again, for "consistency".
        protocol: What PSNR, SSIM and the others that it defines compare, e.g. "y-matlab" or "basicsr:4".

    Returns:
        The score, on the scale that the catalog names.

    Raises:
        UsageError: There is no such metric or protocol.
        DataError: The metric is not defined for these images, one that it needs is missing, or the values
            are no image.

    Example:
        >>> import numpy as np
        >>> gray = np.full((32, 32), 0.5)
        >>> measure("mae", gray + 0.1, gray)
        25.0
    """
    metric = METRICS.find(name)
    subject = Subject(
        _read(restored),
        None if reference is None else _read(reference),
        protocol=find_protocol(protocol),
        degraded=None if degraded is None else _read(degraded),
        mask=mask,
        redegraded=redegraded,
    )
    lacking = sorted(metric.needs - subject.known)
    if lacking:
        raise DataError(
            f"{metric.title} cannot be computed without more.",
            expected=" and ".join(f"a {need} image" if need != "mask" else "a mask" for need in lacking),
            got="none",
        )
    return float(metric.function(subject))


def psnr(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """Peak signal-to-noise ratio in decibels, higher is better; infinity for equal images.

    Example:
        >>> import numpy as np
        >>> black, gray = np.zeros((8, 8), np.uint8), np.full((8, 8), 51, np.uint8)
        >>> round(psnr(gray, black), 2)  # 20 log10(255 / 51)
        13.98
    """
    return measure("psnr", restored, reference, protocol=protocol)


def ssim(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """Structural similarity in [-1, 1], higher is better: Wang et al., IEEE TIP 2004. Sides from 11 pixels.

    Example:
        >>> import numpy as np
        >>> image = np.random.default_rng(0).random((3, 16, 16))
        >>> ssim(image, image), ssim(1 - image, image) < 0
        (1.0, True)
    """
    return measure("ssim", restored, reference, protocol=protocol)


def ms_ssim(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """SSIM at five scales in [0, 1], higher is better: Wang et al., Asilomar 2003. Sides from 161 pixels.

    Example:
        >>> import numpy as np
        >>> image = np.random.default_rng(0).random((161, 161))
        >>> ms_ssim(image, image)
        1.0
    """
    return measure("ms-ssim", restored, reference, protocol=protocol)


def mae(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """Mean absolute error in levels of 0-255, lower is better.

    Example:
        >>> import numpy as np
        >>> mae(np.full((4, 4), 12, np.uint8), np.full((4, 4), 10, np.uint8))
        2.0
    """
    return measure("mae", restored, reference, protocol=protocol)


def mse(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """Mean squared error in squared levels of 0-255, lower is better.

    Example:
        >>> import numpy as np
        >>> mse(np.full((4, 4), 12, np.uint8), np.full((4, 4), 10, np.uint8))
        4.0
    """
    return measure("mse", restored, reference, protocol=protocol)


def rmse(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """Root of the mean squared error in levels of 0-255, lower is better.

    Example:
        >>> import numpy as np
        >>> rmse(np.full((4, 4), 12, np.uint8), np.full((4, 4), 10, np.uint8))
        2.0
    """
    return measure("rmse", restored, reference, protocol=protocol)


def psnr_y(restored: Image, reference: Image) -> float:
    """PSNR in decibels of the luma of MATLAB's rgb2ycbcr (16 to 235), rounded; higher is better.

    Example:
        >>> import numpy as np
        >>> black, white = (np.full((3, 4, 4), level, np.uint8) for level in (0, 255))
        >>> round(psnr_y(white, black), 3)  # 20 log10(255 / 219)
        1.322
    """
    return measure("psnr-y", restored, reference)


def ssim_y(restored: Image, reference: Image) -> float:
    """SSIM of the luma of MATLAB's rgb2ycbcr (16 to 235), rounded; higher is better.

    Example:
        >>> import numpy as np
        >>> image = np.random.default_rng(0).random((3, 16, 16))
        >>> ssim_y(image, image)
        1.0
    """
    return measure("ssim-y", restored, reference)


def gmsd(restored: Image, reference: Image, *, protocol: str = "rgb") -> float:
    """Gradient magnitude similarity deviation, 0 for equal images: Xue et al., IEEE TIP 2014.

    Example:
        >>> import numpy as np
        >>> image = np.random.default_rng(0).random((3, 16, 16))
        >>> gmsd(image, image)
        0.0
    """
    return measure("gmsd", restored, reference, protocol=protocol)


def ciede2000(restored: Image, reference: Image) -> float:
    """Mean color difference CIEDE2000, lower is better; about 1 is just visible. Sharma et al., 2005.

    Example:
        >>> import numpy as np
        >>> black, white = (np.full((3, 4, 4), level, np.uint8) for level in (0, 255))
        >>> round(ciede2000(white, black), 2)
        100.0
    """
    return measure("ciede2000", restored, reference)


def edge_psnr(restored: Image, reference: Image) -> float:
    """PSNR in decibels of the magnitudes of the Sobel gradients of the luma; higher is better.

    Example:
        >>> import numpy as np
        >>> image = np.tile(np.arange(16, dtype=np.uint8), (16, 1))
        >>> edge_psnr(image + 10, image)  # a shift of all levels changes no edge
        inf
    """
    return measure("edge-psnr", restored, reference)


def lpips(restored: Image, reference: Image) -> float:
    """LPIPS with AlexNet features, 0 for equal images: Zhang et al., CVPR 2018. Extra `perceptual`."""
    return measure("lpips", restored, reference)


def dists(restored: Image, reference: Image) -> float:
    """DISTS, 0 for equal images: Ding et al., IEEE TPAMI 2020. Extra `perceptual`."""
    return measure("dists", restored, reference)


def niqe(restored: Image) -> float:
    """NIQE of the image alone, lower is better: Mittal et al., SPL 2013. Needs pyiqa (non-commercial)."""
    return measure("niqe", restored)


def musiq(restored: Image) -> float:
    """MUSIQ of the image alone, up to 100: Ke et al., ICCV 2021. Needs pyiqa (non-commercial)."""
    return measure("musiq", restored)


def psnr_inside(restored: Image, reference: Image, mask: Mask) -> float:
    """PSNR in decibels over the pixels of a defect, divided by their number; higher is better.

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((8, 8), np.uint8)
        >>> mask = np.eye(8, dtype=bool)
        >>> round(psnr_inside(np.where(mask, np.uint8(51), np.uint8(0)), reference, mask), 2)
        13.98
    """
    return measure("psnr-inside", restored, reference, mask=mask)


def psnr_outside(restored: Image, reference: Image, mask: Mask) -> float:
    """PSNR in decibels over the pixels that are not in the mask, divided by their number.

    Example:
        >>> import numpy as np
        >>> reference = np.zeros((8, 8), np.uint8)
        >>> mask = np.eye(8, dtype=bool)
        >>> psnr_outside(np.where(mask, np.uint8(51), np.uint8(0)), reference, mask)
        inf
    """
    return measure("psnr-outside", restored, reference, mask=mask)


def ssim_inside(restored: Image, reference: Image, mask: Mask) -> float:
    """Mean of the SSIM map over the pixels of a defect, in [-1, 1].

    Example:
        >>> import numpy as np
        >>> image = np.random.default_rng(0).random((16, 16))
        >>> ssim_inside(image, image, np.eye(16, dtype=bool))
        1.0
    """
    return measure("ssim-inside", restored, reference, mask=mask)


def ssim_outside(restored: Image, reference: Image, mask: Mask) -> float:
    """Mean of the SSIM map over the pixels that are not in the mask, in [-1, 1].

    Example:
        >>> import numpy as np
        >>> image = np.random.default_rng(0).random((16, 16))
        >>> ssim_outside(image, image, np.eye(16, dtype=bool))
        1.0
    """
    return measure("ssim-outside", restored, reference, mask=mask)


def contrast_kept(restored: Image, reference: Image, mask: Mask) -> float:
    """How much of a defect's contrast is kept, in percent; see `metrics.defects.contrast_kept`.

    Example:
        >>> import numpy as np
        >>> mask = np.zeros((64, 64), bool)
        >>> mask[28:36, 28:36] = True
        >>> reference = np.where(mask, 200, 100).astype(np.uint8)
        >>> round(contrast_kept(np.where(mask, 150, 100).astype(np.uint8), reference, mask))
        50
    """
    return measure("contrast-kept", restored, reference, mask=mask)


def edges_kept(restored: Image, reference: Image, mask: Mask) -> float:
    """How much of a defect's edges is kept, in percent; see `metrics.defects.edges_kept`.

    Example:
        >>> import numpy as np
        >>> mask = np.zeros((64, 64), bool)
        >>> mask[28:36, 28:36] = True
        >>> reference = np.where(mask, 200, 100).astype(np.uint8)
        >>> round(edges_kept(np.where(mask, 150, 100).astype(np.uint8), reference, mask))
        50
    """
    return measure("edges-kept", restored, reference, mask=mask)


def defect_score(restored: Image, reference: Image, mask: Mask) -> float:
    """How well a defect is preserved, 0 (washed out) to 100; see `metrics.defects.defect_score`.

    Example:
        >>> import numpy as np
        >>> mask = np.zeros((64, 64), bool)
        >>> mask[28:36, 28:36] = True
        >>> reference = np.where(mask, 200, 100).astype(np.uint8)
        >>> round(defect_score(reference, reference, mask))
        100
    """
    return measure("defect-score", restored, reference, mask=mask)


def whiteness(restored: Image, degraded: Image) -> float:
    """How white the residual degraded - restored is, in (0, 1]; see `metrics.residual.residual_whiteness`.

    Example:
        >>> import numpy as np
        >>> clean = np.full((64, 64), 0.5)
        >>> noisy = clean + np.random.default_rng(0).normal(0, 0.1, clean.shape)
        >>> whiteness(clean, noisy) > 0.95
        True
    """
    return measure("whiteness", restored, degraded=degraded)


def noise_level(restored: Image) -> float:
    """Estimated standard deviation of the noise in an image, in levels of 0-255.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).normal(0, 25 / 255, (256, 256))
        >>> 24 < noise_level(0.5 + noise) < 26
        True
    """
    return measure("noise-level", restored)


def _read(image: Image) -> NDArray[np.uint8] | NDArray[np.float32]:
    """Return (C, H, W), uint8 or float32, or say what is wrong with it."""
    pixels = np.asarray(image)
    planes = pixels[np.newaxis] if pixels.ndim == 2 else pixels
    if planes.ndim != 3 or planes.shape[0] not in (1, 3) or planes.size == 0:
        raise DataError(
            "This is not the shape of an image.",
            expected="(H, W), or (C, H, W) with 1 or 3 channels",
            got=str(pixels.shape),
            hint="image.transpose(2, 0, 1) for (H, W, C); restorecli.score takes both",
        )
    if planes.dtype == np.uint8:
        return planes
    if not np.issubdtype(planes.dtype, np.floating):
        raise DataError("An image of this type is not measured.", expected="uint8 or floats in [0, 1]",
                        got=str(planes.dtype))  # fmt: skip
    if float(np.nanmax(np.abs(planes))) > _MAX_FLOAT:
        raise DataError(
            "The values of this image do not lie in [0, 1].",
            expected="floats in [0, 1], or uint8",
            got=f"up to {float(np.nanmax(np.abs(planes))):.4g}",
            hint="divide levels of 0 to 255 by 255",
        )
    return planes.astype(np.float32)
