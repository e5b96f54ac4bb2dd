"""The folder job: same bytes for any workers, subset or re-run; replay; nothing of the user's is touched."""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.folder import degrade_folder, replay
from restorecli.degradation.values import MAX_ABS_VALUE
from restorecli.errors import BusyError, DataError, ImageError, RestorecliError, UsageError
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import Manifest, open_locator
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.options import STRICT, ReadOptions
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

CHAIN = Chain.from_specs(
    [{"name": "blur", "sigma": "0.5..2", "probability": 0.7}, {"name": "gaussian", "sigma": "0..55"}]
)


def write(path, channels=3, height=20, width=30, seed=0, **traits):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).random((channels, height, width), dtype=np.float32)
    write_image(path, ImageData(pixels, FileTraits(**traits)))


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    write(folder / "top.png", seed=1)
    write(folder / "cats/a.png", seed=2)
    write(folder / "cats/deep/b.tiff", seed=3, depth=16)
    write(folder / "dogs/c.jpg", seed=4)
    write(folder / "dogs/gray.png", 1, seed=5)
    return folder


def digests(folder):
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_any_number_of_workers_gives_the_same_bytes_and_manifest(photos, tmp_path) -> None:
    for workers in (1, 2, 7):
        summary = degrade_folder(photos, tmp_path / str(workers), CHAIN, seed=5, workers=workers)
        assert (summary.written, summary.skipped, summary.failures) == (5, 0, ())
    assert digests(tmp_path / "1") == digests(tmp_path / "2") == digests(tmp_path / "7")


def test_a_subset_gives_the_same_bytes(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "all", CHAIN)
    for path in ("top.png", "dogs/c.jpg"):
        (photos / path).unlink()
    degrade_folder(photos, tmp_path / "some", CHAIN)
    whole, part = digests(tmp_path / "all"), digests(tmp_path / "some")
    del part["manifest.jsonl"]
    assert len(part) == 3
    assert part.items() <= whole.items()


def test_another_seed_gives_other_bytes(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "0", CHAIN, seed=0)
    degrade_folder(photos, tmp_path / "1", CHAIN, seed=1)
    assert digests(tmp_path / "0")["top.png"] != digests(tmp_path / "1")["top.png"]


def test_the_folder_job_is_the_function_that_training_uses(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "out", CHAIN, seed=9)
    image = read_image(photos / "cats/a.png").pixels
    degraded, steps = degrade_array(image, CHAIN, 9, "cats/a.png")
    written = read_image(tmp_path / "out/cats/a.png").pixels
    expected = np.floor(np.clip(degraded, 0, 1) * 255 + np.float32(0.5)) / np.float32(255)
    np.testing.assert_array_equal(written, expected)
    record = Manifest(tmp_path / "out").read()["cats/a.png"]
    assert record.degradations == tuple(step.record() for step in steps)


def test_the_manifest_links_every_image_to_its_source(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "out", CHAIN, seed=3)
    records = Manifest(tmp_path / "out").read()
    assert set(records) == {"cats/a.png", "cats/deep/b.tiff", "dogs/c.png", "dogs/gray.png", "top.png"}
    record = records["dogs/c.png"]
    assert (record.command, record.category, record.seed, record.key) == ("degrade", "dogs", 3, "dogs/c.jpg")
    assert record.reference == record.source == "../photos/dogs/c.jpg"
    assert records["top.png"].category == "all"
    reference = open_locator(record.reference, tmp_path / "out")
    np.testing.assert_array_equal(reference.pixels, read_image(photos / "dogs/c.jpg").pixels)


def test_depth_gray_and_alpha_are_kept(photos, tmp_path) -> None:
    alpha = np.arange(600, dtype=np.uint8).reshape(20, 30)
    write(photos / "alpha.png", alpha=alpha)
    degrade_folder(photos, tmp_path / "out", CHAIN)
    assert read_image(tmp_path / "out/cats/deep/b.tiff").traits.depth == 16
    assert read_image(tmp_path / "out/dogs/gray.png").channels == 1
    np.testing.assert_array_equal(read_image(tmp_path / "out/alpha.png").traits.alpha, alpha)


