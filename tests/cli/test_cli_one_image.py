"""One image in, one image out, as a person with one photograph types it."""

import numpy as np
import pytest
from PIL import Image

import restorecli


@pytest.fixture
def photo(shell, photos):
    """The shell in a folder with photo.png and photo.jpg."""
    with Image.open(photos / "indoors" / "0.png") as image:
        image.save(shell.folder / "photo.png")
        image.save(shell.folder / "photo.jpg", quality=90)
    return shell


def pixels(path) -> np.ndarray:
    """Return the samples of an image."""
    with Image.open(path) as image:
        return np.asarray(image)


def files(shell) -> set[str]:
    """Return the files that are not of the photographs' folder."""
    found = (path.relative_to(shell.folder) for path in shell.folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if path.parts[0] != "photos"}


@pytest.mark.parametrize(
    "words", ["-o better.png", "better.png", "-o new/folder/better.png", "-o better.tiff"]
)
def test_one_file_is_written_and_nothing_beside_it(photo, words) -> None:
    before = files(photo)
    answer = photo(f"restorecli restore photo.jpg {words} --model median")
    target = words.split()[-1]
    assert files(photo) - before == {target}
    assert f"1 written -> {target}" in answer.err
    with Image.open(photo.folder / target) as written, Image.open(photo.folder / "photo.jpg") as source:
        assert written.format == {"png": "PNG", "tiff": "TIFF"}[target.rpartition(".")[2]]
        restored = restorecli.restore_image(source, "median")
        assert np.array_equal(np.asarray(written), np.asarray(restored))


@pytest.mark.parametrize("output", ["out", "out/", "out.png/", "out.xyz", "there.png"])
def test_a_folder_is_written_where_a_folder_is_meant(photo, output) -> None:
    (photo.folder / "there.png").mkdir()
    photo(f"restorecli restore photo.png -o {output} --model median")
    folder = output.rstrip("/")
    assert {f"{folder}/photo.png", f"{folder}/manifest.jsonl"} <= files(photo)


def test_the_quality_is_that_of_the_file(photo) -> None:
    for quality in (10, 95):
        photo(f"restorecli restore photo.png q{quality}.jpg --model median --quality {quality}")
    photo("restorecli restore photo.png default.jpg --model median")
    sizes = {path.name: path.stat().st_size for path in photo.folder.glob("*.jpg")}
    assert sizes["q10.jpg"] < sizes["q95.jpg"] / 2
    assert sizes["default.jpg"] == sizes["q95.jpg"]
    photo("restorecli restore photo.png -o small --model median --quality 10 --format jpeg")
    assert (photo.folder / "small" / "photo.jpg").stat().st_size == sizes["q10.jpg"]
    again = photo("restorecli restore photo.png -o small --model median --quality 20 --format jpeg --json")
    assert again.data["written"] == 1


@pytest.mark.parametrize("line", ["restore {} --model median", "degrade {} --noise gaussian"])
def test_a_quality_that_the_format_does_not_have_is_told(photo, line) -> None:
    command = f"restorecli {line.format('photo.png')} --quality 10"
    for target, name in (("a.png", "PNG"), ("a.tif", "TIFF"), ("a.ppm", "PPM")):
        told = f"note: photo.png: {name} is lossless: the quality that was asked for changes nothing"
        assert told in photo(f"{command} -o {target}").err
    for target in ("a.jpg", "a.webp"):
        assert "lossless" not in photo(f"{command} -o {target}").err


def test_the_quality_of_a_degraded_stack_is_the_one_that_was_asked_for(photo) -> None:
    with Image.open(photo.folder / "photo.png") as image:
        image.save(photo.folder / "moving.webp", save_all=True, append_images=[image.rotate(90)])
    sizes = []
    for quality in (5, 95):
        line = f"restorecli degrade moving.webp -o q{quality}.webp --noise gaussian --frames all"
        photo(f"{line} --quality {quality}")
        sizes.append((photo.folder / f"q{quality}.webp").stat().st_size)
    assert sizes[0] < sizes[1] / 2


