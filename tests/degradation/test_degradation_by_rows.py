"""Images that memory cannot hold are degraded by rows: the pixels are those of the whole, to the bit."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain, apply_all, image_rng
from restorecli.degradation.folder import degrade_folder
from restorecli.degradation.row_steps import Rows, degraded_rows
from restorecli.folders.manifest import Manifest
from restorecli.images import reading, rows
from restorecli.images.forward import Forward
from restorecli.images.image import FileTraits
from restorecli.images.options import ReadOptions
from restorecli.images.reading import read_image

BY_ROWS = [name for name, entry in DEGRADATIONS.items() if entry.load().by_rows]
WHOLE = [name for name in DEGRADATIONS if name not in BY_ROWS]
VARIANTS = [
    *({"name": name} for name in BY_ROWS),
    {"name": "gaussian", "gray": True},
    {"name": "poisson", "peak": 3.0},
    {"name": "salt-pepper", "independent": True, "random_valued": True, "amount": 0.5},
    {"name": "salt-pepper", "random_valued": True, "amount": 0.5},
    {"name": "speckle", "law": "gamma"},
    {"name": "speckle", "std": 0.0},
    {"name": "quantize", "dither": True},
    {"name": "low-light", "linear": True, "read": 3.0},
    {"name": "defocus", "linear": True},
    {"name": "motion-blur", "length": 31.0, "angle": 80.0},
    {"name": "gaussian-blur", "sigma": 6.0},
    *({"name": "downscale", "factor": factor} for factor in (3, 8)),
    *({"name": "jpeg", "subsampling": word} for word in ("4:4:4", "4:2:2")),
]
CHAINS = [
    [{"name": "gaussian-blur", "sigma": 2.0}, {"name": "poisson"}, {"name": "jpeg"}],
    [{"name": "poisson"}, {"name": "downscale", "factor": 3}, {"name": "gaussian"}, {"name": "defocus"}],
    [{"name": "low-light"}, {"name": "poisson", "peak": 5.0}],
]


def in_bands(pixels: np.ndarray, height: int) -> Rows:
    channels, *size = pixels.shape

    def bands():
        for start in range(0, size[0], height):
            yield pixels[:, start : start + height].copy()

    return Rows((size[0], size[1]), channels, bands)


def check(specs, pixels: np.ndarray, height: int, seed: int = 5) -> None:
    steps = Chain.from_specs(specs).draw(np.random.default_rng(seed))
    whole = apply_all(pixels, steps, lambda number: image_rng(seed, "a.tif", "step", number))
    changed = degraded_rows(
        in_bands(pixels, height), steps, lambda number: image_rng(seed, "a.tif", "step", number)
    )
    assert changed.size == whole.shape[1:]
    for _ in range(2):  # whoever goes through it again finds the same
        np.testing.assert_array_equal(np.concatenate(list(changed.bands()), axis=1), whole)


@pytest.mark.parametrize("spec", VARIANTS, ids=lambda spec: "-".join(map(str, spec.values())))
@pytest.mark.parametrize("channels", [1, 3])
def test_every_such_degradation_gives_the_bits_of_the_whole(spec, channels, monkeypatch) -> None:
    monkeypatch.setattr(rows, "BAND_PIXELS", 23 * 30)
    for size in ((131, 23), (16, 40), (97, 23)):
        check([spec], np.random.default_rng(1).random((channels, *size), np.float32) * 1.2 - 0.1, 37)


@given(
    chain=st.sampled_from(CHAINS),
    size=st.tuples(st.integers(9, 150), st.integers(9, 40)),
    height=st.integers(1, 160),
    pixels=st.integers(1, 4000),
    channels=st.sampled_from([1, 3]),
)
@settings(max_examples=60, deadline=None)
def test_chains_give_the_bits_of_the_whole(chain, size, height, pixels, channels) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rows, "BAND_PIXELS", pixels)
        check(chain, np.random.default_rng(2).random((channels, *size), np.float32), height)


@given(st.lists(st.integers(1, 9), min_size=1), st.integers(1, 7), st.integers(0, 5))
def test_rows_are_handed_out_in_order_with_what_ranges_share(heights, step, margin) -> None:
    image = np.arange(sum(heights), dtype=np.float32)[None, :, None]
    reader = Forward(iter(np.split(image, np.cumsum(heights)[:-1], axis=1)))
    for start in range(0, image.shape[1], step):
        first, stop = max(start - margin, 0), min(start + step + margin, image.shape[1])
        np.testing.assert_array_equal(reader.read(first, stop), image[:, first:stop])


@pytest.fixture
def little_memory(monkeypatch) -> None:
    """Memory that holds none of these images, and whose bands are a few rows."""
    for module in (reading, sys.modules["restorecli.images.tiff_rows"]):
        monkeypatch.setattr(module, "decoding_budget", lambda: 40_000)
    monkeypatch.setattr(rows, "BAND_PIXELS", 1000)


@pytest.fixture
def folder(tmp_path) -> Path:
    rng = np.random.default_rng(0)
    (tmp_path / "clean").mkdir()
    kinds = {
        "rgb8": (rng.integers(0, 256, (150, 70, 3), np.uint8), {}),
        "gray16": (rng.integers(0, 65536, (150, 70), np.uint16), {}),
        "twelve": (rng.integers(100, 4000, (150, 70), np.uint16), {"extratags": [(281, 3, 1, 4095, True)]}),
        "signed": (rng.integers(-900, 4000, (150, 70), np.int16), {}),
        "unit": (rng.random((150, 70), np.float32), {}),
        "float": (rng.random((150, 70, 3), np.float32) * 1.4 - 0.2, {}),
    }
    for name, (samples, tags) in kinds.items():
        photometric = "rgb" if samples.ndim == 3 else "minisblack"
        file = tmp_path / "clean" / f"{name}.tif"
        tifffile.imwrite(file, samples, photometric=photometric, compression="zlib", rowsperstrip=9, **tags)
    return tmp_path


def plain(traits: FileTraits) -> FileTraits:
    """Return traits without how the scale became known: what is written by rows always states it."""
    return replace(traits, notes=(), scale=traits.scale and replace(traits.scale, how="file"))


@pytest.mark.parametrize("unclipped", [False, True])
def test_files_are_those_that_much_memory_makes(folder, unclipped, request) -> None:
    noise = [{"name": "gaussian-blur", "sigma": 2.0}, {"name": "gaussian", "sigma": 25}, "poisson"]
    chain = Chain.from_specs(noise)
    first = degrade_folder(folder / "clean", folder / "whole", chain, unclipped=unclipped)
    request.getfixturevalue("little_memory")
    second = degrade_folder(folder / "clean", folder / "rows", chain, unclipped=unclipped)
    assert second.failures == ()
    assert (second.written, second.megapixels) == (first.written, first.megapixels)
    for name in sorted(Manifest(folder / "whole").read()):
        whole, by_rows = (tifffile.imread(folder / place / name) for place in ("whole", "rows"))
        np.testing.assert_array_equal(by_rows, whole, err_msg=name)
        whole, by_rows = (read_image(folder / place / name, budget=1 << 30) for place in ("whole", "rows"))
        np.testing.assert_array_equal(by_rows.pixels, whole.pixels, err_msg=name)
        assert plain(by_rows.traits) == plain(whole.traits), name
        with tifffile.TiffFile(folder / "rows" / name) as file:
            assert file.pages.first.is_tiled  # it went by rows
    assert Manifest(folder / "rows").read() == Manifest(folder / "whole").read()
    assert degrade_folder(folder / "clean", folder / "rows", chain, unclipped=unclipped).skipped == 6


@pytest.mark.parametrize("name", WHOLE)
def test_what_needs_the_whole_image_is_refused_with_the_reason(folder, name, little_memory) -> None:
    steps = Chain.from_specs([{"name": "gaussian", "sigma": 5}, name])
    summary = degrade_folder(folder / "clean", folder / "out", steps)
    assert len(summary.failures) == 6
    for failure in summary.failures:
        assert f"{name} is not done by rows: " in failure.error.problem
    assert not list((folder / "out").rglob("*.tif"))


def test_values_beyond_any_light_are_refused_and_nothing_is_written(tmp_path, little_memory) -> None:
    samples = np.zeros((150, 70), np.float32)
    samples[140, 3] = 2000
    (tmp_path / "clean").mkdir()
    tifffile.imwrite(tmp_path / "clean" / "a.tif", samples, photometric="minisblack", rowsperstrip=9)
    reading_ = ReadOptions(range="0..1")
    for options in (reading_, ReadOptions(range="type")):
        summary = degrade_folder(
            tmp_path / "clean", tmp_path / "out", Chain.from_specs(["gaussian"]), reading=options
        )
        assert "out of range" in str(summary.failures[0].error)
    assert not list((tmp_path / "out").rglob("*.tif"))


def test_a_large_png_is_degraded_to_a_png_of_the_same_pixels(tmp_path, request) -> None:
    pytest.importorskip("pyvips")
    (tmp_path / "clean").mkdir()
    photo = np.random.default_rng(0).integers(0, 256, (150, 70, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "clean" / "a.png")
    chain = Chain.from_specs([{"name": "gaussian-blur", "sigma": 2.0}, "poisson"])
    degrade_folder(tmp_path / "clean", tmp_path / "whole", chain)
    request.getfixturevalue("little_memory")
    summary = degrade_folder(tmp_path / "clean", tmp_path / "rows", chain)
    assert (summary.written, summary.failures) == (1, ())
    whole, by_rows = (Image.open(tmp_path / place / "a.png") for place in ("whole", "rows"))
    with whole, by_rows:
        np.testing.assert_array_equal(np.asarray(by_rows), np.asarray(whole))
