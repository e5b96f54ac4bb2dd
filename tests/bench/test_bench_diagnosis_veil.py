"""Fitting the models of faint haze: its examples and the command."""

from __future__ import annotations

import numpy as np
import pytest

from restorecli.bench import diagnosis_veil
from restorecli.bench.diagnosis_examples import NONE
from restorecli.bench.diagnosis_hidden import fit_hidden_layer, measure_examples
from restorecli.bench.diagnosis_veil import veil_examples
from restorecli.diagnosis.faint.veil import HAZE, VEIL_COLOR_MODEL, VEIL_GRAY_MODEL, measure_veil
from restorecli.errors import DataError


@pytest.fixture(scope="module")
def found(training_folder):
    """Examples in color and in gray of a folder that has one small photograph in each place."""
    folder = training_folder(144)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(diagnosis_veil, "_COUNT", 1)
        return {is_gray: list(veil_examples(folder, is_gray=is_gray)) for is_gray in (False, True)}


def test_examples_are_clean_matte_noisy_damaged_and_hazy(found) -> None:
    for is_gray, examples in found.items():
        assert {example.label for example in examples} == {NONE, HAZE}
        hazy = {example.kind for example in examples if example.label == HAZE}
        assert hazy >= {"faint whole", "faint 0", "any", "faint jpeg", "faint noisy", "other hazy"}
        kinds = {example.kind for example in examples if example.label == NONE}
        assert kinds >= {"clean whole", "clean 0", "clean jpeg", "matte", "noisy", "other", "drawn"}
        assert not is_gray or {len(example.pixels) for example in examples} == {1}


def test_matte_examples_are_those_that_end_above_black(found) -> None:
    matte = next(example.pixels for example in found[False] if example.kind == "matte")
    assert matte.min() >= diagnosis_veil._LIFTED[0] - 1 / 255
    assert matte.max() <= 1 - diagnosis_veil._LOWERED[0] + 1e-6


def test_the_fit_tells_hazy_images_from_others_that_it_was_fitted_to(found) -> None:
    measured, weights = measure_examples(found[True], measure_veil, HAZE)
    model = fit_hidden_layer(measured, weights, HAZE, width=16, steps=60)
    chances = np.array([model.chance(measured.found(place)) for place in range(len(weights))])
    is_hazy = np.array([label == (HAZE,) for label in measured.labels])
    assert chances[is_hazy].mean() > chances[~is_hazy].mean() + 0.4


def test_the_command_writes_both_models_that_can_be_read(found, check_written_models, monkeypatch) -> None:
    monkeypatch.setattr(diagnosis_veil, "_STEPS", 1)
    monkeypatch.setattr(diagnosis_veil, "veil_examples", lambda folder, *, is_gray: iter(found[is_gray]))
    count = len(found[False]) + len(found[True])
    check_written_models("veil", count, (VEIL_COLOR_MODEL, VEIL_GRAY_MODEL))


def test_a_folder_without_training_images_is_said(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        next(veil_examples(tmp_path, is_gray=False))
