"""Paired comparisons: Holm against its definition and R, Wilcoxon's test, verdicts, and what is missing."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.pairing.pairs import Unmatched
from restorecli.evaluation.rivals import evaluate_rival
from restorecli.evaluation.statistics.comparison import compare, holm
from restorecli.evaluation.tables.cells import comparison_table

rng = np.random.default_rng(11)
BASE = rng.normal(28, 3, 40)


def paths(count: int = 40) -> list[str]:
    return [f"{'ab'[index % 2]}/{index}.png" for index in range(count)]


def methods(made, *shifts, **options):
    """The first with the scores BASE, and others that are better by a shift, with some noise."""
    noise = np.random.default_rng(3).normal(0, 0.2, (len(shifts), 40))
    return [
        made({path: [float(BASE[i] + shift + (shift != 0) * noise[k, i])] for i, path in enumerate(paths())},
             metrics=["psnr"], **options)
        for k, shift in enumerate(shifts)
    ]  # fmt: skip


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
@settings(deadline=None)
def test_holm_rejects_what_its_definition_rejects(p_values):
    """Reject while the k-th smallest is at most level / (m - k + 1): true of the corrected values too."""
    corrected = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        for rank, index in enumerate(np.argsort(p_values, kind="stable")):
            if p_values[index] * (len(p_values) - rank) > level:
                break
            rejected.add(int(index))
        assert rejected == {index for index, p in enumerate(corrected) if p <= level}


def test_holm_agrees_with_r():
    """R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.5), "holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005, 0.5]) == pytest.approx([0.04, 0.09, 0.09, 0.025, 0.5])
    assert holm([]) == []


def test_the_p_value_is_that_of_all_signs(made):
    """For seven images, count the sign patterns whose rank sum is as far from the middle."""
    differences = [0.5, -0.1, 0.9, 0.3, 1.4, -0.2, 0.7]
    one = made({f"a/{i}.png": [30 + d] for i, d in enumerate(differences)}, metrics=["psnr"])
    two = made({f"a/{i}.png": [30.0] for i in range(7)}, metrics=["psnr"])
    entry = compare(one, {"x": two}, groups=False).differences[0]
    ranks = np.argsort(np.argsort(np.abs(differences))) + 1
    observed = abs(sum(ranks * np.sign(differences)))
    patterns = list(itertools.product((-1, 1), repeat=7))
    share = np.mean([abs(sum(ranks * signs)) >= observed for signs in patterns])
    assert entry.p == pytest.approx(share)
    assert entry.mean == pytest.approx(np.mean(differences))


def test_better_tie_and_worse(made):
    one, two, same, three = methods(made, 0, 1, 0, -1)
    found = compare(one, {"up": two, "same": same, "down": three}, groups=False)
    verdicts = {entry.rival: entry.verdict for entry in found.differences}
    assert verdicts == {"up": "worse", "same": "tie", "down": "better"}
    up = found.find("overall", "psnr", "up")
    assert up.mean == pytest.approx(-1, abs=0.1)
    assert up.interval[0] < up.mean < up.interval[1] < 0
    judge = stats.wilcoxon(
        [score.final["psnr"] for score in one.images], [s.final["psnr"] for s in two.images]
    )
    assert up.p == pytest.approx(judge.pvalue)
    assert [entry.p_holm for entry in found.differences] == holm([entry.p for entry in found.differences])
    assert found.find("overall", "psnr", "same").p == 1


def test_less_is_better_where_it_is(made):
    values = {path: [float(10 + index % 7)] for index, path in enumerate(paths(20))}
    one = made(values, metrics=["mse"])
    two = made({path: [value[0] + 2 + 0.01 * i] for i, (path, value) in enumerate(values.items())},
               metrics=["mse"])  # fmt: skip
    assert compare(one, {"x": two}, groups=False).differences[0].verdict == "better"
    assert compare(two, {"x": one}, groups=False).differences[0].verdict == "worse"


def test_five_images_decide_nothing(made):
    one = made({f"a/{i}.png": [30.0 + i] for i in range(5)}, metrics=["psnr"])
    two = made({f"a/{i}.png": [20.0 - i] for i in range(5)}, metrics=["psnr"])
    found = compare(one, {"x": two}, groups=False)
    entry = found.differences[0]
    assert entry.p == pytest.approx(2 / 2**5)
    assert entry.interval[0] > 0
    assert entry.verdict == "undecided"
    assert entry.few
    assert comparison_table(found, found.metrics[0]).rows[-1][-1] == "undecided (few)"


