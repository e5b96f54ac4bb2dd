"""An image comes back as it came, in kind, layout, type and depth, with the values that files would have."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

import restorecli
from restorecli.errors import DataError, UsageError

RNG = np.random.default_rng(11)
COLORS = RNG.integers(0, 256, (24, 30, 3), dtype=np.uint8)

ARRAYS = {
    "gray": COLORS[:, :, 0],
    "gray with an axis": COLORS[:, :, :1],
    "colors": COLORS,
    "alpha": np.dstack([COLORS, COLORS[:, :, 0]]),
    "16 bits": COLORS.astype(np.uint16) * 257,
    "half": (COLORS / 255).astype(np.float16),
    "single": (COLORS / 255).astype(np.float32),
    "double": COLORS / 255,
    "16 bits, big-endian": (COLORS.astype(np.uint16) * 257).astype(">u2"),
    "single, big-endian": (COLORS / 255).astype(">f4"),
    "16 bits and alpha, big-endian": np.dstack([COLORS, COLORS[:, :, 0]]).astype(">u2"),
    "not contiguous": COLORS[::2, ::-1],
}
TENSORS = {
    "one": torch.from_numpy(COLORS / np.float32(255)).permute(2, 0, 1),
    "gray": torch.rand(1, 20, 25, generator=torch.Generator().manual_seed(0)),
    "batch": torch.rand(2, 3, 20, 25, generator=torch.Generator().manual_seed(0)),
    "bytes": torch.from_numpy(COLORS).permute(2, 0, 1),
    "bfloat16": torch.rand(3, 20, 25, generator=torch.Generator().manual_seed(0)).bfloat16(),
    "double": torch.rand(3, 20, 25, generator=torch.Generator().manual_seed(0)).double(),
    "with gradients": torch.rand(3, 20, 25, requires_grad=True),
}
IMAGES = {mode: Image.fromarray(COLORS).convert(mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA")}
IMAGES["I;16"] = Image.fromarray(COLORS[:, :, 0].astype(np.uint16) * 257)
UNCHANGED = {"model": "median", "strength": 0.0}


@pytest.mark.parametrize("case", ARRAYS)
def test_an_array_comes_back_as_it_came(case) -> None:
    same = restorecli.restore_image(ARRAYS[case], **UNCHANGED)
    assert (same.shape, same.dtype) == (ARRAYS[case].shape, ARRAYS[case].dtype)
    assert np.allclose(same, ARRAYS[case], atol=1e-7)
    other = restorecli.restore_image(ARRAYS[case], "median")
    assert (other.shape, other.dtype) == (ARRAYS[case].shape, ARRAYS[case].dtype)
    assert not np.array_equal(other, ARRAYS[case])


@pytest.mark.parametrize("case", TENSORS)
def test_a_tensor_comes_back_as_it_came(case) -> None:
    tensor = TENSORS[case]
    same = restorecli.restore_image(tensor, **UNCHANGED)
    assert (same.shape, same.dtype, same.device) == (tensor.shape, tensor.dtype, tensor.device)
    assert torch.allclose(same, tensor.detach(), atol=1e-7)


@pytest.mark.parametrize("mode", IMAGES)
def test_an_image_comes_back_as_it_came(mode) -> None:
    same = restorecli.restore_image(IMAGES[mode], **UNCHANGED)
    kept = {"1": "L", "P": "RGB"}.get(mode, mode)
    assert same.mode == kept
    assert np.array_equal(np.asarray(same), np.asarray(IMAGES[mode].convert(kept)))


def test_alpha_is_kept_and_metadata_goes_along() -> None:
    image = IMAGES["RGBA"].copy()
    image.putalpha(IMAGES["L"])
    image.info["icc_profile"] = b"profile"
    done = restorecli.restore_image(image, "gaussian", sigma=20)
    assert np.array_equal(np.asarray(done)[:, :, 3], np.asarray(image)[:, :, 3])
    assert done.info["icc_profile"] == b"profile"


def test_the_values_are_those_of_files(tmp_path) -> None:
    Image.fromarray(COLORS).save(tmp_path / "a.png")
    restorecli.restore(tmp_path / "a.png", tmp_path / "out", model="tv", sigma=20)
    with Image.open(tmp_path / "out" / "a.png") as written:
        assert np.array_equal(restorecli.restore_image(COLORS, "tv", sigma=20), np.asarray(written))


def test_a_network_restores_what_it_is_given_once_loaded() -> None:
    restorer = restorecli.load("sca-unet")
    tensor = TENSORS["batch"]
    assert torch.allclose(restorecli.restore_image(tensor, restorer), restorer(tensor), atol=1e-5)


def test_strength_mixes_input_and_output() -> None:
    image = ARRAYS["single"]
    whole, half = (restorecli.restore_image(image, "median", strength=share) for share in (1.0, 0.5))
    assert np.allclose(half, (image + whole) / 2, atol=1e-6)


def test_noise_has_its_level_and_follows_the_seed() -> None:
    gray = np.full((64, 64), 0.5)
    noise = [{"name": "gaussian", "sigma": 20}]
    first, again, other = (restorecli.degrade_image(gray, noise, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert 255 * first.std() == pytest.approx(20, rel=0.05)
    batch = restorecli.degrade_image(torch.full((2, 1, 64, 64), 0.5), noise)
    assert not torch.equal(batch[0], batch[1])


def test_only_floats_keep_what_is_outside_the_range() -> None:
    white, noise = np.ones((40, 40)), [{"name": "gaussian", "sigma": 50}]
    assert restorecli.degrade_image(white, noise).max() == 1
    assert restorecli.degrade_image(white, noise, unclipped=True).max() > 1.3
    with pytest.raises(UsageError, match="outside their range"):
        restorecli.degrade_image(COLORS, noise, unclipped=True)


def test_a_smaller_image_comes_back_smaller() -> None:
    assert restorecli.degrade_image(COLORS, [{"name": "downscale", "factor": 2}]).shape == (12, 15, 3)


@pytest.mark.parametrize(
    "kind", [np.asarray, Image.fromarray, lambda a: torch.from_numpy(a).permute(2, 0, 1)]
)
def test_scores_are_those_of_scikit_image(kind) -> None:
    noisy = np.clip(COLORS.astype(int) + RNG.integers(-20, 21, COLORS.shape), 0, 255).astype(np.uint8)
    found = restorecli.score(kind(noisy), kind(COLORS), metrics=["psnr", "ssim", "mae"])
    assert list(found) == ["psnr", "ssim", "mae"]
    assert found["psnr"] == pytest.approx(peak_signal_noise_ratio(COLORS, noisy), abs=1e-9)
    assert found["mae"] == pytest.approx(np.abs(noisy.astype(int) - COLORS).mean())
    assert restorecli.score(kind(COLORS), kind(COLORS), metrics=["psnr"]) == {"psnr": math.inf}


@pytest.mark.parametrize(
    ("image", "told"),
    [
        (COLORS.astype(np.float32), "divide by 255"),
        (COLORS.astype(np.float64) * 200, "divide by 65535"),
        (torch.from_numpy(COLORS).permute(2, 0, 1).float(), "divide by 255"),
        (COLORS / np.float32(127.5) - 1, "x / 2 + 0.5"),
        (np.full((4, 4), np.nan), "finite"),
        (COLORS.astype(np.int64), 'astype("uint8")'),
        (COLORS.astype(np.int32) * 100, 'astype("uint16")'),
        (COLORS.astype(np.int32) - 1000, "floats in [0, 1]"),
        (COLORS[:, :, 0] > 100, 'astype("uint8") * 255'),
        (torch.from_numpy(COLORS).permute(2, 0, 1).long(), "tensor.to(torch.uint8)"),
        (COLORS[None], "one image of a batch"),
        (torch.zeros(0, 3, 4, 4), "no images"),
        (torch.zeros(2, 4, 4, 3), "permute(0, 3, 1, 2)"),
        (Image.fromarray(COLORS[:, :, 0].astype(np.int32)), "numpy.uint16"),
        (Image.fromarray(COLORS[:, :, 0].astype(np.float32)), "white is 1"),
        (COLORS.transpose(2, 0, 1), "channels last"),
        (torch.from_numpy(COLORS / np.float32(255)), "channels first"),
        (torch.zeros(4, 4), "tensor[None]"),
        (np.zeros((0, 4)), "no pixels"),
        (Image.fromarray(COLORS).convert("CMYK"), 'convert("RGB")'),
        ("photo.jpg", "PIL.Image.open"),
        (None, "NumPy array"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_image_in_range_is_refused_and_what_to_do_is_said(image, told) -> None:
    for call in (restorecli.restore_image, lambda p: restorecli.degrade_image(p, ["gaussian"])):
        with pytest.raises(UsageError) as caught:
            call(image)
        assert told in str(caught.value)


def test_noise_far_beyond_the_range_is_still_an_image() -> None:
    noisy = restorecli.degrade_image(
        np.full((64, 64), 0.02), [{"name": "gaussian", "sigma": 50}], unclipped=True
    )
    assert noisy.min() < -0.5
    assert restorecli.restore_image(noisy, "median").shape == (64, 64)


@pytest.mark.parametrize(
    "options",
    [
        {"model": "sca-unet", "sigma": 20},
        {"model": "sca-unet", "mask": np.zeros((24, 30), bool)},
        {"model": "inpaint-harmonic", "mask": np.zeros((24, 31), bool)},
        {"model": "inpaint-harmonic", "mask": np.zeros((24, 30))},
        {"model": "tv", "strength": 1.5},
        {"model": "bicubic", "parameters": {"factor": 2}, "strength": 0.5},
        {"model": "tv", "tile": "large"},
    ],
    ids=lambda options: "-".join(options),
)
def test_options_that_do_not_fit_are_refused(options) -> None:
    with pytest.raises(UsageError) as caught:
        restorecli.restore_image(COLORS, **options)
    assert "--" not in str(caught.value)


def test_lost_pixels_are_filled_where_the_mask_says() -> None:
    ramp = np.tile(np.linspace(0, 1, 30, dtype=np.float32), (24, 1))
    mask = np.zeros(ramp.shape, bool)
    mask[8:14, 10:16] = True
    filled = restorecli.restore_image(np.where(mask, 0, ramp), "inpaint-harmonic", mask=mask)
    assert np.abs(filled - ramp).max() < 0.02


class Darker(torch.nn.Module):
    """A network of somebody's own: half as bright."""

    channels, scale, multiple, receptive_field = 3, 1, 1, 1

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x / 2


