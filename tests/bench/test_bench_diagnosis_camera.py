"""Fitting the tables of noise that neighbors share: its examples, its weights, and the command."""

from __future__ import annotations

import numpy as np
import pytest
from typer.testing import CliRunner

from restorecli.bench import diagnosis_camera
from restorecli.bench.diagnosis_camera import NoiseExample, fit_noise, measure_noise, noise_examples
from restorecli.bench.diagnosis_examples import NONE
from restorecli.cli.app import build
from restorecli.diagnosis.deciding.decide import read_table
from restorecli.diagnosis.faint.camera_noise import (
    CAMERA_NOISE,
    COLOR_TABLE,
    FILM_GRAIN,
    GRAY_TABLE,
    SPREAD_NOISE,
    measure_camera_noise,
)
from restorecli.diagnosis.measuring.view import View
from restorecli.errors import DataError


@pytest.fixture(scope="module")
def data(training_folder):
    """A folder laid out like the training data, of one small photograph in each."""
    return training_folder(128)


@pytest.fixture(scope="module")
def found(data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnosis_camera, "_COUNT", 1)
        return list(noise_examples(data))


def test_examples_have_every_noise_and_what_they_were_before(found) -> None:
    assert {example.label for example in found} == {NONE, *SPREAD_NOISE}
    for example in found:
        assert example.pixels.shape == example.clean.shape
        assert (example.pixels is example.clean) == (example.label == NONE)
        assert example.weight == 1 or example.label == NONE


def test_noise_that_nobody_sees_counts_nothing_and_color_is_measured_in_gray_too(found) -> None:
    clean = found[0].pixels[:, :96, :96]
    faint, plain = (
        NoiseExample("x", FILM_GRAIN, np.clip(clean + step / 255, 0, 1), clean, 1.0) for step in (0.9, 20)
    )
    gray = NoiseExample("y", NONE, clean[:1], clean[:1], 12.0)
    in_color = NoiseExample("z", NONE, clean, clean, 12.0, faint=True)
    measured = measure_noise([faint, plain, gray, in_color])
    assert measured.count == 4
    assert measured.color_weights.tolist() == [0, 1, 12]
    assert measured.gray_weights.tolist() == [0, 1, 12]
    assert measured.gray.labels == ((FILM_GRAIN,), (FILM_GRAIN,), (NONE,))
    levels = np.rint(255 * clean[:1])
    expected = measure_camera_noise(View(levels, levels))
    assert measured.gray.found(2) == pytest.approx(expected, nan_ok=True)


def test_the_fit_tells_clean_images_from_noise_that_it_was_fitted_to(found) -> None:
    measured = measure_noise(found)
    table = fit_noise(measured.gray, measured.gray_weights)
    assert set(table.classes) == {NONE, *SPREAD_NOISE}
    noisy = [
        1 - table.chances(measured.gray.found(place))[NONE] for place in range(len(measured.gray.labels))
    ]
    labels = np.array([label for (label,) in measured.gray.labels])
    seen = measured.gray_weights > 0.5
    assert np.mean(np.array(noisy)[(labels == CAMERA_NOISE) & seen]) > 0.5
    assert np.mean(np.array(noisy)[labels == NONE]) < 0.2


def test_the_command_writes_both_tables_that_can_be_read(data, found, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(diagnosis_camera, "noise_examples", lambda folder: iter(found))
    line = ["bench", "diagnosis", "--data", str(data), "-o", str(tmp_path / "new"), "--part", "camera"]
    done = CliRunner().invoke(build(), line, prog_name="restorecli")
    assert done.exit_code == 0, done.stderr
    assert f"to {len(found)} examples" in done.stderr
    for shipped in (COLOR_TABLE, GRAY_TABLE):
        table, known = read_table(tmp_path / "new" / shipped.name), read_table(shipped)
        assert table.measurements == known.measurements
        assert table.classes == known.classes


def test_a_folder_without_training_images_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        next(noise_examples(tmp_path))
