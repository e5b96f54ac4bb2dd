"""Deblurring: exact where nothing is lost, scikit-image as the judge, and what noise and borders cost."""

import numpy as np
import pytest
from scipy import ndimage, signal
from skimage import data, restoration

from restorecli.degradation.families.blur import gaussian_weights, motion_kernel
from restorecli.degradation.operators import Convolution, PointSpread, operator_of
from restorecli.errors import ImageError
from restorecli.restoration.context import Context
from restorecli.restoration.methods.catalog import create_method
from restorecli.restoration.methods.classical.blind import overshoot, weight_of
from restorecli.restoration.methods.classical.blur_signs import smoothness
from restorecli.restoration.methods.classical.boundaries import extend
from restorecli.restoration.methods.classical.deconvolution import pseudo_inverse, wiener_filter
from restorecli.restoration.methods.classical.kernel_estimate import (
    cleaned,
    estimate_kernel,
    sparse_gradients,
)

MOTION = PointSpread.centered(motion_kernel(9, 30))
SOFT = PointSpread.centered(np.outer(gaussian_weights(1.2), gaussian_weights(1.2)))
DEBLURRING = ("inverse", "wiener-deconv", "richardson-lucy", "unsupervised-wiener")


@pytest.fixture(scope="module")
def photo():
    """A part of scikit-image's cameraman, (1, 128, 160) float32."""
    return (data.camera()[100:228, 160:320] / 255).astype(np.float32)[None]


def psnr(one, other):
    error = np.mean((np.clip(one, 0, 1).astype(float) - other) ** 2)
    return float(-10 * np.log10(max(error, 1e-20)))


def blurred(photo, spread, sigma=0.0, boundary="mirror"):
    noise = np.random.default_rng(0).standard_normal(photo.shape) * sigma / 255
    return (Convolution(spread, 1, boundary).forward(photo) + noise).astype(np.float32)


def restore(name, pixels, spread, sigma=0.0, **parameters):
    known = Context(sigma=sigma, operator=Convolution(spread))
    return create_method(name, parameters).restore(pixels, known)


@pytest.mark.parametrize("prior", ["flat", "laplacian"])
def test_without_noise_and_with_no_ratio_the_original_comes_back(photo, prior) -> None:
    """The law of SYSTEMS.md: NSR -> 0 on noiseless circular blur gives more than 60 dB."""
    kernel = PointSpread.centered(np.array([[0.05, 0.1, 0.02], [0.1, 0.5, 0.1], [0.03, 0.05, 0.05]]))
    given = Convolution(kernel, 1, "circular").forward(photo.astype(np.float64))
    result = restore("wiener-deconv", given, kernel, rim="circular", balance=1e-12, prior=prior)
    assert psnr(result, photo) > 60
    assert psnr(restore("inverse", given, kernel, rim="circular", least=0.01), photo) > 60
    assert psnr(given, photo) < 35


@pytest.mark.parametrize("prior", ["flat", "laplacian"])
def test_the_wiener_filter_is_scikit_images(photo, prior) -> None:
    given = blurred(photo, MOTION, 2.0)
    flat = {"reg": np.array([[1.0]]), "is_real": True} if prior == "flat" else {}
    expected = restoration.wiener(given[0].astype(float), MOTION.kernel, 0.01, clip=False, **flat)
    result = restore("wiener-deconv", given, MOTION, rim="circular", balance=0.01, prior=prior)
    np.testing.assert_allclose(result[0], expected, atol=1e-4)


def test_the_unsupervised_filter_is_scikit_images(photo) -> None:
    given = blurred(photo, SOFT, 2.0)
    steps = {"max_num_iter": 40, "burnin": 15, "min_num_iter": 30}
    expected, _ = restoration.unsupervised_wiener(
        given[0].astype(float), SOFT.kernel, user_params=steps, clip=False, rng=np.random.default_rng(0)
    )
    result = restore("unsupervised-wiener", given, SOFT, rim="circular", samples=40)
    np.testing.assert_allclose(result[0], expected, atol=1e-5)


def test_richardson_lucy_is_scikit_images_away_from_the_border(photo) -> None:
    given = blurred(photo, SOFT) + np.float32(0.01)
    ours = restore("richardson-lucy", given, SOFT, iterations=8)
    # scikit-image starts from 0.5 and pads with 0: a wide mirrored margin keeps that away.
    wide = np.pad(given[0].astype(float), 60, mode="symmetric")
    from_half = restoration.richardson_lucy(wide, SOFT.kernel, 9, clip=False)[60:-60, 60:-60]
    # Its first step is ours from a flat image: both then climb the same likelihood to almost one place.
    assert psnr(ours[0], from_half) > 40
    assert psnr(ours, photo) > psnr(given, photo) + 1


