"""`bench auto`: cells on photographs, and the image of the confusion table."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from restorecli.bench.auto import Cell, bench_auto
from restorecli.bench.auto_image import draw_confusion
from restorecli.core.shipped import shipped
from restorecli.diagnosis.deciding.decide import NONE
from restorecli.errors import DataError, UsageError
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image
from restorecli.restoration.auto import AutoRestorer
from restorecli.restoration.methods.catalog import METHODS


@pytest.fixture
def test_folder(tmp_path):
    """Two clean photographs."""
    for name in ("chelsea", "coffee"):
        write_image(tmp_path / f"{name}.png", ImageData(read_sample(name).pixels[:, :256, :320]))
    return tmp_path


def test_cells_say_what_was_named_and_what_it_brought(test_folder) -> None:
    cells = {
        cell.damage: cell for cell in bench_auto(test_folder, damages=("jpeg", "downscale"), severities=(4,))
    }
    clean, jpeg, small = cells[NONE], cells["jpeg"], cells["downscale"]
    assert clean.named == {NONE: 2}
    assert clean.degraded == clean.auto == float("inf")
    assert jpeg.named == {"jpeg": 2}
    assert jpeg.right == 1
    assert jpeg.degraded < jpeg.auto
    assert jpeg.worst <= jpeg.auto
    assert "deblock" in jpeg.rivals
    assert jpeg.best[1] >= jpeg.auto - 1e-6
    assert small.degraded is None
    assert small.best is None
    assert jpeg.to_dict()["best"]["name"] == jpeg.best[0]
    as_json = json.dumps([cell.to_dict() for cell in cells.values()], allow_nan=False)
    assert json.loads(as_json)[0]["auto"] is None
    assert json.loads(as_json)[0]["pictures"] == clean.images


def test_images_too_small_to_tell_have_no_damage_of_other_cells(test_folder) -> None:
    """A crop of 192 px is 24 px after downscaling by 8: nothing is said of it."""
    cells = bench_auto(test_folder, damages=("jpeg", "downscale"), severities=(5,), crop=192, rivals=False)
    assert [cell.named for cell in cells] == [{NONE: 2}, {"jpeg": 2}, {NONE: 2}]


def test_a_run_goes_on_where_it_was_stopped(test_folder, tmp_path, monkeypatch) -> None:
    keep = tmp_path / "kept.jsonl"
    asked = {"damages": ("jpeg",), "severities": (4,), "crop": 96, "keep": keep}
    first = bench_auto(test_folder, **asked)
    rows = [json.loads(line) for line in keep.read_text().splitlines()]
    assert {row["key"]["model"] for row in rows} == {"as degraded", "auto", "deblock", "sca-unet.jpeg"}
    assert [len(row["value"]["psnr"]) for row in rows] == [2] * len(rows)
    # As if it had been stopped while it wrote the last row.
    keep.write_text(keep.read_text()[:-9])
    measured: list[str] = []
    monkeypatch.setattr(
        "restorecli.bench.auto._scores", lambda *_: measured.append("again") or rows[-1]["value"]
    )
    monkeypatch.setattr(AutoRestorer, "steps", lambda *_: pytest.fail("what is kept is not measured again"))
    assert bench_auto(test_folder, **asked) == first
    assert measured == ["again"]
    assert len(keep.read_text().splitlines()) == len(rows)


def test_other_images_are_not_taken_from_the_file(test_folder, tmp_path) -> None:
    keep = tmp_path / "kept.jsonl"
    for crop in (96, 104):
        bench_auto(test_folder, damages=("jpeg",), severities=(4,), crop=crop, keep=keep, rivals=False)
    kept = [json.loads(line)["key"]["images"] for line in keep.read_text().splitlines()]
    assert len(set(kept)) == 2


def test_a_file_of_something_else_is_refused(test_folder, tmp_path) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text('{"loss": 1}\n')
    with pytest.raises(DataError, match="no measurements"):
        bench_auto(test_folder, keep=other)
    assert other.read_text() == '{"loss": 1}\n'


def test_an_empty_folder_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no image"):
        bench_auto(tmp_path)


def _cell(damage: str, named: dict[str, int]) -> Cell:
    return Cell(damage, 3, 4, named, 0.5, 20.0, 25.0, 22.0, {"a": 24.0, "b": 26.0})


def test_the_best_may_be_to_leave_it() -> None:
    assert _cell("jpeg", {}).best == ("b", 26.0)
    worse = Cell("jpeg", 3, 4, {}, 0.5, 20.0, 20.0, 20.0, {"a": 19.0})
    assert worse.best == ("as degraded", 20.0)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_confusion_table_is_drawn(tmp_path, suffix) -> None:
    cells = [_cell("jpeg", {"jpeg": 3, NONE: 1}), _cell("haze", {"haze": 2, "sand-dust": 2})]
    draw_confusion(cells, tmp_path / f"c.{suffix}")
    assert (tmp_path / f"c.{suffix}").stat().st_size > 3000
    if suffix == "png":
        drawn = np.asarray(Image.open(tmp_path / "c.png").convert("RGB"), int)
        assert ((drawn[..., 2] - drawn[..., 0]) > 60).any()  # blue cells


def test_unknown_formats_are_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="Unknown format"):
        draw_confusion([_cell("jpeg", {"jpeg": 4})], tmp_path / "c.doc")


def test_rivals_are_known_names() -> None:
    from restorecli.bench.auto import RIVALS

    weights = {entry.name for entry in shipped()}
    for names in RIVALS.values():
        assert all(name in METHODS or name in weights for name in names)
