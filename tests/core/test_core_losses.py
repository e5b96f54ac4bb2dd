"""Losses against closed forms, other libraries and their own modules."""

import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.edge import edge_loss, plain_laplacian, pyramid_laplacian
from restorecli.core.losses.pixel import charbonnier_loss
from restorecli.core.losses.structure import ssim_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.errors import UsageError


def pair(seed: int = 0, shape=(2, 3, 24, 20), dtype=torch.float64):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.rand(shape, generator=generator, dtype=dtype) for _ in range(2))


@pytest.mark.parametrize(
    ("name", "expected"), [("l1", 0.0), ("mse", 0.0), ("charbonnier", 1e-3), ("ssim", 0.0), ("edge", 1e-3)]
)
def test_equal_images_give_the_least_loss(name, expected):
    x, _ = pair()
    assert float(create_loss(name)(x, x)) == pytest.approx(expected, abs=1e-12)


def test_charbonnier_closed_form():
    restored = torch.full((1, 1, 4, 4), 0.7, dtype=torch.float64)
    assert float(charbonnier_loss(restored, restored - 0.3, eps=0.4)) == pytest.approx(0.5)


def test_ssim_equals_scikit_image():
    restored, reference = pair(shape=(1, 3, 40, 33))
    judged = structural_similarity(
        restored[0].numpy(),
        reference[0].numpy(),
        channel_axis=0,
        data_range=1.0,
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
    )
    assert 1 - float(ssim_loss(restored, reference)) == pytest.approx(judged, abs=1e-9)


def test_ssim_of_constants_closed_form():
    a, b = (torch.full((1, 1, 16, 16), value, dtype=torch.float64) for value in (0.2, 0.6))
    expected = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert 1 - float(ssim_loss(a, b)) == pytest.approx(expected, abs=1e-9)


def test_ssim_says_what_is_too_small():
    with pytest.raises(ValueError, match=r"11 pixels, got \(8, 20\)"):
        ssim_loss(torch.rand(1, 1, 8, 20), torch.rand(1, 1, 8, 20))


def test_pyramid_laplacian_of_a_constant_vanishes_inside_only():
    """The border keeps MPRNet's published gains: 1.5 and 1.1 at the top, 0.9 and 0.5 at an even bottom."""
    c = 0.5
    gain = 1 - pyramid_laplacian(torch.full((1, 1, 16, 16), c, dtype=torch.float64))[0, 0, :, 8] / c
    assert gain[2:-2].sub(1).abs().max() < 1e-12
    np.testing.assert_allclose(gain[[0, 1, -2, -1]], [1.5, 1.1, 0.9, 0.5], atol=1e-12)


def test_plain_laplacian_equals_scipy():
    from scipy.ndimage import laplace

    x, _ = pair(shape=(1, 1, 9, 11))
    np.testing.assert_allclose(plain_laplacian(x)[0, 0], laplace(x[0, 0].numpy(), mode="nearest"), atol=1e-12)


def test_edge_forms_differ_and_others_are_refused():
    x, y = pair()
    assert float(edge_loss(x, y, form="laplacian")) != float(edge_loss(x, y))
    with pytest.raises(ValueError, match="pyramid, laplacian"):
        edge_loss(x, y, form="sobel")


def test_composite_of_the_first_source_document():
    x, y = pair()
    total = WeightedSum(
        [(n, w, create_loss(n)) for n, w in (("charbonnier", 1.0), ("edge", 0.1), ("ssim", 0.3))]
    )
    by_hand = charbonnier_loss(x, y) + 0.1 * edge_loss(x, y) + 0.3 * ssim_loss(x, y)
    torch.testing.assert_close(total(x, y), by_hand)


def test_misspelled_names_and_arguments_are_errors():
    with pytest.raises(UsageError, match="charbonnier"):
        create_loss("charbonier")
    with pytest.raises(UsageError, match="eps"):
        create_loss("charbonnier", epsilon=1.0)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("edge", {"form": "sobel"}),
        ("edge", {"eps": 0}),
        ("charbonnier", {"eps": "big"}),
        ("charbonnier", {"eps": float("nan")}),
        ("ssim", {"window": 4}),
        ("ssim", {"window": 11.0}),
        ("ssim", {"sigma": 0}),
        ("l1", {"name": "l1"}),
    ],
)
def test_impossible_arguments_are_refused_when_a_loss_is_built(name, arguments):
    with pytest.raises(UsageError, match=next(iter(arguments))):
        create_loss(name, **arguments)
