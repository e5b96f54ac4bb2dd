"""TIFF images that memory cannot hold: restored by rows, equal to the whole, in constant memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from restorecli.errors import ImageError
from restorecli.folders.jobs import SilentProgress
from restorecli.folders.manifest import Manifest
from restorecli.images import reading
from restorecli.images.reading import read_image
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.known import Known
from restorecli.restoration.methods.catalog import create_method
from restorecli.restoration.single import restore_file


class Rows:
    """An image in memory that hands out rows, and remembers which."""

    def __init__(self, pixels):
        self.pixels = pixels
        self.channels, *self.size = pixels.shape
        self.asked = []

    def read(self, start, stop):
        self.asked.append((start, stop))
        return self.pixels[:, start:stop].copy()


@given(
    st.tuples(st.integers(1, 120), st.integers(1, 120)),
    st.integers(16, 64),
    st.integers(0, 12),
    st.sampled_from([1, 2, 3]),
    st.sampled_from([1, 4]),
    st.sampled_from([None, 1, 9]),
)
@settings(max_examples=60, deadline=None)
def test_rows_give_the_very_pixels_of_the_whole(restorer_of, size, tile, overlap, scale, multiple, field):
    def enlarged(batch):
        doubled = batch.repeat_interleave(scale, -1).repeat_interleave(scale, -2)
        return doubled * batch.amax()  # so that every tile differs from its neighbors

    fake = restorer_of(enlarged, scale=scale, multiple=multiple, receptive_field=field)
    pixels = np.random.default_rng(0).random((3, *size)).astype(np.float32)
    restorer = ImageRestorer(fake, tile=tile, overlap=overlap)
    source = Rows(pixels)
    bands = list(restorer.restore_rows(source))
    whole, use = restorer.restore(pixels)
    np.testing.assert_array_equal(np.concatenate(bands, axis=1), whole)
    assert restorer.use_for(source) == use
    assert source.asked == sorted(source.asked)
    assert max(stop - start for start, stop in source.asked) <= tile + multiple


@pytest.fixture
def source(tmp_path):
    """A folder of a small PNG, a large TIFF in a sub-folder, and a large PNG."""
    rng = np.random.default_rng(0)
    root = tmp_path / "imgs"
    (root / "scans").mkdir(parents=True)
    large = rng.integers(0, 256, (300, 200, 3), np.uint8)
    tifffile.imwrite(
        root / "scans" / "large.tif",
        large,
        photometric="rgb",
        compression="zlib",
        rowsperstrip=16,
        metadata=None,
        description="a scan",
        resolution=(300, 300),
        resolutionunit="INCH",
    )
    Image.fromarray(large[:20, :30]).save(root / "small.png")
    return root


@pytest.fixture
def little_memory(monkeypatch):
    """Memory in which the small image can be decoded and the large ones cannot."""
    for module in (reading, sys.modules["restorecli.images.tiff_rows"]):
        monkeypatch.setattr(module, "decoding_budget", lambda: 300 * 200 * 18 - 1)
    budget = reading.check_budget
    monkeypatch.setattr(
        reading, "check_budget", lambda *size: budget(*size[:4], size[4] or reading.decoding_budget())
    )


def test_a_large_tiff_is_restored_as_if_memory_held_it(source, tmp_path, convolutions, monkeypatch, request):
    restorer = convolutions(3)
    first = restore_folder(source, tmp_path / "whole", restorer, tile=64)
    request.getfixturevalue("little_memory")
    summary = restore_folder(source, tmp_path / "rows", restorer, tile=64)
    assert (summary.written, summary.failures, summary.megapixels) == (2, (), first.megapixels)
    whole, rows = (
        read_image(tmp_path / folder / "scans" / "large.tif", budget=1 << 30) for folder in ("whole", "rows")
    )
    np.testing.assert_array_equal(rows.pixels, whole.pixels)
    assert rows.traits == whole.traits
    assert rows.traits.exif is not None
    assert rows.traits.dpi == (300, 300)
    with tifffile.TiffFile(tmp_path / "rows" / "scans" / "large.tif") as file:
        assert file.pages.first.is_tiled  # it went by rows
    records = [Manifest(tmp_path / folder).read()["scans/large.tif"] for folder in ("whole", "rows")]
    assert records[0] == records[1]
    again = restore_folder(source, tmp_path / "rows", restorer, tile=64)
    assert (again.written, again.skipped) == (0, 2)


def test_one_large_tiff_goes_by_rows_into_one_file(source, tmp_path, convolutions, little_memory):
    large = source / "scans" / "large.tif"
    restore_folder(source, tmp_path / "out", convolutions(3), tile=64)
    image_restorer = ImageRestorer(convolutions(3), tile=64)
    done = restore_file(large, tmp_path / "one.tif", image_restorer, known=Known())
    assert (done.written, done.output, done.megapixels) == (1, tmp_path / "one.tif", 300 * 200 / 1e6)
    in_folder = tmp_path / "out" / "scans" / "large.tif"
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "one.tif"), tifffile.imread(in_folder))
    restore_file(large, tmp_path / "one.png", image_restorer, known=Known())
    with Image.open(tmp_path / "one.png") as image:
        np.testing.assert_array_equal(np.asarray(image), tifffile.imread(in_folder))
    with pytest.raises(ImageError, match="only TIFF and PNG are written by rows") as caught:
        restore_file(large, tmp_path / "one.webp", image_restorer, known=Known())
    assert caught.value.file == str(large)
    assert not (tmp_path / "one.webp").exists()


@pytest.mark.parametrize("strength", [1.0, 0.5])
def test_large_png_and_jpeg_are_restored_as_if_memory_held_them(
    tmp_path, convolutions, strength, request, monkeypatch
):
    pytest.importorskip("pyvips")
    photo = np.random.default_rng(0).integers(0, 256, (75, 50, 3), np.uint8).repeat(4, 0).repeat(4, 1)
    (tmp_path / "imgs").mkdir()
    Image.fromarray(photo).save(tmp_path / "imgs" / "a.png", dpi=(300, 300))
    Image.fromarray(photo).save(tmp_path / "imgs" / "b.jpg", quality=90)
    options = {"tile": 64, "strength": strength}
    first = restore_folder(tmp_path / "imgs", tmp_path / "whole", convolutions(3), **options)
    request.getfixturevalue("little_memory")
    monkeypatch.setattr(reading, "_read", lambda *_: pytest.fail("read whole"))
    summary = restore_folder(tmp_path / "imgs", tmp_path / "rows", convolutions(3), **options)
    assert (summary.written, summary.failures) == (first.written, ()) == (2, ())
    monkeypatch.undo()
    for name in sorted(Manifest(tmp_path / "whole").read()):
        whole, rows = (read_image(tmp_path / folder / name) for folder in ("whole", "rows"))
        np.testing.assert_array_equal(rows.pixels, whole.pixels)
        assert rows.traits == whole.traits
    assert Manifest(tmp_path / "rows").read() == Manifest(tmp_path / "whole").read()


def test_auto_finds_a_tile(source, tmp_path, convolutions, little_memory):
    summary = restore_folder(source, tmp_path / "out", convolutions(2))
    assert summary.failures == ()
    assert tifffile.imread(tmp_path / "out" / "scans" / "large.tif").shape == (300, 200, 3)


def test_a_scale_enlarges_it(source, tmp_path, restorer_of, little_memory):
    double = restorer_of(lambda batch: batch.repeat_interleave(2, -1).repeat_interleave(2, -2), scale=2)
    summary = restore_folder(source, tmp_path / "out", double, tile=32, overlap=0)
    assert summary.failures == ()
    written = tifffile.imread(tmp_path / "out" / "scans" / "large.tif")
    original = tifffile.imread(source / "scans" / "large.tif")
    np.testing.assert_array_equal(written, original.repeat(2, 0).repeat(2, 1))


def test_how_far_it_is_is_told(source, tmp_path, convolutions, little_memory):
    class Heard(SilentProgress):
        def __init__(self):
            self.steps = []

        def within(self, done, total):
            self.steps.append((done, total))

    heard = Heard()
    restore_folder(source, tmp_path / "out", convolutions(2), tile=64, progress=heard)
    total = heard.steps[0][1]
    assert heard.steps == [(done, total) for done in range(1, total + 1)]
    assert total >= 5


def one_failure(summary):
    ((path, error),) = [(failure.path, failure.error) for failure in summary.failures]
    assert path == "scans/large.tif"
    assert summary.written == 1
    return error


def only_the_small_one(folder):
    return [path.name for path in folder.rglob("*") if path.suffix in (".png", ".tif")] == ["small.png"]


def test_another_format_cannot_be_written_by_rows(source, tmp_path, convolutions, little_memory):
    summary = restore_folder(source, tmp_path / "out", convolutions(2), image_format="webp")
    assert "--format tiff" in one_failure(summary).hint
    assert [path.name for path in (tmp_path / "out").rglob("*.webp")] == ["small.webp"]


def test_the_whole_at_once_is_refused(source, tmp_path, convolutions, little_memory):
    error = one_failure(restore_folder(source, tmp_path / "out", convolutions(2), tile="none"))
    assert "--tile" in error.expected
    assert only_the_small_one(tmp_path / "out")


def test_a_method_refuses_it_as_too_large(source, tmp_path, little_memory):
    summary = restore_folder(source, tmp_path / "out", MethodRestorer(create_method("median")))
    assert "too large" in one_failure(summary).problem


def test_without_libvips_a_large_png_says_what_to_do(tmp_path, convolutions, little_memory, monkeypatch):
    monkeypatch.setattr(sys.modules["restorecli.images.rows"], "find_spec", lambda _: None)
    (tmp_path / "imgs").mkdir()
    Image.new("RGB", (200, 300)).save(tmp_path / "imgs" / "x.png")
    (failure,) = restore_folder(tmp_path / "imgs", tmp_path / "out", convolutions(2)).failures
    assert "TIFF" in failure.error.hint
    assert "restorecli[vips]" in failure.error.hint


def test_damage_at_its_end_costs_this_image_only(source, tmp_path, convolutions, little_memory):
    path = source / "scans" / "large.tif"
    with tifffile.TiffFile(path) as file:
        last = file.pages.first.dataoffsets[-1]
    path.write_bytes(path.read_bytes()[: last + 20])
    error = one_failure(restore_folder(source, tmp_path / "out", convolutions(2), tile=64))
    assert error.file == str(path)
    assert only_the_small_one(tmp_path / "out")


def test_values_that_are_not_finite_cost_this_image_only(source, tmp_path, restorer_of, little_memory):
    spoiled = restorer_of(lambda batch: torch.full_like(batch, torch.nan if batch.shape[-2] > 25 else 0.5))
    error = one_failure(restore_folder(source, tmp_path / "out", spoiled, tile=64))
    assert "not finite" in error.problem
    assert only_the_small_one(tmp_path / "out")


def test_a_source_that_changes_meanwhile_is_noticed(source, tmp_path, restorer_of, little_memory):
    path = source / "scans" / "large.tif"

    def meddle(batch):
        if batch.shape[-2] > 25:
            with path.open("ab") as file:
                file.write(b"x")
        return batch

    error = one_failure(restore_folder(source, tmp_path / "out", restorer_of(meddle), tile=64))
    assert "changed" in error.problem
    assert only_the_small_one(tmp_path / "out")


PEAK = r"""
import re, sys
from pathlib import Path
import tifffile, numpy as np, torch
from restorecli.core.restorer import RestorerSpec
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.folder import restore_folder

