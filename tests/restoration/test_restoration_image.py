"""One image: transparency, gray, depth, tiles, and what is said about them."""

from dataclasses import replace

import numpy as np
import pytest
import tifffile
import torch
from torch import nn

from restorecli.core.restorer import NonFiniteError
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import ImageError, ResourceError, UsageError
from restorecli.folders.manifest import Manifest
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.restoration.alpha import fill_invisible
from restorecli.restoration.context import Context, Findings
from restorecli.restoration.cutting import TileUse, parse_tile
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer

RNG = np.random.default_rng(0)


def pixels(*shape):
    return RNG.random(shape, dtype=np.float32)


@pytest.mark.parametrize(("given", "meant"), [("auto", "auto"), ("none", "none"), (256, 256), ("256", 256)])
def test_tile_words(given, meant):
    assert parse_tile(given) == meant


@pytest.mark.parametrize("given", ["big", "", "0", -5, 0, "1.5"])
def test_other_tile_words_are_refused(given):
    with pytest.raises(UsageError):
        parse_tile(given)


def test_an_overlap_as_large_as_the_tile_is_refused_before_any_image(convolutions):
    with pytest.raises(UsageError):
        ImageRestorer(convolutions(), tile=32, overlap=32)
    with pytest.raises(UsageError):
        ImageRestorer(convolutions(), overlap=-1)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_comes_back_bit_for_bit_and_the_invisible_untouched(restorer_of, dtype):
    alpha = RNG.integers(0, 3, (40, 50)).astype(dtype) * dtype(60)
    original = ImageData(pixels(3, 40, 50), FileTraits("PNG", dtype(0).itemsize * 8, alpha, b"icc", b"exif"))
    result, _ = ImageRestorer(restorer_of(lambda batch: 1 - batch))(original)
    assert replace(result.traits, alpha=None) == replace(original.traits, alpha=None)
    assert result.traits.alpha is alpha
    invisible = alpha == 0
    np.testing.assert_array_equal(result.pixels[:, invisible], original.pixels[:, invisible])
    np.testing.assert_allclose(result.pixels[:, ~invisible], 1 - original.pixels[:, ~invisible], atol=1e-6)


def test_the_invisible_does_not_bleed_over_the_visible_edge(restorer_of):
    """White on invisible black, blurred: the visible part stays white."""
    alpha = np.zeros((32, 32), np.uint8)
    alpha[:, 16:] = 255
    image = np.repeat((alpha / np.float32(255))[None], 3, axis=0).astype(np.float32)

    def blur(batch):
        return torch.nn.functional.avg_pool2d(batch, 5, 1, 2, count_include_pad=False)

    result, _ = ImageRestorer(restorer_of(blur, receptive_field=5))(ImageData(image, FileTraits(alpha=alpha)))
    np.testing.assert_allclose(result.pixels[:, :, 16:], 1, atol=1e-6)
    assert (result.pixels[:, :, :16] == 0).all()


@pytest.mark.parametrize("value", [0, 255])
def test_an_image_all_visible_or_all_invisible_needs_no_filling(value):
    image = pixels(3, 5, 6)
    assert fill_invisible(image, np.full((5, 6), value, np.uint8)) is image


def test_filling_takes_the_nearest_visible_color():
    image = np.arange(5, dtype=np.float32)[None, None]
    filled = fill_invisible(image, np.array([[0, 1, 0, 0, 1]]))
    np.testing.assert_array_equal(filled[0, 0], [1, 1, 1, 4, 4])


def test_an_upscaler_enlarges_alpha_with_the_image(restorer_of):
    alpha = np.array([[0, 7], [200, 255]], np.uint8)

    def double(batch):
        return batch.repeat_interleave(2, -1).repeat_interleave(2, -2)

    result, _ = ImageRestorer(restorer_of(double, scale=2))(
        ImageData(pixels(3, 2, 2), FileTraits(alpha=alpha))
    )
    assert result.size == (4, 4)
    np.testing.assert_array_equal(result.traits.alpha[::2, ::2], alpha)


def test_gray_stays_gray(convolutions):
    result, _ = ImageRestorer(convolutions(channels=3))(ImageData(pixels(1, 20, 30)))
    assert result.pixels.shape == (1, 20, 30)
    assert result.pixels.dtype == np.float32


def test_read_only_pixels_are_not_written_to(convolutions):
    image = pixels(3, 20, 20)
    image.flags.writeable = False
    result, _ = ImageRestorer(convolutions())(ImageData(image))
    assert result.size == (20, 20)


