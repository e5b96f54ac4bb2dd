"""The frequency loss and the PSNR loss against NumPy and scikit-image."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.metrics import peak_signal_noise_ratio

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.frequency import frequency_loss
from restorecli.core.losses.pixel import psnr_loss
from restorecli.errors import UsageError


def pair(shape=(2, 3, 12, 15), dtype=torch.float64):
    generator = torch.Generator().manual_seed(0)
    return tuple(torch.rand(shape, generator=generator, dtype=dtype) for _ in range(2))


@pytest.mark.parametrize("norm", ["backward", "ortho"])
@pytest.mark.parametrize("size", [(12, 15), (8, 8), (1, 5)])
def test_frequency_is_l1_between_numpys_transforms(norm, size):
    restored, reference = pair((2, 3, *size))
    first, second = (np.fft.fft2(x.numpy(), norm=norm) for x in (restored, reference))
    expected = np.abs(np.stack([first.real - second.real, first.imag - second.imag])).mean()
    assert float(frequency_loss(restored, reference, norm=norm)) == pytest.approx(expected, rel=1e-12)


def test_a_flat_difference_is_seen_at_one_bin():
    """d at every pixel is d H W at DC alone: divided by the 2 H W values, d / 2."""
    x = torch.zeros(1, 1, 6, 10, dtype=torch.float64)
    assert float(frequency_loss(x + 0.3, x)) == pytest.approx(0.15)
    assert float(frequency_loss(x + 0.3, x, norm="ortho")) == pytest.approx(0.15 / np.sqrt(60))


def test_ortho_does_not_depend_on_the_size_and_backward_grows_with_its_root():
    """Noise of std s has real and imaginary parts of std s / sqrt(2), whose mean size is s / sqrt(pi)."""
    noise = 0.1 * torch.randn(1, 1, 128, 128, generator=torch.Generator().manual_seed(1))
    loss = float(frequency_loss(noise, torch.zeros_like(noise), norm="ortho"))
    assert loss == pytest.approx(0.1 / np.sqrt(np.pi), rel=0.03)
    assert float(frequency_loss(noise, torch.zeros_like(noise))) == pytest.approx(128 * loss, rel=1e-5)


def test_frequency_of_half_precision_is_computed_in_float32():
    x, y = pair(dtype=torch.float32)
    assert frequency_loss(x.bfloat16(), y.bfloat16()).dtype == torch.float32


@settings(max_examples=20, deadline=None)
@given(shift=st.integers(1, 11), factor=st.floats(-3, 3))
def test_frequency_is_a_norm_of_the_difference(shift, factor):
    x, y = pair((1, 1, 8, 12))
    assert float(frequency_loss(factor * x, factor * y)) == pytest.approx(
        abs(factor) * float(frequency_loss(x, y)), abs=1e-9
    )
    assert float(frequency_loss(x, x.roll(shift, 3))) > 0


def test_psnr_is_minus_scikit_images_image_by_image():
    restored, reference = pair()
    judged = np.mean(
        [
            peak_signal_noise_ratio(b.numpy(), a.numpy(), data_range=1.0)
            for a, b in zip(restored, reference, strict=True)
        ]
    )
    assert -float(psnr_loss(restored, reference)) == pytest.approx(judged, abs=1e-6)


def test_psnr_of_equal_images_is_finite_and_has_a_gradient():
    x = torch.full((1, 1, 4, 4), 0.5, dtype=torch.float64, requires_grad=True)
    loss = psnr_loss(x, x.detach())
    loss.backward()
    assert float(loss.detach()) == pytest.approx(-80)
    assert torch.isfinite(x.grad).all()


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [("frequency", {"norm": "forward"}, "'forward'"), ("psnr", {"eps": 0}, "eps must be")],
)
def test_impossible_arguments_are_refused(name, arguments, words):
    with pytest.raises(UsageError, match=words):
        create_loss(name, **arguments)
