"""Parts that several processes score and one joins: all numbers and lists are those of a single process."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile

import restorecli
from restorecli.errors import DataError, UsageError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.joining import join_parts
from restorecli.evaluation.result import Evaluation
from restorecli.evaluation.tables.markdown import to_markdown
from restorecli.evaluation.tables.saved import read_evaluation
from restorecli.evaluation.tables.spreadsheet import groups_to_csv, images_to_csv
from restorecli.folders.shards import Shard

FIELDS = ("category", "sigma")


@pytest.fixture(scope="module")
def chain(tmp_path_factory) -> Path:
    """Clean, degraded and restored images, some of which lack a partner or are damaged, and a stack."""
    root = tmp_path_factory.mktemp("chain")
    rng = np.random.default_rng(0)
    for number in range(11):
        path = root / "clean" / f"c{number % 3}" / f"{number}.tif"
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, rng.integers(0, 256, (18, 20), np.uint8))
    stack = rng.integers(0, 256, (3, 16, 16), np.uint8)
    tifffile.imwrite(root / "clean" / "stack.tif", stack, photometric="minisblack")
    noise = [{"name": "gaussian", "sigma": "5..50"}]
    restorecli.degrade(root / "clean", root / "noisy", noise=noise, frames="all")
    for name in ("median", "bilateral"):
        restorecli.restore(root / "noisy", root / name, model=name, frames="all")
    for name in ("median", "bilateral"):
        (root / name / "c1" / "4.tif").write_bytes(b"II*\0 cut off")
        (root / name / "c2" / "8.tif").unlink()
        (root / name / "extra.tif").write_bytes((root / "clean" / "c0" / "0.tif").read_bytes())
    (root / "noisy" / "c0" / "6.tif").write_bytes(b"no image")
    return root


def parts_of(folder: Path, place: Path, count: int, **options) -> Path:
    """Write what `eval --shard I/N --json` prints, a file for each part, in an order that is not theirs."""
    place.mkdir()
    for number in range(1, count + 1):
        found = restorecli.evaluate(folder, shard=f"{number}/{count}", **options)
        (place / f"{-number % 7}-{number}.json").write_text(json.dumps(found.to_dict()), encoding="utf-8")
    return place


@pytest.mark.parametrize("count", [2, 5, 40])
def test_joined_parts_equal_the_evaluation_of_one_process(chain, tmp_path, count) -> None:
    whole = evaluate_folders(chain / "median", by=FIELDS)
    assert len(whole.images) == 12
    assert {entry.side for entry in whole.unmatched} == {"restored", "degraded"}
    joined = join_parts(parts_of(chain / "median", tmp_path / "parts", count), FIELDS).evaluation
    assert joined.to_dict() == whole.to_dict()
    assert to_markdown(joined) == to_markdown(whole)
    for table in (images_to_csv, groups_to_csv):
        assert list(table(joined)) == list(table(whole))


def test_references_found_by_name_and_all_metrics(chain, tmp_path) -> None:
    options = {"metrics": ["all"], "degraded": chain / "noisy", "protocol": "y-matlab"}
    whole = Evaluation.to_dict(restorecli.evaluate(chain / "median", chain / "clean", **options))
    place = parts_of(chain / "median", tmp_path / "parts", 3, reference=chain / "clean", **options)
    assert join_parts(place).evaluation.to_dict() == whole


def test_tests_of_joined_methods_are_those_of_one_process(chain, tmp_path) -> None:
    options = {"by": FIELDS, "min_psnr": 99}
    whole = restorecli.evaluate(chain / "median", against={"bilateral": chain / "bilateral"}, **options)
    ours, theirs = (parts_of(chain / name, tmp_path / f"of {name}", 3) for name in ("median", "bilateral"))
    joined = restorecli.evaluate(join=ours, against={"bilateral": theirs}, csv=tmp_path / "s.csv", **options)
    assert whole.comparison is not None
    assert joined.comparison is not None
    first, second = (found.comparison.to_dict() for found in (whole, joined))
    assert first["differences"]
    for key in first.keys() - {"missing"}:
        assert second[key] == first[key], key
    assert [str(error) for error in joined.refused] == [str(error) for error in whole.refused]
    assert joined.overall == whole.overall
    assert (tmp_path / "s.csv").read_text(encoding="utf-8") == "".join(images_to_csv(whole))


def test_a_part_holds_the_files_that_the_same_shard_of_restore_writes(chain) -> None:
    for number in (1, 2, 3):
        shard = Shard(number, 3)
        found = evaluate_folders(chain / "median", shard=shard)
        assert all(shard.holds(Path(score.pair.path.partition("#")[0])) for score in found.images)


def test_a_saved_part_comes_back(chain, tmp_path) -> None:
    part = restorecli.evaluate(chain / "median", shard="2/2")
    file = tmp_path / "part.json"
    file.write_text(json.dumps(part.to_dict()), encoding="utf-8")
    assert read_evaluation(file).to_dict() == part.to_dict()
    assert read_evaluation(file).part == part.part


def test_parts_that_make_no_whole_are_refused(chain, tmp_path) -> None:
    place = parts_of(chain / "median", tmp_path / "parts", 3)
    files = sorted(place.iterdir())
    content = files[0].read_text(encoding="utf-8")
    files[0].unlink()
    with pytest.raises(DataError, match="do not make a whole") as caught:
        join_parts(place)
    assert caught.value.expected == "3 parts, 1/3 to 3/3, each once"
    for name in ("a.json", "b.json"):
        (place / name).write_text(content, encoding="utf-8")
    with pytest.raises(DataError, match="do not make a whole"):
        join_parts(place)
    (place / "b.json").write_text(json.dumps(evaluate_folders(chain / "median").to_dict()), encoding="utf-8")
    with pytest.raises(DataError, match="no part of an evaluation"):
        join_parts(place)


@pytest.mark.parametrize(
    ("options", "what"),
    [({"metrics": ["psnr"]}, "metrics"), ({"protocol": "kair-y"}, "protocol"), ({}, "folder")],
)
def test_parts_of_another_evaluation_are_refused(chain, tmp_path, options, what) -> None:
    place = parts_of(chain / "median", tmp_path / "parts", 2)
    other = restorecli.evaluate(chain / ("median" if options else "bilateral"), shard="1/2", **options)
    next(place.glob("*-1.json")).write_text(json.dumps(other.to_dict()), encoding="utf-8")
    with pytest.raises(UsageError, match=f"differ in their {what}"):
        join_parts(place)


def test_a_folder_without_parts_is_refused(tmp_path) -> None:
    for place, got in ((tmp_path, "a folder without"), (tmp_path / "none", "no such folder")):
        with pytest.raises(DataError, match=got):
            join_parts(place)


def test_methods_scored_by_other_metrics_are_not_compared(chain, tmp_path) -> None:
    ours = parts_of(chain / "median", tmp_path / "ours", 2)
    theirs = parts_of(chain / "bilateral", tmp_path / "theirs", 2, metrics=["psnr"])
    with pytest.raises(UsageError, match="metrics of other differ"):
        restorecli.evaluate(join=ours, against={"other": theirs})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shard": "1/2", "min_psnr": 20}, "min_psnr"),
        ({"shard": "1/2", "by": ["sigma"], "csv": "a.csv"}, "by, csv"),
        ({"join": "parts", "metrics": ["psnr"]}, "metrics"),
        ({"join": "parts", "restored": "out"}, "RESTORED"),
        ({"join": "parts", "shard": "1/2"}, "shard"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, words) -> None:
    with pytest.raises(UsageError) as caught:
        restorecli.evaluate(**options)
    assert caught.value.got == words


def test_the_parts_are_not_overwritten(chain, tmp_path) -> None:
    place = parts_of(chain / "median", tmp_path / "parts", 2)
    file = next(place.iterdir())
    with pytest.raises(UsageError):
        restorecli.evaluate(join=place, csv=file)
