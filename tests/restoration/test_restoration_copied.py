"""An image that comes back as it was is copied where writing it again would lose something."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from restorecli.images.options import ReadOptions
from restorecli.restoration.folder import restore_folder
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.known import Known
from restorecli.restoration.single import restore_file


@pytest.fixture
def photo(tmp_path):
    """A JPEG of low quality that lies on its side, with EXIF."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "Maker"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 56, 3), dtype=np.uint8)
    file = tmp_path / "in" / "a.jpg"
    file.parent.mkdir()
    Image.fromarray(pixels).save(file, quality=60, exif=exif)
    return file


def _size(file):
    with Image.open(file) as image:
        return image.size


def _restored(photo, target, restorer, **options):
    restore_file(photo, target, ImageRestorer(restorer), known=Known(), **options)
    return target.read_bytes()


def test_what_comes_back_as_it_was_is_copied_byte_for_byte(photo, tmp_path, restorer_of):
    same = restorer_of(lambda batch: batch)
    assert _restored(photo, tmp_path / "b.jpg", same) == photo.read_bytes()
    restore_folder(photo.parent, tmp_path / "out", same, image_format="jpeg")
    assert (tmp_path / "out" / "a.jpg").read_bytes() == photo.read_bytes()


def test_what_was_changed_or_asked_for_otherwise_is_written(photo, tmp_path, restorer_of):
    same, darker = restorer_of(lambda batch: batch), restorer_of(lambda batch: 0.9 * batch)
    before = photo.read_bytes()
    assert _restored(photo, tmp_path / "b.jpg", darker) != before
    assert _restored(photo, tmp_path / "c.jpg", same, quality=90) != before
    assert _restored(photo, tmp_path / "d.jpg", same, reading=ReadOptions(range="type")) != before
    assert _restored(photo, tmp_path / "e.png", same) != before
    assert _size(tmp_path / "e.png") == (40, 56)  # upright


def test_a_source_that_is_gone_before_the_result_is_written_is_no_fault(photo, tmp_path, restorer_of):
    def vanish(batch):
        photo.unlink(missing_ok=True)
        return batch

    assert _restored(photo, tmp_path / "b.jpg", restorer_of(vanish))
    assert _size(tmp_path / "b.jpg") == (40, 56)


def test_deep_images_are_copied_since_floats_would_be_rounded_and_private_tags_lost(tmp_path, restorer_of):
    values = np.random.default_rng(0).normal(1e4, 3e4, (40, 56)).astype(np.float32)
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, values, extratags=[(65000, 3, 1, 7, True)])
    same = restorer_of(lambda batch: batch)
    assert _restored(file, tmp_path / "b.tif", same) == file.read_bytes()
    every = ReadOptions(frames="all")
    assert _restored(file, tmp_path / "c.tif", same, reading=every) == file.read_bytes()


def test_a_deep_stack_that_comes_back_as_it_was_is_copied(tmp_path, restorer_of):
    values = np.random.default_rng(0).normal(1e4, 3e4, (3, 40, 56)).astype(np.float32)
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, values, imagej=True, metadata={"axes": "ZYX", "Labels": ["a", "b", "c"]})
    every = ReadOptions(frames="all")
    assert (
        _restored(file, tmp_path / "b.tif", restorer_of(lambda batch: batch), reading=every)
        == file.read_bytes()
    )
    darker = _restored(file, tmp_path / "c.tif", restorer_of(lambda batch: 0.9 * batch), reading=every)
    assert darker != file.read_bytes()
