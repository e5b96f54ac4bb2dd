"""Laws of filters, artefact and inpainting methods beside those of all methods (tests/contracts)."""

import numpy as np
import pytest

from restorecli.errors import ImageError, UsageError
from restorecli.restoration.context import Context
from restorecli.restoration.methods.classical import (
    deblocking,
    denoising,
    filters,
    halftones,
    impulses,
    inpainting,
    notching,
    synthesis,
    weather,
)

DENOISERS = (
    filters.Median,
    filters.Gaussian,
    filters.Wiener,
    filters.Bilateral,
    denoising.NonLocalMeans,
    denoising.TotalVariation,
    denoising.Wavelet,
)
OTHERS = (
    impulses.SwitchingMedian,
    deblocking.Deblock,
    notching.Demoire,
    halftones.InverseHalftone,
    weather.GrayWorld,
    weather.Dehaze,
    weather.Dedust,
)
INPAINTERS = (
    inpainting.InpaintHarmonic,
    inpainting.InpaintBiharmonic,
    inpainting.InpaintTv,
    synthesis.InpaintExemplar,
    synthesis.InpaintQuilting,
)
EVERY = (*DENOISERS, *OTHERS, *INPAINTERS)
every = pytest.mark.parametrize("method", EVERY, ids=lambda entry: entry.name)


def make_image(channels=3, height=37, width=53, seed=0):
    """Waves with a little noise that leaves [0, 1]."""
    rng = np.random.default_rng(seed)
    rows, columns = np.arange(height)[:, None], np.arange(width)
    waves = [0.5 + 0.45 * np.sin(rows / 7 + c) * np.cos(columns / 9 - c) for c in range(channels)]
    return (np.stack(waves) + 0.05 * rng.standard_normal((channels, height, width))).astype(np.float32)


def hole(height, width):
    mask = np.zeros((height, width), bool)
    mask[height // 2 : height // 2 + 3, width // 3 : width // 3 + 4] = True
    return mask


def context_for(method, shape):
    mask = hole(*shape) if "mask" in method.needs else None
    return Context(sigma=12.0 if "sigma?" in method.needs else None, mask=mask)


@pytest.mark.parametrize("method", DENOISERS, ids=lambda entry: entry.name)
def test_flat_images_stay_flat(method) -> None:
    for level in (0.0, 0.3, 1.0):
        flat = np.full((3, 20, 24), level, np.float32)
        for sigma in (0.0, 25.0):
            result = method().restore(flat, Context(sigma=sigma))
            np.testing.assert_allclose(result, flat, atol=2e-6)


@pytest.mark.parametrize("method", DENOISERS[1:], ids=lambda entry: entry.name)
def test_no_noise_changes_nothing(method) -> None:
    pixels = make_image()
    np.testing.assert_allclose(method().restore(pixels, Context(sigma=0.0)), pixels, atol=1e-6)


@pytest.mark.parametrize("method", DENOISERS, ids=lambda entry: entry.name)
@pytest.mark.parametrize("channels", [1, 3])
def test_denoisers_take_noise_off(method, channels) -> None:
    rows, columns = np.arange(64)[:, None], np.arange(72)
    clean = np.stack([0.3 + 0.4 * ((rows // 16 + (columns + 5 * c) // 18) % 2) for c in range(channels)])
    noise = np.random.default_rng(3).standard_normal(clean.shape) * 25 / 255
    result = method().restore((clean + noise).astype(np.float32), Context(sigma=25.0))
    assert np.mean((result - clean) ** 2) < 0.5 * np.mean(noise**2)


@pytest.mark.parametrize("method", DENOISERS[1:], ids=lambda entry: entry.name)
def test_the_noise_is_estimated_where_nobody_says_it(method) -> None:
    noise = np.random.default_rng(3).standard_normal((1, 128, 128)) * 20 / 255
    context = Context()
    result = method().restore((0.5 + noise).astype(np.float32), context)
    assert context.found.values["estimated_sigma"] == pytest.approx(20, rel=0.06)
    assert result.std() < 0.5 * noise.std()


@every
def test_steps_finer_than_8_bits_survive(method) -> None:
    """A ramp of 16-bit steps, with nothing to be removed, has as many values afterwards."""
    ramp = np.linspace(0.4, 0.41, 64 * 64, dtype=np.float32).reshape(1, 64, 64)
    mask = hole(64, 64) if "mask" in method.needs else None
    result = method().restore(ramp, Context(sigma=0.01, mask=mask))
    assert len(np.unique(result)) > 500


@pytest.mark.parametrize("method", EVERY, ids=lambda entry: entry.name)
def test_a_finite_receptive_field_is_true(method) -> None:
    """What lies farther away than the receptive field says does not matter."""
    for known in (method(), filters.Gaussian(width=1.5), filters.Bilateral(color=30.0)):
        field = known.receptive_field
        if field is None:
            continue
        pixels = make_image(1, 41, 41)
        changed = pixels.copy()
        outside = np.ones((41, 41), bool)
        reach = field // 2
        outside[20 - reach : 21 + reach, 20 - reach : 21 + reach] = False
        changed[0, outside] = 0.9
        one, two = (known.restore(x, Context(sigma=10.0))[0, 20, 20] for x in (pixels, changed))
        assert one == pytest.approx(two, abs=1e-6)


@pytest.mark.parametrize(
    ("method", "key"),
    [
        (filters.Median, "size"),
        (filters.Wiener, "size"),
        (denoising.NonLocalMeans, "patch"),
        (impulses.SwitchingMedian, "size"),
        (weather.Dehaze, "size"),
        (synthesis.InpaintExemplar, "size"),
    ],
)
def test_windows_have_a_middle(method, key) -> None:
    with pytest.raises(UsageError, match="odd"):
        method(**{key: 4})


@pytest.mark.parametrize("method", INPAINTERS, ids=lambda entry: entry.name)
def test_inpainting_needs_a_mask_and_touches_nothing_else(method) -> None:
    pixels = make_image()
    with pytest.raises(ImageError, match="--mask"):
        method().restore(pixels, Context())
    with pytest.raises(ImageError, match="All pixels are lost"):
        method().restore(pixels, Context(mask=np.ones((37, 53), bool)))
    with pytest.raises(ImageError, match="another size"):
        method().restore(pixels, Context(mask=np.ones((37, 52), bool)))
    nothing = np.zeros((37, 53), bool)
    np.testing.assert_array_equal(method().restore(pixels, Context(mask=nothing)), pixels)
    mask = hole(37, 53)
    result = method().restore(pixels, Context(mask=mask))
    np.testing.assert_array_equal(result[:, ~mask], pixels[:, ~mask])
    other = np.where(mask, np.float32(0.123), pixels)
    np.testing.assert_array_equal(method().restore(other, Context(mask=mask)), result)
