"""Batches are functions of their step, and damaged images cost no run."""

import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from restorecli.errors import DataError
from restorecli.report.sheet import write_sheet
from restorecli.training.batches import BatchMaker
from restorecli.training.check import load_recipe
from restorecli.training.crops import ImageCache, to_unit
from restorecli.training.pairs import Pair, find_pairs, hold_out
from restorecli.training.read_ahead import read_ahead
from restorecli.training.recipe import Source
from restorecli.training.validation import Example, make_examples, validate


@pytest.fixture
def recipe(write_recipe):
    return load_recipe(write_recipe())


@pytest.fixture
def pairs(recipe, workshop):
    return find_pairs(recipe.data.train, recipe, workshop, print)


def maker(pairs, recipe, **data):
    changed = recipe.model_copy(update={"data": recipe.data.model_copy(update=data)})
    return BatchMaker(pairs, changed, channels=1)


def test_a_batch_does_not_depend_on_those_before(recipe, pairs):
    straight = maker(pairs, recipe)
    for step in range(5):
        last = straight.batch(step)
    alone = maker(pairs, recipe).batch(4)
    assert torch.equal(alone.degraded, last.degraded)
    assert torch.equal(alone.reference, last.reference)


def test_reading_ahead_changes_nothing(recipe, pairs):
    ahead = read_ahead(maker(pairs, recipe), 3)
    first, second = islice(ahead, 2)
    ahead.close()
    assert torch.equal(first.degraded, maker(pairs, recipe).batch(3).degraded)
    assert torch.equal(second.reference, maker(pairs, recipe).batch(4).reference)


def test_an_epoch_draws_every_image_once(recipe, pairs):
    batches = maker(pairs, recipe)
    for epoch in range(3):
        keys = [batches._pair(epoch * len(pairs) + i).key for i in range(len(pairs))]
        assert sorted(keys) == sorted(pair.key for pair in pairs)


def test_noise_has_the_drawn_strength_and_crops_their_size(recipe, pairs):
    batches = maker(pairs, recipe, degrade=[{"name": "gaussian", "sigma": 25}], crop=24, batch=64)
    batch = batches.batch(0)
    assert batch.degraded.shape == batch.reference.shape == (64, 1, 24, 24)
    assert float((batch.degraded - batch.reference).std()) * 255 == pytest.approx(25, rel=0.02)


def test_blur_at_the_rim_of_a_crop_is_true(recipe, workshop):
    """A crop of the blurred image, not a blurred crop: the whole image degraded is the judge."""
    from scipy.ndimage import gaussian_filter

    rng = np.random.default_rng(1)
    folder = workshop / "single"
    folder.mkdir()
    pixels = rng.integers(0, 255, (60, 60), np.uint8)
    Image.fromarray(pixels).save(folder / "x.png")
    found = find_pairs([Source(clean="single")], recipe, workshop, print)
    batches = maker(
        found, recipe, degrade=[{"name": "gaussian-blur", "sigma": 1.5}], crop=16, batch=1, augment=False
    )
    batch = batches.batch(0)
    reference = pixels.astype(np.float32) / 255
    blurred = gaussian_filter(reference.astype(np.float64), 1.5)
    crop = batch.reference[0, 0].numpy()
    places = [
        (i, j)
        for i in range(45)
        for j in range(45)
        if np.array_equal(reference[i : i + 16, j : j + 16], crop)
    ]
    ((i, j),) = places
    np.testing.assert_allclose(batch.degraded[0, 0].numpy(), blurred[i : i + 16, j : j + 16], atol=1e-4)


def test_gray_share_repeats_one_noise_field(recipe, pairs):
    changed = recipe.model_copy(update={"data": recipe.data.model_copy(update={"gray": 1.0, "batch": 8})})
    batch = BatchMaker(pairs, changed, channels=3).batch(0)
    assert batch.degraded.shape[1] == 3
    assert torch.equal(batch.degraded[:, 0], batch.degraded[:, 2])