def test_a_network_of_ones_own_restores_images() -> None:
    half = restorecli.restore_image(ARRAYS["single"], Darker())
    assert np.allclose(half, ARRAYS["single"] / 2, atol=1e-6)
    assert torch.equal(restorecli.load(Darker())(torch.ones(1, 3, 4, 4)), torch.full((1, 3, 4, 4), 0.5))
    with pytest.raises(UsageError) as caught:
        restorecli.restore_image(COLORS, torch.nn.Identity())
    assert "Identity does not say what images it takes" in str(caught.value)
    assert "network.channels = 3; network.scale = 1" in str(caught.value)
    with pytest.raises(UsageError, match="nothing that restores"):
        restorecli.restore_image(COLORS, np.flip)


@pytest.mark.parametrize("given", [{"weights": "other.pth"}, {"parameters": {"weight": 1}}])
def test_what_is_for_names_is_refused_beside_a_network(given) -> None:
    for network in (Darker(), restorecli.load(Darker())):
        with pytest.raises(UsageError, match=f"{next(iter(given))} are for models that are named"):
            restorecli.restore_image(COLORS, network, **given)


@pytest.mark.parametrize("model", ["median", "dncnn"])
@pytest.mark.parametrize(
    "batch", [COLORS, torch.zeros(3, 8, 8), torch.zeros(1, 2, 8, 8), torch.zeros(0, 3, 8, 8)]
)
def test_a_restorer_takes_batches_only_and_says_what_takes_images(model, batch) -> None:
    with pytest.raises(UsageError) as caught:
        restorecli.load(model)(batch)
    assert "restorecli.restore_image(image, restorer)" in str(caught.value)


