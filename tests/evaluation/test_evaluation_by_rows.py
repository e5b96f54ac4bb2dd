"""Pairs that memory cannot hold: scored by rows, as they are scored whole."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import restorecli
from restorecli.errors import DataError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.metrics.metric import Subject
from restorecli.evaluation.metrics.protocol import PROTOCOLS, find_protocol
from restorecli.evaluation.metrics.row_scores import RowScores
from restorecli.evaluation.scoring_rows import ROWS_NOTE
from restorecli.images import budget, reading, rows

METRICS = ("psnr", "ssim", "mae", "mse", "rmse", "psnr-y", "ssim-y")
SIZE = (150, 60)


def whole(metric, subject: Subject) -> float | None:
    try:
        return metric.function(subject)
    except DataError:
        return None


@given(
    size=st.tuples(st.integers(1, 80), st.integers(1, 40)),
    heights=st.lists(st.integers(1, 40), min_size=1),
    channels=st.sampled_from([1, 3]),
    kind=st.sampled_from([np.uint8, np.float32]),
    protocol=st.sampled_from([*PROTOCOLS, "rgb:4", "basicsr-y:3", "kair-y:2"]),
    near=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_rows_come_to_the_scores_of_the_whole(size, heights, channels, kind, protocol, near) -> None:
    rng = np.random.default_rng(3)
    one = rng.integers(0, 256, (channels, *size)).astype(np.uint8)
    other = one.copy() if near else rng.integers(0, 256, one.shape).astype(np.uint8)
    if kind is np.float32:
        one, other = (image.astype(np.float32) / np.float32(251) for image in (one, other))
    rules, metrics = find_protocol(protocol), find_metrics(METRICS)
    sums, start = RowScores(metrics, rules, size), 0
    for height in (*heights, size[0]):
        stop = min(start + height, size[0])
        sums.add(start, one[:, start:stop], other[:, start:stop])
        start = stop
    found, notes = sums.scores()
    subject = Subject(one, other, protocol=rules)
    exact = rules.rounds and rules.scorers["psnr"] is PROTOCOLS.find("rgb").scorers["psnr"]
    for metric in metrics:
        expected = whole(metric, subject)
        if metric.title in sums.left_out:
            assert found[metric.name] is None
        elif expected is None or not metric.name.startswith("ssim"):
            near_enough = {} if exact else {"rel": 1e-12, "abs": 1e-12}
            assert found[metric.name] == (
                expected if exact or expected is None else pytest.approx(expected, **near_enough)
            ), metric.name
            assert expected is not None or any(note.startswith(metric.title) for note in notes)
        else:
            assert found[metric.name] == pytest.approx(expected, rel=0, abs=1e-12)


def test_what_can_be_measured_by_rows() -> None:
    for name, protocol in PROTOCOLS.items():
        sums = RowScores(find_metrics([*METRICS, "gmsd", "ms-ssim"]), protocol, SIZE)
        assert {"GMSD", "MS-SSIM"} <= set(sums.left_out) <= {"GMSD", "MS-SSIM", "SSIM"}, name
        assert ("SSIM" in sums.left_out) == (
            protocol.scorers["ssim"] is not PROTOCOLS.find("rgb").scorers["ssim"]
        )


@pytest.fixture
def little_memory(monkeypatch) -> None:
    """Memory that holds none of these images, and whose bands are a few rows."""
    for module in (budget, reading, rows, sys.modules["restorecli.images.tiff_rows"]):
        monkeypatch.setattr(module, "decoding_budget", lambda: 60_000)
    monkeypatch.setattr(rows, "BAND_PIXELS", 700)


def save(path: Path, samples: np.ndarray, **tags) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    photometric = "rgb" if samples.ndim == 3 else "minisblack"
    tifffile.imwrite(path, samples, photometric=photometric, compression="zlib", rowsperstrip=8, **tags)


def noisy(samples: np.ndarray, seed: int, spread: float) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, spread, samples.shape)
    if samples.dtype.kind == "f":
        return (samples + noise / 255).astype(np.float32)
    full = np.iinfo(samples.dtype).max
    return np.clip(samples + noise * full / 255, 0, full).astype(samples.dtype)


@pytest.fixture
def folders(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    kinds = {
        "rgb8": rng.integers(0, 256, (*SIZE, 3), np.uint8),
        "gray16": rng.integers(0, 65536, SIZE, np.uint16),
        "float": rng.random(SIZE, np.float32),
        "signed": rng.integers(-900, 4000, SIZE).astype(np.int16),
    }
    for name, samples in kinds.items():
        save(tmp_path / "clean" / f"{name}.tif", samples)
        save(tmp_path / "noisy" / f"{name}.tif", noisy(samples, 1, 20))
        save(tmp_path / "restored" / f"{name}.tif", noisy(samples, 2, 5))
    return tmp_path


@pytest.mark.parametrize("protocol", ["rgb", "y-matlab:3", "basicsr-y"])
def test_an_evaluation_is_that_of_much_memory(folders, protocol, request) -> None:
    options = {"degraded": folders / "noisy", "metrics": METRICS, "protocol": protocol}
    first = evaluate_folders(folders / "restored", folders / "clean", **options)
    request.getfixturevalue("little_memory")
    second = evaluate_folders(folders / "restored", folders / "clean", **options)
    assert [score.pair.path for score in second.images] == [score.pair.path for score in first.images]
    assert len(second.images) == 4
    assert second.unmatched == first.unmatched == ()
    for one, other in zip(second.images, first.images, strict=True):
        for side in ("degraded", "restored"):
            expected = dict(getattr(other, side))
            if protocol == "basicsr-y":
                expected["ssim"] = None
            found = dict(getattr(one, side))
            assert [name for name in METRICS if found[name] is None] == (
                ["ssim"] if protocol == "basicsr-y" else []
            )
            found, expected = ([scores[name] or 0 for name in METRICS] for scores in (found, expected))
            assert found == pytest.approx(expected, rel=0, abs=1e-9), one.pair.path
    if protocol == "basicsr-y":
        assert f"{ROWS_NOTE} in 4 of 4 pairs" in second.notes
    else:
        assert second.notes == first.notes


def test_it_goes_by_rows(folders, little_memory, monkeypatch) -> None:
    monkeypatch.setattr(reading, "check_budget", lambda *_: pytest.fail("read whole"))
    assert evaluate_folders(folders / "restored", folders / "clean").overall.n == 4


def test_other_metrics_are_left_out_with_a_note(folders, little_memory) -> None:
    found = evaluate_folders(folders / "restored", folders / "clean", metrics=["psnr", "gmsd"])
    assert all(score.restored["gmsd"] is None for score in found.images)
    assert f"{ROWS_NOTE} in 4 of 4 pairs" in found.notes


def test_what_cannot_be_scored_is_listed(folders, little_memory) -> None:
    save(folders / "restored" / "rgb8.tif", np.zeros((SIZE[0], SIZE[1] + 1, 3), np.uint8))
    save(folders / "noisy" / "gray16.tif", np.zeros((*SIZE, 3), np.uint16))
    save(folders / "noisy" / "signed.tif", np.zeros((SIZE[0] // 2, SIZE[1] // 2), np.int16))
    damaged = folders / "noisy" / "float.tif"
    data = bytearray(damaged.read_bytes())
    with tifffile.TiffFile(damaged) as file:
        offset = file.pages.first.dataoffsets[8]
    data[offset : offset + 40] = bytes(40)
    damaged.write_bytes(data)
    found = evaluate_folders(folders / "restored", folders / "clean", degraded=folders / "noisy")
    scored = {score.pair.path: score for score in found.images}
    assert set(scored) == {"gray16.tif", "float.tif", "signed.tif"}
    assert all(score.degraded is None and score.restored["psnr"] > 0 for score in scored.values())
    assert scored["signed.tif"].notes == ("degraded not scored: degraded 30x75 gray, reference 60x150 gray",)
    reasons = {(entry.side, entry.path): entry.reason for entry in found.unmatched}
    assert reasons["restored", "rgb8.tif"].startswith("different sizes: restored 61x150 RGB")
    assert reasons["degraded", "gray16.tif"].startswith("different channels: degraded 60x150 RGB")
    assert "float.tif: The TIFF is damaged" in reasons["degraded", "float.tif"]


def test_the_pages_are_written_without_images_that_memory_cannot_hold(folders, little_memory) -> None:
    save(folders / "clean" / "small.tif", np.zeros((20, 30), np.uint8))
    save(folders / "restored" / "small.tif", np.ones((20, 30), np.uint8))
    found = restorecli.evaluate(
        folders / "restored", folders / "clean", output=folders / "page", report=folders / "page.html"
    )
    assert found.overall.n == 5
    assert [path.name for path in (folders / "page").rglob("*.png")] == ["small.png"]
    assert (folders / "page" / "index.html").is_file()
    assert "too large for this machine" in (folders / "page.html").read_text(encoding="utf-8")


def test_png_and_jpeg_go_by_rows_too(tmp_path, request) -> None:
    pytest.importorskip("pyvips")
    photo = np.random.default_rng(0).integers(0, 256, (*SIZE, 3), np.uint8)
    for place in ("clean", "restored"):
        (tmp_path / place).mkdir()
    Image.fromarray(photo).save(tmp_path / "clean" / "a.png")
    Image.fromarray(photo).save(tmp_path / "restored" / "a.jpg", quality=90)
    first = evaluate_folders(tmp_path / "restored", tmp_path / "clean")
    request.getfixturevalue("little_memory")
    second = evaluate_folders(tmp_path / "restored", tmp_path / "clean")
    (one,), (other,) = first.images, second.images
    assert other.restored == pytest.approx(one.restored, rel=0, abs=1e-9)
    assert other.restored["psnr"] == one.restored["psnr"]
