"""Scratches, fading and old photographs: closed forms, where the damage is, and that gray stays gray."""

import numpy as np
import pytest
from skimage.draw import disk

from restorecli.degradation.chain import Chain, degrade_array, image_rng, replay_steps
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.families.fade import Fade
from restorecli.degradation.families.noise import Gaussian
from restorecli.degradation.families.old_photo import OldPhoto
from restorecli.degradation.families.resize import Downscale
from restorecli.degradation.families.scratches import Scratches
from restorecli.degradation.families.strokes import Stroke, cover, marks, paint
from restorecli.degradation.folder import degrade_folder, replay
from restorecli.errors import UsageError
from restorecli.folders.manifest import Manifest
from restorecli.folders.walking import walk
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

BLACK = np.zeros(3, np.float32)


def stroke(*points, opacity=1.0, color=BLACK):
    return Stroke(np.array(points, float), opacity, np.asarray(color, np.float32))


def flat(value=0.5, channels=3, size=(60, 80)):
    return np.full((channels, *size), value, np.float32)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_a_straight_stroke_covers_its_area():
    plane = cover((40, 60), stroke((20, 10, 2), (20, 50, 2)), 1.0)
    assert plane[18:22, 12:48].min() == 1
    assert plane[:, 30].sum() == pytest.approx(4, abs=1e-6)
    assert plane.sum() == pytest.approx(40 * 4 + np.pi * 2**2, rel=0.02)


def test_a_disc_is_scikit_images():
    found = marks((40, 40), [stroke((20.5, 18.5, 6))], 0.1)
    expected = np.zeros((40, 40), bool)
    expected[disk((20, 18), 6.01)] = True
    assert (found ^ expected).sum() <= 4


def test_strokes_are_blended_by_their_opacity_and_gray_gets_their_luma():
    color, gray = flat(0.5, 3), flat(0.5, 1)
    red = stroke((30, 40, 5), opacity=0.4, color=(1, 0, 0))
    paint(color, [red], 0.5)
    paint(gray, [red], 0.5)
    np.testing.assert_allclose(color[:, 30, 40], [0.5 + 0.4 * 0.5, 0.3, 0.3], atol=1e-6)
    assert gray[0, 30, 40] == pytest.approx(0.5 + 0.4 * (0.299 - 0.5))
    assert color[:, 0, 0].tolist() == [0.5] * 3


@pytest.mark.parametrize("step", [Scratches(count=8, tears=1), Scratches(dust=40, count=0, speck=3.0)])
def test_the_mask_is_where_the_image_changed(step):
    """Outside only the faint borders are left; inside every pixel differs from a gray no stroke has."""
    image = flat(0.25)
    changed = np.abs(step.apply(image, rng()) - image).max(axis=0)
    mask = step.mask(image.shape[1:], rng())
    assert 0.01 < mask.mean() < 0.9
    assert changed[mask].min() > 0.01
    assert changed[~mask].max() < 0.25 * 0.8


def test_more_dust_leaves_the_scratches_where_they_were():
    few, many = (Scratches(count=5, dust=dust).strokes((50, 50), rng()) for dust in (0, 30))
    assert all(np.array_equal(a.points, b.points) for a, b in zip(few, many[: len(few)], strict=True))


def test_fading_follows_its_equation():
    step = Fade(
        red=0.9, green=0.8, blue=0.7, black=51.0, contrast=0.5, sepia=1.0, vignette=0, paper=0, grain=0
    )
    pixel = np.array([0.2, 0.4, 0.6])
    sepia = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]) @ pixel
    image = np.tile(pixel[:, None, None], (1, 4, 5)).astype(np.float32)
    expected = 0.2 + 0.5 * np.array([0.9, 0.8, 0.7]) * sepia
    np.testing.assert_allclose(step.apply(image, rng())[:, 1, 2], expected, atol=1e-6)


def test_the_vignette_takes_its_share_in_the_corners_and_nothing_in_the_middle():
    step = Fade(**{**Fade.identity, "vignette": 0.4})
    faded = step.apply(flat(1.0, size=(41, 61)), rng())
    assert faded[0, 0, 0] == pytest.approx(0.6)
    assert faded[0, 20, 30] == pytest.approx(1.0)


def test_grain_has_its_strength_and_is_alike_in_all_channels():
    step = Fade(**{**Fade.identity, "grain": 20.0})
    faded = step.apply(flat(size=(200, 200)), rng()) - 0.5
    assert faded[0].std() * 255 == pytest.approx(20, rel=0.03)
    np.testing.assert_allclose(faded[0], faded[2], atol=1e-6)