def test_a_quality_that_a_folder_of_png_does_not_have_is_told_once(photo) -> None:
    told = photo("restorecli restore photos -o out --model median --quality 10").err
    assert told.count("PNG is lossless") == 1


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("restore photo.png photo.png --overwrite", "is read"),
        ("restore photo.png link.png --overwrite", "is read"),
        ("restore photo.png taken.png", "--overwrite"),
        ("restore photos better.png", "a folder"),
        ("restore photo.png a.png -o b.png", "named twice"),
        ("restore photo.png better.png --format jpeg", "--format"),
        ("restore photo.png better.jpg --quality 0", "--quality"),
        ("restore photo.png better.png --strength 1.5", "--strength"),
        ("restore photo.png better.png --set median.size=4", "odd"),
        ("degrade photo.png photo.png --noise gaussian --overwrite", "is read"),
        ("degrade photo.png taken.png --noise gaussian", "--overwrite"),
        ("degrade -o better.png --noise gaussian", "a folder"),
        ("degrade photo.png better.png --noise gaussian --unclipped", "TIFF"),
        ("restore photo.png -o better.gif", "-o/--output better.png, or better.gif/ for a folder"),
        ("restore photo.png better.HEIC", "better.png"),
        ("restore photo.png -o better.pgn", "better.png"),
        ("restore photo.png -o better.jpgg", "better.jpg"),
        ("restore photo.png -o -", "pipe"),
        ("restore photo.png -o better.jp2 --dry-run", "better.png"),
        ("degrade photo.png better.gif --noise gaussian", "better.png"),
        ("restore photo.png taken.png", "a name for the result that is not taken"),
    ],
)
def test_inputs_and_earlier_files_stay_as_they_are(photo, line, told) -> None:
    (photo.folder / "link.png").symlink_to("photo.png")
    (photo.folder / "taken.png").write_bytes(b"somebody's")
    kept = {path: path.read_bytes() for path in photo.folder.rglob("*") if path.is_file()}
    model = " --model median" if line.startswith("restore") else ""
    assert told in photo(f"restorecli {line}{model}", code=2).err
    assert {path: path.read_bytes() for path in photo.folder.rglob("*") if path.is_file()} == kept


def test_the_names_that_a_shell_makes_of_a_pattern_lead_to_the_folder(photo) -> None:
    told = photo("restorecli restore photo.png photo.jpg photos/indoors/0.png -o out", code=2).err
    assert "Name one image, or the folder of several, such as ./" in " ".join(told.replace("│", " ").split())
    assert "folder" not in photo("restorecli restore photo.png a.png b.png", code=2).err


def test_a_file_where_the_folder_of_the_output_should_be_is_named(photo) -> None:
    told = photo("restorecli restore photo.png -o photo.png/better.png --model median --json", code=4).error
    assert told["file"] == "photo.png"
    assert (told["expected"], told["got"]) == ("a folder, or nothing yet", "a file")
    assert "-o/--output" in told["try"]


def test_an_original_that_a_manifest_names_is_not_written_over(photo) -> None:
    photo("restorecli degrade photo.png -o noisy --noise gaussian")
    answer = photo("restorecli restore noisy/photo.png photo.png --model median --overwrite", code=2)
    assert "unchanged: everything" in answer.err


def test_what_is_there_is_replaced_where_that_is_asked_for(photo) -> None:
    (photo.folder / "taken.png").write_bytes(b"somebody's")
    photo("restorecli restore photo.png taken.png --model median --overwrite")
    assert pixels(photo.folder / "taken.png").shape == (64, 72, 3)


def test_the_strength_mixes_input_and_output(photo) -> None:
    for name, strength in (("none", 0), ("half", 0.5), ("whole", 1)):
        photo(f"restorecli restore photo.png {name}.png --model median --strength {strength}")
        photo(f"restorecli restore photo.png -o {name} --model median --strength {strength}")
    read = {
        name: pixels(photo.folder / f"{name}.png").astype(float)
        for name in ("photo", "none", "half", "whole")
    }
    assert np.array_equal(read["none"], read["photo"])
    assert not np.array_equal(read["whole"], read["photo"])
    assert np.abs(read["half"] - (read["photo"] + read["whole"]) / 2).max() <= 0.5
    for name in ("none", "half", "whole"):
        assert np.array_equal(pixels(photo.folder / name / "photo.png"), read[name])


def test_another_strength_makes_an_image_of_a_folder_anew(photo) -> None:
    line = "restorecli restore photo.png -o out --model median --json"
    assert photo(line).data["written"] == 1
    assert photo(f"{line} --strength 0.5").data["written"] == 1
    assert photo(f"{line} --strength 0.5").data["skipped"] == 1
    assert photo(line).data["written"] == 1


def test_an_image_that_is_enlarged_is_not_mixed(photo) -> None:
    line = "restorecli restore photo.png big.png --model bicubic --set bicubic.factor=2"
    assert "enlarged" in photo(f"{line} --strength 0.5", code=2).err
    photo(line)
    assert pixels(photo.folder / "big.png").shape == (128, 144, 3)


def test_quiet_says_nothing_but_errors(photo) -> None:
    answer = photo("restorecli restore photo.png better.png --model median --quiet")
    assert (answer.out, answer.err) == ("", "")
    (photo.folder / "photos" / "bad.png").write_bytes(b"no image")
    answer = photo("restorecli restore photos -o out --model median -q", code=3)
    assert answer.err.startswith("failed: bad.png")
    assert photo("restorecli degrade photo.png noisy.png --noise gaussian --quiet").err == ""


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(photo) -> None:
    before = files(photo)
    answer = photo("restorecli restore photos --model median --dry-run")
    assert "4 images" in answer.err
    assert "with median -> restored" in answer.err
    assert "about" in answer.err
    plan = photo("restorecli restore photo.png better.png --model sca-unet --dry-run --json").data
    assert (plan["dry_run"], plan["model"], plan["pictures"]) == (True, "sca-unet.gaussian", 1)
    assert plan["megapixels"] == pytest.approx(64 * 72 / 1e6)
    assert plan["seconds"] is not None
    assert files(photo) == before


