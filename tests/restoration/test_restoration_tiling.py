"""Tiles against the whole image."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from restorecli.core.models.catalog import create_model
from restorecli.core.restorer import NonFiniteError
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.restoration.backoff import BackingOff
from restorecli.restoration.tiling import restore_tiled

SIZES = [(1, 1), (1, 7), (13, 1), (3, 5), (31, 37), (97, 101), (64, 64)]


def make_image(height, width, channels=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(channels, height, width, generator=generator)


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 3),
    st.integers(12, 80),
    st.integers(0, 20),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_enough_overlap_gives_the_whole_images_result(convolutions, height, width, depth, tile, more, gray):
    restorer = convolutions(depth)
    image = make_image(height, width, 1 if gray else 3)
    overlap = 2 * depth + more
    if tile <= overlap:
        tile += overlap
    tiled = restore_tiled(restorer, image, tile=tile, overlap=overlap)
    torch.testing.assert_close(tiled, restore_tiled(restorer, image, tile=None), atol=1e-5, rtol=0)


@pytest.mark.parametrize("depth", [1, 2, 3, 4])
def test_one_pixel_less_on_either_side_does_not(convolutions, depth):
    """What makes the test above mean something; three tiles fit without a spare pixel."""
    overlap = 2 * depth - 2
    restorer, image = convolutions(depth), make_image(96 - 2 * overlap, 96 - 2 * overlap)
    tiled = restore_tiled(restorer, image, tile=32, overlap=overlap)
    assert float((tiled - restore_tiled(restorer, image, tile=None)).abs().max()) > 1e-3


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([1, 4, 8]),
    st.integers(0, 20),
    st.sampled_from([None, 1, 9, 41]),
)
@settings(max_examples=60, deadline=None)
def test_an_identity_comes_back_whatever_the_tiles(
    restorer_of, height, width, scale, multiple, overlap, field
):
    def enlarge(batch):
        return batch.repeat_interleave(scale, -1).repeat_interleave(scale, -2)

    restorer = restorer_of(enlarge, scale=scale, multiple=multiple, receptive_field=field)
    image = make_image(height, width)
    tiled = restore_tiled(restorer, image, tile=max(16, overlap + 2 * multiple), overlap=overlap)
    torch.testing.assert_close(tiled, enlarge(image), atol=2e-7, rtol=0)


@pytest.mark.parametrize("size", [*SIZES, (139, 307), (200, 136)])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_with_poolings_is_exact_from_tiles_at_its_multiple(size, channels):
    torch.manual_seed(0)
    module = create_model("unet", width=4)
    restorer = TorchRestorer(module, name="unet", device=torch.device("cpu"))
    image = make_image(*size, channels)
    tiled = restore_tiled(restorer, image, tile=160)
    torch.testing.assert_close(tiled, restore_tiled(restorer, image, tile=None), atol=1e-5, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_small_images_come_back_in_their_size(convolutions, size):
    assert restore_tiled(convolutions(), make_image(*size), tile=16).shape == (3, *size)


@pytest.mark.parametrize("size", [(3, 100_000), (100_000, 1)])
def test_long_strips_are_cut_along_their_length_only(convolutions, restorer_of, size):
    inner = convolutions()
    restorer = restorer_of(inner, receptive_field=7)
    image = make_image(*size)
    tiled = restore_tiled(restorer, image, tile=1000)
    assert len(restorer.shapes) == pytest.approx(100, abs=2)
    assert max(max(shape) for shape in restorer.shapes) <= 1000
    torch.testing.assert_close(tiled, inner(image[None])[0], atol=1e-5, rtol=0)


def test_flat_white_and_black_stay_exact_under_fading(restorer_of):
    restorer = restorer_of(lambda batch: batch, receptive_field=None)
    for value in (0.0, 1.0):
        tiled = restore_tiled(restorer, torch.full((3, 200, 170), value), tile=64, overlap=24)
        assert np.array_equal(np.round(tiled.numpy() * 255), np.full((3, 200, 170), value * 255))


def test_fading_hides_what_tiles_disagree_about(restorer_of):
    """A network that shifts every tile by its own mean: hard cuts would step, fading does not."""
    restorer = restorer_of(lambda batch: batch - 0.1 * batch.mean(), receptive_field=None)
    ramp = torch.linspace(0, 1, 300).expand(3, 40, 300)
    whole, tiled = (restore_tiled(restorer, ramp, tile=tile, overlap=32) for tile in (None, 100))
    hard = restore_tiled(restorer, ramp, tile=100, overlap=0)
    largest_step = [float(result.diff(dim=-1).abs().max()) for result in (whole, tiled, hard)]
    assert largest_step[1] < 2 * largest_step[0]
    assert largest_step[2] > 6 * largest_step[0]


def test_batches_keep_their_batch_dimension(convolutions):
    restorer = convolutions()
    batch = torch.stack([make_image(40, 50, seed=1), make_image(40, 50, seed=2)])
    tiled = restore_tiled(restorer, batch, tile=24)
    torch.testing.assert_close(tiled, restorer(batch), atol=1e-5, rtol=0)


def test_all_inner_tiles_have_one_shape(restorer_of):
    restorer = restorer_of(lambda batch: batch, receptive_field=9)
    restore_tiled(restorer, make_image(211, 307), tile=64)
    assert len(set(restorer.shapes)) == 1


def test_one_tile_that_is_not_finite_fails_the_image(restorer_of):
    def poisoned(batch):
        return batch if len(restorer.shapes) != 3 else batch * torch.nan

    restorer = restorer_of(poisoned)
    with pytest.raises(NonFiniteError):
        restore_tiled(restorer, make_image(100, 100), tile=40, overlap=0)


def test_a_result_of_another_shape_is_a_defect_not_pasted(restorer_of):
    restorer = restorer_of(lambda batch: batch[..., 1:])
    with pytest.raises(ValueError, match="must give"):
        restore_tiled(restorer, make_image(100, 100), tile=40, overlap=0)


class Waits(TorchDispatchMode):
    """Counts how often a value is read from the device, which waits for all work on it."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("tile", [None, 24])
def test_the_device_is_waited_for_once_and_not_for_each_tile(convolutions, tile):
    restorer, image = convolutions(1), torch.rand(3, 20, 200)
    with Waits() as waits:
        restore_tiled(BackingOff(restorer), image, tile=tile)
    assert waits.count == 1


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
def test_what_is_not_finite_does_not_pass_for_black_or_white(bad):
    class Bad(nn.Module):
        channels, scale, multiple, receptive_field = 3, 1, 1, 1

        def forward(self, x):
            return torch.where(x > 0.9, bad, x)

    restorer = TorchRestorer(Bad(), name="bad", device=torch.device("cpu"))
    image = torch.full((3, 40, 60), 0.5)
    image[1, 20, 30] = 1
    with pytest.raises(NonFiniteError):
        restore_tiled(BackingOff(restorer), image, tile=16)
    with pytest.raises(NonFiniteError):
        restorer(image[None])