@pytest.mark.parametrize("step", [Fade(), Scratches(tears=1), OldPhoto()])
def test_gray_stays_one_channel_and_its_mask_is_that_of_the_color(step):
    gray, color = step.apply(flat(0.5, 1), rng()), step.apply(flat(0.5, 3), rng())
    assert gray.shape[0] == 1
    assert color.shape[0] == 3


def test_an_old_photo_loses_its_colors_when_it_is_told_to():
    step = OldPhoto(share=0, fade=0, count=0, dust=0, gray=1)
    image = rng(1).random((3, 20, 20), dtype=np.float32)
    worn = step.apply(image, rng())
    np.testing.assert_allclose(
        worn, np.tensordot([0.299, 0.587, 0.114], image, 1)[None].repeat(3, 0), atol=1e-6
    )


def test_the_four_steps_come_with_their_chance():
    image = rng(1).random((1, 24, 24), dtype=np.float32)
    left = [
        np.allclose(OldPhoto(share=0.5, fade=0, count=0, dust=0).apply(image, rng(seed)), image, atol=1e-6)
        for seed in range(400)
    ]
    assert np.mean(left) == pytest.approx(0.5**4, abs=0.04)


def test_an_old_photos_mask_is_that_of_its_scratches():
    step = OldPhoto(share=0, fade=0, gray=0, count=6)
    image = flat(0.25)
    changed = np.abs(step.apply(image, rng()) - image).max(axis=0) > 0.01
    mask = step.mask(image.shape[1:], rng())
    assert mask.any()
    assert changed[mask].all()
    assert not np.array_equal(mask, OldPhoto(count=6).mask(image.shape[1:], rng(1)))


def test_the_mask_of_a_chain_joins_its_steps_and_shrinks_with_them():
    steps = (Gaussian(), Scratches(count=3, dust=0), Downscale(factor=2), Scratches(count=2, dust=5))
    mask = damage_mask((41, 50), steps, 3, "k")
    first = Scratches(count=3, dust=0).mask((41, 50), image_rng(3, "k", "step", 1))
    last = Scratches(count=2, dust=5).mask((20, 25), image_rng(3, "k", "step", 3))
    expected = first[:40].reshape(20, 2, 25, 2).max(axis=(1, 3)) | last
    np.testing.assert_array_equal(mask, expected)
    assert damage_mask((41, 50), steps[:1], 3, "k") is None


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    for number, name in enumerate(("a.png", "cats/b.png", "cats/c.jpg", "cats/d.tiff")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = rng(number).random((3, 40, 50), dtype=np.float32)
        write_image(folder / name, ImageData(pixels, FileTraits()))
    return folder


def test_the_folder_job_writes_masks_and_names_them_in_the_manifest(photos, tmp_path):
    chain = Chain.from_specs(["gaussian", {"name": "scratches", "random": True}])
    degrade_folder(photos, tmp_path / "out", chain, seed=2, workers=2)
    records = Manifest(tmp_path / "out").read()
    assert {file.relative.as_posix() for file in walk(tmp_path / "out")} == set(records)
    for name, record in records.items():
        noise, scratches = record.degradations
        assert "mask" not in noise
        mask = read_image(tmp_path / "out" / scratches["mask"]).pixels
        image = read_image(photos / record.key).pixels
        result, steps = degrade_array(image, chain, 2, record.key)
        np.testing.assert_array_equal(mask[0] == 1, damage_mask(image.shape[1:], steps, 2, record.key))
        assert set(np.unique(mask)) <= {0.0, 1.0}
        assert replay_steps(image, steps, 2, record.key).tobytes() == result.tobytes()
        assert scratches["mask"].startswith("masks/")
        assert name


def test_a_second_run_makes_nothing_but_a_mask_that_is_missing(photos, tmp_path):
    chain, out = Chain.from_specs(["scratches"]), tmp_path / "out"
    degrade_folder(photos, out, chain)
    assert degrade_folder(photos, out, chain).skipped == 4
    (out / "masks" / "cats" / "b.png").unlink()
    assert degrade_folder(photos, out, chain).written == 1
    replay(out, tmp_path / "again")
    for file in (out / "masks").rglob("*.png"):
        assert (tmp_path / "again" / file.relative_to(out)).read_bytes() == file.read_bytes()


def test_noise_leaves_no_masks(photos, tmp_path):
    degrade_folder(photos, tmp_path / "out", Chain.from_specs(["gaussian"]))
    assert not (tmp_path / "out" / "masks").exists()


def test_images_where_the_masks_would_be_are_refused(photos, tmp_path):
    (photos / "cats").rename(photos / "masks")
    with pytest.raises(UsageError, match="masks"):
        degrade_folder(photos, tmp_path / "out", Chain.from_specs(["scratches"]))
    assert not (tmp_path / "out").exists()
    assert degrade_folder(photos, tmp_path / "out", Chain.from_specs(["gaussian"])).written == 4
