"""Every metric of the catalog against a judge that we did not write.

A new metric is tested by its entry alone, but for its judge, which `JUDGES` asks for.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, prewitt, sobel
from scipy.signal import correlate
from skimage.color import deltaE_ciede2000, rgb2lab, rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from skimage.restoration import estimate_sigma

from restorecli import evaluation
from restorecli.errors import DataError
from restorecli.evaluation import functional
from restorecli.evaluation.metrics.catalog import METRICS
from restorecli.evaluation.metrics.metric import Metric
from restorecli.testing.metrics import MASK, SIDE, blurred, noisy, scene, score

OFFLINE = [metric for metric in METRICS.values() if metric.offline]


def named(metrics: list[Metric]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("metric", metrics, ids=lambda metric: metric.name)


def luma_601(image: np.ndarray) -> np.ndarray:
    return np.tensordot([0.299, 0.587, 0.114], image.astype(float), axes=1)


def luma_matlab(image: np.ndarray) -> np.ndarray:
    return np.rint(rgb2ycbcr(image.transpose(1, 2, 0))[..., 0]).astype(np.uint8)


def skimage_ssim(restored: np.ndarray, reference: np.ndarray, **options) -> float | np.ndarray:
    return structural_similarity(
        restored, reference, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
        data_range=255, channel_axis=0 if reference.ndim == 3 else None, **options,
    )  # fmt: skip


def ssim_map(restored: np.ndarray, reference: np.ndarray, region: np.ndarray) -> float:
    inner = np.zeros_like(region)
    inner[5:-5, 5:-5] = region[5:-5, 5:-5]
    return skimage_ssim(restored, reference, full=True)[1][:, inner].mean()


def squared(restored: np.ndarray, reference: np.ndarray) -> np.ndarray:
    return (restored.astype(float) - reference) ** 2


def torchmetrics_ms_ssim(restored: np.ndarray, reference: np.ndarray) -> float:
    """Its windows are padded with zeros of a mirrored image: only close to ours, which is piq's."""
    import torch
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure as judge

    one, two = (torch.from_numpy(side[None].astype(np.float64) / 255) for side in (restored, reference))
    return float(judge(one, two, data_range=1.0))