def test_richardson_lucy_keeps_light_and_stays_positive(photo) -> None:
    """Its laws on a closed world: no pixel below 0, and the weighted sum of light is that of the image."""
    given = blurred(photo, MOTION, 5.0)
    result = restore("richardson-lucy", given, MOTION, iterations=5).astype(np.float64)
    share = Convolution(MOTION).adjoint(np.ones_like(result))
    assert result.min() >= 0
    assert (result * share).sum() == pytest.approx(np.maximum(given, 0).sum(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("sigma", [0.3, 2.0, 10.0])
def test_the_inverse_follows_the_noise(photo, sigma) -> None:
    given = blurred(photo, SOFT, sigma)
    assert psnr(restore("inverse", given, SOFT, sigma), photo) > psnr(given, photo) + 0.5
    followed = restore("inverse", given, SOFT, sigma, least=0.07 * sigma**0.75)
    np.testing.assert_allclose(restore("inverse", given, SOFT, sigma), followed, atol=1e-6)


@pytest.mark.parametrize("name", DEBLURRING[1:])
@pytest.mark.parametrize("spread", [SOFT, MOTION], ids=["soft", "motion"])
def test_noise_and_rims_are_survived(photo, name, spread) -> None:
    given = blurred(photo, spread, 2.0)
    gain = psnr(restore(name, given, spread, 2.0), photo) - psnr(given, photo)
    assert gain > 1


def test_a_mirrored_rim_is_exact_for_a_kernel_that_mirrors_and_an_unknown_one_for_all(
    photo,
) -> None:
    soft = restore("wiener-deconv", blurred(photo, SOFT), SOFT, balance=1e-9)
    assert psnr(soft, photo) > 40
    given = blurred(photo, MOTION, 0.3)
    by_boundary = {
        rim: psnr(restore("wiener-deconv", given, MOTION, 0.3, rim=rim), photo)
        for rim in ("auto", "mirror", "taper", "circular")
    }
    assert by_boundary["auto"] > 5 + max(by_boundary[rim] for rim in ("mirror", "taper", "circular"))


def test_the_balance_follows_the_noise(photo) -> None:
    given = blurred(photo, SOFT, 8.0)
    right = psnr(restore("wiener-deconv", given, SOFT, 8.0), photo)
    assert right > psnr(restore("wiener-deconv", given, SOFT, 0.5), photo) + 3
    assert right > psnr(restore("wiener-deconv", given, SOFT, 80.0), photo)
    unknown = Context(operator=Convolution(SOFT))
    assert psnr(create_method("wiener-deconv").restore(given, unknown), photo) > right - 0.5
    assert unknown.found.values["estimated_sigma"] == pytest.approx(8, abs=2.5)


def test_richardson_lucy_stops_at_the_noise(photo) -> None:
    known = Context(sigma=5.0, operator=Convolution(SOFT))
    create_method("richardson-lucy").restore(blurred(photo, SOFT, 5.0), known)
    early = known.found.values["iterations"]
    exact = Context(sigma=0.0, operator=Convolution(SOFT))
    create_method("richardson-lucy").restore(blurred(photo, SOFT), exact)
    assert 0 < early < exact.found.values["iterations"] == 50


def test_the_filters_themselves() -> None:
    spectrum = np.array([1.0, 0.5j, 0.005, 0.0])
    np.testing.assert_allclose(pseudo_inverse(spectrum, 0.01), [1, -2j, 0, 0])
    np.testing.assert_allclose(wiener_filter(spectrum, 0.25), [0.8, -1j, 0.005 / 0.250025, 0])


@pytest.mark.parametrize("rim", ["mirror", "taper", "unknown"])
@pytest.mark.parametrize("shape", [(20, 31), (5, 4)])
def test_an_extension_holds_the_image_and_has_no_seam(rim, shape) -> None:
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    plane = np.sin(rows / 9) + columns / 20
    extended, place = extend(plane, MOTION, rim)
    np.testing.assert_array_equal(extended[place], plane)
    steepest = max(np.abs(np.diff(plane, axis=axis)).max() for axis in (0, 1))
    around = [np.roll(extended, 1, axis) - extended for axis in (0, 1)]
    assert max(np.abs(step).max() for step in around) < 4 * steepest


@pytest.mark.parametrize("name", DEBLURRING)
def test_what_is_not_known_or_no_blur_is_an_error_of_the_image(photo, name) -> None:
    with pytest.raises(ImageError, match="which kernel"):
        create_method(name).restore(photo, Context())
    half = operator_of([{"name": "downscale", "factor": 2}])
    with pytest.raises(ImageError, match="blur only"):
        create_method(name).restore(photo, Context(operator=half))


# Blind


def curved_kernel():
    """A hook, 9 px wide: no symmetry that hides a mirrored or turned estimate."""
    kernel = np.zeros((11, 11))
    kernel[2, 2:9] = 1
    kernel[2:8, 8] = 1
    kernel[7, 6:9] = 0.7
    return kernel / kernel.sum()


def likeness(one, other):
    """Return the largest normalized correlation over all shifts; 1 for equal kernels."""
    return signal.correlate2d(one, other).max() / np.sqrt((one**2).sum() * (other**2).sum())


def test_a_kernel_is_found_and_the_image_sharpened() -> None:
    photo = (data.camera()[60:316, 120:376] / 255).astype(np.float32)[None]
    spread = PointSpread.centered(curved_kernel())
    given = blurred(photo, spread, 1.0)
    known = Context()
    result = create_method("blind-deconv", {"size": 15}).restore(given, known)
    kernel = known.found.images["kernels"]
    assert kernel.shape == (1, 15, 15)
    assert kernel.max() == pytest.approx(1)
    assert kernel.min() >= 0
    assert likeness(kernel[0], spread.kernel) > 0.85
    assert likeness(kernel[0], spread.kernel[::-1, ::-1]) < 0.8
    inside = (slice(None), slice(16, -16), slice(16, -16))
    shifts = [(row, column) for row in range(-3, 4) for column in range(-3, 4)]
    best = max(psnr(np.roll(result, shift, (1, 2))[inside], photo[inside]) for shift in shifts)
    assert best > psnr(given[inside], photo[inside]) + 3


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_sharp_image_comes_back_as_it_was(noise) -> None:
    sharp = (data.camera()[60:188, 120:248] / 255).astype(np.float32)[None]
    given = blurred(sharp, PointSpread.centered(np.ones((1, 1))), noise)
    known = Context()
    np.testing.assert_array_equal(create_method("blind-deconv").restore(given, known), given)
    assert known.found.values["left_as_it_was"] == "the image is sharp"


def test_a_kernel_that_only_half_of_the_image_supports_is_not_used() -> None:
    """The left half moved across, the right half down: one kernel explains neither."""
    photo = (data.camera()[60:188, 120:248] / 255).astype(np.float32)[None]
    across, down = PointSpread.centered(np.ones((1, 13)) / 13), PointSpread.centered(np.ones((13, 1)) / 13)
    given = np.concatenate([blurred(photo, across, 0.5)[..., :64], blurred(photo, down, 0.5)[..., 64:]], 2)
    known, insisted = Context(), Context()
    np.testing.assert_array_equal(create_method("blind-deconv").restore(given, known), given)
    assert known.found.values["kernel_likeness"] < 0.75
    assert "kernels" in known.found.images
    result = create_method("blind-deconv", {"certain": 0}).restore(given, insisted)
    assert np.abs(result - given).max() > 0.05


@pytest.mark.slow
def test_blind_deconvolution_does_no_harm() -> None:
    """Crops of photographs, blurred, noisy or as they were: none loses 0.1 dB, and the mean gains."""
    box = PointSpread.centered(np.ones((1, 1)))
    disk = np.hypot(*np.mgrid[-3:4, -3:4]) <= 3.2
    cases = (
        (PointSpread.centered(np.outer(gaussian_weights(2), gaussian_weights(2))), 0.0),
        (MOTION, 0.0),
        (PointSpread.centered(motion_kernel(15, 100)), 0.0),
        (PointSpread.centered(disk / disk.sum()), 2.0),
        (box, 0.0),
        (box, 10.0),
    )
    gains = []
    photos = (
        data.camera()[100:228, 200:328],
        data.coins()[20:148, 20:148],
        data.moon()[200:328, 200:328],
    )
    for number, (spread, noise) in enumerate(cases):
        for photo in (photos[number % 3], photos[(number + 1) % 3]):
            sharp = (photo / 255).astype(np.float32)[None]
            given = blurred(sharp, spread, noise)
            result = np.clip(create_method("blind-deconv").restore(given, Context()), 0, 1)
            gains.append(psnr(result, sharp) - psnr(given, sharp))
    assert min(gains) > -0.1
    assert np.mean(gains) > 0.5


def test_a_result_that_rings_is_given_back(monkeypatch) -> None:
    """Both halves agree on a kernel that is wrong: a comb of far points, which nothing was blurred by."""
    comb = np.zeros((15, 15))
    comb[7, ::7] = 1 / 3
    monkeypatch.setattr(
        "restorecli.restoration.methods.classical.blind.estimate_kernel", lambda *_, **__: comb
    )
    photo = (data.camera()[60:188, 120:248] / 255).astype(np.float32)[None]
    given, known = blurred(photo, MOTION), Context()
    np.testing.assert_array_equal(create_method("blind-deconv").restore(given, known), given)
    assert known.found.values["left_as_it_was"] == "the result rings"


def test_the_light_of_the_result_lies_where_it_lay(monkeypatch, photo) -> None:
    """A kernel that is off by parts of a pixel moves the image, and the move is undone."""
    off = np.clip(ndimage.shift(np.pad(SOFT.kernel, (15 - len(SOFT.kernel)) // 2), (0.4, -0.3)), 0, None)
    monkeypatch.setattr(
        "restorecli.restoration.methods.classical.blind.estimate_kernel", lambda *_, **__: off / off.sum()
    )
    given = blurred(photo, SOFT)
    result = create_method("blind-deconv", {"certain": 0, "size": 15}).restore(given, Context())
    inside = (slice(None), slice(8, -8), slice(8, -8))
    shifts = [(row, column) for row in np.arange(-0.6, 0.61, 0.2) for column in np.arange(-0.6, 0.61, 0.2)]
    best = max(shifts, key=lambda shift: psnr(ndimage.shift(result, (0, *shift))[inside], photo[inside]))
    np.testing.assert_allclose(best, 0, atol=0.21)
    assert psnr(result[inside], photo[inside]) > psnr(given[inside], photo[inside]) + 2


def test_overshoot_is_measured_beyond_the_range_of_the_input() -> None:
    assert overshoot(np.array([[-1.0, 0.5]]), np.array([[0.0, 0.9]])) == pytest.approx(255 * np.sqrt(0.5))
    assert overshoot(np.array([[0.1, 0.8]]), np.array([[0.0, 0.9]])) == 0


def test_a_kernel_deserves_the_more_of_the_result_the_more_certain_it_is() -> None:
    assert [weight_of(alike, 0.75) for alike in (0.75, 0.85, 0.95, 1)] == pytest.approx([0, 0.5, 1, 1])
    assert weight_of(0.97, 0.96) == 1


def test_smoothness_is_that_of_steps_and_slopes() -> None:
    """Closed forms: a random walk has S(2) = 2 S(1), a slope S(2) = 4 S(1)."""
    rng = np.random.default_rng(0)
    down, right = (np.cumsum(rng.choice([-1.0, 1.0], 4000)) / 255 for _ in range(2))
    assert smoothness(down[:, None] + right) == pytest.approx(2, rel=0.1)
    assert smoothness(np.outer(np.ones(50), np.arange(60)) / 60) == pytest.approx(4)


def test_a_sharp_image_has_a_point_as_its_kernel() -> None:
    # A cartoon, since its sharpness is what the prior expects: few gradients.
    rng = np.random.default_rng(0)
    cartoon = np.kron(rng.integers(0, 5, (12, 12)) / 4, np.ones((10, 10)))
    kernel = estimate_kernel(cartoon, 9, sparsity=0.04, turns=5)
    assert kernel.sum() == pytest.approx(1)
    assert likeness(kernel, np.ones((1, 1))) > 0.9


def test_few_gradients_are_kept_where_they_are_large() -> None:
    step = np.zeros((24, 24))
    step[6:18, 6:18] = 1
    noisy = step + 0.02 * np.random.default_rng(0).standard_normal(step.shape)
    result = sparse_gradients(noisy, PointSpread.centered(np.ones((1, 1))), 0.01)
    gradients = np.abs(np.diff(result, axis=0)) > 0.05
    assert gradients.sum() == 2 * 12
    assert np.abs(result - step).max() < 0.06


def test_a_kernel_is_cleaned() -> None:
    kernel = np.zeros((7, 7))
    kernel[1, 1:4] = [1, 2, 1]
    kernel[5, 6] = 0.2  # an island
    kernel[3, 3] = -0.5
    result = cleaned(kernel)
    np.testing.assert_allclose(result[3, 2:5], [0.25, 0.5, 0.25])
    assert result.sum() == pytest.approx(1)
    point = cleaned(np.zeros((5, 5)))
    assert point[2, 2] == point.sum() == 1


def test_an_image_smaller_than_the_kernel_is_refused() -> None:
    with pytest.raises(ImageError, match="too small"):
        create_method("blind-deconv").restore(np.zeros((3, 28, 60), np.float32), Context())


@pytest.mark.parametrize("seed", range(4))
def test_a_measured_prior_keeps_brightness_where_the_spectrum_rises(seed) -> None:
    rng = np.random.default_rng(seed)
    fine = rng.normal(0, 0.2, (1, 40, 48)).astype(np.float32)
    rising = np.clip(0.5 + fine - np.roll(fine, 1, axis=2), 0, 1)
    spread = PointSpread.centered(motion_kernel(3, 0))
    restored = restore("wiener-deconv", rising, spread, prior="measured", rim="mirror")
    assert np.isfinite(restored).all()
    assert restored.mean() == pytest.approx(rising.mean(), abs=0.01)
