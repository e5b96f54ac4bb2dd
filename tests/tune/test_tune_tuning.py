"""Tuning: never worse than the defaults, the same every time, and near the best of a brute-force grid."""

import math

import numpy as np
import pytest
from scipy import ndimage

import restorecli
from restorecli.degradation.parameters import ParameterInfo, parameters_of
from restorecli.degradation.sampler import Choice, Range, read_spec
from restorecli.errors import DataError, UsageError
from restorecli.images.image import ImageData
from restorecli.images.options import STRICT
from restorecli.images.writing import write_image
from restorecli.restoration.known import Known
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.tune.crops import evenly, middle
from restorecli.tune.pairs import MAX_PAIRS, SIDE, read_examples
from restorecli.tune.search import Descent
from restorecli.tune.tuning import tune


def waves(height, width, turn=0.0):
    rows, columns = np.mgrid[:height, :width] / 9
    planes = [0.5 + 0.4 * np.tanh(4 * np.sin(rows * (c + 1) + columns + turn)) for c in range(3)]
    return ndimage.gaussian_filter(np.stack(planes), (0, 1, 1)).astype(np.float32)


@pytest.fixture
def photos(tmp_path):
    for number in range(3):
        path = tmp_path / "photos" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        write_image(path, ImageData(waves(40, 48, number)))
    return tmp_path / "photos"


def degraded(photos, *steps):
    restorecli.degrade(photos, photos.parent / "degraded", noise=list(steps))
    return photos.parent / "degraded"


@pytest.fixture
def noisy(photos):
    return degraded(photos, {"name": "gaussian", "sigma": 25})


# The search alone


def descend(score, start, *, allowed=lambda values: True, **specs):
    descent = Descent(start, score, allowed)
    descent.run(specs, lambda name: None)
    return descent


def test_a_smooth_peak_is_found_on_both_scales() -> None:
    for logarithmic in (False, True):
        spec = Range(0.1, 10, whole=False, logarithmic=logarithmic)
        found = descend(lambda v: -((math.log(v["a"]) - 1) ** 2), {"a": 0.1}, a=spec)
        assert found.values["a"] == pytest.approx(math.e, rel=0.05)


def test_two_parameters_that_depend_on_each_other_are_searched_twice() -> None:
    def score(v):
        return -((v["a"] - 0.5 * v["b"]) ** 2) - (v["b"] - 4) ** 2

    line = Range(0, 10, whole=False, logarithmic=False)
    found = descend(score, {"a": 0.0, "b": 0.0}, a=line, b=line)
    assert found.best > -0.2
    assert found.best >= score({"a": 0.0, "b": 0.0})


def test_numbers_stay_whole_and_odd_and_words_are_all_tried() -> None:
    found = descend(
        lambda v: -abs(v["size"] - 8.4) + (v["word"] == "b"),
        {"size": 3, "word": "a"},
        allowed=lambda values: values["size"] % 2 == 1,
        size=Range(2, 41, whole=True, logarithmic=True),
        word=Choice(("a", "b", "c")),
    )
    assert found.values == {"size": 9, "word": "b"}
    assert all(isinstance(size, int) and size % 2 for size in found.tried["size"])
    assert set(found.tried["word"]) == {"a", "b", "c"}


def test_a_start_that_nothing_beats_stays_whether_in_the_range_or_not() -> None:
    spec = Range(3, 100, whole=True, logarithmic=True)
    found = descend(lambda v: -v["iterations"], {"iterations": 0}, iterations=spec)
    assert found.values == {"iterations": 0}
    assert 3 in found.tried["iterations"]
    flat = descend(lambda v: 1.0, {"iterations": 5}, iterations=spec)
    assert flat.values == {"iterations": 5}


def test_nothing_is_scored_twice() -> None:
    seen = []

    def score(values):
        seen.append(tuple(values.values()))
        return -abs(values["a"] - 3) - abs(values["b"] - 5)

    line = Range(0, 10, whole=True, logarithmic=False)
    descend(score, {"a": 0, "b": 0}, a=line, b=line)
    assert len(seen) == len(set(seen))