def test_what_tiles_cost_is_told_and_nothing_is_written(photo) -> None:
    """DnCNN of depth 20 sees 20 px to each side: what tiles share 40 px of is equal to the whole."""
    photo("restorecli degrade photo.png noisy.png --noise gaussian --sigma 50")
    before = files(photo)
    line = "restorecli restore noisy.png --model dncnn --precision fp32 --check-tiles --tile 56"
    answer = photo(line)
    assert "noisy.png: tiles of 56 px" in answer.err
    assert "Nothing was written" in answer.err
    check = photo(f"{line} --overlap 40 --json").data
    assert (check["tile"], check["overlap"], check["exact"]) == (56, 40, True)
    assert check["largest"] < 1e-4
    assert check["enough"] <= 40
    little = photo(f"{line.replace('56', '36')} --overlap 2 --json").data
    assert not little["exact"]
    assert little["psnr"] < 90
    assert little["largest"] > check["largest"]
    assert (
        "fits into one tile" in photo("restorecli restore photo.png --model dncnn --check-tiles", code=2).err
    )
    assert (
        "whole images"
        in photo("restorecli restore photo.png --model wiener-deconv --check-tiles", code=2).err
    )
    assert files(photo) == before


def test_a_dry_run_counts_what_is_finished_and_names_what_cannot_be_read(photo) -> None:
    photo("restorecli restore photos/indoors -o out --model median")
    (photo.folder / "photos" / "indoors" / "bad.png").write_bytes(b"no image")
    plan = photo("restorecli restore photos/indoors -o out --model median --dry-run --json").document
    assert (plan["data"]["pictures"], plan["data"]["finished"]) == (1, 2)
    assert "bad.png" in plan["notes"][0]
    assert plan["data"]["seconds"] is None
    everything = photo("restorecli restore photos/indoors -o out --model median --dry-run --overwrite --json")
    assert everything.data["seconds"] is not None  # timed by the first that can be read
    assert (
        "another model" in photo("restorecli restore photos/indoors -o out --model tv --dry-run", code=2).err
    )


def test_a_dry_run_of_auto_says_what_it_would_do(photo) -> None:
    photo("restorecli degrade photos -o noisy --noise gaussian --sigma 30")
    plan = photo("restorecli restore noisy --dry-run --json").data
    done = photo("restorecli restore noisy").err
    assert plan["model"] == "auto"
    assert plan["kinds"]
    assert all(kind in done for kind in plan["kinds"])


def test_a_mask_is_followed_in_a_dry_run(photo) -> None:
    Image.fromarray(np.eye(64, 72, dtype=np.uint8) * 255).save(photo.folder / "mask.png")
    line = "restorecli restore photo.png better.png --model inpaint-harmonic --mask mask.png --dry-run --json"
    assert photo(line).data["seconds"] is not None


def test_results_of_another_model_are_not_replaced_in_silence(photo) -> None:
    photo("restorecli restore photos -o out --model median")
    before = {path: path.read_bytes() for path in (photo.folder / "out").rglob("*.png")}
    answer = photo("restorecli restore photos -o out --model wiener", code=2)
    for part in ("4 images by median", "first indoors/0.png", "--overwrite", "-o/--output"):
        assert part in answer.err
    assert {path: path.read_bytes() for path in (photo.folder / "out").rglob("*.png")} == before
    answer = photo("restorecli restore photos -o out --model wiener --overwrite")
    assert "4 written" in answer.err
    assert "4 already there" in photo("restorecli restore photos -o out --model wiener").err


def test_one_image_is_degraded_as_in_a_folder(photo) -> None:
    before = files(photo)
    photo("restorecli degrade photo.png noisy.png --noise gaussian --sigma 30 --seed 4")
    assert files(photo) - before == {"noisy.png"}
    photo("restorecli degrade photo.png -o folder --noise gaussian --sigma 30 --seed 4")
    assert np.array_equal(
        pixels(photo.folder / "noisy.png"),
        pixels(photo.folder / "folder" / "photo.png"),
    )
    photo("restorecli degrade photo.png noisy.tif --noise gaussian --unclipped")
    assert "noisy.tif" in files(photo)


def test_an_image_that_cannot_be_read_is_the_error(photo) -> None:
    (photo.folder / "bad.png").write_bytes(b"no image")
    for command in ("restore bad.png out.png --model median", "degrade bad.png out.png --noise gaussian"):
        answer = photo(f"restorecli {command} --json", code=3)
        assert answer.error["file"] == "bad.png"
    assert "no such file" in photo("restorecli restore nowhere.png out.png --model median", code=4).err
    assert not (photo.folder / "out.png").exists()


def test_what_the_manifest_knows_is_used_for_one_image_too(photo) -> None:
    photo("restorecli degrade photo.png -o blurred --noise blur --sigma 1.5")
    photo("restorecli restore blurred/photo.png sharp.png --model wiener-deconv")
    photo("restorecli restore blurred -o folder --model wiener-deconv")
    assert np.array_equal(
        pixels(photo.folder / "sharp.png"),
        pixels(photo.folder / "folder" / "photo.png"),
    )