def test_a_single_name_needs_no_list() -> None:
    noisy = restorecli.degrade_image(COLORS, "gaussian", seed=1)
    assert np.array_equal(noisy, restorecli.degrade_image(COLORS, ["gaussian"], seed=1))
    weak = {"name": "gaussian", "sigma": 1}
    assert np.array_equal(restorecli.degrade_image(COLORS, weak), restorecli.degrade_image(COLORS, [weak]))
    assert list(restorecli.score(noisy, COLORS, metrics="mae")) == ["mae"]


def test_sixteen_bits_are_scored_as_scikit_image_does() -> None:
    reference = ARRAYS["16 bits"]
    near = reference + RNG.integers(0, 90, reference.shape).astype(np.uint16) % (
        65536 - reference.astype(int)
    )
    found = restorecli.score(near.astype(np.uint16), reference, protocol="unrounded")
    assert found["psnr"] == pytest.approx(
        peak_signal_noise_ratio(reference, near.astype(np.uint16), data_range=65535), abs=1e-3
    )
    expected = structural_similarity(
        reference / 65535,
        near / 65535,
        data_range=1,
        channel_axis=2,
        gaussian_weights=True,
        use_sample_covariance=False,
    )
    assert found["ssim"] == pytest.approx(expected, abs=1e-7)


