"""Values beyond black and white come through a restoration, in the file's own type and units."""

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.degradation.operators import Convolution, reduction_spread
from restorecli.folders.manifest import Manifest
from restorecli.images import reading
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.scale import ValueScale
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.context import Context
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.known import Known
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.restoration.single import restore_file

RNG = np.random.default_rng(0)
GIVEN = FileTraits("TIFF", 16, scale=ValueScale(0, 1000, "given"))


def method(name, **values):
    return MethodRestorer(create_method(name, values))


@pytest.mark.parametrize("scale", [1, 2])
def test_what_a_network_never_saw_is_carried_past_it(restorer_of, scale):
    def halved(batch):
        assert batch.min() >= 0
        assert batch.max() <= 1
        large = batch.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
        return (large / 2).clamp(0, 1)

    pixels = RNG.normal(0.5, 1, (3, 20, 24)).astype(np.float32)
    restorer = ImageRestorer(restorer_of(halved, scale=scale, receptive_field=1))
    result, _ = restorer(ImageData(pixels, GIVEN))
    inside = np.clip(pixels, 0, 1)
    expected = (inside / 2 + (pixels - inside)).repeat(scale, axis=1).repeat(scale, axis=2)
    np.testing.assert_allclose(result.pixels, expected, atol=1e-6)


def test_noise_outside_0_to_1_is_no_value_to_keep(restorer_of):
    """Without a chosen scale the restorer itself is given what lies outside, as ever."""
    seen = []

    def look(batch):
        seen.append(float(batch.max()))
        return batch.clamp(0, 1)

    pixels = RNG.normal(0.5, 1, (3, 20, 24)).astype(np.float32)
    result, _ = ImageRestorer(restorer_of(look, receptive_field=1))(ImageData(pixels, FileTraits(depth=32)))
    assert max(seen) > 1
    assert result.pixels.max() == 1


FACTS = {
    "bicubic": Context(operator=Convolution(reduction_spread(2), 2)),
    "lanczos": Context(operator=Convolution(reduction_spread(2), 2)),
    "inpaint-harmonic": Context(mask=np.pad(np.ones((3, 4), bool), 6)),
    "inpaint-biharmonic": Context(mask=np.pad(np.ones((3, 4), bool), 6)),
}
AFFINE = [name for name in METHODS if create_method(name, {}).affine] + ["gaussian"]


def test_which_methods_are_affine_is_known():
    assert {"median", "bicubic", "lanczos", "inpaint-harmonic", "inpaint-biharmonic"} <= set(AFFINE)


@pytest.mark.parametrize("name", AFFINE)
def test_methods_that_say_so_are_affine(name):
    chosen = create_method(name, {"width": 1.5} if name == "gaussian" else {})
    assert chosen.affine
    context = FACTS.get(name, Context())
    pixels = RNG.random((3, 15, 16), dtype=np.float32)
    plain = chosen.restore(pixels, context)
    np.testing.assert_allclose(chosen.restore(pixels * 3 - 2, context), plain * 3 - 2, atol=2e-5)


def test_an_affine_method_restores_values_of_any_range_as_scipy_does(tmp_path):
    samples = RNG.integers(-1024, 3071, (30, 34)).astype(np.int16)
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "ct.tif", samples, metadata=None)
    for wanted in ("auto", "-160..240"):
        out = tmp_path / wanted.replace("..", "to")
        restore_folder(tmp_path / "in", out, method("median", size=3), reading=ReadOptions(range=wanted))
        written = tifffile.imread(out / "ct.tif")
        assert written.dtype == np.int16
        np.testing.assert_array_equal(written, ndimage.median_filter(samples, 3, mode="reflect"))


def test_the_manifest_and_the_notes_say_which_scale_was_taken(tmp_path):
    (tmp_path / "in").mkdir()
    values = np.linspace(-300, 670, 900, dtype=np.float32).reshape(30, 30)
    tifffile.imwrite(tmp_path / "in" / "a.tif", values, metadata=None)
    summary = restore_folder(tmp_path / "in", tmp_path / "out", method("median", size=3))
    record = Manifest(tmp_path / "out").read()["a.tif"]
    assert "values -300 to 670 taken as black to white, as measured" in record.notes
    assert any("-300 to 670" in note.text for note in summary.notes)


