"""Saved evaluations: the round trip is exact, and foreign files are refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from restorecli.errors import DataError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.pairing.pairs import Unmatched
from restorecli.evaluation.tables.saved import read_evaluation, to_json
from restorecli.folders.manifest import Manifest, Record

number = st.one_of(st.none(), st.just(math.inf), st.floats(-1e6, 1e6))
names = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=5)
paths = st.tuples(names, names).map("/".join)


@given(
    restored=st.dictionaries(paths, st.tuples(number, number), min_size=1, max_size=8),
    with_degraded=st.booleans(),
    field=st.one_of(st.none(), st.lists(names, min_size=8, max_size=8)),
    reason=names,
)
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_printed_comes_back_to_the_last_digit(
    made, tmp_path, restored, with_degraded, field, reason
):
    degraded = {path: values[::-1] for path, values in restored.items()} if with_degraded else None
    fields = None if field is None else {
        path: {"x.y": value} for path, value in zip(restored, field, strict=False)
    }  # fmt: skip
    by = ("category",) if field is None else ("y", "category")
    evaluation = made(restored, degraded, by=by, fields=fields)
    evaluation = replace(
        evaluation, unmatched=(Unmatched("reference", "x", reason),), notes=(*evaluation.notes, reason)
    )
    file = tmp_path / "scores.json"
    file.write_text(to_json(evaluation), encoding="utf-8")
    back = read_evaluation(file)
    assert to_json(back) == to_json(evaluation)
    assert back == evaluation


def test_a_real_folder_comes_back_and_its_files_are_found(tmp_path, save):
    manifest = Manifest(tmp_path / "out")
    for index in range(3):
        name = f"a/{index}.png"
        for seed, folder in enumerate(("ref", "out", "low")):
            save(tmp_path / folder / name, seed=3 * index + seed)
        record = Record(name, "restore", "a", f"../ref/{name}", "s", "1", degraded=f"../low/{name}", seed=5)
        manifest.append(record)
    evaluation = evaluate_folders(tmp_path / "out", by=("seed",))
    file = tmp_path / "scores.json"
    file.write_text(to_json(evaluation))
    back = read_evaluation(file)
    assert to_json(back) == file.read_text()
    assert (back.overall, back.groups, back.by) == (evaluation.overall, evaluation.groups, ("seed",))
    for ours, theirs in zip(back.images, evaluation.images, strict=True):
        for side in ("restored", "degraded", "reference"):
            one, other = (getattr(score.pair, side).read().pixels for score in (ours, theirs))
            assert (one == other).all()


def test_scores_of_the_first_version_can_be_a_baseline(tmp_path):
    side = {"psnr": 30.0, "ssim": 0.9, "psnr_std": None, "psnr_median": 30.0, "psnr_min": 30.0, "psnr_n": 1,
            "ssim_std": None, "ssim_median": 0.9, "ssim_min": 0.9, "ssim_n": 1, "identical": 0}  # fmt: skip
    group = {"n": 1, "restored": side}
    image = {"path": "a.png", "category": "a", "reference": "a.png",
             "restored": {"file": "a.png", "psnr": 30.0, "ssim": 0.9}}  # fmt: skip
    document = {"protocol": "P", "means": "", "notes": [], "overall": group, "categories": {"a": group},
                "images": [image], "unmatched": []}  # fmt: skip
    file = tmp_path / "old.json"
    file.write_text(json.dumps(document))
    back = read_evaluation(file)
    assert back.overall.restored["psnr"].mean == 30.0
    assert back.images[0].final == {"psnr": 30.0, "ssim": 0.9}


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"overall": 3}', "no json", '{"error": {}}', "[" * 100_000, "\x00"]
)
def test_other_files_are_refused(tmp_path, text):
    file = tmp_path / "x.json"
    file.write_text(text)
    with pytest.raises(DataError, match="saved scores"):
        read_evaluation(file)


def test_every_single_damage_is_refused_or_read(made, tmp_path):
    """A text in place of a number is refused; whatever is read all the same can be written and read again."""
    text = to_json(made({"a/0.png": [30.0, 0.9]}, {"a/0.png": [20.0, 0.5]}))
    file = tmp_path / "x.json"
    whole = json.loads(text)
    for path in _places(whole):
        for wrong in (None, "x", 10**400):
            document = json.loads(text)
            _put(document, path, wrong)
            file.write_text(json.dumps(document))
            try:
                back = read_evaluation(file)
            except DataError:
                continue
            is_derived = path[-1] in ("identical", "means", "intervals")  # computed again, never read
            assert is_derived or wrong != "x" or isinstance(_get(whole, path), str), path
            file.write_text(to_json(back))
            assert to_json(read_evaluation(file)) == to_json(back)


def _places(value, path=()):
    if path:
        yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from _places(inner, (*path, key))


def _get(document, path):
    for key in path:
        document = document[key]
    return document


def _put(document, path, value):
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        read_evaluation(tmp_path / "none.json")
