"""`--range`: images of scientists through every verb, in their own type and units."""

import json

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data
from skimage.metrics import peak_signal_noise_ratio
from typer.testing import CliRunner

from restorecli.cli.app import build
from restorecli.folders.manifest import Manifest
from restorecli.training.crops import ImageCache

RUN = CliRunner()


def run(*words, code=0):
    result = RUN.invoke(build(), [str(word) for word in words], prog_name="restorecli")
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def clean(tmp_path):
    """A photograph as a microscope writes it: 12 bits in 16."""
    (tmp_path / "clean").mkdir()
    samples = data.camera()[100:228, 100:228].astype(np.uint16) * 16
    tifffile.imwrite(tmp_path / "clean" / "a.tif", samples, metadata=None)
    return samples


def test_twelve_bits_in_sixteen_go_through_every_verb(tmp_path, clean):
    noisy, restored = tmp_path / "noisy", tmp_path / "restored"
    run("degrade", tmp_path / "clean", noisy, "--noise", "gaussian", "--sigma", "25", "--quiet")
    run("restore", noisy, restored, "--model", "tv", "--quiet")
    before, after = (tifffile.imread(folder / "a.tif") for folder in (noisy, restored))
    assert before.dtype == after.dtype == np.uint16
    assert before.max() <= 4095
    table = json.loads(run("eval", restored, "--metrics", "psnr", "--protocol", "skimage-default", "--json"))
    shown = {key: table["data"]["images"][0][key]["psnr"] for key in ("degraded", "restored")}
    for key, samples in (("degraded", before), ("restored", after)):
        judged = peak_signal_noise_ratio(clean, samples, data_range=4095)
        assert shown[key] == pytest.approx(judged, abs=0.05)
    assert shown["restored"] > shown["degraded"] + 3
    assert shown["degraded"] == pytest.approx(20.2, abs=0.8)  # a little above: noise is clipped


def test_a_given_range_stands_in_the_manifest_and_leads_eval(tmp_path, clean):
    noisy = tmp_path / "noisy"
    run("degrade", tmp_path / "clean", noisy, "--noise", "gaussian", "--range", "0..10000", "--quiet")
    record = Manifest(noisy).read()["a.tif"]
    assert record.reading.range == "0..10000"
    assert "values 0 to 10000 taken as black to white, as given" in record.notes
    samples = tifffile.imread(noisy / "a.tif")
    words = ("--metrics", "psnr", "--protocol", "skimage-default", "--json")
    table = json.loads(run("eval", noisy, *words))
    judged = peak_signal_noise_ratio(clean, samples, data_range=10_000)
    assert table["data"]["images"][0]["degraded"]["psnr"] == pytest.approx(judged, abs=0.05)
    table = json.loads(run("eval", noisy, tmp_path / "clean", "--range", "0..4095", *words))
    judged = peak_signal_noise_ratio(clean, samples.clip(0, 4095), data_range=4095)
    assert table["data"]["images"][0]["degraded"]["psnr"] == pytest.approx(judged, abs=0.05)


@pytest.mark.parametrize("verb", ["degrade --noise gaussian", "restore", "eval", "show"])
def test_an_unknown_range_ends_each_verb_in_words(tmp_path, clean, verb):
    name, *more = verb.split()
    output = run(name, *more, tmp_path / "clean", "--range", "5..1", code=2)
    assert "range of values" in output


def test_show_makes_dim_containers_visible_and_compares_on_one_scale(tmp_path, clean):
    (tmp_path / "dark").mkdir()
    tifffile.imwrite(tmp_path / "dark" / "a.tif", (clean // 20).astype(np.uint16), metadata=None)
    run("show", tmp_path / "dark", tmp_path / "clean", "-o", tmp_path / "sheet.png", "--size", "128")
    sheet = np.asarray(Image.open(tmp_path / "sheet.png").convert("L"))
    left, right = np.array_split(sheet, 2, axis=1)
    assert right.max() > 200
    assert np.median(left[60:110, 40:90]) < 30


def test_training_reads_both_images_of_a_pair_by_the_clean_one(tmp_path, clean):
    (tmp_path / "dark").mkdir()
    dark = (clean // 20).astype(np.uint16)
    tifffile.imwrite(tmp_path / "dark" / "a.tif", dark, metadata=None)
    cache = ImageCache()
    degraded = cache.get(tmp_path / "dark" / "a.tif", tmp_path / "clean" / "a.tif")
    np.testing.assert_allclose(degraded[0], dark / 4095, atol=1e-6)
    np.testing.assert_allclose(cache.get(tmp_path / "clean" / "a.tif")[0], clean / 4095, atol=1e-6)
