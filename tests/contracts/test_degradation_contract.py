"""Laws that hold for every degradation of the catalog; adding one adds its tests."""

import dataclasses
import itertools
import json

import numpy as np
import pytest

from restorecli.degradation.base import facts_of
from restorecli.degradation.catalog import ALIASES, DEGRADATIONS, find, from_record
from restorecli.degradation.chain import Chain, degrade_array, image_rng, replay_steps
from restorecli.degradation.families.compression import Jpeg
from restorecli.degradation.sampler import DegradationSampler
from restorecli.errors import ImageError, UsageError

every = pytest.mark.parametrize("name", DEGRADATIONS)
OWN_KEYS = {"name", "probability", "severity", "random"}


def picture(channels=3, height=37, width=53, seed=0):
    return np.random.default_rng(seed).random((channels, height, width), dtype=np.float32)


@every
def test_it_says_what_it_is(name) -> None:
    entry = find(name)
    assert entry.name == name
    assert DEGRADATIONS[name].summary
    assert entry.reference
    assert len(entry.severities) == 5
    assert dataclasses.is_dataclass(entry)
    assert entry.__dataclass_params__.frozen
    for known in facts_of(entry).values():
        assert known.help
        assert known.name not in OWN_KEYS
        assert known.check(known.default, name) == known.default