def test_alpha_shrinks_with_the_image(tmp_path) -> None:
    write(tmp_path / "in/a.png", 3, 21, 30, alpha=np.full((21, 30), 200, np.uint8))
    degrade_folder(tmp_path / "in", tmp_path / "out", Chain.from_specs(["gaussian", "downscale"]))
    image = read_image(tmp_path / "out/a.png")
    assert image.size == (10, 15)
    np.testing.assert_array_equal(image.traits.alpha, np.full((10, 15), 200, np.uint8))


def test_unclipped_noise_keeps_its_psnr_in_float_tiff(tmp_path) -> None:
    flat = np.zeros((3, 128, 128), np.float32)
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in/black.png", ImageData(flat))
    chain = Chain.from_specs([{"name": "gaussian", "sigma": 25}])
    degrade_folder(tmp_path / "in", tmp_path / "out", chain, unclipped=True)
    image = read_image(tmp_path / "out/black.tiff")
    assert image.traits.depth == 32
    assert image.pixels.min() < 0
    assert -10 * np.log10(np.mean(image.pixels.astype(np.float64) ** 2)) == pytest.approx(20.17, abs=0.1)
    np.testing.assert_array_equal(image.pixels, degrade_array(flat, chain, 0, "black.png")[0])
    assert Manifest(tmp_path / "out").read()["black.tiff"].unclipped


def test_a_float_source_is_clipped_unless_unclipped(tmp_path) -> None:
    write(tmp_path / "in/a.tiff", depth=32)
    degrade_folder(tmp_path / "in", tmp_path / "out", CHAIN)
    pixels = read_image(tmp_path / "out/a.tiff").pixels
    assert pixels.min() >= 0
    assert pixels.max() <= 1


def test_a_float_source_outside_the_range_is_clipped_with_a_note(tmp_path) -> None:
    pixels = np.linspace(-1, 255, 600, dtype=np.float32).reshape(1, 20, 30)
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in/a.tiff", ImageData(pixels, FileTraits(depth=32)))
    nothing = Chain.from_specs([{"name": "gaussian", "sigma": 0}])
    (note,) = degrade_folder(tmp_path / "in", tmp_path / "out", nothing).notes
    assert "outside 0 to 1" in note.text
    assert degrade_folder(tmp_path / "in", tmp_path / "kept", nothing, unclipped=True).notes == ()
    np.testing.assert_array_equal(read_image(tmp_path / "kept/a.tiff").pixels, pixels)


@pytest.mark.parametrize("name", DEGRADATIONS)
@pytest.mark.parametrize("peak", [MAX_ABS_VALUE, 3.4028235e38])
def test_an_image_beyond_all_light_costs_itself_at_most(tmp_path, name, peak) -> None:
    write(tmp_path / "in/z.png", height=40, width=40)
    for file, value in (("a", peak), ("b", -peak)):
        pixels = np.full((1, 40, 40), 0.5, np.float32)
        pixels[0, 5:9, 3:20] = value
        write_image(tmp_path / f"in/{file}.tiff", ImageData(pixels, FileTraits(depth=32)))
    done = degrade_folder(
        tmp_path / "in", tmp_path / "out", Chain.from_specs([{"name": name, "severity": 5}])
    )
    assert (tmp_path / "out/z.png").is_file()
    assert all(isinstance(failure.error, ImageError) for failure in done.failures)
    assert len(done.failures) == (0 if peak == MAX_ABS_VALUE else 2)


def test_a_changed_source_is_degraded_again_and_not_replayed(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "out", CHAIN)
    write(photos / "top.png", seed=77)
    replayed = replay(tmp_path / "out", tmp_path / "again")
    assert [failure.path for failure in replayed.failures] == ["top.png"]
    assert "changed" in str(replayed.failures[0].error)
    summary = degrade_folder(photos, tmp_path / "out", CHAIN)
    assert (summary.written, summary.skipped) == (1, 4)
    assert not replay(tmp_path / "out", tmp_path / "again").failures


def test_replay_in_another_format_keeps_all_of_one_stem(tmp_path) -> None:
    for name in ("a.png", "a.tiff", "a.bmp", "b.png"):
        write(tmp_path / "in" / name, seed=len(name))
    degrade_folder(tmp_path / "in", tmp_path / "one", CHAIN)
    assert replay(tmp_path / "one", tmp_path / "two", image_format="png").written == 4
    assert {path.name for path in (tmp_path / "two").glob("*.png")} == {
        "a.png",
        "a.tiff.png",
        "a.bmp.png",
        "b.png",
    }


