"""Degradations of batches in torch are equal in law to those of NumPy."""

import numpy as np
import pytest
import torch
from scipy import stats

from restorecli.core.ops.philox import key_of
from restorecli.degradation.chain import Chain, degrade_array, image_rng
from restorecli.degradation.on_device.chain import STEPS, DeviceChain
from restorecli.degradation.on_device.jpeg import quantization_tables
from restorecli.degradation.on_device.names import ON_DEVICE, host_only
from restorecli.degradation.on_device.noise import poisson_quantile
from restorecli.errors import UsageError
from restorecli.folders.samples import read_sample

KEY = key_of(0, "degrade")


@pytest.fixture(scope="module")
def photo():
    """A color photograph, (3, 200, 200)."""
    return np.ascontiguousarray(read_sample("rocket").pixels[:, 40:240, 40:240])


def on_device(specs, images, *, gray=None, numbers=None, seed=0):
    """Degrade (N, C, H, W) with the values that sample i draws as image f"{i}" on the host."""
    chain = Chain.from_specs(specs)
    drawn = [chain.draw_each(image_rng(seed, str(i), "draw")) for i in range(len(images))]
    ours = DeviceChain(chain)
    numbers = torch.arange(len(images)) if numbers is None else numbers
    return ours.apply(torch.as_tensor(images), ours.values(drawn), KEY, numbers, gray).numpy()


def on_host(specs, images, seed=0):
    chain = Chain.from_specs(specs)
    return np.stack(
        [degrade_array(np.ascontiguousarray(x), chain, seed, str(i))[0] for i, x in enumerate(images)]
    )


def flat(value, count=64, channels=3, side=48):
    return np.full((count, channels, side, side), value, np.float32)


def alike(ours, theirs):
    """Two samples of one law: moments to 5 standard errors, and the test of Kolmogorov and Smirnov."""
    ours, theirs = ours.astype(np.float64).ravel(), theirs.astype(np.float64).ravel()
    error = (ours.var() / ours.size + theirs.var() / theirs.size) ** 0.5
    assert abs(ours.mean() - theirs.mean()) <= 5 * error + 1e-12
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert stats.ks_2samp(ours, theirs).pvalue > 1e-3


def test_names_and_classes_agree():
    assert tuple(STEPS) == ON_DEVICE


NOISES = [
    ([{"name": "gaussian", "sigma": 25}], 0.5),
    ([{"name": "gaussian", "sigma": "5..50"}], 0.5),
    ([{"name": "gaussian", "severity": "1..5"}], 0.5),
    ([{"name": "gaussian", "sigma": 25, "gray": True}], 0.5),
    ([{"name": "speckle", "std": 0.3}], 0.7),
    ([{"name": "salt-pepper", "amount": 0.2, "salt": 0.3}], 0.5),
    ([{"name": "salt-pepper", "amount": 0.2, "independent": True, "random_valued": True}], 0.5),
    ([{"name": "poisson", "peak": 2}], 0.3),
    ([{"name": "poisson", "peak": 12}], 0.5),
    ([{"name": "poisson", "peak": "log 1..60"}], 0.5),
    ([{"name": "poisson", "peak": 5000}], 0.9),
]


@pytest.mark.parametrize(("specs", "value"), NOISES)
def test_noise_has_the_law_that_it_has_on_the_host(specs, value):
    images = flat(value)
    ours, theirs = on_device(specs, images), on_host(specs, images)
    alike(ours, theirs)
    assert np.ptp(ours[:, 0] - ours[:, 1]) == pytest.approx(np.ptp(theirs[:, 0] - theirs[:, 1]), rel=0.3)


@pytest.mark.parametrize(("specs", "value"), NOISES)
def test_noise_is_white_and_its_channels_as_independent_as_on_the_host(specs, value):
    images = flat(value)

    def numbers_of(degraded):
        noise = degraded - degraded.mean((2, 3), keepdims=True)
        power = (np.abs(np.fft.fft2(noise, norm="ortho")) ** 2).mean((0, 1)) / noise.var()
        lag = (noise[..., 1:] * noise[..., :-1]).mean() / noise.var()
        across = (noise[:, 0] * noise[:, 2]).mean() / noise.var()
        return np.array([power[1:8, 1:8].mean(), power[20:28, 20:28].mean(), lag, across])

    ours, theirs = numbers_of(on_device(specs, images)), numbers_of(on_host(specs, images))
    np.testing.assert_allclose(ours, theirs, atol=0.06)