def test_pairs_of_folders_stay_aligned_through_crops_and_turns(recipe, workshop):
    for side in ("low", "high"):
        (workshop / side).mkdir()
    for name in "ab":
        pixels = np.random.default_rng(ord(name)).integers(0, 200, (40, 50), np.uint8)
        Image.fromarray(pixels).save(workshop / "high" / f"{name}.png")
        Image.fromarray(pixels + 10).save(workshop / "low" / f"{name}.png")
    found = find_pairs([Source(degraded="low", reference="high")], recipe, workshop, print)
    batch = maker(found, recipe, degrade=[], batch=16).batch(0)
    torch.testing.assert_close(batch.degraded - batch.reference, torch.full_like(batch.reference, 10 / 255))


def test_a_degraded_image_without_a_mate_is_named(recipe, workshop):
    (workshop / "low").mkdir()
    Image.fromarray(np.zeros((20, 20), np.uint8)).save(workshop / "low" / "lonely.png")
    with pytest.raises(DataError, match="lonely"):
        find_pairs([Source(degraded="low", reference="images")], recipe, workshop, print)


def test_one_damaged_image_is_set_aside_and_many_stop_the_run(recipe, workshop):
    (workshop / "images" / "kind" / "0.png").write_bytes(b"not an image")
    batches = maker(find_pairs(recipe.data.train, recipe, workshop, print), recipe)
    for step in range(6):
        batches.batch(step)
    assert len(batches.quarantine) == 1
    for name in ("1", "2"):
        (workshop / "images" / "kind" / f"{name}.png").write_bytes(b"nor this")
    whole_epoch = maker(find_pairs(recipe.data.train, recipe, workshop, print), recipe, batch=5)
    with pytest.raises(DataError, match=r"0\.1 %"):
        whole_epoch.batch(0)


def test_an_error_in_the_reading_thread_reaches_the_loop(recipe, workshop):
    for file in (workshop / "images" / "kind").iterdir():
        file.write_bytes(b"")
    ahead = read_ahead(maker(find_pairs(recipe.data.train, recipe, workshop, print), recipe), 0)
    with pytest.raises(DataError):
        next(ahead)


def test_what_this_program_wrote_is_not_trained_on(recipe, workshop):
    for name, mark in (("degraded", "manifest.jsonl"), ("runs/tiny", "recipe.resolved.yaml")):
        folder = workshop / "images" / name
        folder.mkdir(parents=True)
        (folder / mark).write_text("")
        Image.fromarray(np.zeros((20, 20), np.uint8)).save(folder / "x.png")
    assert len(find_pairs(recipe.data.train, recipe, workshop, print)) == 5


def test_a_contact_sheet_among_the_images_is_not_trained_on(recipe, workshop):
    write_sheet(Image.new("RGB", (64, 64)), workshop / "images" / "kind" / "sheet.png")
    assert len(find_pairs(recipe.data.train, recipe, workshop, print)) == 5


def test_holding_out_is_stable_and_disjoint(pairs):
    training, held = hold_out(pairs, 2)
    assert len(held) == 2
    assert not {p.key for p in training} & {p.key for p in held}
    assert hold_out(list(reversed(pairs)), 2)[1] == list(reversed(held))


def save(path, height, width, channels=1):
    path.parent.mkdir(exist_ok=True)
    shape = (height, width) if channels == 1 else (height, width, channels)
    Image.fromarray(np.random.default_rng(0).integers(0, 255, shape, np.uint8)).save(path)


def test_a_mate_is_never_guessed(recipe, workshop):
    for name in ("high/a.png", "high/a.bmp", "low/a.png"):
        save(workshop / name, 20, 20)
    sources = [Source(degraded="low", reference="high")]
    (pair,) = find_pairs(sources, recipe, workshop, print)
    assert pair.reference.name == "a.png"
    (workshop / "low" / "a.png").rename(workshop / "low" / "a.ppm")
    with pytest.raises(DataError, match=r"a\.ppm \(2 of its name\)"):
        find_pairs(sources, recipe, workshop, print)