def test_an_impossible_name_costs_one_image(tmp_path) -> None:
    write(tmp_path / "in/a.png")
    write(tmp_path / "in" / f"{'x' * 251}.png")
    summary = degrade_folder(tmp_path / "in", tmp_path / "out", CHAIN, unclipped=True)
    assert (summary.written, len(summary.failures)) == (1, 1)
    assert isinstance(summary.failures[0].error, ImageError)


def test_replay_makes_the_same_bytes_and_can_be_replayed(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "one", CHAIN, seed=11)
    replay(tmp_path / "one", tmp_path / "two", workers=1)
    replay(tmp_path / "two/manifest.jsonl", tmp_path / "three", workers=3)
    assert digests(tmp_path / "one") == digests(tmp_path / "two") == digests(tmp_path / "three")


def test_replay_of_unclipped_samples_and_another_format(tmp_path) -> None:
    chain = Chain.from_specs([{"name": "poisson", "peak": "3..60"}])
    degrade_folder(None, tmp_path / "one", chain, unclipped=True)
    replay(tmp_path / "one", tmp_path / "two")
    assert digests(tmp_path / "one") == digests(tmp_path / "two")
    write(tmp_path / "in/a.png")
    degrade_folder(tmp_path / "in", tmp_path / "png", CHAIN)
    replay(tmp_path / "png", tmp_path / "bmp", image_format="bmp")
    first, second = (read_image(tmp_path / path).pixels for path in ("png/a.png", "bmp/a.bmp"))
    np.testing.assert_array_equal(first, second)


def test_samples_have_categories_and_locators(tmp_path) -> None:
    summary = degrade_folder(None, tmp_path / "out", Chain.from_specs(["gaussian"]))
    records = Manifest(tmp_path / "out").read()
    assert summary.written == len(records) > 10
    assert {"photographs", "textures", "documents"} <= {record.category for record in records.values()}
    assert all(record.reference.startswith("sample:") for record in records.values())


def test_a_second_run_skips_what_is_finished_and_only_that(photos, tmp_path) -> None:
    output = tmp_path / "out"
    degrade_folder(photos, output, CHAIN)
    before = digests(output)
    assert degrade_folder(photos, output, CHAIN).skipped == 5
    assert digests(output) == before
    (output / "top.png").unlink()
    assert degrade_folder(photos, output, CHAIN).written == 1
    summary = degrade_folder(photos, output, CHAIN, seed=1)
    assert (summary.written, summary.skipped) == (5, 0)
    assert degrade_folder(photos, output, CHAIN, seed=1, overwrite=True).written == 5
    after = digests(output)
    del before["manifest.jsonl"], after["manifest.jsonl"]
    assert all(after[name] != digest for name, digest in before.items())


def test_an_image_without_a_line_is_made_again(photos, tmp_path) -> None:
    """A sudden end between the image and its line costs one image."""
    output = tmp_path / "out"
    degrade_folder(photos, output, CHAIN)
    lines = (output / "manifest.jsonl").read_text().splitlines(keepends=True)
    (output / "manifest.jsonl").write_text("".join(lines[:-1]) + lines[-1][:20])
    assert degrade_folder(photos, output, CHAIN).written == 1
    assert (output / "manifest.jsonl").read_text() == "".join(lines)


def test_one_bad_file_costs_one_file(photos, tmp_path) -> None:
    (photos / "cats/bad.png").write_bytes(b"no image")
    (photos / "zero.png").write_bytes(b"")

    class Told:
        started, done, failed, finished = 0, 0, [], 0

        def start(self, total, what):
            self.started = total

        def advance(self, done, failure=None):
            self.done += 1
            if failure is not None:
                assert isinstance(failure, RestorecliError)
                self.failed.append(done)

        def finish(self):
            self.finished += 1

    told = Told()
    summary = degrade_folder(photos, tmp_path / "out", CHAIN, progress=told)
    assert summary.written == 5
    assert [failure.path for failure in summary.failures] == ["cats/bad.png", "zero.png"]
    assert (told.started, told.done, told.failed, told.finished) == (7, 7, ["cats/bad.png", "zero.png"], 1)