def test_what_a_lost_pixel_held_is_not_put_back():
    pixels = RNG.random((1, 20, 20), dtype=np.float32)
    mask = np.zeros((20, 20), bool)
    mask[8:11, 9:12] = True
    pixels[:, mask] = 40
    result, _ = ImageRestorer(method("inpaint-tv"))(ImageData(pixels, GIVEN), Context(mask=mask))
    assert result.pixels.max() <= 1


def test_rows_carry_values_past_a_network_too(tmp_path, restorer_of, monkeypatch):
    samples = RNG.normal(500, 900, (120, 50)).astype(np.float32)
    (tmp_path / "in").mkdir()
    tifffile.imwrite(tmp_path / "in" / "a.tif", samples, metadata=None, rowsperstrip=16)
    options = ReadOptions(range="0..1000")
    fake = restorer_of(lambda batch: (batch / 2).clamp(0, 1), receptive_field=1)
    restore_folder(tmp_path / "in", tmp_path / "whole", fake, reading=options)
    monkeypatch.setattr(reading, "decoding_budget", lambda: 20_000)
    fake.shapes.clear()
    restore_folder(tmp_path / "in", tmp_path / "rows", fake, reading=options, tile=32)
    assert max(height for *_, height, _ in fake.shapes) <= 32
    whole, rows = tifffile.imread(tmp_path / "whole" / "a.tif"), tifffile.imread(tmp_path / "rows" / "a.tif")
    np.testing.assert_array_equal(whole, rows)
    inside = np.clip(samples, 0, 1000)
    np.testing.assert_allclose(whole, inside / 2 + samples - inside, atol=1e-3)


@pytest.mark.parametrize("single", [False, True])
def test_what_a_manifest_calls_unclipped_is_noise_and_not_measured(tmp_path, single):
    """Files of earlier versions do not say themselves that 0 and 1 are black and white."""
    (tmp_path / "in").mkdir()
    Image.fromarray(RNG.integers(0, 256, (30, 34), dtype=np.uint8)).save(tmp_path / "in" / "a.png")
    noise = Chain.from_specs([{"name": "gaussian", "sigma": 50.0}])
    degrade_folder(tmp_path / "in", tmp_path / "noisy", noise, unclipped=True)
    values = tifffile.imread(tmp_path / "noisy" / "a.tiff")
    assert values.min() < 0
    tifffile.imwrite(tmp_path / "noisy" / "a.tiff", values, metadata=None)
    if single:
        source, target = tmp_path / "noisy" / "a.tiff", tmp_path / "one.tiff"
        restore_file(source, target, ImageRestorer(method("median", size=3)), known=Known())
    else:
        restore_folder(tmp_path / "noisy", tmp_path / "out", method("median", size=3))
        target = tmp_path / "out" / "a.tiff"
    expected = ndimage.median_filter(values, 3, mode="reflect")
    np.testing.assert_allclose(tifffile.imread(target), expected.clip(0, 1), atol=1e-6)


@pytest.mark.parametrize("word", ["file", "type"])
@pytest.mark.parametrize("planes", [1, 2])
def test_values_that_an_asked_range_makes_noise_are_said(tmp_path, restorer_of, word, planes):
    """A float TIFF of -300 to 670 that is read by its type is clipped by a network, but not in silence."""
    samples = np.linspace(-300, 670, planes * 20 * 24, dtype=np.float32).reshape(planes, 20, 24)
    tifffile.imwrite(tmp_path / "x.tif", samples, photometric="minisblack")
    network = restorer_of(lambda batch: batch.clamp(0, 1), channels=1, receptive_field=1)
    for name, reading_ in (("y", ReadOptions(range=word, frames="all")), ("z", ReadOptions(frames="all"))):
        target = tmp_path / f"{name}.tif"
        done = restore_file(
            tmp_path / "x.tif", target, ImageRestorer(network), known=Known(), reading=reading_
        )
        assert any("taken for noise" in note.text for note in done.notes) == (name == "y")
