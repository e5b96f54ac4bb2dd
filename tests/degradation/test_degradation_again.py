"""Degrading again by a manifest's line gives the very samples of the degraded file, for every degradation."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from restorecli.degradation.again import degrade_again
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder, replay
from restorecli.errors import DataError, UsageError
from restorecli.folders.manifest import Manifest, Record
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image


def photo(path: Path, channels: int = 3, depth: int = 8, seed: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).random((channels, 26, 37), dtype=np.float32)
    write_image(path, ImageData(pixels, FileTraits(depth=depth)))
    return path


def degraded(tmp_path: Path, chain, **options) -> tuple[Record, Path]:
    degrade_folder(tmp_path / "clean", tmp_path / "out", Chain.from_specs(chain), seed=3, **options)
    (record,) = Manifest(tmp_path / "out").read().values()
    return record, tmp_path / "out" / record.path


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("channels", [1, 3])
def test_the_reference_degraded_again_is_the_degraded_file(tmp_path, name, channels):
    source = photo(tmp_path / "clean/cats/a.png", channels)
    record, file = degraded(tmp_path, [{"name": name, "severity": 3}])
    again = degrade_again(record, read_image(source).pixels, depth=8)
    np.testing.assert_array_equal(again, read_image(file).pixels)


@pytest.mark.parametrize("depth", [8, 16])
def test_a_chain_is_repeated_and_rounded_as_the_file_was(tmp_path, depth):
    source = photo(tmp_path / "clean/a.png", depth=depth)
    chain = [{"name": "blur", "random": True}, {"name": "gaussian", "sigma": "5..50"}, "downscale"]
    record, file = degraded(tmp_path, chain)
    again = degrade_again(record, read_image(source).pixels, depth=depth)
    assert again.shape == (3, 13, 18)
    np.testing.assert_array_equal(again, read_image(file).pixels)


def test_unclipped_values_stay_unclipped_and_others_are_clipped(tmp_path):
    source = photo(tmp_path / "clean/a.png")
    chain = [{"name": "gaussian", "sigma": 80}]
    record, file = degraded(tmp_path, chain, unclipped=True)
    pixels = read_image(source).pixels
    again = degrade_again(record, pixels, depth=8)
    assert again.min() < 0
    np.testing.assert_array_equal(again, read_image(file).pixels)
    clipped = degrade_again(replace(record, unclipped=False), pixels)
    np.testing.assert_array_equal(clipped, np.clip(again, 0, 1))


def test_other_pixels_of_another_size_get_the_same_values(tmp_path):
    photo(tmp_path / "clean/a.png")
    record, _ = degraded(tmp_path, [{"name": "blur", "sigma": "1..3"}])
    spike = np.zeros((1, 41, 41), np.float32)
    spike[0, 20, 20] = 1
    again = degrade_again(record, spike)[0]
    offsets = np.arange(41) - 20
    sigma = float((again.sum(axis=0) * offsets**2).sum()) ** 0.5
    assert sigma == pytest.approx(record.degradations[0]["sigma"], rel=0.02)
    assert not np.shares_memory(again, spike)


def test_a_line_that_says_nothing_is_refused(tmp_path):
    photo(tmp_path / "clean/a.png")
    record, _ = degraded(tmp_path, ["gaussian"])
    pixels = np.zeros((1, 8, 8), np.float32)
    for line in (replace(record, degradations=()), replace(record, seed=None), replace(record, key=None)):
        with pytest.raises(DataError):
            degrade_again(line, pixels)
    with pytest.raises(DataError, match="several runs"):
        degrade_again(replace(record, earlier=record.degradations), pixels)
    with pytest.raises(UsageError, match="ghosts"):
        degrade_again(replace(record, degradations=({"name": "ghosts"},)), pixels)


def test_a_replay_of_a_line_without_a_seed_names_the_manifest(tmp_path):
    photo(tmp_path / "clean/a.png")
    record, _ = degraded(tmp_path, ["gaussian"])
    Manifest(tmp_path / "out").append(replace(record, seed=None))
    with pytest.raises(DataError) as caught:
        replay(tmp_path / "out", tmp_path / "twice")
    assert caught.value.file == str(tmp_path / "out" / "manifest.jsonl")
