"""Shares follow difficulty, sum exactly, and a resumed on-demand run equals an unbroken one."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from restorecli.errors import InterruptedRunError, RecipeError
from restorecli.training.check import load_recipe
from restorecli.training.checkpoint import read_state
from restorecli.training.curriculum import BLOCK, LevelPlan, allocate, on_demand_shares, scheduled_shares
from restorecli.training.recipe import Curriculum
from restorecli.training.run import train

LEVELS = [[{"name": "gaussian", "sigma": sigma}] for sigma in (5, 20, 60)]


def plan(kind="on-demand", steps=None, batch=4, **values):
    return LevelPlan(Curriculum(kind=kind, levels=LEVELS, **values), seed=3, batch=batch, steps=steps)


def levels_of(plan, start, count):
    chains = list(plan.chains)
    return [chains.index(plan.chain(number)) for number in range(start, start + count)]


def test_worse_restored_levels_get_more():
    """The paper's rule n_i = B (1/P_i) / sum(1/P_j), by hand for five levels."""
    psnrs = [35.0, 32.0, 30.0, 28.0, 26.0]
    shares = on_demand_shares(psnrs, floor=0.0)
    inverse = [1 / p for p in psnrs]
    assert shares == pytest.approx([i / sum(inverse) for i in inverse])
    assert list(shares) == sorted(shares)
    assert sum(allocate(shares, 100)) == 100


@given(st.lists(st.floats(1, 60), min_size=2, max_size=8), st.floats(0, 8), st.floats(0, 0.5))
def test_shares_are_a_division_of_the_whole(psnrs, power, floor):
    shares = on_demand_shares(psnrs, power=power, floor=floor)
    assert sum(shares) == pytest.approx(1)
    assert min(shares) >= min(floor, 1 / len(psnrs)) - 1e-12


def test_equal_difficulty_gives_equal_shares():
    assert on_demand_shares([30.0] * 5) == pytest.approx([0.2] * 5)


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=9).filter(any), st.integers(0, 500))
def test_allocation_sums_exactly_and_is_nearest(weights, count):
    shares = np.array(weights) / sum(weights)
    counts = allocate(tuple(shares), count)
    assert sum(counts) == count
    assert np.abs(np.array(counts) - shares * count).max() < 1


@pytest.mark.parametrize(
    ("kind", "thirds"),
    [
        ("staged", [(0,), (1,), (2,)]),
        ("anti-staged", [(2,), (1,), (0,)]),
        ("cumulative", [(0,), (0, 1), (0, 1, 2)]),
        ("anti-cumulative", [(2,), (1, 2), (0, 1, 2)]),
        ("rigid", [(0, 1, 2)] * 3),
    ],
)
def test_rivals_follow_the_budget(kind, thirds):
    for fraction, present in zip((0.0, 0.4, 0.9), thirds, strict=True):
        shares = scheduled_shares(kind, 3, fraction)
        assert tuple(np.flatnonzero(shares)) == present
        assert sum(shares) == pytest.approx(1)
    assert scheduled_shares(kind, 3, 1.0) == scheduled_shares(kind, 3, 0.9)


def test_a_block_holds_every_level_as_often_as_its_share_says():
    lesson = plan()
    lesson.learn(25, [20.0, 30.0, 60.0])
    before, after = levels_of(lesson, 0, BLOCK), levels_of(lesson, BLOCK, BLOCK)
    assert np.bincount(before).tolist() == [34, 33, 33]
    expected = allocate(on_demand_shares([20.0, 30.0, 60.0]), BLOCK)
    assert tuple(np.bincount(after)) == expected
    assert levels_of(lesson, 0, 2 * BLOCK) == before + after


def test_fixed_has_one_level():
    assert set(levels_of(plan("fixed", level=2), 0, 50)) == {1}


def test_a_resumed_on_demand_run_equals_an_unbroken_one(write_recipe, workshop, signal_after):
    data = {"train": [{"clean": "images"}], "crop": 16, "batch": 2}
    recipe = write_recipe(
        data=data, curriculum={"levels": LEVELS, "power": 9.0}, budget={"steps": 30}, save_every=5
    )
    with pytest.raises(InterruptedRunError):
        train(recipe, output=workshop / "broken", monitor=signal_after(13))
    train(recipe, output=workshop / "broken", resume=True)
    train(recipe, output=workshop / "straight")
    first, second = (load_file(workshop / name / "last.safetensors") for name in ("broken", "straight"))
    assert all(np.array_equal(first[key].numpy(), second[key].numpy()) for key in second)
    lessons = read_state(workshop / "straight").metadata["lessons"]
    assert len(lessons) > 3
    assert lessons[1][1] != lessons[0][1]
    assert lessons == read_state(workshop / "broken").metadata["lessons"]
    log = [json.loads(line) for line in (workshop / "straight" / "log.jsonl").read_text().splitlines()]
    told = [line for line in log if line["kind"] == "validation"]
    names = [f"level_{number}" for number in range(1, len(LEVELS) + 1)]
    assert all(line[f"{name}_psnr"] > 0 for line in told for name in names)
    shares = [tuple(line[f"{name}_share"] for name in names) for line in told]
    assert shares == [tuple(lesson[1]) for lesson in lessons[1:]]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"curriculum": {"levels": LEVELS[:1]}}, "at least 2"),
        ({"curriculum": {"levels": LEVELS, "kind": "fixed", "level": 4}}, "level 4 of 3"),
        ({"curriculum": {"levels": LEVELS, "kind": "stagd"}}, "staged"),
        ({"curriculum": {"levels": LEVELS, "kind": "staged"}, "budget": {"hours": 1}}, "follows the steps"),
        ({"curriculum": {"levels": [["gausian"], ["blur"]]}}, "got gausian"),
    ],
)
def test_faults_of_a_curriculum_are_named(write_recipe, changes, words):
    data = {"train": [{"clean": "images"}], "crop": 16, "batch": 2}
    with pytest.raises(RecipeError, match=words):
        load_recipe(write_recipe(data=data, **changes))


def test_a_curriculum_stands_in_place_of_the_chain(write_recipe):
    with pytest.raises(RecipeError, match=r"in place of data\.degrade"):
        load_recipe(write_recipe(curriculum={"levels": LEVELS}))