def test_pairs_of_different_sizes_are_set_aside_with_their_sizes(recipe, workshop):
    for name in "abc":
        save(workshop / "high" / f"{name}.png", 24, 24)
        save(workshop / "low" / f"{name}.png", 24, 24 if name == "c" else 20)
    found = find_pairs([Source(degraded="low", reference="high")], recipe, workshop, print)
    with pytest.raises(DataError, match=r"\(24, 24\) instead of \(24, 20\)"):
        maker(found, recipe, batch=3).batch(0)


def test_a_damaged_half_of_a_pair_is_the_one_that_is_named(recipe, workshop):
    for name in "ab":
        save(workshop / "high" / f"{name}.png", 24, 24)
        save(workshop / "low" / f"{name}.png", 24, 24)
    (workshop / "low" / "a.png").write_bytes(b"gone")
    batches = maker(find_pairs([Source(degraded="low", reference="high")], recipe, workshop, print), recipe)
    batches.batch(0)
    assert list(batches.quarantine) == [str(workshop / "low" / "a.png")]


def test_the_cache_keeps_to_its_limit_and_gives_the_same_images(workshop):
    files = sorted((workshop / "images" / "kind").glob("?.png"))
    small, large = ImageCache(limit=36 * 42), ImageCache()
    for file in (*files, *files):
        assert np.array_equal(small.get(file), large.get(file))
    assert small._bytes == 36 * 42
    assert len(large._kept) == len(files)


def test_sixteen_bits_are_kept_in_memory_as_they_are(workshop):
    pixels = np.arange(400, dtype=np.uint16).reshape(20, 20) * 163
    Image.fromarray(pixels).save(workshop / "deep.png")
    kept = ImageCache().get(workshop / "deep.png")
    assert kept.dtype == np.uint16
    assert np.array_equal(kept[0], pixels)
    assert np.array_equal(to_unit(kept)[0], pixels.astype(np.float32) / np.float32(65535))


def test_closing_ends_the_reading_thread(recipe, pairs):
    ahead = read_ahead(maker(pairs, recipe), 0, ahead=1)
    next(ahead)
    ahead.close()
    assert not [t for t in threading.enumerate() if t.name == "restorecli-batches"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ((24, 20), (24, 24), "sizes that do not fit"),
        ((8, 30), (8, 30), "too small for SSIM"),
        (None, (24, 24), "used"),
    ],
)
def test_validation_images_are_checked_before_the_run(recipe, workshop, low, high, words):
    save(workshop / "high" / "a.png", *high)
    save(workshop / "low" / "a.png", *(low or high))
    if low is None:
        (workshop / "low" / "a.png").write_bytes(b"gone")
    found = find_pairs([Source(degraded="low", reference="high")], recipe, workshop, print)
    with pytest.raises(DataError, match=words):
        make_examples(found, recipe.validation, channels=1)


def test_a_gray_and_a_color_image_make_a_validation_pair(recipe, workshop):
    save(workshop / "low" / "a.png", 24, 24)
    save(workshop / "high" / "a.png", 24, 24, 3)
    found = find_pairs([Source(degraded="low", reference="high")], recipe, workshop, print)
    for channels in (1, 3):
        (example,) = make_examples(found, recipe.validation, channels=channels)
        assert example.degraded.shape == example.reference.shape == (channels, 24, 24)


def test_one_image_that_is_restored_exactly_does_not_hide_the_others():
    class Same(torch.nn.Identity):
        channels = scale = multiple = receptive_field = 1

    black, white = np.zeros((1, 16, 16), np.float32), np.ones((1, 16, 16), np.float32)
    examples = [Example("a", black, black), Example("b", black, black + 0.1), Example("c", white, white)]
    scores = validate(Same(), examples, torch.device("cpu"), samples=0)
    assert scores.psnr == scores.degraded_psnr == pytest.approx(20, abs=0.2)
    assert validate(Same(), examples[:1], torch.device("cpu"), samples=0).psnr == float("inf")


