"""Fitting the models of faint darkness: its examples, their weights, and the command."""

from __future__ import annotations

import numpy as np
import pytest

from restorecli.bench import diagnosis_dark
from restorecli.bench.diagnosis_dark import dark_examples
from restorecli.bench.diagnosis_examples import NONE
from restorecli.bench.diagnosis_hidden import balanced, fit_hidden_layer, measure_examples
from restorecli.diagnosis.faint.darkness import DARK_COLOR_MODEL, DARK_GRAY_MODEL, LOW_LIGHT, measure_darkness
from restorecli.errors import DataError


@pytest.fixture(scope="module")
def found(training_folder):
    """Examples in color and in gray of a folder that has one small photograph in each place."""
    folder = training_folder(144)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnosis_dark, "_COUNT", 1)
        return {is_gray: list(dark_examples(folder, is_gray=is_gray)) for is_gray in (False, True)}


def test_examples_are_clean_faintly_noisy_damaged_and_dark(found) -> None:
    for is_gray, examples in found.items():
        assert {example.label for example in examples} == {NONE, LOW_LIGHT}
        of_dark = {example.kind for example in examples if example.label == LOW_LIGHT}
        assert of_dark == {"faint", "faint too", "faint dark", "stronger", "faint jpeg"}
        kinds = {example.kind for example in examples if example.label == NONE}
        assert {"clean", "clean dark", "noisy jpeg", "other", "other noisy", "drawn"} < kinds
        assert sum(kind.startswith("noisy dark ") for kind in kinds) == 2
        assert not is_gray or {len(example.pixels) for example in examples} == {1}


def test_dark_examples_count_as_much_as_the_others() -> None:
    shares = balanced(
        [(NONE,), (LOW_LIGHT,), (NONE,), (LOW_LIGHT,)], np.array([1.0, 0.5, 3.0, 1.5]), LOW_LIGHT
    )
    assert shares.tolist() == pytest.approx([0.125, 0.125, 0.375, 0.375])


def test_the_fit_tells_dark_images_from_others_that_it_was_fitted_to(found) -> None:
    measured, weights = measure_examples(found[True], measure_darkness, LOW_LIGHT)
    model = fit_hidden_layer(measured, weights, LOW_LIGHT, width=16, steps=60)
    chances = np.array([model.chance(measured.found(place)) for place in range(len(weights))])
    is_dark = np.array([label == (LOW_LIGHT,) for label in measured.labels])
    assert chances[is_dark].mean() > 0.8
    assert chances[~is_dark].mean() < 0.2


def test_the_command_writes_both_models_that_can_be_read(found, check_written_models, monkeypatch) -> None:
    monkeypatch.setattr(diagnosis_dark, "_STEPS", 1)
    monkeypatch.setattr(diagnosis_dark, "dark_examples", lambda folder, *, is_gray: iter(found[is_gray]))
    count = len(found[False]) + len(found[True])
    check_written_models("dark", count, (DARK_COLOR_MODEL, DARK_GRAY_MODEL))


def test_a_folder_without_training_images_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        next(dark_examples(tmp_path, is_gray=False))