def gradient_similarity(restored: np.ndarray, reference: np.ndarray) -> float:
    maps = []
    for side in (restored, reference):
        luma = np.rint(luma_601(side))
        halved = luma.reshape(SIDE // 2, 2, SIDE // 2, 2).mean(axis=(1, 3))
        maps.append(np.hypot(*(prewitt(halved, axis=axis, mode="constant") / 3 for axis in (0, 1))))
    return ((2 * maps[0] * maps[1] + 170) / (maps[0] ** 2 + maps[1] ** 2 + 170)).std(ddof=1)


def sobel_error(restored: np.ndarray, reference: np.ndarray) -> float:
    one, two = (
        np.hypot(*(sobel(luma_601(side), axis=axis) / 8 for axis in (0, 1)))[1:-1, 1:-1]
        for side in (restored, reference)
    )
    return 10 * math.log10(255**2 / ((one - two) ** 2).mean())


def color_difference(restored: np.ndarray, reference: np.ndarray) -> float:
    return deltaE_ciede2000(*(rgb2lab(side.transpose(1, 2, 0)) for side in (restored, reference))).mean()


def autocorrelation(restored: np.ndarray, reference: np.ndarray) -> float:
    residual = noisy(reference, 10, seed=5).astype(float) - restored
    residual -= residual.mean(axis=(1, 2), keepdims=True)
    lags = sum(correlate(plane, plane, mode="full", method="direct" if plane.size < 99 else "fft")
               for plane in residual)  # fmt: skip
    middle = SIDE - 1
    rho = lags[middle - 4 : middle + 5, middle - 4 : middle + 5] / lags[middle, middle]
    return 1 / np.square(rho).sum()


def least_squares(restored: np.ndarray, reference: np.ndarray) -> float:
    """NumPy's fit of the restored defect by the reference's, both against the mean of one ring around it."""
    from scipy.ndimage import distance_transform_edt

    distance = distance_transform_edt(~MASK)
    ring = (distance > 3) & (distance <= 12)
    one, two = (gaussian_filter(side.astype(float), (0, 1.5, 1.5)) for side in (restored, reference))
    r, s = ((side[:, MASK] - side[:, ring].mean(axis=1)[:, None]).ravel() for side in (one, two))
    return 100 * float(np.linalg.lstsq(s[:, None], r, rcond=None)[0][0])


def gradient_fit(restored: np.ndarray, reference: np.ndarray) -> float:
    from scipy.ndimage import distance_transform_edt

    near = distance_transform_edt(~MASK) <= 3
    one, two = (gaussian_filter(side.astype(float), (0, 1.5, 1.5)) for side in (restored, reference))
    h, g = (
        np.concatenate([np.gradient(side, axis=a)[:, near].ravel() for a in (1, 2)]) for side in (one, two)
    )
    return 100 * float(np.linalg.lstsq(g[:, None], h, rcond=None)[0][0])


def both_kept(restored: np.ndarray, reference: np.ndarray) -> float:
    kept = [100 - abs(100 - judge(restored, reference)) for judge in (least_squares, gradient_fit)]
    return math.sqrt(kept[0] * kept[1])


Judge = Callable[[np.ndarray, np.ndarray], float]
JUDGES: dict[str, tuple[Judge, float]] = {
    "psnr": (lambda x, y: peak_signal_noise_ratio(y, x, data_range=255), 1e-9),
    "ssim": (skimage_ssim, 1e-12),
    "ms-ssim": (torchmetrics_ms_ssim, 2e-3),
    "mae": (lambda x, y: np.abs(x.astype(int) - y).mean(), 1e-9),
    "mse": (lambda x, y: squared(x, y).mean(), 1e-9),
    "rmse": (lambda x, y: math.sqrt(squared(x, y).mean()), 1e-9),
    "psnr-y": (lambda x, y: peak_signal_noise_ratio(luma_matlab(y), luma_matlab(x), data_range=255), 1e-9),
    "ssim-y": (lambda x, y: skimage_ssim(luma_matlab(x), luma_matlab(y)), 1e-12),
    "gmsd": (gradient_similarity, 1e-4),
    "ciede2000": (color_difference, 1e-9),
    "edge-psnr": (sobel_error, 1e-9),
    "psnr-inside": (lambda x, y: 10 * math.log10(255**2 / squared(x, y)[:, MASK].mean()), 1e-9),
    "psnr-outside": (lambda x, y: 10 * math.log10(255**2 / squared(x, y)[:, ~MASK].mean()), 1e-9),
    "ssim-inside": (lambda x, y: ssim_map(x, y, MASK), 1e-9),
    "ssim-outside": (lambda x, y: ssim_map(x, y, ~MASK), 1e-9),
    "contrast-kept": (least_squares, 0.5),
    "edges-kept": (gradient_fit, 0.5),
    "defect-score": (both_kept, 0.5),
    "consistency": (lambda x, y: peak_signal_noise_ratio(noisy(y, 10, seed=5), x, data_range=255), 1e-5),
    "whiteness": (autocorrelation, 1e-9),
    "noise-level": (lambda x, y: estimate_sigma(x, channel_axis=0, average_sigmas=True), 0.3),
}
"""Another library's (or NumPy's) way to the same number, and how near it must come."""


@named(OFFLINE)
def test_the_judge_agrees(metric):
    reference = scene()
    restored = blurred(noisy(reference, 8), 0.8)
    assert metric.name in JUDGES, f"give {metric.name} a judge that was not written here, in JUDGES above"
    judge, tolerance = JUDGES[metric.name]
    assert score(metric.name, restored, reference) == pytest.approx(judge(restored, reference), abs=tolerance)


def test_every_metric_has_a_judge_and_a_plain_function():
    offline = {metric.name for metric in OFFLINE}
    assert set(JUDGES) == offline, (
        f"give {sorted(offline ^ set(JUDGES))} a judge that was not written here, in JUDGES above"
    )
    for name in METRICS:
        if name == "consistency":  # needs a function that degrades again: `functional.measure` takes it
            continue
        function = getattr(evaluation, name.replace("-", "_"), None)
        assert function is not None, (
            f"write {name} as a plain function in restorecli/evaluation/functional.py, "
            "and import it in restorecli/evaluation/__init__.py"
        )
        assert function is getattr(functional, name.replace("-", "_"))
        assert next(iter(inspect.signature(function).parameters)) == "restored"


@named([metric for metric in OFFLINE if metric.name != "consistency"])
def test_the_plain_function_is_the_metric(metric):
    reference = scene()
    restored = noisy(reference, 12)
    needs = {"reference": reference, "mask": MASK, "degraded": noisy(reference, 10, seed=5)}
    function = getattr(functional, metric.name.replace("-", "_"), None)
    assert function is not None, (
        f"write {metric.name} as a plain function in restorecli/evaluation/functional.py"
    )
    known = {name: value for name, value in needs.items() if name in inspect.signature(function).parameters}
    assert function(restored, **known) == score(metric.name, restored, reference)


@pytest.mark.parametrize(
    ("image", "words"),
    [
        (np.zeros((8, 8, 3), np.uint8), "not the shape"),
        (np.zeros((8, 8), np.int64), "type is not measured"),
        (np.full((8, 8), 200.0), "do not lie in"),
        (np.zeros((3, 0, 4), np.uint8), "not the shape"),
    ],
)
def test_what_is_no_image_is_refused_in_words(image, words):
    with pytest.raises(DataError, match=words):
        functional.psnr(image, image)