@pytest.mark.parametrize(
    ("augment", "kinds", "rows_stay"), [(True, 8, False), ("flips", 4, True), (False, 1, True)]
)
def test_augmentation_makes_the_symmetries_that_it_says(recipe, workshop, augment, kinds, rows_stay):
    folder = workshop / "single"
    folder.mkdir()
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4) * 16
    Image.fromarray(pixels).save(folder / "x.png")
    found = find_pairs([Source(clean="single")], recipe, workshop, print)
    batch = maker(found, recipe, augment=augment, crop=4, batch=80).batch(0)
    seen = {np.rint(crop.numpy() * 255).astype(np.uint8).tobytes() for crop in batch.reference[:, 0]}
    rows = {tuple(sorted(row)) for row in pixels.tolist()}
    assert len(seen) == kinds
    assert rows_stay == all(
        {tuple(sorted(row)) for row in np.frombuffer(crop, np.uint8).reshape(4, 4).tolist()} == rows
        for crop in seen
    )


@pytest.mark.parametrize(("share", "least", "most"), [(0.0, 0, 0), (0.5, 12, 28), (1.0, 40, 40)])
def test_a_share_of_the_crops_is_as_files_hold_them(write_recipe, pairs, share, least, most):
    data = {"train": [{"clean": "images"}], "degrade": [{"name": "gaussian", "sigma": 80}], "crop": 16}
    recipe = load_recipe(write_recipe(data={**data, "batch": 2, "eight_bit": share}))
    maker = BatchMaker(pairs, recipe, channels=1)
    low = torch.cat([maker.batch(step).degraded for step in range(20)])
    in_steps = ((low * 255).round() / 255 - low).abs().amax((1, 2, 3)) < 1e-6
    inside = (low.amin((1, 2, 3)) >= 0) & (low.amax((1, 2, 3)) <= 1)
    assert torch.equal(in_steps, inside)
    assert least <= int(in_steps.sum()) <= most


def test_a_name_that_is_no_utf_8_is_held_out_like_any_other():
    pairs = [Pair(name, Path(name), None) for name in ("a.png", "caf\udce9.png", "b.png", "c.png")]
    training, held = hold_out(pairs, 2)
    assert len(training) == len(held) == 2


def test_a_recipe_says_which_values_are_black_and_white(recipe, tmp_path):
    """12-bit values in a 16-bit container, of which the images themselves say nothing."""
    dim = np.linspace(0, 1000, 64 * 64).reshape(64, 64).astype(np.uint16)
    (tmp_path / "scans").mkdir()
    for number in range(4):
        Image.fromarray(dim + number).save(tmp_path / "scans" / f"{number}.png")
    for asked, largest in (("0..4095", 1003 / 4095), ("type", 1003 / 65535)):
        sources = [Source(clean="scans", range=asked)]
        found = find_pairs(sources, recipe, tmp_path, print)
        assert {pair.values for pair in found} == {asked}
        seen = to_unit(ImageCache().get(found[3].reference, values=asked))
        assert seen.max() == pytest.approx(largest, rel=1e-4)
        crops = maker(found, recipe, crop=64, batch=4).batch(0).reference
        assert float(crops.max()) == pytest.approx(largest, rel=1e-3)
        (example, *_) = make_examples(found[3:], recipe.validation, channels=1, scale=1)
        assert float(example.reference.max()) == pytest.approx(largest, rel=1e-3)
    with pytest.raises(ValueError, match="range"):
        Source(clean="scans", range="0..x")
    assert "range" not in Source(clean="scans").model_dump()
    assert Source(clean="scans", range="0..4095").model_dump()["range"] == "0..4095"