@pytest.mark.parametrize("name", METHODS)
def test_every_range_is_one_that_the_method_takes(name) -> None:
    for info in parameters_of(METHODS[name].load()).values():
        if info.draw is not None:
            assert isinstance(info, ParameterInfo)
            for end in read_spec(info, info.draw, name).ends():
                assert info.check(end, name) == end


# On images


def test_the_best_width_of_a_gaussian_is_that_of_brute_force(photos, noisy) -> None:
    tuning = tune("gaussian", noisy, photos)
    examples = read_examples(create_method("gaussian"), noisy, photos, Known(), STRICT).taken
    grid = np.geomspace(0.03, 0.5, 200)
    scores = [np.mean([e.score(create_method("gaussian", {"gain": g})) for e in examples]) for g in grid]
    assert tuning.values["gain"] == pytest.approx(grid[np.argmax(scores)], rel=0.06)
    assert tuning.after > max(scores) - 0.01
    assert tuning.before == pytest.approx(np.mean([e.score(create_method("gaussian")) for e in examples]))


@pytest.mark.parametrize(
    ("model", "fixed"),
    [
        ("median", {}),
        ("wiener", {}),
        ("tv", {"iterations": 5}),
        ("wavelet", {"levels": 2}),
        ("switching-median", {"size": 5}),
        ("gray-world", {}),
    ],
)
def test_tuned_is_never_worse_and_the_same_again(photos, noisy, model, fixed) -> None:
    tuning = tune(model, noisy, photos, fixed=fixed)
    assert tuning.after >= tuning.before
    assert tune(model, noisy, photos, fixed=fixed) == tuning
    assert (tuning.pairs, tuning.of, tuning.unmatched) == (3, 3, 0)
    examples = read_examples(create_method(model), noisy, photos, Known(), STRICT).taken
    with_words = create_method(model, dict(_settings(tuning.words, model)))
    assert np.mean([example.score(with_words) for example in examples]) == pytest.approx(tuning.after)
    for tried in tuning.tried:
        values = [value for value, _ in tried.scores]
        assert {tried.best, tried.default} <= set(values)
        if tried.name == "size":
            assert all(isinstance(value, int) and value % 2 for value in values)


def _settings(words, model):
    for word in words.split():
        if word != "--set":
            name, _, value = word.removeprefix(f"{model}.").partition("=")
            yield name, value


def test_what_is_fixed_is_not_searched(photos, noisy) -> None:
    tuning = tune("tv", noisy, photos, fixed={"color": "1.3", "iterations": 5})
    assert [tried.name for tried in tuning.tried] == ["strength"]
    assert tuning.values["color"] == 1.3
    with pytest.raises(UsageError, match="nothing to tune"):
        tune("tv", noisy, photos, fixed={"color": 1.3, "strength": 1.0})


def test_the_manifest_tells_operator_mask_and_reduction(photos) -> None:
    blurred = degraded(photos, {"name": "gaussian-blur", "sigma": 1.2}, {"name": "gaussian", "sigma": 3})
    tuning = tune("wiener-deconv", blurred, photos)
    assert tuning.after > tuning.before
    small = degraded(photos, {"name": "downscale", "factor": 3})  # cuts a row off the height of 40
    assert tune("back-projection", small, photos).after > 20
    torn = degraded(photos, {"name": "holes", "kind": "strokes", "share": 0.1, "size": 0.1})
    assert tune("inpaint-quilting", torn, photos, fixed={"block": 8}).after > 15


def test_what_the_caller_says_holds_for_the_pairs(photos, noisy) -> None:
    known = Known(sigma=50.0)
    assert tune("gaussian", noisy, photos, known=known).values["gain"] < tune(
        "gaussian", noisy, photos
    ).values.get("gain", 0.12)


def test_large_images_are_cropped_only_where_that_changes_nothing(tmp_path) -> None:
    pixels = waves(64, 400)
    for folder in ("degraded", "photos"):
        (tmp_path / folder).mkdir()
        write_image(tmp_path / folder / "x.png", ImageData(pixels))
    folders = tmp_path / "degraded", tmp_path / "photos"

    def width(name, known=None):
        (example,) = read_examples(create_method(name), *folders, known or Known(sigma=3.0), STRICT).taken
        assert example.image.pixels.shape == example.reference.shape
        np.testing.assert_array_equal(example.image.pixels, example.reference)
        return example.reference.shape[2]

    assert width("nlm") == width("median") == SIDE
    assert width("dehaze") == width("demoire") == width("deblock") == 400
    assert width("wiener-deconv", Known.from_words(operator=["gaussian-blur:sigma=1"])) == 400


