"""The built-in samples: all there, real, by category, small enough for a demo."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from skimage import io as skimage_io

from restorecli.errors import DataError
from restorecli.folders import samples
from restorecli.folders.samples import find_sample, read_sample, sample_files


def test_every_sample_is_there_and_true():
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    for sample in sample_files():
        image = read_sample(sample.name)
        published = skimage_io.imread(Path(spec.origin).parent / "data" / sample.file)
        published = published[np.newaxis] if published.ndim == 2 else published.transpose(2, 0, 1)
        if sample.crop is not None:
            height, width = published.shape[1:]
            top, left = (height - sample.crop) // 2, (width - sample.crop) // 2
            published = published[:, top : top + sample.crop, left : left + sample.crop]
        np.testing.assert_array_equal(np.round(image.pixels * 255), published)
        assert image.traits.depth == 8
        assert image.traits.format == "PNG"


def test_names_categories_and_size():
    files = sample_files()
    assert files == sorted(files, key=lambda sample: sample.relative.as_posix())
    assert len({sample.name for sample in files}) == len(files) == 18
    assert {"photographs", "textures", "documents", "microscopy"} <= {sample.category for sample in files}
    megapixels = sum(np.prod(read_sample(sample.name).size) for sample in files) / 1e6
    assert megapixels < 6


def test_a_sample_is_found_by_name_path_and_locator():
    astronaut = find_sample("astronaut")
    assert astronaut == find_sample("photographs/astronaut") == find_sample("sample:photographs/astronaut")
    assert astronaut.locator == "sample:photographs/astronaut"
    assert astronaut.relative.as_posix() == "photographs/astronaut.png"
    for wrong in ("textures/astronaut", "astronuat", ""):
        with pytest.raises(DataError, match="no such sample"):
            find_sample(wrong)
    with pytest.raises(DataError) as caught:
        find_sample("astronuat")
    assert caught.value.hint == "did you mean 'astronaut'?"


def test_an_installation_without_the_data_is_told(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="not installed"):
        samples.read_sample("astronaut")
