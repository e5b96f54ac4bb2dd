"""Laws that hold for every degradation of the catalog; adding one adds its tests."""

import numpy as np
import pytest

from restorecli.degradation.catalog import ALIASES, DEGRADATIONS, find
from restorecli.degradation.chain import Chain, image_rng
from restorecli.degradation.families.compression import Jpeg
from restorecli.errors import UsageError
from restorecli.testing import DEGRADATION_LAWS
from restorecli.testing.degradations import far_pixels_count, make_image

ALONE = [name for name in DEGRADATIONS if not find(name).also_depends_on]
OF_THE_WHOLE = ("camera-noise", "halftone-screen")
"""What draws a number for each pixel and spreads it, or lies on a grid: a crop alone gets others."""


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("law", DEGRADATION_LAWS, ids=lambda law: law.__name__)
def test_law(law, name) -> None:
    law(name)


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_the_catalog_says_what_it_is(name) -> None:
    assert DEGRADATIONS[name].summary


def test_the_margin_of_an_old_photo_holds_where_no_block_of_jpeg_hides_it(monkeypatch) -> None:
    monkeypatch.setattr(Jpeg, "apply", lambda self, image, rng: image)
    for seed in range(40):
        (step,) = Chain.from_specs([{"name": "old-photo", "random": True}]).draw(np.random.default_rng(seed))
        assert not far_pixels_count(step, seed), step
    assert 3 < Chain.from_specs(["old-photo"]).margin < 16


@pytest.mark.parametrize("name", [name for name in ALONE if find(name)().margin and name not in OF_THE_WHOLE])
def test_a_crop_with_margin_equals_the_crop_of_the_whole(name) -> None:
    """Blur at the border of a training crop is true: `margin` away from a cut nothing depends on the cut."""
    step = find(name)()
    image = make_image(3, 96, 112)
    margin = Chain.from_specs([name]).margin
    whole = step.apply(image, image_rng(0, "k"))
    cut = step.apply(image[:, 16 : 48 + 2 * margin, 8 : 40 + 2 * margin], image_rng(0, "k"))
    inner, scale = margin // step.scale, step.scale
    expected = whole[:, 16 // scale + inner :, 8 // scale + inner :][:, : 32 // scale, : 32 // scale]
    np.testing.assert_allclose(cut[:, inner:-inner, inner:-inner], expected, atol=1e-6)


def test_aliases_name_degradations() -> None:
    assert find("blur") is DEGRADATIONS["gaussian-blur"].load()
    assert set(ALIASES.values()) <= set(DEGRADATIONS)
    assert not set(ALIASES) & set(DEGRADATIONS)
    with pytest.raises(UsageError, match="gaussian"):
        find("gausian")


def test_the_catalog_holds_what_was_promised() -> None:
    assert set(DEGRADATIONS) >= {
        "gaussian",
        "poisson",
        "salt-pepper",
        "speckle",
        "quantize",
        "gaussian-blur",
        "motion-blur",
        "defocus",
        "dither",
        "sand-dust",
        "jpeg",
        "downscale",
    }
