"""A strength below 1 mixes what is restored with what it was made of, however the image is cut."""

import numpy as np
import pytest

from restorecli.errors import UsageError
from restorecli.images.image import FileTraits, ImageData
from restorecli.restoration.image import ImageRestorer


class Rows:
    """An image in memory that hands out rows."""

    def __init__(self, pixels):
        self.pixels = pixels
        self.channels, *self.size = pixels.shape

    def read(self, start, stop):
        return self.pixels[:, start:stop].copy()


@pytest.fixture
def pixels():
    return np.random.default_rng(0).random((3, 70, 45)).astype(np.float32)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("tile", ["none", 32])
def test_the_share_is_exact_as_a_whole_in_tiles_and_by_rows(convolutions, pixels, strength, tile):
    whole, _ = ImageRestorer(convolutions(2), tile="none").restore(pixels)
    expected = (1 - strength) * pixels + strength * whole
    mixing = ImageRestorer(convolutions(2), tile=tile, strength=strength)
    np.testing.assert_allclose(mixing.restore(pixels)[0], expected, atol=2e-6)
    if tile != "none":
        rows = np.concatenate(list(mixing.restore_rows(Rows(pixels))), axis=1)
        np.testing.assert_allclose(rows, expected, atol=2e-6)


def test_transparent_pixels_stay_as_they_are(convolutions, pixels):
    alpha = np.zeros((70, 45), np.uint8)
    alpha[20:50, 10:30] = 255
    image = ImageData(pixels, FileTraits(alpha=alpha))
    done, _ = ImageRestorer(convolutions(2), strength=0.5)(image)
    assert np.array_equal(done.pixels[:, alpha == 0], pixels[:, alpha == 0])
    assert not np.allclose(done.pixels[:, alpha == 255], pixels[:, alpha == 255], atol=1e-3)
    assert np.array_equal(done.traits.alpha, alpha)


@pytest.mark.parametrize("strength", [-0.1, 1.1, float("nan")])
def test_what_is_no_share_is_refused(convolutions, strength):
    with pytest.raises(UsageError, match="--strength"):
        ImageRestorer(convolutions(2), strength=strength)


def test_two_sizes_are_not_mixed(restorer_of):
    double = restorer_of(lambda b: b.repeat_interleave(2, -1).repeat_interleave(2, -2), scale=2)
    with pytest.raises(UsageError, match="enlarged"):
        ImageRestorer(double, strength=0.5)