def test_an_image_that_is_too_small_costs_itself(photos, tmp_path) -> None:
    write(photos / "small.png", 3, 2, 2)
    chain = Chain.from_specs([{"name": "downscale", "factor": 4}])
    summary = degrade_folder(photos, tmp_path / "out", chain)
    assert summary.written == 5
    assert "too small" in summary.failures[0].error.problem


def test_names_that_would_clash_are_both_kept(photos, tmp_path) -> None:
    write(photos / "dogs/c.png", seed=9)
    assert degrade_folder(photos, tmp_path / "out", CHAIN).written == 6
    assert {"dogs/c.png", "dogs/c.jpg.png"} <= set(Manifest(tmp_path / "out").read())


def test_sources_and_strangers_are_never_overwritten(photos, tmp_path) -> None:
    before = digests(photos)
    with pytest.raises(UsageError, match="source"):
        degrade_folder(photos, photos, CHAIN)
    with pytest.raises(UsageError, match="source"):
        degrade_folder(photos / "top.png", photos, CHAIN)
    write(tmp_path / "mine/top.png")
    mine = digests(tmp_path / "mine")
    with pytest.raises(UsageError, match="did not write"):
        degrade_folder(photos, tmp_path / "mine", CHAIN)
    assert {name: digests(tmp_path / "mine")[name] for name in mine} == mine
    assert degrade_folder(photos, tmp_path / "mine", CHAIN, overwrite=True).written == 5
    assert digests(photos) == before


def test_restored_images_are_never_overwritten(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "out", CHAIN)
    manifest = Manifest(tmp_path / "out")
    manifest.append(replace(manifest.read()["top.png"], command="restore"))
    with pytest.raises(UsageError, match="did not write"):
        degrade_folder(photos, tmp_path / "out", CHAIN)


def test_an_output_inside_the_source_is_not_degraded_again(photos) -> None:
    for _ in range(2):
        summary = degrade_folder(photos, photos / "degraded", CHAIN)
        assert summary.written + summary.skipped == 5


def test_degrading_a_degraded_folder_carries_the_reference_on(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "one", CHAIN)
    degrade_folder(tmp_path / "one", tmp_path / "two", Chain.from_specs(["jpeg"]))
    record = Manifest(tmp_path / "two").read()["dogs/c.png"]
    assert record.source == "../one/dogs/c.png"
    assert record.reference == "../photos/dogs/c.jpg"
    assert record.category == "dogs"
    first = Manifest(tmp_path / "one").read()["dogs/c.png"]
    assert record.earlier == first.degradations
    assert [step["name"] for step in record.history][-1] == "jpeg"
    assert len(record.history) == len(first.degradations) + 1
    assert replay(tmp_path / "two", tmp_path / "three").written == 5
    assert Manifest(tmp_path / "three").read()["dogs/c.png"].history == record.history


def test_an_mvtec_tree_gives_category_and_defect(tmp_path) -> None:
    write(tmp_path / "in/bottle/test/crack/x.png")
    write(tmp_path / "in/bottle/ground_truth/crack/x_mask.png", 1)
    degrade_folder(tmp_path / "in", tmp_path / "out", CHAIN)
    (record,) = Manifest(tmp_path / "out").read().values()
    assert (record.category, record.defect) == ("bottle", "crack")


