"""Self-supervised denoising: left-out pixels know nothing of themselves, and the loss is the true one."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.restoration import calibrate_denoiser

from restorecli.folders.samples import read_sample
from restorecli.restoration.context import Context
from restorecli.restoration.methods.per_image.j_invariant import (
    DENOISERS,
    JInvariant,
    filled,
    grid_offsets,
    self_supervised_loss,
)


def clean(side=64):
    return np.ascontiguousarray(read_sample("camera").pixels[:, 100 : 100 + side, 200 : 200 + side])


def noisy(sigma, side=64, seed=0):
    image = clean(side)
    return (image + np.random.default_rng(seed).normal(0, sigma / 255, image.shape)).astype(np.float32)


@pytest.mark.parametrize("offset", [(0, 0), (1, 3), (3, 2)])
def test_a_replaced_pixel_does_not_depend_on_itself(offset) -> None:
    """J-invariance by its definition: other values on the grid change nothing."""
    image = np.random.default_rng(0).random((3, 9, 11), dtype=np.float32)
    other = image.copy()
    other[:, offset[0] :: 4, offset[1] :: 4] = 7
    np.testing.assert_array_equal(filled(image, offset, 4), filled(other, offset, 4))
    kept = np.ones((9, 11), bool)
    kept[offset[0] :: 4, offset[1] :: 4] = False
    np.testing.assert_array_equal(filled(image, offset, 4)[:, kept], image[:, kept])


@pytest.mark.parametrize("width", [0.5, 1.0, 2.0])
def test_the_loss_is_that_of_scikit_image(width) -> None:
    def blur(image, width=width):
        return ndimage.gaussian_filter(image, width)

    image = noisy(25)
    _, (_, losses) = calibrate_denoiser(
        image[0], blur, {"width": [width]}, stride=4, approximate_loss=False, extra_output=True
    )
    ours = self_supervised_loss(image, lambda scene: blur(scene[0])[None], grid_offsets((64, 64), 4, 16), 4)
    assert ours == pytest.approx(losses[0], rel=1e-5)


def test_the_loss_is_the_true_error_plus_the_variance_of_the_noise() -> None:
    image, sigma = noisy(30, side=128), 30 / 255
    offsets = grid_offsets((128, 128), 4, 16)
    for width in (0.7, 1.5):
        predicted = np.empty_like(image)
        for row, column in offsets:
            smooth = ndimage.gaussian_filter(filled(image, (row, column), 4)[0], width)
            predicted[0, row::4, column::4] = smooth[row::4, column::4]
        truth = float(np.mean((predicted - clean(128)) ** 2))
        loss = self_supervised_loss(
            image, lambda scene, w=width: ndimage.gaussian_filter(scene[0], w)[None], offsets, 4
        )
        assert loss == pytest.approx(truth + sigma**2, rel=0.03)


@pytest.mark.parametrize("denoiser", ["tv", "wavelet", "nlm"])
def test_it_comes_near_the_best_level_that_only_the_reference_knows(denoiser) -> None:
    image, reference = noisy(25), clean()
    levels = np.geomspace(5, 80, 12)
    errors = [
        float(np.mean((DENOISERS[denoiser]().restore(image, Context(sigma=level)) - reference) ** 2))
        for level in levels
    ]
    restored = JInvariant(denoiser=denoiser).restore(image, Context())
    loss_in_db = 10 * np.log10(np.mean((restored - reference) ** 2) / min(errors))
    assert loss_in_db < 0.5
    assert np.mean((restored - reference) ** 2) < 0.6 * np.mean((image - reference) ** 2)


def test_more_noise_gives_a_higher_level_and_no_known_level_is_used() -> None:
    method = JInvariant(denoiser="tv", tries=8)
    levels = [method.calibrate(noisy(sigma), Context(sigma=99.0)) for sigma in (8, 20, 50)]
    assert levels[0] < levels[1] < levels[2]
    context = Context()
    method.restore(noisy(20), context)
    assert context.found.values["calibrated_sigma"] == pytest.approx(levels[1], abs=0.01)


def test_grids_are_different_and_within_the_image() -> None:
    assert len(set(grid_offsets((64, 64), 4, 5))) == 5
    assert grid_offsets((2, 1), 4, 3) == [(0, 0), (1, 0)]
    assert len(grid_offsets((64, 64), 4, 99)) == 16


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 2, 5), (1, 7, 3)])
def test_small_images_work(shape) -> None:
    image = np.random.default_rng(0).random(shape, dtype=np.float32)
    restored = JInvariant(denoiser="tv", tries=3).restore(image, Context())
    assert restored.shape == shape
    assert np.isfinite(restored).all()