@pytest.mark.parametrize("rate", [0, 1e-3, 0.1, 0.9, 3.99, 4, 6.5, 30, 1000, 1e6])
def test_counts_of_photons_are_the_true_quantiles(rate):
    """Exact but where float64 cannot tell a cumulative probability from the chance."""
    chance = np.concatenate([np.geomspace(1e-9, 0.5, 4000), 1 - np.geomspace(1e-9, 0.5, 4000)])
    found = poisson_quantile(torch.as_tensor(chance), torch.full((8000,), float(rate), dtype=torch.float64))
    judge = stats.poisson.ppf(chance, rate) if rate else np.zeros(8000)
    differ = found.numpy() != np.maximum(judge, 0)
    assert differ.sum() <= 2
    edges = stats.poisson.cdf(np.minimum(found.numpy(), judge), rate)
    np.testing.assert_allclose(edges[differ], chance[differ], rtol=1e-9)


def test_counts_of_photons_pass_the_chi_square_test():
    for rate in (0.5, 3.0, 5.0, 20.0):
        specs = [{"name": "poisson", "peak": 20.0}]
        counts = np.rint(on_device(specs, flat(rate / 20)) * 20).ravel()
        values = np.arange(stats.poisson.ppf(1e-4, rate), stats.poisson.ppf(1 - 1e-4, rate) + 1)
        expected = stats.poisson.pmf(values, np.float64(np.float32(rate / 20)) * 20) * counts.size
        seen = np.array([(counts == value).sum() for value in values])
        statistic = ((seen - expected) ** 2 / expected).sum()
        assert stats.chi2.sf(statistic, len(values)) > 1e-3


BLURS = [
    [{"name": "gaussian-blur", "sigma": 2.3}],
    [{"name": "gaussian-blur", "sigma": "0..3"}],
    [{"name": "motion-blur", "length": "5..21", "angle": "0..180"}],
    [{"name": "motion-blur", "severity": "0..5"}],
    [{"name": "defocus", "radius": "0..5", "edge": 0.5}],
    [{"name": "defocus", "radius": 4, "linear": "any"}],
    [{"name": "gaussian-blur", "sigma": "1..2", "probability": 0.5}, {"name": "defocus", "random": True}],
]


@pytest.mark.parametrize("specs", BLURS)
def test_blur_is_that_of_the_host(specs, photo):
    images = np.stack([photo[:, 10 * i : 10 * i + 50, 7 * i : 7 * i + 40] for i in range(8)])
    np.testing.assert_allclose(on_device(specs, images), on_host(specs, images), atol=2e-6)


@pytest.mark.parametrize("quality", [1, 10, 49, 50, 75, 100])
def test_quantization_tables_are_those_that_pillow_writes(quality):
    import io

    from PIL import Image, JpegImagePlugin

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16)).save(buffer, "JPEG", quality=quality)
    written = Image.open(buffer).quantization
    zigzag = np.array(JpegImagePlugin.zigzag_index) if hasattr(JpegImagePlugin, "zigzag_index") else None
    for ours, theirs in zip(quantization_tables(quality), (written[0], written[1]), strict=True):
        assert sorted(ours.ravel().astype(int)) == sorted(theirs)
        if zigzag is None:  # Pillow gives them in natural order since 8.3
            assert ours.ravel().astype(int).tolist() == list(theirs)


