"""Chains: from names, mappings and YAML; seeds by path; margins and scales."""

import numpy as np
import pytest

from restorecli.degradation.chain import Chain, apply_all, degrade_array, image_rng
from restorecli.degradation.families.blur import Defocus, GaussianBlur, MotionBlur
from restorecli.degradation.families.noise import Gaussian
from restorecli.errors import RecipeError, UsageError


def make_image(side=24):
    return np.random.default_rng(0).random((3, side, side), dtype=np.float32)


def written(tmp_path, text):
    file = tmp_path / "chain.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def test_steps_are_applied_in_order_with_their_own_generators() -> None:
    chain = Chain.from_specs(["blur", {"name": "gaussian", "sigma": 10}])
    result, steps = degrade_array(make_image(), chain, 3, "a.png")
    assert steps == (GaussianBlur(), Gaussian(sigma=10))
    blurred = GaussianBlur().apply(make_image(), image_rng(3, "a.png", "step", 0))
    np.testing.assert_array_equal(result, Gaussian(sigma=10).apply(blurred, image_rng(3, "a.png", "step", 1)))


def test_the_generator_is_fixed_for_ever() -> None:
    """SHA-256 over length-prefixed parts seeds PCG64; a change here would change every degraded image."""
    assert image_rng(0, "a/b.png", "step", 1).integers(2**32, size=3).tolist() == [
        2843891144,
        4004697508,
        1043798218,
    ]


def test_generators_differ_by_seed_path_and_purpose() -> None:
    keys = [
        (0, "a"),
        (1, "a"),
        (0, "b"),
        (0, "a", "step"),
        (0, "a", "step", 0),
        (0, "a", "step", 1),
        (0, "as", "tep"),
    ]
    assert len({image_rng(*key).integers(2**63) for key in keys}) == len(keys)


def test_images_of_one_run_get_different_noise_and_values() -> None:
    chain = Chain.from_specs([{"name": "gaussian", "sigma": "0..55"}])
    one, two = (degrade_array(make_image(), chain, 0, key) for key in ("a.png", "b.png"))
    assert one[1] != two[1]
    assert not np.array_equal(one[0], two[0])


def test_steps_that_are_left_out_are_not_recorded() -> None:
    chain = Chain.from_specs([{"name": "gaussian", "probability": 0.5}, "blur"])
    lengths = {len(degrade_array(make_image(), chain, seed, "k")[1]) for seed in range(20)}
    assert lengths == {1, 2}
    nothing = Chain.from_specs([{"name": "gaussian", "probability": 0}])
    result, steps = degrade_array(make_image(), nothing, 0, "k")
    assert steps == ()
    np.testing.assert_array_equal(result, make_image())


@pytest.mark.parametrize(
    ("specs", "margin", "scale"),
    [
        (["gaussian"], 0, 1),
        ([{"name": "blur", "sigma": "0.2..2"}], 8, 1),
        ([{"name": "motion-blur", "length": [5, 31]}], 15, 1),
        ([{"name": "defocus", "severity": "1..3"}], 8, 1),
        (["blur", "motion-blur"], 6 + 7, 1),
        ([{"name": "downscale", "factor": 4}], 8, 4),
        ([{"name": "downscale", "factor": 2}, {"name": "blur", "sigma": 1}], 4 + 2 * 4, 2),
        ([{"name": "blur", "sigma": 1.5}, {"name": "downscale", "factor": 4}], 16, 4),
    ],
)
def test_margin_and_scale(specs, margin, scale) -> None:
    chain = Chain.from_specs(specs)
    assert (chain.margin, chain.scale) == (margin, scale)


def test_margins_of_the_steps() -> None:
    assert [GaussianBlur(sigma=s).margin for s in (0, 0.1, 1, 1.5)] == [0, 0, 4, 6]
    assert MotionBlur(length=1).margin == 0
    assert Defocus(radius=2.5, edge=0.5).margin == 5


def test_a_scale_drawn_at_random_is_no_scale() -> None:
    for spec in ({"factor": "2,3"}, {"probability": 0.5}):
        chain = Chain.from_specs([{"name": "downscale", **spec}])
        with pytest.raises(UsageError, match="at random"):
            _ = chain.scale


@pytest.mark.parametrize(
    ("specs", "told"),
    [
        ([], "empty"),
        ("gaussian", "list"),
        ({"name": "gaussian"}, "list"),
        (["blur", "gausian"], "Step 2"),
        ([{"sigma": 3}], "no name"),
        ([3], "no name"),
        ([{"name": "gaussian", "sgima": 3}], "sigma"),
        ([{"name": "gaussian", 3: 3}], "parameter"),
        ([{"name": "gaussian", "sigma": "loud"}], "number"),
        ([{"name": "dither", "kernel": "floyd"}], "floyd-steinberg"),
        ([{"name": "gaussian", "probability": 2}], "probability"),
    ],
)
def test_wrong_chains_are_refused_with_a_way_out(specs, told) -> None:
    with pytest.raises(UsageError) as caught:
        Chain.from_specs(specs)
    assert told in str(caught.value)


def test_only_images_are_degraded() -> None:
    for wrong in (np.zeros((24, 24), np.float32), np.zeros((2, 4, 4), np.float32), np.zeros((3, 4, 4))):
        with pytest.raises(UsageError, match=r"\(1 or 3, H, W\) float32"):
            apply_all(wrong, (Gaussian(),), lambda number: image_rng(0, "k"))


def test_a_yaml_chain(tmp_path) -> None:
    text = "- blur\n- {name: gaussian, sigma: 2e-1, probability: .5}\n- name: jpeg\n  quality: [10, 20]\n"
    for content in (text, "chain:\n" + text):
        chain = Chain.from_yaml(written(tmp_path, content))
        assert [sampler.name for sampler in chain.samplers] == ["blur", "gaussian", "jpeg"]
        assert chain.samplers[1].specs == {"sigma": 0.2}
        assert chain.samplers[1].probability == 0.5
        assert chain.samplers[2].specs == {"quality": [10, 20]}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "does not hold"),
        ("gaussian", "does not hold"),
        ("chain: 3", "does not hold"),
        ("steps: [gaussian]", "does not hold"),
        ("[gaussian", "not valid YAML"),
        ("- {name: gaussian, sigma: 1, sigma: 2}", "twice"),
        ("- &a {name: gaussian}\n- *a", "Aliases are not allowed"),
        ("- !!python/object/apply:os.getcwd []", "Tags are not allowed"),
        ("\t- gaussian", "not valid YAML"),
        ("- gausian", "gaussian"),
        ("[" * 2000, "nested too deep"),
        ("# " + "x" * (1 << 20), "too large"),
    ],
)
def test_wrong_files_are_refused_and_named(tmp_path, text, told) -> None:
    file = written(tmp_path, text)
    with pytest.raises(RecipeError) as caught:
        Chain.from_yaml(file)
    assert told in str(caught.value)
    assert "chain.yaml" in str(caught.value)


def test_a_missing_file_is_named(tmp_path) -> None:
    with pytest.raises(RecipeError, match="cannot be read"):
        Chain.from_yaml(tmp_path / "none.yaml")


@pytest.mark.parametrize("name", ["gaussian-blur", "downscale", "gaussian"])
def test_severity_0_is_no_step(name) -> None:
    """A recipe may give a share of its crops undamaged: `severity: 0`."""
    chain = Chain.from_specs([{"name": name, "severity": 0}])
    assert (chain.margin, chain.scale) == (0, 1)
    assert chain.draw(np.random.default_rng(0)) == ()
