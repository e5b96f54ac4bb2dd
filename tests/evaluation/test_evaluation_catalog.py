"""The metrics of the catalog beside PSNR and SSIM: other libraries, closed forms, laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import prewitt, sobel
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import mean_squared_error, normalized_root_mse

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.catalog import DEFAULT, METRICS, find_metrics
from restorecli.evaluation.metrics.metric import Subject, protocol_line
from restorecli.evaluation.metrics.protocol import PROTOCOLS, find_protocol
from restorecli.evaluation.metrics.psnr_ssim import PROTOCOL
from restorecli.evaluation.metrics.structure import MIN_SIDE

PLAIN = ("psnr", "ssim", "mae", "mse", "rmse", "psnr-y", "ssim-y", "gmsd", "ciede2000", "edge-psnr")

plain = st.sampled_from(PLAIN)
shapes = st.tuples(st.sampled_from([1, 3]), st.integers(11, 32), st.integers(11, 32))
seeds = st.integers(0, 2**32 - 1)


def measure(name: str, restored: np.ndarray, reference: np.ndarray, protocol: str = "rgb") -> float:
    return METRICS[name].function(Subject(restored, reference, protocol=find_protocol(protocol)))


def eight_bit_pair(shape: tuple[int, int, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 256, shape)
    restored = np.clip(reference + rng.integers(-40, 41, shape), 0, 255)
    return restored.astype(np.uint8), reference.astype(np.uint8)


@given(plain, shapes, seeds)
@settings(max_examples=60, deadline=None)
def test_all_are_symmetric_and_finite(name, shape, seed):
    restored, reference = eight_bit_pair(shape, seed)
    score = measure(name, restored, reference)
    assert math.isfinite(score)
    assert score == pytest.approx(measure(name, reference, restored), rel=1e-6)
    assert score >= (-1 if name.startswith("ssim") else 0)


@given(shapes, seeds)
@settings(max_examples=20, deadline=None)
def test_the_errors_agree_with_scikit_image(shape, seed):
    restored, reference = eight_bit_pair(shape, seed)
    mse = mean_squared_error(reference.astype(float), restored.astype(float))
    assert measure("mse", restored, reference) == pytest.approx(mse, rel=1e-12)
    spread = float(reference.max()) - float(reference.min())
    nrmse = normalized_root_mse(reference.astype(float), restored.astype(float), normalization="min-max")
    assert measure("rmse", restored, reference) == pytest.approx(nrmse * spread, rel=1e-12)
    mae = np.abs(restored.astype(int) - reference.astype(int)).mean()
    assert measure("mae", restored, reference) == pytest.approx(mae, rel=1e-12)


def test_psnr_of_an_mse_is_the_psnr():
    restored, reference = eight_bit_pair((3, 40, 50))
    for protocol in ("rgb", "y-matlab", "basicsr-y:4", "torchmetrics"):
        mse = measure("mse", restored, reference, protocol)
        assert measure("psnr", restored, reference, protocol) == pytest.approx(
            10 * math.log10(255**2 / mse), abs=1e-10
        )


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_ciede2000_agrees_with_scikit_image_for_the_whole_image(seed):
    restored, reference = eight_bit_pair((3, 70, 20), seed)
    labs = [rgb2lab(side.transpose(1, 2, 0)) for side in (restored, reference)]
    wanted = deltaE_ciede2000(*labs).mean()
    assert measure("ciede2000", restored, reference) == pytest.approx(wanted, abs=1e-9)


def test_black_differs_from_white_by_100_in_gray_and_in_color():
    for channels in (1, 3):
        black, white = (np.full((channels, 4, 4), level, np.uint8) for level in (0, 255))
        assert measure("ciede2000", black, white) == pytest.approx(100, abs=1e-3)


def test_edge_psnr_agrees_with_scipys_sobel():
    restored, reference = eight_bit_pair((1, 30, 40))
    maps = [
        np.hypot(*(sobel(side[0].astype(float), axis=axis) / 8 for axis in (0, 1)))[1:-1, 1:-1]
        for side in (restored, reference)
    ]
    wanted = 10 * math.log10(255**2 / ((maps[0] - maps[1]) ** 2).mean())
    assert measure("edge-psnr", restored, reference) == pytest.approx(wanted, abs=1e-9)


def test_edge_psnr_sees_no_shift_and_a_lost_step_by_its_height():
    step = np.zeros((1, 20, 20), np.uint8)
    step[:, :, 10:] = 80
    assert measure("edge-psnr", step + np.uint8(30), step) == math.inf
    # A step of 80 has a slope of 40 in two of the eighteen inner columns.
    wanted = 10 * math.log10(255**2 / (40**2 * 2 / 18))
    assert measure("edge-psnr", np.zeros_like(step), step) == pytest.approx(wanted, abs=1e-9)


def test_gmsd_agrees_with_scipys_prewitt():
    restored, reference = eight_bit_pair((1, 31, 40))
    maps = []
    for side in (restored, reference):
        halved = side[0, :30].reshape(15, 2, 20, 2).mean(axis=(1, 3))
        maps.append(np.hypot(*(prewitt(halved, axis=axis, mode="constant") / 3 for axis in (0, 1))))
    similarity = (2 * maps[0] * maps[1] + 170) / (maps[0] ** 2 + maps[1] ** 2 + 170)
    assert measure("gmsd", restored, reference) == pytest.approx(similarity.std(ddof=1), abs=1e-12)


def test_luma_metrics_are_those_of_the_luma_images():
    restored, reference = eight_bit_pair((3, 30, 40))
    assert measure("psnr-y", restored, reference) == measure("psnr", restored, reference, "y-matlab")
    assert measure("ssim-y", restored, reference) == measure("ssim", restored, reference, "y-matlab")
    gray = restored[:1], reference[:1]
    assert measure("psnr-y", *gray) == measure("psnr", *gray)


def test_ms_ssim_is_one_for_equal_images_and_refuses_small_ones():
    image, _ = eight_bit_pair((1, MIN_SIDE, MIN_SIDE))
    assert measure("ms-ssim", image, image.copy()) == pytest.approx(1, abs=1e-12)
    small = image[:, :-1]
    with pytest.raises(DataError, match="at least 161"):
        measure("ms-ssim", small, small)


def test_ms_ssim_of_two_constants_is_the_luminance_of_the_coarsest_scale():
    one, two = np.full((3, 176, 176), 90, np.uint8), np.full((3, 176, 176), 120, np.uint8)
    c1 = (0.01 * 255) ** 2
    luminance = (2 * 90 * 120 + c1) / (90**2 + 120**2 + c1)
    assert measure("ms-ssim", one, two) == pytest.approx(luminance**0.1333, abs=1e-12)


@pytest.mark.parametrize("name", ["gmsd", "edge-psnr", "ssim", "ssim-y", "ms-ssim"])
def test_an_image_that_is_too_small_is_undefined(name):
    tiny = np.zeros((3, 2, 2), np.uint8)
    with pytest.raises(DataError, match="at least"):
        measure(name, tiny, tiny)


@pytest.mark.parametrize("name", PLAIN)
@pytest.mark.parametrize("shape", [(3, 20, 21), (1, 20, 20)])
def test_different_shapes_are_refused(name, shape):
    with pytest.raises(DataError, match="different shape"):
        measure(name, np.zeros(shape, np.uint8), np.zeros((3, 20, 20), np.uint8))


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_entry_says_what_it_is(metric):
    assert METRICS[metric.name] is metric
    assert metric.name == metric.name.lower()
    assert metric.title
    assert metric.decimals >= 0
    assert len(metric.definition) > 20
    assert "\n" not in metric.definition


def test_the_non_commercial_ones_say_so_and_none_of_the_online_ones_is_a_default():
    online = {name for name, metric in METRICS.items() if not metric.offline}
    assert online == {"lpips", "dists", "niqe", "musiq"}
    assert all("non-commercial" in METRICS[name].definition for name in ("niqe", "musiq"))
    assert not online & set(DEFAULT)


def test_metrics_are_found_in_the_given_order_and_once():
    assert [metric.name for metric in find_metrics(["ssim", "psnr", "ssim"])] == ["ssim", "psnr"]
    with pytest.raises(UsageError, match="did you mean 'gmsd'"):
        find_metrics(["psnr", "gsmd"])


def test_the_line_names_what_the_protocol_does_not_define():
    rgb = PROTOCOLS["rgb"]
    assert protocol_line(rgb, find_metrics(["psnr", "ssim", "mae"])) == PROTOCOL
    line = protocol_line(rgb, find_metrics(["psnr", "gmsd", "ciede2000"]))
    assert line == f"{PROTOCOL}; by their own definition: GMSD, CIEDE2000"
    assert protocol_line(PROTOCOLS["piq"], find_metrics(["gmsd", "ms-ssim"])) == PROTOCOLS["piq"].line