class Invert(Restorer):
    streams = True
    spec = RestorerSpec("invert", 3, receptive_field=33)
    def __call__(self, batch):
        return 1 - batch

sys.modules["restorecli.images.rows"].fits_in_memory = lambda header: False
torch.set_num_threads(1)
summary = restore_folder(Path(sys.argv[1]), Path(sys.argv[2]), Invert(), tile=256, workers=1)
assert not summary.failures, summary.failures
print(re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is asked of Linux")
def test_memory_does_not_grow_with_the_height(tmp_path):
    peaks = []
    for height in (2_000, 20_000):
        folder = tmp_path / str(height)
        folder.mkdir()
        strip = np.random.default_rng(0).integers(0, 256, (250, 1000, 3), np.uint8)
        tifffile.imwrite(
            folder / "x.tif",
            np.tile(strip, (height // 250, 1, 1)),
            photometric="rgb",
            rowsperstrip=64,
            compression="zlib",
            compressionargs={"level": 1},
            metadata=None,
        )
        command = [sys.executable, "-c", PEAK, str(folder), str(tmp_path / f"out{height}")]
        told = subprocess.run(command, capture_output=True, text=True, check=True)
        peaks.append(int(told.stdout) / 1024)
    # 60 MB of samples, or 240 MB as pixels; what remains is the allocator's.
    assert peaks[1] - peaks[0] < 30
    result = tifffile.imread(tmp_path / "out20000" / "x.tif")
    np.testing.assert_array_equal(result, 255 - np.tile(strip, (80, 1, 1)))