def test_crops_and_choices_are_even() -> None:
    assert evenly(range(5), 8) == [0, 1, 2, 3, 4]
    assert evenly(range(16), 4) == [2, 6, 10, 14]
    assert len(evenly(range(100), MAX_PAIRS)) == MAX_PAIRS
    pixels = np.arange(100, dtype=np.float32).reshape(1, 10, 10)
    assert middle(pixels, 4, 4)[0, 0, 0] == 33
    assert middle(pixels, 4, 4, 2)[0, 0, 0] == 22


# What cannot be


@pytest.mark.parametrize("model", ["sca-unet", "no-such", "bicubic", "inpaint-harmonic"])
def test_a_network_and_a_method_without_ranges_are_refused(photos, noisy, model) -> None:
    with pytest.raises(UsageError):
        tune(model, noisy, photos)


def test_pairs_that_cannot_be_used_are_errors_of_the_data(photos, noisy, tmp_path) -> None:
    (tmp_path / "other").mkdir()
    write_image(tmp_path / "other" / "z.png", ImageData(waves(40, 48)))
    with pytest.raises(DataError, match="no pair"):
        tune("tv", noisy, tmp_path / "other")
    write_image(tmp_path / "other" / "0.png", ImageData(waves(40, 40)))
    with pytest.raises(DataError, match="differ in size") as caught:
        tune("tv", noisy, tmp_path / "other")
    assert caught.value.got == "40x40 RGB"
    with pytest.raises(DataError):
        tune("tv", noisy, tmp_path / "nowhere")
    with pytest.raises(DataError, match="which kernel"):
        tune("wiener-deconv", photos, photos)
    (tmp_path / "other" / "0.png").write_bytes(b"no image")
    with pytest.raises(DataError, match="tuned on"):
        tune("tv", noisy, tmp_path / "other")
    write_image(tmp_path / "other" / "0.png", ImageData(waves(24, 48)))
    with pytest.raises(DataError, match="too small for a kernel"):
        tune("blind-deconv", tmp_path / "other" / "0.png", tmp_path / "other" / "0.png")


def test_a_value_that_some_image_does_not_allow_is_left_out(tmp_path) -> None:
    for name in ("sharp", "blurred"):
        (tmp_path / name).mkdir()
    write_image(tmp_path / "sharp" / "x.png", ImageData(waves(56, 60)))
    blurred = ndimage.gaussian_filter(waves(56, 60), (0, 2, 2))
    write_image(tmp_path / "blurred" / "x.png", ImageData(blurred))
    fixed = {"sparsity": 0.01, "gain": 60.0, "turns": 1}
    tuning = tune(
        "blind-deconv", tmp_path / "blurred", tmp_path / "sharp", known=Known(sigma=1.0), fixed=fixed
    )
    scores = dict(tuning.tried[0].scores)
    assert math.isinf(scores[41])
    assert math.isfinite(scores[tuning.tried[0].best])


def test_the_answer_is_json(photos, noisy) -> None:
    answer = tune("switching-median", photos, photos).to_dict()
    assert answer["psnr_before"] == answer["psnr_after"] == "inf"
    assert answer["words"] == ""
    assert answer["parameters"] == {}
    assert set(answer["tried"]) == {"size", "tolerance", "channels", "fill", "outliers"}


def test_python_tunes_before_it_restores(photos, noisy, tmp_path) -> None:
    summary = restorecli.restore(noisy, tmp_path / "out", model="gaussian", tune=(noisy, photos))
    assert summary.written == 3
    plain = restorecli.restore(noisy, tmp_path / "plain", model="gaussian")
    assert plain.written == 3
    gains = [restorecli.evaluate(tmp_path / name).overall.gain["psnr"] for name in ("out", "plain")]
    assert gains[0] > gains[1]
