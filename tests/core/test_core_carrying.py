"""Networks that judge an image as a whole: large images are seen small, and the change is carried to them."""

import numpy as np
import pytest
import torch
from skimage.data import astronaut
from torch import nn

from restorecli import create_model
from restorecli.core.card_reading import Card
from restorecli.core.carrying import CarryingRestorer, carried, carry
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.weights import pack
from restorecli.core.zoo import load
from restorecli.errors import WeightsError
from restorecli.images.image import ImageData
from restorecli.restoration.backends import load_network
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer

CPU = torch.device("cpu")


class Stretch(nn.Module):
    """Stretches to the darkest and the brightest of the whole image, as global as can be."""

    channels, scale, multiple, receptive_field = 3, 1, 8, None

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(tuple(x.shape))
        low, high = x.amin((1, 2, 3), keepdim=True), x.amax((1, 2, 3), keepdim=True)
        return (x - low) / (high - low)


def stretching(side):
    return CarryingRestorer(TorchRestorer(Stretch(), name="stretch", device=CPU), side)


@pytest.fixture(scope="module")
def photo():
    """A photograph of little contrast, as if through mist: (1, 3, 240, 320)."""
    image = torch.from_numpy(astronaut()[:480, :]).permute(2, 0, 1)[None].float() / 255
    return 0.4 + 0.4 * nn.functional.interpolate(image, size=(240, 320), mode="area")


def test_up_to_the_side_images_go_as_they_are(photo):
    restorer = stretching(320)
    assert torch.equal(restorer(photo), restorer.inner(photo))


def test_larger_images_are_seen_small_and_come_back_in_full_detail(photo):
    restorer = stretching(80)
    restored = restorer(photo)
    assert restorer.inner.module.seen == [(1, 3, 64, 80)]  # 60 rows, padded to a multiple of 8
    direct = restorer.inner(photo)
    assert restored.shape == photo.shape
    # Reducing takes the brightest and darkest pixels away, so that the stretch itself is a little stronger.
    assert (restored - direct).abs().mean() < 0.03
    blurred = nn.functional.interpolate(
        restorer.inner(nn.functional.interpolate(photo, scale_factor=0.25, mode="area")),
        size=photo.shape[-2:],
        mode="bilinear",
    )
    assert (restored - direct).square().mean() < 0.3 * (blurred - direct).square().mean()


def test_each_window_holds_the_ridge_regression_of_its_colors():
    """The second judge: least squares by NumPy in each window, and the mean of the windows around a pixel."""
    rng = np.random.default_rng(3)
    small_image, restored = rng.random((2, 3, 9, 11))
    radius, epsilon = 2, 1e-3
    slopes, offsets = np.empty((9, 11, 3, 3)), np.empty((9, 11, 3))
    windows = [
        [
            (slice(max(y - radius, 0), y + radius + 1), slice(max(x - radius, 0), x + radius + 1))
            for x in range(11)
        ]
        for y in range(9)
    ]
    for y, x in np.ndindex(9, 11):
        a = small_image[(slice(None), *windows[y][x])].reshape(3, -1).T
        b = restored[(slice(None), *windows[y][x])].reshape(3, -1).T
        ridge = np.sqrt(epsilon * len(a)) * np.eye(3)  # a ridge is three samples more, of slope 0
        slope = np.linalg.lstsq(
            np.vstack([a - a.mean(0), ridge]), np.vstack([b - b.mean(0), np.zeros((3, 3))]), rcond=None
        )[0]
        slopes[y, x], offsets[y, x] = slope, b.mean(0) - a.mean(0) @ slope
    expected = np.empty((3, 9, 11))
    for y, x in np.ndindex(9, 11):
        slope, offset = slopes[windows[y][x]].mean((0, 1)), offsets[windows[y][x]].mean((0, 1))
        expected[:, y, x] = small_image[:, y, x] @ slope + offset
    tensors = [torch.from_numpy(values[None].astype(np.float32)) for values in (small_image, restored)]
    found = carry(tensors[0], *tensors, radius, epsilon)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("channels", [1, 3])
def test_what_is_left_alone_in_the_small_image_stays_in_the_large_one(channels):
    large = torch.rand(2, channels, 90, 70)
    reduced = nn.functional.interpolate(large, size=(30, 20), mode="area")
    # A ridge pulls slopes toward 0 by epsilon over the variance of the window.
    torch.testing.assert_close(carry(large, reduced, reduced, 4, epsilon=1e-9), large, atol=1e-4, rtol=0)


def test_a_gray_image_is_seen_in_three_channels(photo):
    gray = photo.mean(1, keepdim=True)
    assert stretching(80)(gray).shape == gray.shape


def test_a_large_image_is_not_cut_where_only_its_reduction_is_computed():
    restorer = ImageRestorer(stretching(64))
    pixels = np.random.default_rng(0).random((1, 2080, 2080), np.float32)  # beyond the limit of attention
    context = Context()
    _, use = restorer(ImageData(pixels), context)
    assert use.tile is None
    assert context.found.values["seen_at"] == 64


def test_a_network_that_takes_the_noise_is_told_it_for_the_small_image_too():
    network = create_model("ffdnet", channels=3, depth=2, width=4)
    restorer = CarryingRestorer(TorchRestorer(network, name="told", device=CPU), 16)
    [step] = restorer.steps(np.zeros((3, 40, 40), np.float32), Context(sigma=12.0))
    assert (step.side, step.inner.sigma) == (16, 12.0)
    image = torch.rand(1, 3, 40, 40)
    [louder] = restorer.steps(np.zeros((3, 40, 40), np.float32), Context(sigma=50.0))
    assert not torch.equal(step(image), louder(image))


def test_results_that_depend_on_the_side_say_so():
    assert stretching(80).identity() == {**stretching(80).inner.identity(), "side": 80}


def test_images_for_one_network_are_one_batch():
    one = stretching(80)
    assert one.joins(CarryingRestorer(one.inner, 80))
    assert not one.joins(CarryingRestorer(one.inner, 90))
    assert not one.joins(one.inner)


def test_values_that_are_not_finite_are_tried_in_float32():
    class Bad(Stretch):
        def forward(self, x):
            return x * float("nan") if torch.is_autocast_enabled("cpu") else super().forward(x)

    inner = TorchRestorer(Bad(), name="bad", device=CPU, dtype=torch.bfloat16)
    image = torch.rand(1, 3, 40, 40)
    torch.testing.assert_close(CarryingRestorer(inner, 16)(image), stretching(16)(image))


def test_the_card_says_at_which_side(tmp_path):
    arguments = {"channels": 3, "depth": 3, "width": 4}
    tensors = create_model("dncnn", **arguments).state_dict()
    file = tmp_path / "whole.safetensors"
    file.write_bytes(pack(tensors, Card(model="dncnn", arguments=arguments, side=24)))
    network = load_network(file, device="cpu")
    assert network.spec.side == 24
    assert load_network(file, device="cpu", backend="auto").spec.side == 24
    image = torch.rand(1, 3, 32, 48)
    assert not torch.equal(network(image), load(file, device="cpu")(image))
    file.write_bytes(pack(tensors, Card(model="dncnn", arguments=arguments, side=-1)))
    with pytest.raises(WeightsError, match="cannot be read"):
        load_network(file)


def test_without_a_side_nothing_is_wrapped():
    inner = stretching(80).inner
    assert carried(inner, 0) is inner