def test_nothing_to_do_is_said(tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no image"):
        degrade_folder(tmp_path / "empty", tmp_path / "out", CHAIN)
    with pytest.raises(DataError):
        degrade_folder(tmp_path / "none", tmp_path / "out", CHAIN)
    with pytest.raises(DataError, match="nothing to replay"):
        replay(tmp_path / "empty", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_unclipped_needs_tiff(photos, tmp_path) -> None:
    with pytest.raises(UsageError, match="TIFF"):
        degrade_folder(photos, tmp_path / "out", CHAIN, unclipped=True, image_format="png")


def test_one_run_at_a_time(photos, tmp_path) -> None:
    (tmp_path / "out").mkdir()
    with output_lock(tmp_path / "out"), pytest.raises(BusyError):
        degrade_folder(photos, tmp_path / "out", CHAIN)


def test_a_manifest_that_names_an_unknown_step_is_refused(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "one", CHAIN)
    file = tmp_path / "one/manifest.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[0]["degradations"][0]["name"] = "rain"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(RestorecliError, match="rain"):
        replay(tmp_path / "one", tmp_path / "two")
    assert not (tmp_path / "two").exists()


def test_the_tree_can_be_moved_and_replayed(photos, tmp_path) -> None:
    degrade_folder(photos, tmp_path / "one", CHAIN)
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    photos.rename(moved / "photos")
    Path(tmp_path / "one").rename(moved / "one")
    replay(moved / "one", moved / "two")
    assert digests(moved / "one") == digests(moved / "two")


@pytest.mark.data
def test_real_images_at_sigma_25_have_20_17_db(data_folder, tmp_path) -> None:
    chain = Chain.from_specs([{"name": "gaussian", "sigma": 25}])
    source = data_folder / "cbsd68"
    degrade_folder(source, tmp_path / "out", chain, unclipped=True)
    values = []
    for path, record in Manifest(tmp_path / "out").read().items():
        degraded = read_image(tmp_path / "out" / path).pixels.astype(np.float64)
        reference = open_locator(record.reference, tmp_path / "out").pixels
        values.append(-10 * np.log10(np.mean((degraded - reference) ** 2)))
    assert len(values) == 68
    assert np.mean(values) == pytest.approx(20.17, abs=0.01)


UNUSUAL = ReadOptions(allow_truncated=True, to_srgb=True, frames="first")


@pytest.fixture
def unusual(tmp_path):
    """A folder with a CMYK image, one of two frames, one that is cut short, and a plain one."""
    folder = tmp_path / "unusual"
    write(folder / "plain.png", seed=1)
    write(folder / "cut.png", seed=2)
    (folder / "cut.png").write_bytes((folder / "cut.png").read_bytes()[:-40])
    pages = [Image.new("RGB", (30, 20), color) for color in ("teal", "navy")]
    pages[0].save(folder / "pages.tiff", save_all=True, append_images=pages[1:])
    pages[0].convert("CMYK").save(folder / "print.jpg")
    return folder


def test_unusual_files_are_read_on_request_only_and_the_manifest_says_how(unusual, tmp_path) -> None:
    out = tmp_path / "out"
    strict = degrade_folder(unusual, out, CHAIN)
    assert [failure.path for failure in strict.failures] == ["cut.png", "pages.tiff", "print.jpg"]
    summary = degrade_folder(unusual, out, CHAIN, reading=UNUSUAL)
    assert (summary.written, summary.failures) == (4, ())  # the plain one too: it might hold a profile
    told = {note.first: note.text for note in summary.notes}
    assert told["cut.png"].startswith("damaged file, read as far as possible")
    assert told["pages.tiff"] == "first of 2 frames or pages"
    assert "CMYK" in told["print.jpg"]
    for name, record in Manifest(out).read().items():
        assert record.reading == record.reference_reading == UNUSUAL
        assert record.notes == ((told[record.key],) if record.key in told else ()), name


def test_leniency_makes_only_what_failed_before(unusual, tmp_path) -> None:
    lenient = ReadOptions(allow_truncated=True, frames="first")
    counts = [
        (summary.written, summary.skipped, len(summary.failures))
        for options in (STRICT, lenient, lenient, STRICT)
        for summary in [degrade_folder(unusual, tmp_path / "out", CHAIN, reading=options)]
    ]
    assert counts == [(1, 0, 3), (2, 1, 1), (0, 3, 1), (0, 1, 3)]


def test_a_replay_reads_as_the_manifest_says(unusual, tmp_path) -> None:
    degrade_folder(unusual, tmp_path / "a", CHAIN, reading=UNUSUAL)
    assert replay(tmp_path / "a", tmp_path / "b").failures == ()
    assert digests(tmp_path / "a") == digests(tmp_path / "b")


def test_a_degraded_source_keeps_the_reading_of_its_reference(unusual, tmp_path) -> None:
    degrade_folder(unusual, tmp_path / "a", CHAIN, reading=ReadOptions(frames="first"))
    degrade_folder(tmp_path / "a", tmp_path / "b", CHAIN)
    degrade_folder(tmp_path / "a", tmp_path / "c", CHAIN, reading=ReadOptions(to_srgb=True))
    plain, converted = (Manifest(tmp_path / name).read()["pages.tiff"] for name in ("b", "c"))
    assert (plain.reading, plain.reference_reading) == (STRICT, ReadOptions(frames="first"))
    assert converted.reading == ReadOptions(to_srgb=True)
    assert converted.reference_reading == ReadOptions(to_srgb=True, frames="first")
