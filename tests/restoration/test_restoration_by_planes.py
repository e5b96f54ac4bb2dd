"""Stacks from file to file: every plane is degraded and restored, and the stack written as one."""

import subprocess
import sys

import numpy as np
import pytest
import tifffile
from PIL import Image
from scipy import ndimage

from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.diagnosis.result import Diagnosis, Finding, Step
from restorecli.folders.manifest import Manifest
from restorecli.images.options import ReadOptions
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.auto import AutoRestorer
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.methods.catalog import create_method

ALL = ReadOptions(frames="all")
MEDIAN = MethodRestorer(create_method("median", {"size": 3}))
RNG = np.random.default_rng(0)


@pytest.fixture
def stack(tmp_path):
    (tmp_path / "in").mkdir()
    samples = RNG.integers(0, 4000, (2, 3, 2, 20, 22)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "in" / "cells.tif", samples, imagej=True, metadata={"axes": "TZCYX"})
    return samples


def medians(samples):
    return ndimage.median_filter(samples, (1,) * (samples.ndim - 2) + (3, 3), mode="reflect")


def test_every_plane_of_a_hyperstack_is_restored_in_its_place(tmp_path, stack):
    summary = restore_folder(tmp_path / "in", tmp_path / "out", MEDIAN, reading=ALL)
    assert not summary.failures
    assert summary.megapixels == pytest.approx(stack.size / 1e6)
    with tifffile.TiffFile(tmp_path / "out" / "cells.tif") as file:
        assert file.is_imagej
        assert file.series[0].axes == "TZCYX"
        np.testing.assert_array_equal(file.asarray(), medians(stack))
    assert Manifest(tmp_path / "out").read()["cells.tif"].reading == ALL
    again = restore_folder(tmp_path / "in", tmp_path / "out", MEDIAN, reading=ALL)
    assert (again.written, again.skipped) == (0, 1)


def test_measured_planes_of_a_channel_are_treated_alike_by_the_middle_one(tmp_path, monkeypatch):
    """Diagnosed one by one, the planes of a time series would be treated unequally."""
    (tmp_path / "in").mkdir()
    samples = RNG.integers(0, 4000, (3, 2, 40, 36)).astype(np.uint16)
    tifffile.imwrite(tmp_path / "in" / "cells.tif", samples, imagej=True, metadata={"axes": "TCYX"})
    seen = []

    def found(image, _):
        seen.append(np.rint(4095 * image[0]))
        steps = (Step("median", {"size": 3}),) if len(seen) == 1 else ()
        return Diagnosis((Finding("salt-pepper", "salt and pepper", 0.9),) if steps else (), steps, (), 0.9)

    monkeypatch.setattr("restorecli.diagnosis.large.diagnose_any_size", found)
    restore_folder(tmp_path / "in", tmp_path / "out", AutoRestorer(), reading=ALL)
    np.testing.assert_array_equal(seen, samples[1])
    done = tifffile.imread(tmp_path / "out" / "cells.tif")
    np.testing.assert_array_equal(done[:, 0], medians(samples[:, 0]))
    np.testing.assert_array_equal(done[:, 1], samples[:, 1])
    record = Manifest(tmp_path / "out").read()["cells.tif"]
    assert (
        record.restorer["found"]["diagnosis"]
        == "3 planes: salt and pepper -> median; 3 planes: no damage found"
    )


def test_some_planes_and_one_plane(tmp_path, stack):
    planes = stack.reshape(-1, 20, 22)
    restore_folder(tmp_path / "in", tmp_path / "some", MEDIAN, reading=ReadOptions(frames="2..4"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "some" / "cells.tif"), medians(planes[2:5]))
    restore_folder(tmp_path / "in", tmp_path / "one", MEDIAN, reading=ReadOptions(frames="5"))
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "one" / "cells.tif"), medians(planes[5]))


def test_an_enlarged_stack_says_its_new_sizes(tmp_path):
    (tmp_path / "in").mkdir()
    samples = RNG.integers(0, 255, (3, 20, 22)).astype(np.uint8)
    words = {"axes": "ZYX", "PhysicalSizeX": 0.5, "PhysicalSizeY": 0.5}
    tifffile.imwrite(tmp_path / "in" / "a.ome.tif", samples, ome=True, metadata=words)
    twice = MethodRestorer(create_method("bicubic", {"factor": 2}))
    restore_folder(tmp_path / "in", tmp_path / "out", twice, reading=ALL)
    with tifffile.TiffFile(tmp_path / "out" / "a.ome.tif") as file:
        assert (file.series[0].axes, file.series[0].shape) == ("ZYX", (3, 40, 44))
        assert 'PhysicalSizeX="0.25"' in file.ome_metadata