def test_images_are_too_few_only_where_no_scores_could_decide(made):
    """Six images reach p = 0.031, which is enough beside a clear difference that Holm corrects first."""
    mixed, clear = [3.0, -2.5, 1, -1.5, 2, 0.5], [5.0 + index for index in range(12)]
    for others, verdict in ((clear, "tie"), (mixed * 2, "undecided")):
        shifts = {f"a/{i}.png": shift for i, shift in enumerate(mixed)}
        shifts |= {f"b/{i}.png": shift for i, shift in enumerate(others)}
        one = made({path: [30.0 + shift] for path, shift in shifts.items()}, metrics=["psnr"])
        two = made({path: [30.0] for path in shifts}, metrics=["psnr"])
        found = compare(one, {"x": two}, [one.metrics[0]])
        group = next(entry for entry in found.differences if entry.group == "a")
        decided = [30.0 + abs(shift) for path, shift in shifts.items() if path.startswith("a")]
        best = made(
            {path: [decided[i] if i < 6 else 30.0 + shift] for i, (path, shift) in enumerate(shifts.items())},
            metrics=["psnr"],
        )
        judged = compare(best, {"x": two}, [one.metrics[0]]).find("a", "psnr", "x")
        assert group.verdict == verdict
        assert (judged.verdict == "better") == (verdict == "tie")


def test_the_footnote_names_the_correction_and_its_family(made):
    one, two, three = methods(made, 0, 0.05, 0.5)
    found = compare(one, {"x": two, "y": three})
    assert (
        "Holm's method over the whole family of 6 tests (3 groups x 1 metric x 2 other methods)"
        in found.policy
    )
    assert found.to_dict()["policy"] == found.policy


def test_a_tie_of_many_images_is_no_tie_for_want_of_images(made):
    one = made({f"a/{i}.png": [30.0 + i % 2] for i in range(20)}, metrics=["psnr"])
    two = made({f"a/{i}.png": [30.0 + (i + 1) % 2] for i in range(20)}, metrics=["psnr"])
    entry = compare(one, {"x": two}, groups=False).differences[0]
    assert entry.verdict == "tie"
    assert not entry.few


def test_the_family_is_all_groups_rivals_and_metrics(made):
    one, two, three = methods(made, 0, 0.05, 0.5)
    found = compare(one, {"x": two, "y": three})
    assert [entry.group for entry in found.differences] == ["a", "a", "b", "b", "overall", "overall"]
    assert [entry.p_holm for entry in found.differences] == holm([entry.p for entry in found.differences])
    assert found.means["y"]["a"]["psnr"] == three.categories["a"].restored["psnr"].mean
    assert found.methods == ("restored", "x", "y")


def test_infinite_and_missing_images_are_told(made):
    one = made({"a/0.png": [math.inf], "a/1.png": [30.0], "a/2.png": [31.0]}, metrics=["psnr"])
    two = made({"a/0.png": [40.0], "a/1.png": [29.0], "a/3.png": [31.0]}, metrics=["psnr"])
    two = replace(two, unmatched=(Unmatched("restored", "a/2.png", "broken"),))
    found = compare(one, {"x": two}, groups=False)
    entry = found.differences[0]
    assert (entry.n, entry.left_out, entry.mean) == (1, 1, 1.0)
    listed = {missing.path: missing.reason for missing in found.missing}
    assert listed == {"a/2.png": "broken", "a/3.png": "only x has a score for it"}


def test_the_order_of_the_images_changes_no_digit(made):
    one, two = methods(made, 0, 0.1)
    turned = replace(one, images=one.images[::-1])
    assert compare(turned, {"x": two}).differences == compare(one, {"x": two}).differences


def test_another_folder_is_scored_against_the_same_references(tmp_path, save):
    for index in range(3):
        for seed, folder in enumerate(("ref", "out", "other")):
            save(tmp_path / folder / f"a/{index}.png", seed=10 * index + seed)
    (tmp_path / "other/a/0.png").rename(tmp_path / "other/a/0.bmp")
    (tmp_path / "other/a/2.png").rename(tmp_path / "other/a/lost.png")
    one = evaluate_folders(tmp_path / "out", tmp_path / "ref")
    two = evaluate_rival(one, tmp_path / "other")
    alone = evaluate_folders(tmp_path / "other/a/1.png", tmp_path / "ref/a/1.png")
    assert [score.pair.path for score in two.images] == ["a/0.png", "a/1.png"]
    assert two.images[1].restored == alone.images[0].restored
    found = compare(one, {"other": two})
    reasons = {entry.path: entry.reason for entry in found.missing}
    assert set(reasons) == {"a/2.png", "a/lost.png"}
    assert "no image of this relative path" in reasons["a/2.png"]
    assert "none of this name" in reasons["a/lost.png"]
