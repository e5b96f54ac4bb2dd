"""The folder job: what is kept, what is carried on, and what every fault costs."""

import json
import os

import numpy as np
import pytest
import torch
from PIL import Image

from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import BusyError, DataError, ResourceError, UsageError
from restorecli.folders.jobs import SilentProgress
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import Manifest, Record, make_locator
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image
from restorecli.restoration.cutting import CHANGED_BY_TILES
from restorecli.restoration.folder import restore_folder

SIZES = [(1, 1), (1, 30), (3, 5), (17, 23), (40, 31)]


@pytest.fixture
def source(tmp_path):
    """A tree of five images in two categories, of awkward sizes."""
    rng = np.random.default_rng(0)
    root = tmp_path / "degraded"
    for number, size in enumerate(SIZES):
        path = root / ("cars" if number % 2 else "trees/old") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(path)
    return root


@pytest.fixture
def output(tmp_path):
    return tmp_path / "restored"


@pytest.fixture
def invert(restorer_of):
    return restorer_of(lambda batch: 1 - batch)


def tree(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def levels(path):
    return np.asarray(Image.open(path))


def snapshot(folder):
    return {path: (folder / path).read_bytes() for path in tree(folder)}


def test_the_tree_is_kept_and_the_source_untouched(source, output, invert):
    before = snapshot(source)
    summary = restore_folder(source, output, invert)
    assert (summary.command, summary.written, summary.skipped, summary.failures) == ("restore", 5, 0, ())
    assert summary.megapixels == pytest.approx(sum(h * w for h, w in SIZES) / 1e6)
    assert summary.seconds > 0
    assert snapshot(source) == before
    assert set(tree(output)) == {*before, "manifest.jsonl"}
    for path in before:
        np.testing.assert_array_equal(levels(output / path), 255 - levels(source / path))


@pytest.mark.parametrize("workers", [1, 3])
def test_a_network_gives_the_same_bytes_with_any_number_of_workers_and_any_exact_tile(
    source, tmp_path, convolutions, workers
):
    restore_folder(source, tmp_path / "one", convolutions(), workers=1)
    restore_folder(source, tmp_path / "other", convolutions(), workers=workers, tile=20)
    for path in tree(source):
        one, other = (levels(tmp_path / name / path).astype(int) for name in ("one", "other"))
        assert abs(one - other).max() <= 1


def test_without_a_manifest_the_source_is_what_was_degraded(source, output, invert):
    restore_folder(source, output, invert)
    record = Manifest(output).read()["cars/1.png"]
    assert (record.command, record.category, record.reference) == ("restore", "cars", None)
    assert record.degraded == record.source == "../degraded/cars/1.png"
    assert record.restorer["name"] == "fake"
    assert len((output / "manifest.jsonl").read_text().splitlines()) == 5


def test_the_source_manifest_is_carried_on(source, output, tmp_path, invert):
    clean = tmp_path / "clean" / "1.png"
    clean.parent.mkdir()
    clean.write_bytes((source / "cars/1.png").read_bytes())
    Manifest(source).append(
        Record(
            path="cars/1.png",
            command="degrade",
            category="vehicles",
            reference=make_locator(clean, source),
            source=make_locator(clean, source),
            version="0",
            seed=7,
            key="cars/1.png",
            degradations=({"name": "gaussian", "sigma": 25.0},),
        )
    )
    Manifest(source).append(
        Record("cars/3.png", "degrade", "textures", "sample:textures/brick", "sample:textures/brick", "0")
    )
    restore_folder(source, output, invert)
    records = Manifest(output).read()
    carried = records["cars/1.png"]
    assert (carried.category, carried.reference, carried.seed) == ("vehicles", "../clean/1.png", 7)
    assert carried.degradations == ({"name": "gaussian", "sigma": 25.0},)
    assert carried.degraded == "../degraded/cars/1.png"
    assert Manifest(output).locate(carried.reference) == clean
    assert records["cars/3.png"].reference == "sample:textures/brick"
    assert records["trees/old/0.png"].reference is None


def test_a_part_of_a_degraded_tree_finds_the_manifest_above_it(source, output, invert):
    Manifest(source).append(Record("cars/1.png", "degrade", "vehicles", None, "x.png", "0", seed=7))
    restore_folder(source / "cars", output / "part", invert)
    restore_folder(source / "cars" / "1.png", output / "file", invert)
    for folder in ("part", "file"):
        record = Manifest(output / folder).read()["1.png"]
        assert (record.category, record.seed) == ("vehicles", 7)


def test_a_damaged_manifest_of_the_source_is_found_before_anything_starts(source, output, invert):
    (source / "manifest.jsonl").write_text("[]\n{}\n")
    with pytest.raises(DataError):
        restore_folder(source, output, invert)
    assert invert.shapes == []


def test_finished_images_are_skipped_and_changed_ones_are_not(source, output, invert):
    restore_folder(source, output, invert)
    invert.shapes.clear()
    assert restore_folder(source, output, invert).skipped == 5
    assert [s for s in invert.shapes if s[-1] != 64 and s[-1] != 128] == []

    Image.new("RGB", (9, 8), (10, 20, 30)).save(source / "cars/1.png")
    (output / "cars/3.png").unlink()
    summary = restore_folder(source, output, invert)
    assert (summary.written, summary.skipped) == (2, 3)
    assert levels(output / "cars/1.png")[0, 0].tolist() == [245, 235, 225]
    assert restore_folder(source, output, invert, overwrite=True).written == 5


def test_another_restorer_or_other_weights_do_not_count_as_finished(
    source, output, convolutions, restorer_of
):
    restorer = convolutions()
    assert restore_folder(source, output, restorer).written == 5
    assert restore_folder(source, output, restorer, tile=16).skipped == 5  # exact tiles change nothing
    retrained = convolutions()
    retrained.module.layers[0].bias.data += 0.1
    assert restore_folder(source, output, retrained).written == 5
    assert isinstance(restorer, TorchRestorer)
    assert restore_folder(source, output, restorer_of(lambda b: b, name="convolutions")).written == 5


def test_results_of_another_model_are_replaced_on_demand_only(source, output, convolutions, restorer_of):
    restore_folder(source, output, convolutions())
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    other = restorer_of(lambda batch: batch, name="other")
    with pytest.raises(UsageError, match="results of another model") as caught:
        restore_folder(source, output, other)
    assert caught.value.got.startswith("5 images by convolutions, first ")
    assert {path: path.read_bytes() for path in output.rglob("*") if path.is_file()} == before
    assert restore_folder(source, output, other, overwrite=True).written == 5


def test_for_a_network_that_sees_everything_other_tiles_count_as_another_result(source, output, restorer_of):
    restorer = restorer_of(lambda batch: batch, receptive_field=None)
    restore_folder(source, output, restorer)
    assert restore_folder(source, output, restorer).skipped == 5
    summary = restore_folder(source, output, restorer, tile=32)
    assert summary.written == 5
    notes = {path: record.notes for path, record in Manifest(output).read().items()}
    assert notes["trees/old/4.png"] == (CHANGED_BY_TILES,)
    assert notes["cars/3.png"] == ()
    assert Manifest(output).read()["trees/old/4.png"].restorer["tile"] == 32


def test_one_bad_file_costs_one_file(source, output, invert):
    good = tree(source)
    (source / "cars" / "text.png").write_text("no image")
    (source / "cars" / "empty.jpg").touch()
    whole = (source / "trees/old/4.png").read_bytes()
    (source / "trees" / "torn.png").write_bytes(whole[: len(whole) // 2])
    summary = restore_folder(source, output, invert)
    assert {failure.path for failure in summary.failures} == {
        "cars/text.png",
        "cars/empty.jpg",
        "trees/torn.png",
    }
    assert all(failure.error.file for failure in summary.failures)
    assert summary.written == 5
    assert set(tree(output)) == {*good, "manifest.jsonl"}


def test_an_image_that_becomes_not_finite_is_not_written(source, output, restorer_of):
    restorer = restorer_of(lambda batch: batch * torch.nan if batch.shape[-2:] == (17, 23) else batch)
    summary = restore_folder(source, output, restorer)
    assert [failure.path for failure in summary.failures] == ["cars/3.png"]
    assert summary.failures[0].error.exit_code == 3
    assert not (output / "cars/3.png").exists()
    assert summary.written == 4


def test_memory_that_runs_out_for_an_asked_tile_ends_the_job_and_keeps_what_is_done(
    source, output, restorer_of
):
    def restore(batch):
        if batch.shape[-2:] == (17, 23):
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return batch

    with pytest.raises(ResourceError) as caught:
        restore_folder(source, output, restorer_of(restore), tile="none", workers=1)
    assert caught.value.exit_code == 6
    assert "3.png" in caught.value.file
    assert not (output / "cars/3.png").exists()
    summary = restore_folder(source, output, restorer_of(restore, name="fake"), tile=16)
    assert summary.written + summary.skipped == 5
    np.testing.assert_array_equal(levels(output / "cars/3.png"), levels(source / "cars/3.png"))


def test_an_interrupt_leaves_finished_images_whole_and_the_next_run_goes_on(source, output, restorer_of):
    def restore(batch):
        if batch.shape[-2:] == (40, 31):
            raise KeyboardInterrupt
        return batch

    with pytest.raises(KeyboardInterrupt):
        restore_folder(source, output, restorer_of(restore), workers=1, tile="none")
    summary = restore_folder(source, output, restorer_of(lambda batch: batch), tile="none")
    assert summary.written + summary.skipped == 5
    assert summary.written >= 1
    for path in tree(source):
        np.testing.assert_array_equal(levels(output / path), levels(source / path))
    assert [path for path in output.iterdir() if path.name.startswith(".")] == []


def test_a_source_that_changes_while_it_is_read_is_reported(source, output, invert, monkeypatch):
    import sys

    files = sys.modules["restorecli.restoration.files"]

    def slow_read(path, options):
        image = read_image(path, options)
        if path.name == "3.png":
            os.utime(path, ns=(1, 1))
        return image

    monkeypatch.setattr(files, "read_image", slow_read)
    summary = restore_folder(source, output, invert)
    assert [failure.path for failure in summary.failures] == ["cars/3.png"]
    assert "changed" in summary.failures[0].error.problem


def test_a_source_that_vanishes_costs_one_file(source, output, restorer_of):
    def restore(batch):
        (source / "trees/old/4.png").unlink(missing_ok=True)
        return batch

    summary = restore_folder(source, output, restorer_of(restore), workers=1, tile="none")
    assert summary.written + len(summary.failures) == 5
    assert {failure.path for failure in summary.failures} <= {"trees/old/4.png"}


def test_in_place_is_refused(source, invert, tmp_path):
    with pytest.raises(UsageError, match="overwrite the source"):
        restore_folder(source, source, invert)
    with pytest.raises(UsageError, match="overwrite the source"):
        restore_folder(source, source.parent / "elsewhere" / ".." / "degraded", invert)
    with pytest.raises(UsageError, match="overwrite the source"):
        restore_folder(source / "cars/1.png", source / "cars", invert)
    nested = source / "cars" / "cars"
    nested.mkdir()
    (source / "cars" / "1.png").rename(nested / "1.png")
    Image.new("RGB", (4, 4)).save(source / "cars" / "1.png")
    with pytest.raises(UsageError, match="overwrite the source"):
        restore_folder(source / "cars", source, invert)
    assert invert.shapes == []


def test_an_output_inside_the_source_is_not_taken_for_a_source(source, invert):
    for _ in range(2):
        restore_folder(source, source / "restored", invert)
    assert len([path for path in tree(source) if path.startswith("restored/")]) == 6


def test_a_link_that_leads_out_of_the_output_is_not_followed(source, output, invert, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    output.mkdir()
    (output / "cars").symlink_to(outside)
    summary = restore_folder(source, output, invert)
    assert {failure.path for failure in summary.failures} == {"cars/1.png", "cars/3.png"}
    assert tree(outside) == []


def test_a_second_run_on_one_output_is_refused(source, output, invert):
    with output_lock(output), pytest.raises(BusyError):
        restore_folder(source, output, invert)


def test_a_missing_source_is_told(output, invert, tmp_path):
    with pytest.raises(DataError):
        restore_folder(tmp_path / "nowhere", output, invert)


def test_an_empty_folder_is_nothing_to_do(output, invert, tmp_path):
    (tmp_path / "empty").mkdir()
    assert restore_folder(tmp_path / "empty", output, invert).written == 0


def test_names_that_would_collide_keep_both(tmp_path, output, invert):
    root = tmp_path / "in"
    root.mkdir()
    Image.new("RGB", (8, 8), (200, 0, 0)).save(root / "a.png")
    Image.new("RGB", (8, 8), (0, 0, 200)).save(root / "a.jpg", quality=100)
    summary = restore_folder(root, output, invert)
    assert summary.written == 2
    assert set(tree(output)) == {"a.png", "a.jpg.png", "manifest.jsonl"}
    assert Manifest(output).read()["a.jpg.png"].source == "../in/a.jpg"


def test_depth_gray_alpha_and_metadata_are_kept(tmp_path, output, restorer_of):
    rng = np.random.default_rng(0)
    root = tmp_path / "in"
    root.mkdir()
    pixels = rng.random((3, 12, 14), dtype=np.float32)
    deep = ImageData(pixels, FileTraits("PNG", 16, rng.integers(1, 65536, (12, 14)).astype(np.uint16)))
    write_image(root / "deep.png", deep)
    write_image(root / "gray.png", ImageData(pixels[:1], FileTraits("PNG", 8)))
    write_image(root / "float.tiff", ImageData(3 * pixels - 1, FileTraits("TIFF", 32)))
    restore_folder(root, output, restorer_of(lambda batch: batch))
    for name in ("deep.png", "gray.png", "float.tiff"):
        one, other = read_image(root / name), read_image(output / name)
        np.testing.assert_array_equal(one.pixels, other.pixels)
        assert (one.traits.depth, one.channels) == (other.traits.depth, other.channels)
    np.testing.assert_array_equal(
        read_image(output / "deep.png").traits.alpha, read_image(root / "deep.png").traits.alpha
    )


def test_another_format_on_demand_tells_what_it_cannot_hold(source, output, invert):
    rgba = np.full((6, 7, 4), 128, np.uint8)
    Image.fromarray(rgba).save(source / "rgba.png")
    summary = restore_folder(source, output, invert, image_format="jpeg")
    assert summary.written == 6
    assert all(path.endswith((".jpg", ".jsonl")) for path in tree(output))
    assert any("alpha" in note for note in Manifest(output).read()["rgba.jpg"].notes)
    with pytest.raises(UsageError):
        restore_folder(source, output, invert, image_format="gif")


def test_a_restorer_that_breaks_its_word_is_a_defect(source, output, restorer_of):
    with pytest.raises(ValueError, match="must give"):
        restore_folder(source, output, restorer_of(lambda batch: batch[..., :1, :1]), tile="none")


def test_progress_hears_of_every_image(source, output, invert):
    (source / "bad.png").write_text("x")

    class Heard(SilentProgress):
        def __init__(self):
            self.words = []

        def start(self, total, what):
            self.words.append((total, what))

        def advance(self, done, failure=None):
            self.words.append((done, failure is None))

        def finish(self):
            self.words.append("end")

    heard = Heard()
    restore_folder(source, output, invert, progress=heard)
    assert heard.words[0] == (6, "images")
    assert heard.words[1:-1] == sorted((path, path != "bad.png") for path in tree(source))
    assert heard.words[-1] == "end"


def test_many_more_images_than_the_look_ahead_and_a_tight_memory(tmp_path, output, invert, monkeypatch):
    import sys

    monkeypatch.setattr(sys.modules["restorecli.restoration.job"], "available_memory", lambda: 4 * 48 * 100)
    root = tmp_path / "many"
    root.mkdir()
    for number in range(40):
        side = 5 + number % 9  # up to 169 pixels: some pass the gate only alone
        Image.new("RGB", (side, side), (number, 0, 0)).save(root / f"{number:02}.png")
    (root / "20.png").write_text("bad")
    summary = restore_folder(root, output, invert, workers=4)
    assert (summary.written, len(summary.failures)) == (39, 1)
    lines = [json.loads(line) for line in (output / "manifest.jsonl").read_text().splitlines()]
    assert len({line["path"] for line in lines}) == len(lines) == 39


def test_leniency_restores_only_what_failed_before(source, output, invert):
    two = [Image.new("RGB", (9, 7), color) for color in ("teal", "navy")]
    two[0].save(source / "two.tiff", save_all=True, append_images=two[1:])
    lenient = ReadOptions(frames="first")
    first, second, third = (
        restore_folder(source, output, invert, reading=options) for options in (STRICT, lenient, STRICT)
    )
    assert [failure.path for failure in first.failures] == ["two.tiff"]
    assert (second.written, second.skipped, second.failures) == (1, 5, ())
    assert [(note.first, note.text) for note in second.notes] == [("two.tiff", "first of 2 frames or pages")]
    assert (third.written, third.skipped, len(third.failures)) == (0, 5, 1)
    records = Manifest(output).read()
    assert records["two.tiff"].reading == lenient
    assert records["two.tiff"].notes == ("first of 2 frames or pages",)
    assert records["cars/1.png"].reading == STRICT


def test_converted_colors_are_restored_again_and_compared_in_the_same_colors(source, output, invert):
    clean, first = "../clean/1.png", ReadOptions(frames="first")
    Manifest(source).append(
        Record("cars/1.png", "degrade", "cars", clean, clean, "0", reference_reading=first)
    )
    for options in (STRICT, ReadOptions(to_srgb=True), STRICT):
        assert restore_folder(source, output, invert, reading=options).written == 5
        record = Manifest(output).read()["cars/1.png"]
        assert record.reading == options
        assert record.reference_reading == ReadOptions(to_srgb=options.to_srgb, frames="first")