@pytest.mark.parametrize("subsampling", ["4:4:4", "4:2:2", "4:2:0"])
@pytest.mark.parametrize("quality", [10, 30, 75, 95])
@pytest.mark.parametrize("size", [(96, 96), (61, 45)])
def test_jpeg_is_that_of_pillow_to_a_fifth_of_a_level(photo, quality, subsampling, size):
    images = np.stack([photo[:, i : i + size[0], 2 * i : 2 * i + size[1]] for i in (0, 30, 50)])
    specs = [{"name": "jpeg", "quality": quality, "subsampling": subsampling}]
    ours, theirs = on_device(specs, images), on_host(specs, images)
    assert np.abs(ours - theirs).mean() * 255 < 0.2
    psnrs = [-10 * np.log10(((x - images) ** 2).mean()) for x in (ours, theirs)]
    assert psnrs[0] == pytest.approx(psnrs[1], abs=0.05)


def test_jpeg_with_drawn_qualities_and_sizes_is_that_of_pillow(photo):
    images = np.stack([photo[:, i : i + 64, i : i + 64] for i in range(12)])
    specs = [{"name": "jpeg", "quality": "10..90", "subsampling": "any", "probability": 0.7}]
    ours, theirs = on_device(specs, images), on_host(specs, images)
    assert np.abs(ours - theirs).mean((1, 2, 3)).max() * 255 < 0.3


def test_gray_jpeg_is_that_of_pillow_in_one_channel_and_in_three_equal_ones(photo):
    images = np.ascontiguousarray(photo[None, :1, :64, :64])
    specs = [{"name": "jpeg", "quality": 30}]
    ours, theirs = on_device(specs, images), on_host(specs, images)
    assert np.abs(ours - theirs).mean() * 255 < 0.2
    repeated = on_device(specs, np.repeat(images, 3, 1))
    np.testing.assert_array_equal(repeated, np.repeat(ours, 3, 1))


CHAIN = [
    {"name": "gaussian-blur", "sigma": "0.5..2", "probability": 0.8},
    {"name": "poisson", "peak": "log 5..60"},
    {"name": "speckle", "severity": "0..3"},
    {"name": "gaussian", "sigma": "1..30"},
    {"name": "salt-pepper", "amount": 0.02, "random_valued": True},
    {"name": "jpeg", "quality": "30..95"},
]


def test_a_sample_does_not_depend_on_its_batch(photo):
    """To the rounding of float32: sums over batches of other sizes may be ordered in another way."""
    images = np.stack([photo[:, i : i + 40, i : i + 40] for i in range(6)])
    chain = Chain.from_specs(CHAIN)
    ours = DeviceChain(chain)
    drawn = [chain.draw_each(image_rng(0, str(i), "draw")) for i in range(6)]
    numbers = torch.arange(6) + 100
    whole = ours.apply(torch.as_tensor(images), ours.values(drawn), KEY, numbers)
    for cut in (slice(0, 2), slice(2, 3), slice(3, 6)):
        part = ours.apply(torch.as_tensor(images[cut]), ours.values(drawn[cut]), KEY, numbers[cut])
        assert float((part - whole[cut]).abs().gt(1e-5).float().mean()) < 1e-3


def test_a_chain_has_the_law_that_it_has_on_the_host():
    images = flat(0.5, count=48)
    alike(on_device(CHAIN[:5], images), on_host(CHAIN[:5], images))


def test_gray_samples_have_one_field_in_all_channels():
    images, gray = flat(0.5, count=2), torch.tensor([True, False]).reshape(2, 1, 1, 1)
    for specs in ([{"name": "gaussian", "sigma": 25}], CHAIN[1:5]):
        found = on_device(specs, images, gray=gray)
        np.testing.assert_array_equal(found[0, 0], found[0, 2])
        assert not np.array_equal(found[1, 0], found[1, 2])


@pytest.mark.parametrize(
    ("specs", "words"),
    [
        (["gaussian", "rain"], "rain is done on the host alone; on the device are gaussian, poisson"),
        ([{"name": "speckle", "law": "any"}], "law: gamma is done on the host alone"),
    ],
)
def test_what_the_device_does_not_do_is_named(specs, words):
    chain = Chain.from_specs(specs)
    assert words in host_only(chain)
    with pytest.raises(UsageError, match=r"on the host alone"):
        DeviceChain(chain)
