"""Images of scientists are degraded in their own type and units; what lies beyond black and white stays."""

import numpy as np
import pytest
import tifffile
from scipy import ndimage

from restorecli.degradation.catalog import find
from restorecli.degradation.chain import Chain, image_rng, replay_steps
from restorecli.degradation.folder import degrade_folder
from restorecli.degradation.outside import replay_steps_beyond
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image

RNG = np.random.default_rng(0)


def degraded(tmp_path, samples, chain, **settings):
    (tmp_path / "in").mkdir(exist_ok=True)
    tifffile.imwrite(tmp_path / "in" / "a.tif", samples, metadata=None)
    summary = degrade_folder(tmp_path / "in", tmp_path / "out", chain, **settings)
    assert not summary.failures
    return tifffile.imread(tmp_path / "out" / "a.tif")


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [(np.int16, -1000, 3000), (np.float32, -300, 670), (np.uint16, 0, 4000), (np.uint32, 0, 90_000)],
)
def test_noise_is_in_units_of_the_scale(tmp_path, dtype, low, high):
    """sigma 25.5 of 255 is a tenth of what lies between black and white."""
    middle = (low + high) / 2
    samples = np.full((200, 200), middle, dtype)
    samples[0, 0], samples[0, 1] = low, high
    result = degraded(tmp_path, samples, Chain.from_specs([{"name": "gaussian", "sigma": 25.5}]))
    assert result.dtype == dtype
    scale = read_image(tmp_path / "in" / "a.tif").traits.value_scale
    assert (result - middle).std() == pytest.approx((scale.white - scale.black) / 10, rel=0.02)
    assert read_image(tmp_path / "out" / "a.tif").traits.value_scale.white == scale.white


def test_what_lies_beyond_a_given_range_comes_through(tmp_path):
    samples = RNG.integers(-1000, 3000, (60, 60)).astype(np.int16)
    chain = Chain.from_specs([{"name": "jpeg", "quality": 30}])
    result = degraded(tmp_path, samples, chain, reading=ReadOptions(range="0..1000"))
    beyond = (samples < 0) | (samples > 1000)
    assert (result[samples < 0] <= samples[samples < 0] + 1000).all()
    assert (result[samples > 1000] >= samples[samples > 1000] - 1000).all()
    assert np.corrcoef(result[beyond], samples[beyond])[0, 1] > 0.95


def test_a_blur_blurs_what_lies_beyond_as_well():
    image = RNG.normal(0.5, 2, (1, 40, 40)).astype(np.float32)
    step = find("gaussian-blur")(sigma=2.0)
    result = replay_steps_beyond(image, (step,), 0, "a")
    np.testing.assert_allclose(result, replay_steps(image, (step,), 0, "a"), atol=1e-5)
    np.testing.assert_allclose(result[0], ndimage.gaussian_filter(image[0], 2, mode="reflect"), atol=2e-2)


def test_what_is_destroyed_is_not_put_back():
    image = np.full((1, 64, 64), 5.0, np.float32)
    step = find("holes")()
    mask = step.mask((64, 64), image_rng(0, "a", "step", 0))
    assert mask.any()
    result = replay_steps_beyond(image, (step,), 0, "a")
    assert result[0][mask].max() <= 1
    assert result[0][~mask].min() == 5


def test_unclipped_floats_keep_the_units_and_say_their_scale(tmp_path):
    samples = RNG.integers(0, 4000, (60, 60)).astype(np.uint16)
    result = degraded(
        tmp_path, samples, Chain.from_specs([{"name": "gaussian", "sigma": 50.0}]), unclipped=True
    )
    assert result.dtype == np.float32
    assert result.min() < -100
    assert abs((result - samples).std() - 50 / 255 * 4095) < 30
    assert read_image(tmp_path / "out" / "a.tif").traits.value_scale.white == 4095
