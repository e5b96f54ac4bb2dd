"""Large photographs, which are seldom sharp at each pixel: haze and dust are told from a reduced copy."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut
from skimage.metrics import peak_signal_noise_ratio

import restorecli
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis.deciding.naming import BLURS, TONES
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.large import LARGE_SIDE, diagnose_any_size
from restorecli.images.reading import read_image


def enlarged(image):
    """Return a sample three times as large, soft at each pixel: (3, H, W) in [0, 1]."""
    height, width = image.shape[:2]
    large = Image.fromarray(image).resize((3 * width, 3 * height), Image.Resampling.LANCZOS)
    return np.moveaxis(np.asarray(large, np.float32) / 255, -1, 0)


@pytest.fixture(scope="module")
def photo():
    return enlarged(astronaut()[:400, :400])


def models(found):
    return [step.model for step in found.steps]


def veiled(photo, *specs):
    return np.clip(degrade_array(photo, Chain.from_specs(specs), 1, "photo")[0], 0, 1)


def test_a_veil_over_a_large_soft_photograph_is_found(photo) -> None:
    hazy = veiled(photo, {"name": "haze", "severity": 3})
    assert "sca-unet.haze" not in models(diagnose(hazy))
    assert models(diagnose_any_size(hazy)) == ["sca-unet.haze"]


def test_what_full_resolution_shows_is_undone_in_the_known_order(photo) -> None:
    found = diagnose_any_size(veiled(photo, {"name": "haze", "severity": 3}, {"name": "jpeg", "quality": 50}))
    assert [one.damage for one in found.findings] == ["haze", "jpeg"]
    assert models(found) == ["sca-unet.haze", "sca-unet.jpeg"]


def test_without_a_veil_and_below_that_size_nothing_changes(photo) -> None:
    assert max(photo.shape[1:]) >= LARGE_SIDE
    assert diagnose_any_size(photo) == diagnose(photo)
    small = veiled(photo[:, ::3, ::3], {"name": "haze", "severity": 3})
    assert diagnose_any_size(small) == diagnose(small)


def test_a_strip_too_narrow_to_be_reduced_is_looked_at_as_it_is() -> None:
    strip = np.random.default_rng(0).random((1, 40, 3000), np.float32)
    assert diagnose_any_size(strip) == diagnose(strip)


def enlarged_print(*specs):
    """Return a small print enlarged 2.5 times by Pillow, with all that it has: (3, 480, 480) in [0, 1]."""
    small = np.moveaxis(astronaut()[:192, 120:312], -1, 0).astype(np.float32) / 255
    small = np.moveaxis(veiled(small, *specs), 0, -1) if specs else np.moveaxis(small, 0, -1)
    sizes = (480, 480)
    large = Image.fromarray(np.rint(255 * small).astype(np.uint8)).resize(sizes, Image.Resampling.BICUBIC)
    return np.moveaxis(np.asarray(large, np.float32) / 255, -1, 0)


@pytest.mark.parametrize("more", [(), ({"name": "film-grain", "severity": 1},)])
def test_a_faded_print_that_was_enlarged_is_not_taken_for_blurred(more) -> None:
    faded = enlarged_print({"name": "fade", "severity": 3}, *more)
    assert [one.damage for one in diagnose(faded).findings] == ["defocus"]
    found = diagnose_any_size(faded)
    assert [one.damage for one in found.findings] == ["fade"]
    assert models(found) == ["sca-unet.scratches", "sca-unet.old-photo", "sca-unet.grain"]


def test_an_enlarged_photograph_with_full_lights_and_noise_is_no_faded_print(data_folder) -> None:
    """Brown elephants in brown grass: 27.7 dB became 19.5, for their tones were given back."""
    photo = read_image(data_folder / "bsds400" / "107072.jpg").pixels
    top, left = ((side - 192) // 2 for side in photo.shape[1:])
    noisy = veiled(photo[:, top : top + 192, left : left + 192], {"name": "camera-noise", "severity": 3})
    rounded = Image.fromarray(np.rint(255 * np.moveaxis(noisy, 0, -1)).astype(np.uint8))
    large = np.moveaxis(
        np.asarray(rounded.resize((480, 480), Image.Resampling.BICUBIC), np.float32) / 255, -1, 0
    )
    assert TONES.isdisjoint(one.damage for one in diagnose_any_size(large).findings)


def test_what_a_faded_print_gains_once_it_is_known() -> None:
    faded, clean = enlarged_print({"name": "fade", "severity": 3}), enlarged_print()
    restored = np.moveaxis(restorecli.restore_image(np.moveaxis(faded, 0, -1)), -1, 0)
    before, after = (peak_signal_noise_ratio(clean, image, data_range=1) for image in (faded, restored))
    assert after > before + 3


@pytest.mark.parametrize("blur", ["gaussian-blur", "defocus", "motion-blur"])
def test_a_blur_without_fading_stays_a_blur(blur) -> None:
    blurred = veiled(enlarged_print(), {"name": blur, "severity": 3})
    found = diagnose_any_size(blurred)
    assert not BLURS.isdisjoint(one.damage for one in found.findings)
    assert found == diagnose(blurred)


def test_an_enlarged_photograph_that_did_not_fade_is_told_as_before() -> None:
    for image in (enlarged_print(), enlarged_print({"name": "film-grain", "severity": 3})):
        assert diagnose_any_size(image) == diagnose(image)
