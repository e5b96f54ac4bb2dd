"""One pair under every protocol."""

from __future__ import annotations

import json

import numpy as np
import pytest

from restorecli.errors import DataError
from restorecli.evaluation.explain import GRAY, explain
from restorecli.evaluation.metrics.protocol import PROTOCOLS


@pytest.fixture
def pair(save, tmp_path):
    rng = np.random.default_rng(0)
    reference = np.kron(rng.integers(40, 216, (3, 6, 7)), np.ones((1, 12, 12), int)) / 255
    noisy = np.clip(reference + rng.normal(0, 0.05, reference.shape), 0, 1)
    return tuple(
        save(tmp_path / f"{name}.png", pixels=pixels.astype(np.float32))
        for name, pixels in (("restored", noisy), ("reference", reference))
    )


def test_every_protocol_has_a_row_and_a_reason(pair):
    rows = explain(*pair).scores
    assert [row.protocol for row in rows][: len(PROTOCOLS)] == list(PROTOCOLS)
    assert len({row.protocol for row in rows}) == len(rows)
    assert all(row.reason and row.line for row in rows)


def test_the_effects_are_what_the_reasons_say(pair):
    rows = {row.protocol: row for row in explain(*pair).scores}
    for same in ("basicsr", "scikit-matlab", "kair"):
        assert (rows[same].psnr, rows[same].ssim) == (rows["rgb"].psnr, rows["rgb"].ssim)
    assert (rows["kair-y"].psnr, rows["kair-y"].ssim) == (rows["y-matlab"].psnr, rows["y-matlab"].ssim)
    # (255 / 219)^2 is 1.32 dB
    assert rows["basicsr-y"].psnr - rows["y-yiq"].psnr == pytest.approx(1.32, abs=0.02)
    assert rows["skimage-default"].psnr_difference == 0
    assert rows["skimage-default"].ssim_difference != 0
    assert rows["torchmetrics"].ssim_difference != 0
    assert "border crop of 4 pixels" in rows["rgb:4"].line


def test_the_table_and_the_document_say_the_same(pair):
    found = explain(*pair)
    assert {len(row) for row in found.rows} == {len(found.headers)}
    assert not any(cell.startswith("-0.000") and float(cell) == 0 for row in found.rows for cell in row[:5])
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    for line, row in zip(document["protocols"], found.rows, strict=True):
        assert line["protocol"] == row[0]
        assert line["psnr"] == pytest.approx(float(row[1]), abs=6e-4)


def test_equal_images_are_infinitely_good_and_differ_in_nothing(pair):
    found = explain(pair[0], pair[0])
    document = json.loads(json.dumps(found.to_dict(), allow_nan=False))["protocols"]
    assert document[0]["psnr"] == "inf"
    assert document[0]["psnr_difference"] is None
    assert found.rows[0][1] == "inf"


def test_a_gray_pair_has_no_luma(save, tmp_path):
    files = [save(tmp_path / f"{seed}.png", seed, size=(30, 30), channels=1) for seed in (0, 1)]
    rows = {row.protocol: row for row in explain(*files).scores}
    assert rows["y-matlab"].reason == GRAY
    assert rows["y-matlab"].psnr == rows["rgb"].psnr


def test_small_images_have_a_psnr_and_no_ssim(save, tmp_path):
    files = [save(tmp_path / f"{seed}.png", seed, size=(8, 8)) for seed in (0, 1)]
    rows = {row[0]: row for row in explain(*files).rows}
    assert rows["rgb"][3] == "-"
    assert rows["skimage-default"][3] != "-"
    assert rows["rgb:4"][1] == "-"


def test_two_sizes_are_refused(save, tmp_path):
    files = [save(tmp_path / f"{size}.png", size=(size, 20)) for size in (20, 21)]
    with pytest.raises(DataError, match="different shape"):
        explain(*files)