def test_an_animation_is_restored_with_its_delays(tmp_path):
    (tmp_path / "in").mkdir()
    frames = [Image.fromarray(RNG.integers(0, 256, (20, 22, 3), dtype=np.uint8)) for _ in range(3)]
    frames[0].save(
        tmp_path / "in" / "a.gif", save_all=True, append_images=frames[1:], duration=[100, 50, 70], loop=0
    )
    restore_folder(tmp_path / "in", tmp_path / "out", MEDIAN, reading=ALL)
    [written] = (tmp_path / "out").glob("*.png")
    with Image.open(tmp_path / "in" / "a.gif") as before, Image.open(written) as after:
        assert (after.n_frames, after.info["loop"]) == (3, 0)
        for number, delay in enumerate([100, 50, 70]):
            before.seek(number)
            after.seek(number)
            assert after.info["duration"] == delay
            expected = ndimage.median_filter(np.asarray(before.convert("RGB")), (3, 3, 1), mode="reflect")
            np.testing.assert_array_equal(np.asarray(after.convert("RGB")), expected)


def test_planes_are_degraded_by_the_same_steps_with_noise_of_their_own(tmp_path):
    (tmp_path / "in").mkdir()
    samples = np.full((4, 60, 60), 128, np.uint8)
    tifffile.imwrite(tmp_path / "in" / "a.tif", samples, photometric="minisblack", metadata={"axes": "TYX"})
    noise = Chain.from_specs([{"name": "gaussian", "sigma": 20.0}])
    for output in ("out", "again"):
        degrade_folder(tmp_path / "in", tmp_path / output, noise, reading=ALL)
    written = tifffile.imread(tmp_path / "out" / "a.tif").astype(float) - 128
    assert written.shape == samples.shape
    np.testing.assert_allclose(written.std(axis=(1, 2)), 20, rtol=0.1)
    assert np.abs(np.corrcoef(written.reshape(4, -1)) - np.eye(4)).max() < 0.1
    assert (tmp_path / "out" / "a.tif").read_bytes() == (tmp_path / "again" / "a.tif").read_bytes()


def test_scratches_stay_where_they_are_since_one_mask_tells_of_them(tmp_path):
    (tmp_path / "in").mkdir()
    samples = np.full((3, 64, 64), 128, np.uint8)
    tifffile.imwrite(tmp_path / "in" / "a.tif", samples, photometric="minisblack", metadata={"axes": "TYX"})
    degrade_folder(tmp_path / "in", tmp_path / "out", Chain.from_specs(["holes"]), reading=ALL)
    first, *others = tifffile.imread(tmp_path / "out" / "a.tif")
    for other in others:
        np.testing.assert_array_equal(first, other)


def test_a_damaged_plane_costs_the_file_and_leaves_nothing(tmp_path, stack):
    data = (tmp_path / "in" / "cells.tif").read_bytes()
    (tmp_path / "in" / "cells.tif").write_bytes(data[:-100])
    tifffile.imwrite(tmp_path / "in" / "whole.tif", stack[0, 0, 0])
    summary = restore_folder(tmp_path / "in", tmp_path / "out", MEDIAN, reading=ALL)
    assert [failure.path for failure in summary.failures] == ["cells.tif"]
    assert not (tmp_path / "out" / "cells.tif").exists()
    assert (tmp_path / "out" / "whole.tif").exists()


MEMORY = """
import resource, sys
from pathlib import Path
from restorecli.images.options import ReadOptions
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.methods.catalog import create_method
restorer = MethodRestorer(create_method("median", {"size": 3}))
restore_folder(Path(sys.argv[1]), Path(sys.argv[2]), restorer, reading=ReadOptions(frames="all"), workers=1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_planes(tmp_path):
    """Forty planes of this size would be 58 MB as floating point."""
    used = []
    for planes in (2, 40):
        source = tmp_path / f"in{planes}"
        source.mkdir()
        samples = np.zeros((planes, 600, 600), np.uint8)
        tifffile.imwrite(source / "a.tif", samples, photometric="minisblack", metadata={"axes": "TYX"})
        words = [sys.executable, "-c", MEMORY, str(source), str(tmp_path / f"out{planes}")]
        used.append(int(subprocess.run(words, check=True, capture_output=True).stdout))
    assert used[1] < used[0] * 1.1
