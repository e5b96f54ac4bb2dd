"""Measured data: what looks like a badly lit photograph is left as it was measured."""

import numpy as np
import pytest
import tifffile
from PIL import Image

import restorecli
from restorecli.api.restoration import RestoreOptions, plan_restore
from restorecli.diagnosis.measured import of_measured
from restorecli.diagnosis.result import Diagnosis, Finding, Step, Strength, Suspicion
from restorecli.folders.manifest import Manifest
from restorecli.folders.samples import read_sample
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.measured import is_measured
from restorecli.restoration.auto import AutoRestorer

_DARK = Finding("low-light", "low light", 0.7)
_BLUR = Finding("gaussian-blur", "blur", 0.9, (Strength("sigma", 2.0, "px"), Strength("noise", 1.0)))
_NOISE = Finding("gaussian", "noise", 0.25, (Strength("sigma", 5.0, "0-255 scale"),))


def _dim() -> np.ndarray:
    """What a photograph of too little light and a dim specimen have in common: 16-bit levels with noise."""
    pixels = read_sample("coffee").pixels.mean(0)[:160, :160] * 0.08
    counts = np.random.default_rng(0).poisson(pixels * 300) / 300
    return np.rint(65535 * np.clip(counts, 0, 1)).astype(np.uint16)


def _image(channels: int, **traits: object) -> ImageData:
    return ImageData(np.zeros((channels, 4, 4), np.float32), FileTraits(**traits))


def test_gray_of_more_than_8_bits_and_what_microscopes_write_is_measured() -> None:
    assert is_measured(_image(1, depth=16))
    assert is_measured(_image(1, depth=32))
    assert is_measured(_image(3, exif=b"Exif\0\0II*\0 ImageJ=1.54f\nimages=1"))
    assert is_measured(_image(1, exif=b'<?xml?><OME xmlns="x">'))
    assert not is_measured(_image(1))
    assert not is_measured(_image(3, depth=16))


def test_brightness_and_blur_are_left_and_noise_is_treated() -> None:
    found = Diagnosis((_DARK, _NOISE), (Step("sca-unet.low-light"),), ("Black is gone.",), 0.95)
    measured = of_measured(found, is_gray=True)
    assert (measured.findings, measured.left) == ((_NOISE,), ("low-light",))
    assert [step.model for step in measured.steps] == ["dncnn.gray-blind"]
    assert measured.confidence == pytest.approx(0.25)
    blurred = of_measured(Diagnosis((_BLUR,), (Step("wiener-deconv"),), (), 0.9), is_gray=True)
    assert (blurred.is_clean, blurred.confidence) == (True, 0.9)  # that it is neither noise nor JPEG
    suspected = Diagnosis((), (), (), 0.5, Suspicion("haze", "haze", 0.4, "sca-unet.haze"), (_DARK,))
    assert of_measured(suspected, is_gray=True) == Diagnosis((), (), (), 0.5, measured=True)


def test_a_dim_16_bit_image_keeps_its_brightness(tmp_path) -> None:
    dim = _dim()
    tifffile.imwrite(tmp_path / "dim.tif", dim)
    done = restorecli.restore(tmp_path / "dim.tif", tmp_path / "out")
    restored = tifffile.imread(tmp_path / "out" / "dim.tif")
    assert restored.mean() == pytest.approx(dim.mean(), rel=0.01)
    [note] = [note for note in done.notes if "measured data" in note.text]
    found = Manifest(tmp_path / "out").read()["dim.tif"].restorer["found"]
    assert (note.images, found["left"]) == (1, "low-light")
    assert restorecli.restore_image(dim).mean() == pytest.approx(dim.mean(), rel=0.01)


def test_a_dry_run_and_arrays_know_what_is_measured(tmp_path, monkeypatch) -> None:
    """A dry run told of low light that the run itself then left."""
    told = []
    monkeypatch.setattr(AutoRestorer, "steps", lambda _, pixels, context: told.append(context.measured) or ())
    for name, levels in (("deep.png", np.uint16(_dim())), ("flat.png", np.zeros((40, 40), np.uint8))):
        Image.fromarray(levels).save(tmp_path / name)
        plan_restore(RestoreOptions(tmp_path / name, tmp_path / "out.png"))
        restorecli.restore_image(levels)
        assert set(told) == {name == "deep.png"}
        told.clear()