def test_a_metric_says_what_it_needs() -> None:
    with pytest.raises(UsageError, match="psnr needs"):
        restorecli.score(COLORS)
    with pytest.raises(UsageError, match="mask"):
        restorecli.score(COLORS, COLORS, metrics=["psnr-inside"])
    with pytest.raises(DataError, match="shape"):
        restorecli.score(COLORS, COLORS[:-1])
    with pytest.raises(UsageError, match="batch"):
        restorecli.score(TENSORS["batch"], TENSORS["batch"])


@pytest.mark.parametrize(
    ("values", "chosen"),
    [
        (COLORS[:, :, 0].astype(np.uint16) * 16, "auto"),
        (COLORS[:, :, 0].astype(np.int32) * 1000 - 70_000, "-70000..200000"),
        (COLORS[:, :, 0].astype(np.float64) * 1e4 - 1e5, "0..1e6"),
        (torch.from_numpy(COLORS[None, :, :, 0].astype(np.float32)), "0..255"),
    ],
    ids=["12 bits", "int32", "double", "tensor"],
)
def test_values_of_any_range_come_back_on_it(values, chosen) -> None:
    same = restorecli.restore_image(values, range=chosen, **UNCHANGED)
    assert (same.dtype, same.shape) == (values.dtype, values.shape)
    assert np.allclose(same, values, rtol=1e-6, atol=0.05)
    eight_bits = restorecli.restore_image(COLORS[:, :, 0], "median")
    smoothed = np.asarray(restorecli.restore_image(values, "median", range=chosen), np.float64)
    low, high = float(values.min()), float(values.max())
    step = (high - low) / float(COLORS[:, :, 0].max() - COLORS[:, :, 0].min())
    assert np.allclose((np.squeeze(smoothed) - low) / step + COLORS[:, :, 0].min(), eight_bits, atol=0.01)


def test_what_is_no_range_is_refused_and_stacks_are_told_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"LOW\.\.HIGH"):
        restorecli.restore_image(COLORS, range="12 bits")
    with pytest.raises(UsageError, match="plane by plane"):
        restorecli.restore_image(np.zeros((12, 40, 50), np.uint16))
    with pytest.raises(UsageError, match="not finite"):
        restorecli.restore_image(np.full((4, 4), np.nan), range="0..100")
