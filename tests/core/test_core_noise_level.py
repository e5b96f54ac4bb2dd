"""The estimate of the noise level."""

import numpy as np
import pytest
import torch
from skimage import data

from restorecli.core.ops.noise_level import estimate_noise


@pytest.mark.parametrize("sigma", [2.0, 15.0, 50.0])
def test_known_noise_on_a_smooth_picture_is_found(sigma):
    """Judge: the level that was added, on a linear ramp, which the wavelet does not see at all."""
    generator = torch.Generator().manual_seed(0)
    ramp = torch.linspace(0, 1, 200).expand(2, 3, 180, 200) + torch.linspace(0, 1, 180)[:, None]
    noisy = ramp + sigma / 255 * torch.randn(ramp.shape, generator=generator)
    torch.testing.assert_close(estimate_noise(noisy), torch.full((2,), sigma), rtol=0.03, atol=0)


def test_known_noise_on_a_photograph_is_found():
    image = torch.from_numpy(np.ascontiguousarray(data.astronaut().transpose(2, 0, 1))).float()[None] / 255
    noisy = image + 25 / 255 * torch.randn(image.shape, generator=torch.Generator().manual_seed(0))
    assert float(estimate_noise(noisy)) == pytest.approx(25, rel=0.1)


def test_each_picture_has_its_own_level_and_flat_ones_have_none():
    batch = torch.rand(3, 1, 33, 40)
    batch[1] = 0.5
    levels = estimate_noise(batch)
    assert levels[1] < 1e-4
    assert torch.equal(levels[[0, 2]], torch.cat([estimate_noise(batch[:1]), estimate_noise(batch[2:])]))


@pytest.mark.parametrize("size", [(1, 1), (2, 9), (3, 3)])
def test_tiny_pictures_have_a_finite_level(size):
    assert torch.isfinite(estimate_noise(torch.rand(1, 3, *size))).all()
