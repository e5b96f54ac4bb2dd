"""Fitting the models of noise that was saved as JPEG: its examples, the fit, and the command."""

from __future__ import annotations

import numpy as np
import pytest

from restorecli.bench import diagnosis_saved
from restorecli.bench.diagnosis_examples import NONE
from restorecli.bench.diagnosis_hidden import fit_hidden_layer, measure_examples
from restorecli.bench.diagnosis_saved import saved_examples
from restorecli.diagnosis.faint.saved_noise import (
    SAVED_COLOR_MODEL,
    SAVED_GRAY_MODEL,
    SAVED_NOISE,
    measure_saved_noise,
)
from restorecli.errors import DataError


@pytest.fixture(scope="module")
def found(training_folder):
    """Examples in color and in gray of a folder that has one small photograph in each place."""
    folder = training_folder(144)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnosis_saved, "_COUNT", 1)
        return {is_gray: list(saved_examples(folder, is_gray=is_gray)) for is_gray in (False, True)}


def test_examples_are_clean_damaged_and_noisy_with_and_without_jpeg(found) -> None:
    for is_gray, examples in found.items():
        noisy = [example for example in examples if example.label == SAVED_NOISE]
        assert {example.kind for example in noisy} == {f"noise {turn}" for turn in range(6)}
        kinds = {example.kind for example in examples if example.label == NONE}
        assert {
            "clean",
            "clean jpeg",
            "other 1",
            "spread",
            "spread jpeg",
            "drawn jpeg",
            "other clean",
        } < kinds
        assert not is_gray or {len(example.pixels) for example in examples} == {1}


def test_the_fit_tells_noisy_files_from_others_that_it_was_fitted_to(found) -> None:
    measured, weights = measure_examples(found[True], measure_saved_noise, SAVED_NOISE)
    model = fit_hidden_layer(measured, weights, SAVED_NOISE, width=16, steps=100)
    chances = np.array([model.chance(measured.found(place)) for place in range(len(weights))])
    is_noisy = np.array([label == (SAVED_NOISE,) for label in measured.labels])
    assert chances[is_noisy].mean() > 0.8
    assert chances[~is_noisy].mean() < 0.2


def test_the_command_writes_both_models_that_can_be_read(found, check_written_models, monkeypatch) -> None:
    monkeypatch.setattr(diagnosis_saved, "_STEPS", 1)
    monkeypatch.setattr(diagnosis_saved, "saved_examples", lambda folder, *, is_gray: iter(found[is_gray]))
    count = len(found[False]) + len(found[True])
    check_written_models("saved", count, (SAVED_COLOR_MODEL, SAVED_GRAY_MODEL))


def test_a_folder_without_training_images_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        next(saved_examples(tmp_path, is_gray=False))
