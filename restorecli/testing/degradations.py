"""Laws that hold for every degradation."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Callable

import numpy as np
import pytest

from restorecli.degradation.base import Degradation, parameters_of
from restorecli.degradation.catalog import find, from_record
from restorecli.degradation.chain import Chain, degrade_array, image_rng, replay_steps
from restorecli.degradation.sampler import DegradationSampler
from restorecli.errors import ImageError, UsageError
from restorecli.images.image import Pixels

OWN_KEYS = {"name", "probability", "severity", "random"}


def make_image(channels: int = 3, height: int = 37, width: int = 53, seed: int = 0) -> Pixels:
    """Return an image of random pixels, (channels, height, width) in [0, 1]."""
    return np.random.default_rng(seed).random((channels, height, width), dtype=np.float32)


def it_says_what_it_is(name: str) -> None:
    """It is a frozen dataclass with a reference, five severities and help for every parameter."""
    entry = find(name)
    assert entry.name == name
    assert entry.reference, f"{entry.__name__}: say in `reference` where the formula is from"
    assert len(entry.severities) == 5, f"{entry.__name__}: `severities` needs five presets, mild to severe"
    assert dataclasses.is_dataclass(entry), f"{entry.__name__}: decorate it with @dataclass(frozen=True)"
    assert entry.__dataclass_params__.frozen, f"{entry.__name__}: frozen=True"  # type: ignore[attr-defined]
    for known in parameters_of(entry).values():
        assert known.help, f"{entry.__name__}.{known.name}: say in parameter(help=...) what it does"
        assert known.name not in OWN_KEYS
        assert known.check(known.default, name) == known.default


def channels_and_type_stay_and_the_input_is_untouched(name: str) -> None:
    """Gray and color give float32 of the same channels, finite and in memory of its own, changed a little."""
    for channels, severity in itertools.product((1, 3), (1, 3, 5)):
        image = make_image(channels)
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


def the_smallest_images_work_or_are_refused_by_name(name: str) -> None:
    """Images of a pixel or a line work, or are said to be too small."""
    chain = Chain.from_specs([name])
    for shape, channels in itertools.product([(1, 1), (1, 9), (9, 1), (3, 5), (2, 31)], (1, 3)):
        image = make_image(channels, *shape)
        if min(shape) < find(name)().scale:
            with pytest.raises(ImageError, match="too small"):
                degrade_array(image, chain, 0, "a.png")
            continue
        result, (step,) = degrade_array(image, chain, 0, "a.png")
        assert result.shape == (channels, shape[0] // step.scale, shape[1] // step.scale)
        assert np.isfinite(result).all()


def the_same_seed_gives_the_same_bytes_and_another_seed_other_values(name: str) -> None:
    """What is drawn depends on the seed and the image's name alone."""
    chain = Chain.from_specs([{"name": name, "random": True}])
    image = make_image()
    first, steps = degrade_array(image, chain, 7, "a/b.png")
    again, same_steps = degrade_array(image, chain, 7, "a/b.png")
    assert first.tobytes() == again.tobytes()
    assert steps == same_steps
    drawn = {degrade_array(image, chain, seed, "a/b.png")[1] for seed in range(8)}
    assert len(drawn) > 1


def a_view_and_its_copy_give_the_same_bytes(name: str) -> None:
    """How an image lies in memory does not matter."""
    chain = Chain.from_specs([{"name": name}])
    turned = np.rot90(make_image(), axes=(1, 2))[:, ::-1]
    expected = degrade_array(np.ascontiguousarray(turned), chain, 0, "k")[0]
    np.testing.assert_array_equal(degrade_array(turned, chain, 0, "k")[0], expected)


def a_record_survives_json_and_builds_the_same_step(name: str) -> None:
    """A manifest is enough to do it again."""
    chain = Chain.from_specs([{"name": name, "random": True}])
    image = make_image()
    for seed in range(5):
        result, steps = degrade_array(image, chain, seed, "k")
        rebuilt = tuple(from_record(json.loads(json.dumps(step.record()))) for step in steps)
        assert rebuilt == steps
        assert replay_steps(image, rebuilt, seed, "k").tobytes() == result.tobytes()