@every
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("severity", [1, 3, 5])
def test_channels_and_type_stay_and_the_input_is_untouched(name, channels, severity) -> None:
    image = picture(channels)
    before = image.copy()
    image.flags.writeable = False
    chain = Chain.from_specs([{"name": name, "severity": severity}])
    result, (step,) = degrade_array(image, chain, 0, "a.png")
    assert result.dtype == np.float32
    assert result.shape == (channels, 37 // step.scale, 53 // step.scale)
    assert np.isfinite(result).all()
    assert not np.shares_memory(result, image)
    np.testing.assert_array_equal(image, before)
    assert not np.array_equal(result, image)


@every
@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (3, 5), (2, 31)])
def test_the_smallest_pictures_work_or_are_refused_by_name(name, shape) -> None:
    for channels in (1, 3):
        image = picture(channels, *shape)
        scale = find(name)().scale
        if min(shape) < scale:
            with pytest.raises(ImageError, match="too small"):
                degrade_array(image, Chain.from_specs([name]), 0, "a.png")
            continue
        result, (step,) = degrade_array(image, Chain.from_specs([name]), 0, "a.png")
        assert result.shape == (channels, shape[0] // step.scale, shape[1] // step.scale)
        assert np.isfinite(result).all()


@every
def test_the_same_seed_gives_the_same_bytes_and_another_seed_other_values(name) -> None:
    chain = Chain.from_specs([{"name": name, "random": True}])
    image = picture()
    first, steps = degrade_array(image, chain, 7, "a/b.png")
    again, same_steps = degrade_array(image, chain, 7, "a/b.png")
    assert first.tobytes() == again.tobytes()
    assert steps == same_steps
    drawn = {degrade_array(image, chain, seed, "a/b.png")[1] for seed in range(8)}
    assert len(drawn) > 1


@every
def test_a_view_and_its_copy_give_the_same_bytes(name) -> None:
    image = picture()
    chain = Chain.from_specs([{"name": name}])
    turned = np.rot90(image, axes=(1, 2))[:, ::-1]
    expected = degrade_array(np.ascontiguousarray(turned), chain, 0, "k")[0]
    np.testing.assert_array_equal(degrade_array(turned, chain, 0, "k")[0], expected)


@every
def test_a_record_survives_json_and_builds_the_same_step(name) -> None:
    chain = Chain.from_specs([{"name": name, "random": True}])
    image = picture()
    for seed in range(5):
        result, steps = degrade_array(image, chain, seed, "k")
        rebuilt = tuple(from_record(json.loads(json.dumps(step.record()))) for step in steps)
        assert rebuilt == steps
        assert replay_steps(image, rebuilt, seed, "k").tobytes() == result.tobytes()


@every
def test_no_strength_changes_nothing(name) -> None:
    image = picture()
    nothing = find(name).identity
    if nothing is not None:
        step = find(name)(**nothing)
        np.testing.assert_allclose(step.apply(image, image_rng(0, "k")), image, atol=1e-6)
    result, steps = degrade_array(image, Chain.from_specs([{"name": name, "severity": 0}]), 0, "k")
    np.testing.assert_array_equal(result, image)
    assert steps == ()


@every
def test_severities_grow(name) -> None:
    """More severity, more squared error (up to 5 %) on a smooth picture with edges; only draws may differ."""
    rows = np.linspace(0, 1, 96, dtype=np.float32)
    image = np.stack([rows[:, None] * rows, rows[::-1, None] * rows, np.repeat(rows[None] > 0.5, 96, 0)])
    image = np.ascontiguousarray(0.1 + 0.8 * image, dtype=np.float32)
    errors = []
    for severity in range(1, 6):
        chain = Chain.from_specs([{"name": name, "severity": severity}])
        result, (step,) = degrade_array(image, chain, 3, "k")
        if step.scale > 1:
            result = result.repeat(step.scale, 1).repeat(step.scale, 2)
        height, width = result.shape[1:]
        errors.append(float(np.mean((result - image[:, :height, :width]) ** 2)))
    assert all(after > 0.95 * before for before, after in itertools.pairwise(errors)), errors
    assert errors[-1] > 1.5 * errors[0], errors


@every
def test_bounds_and_names_are_checked(name) -> None:
    entry = find(name)
    for known in facts_of(entry).values():
        wrong = ["no such word" if known.kind is str else object(), None]
        wrong += [] if known.low is None else [known.low - 1]
        wrong += [] if known.high is None else [known.high + 1]
        wrong += [float("nan")]
        for value in wrong:
            with pytest.raises(UsageError) as caught:
                entry(**{known.name: value})
            assert f"{name}.{known.name}" in str(caught.value)
    with pytest.raises(UsageError, match="no parameter"):
        DegradationSampler(name, {"sigmaa": 1})


@every
def test_random_draws_stay_within_bounds_and_margins(name) -> None:
    sampler = DegradationSampler(name, random=True)
    rng = np.random.default_rng(0)
    margin = max(step.margin for step in sampler.extremes())
    for _ in range(50):
        assert sampler.draw(rng).margin <= margin


def far_pixels_count(step, seed=0) -> bool:
    """Whether the middle changes when everything farther from it than `margin` is another picture."""
    image, other = (picture(3, 96, 112, seed=2 * seed + number) for number in (0, 1))
    reach, scale = step.margin, step.scale
    near = np.s_[:, 48 - reach : 48 + reach + scale, 56 - reach : 56 + reach + scale]
    other[near] = image[near]
    one, two = (step.apply(pixels, image_rng(seed, "k")) for pixels in (image, other))
    middle = np.s_[:, 48 // scale, 56 // scale]
    return not np.allclose(one[middle], two[middle], rtol=0, atol=1e-6)


ALONE = [name for name in DEGRADATIONS if not find(name).also_depends_on]
TOGETHER = [name for name in DEGRADATIONS if find(name).also_depends_on]


@pytest.mark.parametrize("severity", [None, 1, 3, 5])
@pytest.mark.parametrize("name", ALONE)
def test_what_lies_farther_than_the_margin_does_not_count(name, severity) -> None:
    for seed in range(6):
        spec = {"name": name, "random": True} if severity is None else {"name": name, "severity": severity}
        (step,) = Chain.from_specs([spec]).draw(np.random.default_rng(seed))
        assert not far_pixels_count(step, seed), step


@pytest.mark.parametrize("name", TOGETHER)
def test_only_what_depends_on_more_than_its_margin_says_so(name) -> None:
    assert any(far_pixels_count(find(name)(), seed) for seed in range(12))


def test_the_margin_of_an_old_photo_holds_where_no_block_of_jpeg_hides_it(monkeypatch) -> None:
    monkeypatch.setattr(Jpeg, "apply", lambda self, image, rng: image)
    for seed in range(40):
        (step,) = Chain.from_specs([{"name": "old-photo", "random": True}]).draw(np.random.default_rng(seed))
        assert not far_pixels_count(step, seed), step
    assert 3 < Chain.from_specs(["old-photo"]).margin < 16


@pytest.mark.parametrize("name", [name for name in DEGRADATIONS if find(name)().margin and name in ALONE])
def test_a_crop_with_margin_equals_the_crop_of_the_whole(name) -> None:
    """Blur at the border of a training crop is true: `margin` away from a cut nothing depends on the cut."""
    step = find(name)()
    image = picture(3, 96, 112)
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
