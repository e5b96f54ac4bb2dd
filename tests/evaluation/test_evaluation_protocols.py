"""Every protocol against the library that it is named after, against closed forms and laws."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from skimage.color import rgb2ycbcr
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from restorecli.errors import DataError, UsageError
from restorecli.evaluation.metrics.color import ciede2000, luma_matlab, luma_matlab_rounded, luma_pyiqa
from restorecli.evaluation.metrics.protocol import NO_CROP, PROTOCOLS, find_protocol

C1 = (0.01 * 255) ** 2

# What metrics.json calls a value, the protocol that must give it, the metric, and how near. torchmetrics and
# piq computed SSIM in single precision, which scatters by 2e-5; below they are judged in double precision.
JUDGES = (
    ("pyiqa.psnry", "y-yiq", "psnr", 1e-4),
    ("pyiqa.ssim", "y-yiq", "ssim", 1e-6),
    ("pyiqa.ms_ssim", "y-yiq", "ms-ssim", 1e-6),
    ("pyiqa.gmsd", "y-yiq", "gmsd", 1e-6),
    ("torchmetrics.peak_signal_noise_ratio(data_range=1)", "torchmetrics", "psnr", 1e-4),
    ("torchmetrics.structural_similarity_index_measure(data_range=1)", "torchmetrics", "ssim", 3e-5),
    (
        "torchmetrics.multiscale_structural_similarity_index_measure(data_range=1)",
        "torchmetrics",
        "ms-ssim",
        1e-6,
    ),
    ("piq.psnr", "piq", "psnr", 1e-4),
    ("piq.ssim(downsample=True)", "piq", "ssim", 3e-5),
    ("piq.multi_scale_ssim", "piq", "ms-ssim", 1e-5),
    ("piq.gmsd", "piq", "gmsd", 1e-6),
    ("skimage.peak_signal_noise_ratio", "skimage-default", "psnr", 1e-4),
    ("skimage.structural_similarity(default)", "skimage-default", "ssim", 1e-6),
    ("skimage.peak_signal_noise_ratio", "scikit-matlab", "psnr", 1e-4),
    (
        "skimage.structural_similarity(gaussian_weights,sigma=1.5,use_sample_covariance=False)",
        "scikit-matlab",
        "ssim",
        1e-6,
    ),
    ("kair.calculate_psnr", "kair", "psnr", 1e-4),
    ("kair.calculate_ssim", "kair", "ssim", 1e-6),
    ("kair.calculate_ssim(rgb2ycbcr)", "kair-y", "ssim", 1e-6),
    ("kair.calculate_ssim(rgb2ycbcr)", "y-matlab", "ssim", 1e-6),
    *(
        (f"basicsr.calculate_{metric}(crop_border={crop},test_y_channel={on_y})", name, metric, near)
        for metric, near in (("psnr", 1e-4), ("ssim", 1e-6))
        for crop, on_y, name in (
            (0, False, "basicsr"),
            (4, False, "basicsr:4"),
            (0, True, "basicsr-y"),
            (4, True, "basicsr-y:4"),
        )
    ),
)

protocols = st.sampled_from(list(PROTOCOLS))
seeds = st.integers(0, 2**32 - 1)
shapes = st.tuples(st.sampled_from([1, 3]), st.integers(11, 40), st.integers(11, 40))


def measure(name: str, metric: str, restored: np.ndarray, reference: np.ndarray) -> float:
    protocol = find_protocol(name)
    return protocol.scorers[metric](protocol.levels(restored), protocol.levels(reference))


def mosaic(seed: int = 7) -> tuple[np.ndarray, np.ndarray]:
    """A noisy image of flat squares, with odd sides, and the clean one: (3, 389, 403) uint8."""
    rng = np.random.default_rng(seed)
    squares = np.kron(rng.integers(0, 256, (3, 20, 21)), np.ones((1, 20, 20), int))
    reference = squares[:, :389, :403].astype(np.uint8)
    noisy = reference + rng.normal(0, 20, reference.shape)
    return np.clip(noisy, 0, 255).round().astype(np.uint8), reference


def random_pair(shape: tuple[int, int, int], seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    reference = rng.random(shape, np.float32)
    noisy = reference + rng.normal(0, rng.uniform(0.01, 0.4), shape)
    return np.clip(noisy, 0, 1).astype(np.float32), reference


@pytest.mark.data
@pytest.mark.slow
def test_each_gives_what_its_library_returned_for_photographs(reference_folder: Path):
    """For every second pair of the twenty."""
    table = json.loads((reference_folder / "metrics.json").read_text())
    wrong = []
    for entry in table["pairs"][::2]:
        pair = [
            np.asarray(Image.open(reference_folder.parent / entry[side])).transpose(2, 0, 1)
            for side in ("restored", "reference")
        ]
        for key, name, metric, near in JUDGES:
            found = measure(name, metric, *pair)
            if abs(found - entry["values"][key]) > near:
                wrong.append((entry["restored"], key, name, found, entry["values"][key]))
        delta = entry["values"]["skimage.deltaE_ciede2000.mean"]
        assert ciede2000(*pair) == pytest.approx(delta, abs=1e-9)
    assert not wrong
    assert len(table["pairs"]) == 20


def test_every_protocol_is_judged():
    """Of 8 bits, `unrounded` is `rgb`; of 16 scikit-image judges it in tests/api/test_api_images.py."""
    judged = {name.partition(":")[0] for _, name, _, _ in JUDGES}
    assert judged == PROTOCOLS.keys() - {"rgb", "unrounded"}


@given(shapes, seeds)
@settings(max_examples=20, deadline=None)
def test_the_two_of_scikit_image_agree_with_it_live(shape, seed):
    one, two = (np.rint(side * 255).astype(np.uint8) for side in random_pair(shape, seed))
    wanted = structural_similarity(one, two, data_range=255, channel_axis=0)
    assert measure("skimage-default", "ssim", one, two) == pytest.approx(wanted, abs=1e-12)
    wanted = structural_similarity(
        one,
        two,
        data_range=255,
        channel_axis=0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert measure("scikit-matlab", "ssim", one, two) == pytest.approx(wanted, abs=1e-12)
    assert measure("skimage-default", "psnr", one, two) == pytest.approx(
        peak_signal_noise_ratio(two, one, data_range=255), abs=1e-10
    )


@pytest.mark.parametrize("shape", [(3, 60, 71), (1, 11, 40)])
def test_torchmetrics_agrees_live_in_double_precision(shape):
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.functional.image")
    pair = random_pair(shape, 3)
    batch = [torch.from_numpy(side.astype(np.float64))[None] for side in pair]
    assert measure("torchmetrics", "ssim", *pair) == pytest.approx(
        float(image.structural_similarity_index_measure(*batch, data_range=1.0)), abs=1e-9
    )
    assert measure("torchmetrics", "psnr", *pair) == pytest.approx(
        float(image.peak_signal_noise_ratio(*batch, data_range=1.0)), abs=1e-5
    )


def test_torchmetrics_agrees_live_at_several_scales():
    torch = pytest.importorskip("torch")
    image = pytest.importorskip("torchmetrics.functional.image")
    pair = mosaic()
    batch = [torch.from_numpy(side / 255.0)[None] for side in pair]
    wanted = image.multiscale_structural_similarity_index_measure(*batch, data_range=1.0)
    assert measure("torchmetrics", "ms-ssim", *pair) == pytest.approx(float(wanted), abs=1e-8)


@pytest.mark.parametrize(
    ("metric", "wanted"),
    [
        # piq 0.8.0 on `mosaic()` as float64 in [0, 1]: psnr, ssim, multi_scale_ssim, gmsd with their defaults
        ("psnr", 22.486603916918597),
        ("ssim", 0.8608297459221385),
        ("ms-ssim", 0.9191403538164362),
        ("gmsd", 0.1530309760237874),
    ],
)
def test_piq_agrees_where_it_scales_down(metric, wanted):
    assert measure("piq", metric, *mosaic()) == pytest.approx(wanted, abs=1e-9)


@given(protocols, shapes, seeds)
@settings(max_examples=60, deadline=None)
def test_both_scores_are_symmetric_and_bounded(name, shape, seed):
    restored, reference = random_pair(shape, seed)
    psnr = measure(name, "psnr", restored, reference)
    ssim = measure(name, "ssim", restored, reference)
    assert psnr == pytest.approx(measure(name, "psnr", reference, restored), abs=1e-9)
    assert ssim == pytest.approx(measure(name, "ssim", reference, restored), abs=1e-12)
    assert psnr > 0
    assert -1 <= ssim <= 1


@given(protocols, shapes, seeds)
@settings(max_examples=40, deadline=None)
def test_an_image_equals_itself(name, shape, seed):
    image, _ = random_pair(shape, seed)
    floor = 80 if name in ("y-yiq", "piq") else math.inf  # these two add 1e-8 to the MSE
    assert measure(name, "psnr", image, image.copy()) == pytest.approx(floor)
    assert measure(name, "ssim", image, image.copy()) == pytest.approx(1, abs=1e-12)
    assert measure(name, "mae", image, image.copy()) == 0


@given(protocols, shapes, seeds)
@settings(max_examples=40, deadline=None)
def test_a_shift_by_one_level_costs_48_13_db_on_rgb(name, shape, seed):
    reference = np.random.default_rng(seed).integers(0, 255, shape).astype(np.uint8)
    found = measure(name, "psnr", reference + np.uint8(1), reference)
    compressed = 20 * math.log10(255 / 219)  # MATLAB's Y makes 219/255 of one level
    if shape[0] == 3 and name == "basicsr-y":
        assert found == pytest.approx(48.1308 + compressed, abs=1e-4)
    elif shape[0] == 3 and name in ("y-matlab", "kair-y"):  # rounding makes 0 or 1 of it
        assert found == pytest.approx(48.1308 + compressed / 2, abs=0.6)
    else:
        assert found == pytest.approx(48.1308, abs=5e-3)


@given(protocols, st.integers(0, 255), st.integers(0, 255))
@settings(max_examples=60, deadline=None)
def test_two_gray_constants_have_the_closed_form(name, a, b):
    one, two = np.full((1, 20, 24), a, np.uint8), np.full((1, 20, 24), b, np.uint8)
    wanted = (2 * a * b + C1) / (a * a + b * b + C1)
    assert measure(name, "ssim", one, two) == pytest.approx(wanted, abs=1e-9)
    mse = (a - b) ** 2 / 255**2 + (1e-8 if name in ("y-yiq", "piq") else 0)
    wanted = -10 * math.log10(mse) if mse else math.inf
    assert measure(name, "psnr", one, two) == pytest.approx(wanted, abs=1e-9)


def test_white_is_235_and_black_is_16_for_matlab_and_the_whole_range_for_yiq():
    for level, matlab, yiq in ((255, 235, 255), (0, 16, 0)):
        flat = np.full((3, 2, 2), level, np.uint8)
        assert luma_matlab(flat) == pytest.approx(matlab, abs=1e-12)
        assert (luma_matlab_rounded(flat) == matlab).all()
        assert luma_pyiqa(flat) == pytest.approx(yiq, abs=1e-4)


def test_matlabs_luma_is_that_of_scikit_image():
    levels = np.random.default_rng(0).integers(0, 256, (3, 30, 30), dtype=np.uint8)
    assert luma_matlab(levels)[0] == pytest.approx(rgb2ycbcr(levels, channel_axis=0)[0], abs=1e-9)


def test_only_those_that_round_ignore_less_than_half_a_level():
    reference = np.full((3, 16, 16), 100 / 255, np.float32)
    restored = reference + np.float32(0.4 / 255)
    infinite = {name for name in PROTOCOLS if math.isinf(measure(name, "psnr", restored, reference))}
    assert infinite == {name for name, protocol in PROTOCOLS.items() if protocol.rounds}
    assert measure("torchmetrics", "psnr", restored, reference) == pytest.approx(
        20 * math.log10(255 / 0.4), abs=1e-3
    )


@given(st.sampled_from(["rgb", "basicsr", "basicsr-y", "torchmetrics"]), st.integers(1, 6), seeds)
@settings(max_examples=20, deadline=None)
def test_a_border_crop_is_the_same_as_cutting_the_files(name, crop, seed):
    pair = random_pair((3, 30, 33), seed)
    cut = [side[:, crop:-crop, crop:-crop] for side in pair]
    for metric in ("psnr", "ssim"):
        assert measure(f"{name}:{crop}", metric, *pair) == measure(name, metric, *cut)


def test_a_crop_stands_in_the_name_and_the_line():
    cropped = find_protocol("basicsr-y:4")
    assert (cropped.name, cropped.crop) == ("basicsr-y:4", 4)
    assert "border crop of 4 pixels" in cropped.line
    assert NO_CROP not in cropped.line
    assert find_protocol("rgb:0") is PROTOCOLS["rgb"]


@pytest.mark.parametrize("name", ["rbg", "basicsr:", "basicsr:-1", "basicsr:4px", "basicsr:٤", ""])
def test_an_unknown_protocol_is_refused(name):
    with pytest.raises(UsageError) as caught:
        find_protocol(name)
    assert repr(name) in str(caught.value)


def test_the_nearest_name_is_offered():
    with pytest.raises(UsageError, match="did you mean 'kair'"):
        find_protocol("kiar")


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda protocol: protocol.name)
def test_a_line_says_everything(protocol):
    for word in (
        NO_CROP,
        "SSIM",
        "window" if "7x7" in protocol.line else "Gaussian",
        "variance",
        "area",
        "range",
    ):
        assert word in protocol.line
    assert ("Y of" in protocol.line) != ("RGB" in protocol.line.partition(",")[0])
    assert ("8-bit rounding" in protocol.line) == protocol.rounds
    assert protocol.line.endswith("per image then averaged")
    assert "\n" not in protocol.line


def test_a_crop_that_leaves_nothing_is_refused():
    with pytest.raises(DataError, match="above 20 pixels"):
        find_protocol("rgb:10").levels(np.zeros((3, 20, 40), np.uint8))


@pytest.mark.parametrize("name", PROTOCOLS)
def test_ssim_refuses_what_is_smaller_than_its_window(name):
    small = np.zeros((3, 6, 30), np.uint8)
    with pytest.raises(DataError, match="at least"):
        measure(name, "ssim", small, small)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_values_that_are_not_finite_are_refused(name):
    with pytest.raises(DataError, match="not finite"):
        find_protocol(name).levels(np.full((1, 12, 12), np.nan, np.float32))