@pytest.mark.parametrize(
    ("field", "settings", "use"),
    [
        (7, {}, TileUse()),
        (7, {"tile": "none"}, TileUse()),
        (7, {"tile": 200}, TileUse()),
        (7, {"tile": 64}, TileUse(64, 6, exact=True)),
        (7, {"tile": 64, "overlap": 4}, TileUse(64, 4, exact=False)),
        (None, {"tile": 96}, TileUse(96, 64, exact=False)),
        (None, {"tile": 64}, TileUse(64, 32, exact=False)),
    ],
)
def test_the_use_of_tiles_is_told(restorer_of, field, settings, use):
    image_restorer = ImageRestorer(restorer_of(lambda batch: batch, receptive_field=field), **settings)
    _, told = image_restorer(ImageData(pixels(3, 90, 120)))
    assert told == use
    assert image_restorer.tiles_change_nothing == (field is not None and settings.get("overlap") is None)


def test_auto_backs_off_and_tells_the_size_that_fitted(restorer_of):
    def restore(batch):
        if max(batch.shape[-2:]) > 130:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return batch

    image = ImageData(pixels(3, 150, 200))
    image_restorer = ImageRestorer(restorer_of(restore, receptive_field=7))
    result, use = image_restorer(image)
    np.testing.assert_array_equal(result.pixels, image.pixels)
    assert use == TileUse(100, 6, exact=True)
    for asked in ("none", 150):
        with pytest.raises(ResourceError):
            ImageRestorer(restorer_of(restore, receptive_field=7), tile=asked)(image)


def test_values_that_are_not_finite_fail_before_and_after(restorer_of):
    image = pixels(3, 8, 8)
    with pytest.raises(NonFiniteError):
        ImageRestorer(restorer_of(lambda batch: batch * torch.nan))(ImageData(image))
    image[0, 0, 0] = np.inf
    with pytest.raises(ImageError, match="not finite"):
        ImageRestorer(restorer_of(lambda batch: batch))(ImageData(image))


class Fragile(nn.Module):
    channels, scale, multiple, receptive_field = 3, 1, 1, 1

    def forward(self, x):
        overflows = bool(x.mean() > 0.5) and torch.is_autocast_enabled("cpu")
        return x * (torch.inf if overflows else 0.5)


@pytest.mark.parametrize(("bright", "used"), [(200, "float32 in part"), (60, None)])
def test_a_stack_with_a_plane_computed_again_in_float32_says_so(tmp_path, bright, used):
    planes = np.stack([np.full((9, 9), value, np.uint8) for value in (50, bright)])
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="minisblack")
    restorer = TorchRestorer(Fragile(), name="fragile", device=torch.device("cpu"), dtype=torch.bfloat16)
    output = tmp_path / "out"
    restore_folder(tmp_path, output, restorer, workers=1, reading=ReadOptions(frames="all"))
    np.testing.assert_allclose(tifffile.imread(output / "stack.tif"), planes / 2, atol=1)
    found = Manifest(output).read()["stack.tif"].restorer.get("found", {})
    assert found.get("precision_used") == used


def test_an_image_computed_again_in_float32_says_so():
    restorer = TorchRestorer(Fragile(), name="fragile", device=torch.device("cpu"), dtype=torch.bfloat16)
    image_restorer = ImageRestorer(restorer)
    for value, used in ((0.8, {"precision_used": "float32"}), (0.2, {})):
        context = Context()
        result, _ = image_restorer(ImageData(np.full((3, 9, 9), value, np.float32)), context)
        np.testing.assert_allclose(result.pixels, value / 2, rtol=1e-2)
        assert context.found.values == used
    assert restorer.identity()["precision"] == "bfloat16"
    dark, bright = np.full((3, 40, 20), 0.2, np.float32), np.full((3, 40, 20), 0.2, np.float32)
    bright[:, 20:] = 0.8
    for image, used in ((bright, {"precision_used": "float32 in part"}), (dark, {})):
        found = Findings()
        by_rows = ImageRestorer(restorer, tile=10, overlap=0)
        restored = np.concatenate(list(by_rows.restore_rows(RowsOf(image), found=found)), axis=1)
        np.testing.assert_allclose(restored, image / 2, rtol=1e-2)
        assert found.values == used


class RowsOf:
    """An image in memory that hands out rows."""

    def __init__(self, image):
        self.image = image
        self.channels, *self.size = image.shape

    def read(self, start, stop):
        return self.image[:, start:stop]
