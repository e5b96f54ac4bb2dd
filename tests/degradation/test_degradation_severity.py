"""The severity that values were drawn from is remembered, and changes nothing else."""

from __future__ import annotations

import json

import numpy as np
import pytest

from restorecli.degradation.catalog import DEGRADATIONS, from_record
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder, replay
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image


@pytest.fixture
def photos(tmp_path):
    for index in range(4):
        pixels = np.random.default_rng(index).random((3, 24, 20), dtype=np.float32)
        write_image(tmp_path / f"{index}.png", ImageData(pixels, FileTraits()))
    return tmp_path


@pytest.mark.parametrize("name", list(DEGRADATIONS))
def test_every_level_is_recorded_and_read_back(name):
    for level in range(1, 6):
        (step,) = Chain.from_specs([{"name": name, "severity": level}]).draw(np.random.default_rng(0))
        record = step.record()
        again = from_record(json.loads(json.dumps(record)))
        assert record["severity"] == level
        assert (again, again.severity) == (step, level)


def test_values_given_outright_have_no_severity():
    (step,) = Chain.from_specs(["gaussian"]).draw(np.random.default_rng(0))
    assert "severity" not in step.record()


def test_a_severity_that_decides_nothing_is_not_recorded():
    specs = [{"name": "gaussian", "sigma": 25, "severity": 3}, {"name": "jpeg", "quality": 50, "severity": 2}]
    steps = Chain.from_specs(specs).draw(np.random.default_rng(0))
    assert "severity" not in steps[0].record()
    assert steps[0].sigma == 25


def test_images_of_a_manifest_without_severities_are_not_made_again(photos, tmp_path):
    out = tmp_path / "out"
    chain = Chain.from_specs([{"name": "gaussian", "severity": "1..4"}])
    assert degrade_folder(photos, out, chain).written == 4
    lines = [json.loads(line) for line in (out / "manifest.jsonl").read_text().splitlines()]
    assert {line["degradations"][0]["severity"] for line in lines} <= {1, 2, 3, 4}
    for line in lines:
        del line["degradations"][0]["severity"]
    (out / "manifest.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert degrade_folder(photos, out, chain).skipped == 4
    assert replay(out, tmp_path / "again").written == 4
    for line in lines:
        assert (out / line["path"]).read_bytes() == (tmp_path / "again" / line["path"]).read_bytes()
