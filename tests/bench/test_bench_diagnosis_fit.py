"""Fitting the table of the diagnosis: on examples whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage
from typer.testing import CliRunner

from restorecli.bench import diagnosis_clean, diagnosis_examples
from restorecli.bench.diagnosis_examples import NONE, examples, pairs, training_examples, unusual, variants
from restorecli.bench.diagnosis_fit import NEEDED, Measured, fit_chances, fit_table
from restorecli.bench.diagnosis_looks import fit_drops, fit_marks, looks
from restorecli.cli.app import build
from restorecli.diagnosis.deciding.decide import FAR, read_table
from restorecli.diagnosis.second_look.drops import measure_drops
from restorecli.diagnosis.second_look.marks import measure_marks
from restorecli.errors import DataError
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image

NAMES = tuple(sorted({name for names in NEEDED.values() for name in names}))
DAMAGES = tuple(NEEDED)


def _measured(count: int = 600) -> Measured:
    """Measurements of which each damage lifts those that it needs by 3 deviations."""
    rng = np.random.default_rng(0)
    values = rng.normal(10, 1, (count, len(NAMES)))
    labels = []
    for row in values:
        chosen = rng.integers(-len(DAMAGES), len(DAMAGES))  # half have none
        labels.append((DAMAGES[chosen] if chosen >= 0 else NONE,))
        if chosen >= 0:
            row[[NAMES.index(name) for name in NEEDED[DAMAGES[chosen]]]] += 4
    return Measured(NAMES, values, tuple(labels), tuple(f"{index % 40}" for index in range(count)))


def test_the_fit_is_where_the_loss_has_no_slope() -> None:
    measured = _measured(200)
    table = fit_chances(measured)
    z = table.standardize(measured.values)
    scores = table.offsets + z @ table.slopes.T + (z * z - 1) @ table.bends.T
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    targets = np.array([[name in labels for name in table.classes] for labels in measured.labels], float)
    # An offset has no penalty: the weighted chances of a class add up to those of its examples.
    share = targets.sum(axis=0)
    factor = np.where(share > 0, targets.sum() / np.maximum(share, 1) / len(share), 0)
    factor[0] *= 3
    weights = targets @ np.minimum(factor, 12)
    weights /= weights.sum()
    np.testing.assert_allclose(weights @ chances, weights @ targets, atol=1e-3)


def test_what_is_needed_bounds_the_examples_on_the_damages_side() -> None:
    table = fit_table(_measured())
    for damage, names in NEEDED.items():
        for name in names:
            low, high = table.needed[damage][name]
            assert 10.5 < low < 14
            assert high == FAR


def test_a_fitted_table_names_what_it_was_fitted_on() -> None:
    measured = _measured()
    table = fit_table(measured)
    right = []
    for index, (label,) in enumerate(measured.labels):
        chances = table.chances(measured.found(index))
        right.append(max(chances, key=chances.__getitem__) == label)
    assert np.mean(right) > 0.7


@pytest.fixture
def photos(tmp_path):
    """Two photographs as files."""
    for name in ("chelsea", "coffee"):
        write_image(tmp_path / f"{name}.png", ImageData(read_sample(name).pixels[:, :96, :128]))
    return sorted(tmp_path.iterdir())


def test_examples_are_8_bit_images_of_known_damage(photos) -> None:
    found = list(examples(photos))
    assert {example.labels for example in found[:2]} == {(NONE,)}
    for example in found:
        assert example.pixels.dtype == np.float32
        np.testing.assert_allclose(example.pixels * 255, np.rint(example.pixels * 255), atol=1e-3)
    assert len(found) == 2 * (3 + diagnosis_examples._BESIDE_CLEAN)
    again = list(examples(photos))
    assert all(np.array_equal(one.pixels, other.pixels) for one, other in zip(found, again, strict=True))


def test_every_kind_of_damage_is_among_the_kinds() -> None:
    kinds = [*diagnosis_examples.severities(), *diagnosis_examples.OTHERS]
    assert {label for kind in kinds for label in kind.labels} == {NONE, *NEEDED}


def test_clean_variants_have_no_damage_and_are_images(photos) -> None:
    found = list(variants(photos))
    assert {example.labels for example in found} == {(NONE,)}
    assert len(found) == 5
    for change in diagnosis_clean.VARIANTS:
        changed = change(read_sample("coffee").pixels, np.random.default_rng(1))
        assert changed.ndim == 3
        assert changed.min() >= 0
        assert changed.max() <= 1


def test_unusual_clean_images_are_as_many_of_each_kind_and_differ() -> None:
    found = list(unusual(2))
    assert {example.labels for example in found} == {(NONE,)}
    assert [example.name.split("/")[0] for example in found[::2]] == ["starry", "slide", "relief", "plain"]
    for one, other in zip(found[::2], found[1::2], strict=True):
        assert one.pixels.dtype == np.float32
        assert one.pixels.shape[0] in (1, 3)
        assert 0 <= one.pixels.min() < one.pixels.max() <= 1
        assert not np.array_equal(one.pixels[0], other.pixels[0])


def test_pairs_take_the_kinds_in_turn(photos) -> None:
    kinds = diagnosis_examples._MORE_PAIRS[:2]
    found = list(pairs(photos, kinds, "two"))
    assert [example.labels for example in found] == [kind.labels for kind in kinds]
    assert not np.array_equal(found[0].pixels, next(iter(pairs(photos, kinds, "other"))).pixels)


def test_a_folder_without_training_images_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        next(training_examples(tmp_path, 4))


def test_the_command_writes_a_table_that_can_be_read(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(diagnosis_examples, "unusual", partial(unusual, 1))  # of forty of each
    photo = read_sample("coffee").pixels
    places = (
        "bsds400",
        "sand-dust/train/dusty",
        "sand-dust/train/clean",
        "magnetic-tile/train/images/x",
        "train400-gray",
    )
    for place in places:
        (tmp_path / place).mkdir(parents=True)
        for number in range(2):
            cut = photo[:, 100 * number : 100 * number + 96, 60:188]
            image = np.rint(255 * cut.transpose(1, 2, 0)).astype(np.uint8)
            suffix = "png" if place == "train400-gray" else "jpg"
            Image.fromarray(image).save(tmp_path / place / f"{number}.{suffix}")
    line = ["bench", "diagnosis", "--data", str(tmp_path), "-o", str(tmp_path / "t.json"), "--pictures", "1"]
    done = CliRunner().invoke(build(), line, prog_name="restorecli")
    assert done.exit_code == 0, done.stderr
    table = read_table(tmp_path / "t.json")
    assert {NONE, "sand-dust", "scratches"} <= set(table.classes)
    assert sum(table.chances({}).values()) == pytest.approx(1)


def test_the_tables_of_the_second_look_are_fitted_to_what_is_taken_away(tmp_path) -> None:
    """A stand-in for the network knows the clean image: damage is what it takes, and a little detail."""
    (tmp_path / "bsds400").mkdir()
    photo = np.rint(255 * read_sample("coffee").pixels.transpose(1, 2, 0)).astype(np.uint8)
    for number in range(4):
        cut = photo[40 * number : 40 * number + 208, 60 * number : 60 * number + 208]
        Image.fromarray(cut).save(tmp_path / "bsds400" / f"{number}.jpg", quality=95)
    asked = []

    def smoothed(name, pixels):
        asked.append(name)
        return ndimage.median_filter(pixels, (1, 3, 3))

    seen = list(looks(tmp_path, "scratches", smoothed))
    # Four clean crops, one of severity 1 and one of 2, a clean whole photograph and a clean gray crop,
    # a faded crop as it is and scratched.
    assert len(asked) == 4 + 2 + 1 + 1 + 2
    assert len(seen) == len(asked) + 1  # and a clean one without thin things, of which no network is asked
    assert np.array_equal(seen[-1].after, ndimage.median_filter(seen[-1].before, (1, 5, 5)))
    assert set(asked) == {"sca-unet.scratches"}
    assert sum(look.is_damaged for look in seen) == 3
    for look in seen:
        assert np.array_equal(look.before, look.clean) != look.is_damaged
        assert (look.painted is not None) == look.is_damaged
    known = [replace(look, after=look.clean if look.is_damaged else look.after) for look in seen]
    table = fit_marks(iter(known))
    chances: dict[bool, list[float]] = {True: [], False: []}
    for look in known:
        marks = measure_marks(look.before, look.after)
        chances[look.is_damaged] += [table.chances(mark)["scratches"] for mark in marks]
    assert np.median(chances[True]) > 0.7
    assert np.median(chances[False]) < 0.1
    wet = [
        replace(look, after=look.clean if look.is_damaged else look.after)
        for look in looks(tmp_path, "rain", smoothed)
    ]
    assert [look.is_damaged for look in wet] == [False, True, False, False, False, True]
    rain = fit_drops(iter(wet))
    for look in wet:
        assert (rain.chances(measure_drops(look.before, look.after))["rain"] > 0.5) == look.is_damaged


def test_a_second_look_without_training_images_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        next(looks(tmp_path, "rain", lambda _, pixels: pixels))
