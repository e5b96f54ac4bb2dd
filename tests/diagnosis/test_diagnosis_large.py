"""Large photographs, which are seldom sharp at each pixel: haze and dust are told from a reduced copy."""

import numpy as np
import pytest
from PIL import Image
from skimage.data import astronaut

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.diagnosis.diagnosing import diagnose
from restorecli.diagnosis.large import LARGE_SIDE, diagnose_any_size


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