def no_strength_changes_nothing(name: str) -> None:
    """Its identity, where it states one, and severity 0 leave an image as it is."""
    image = make_image()
    nothing = find(name).identity
    if nothing is not None:
        step = find(name)(**nothing)
        np.testing.assert_allclose(step.apply(image, image_rng(0, "k")), image, atol=1e-6)
    result, steps = degrade_array(image, Chain.from_specs([{"name": name, "severity": 0}]), 0, "k")
    np.testing.assert_array_equal(result, image)
    assert steps == ()


def severities_grow(name: str) -> None:
    """More severity, more squared error (up to 5 %) on a smooth image with edges; only draws may differ."""
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


def bounds_and_names_are_checked(name: str) -> None:
    """A value out of bounds or of another kind, and a parameter that it has not, are errors that name it."""
    entry = find(name)
    for known in parameters_of(entry).values():
        wrong: list[object] = ["no such word" if known.kind is str else object(), None, float("nan")]
        wrong += [] if known.low is None else [known.low - 1]
        wrong += [] if known.high is None else [known.high + 1]
        for value in wrong:
            with pytest.raises(UsageError) as caught:
                entry(**{known.name: value})
            assert f"{name}.{known.name}" in str(caught.value)
    with pytest.raises(UsageError, match="no parameter"):
        DegradationSampler(name, {"sigmaa": 1})


def random_draws_stay_within_bounds_and_margins(name: str) -> None:
    """No draw has a larger margin than the ends of the ranges."""
    sampler = DegradationSampler(name, random=True)
    rng = np.random.default_rng(0)
    margin = max(step.margin for step in sampler.extremes())
    for _ in range(50):
        drawn = sampler.draw(rng)
        assert drawn is not None
        assert drawn.margin <= margin


def only_what_it_says_decides_a_place(name: str) -> None:
    """A place depends on what lies within `margin` alone, unless `also_depends_on` says what else counts."""
    if find(name).also_depends_on:
        assert any(far_pixels_count(find(name)(), seed) for seed in range(12)), (
            f"{name}: nothing beyond `margin` counts, so leave `also_depends_on` empty"
        )
        return
    for severity, seed in itertools.product((None, 1, 3, 5), range(6)):
        spec: dict[str, object] = {"name": name, "random": True} if severity is None else {"name": name}
        spec |= {} if severity is None else {"severity": severity}
        (step,) = Chain.from_specs([spec]).draw(np.random.default_rng(seed))
        assert not far_pixels_count(step, seed), (
            f"{step}: pixels farther than {step.margin} count; say how far by `margin`, "
            "or in `also_depends_on` what of the whole image does"
        )


def far_pixels_count(step: Degradation, seed: int = 0) -> bool:
    """Whether the middle changes when everything farther from it than `margin` is another image."""
    image, other = (make_image(3, 96, 112, seed=2 * seed + number) for number in (0, 1))
    reach, scale = step.margin, step.scale
    near = np.s_[:, 48 - reach : 48 + reach + scale, 56 - reach : 56 + reach + scale]
    other[near] = image[near]
    one, two = (step.apply(pixels, image_rng(seed, "k")) for pixels in (image, other))
    middle = np.s_[:, 48 // scale, 56 // scale]
    return not np.allclose(one[middle], two[middle], rtol=0, atol=1e-6)


DEGRADATION_LAWS: tuple[Callable[[str], None], ...] = (
    it_says_what_it_is,
    channels_and_type_stay_and_the_input_is_untouched,
    the_smallest_images_work_or_are_refused_by_name,
    the_same_seed_gives_the_same_bytes_and_another_seed_other_values,
    a_view_and_its_copy_give_the_same_bytes,
    a_record_survives_json_and_builds_the_same_step,
    no_strength_changes_nothing,
    severities_grow,
    bounds_and_names_are_checked,
    random_draws_stay_within_bounds_and_margins,
    only_what_it_says_decides_a_place,
)
"""Each is called with a degradation's name."""
