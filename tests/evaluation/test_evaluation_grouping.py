"""Groups by fields of the manifest: names, order, ranges and what is refused."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from restorecli.errors import UsageError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.result import PairScore
from restorecli.evaluation.statistics.grouping import fields_of, group_by, split
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.walking import categorize

METRICS = find_metrics(["psnr"])
HERE = Source("x.png", Path())


def pair_of(steps: list[dict], **others) -> Pair:
    record = Record("a/0.png", "restore", "a", None, "s", "1", degradations=tuple(steps), **others)
    here = Source("a/0.png", Path())
    return Pair("a/0.png", "a", "dent", here, here, None, record)


def scores_with(name: str, values: list[str | None]) -> list[PairScore]:
    pair = pair_of([])
    return [
        PairScore(pair, None, {"psnr": float(i)}, (), {} if value is None else {name: value})
        for i, value in enumerate(values)
    ]


def names_of(scores: list[PairScore], *by: str) -> list[str]:
    return list(group_by(scores, by, METRICS).groups)


def test_the_fields_of_an_image_are_what_its_line_says():
    steps = [
        {"name": "gaussian", "sigma": 25.0, "gray": False},
        {"name": "jpeg", "quality": 30, "subsampling": "4:2:0"},
        {"name": "gaussian", "sigma": 2.5, "gray": False},
    ]
    fields = fields_of(pair_of(steps, seed=7, restorer={"name": "sca-unet.gaussian", "tile": 256}))
    assert fields == {
        "category": "a",
        "defect": "dent",
        "degradation": "gaussian+jpeg+gaussian",
        "gaussian.sigma": "25",
        "gaussian.gray": "false",
        "jpeg.quality": "30",
        "jpeg.subsampling": "4:2:0",
        "gaussian-2.sigma": "2.5",
        "gaussian-2.gray": "false",
        "seed": "7",
        "unclipped": "false",
        "version": "1",
        "restorer.tile": "256",
        "model": "sca-unet.gaussian",
    }


@pytest.mark.parametrize(
    ("levels", "severity"), [([3, 3], "3"), ([3, 1], "3+1"), ([None, 2], "2"), ([None, None], None)]
)
def test_the_severity_of_a_chain(levels, severity):
    steps = [{"name": name} for name in ("gaussian", "jpeg")]
    for step, level in zip(steps, levels, strict=True):
        step |= {} if level is None else {"severity": level}
    assert fields_of(pair_of(steps)).get("severity") == severity


def test_numbers_sort_by_size_then_words_then_what_is_missing():
    values = ["100", "-", "9", "1e1", "x", "-3", None, "0.5"]
    assert names_of(scores_with("p.q", values), "q") == ["-3", "0.5", "9", "1e1", "100", "x", "-"]


def test_a_short_name_must_mean_one_field():
    fields = {"gaussian.sigma": "5", "gaussian-blur.sigma": "2", "jpeg.quality": "50", "category": "a"}
    scores = [PairScore(pair_of([]), None, {"psnr": 1.0}, (), fields)]
    assert names_of(scores, "quality") == ["50"]
    assert names_of(scores, "gaussian.sigma", "category") == ["5/a"]
    with pytest.raises(UsageError, match="several fields") as caught:
        names_of(scores, "sigma")
    assert caught.value.expected == "gaussian.sigma or gaussian-blur.sigma"
    with pytest.raises(UsageError) as caught:
        names_of(scores, "qualty")
    assert caught.value.expected == ", ".join(fields)
    assert "'quality'" in caught.value.hint


def scored_at(*paths: str) -> list[PairScore]:
    """Return scores of images at relative paths, in the categories that a walk gives them."""
    pairs = [
        Pair(path, categorize(PurePosixPath(path), Path("none"))[0], None, HERE, HERE, None) for path in paths
    ]
    return [PairScore(pair, None, {"psnr": 1.0}) for pair in pairs]


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (["0.png", "1.png"], ["all"]),
        (["0.png", "a/1.png"], ["(top folder)", "a"]),
        (["0.png", "all/1.png"], ["(top folder)", "all"]),
        (["all/0.png", "b/1.png"], ["all", "b"]),
    ],
)
def test_images_of_the_top_folder_beside_others_are_not_called_all(paths, names):
    assert names_of(scored_at(*paths), "category") == names


def test_many_numbers_are_cut_into_ranges_that_read_well():
    scores = scores_with("gaussian.sigma", [str(55 * i / 40) for i in range(41)])
    grouping = group_by(scores, ["sigma"], METRICS)
    assert list(grouping.groups) == ["0..10", "10..20", "20..30", "30..40", "40..50", "50..60"]
    assert [group.n for group in grouping.groups.values()] == [8, 7, 7, 8, 7, 4]
    assert "41 values from 0 to 55, shown in ranges of 10" in grouping.notes[0]


def test_twelve_numbers_or_many_words_stay_as_they_are():
    assert len(names_of(scores_with("seed", [str(i) for i in range(12)]), "seed")) == 12
    assert len(names_of(scores_with("version", [f"v{i}" for i in range(20)]), "version")) == 20


@given(
    st.lists(st.floats(-1e9, 1e9), min_size=13, max_size=60, unique=True).filter(
        lambda values: max(values) - min(values) > 1e-6 * max(map(abs, values))
    )
)
@settings(deadline=None, max_examples=60)
def test_every_number_lies_in_its_range(values):
    members, _ = split(scores_with("p.q", [repr(value) for value in values]), ["q"])
    assert sum(map(len, members.values())) == len(values)
    assert len(members) <= 10
    for (name,), scores in members.items():
        low, high = map(float, name.split(".."))
        slack = 1e-9 * max(abs(low), abs(high))
        assert all(low - slack <= values[int(s.restored["psnr"])] <= high + slack for s in scores)


@pytest.fixture
def chain(tmp_path, save):
    manifest = Manifest(tmp_path / "out")
    for index in range(6):
        category, sigma = ("a", "b")[index % 2], (5.0, 15.0, 100.0)[index // 2]
        name = f"{category}/{index}.png"
        for folder in ("ref", "out"):
            save(tmp_path / folder / name, seed=index + 10 * (folder == "out"))
        step = {"name": "gaussian", "sigma": sigma, "severity": index // 2 + 1}
        manifest.append(Record(name, "restore", category, f"../ref/{name}", name, "1", degradations=(step,)))
    return tmp_path / "out"


def test_crossed_groups_of_a_folder(chain):
    evaluation = evaluate_folders(chain, by=("sigma", "category"))
    assert list(evaluation.groups) == ["5/a", "5/b", "15/a", "15/b", "100/a", "100/b"]
    assert evaluation.by == ("sigma", "category")
    assert evaluation.groups["15/b"].values == ("15", "b")
    assert list(evaluation.categories) == ["a", "b"]
    one = next(score for score in evaluation.images if score.pair.path == "b/3.png")
    assert evaluation.groups["15/b"].restored["psnr"].mean == one.restored["psnr"]
    assert list(evaluate_folders(chain, by=("severity",)).groups) == ["1", "2", "3"]
    assert list(evaluate_folders(chain, by=("degradation",)).groups) == ["gaussian"]


def test_an_unknown_field_is_refused_before_anything_is_scored(chain):
    class Listener:
        def start(self, total, what):
            raise AssertionError("scoring began")

    with pytest.raises(UsageError, match="Unknown field"):
        evaluate_folders(chain, by=("quality",), progress=Listener())
