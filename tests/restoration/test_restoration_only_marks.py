"""A network against scratches changes pixels on and near marks that look like paint, and no other."""

import numpy as np
import pytest
import torch
from scipy import ndimage

import restorecli
from restorecli.core.restorer import RestorerSpec
from restorecli.core.shipped import find_shipped
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.damage_masks import damage_mask
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.only_marks import OnlyMarks, only_marks
from restorecli.restoration.restorer import Restorer

FAR = 5
"""Pixels from a mark from which on nothing may change."""


class Answer(Restorer):
    """A network that gives what it was told to."""

    spec = RestorerSpec(name="answer", channels=3, whole=True)

    def __init__(self, pixels) -> None:
        self.pixels = pixels

    def __call__(self, batch):
        return torch.from_numpy(self.pixels)[None]


@pytest.fixture(scope="module")
def scratched():
    """A photograph, the same with scratches, and where they are."""
    clean = np.ascontiguousarray(read_sample("chelsea").pixels[:, 40:232, 100:292])
    before, steps = degrade_array(clean, Chain.from_specs([{"name": "scratches", "severity": 3}]), 0, "marks")
    return clean, before, damage_mask((192, 192), steps, 0, "marks")


def _restless(pixels):
    """What a network might give that changes everything a little."""
    noise = np.random.default_rng(0).normal(0, 0.004, pixels.shape)
    return np.asarray(np.clip(pixels + noise, 0, 1), np.float32)


@pytest.mark.parametrize("channels", [3, 1])
def test_pixels_far_from_marks_are_equal_bit_for_bit(scratched, channels) -> None:
    clean, before, painted = (part[:channels] if part.ndim == 3 else part for part in scratched)
    before = before.copy()
    before[:, :2] = 1.25  # what lies outside [0, 1] comes through, too
    painted = painted.copy()
    painted[:2] = False
    judged = only_marks(before, np.where(painted, clean, _restless(before)))
    changed = (judged.pixels != before).any(axis=0)
    assert judged.count > 5
    assert judged.share == pytest.approx(changed.mean(), abs=0.01)
    assert not (changed & (ndimage.distance_transform_edt(~painted) > FAR)).any()
    error = np.square(judged.pixels - clean)[:, painted].mean()
    assert error < 0.05 * np.square(before - clean)[:, painted].mean()


def test_what_is_no_paint_comes_back_as_it_was() -> None:
    clean = np.ascontiguousarray(read_sample("coffee").pixels[:, 40:232, 100:292])
    judged = only_marks(clean, np.asarray(ndimage.median_filter(clean, (1, 5, 5)), np.float32))
    assert (judged.count, judged.share) == (0, 0)
    np.testing.assert_array_equal(judged.pixels, clean)


@pytest.mark.parametrize(
    ("name", "top", "left", "lost"), [("coffee", 40, 100, -1.0), ("rocket", 227, 440, 8.0)]
)
def test_a_bright_brim_and_a_lamp_stay_beside_scratches(name, top, left, lost) -> None:
    """They were filled as scratches; the thin beams of the tower beside the lamp, some of them, still are."""
    pixels = read_sample(name).pixels[:, top : top + 192, left : left + 192]
    photo = np.rint(255 * pixels.transpose(1, 2, 0)).astype(np.uint8)
    scratched = restorecli.degrade_image(photo, [{"name": "scratches", "severity": 1}])
    restored = restorecli.restore_image(scratched, "sca-unet.scratches", precision="fp32")
    before, after = (restorecli.score(image, photo)["psnr"] for image in (scratched, restored))
    assert after > before - lost


def test_tiles_strength_and_findings_are_those_of_any_restorer(scratched) -> None:
    clean, before, painted = scratched
    restorer = ImageRestorer(OnlyMarks(Answer(clean)), strength=0.5)
    context = Context()
    restored = restorer(ImageData(before), context)[0]
    far = ndimage.distance_transform_edt(~painted) > FAR
    np.testing.assert_array_equal(restored.pixels[:, far], before[:, far])
    assert context.found.values["marks"] > 5
    assert 0.01 < context.found.values["marks_share"] < 0.5
    assert restored.traits.notes == (context.found.notes[0],)
    assert "marks filled" in restored.traits.notes[0]
    batch = torch.from_numpy(before)[None]
    direct = OnlyMarks(Answer(clean))(batch)[0].numpy()
    np.testing.assert_array_equal(direct, only_marks(before, clean).pixels)


def test_what_is_not_finite_is_not_hidden(scratched) -> None:
    broken = scratched[0].copy()
    broken[0, 0, 0] = np.nan
    assert torch.isnan(OnlyMarks(Answer(broken)).unchecked(torch.from_numpy(scratched[1])[None])).any()


def test_shipped_weights_change_marks_only_and_a_file_is_the_network_alone() -> None:
    photo = np.rint(255 * read_sample("coffee").pixels.transpose(1, 2, 0)[40:168, 100:228]).astype(np.uint8)
    np.testing.assert_array_equal(restorecli.restore_image(photo, "sca-unet.scratches"), photo)
    named = choose_restorer("scratch", device="cpu", precision="fp32")
    alone = choose_restorer(find_shipped("sca-unet.scratches").path, device="cpu", precision="fp32")
    assert isinstance(named, OnlyMarks)
    assert not isinstance(alone, OnlyMarks)
    assert named.identity() == {**alone.identity(), "only_marks": named.identity()["only_marks"]}
    assert named.spec == alone.spec
    assert named.in_float32() is None
