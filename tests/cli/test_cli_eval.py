"""`eval` through its options."""

import csv
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from restorecli.cli import render
from restorecli.cli.support import scores
from restorecli.evaluation.tables.saved import evaluation_from


@pytest.fixture
def chain(shell, photos):
    """A shell with ./photos, ./degraded, and ./better as if it had been restored."""
    shell("restorecli degrade ./photos --noise gaussian --sigma 40")
    shell("restorecli degrade ./photos -o better --noise gaussian --sigma 10")
    (shell.folder / "better" / "manifest.jsonl").unlink()
    return shell


def test_degraded_alone_is_scored(chain) -> None:
    document = chain("restorecli eval --json").data
    assert document["protocol"].startswith("RGB, no border crop")
    assert set(document["categories"]) == {"indoors", "outdoors"}
    for group in (document["overall"], *document["categories"].values()):
        assert group["n"] in (2, 4)
        assert 15 < group["degraded"]["psnr"] < 18
        assert 0 < group["degraded"]["ssim"] < 1
        assert "restored" not in group
    assert len(document["images"]) == 4
    assert document["unmatched"] == []


def test_three_folders_are_compared(chain) -> None:
    document = chain("restorecli eval ./better ./photos --degraded ./degraded --json").data
    assert document["overall"]["restored"]["psnr"] > 27
    assert document["overall"]["gain"]["psnr"] > 10


def test_the_table_is_by_category_or_of_everything(chain) -> None:
    by_category = chain("restorecli eval --by-category").out
    everything = chain("restorecli eval").out
    assert "indoors" in by_category
    assert "outdoors" in by_category
    assert "indoors" not in everything
    assert everything.splitlines()[-1].split() == by_category.splitlines()[-1].split()


def test_data_goes_to_stdout_and_words_to_stderr(chain) -> None:
    answer = chain("restorecli eval --by-category")
    assert "SSIM 11x11 Gaussian" in answer.err
    assert "SSIM 11x11 Gaussian" not in answer.out
    assert "PSNR" in answer.out


def test_files_are_written(chain) -> None:
    chain("restorecli eval --csv out/scores.csv --markdown out/scores.md")
    with (chain.folder / "out" / "scores.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["path"] for row in rows] == [
        "indoors/0.png",
        "indoors/2.png",
        "outdoors/1.png",
        "outdoors/3.png",
    ]
    assert all(15 < float(row["degraded_psnr"]) < 18 for row in rows)
    assert "| indoors" in (chain.folder / "out" / "scores.md").read_text()


@pytest.mark.parametrize(("least", "code"), [("10", 0), ("40", 9)])
def test_the_quality_gate(chain, least, code) -> None:
    answer = chain(f"restorecli eval --min-psnr {least} --json", code=code)
    assert answer.data["overall"]["n"] == 4
    assert [error["kind"] for error in answer.document["errors"]] == ["GateError"] * (code == 9)
    assert ("below the gate" in answer.err) == (code == 9)


def test_identical_images_are_infinite_and_pass_any_gate(chain) -> None:
    shutil.copytree(chain.folder / "photos", chain.folder / "same")
    document = chain("restorecli eval ./same ./photos --min-psnr 90 --json").data
    assert document["overall"]["restored"]["psnr"] == "inf"


def test_what_finds_no_mate_is_listed(chain) -> None:
    (chain.folder / "photos" / "indoors" / "0.png").unlink()
    answer = chain("restorecli eval ./better ./photos --json", code=3)
    document = answer.data
    assert document["overall"]["n"] == 3
    assert "indoors/0.png" in json.dumps(document["unmatched"])
    assert "indoors/0.png" in answer.err


def test_nothing_to_evaluate_is_told(shell) -> None:
    assert "restorecli eval RESTORED REFERENCE" in shell("restorecli eval", code=4).err


def test_any_number_of_workers_gives_the_same_table(chain) -> None:
    assert chain("restorecli eval --json --workers 1").out == chain("restorecli eval --json --workers 3").out


def test_groups_by_what_the_manifest_says(chain) -> None:
    document = chain("restorecli eval --by sigma,category --json").data
    assert document["by"] == ["sigma", "category"]
    assert list(document["groups"]) == ["40/indoors", "40/outdoors"]
    assert chain("restorecli eval --by sigma,category").out.splitlines()[2].split()[:3] == [
        "40",
        "indoors",
        "2",
    ]
    answer = chain("restorecli eval --by sigmo", code=2)
    assert "gaussian.sigma" in answer.err
    assert "did you mean 'sigma'?" in answer.err


def test_metrics_are_chosen_listed_and_misspelled(chain) -> None:
    document = chain("restorecli eval --metrics ssim,mse --json").data
    assert document["metrics"] == ["ssim", "mse"]
    assert "psnr" not in document["overall"]["degraded"]
    listed = chain("restorecli eval --list-metrics --json").data
    assert {entry["name"] for entry in listed if entry["default"]} == {"psnr", "ssim"}
    assert "Wang et al." in chain("restorecli eval --list-metrics").out
    assert "'ssim'" in chain("restorecli eval --metrics sim", code=2).err


def test_all_metrics_are_those_that_can_be_measured_here(chain) -> None:
    found = chain("restorecli eval --metrics all --json").data["metrics"]
    assert {"psnr", "ssim", "gmsd", "ciede2000"} <= set(found)
    assert not {"lpips", "psnr-inside", "consistency"} & set(found)


def test_a_protocol_is_named_in_the_output(chain) -> None:
    first, second = (chain(f"restorecli eval --json{words}").data for words in ("", " --protocol y-matlab"))
    assert first["overall"]["degraded"]["psnr"] < second["overall"]["degraded"]["psnr"]
    assert "MATLAB" in second["protocol"]
    assert "y-matlab" in chain("restorecli eval --protocol y-matlb", code=2).err


def test_explain_shows_one_pair_under_every_protocol(chain) -> None:
    for words in ("", " ./degraded", " ./degraded/indoors/0.png ./photos/indoors/0.png"):
        document = chain(f"restorecli eval{words} --explain --json").data
        assert {"rgb", "y-matlab", "piq"} <= {row["protocol"] for row in document["protocols"]}
        assert document["restored"].endswith("indoors/0.png")
    assert "kair" in chain("restorecli eval --explain").out


def test_methods_are_compared_image_by_image(chain) -> None:
    line = "restorecli eval ./better ./photos --against noisy=./degraded --against ./photos --by-category"
    answer = chain(f"{line} --latex out/t.tex --markdown out/t.md --metrics psnr")
    assert "undecided (few)" in answer.out
    assert "Holm's method over the whole family of" in " ".join(answer.err.split())
    latex = (chain.folder / "out" / "t.tex").read_text()
    assert "better & noisy & photos" in latex
    assert latex.count(r"\textbf{$\infty$}") == 3
    document = chain(f"{line} --json").data["comparison"]
    assert document["rivals"] == ["noisy", "photos"]
    whole = [entry for entry in document["differences"] if entry["group"] == "overall"]
    assert {(entry["rival"], entry["metric"]) for entry in whole} == {
        ("noisy", "psnr"), ("noisy", "ssim"), ("photos", "psnr"), ("photos", "ssim"),
    }  # fmt: skip
    assert next(entry for entry in whole if entry["rival"] == "noisy")["difference"] > 10


def test_what_is_missing_on_one_side_is_listed(chain) -> None:
    (chain.folder / "better" / "indoors" / "0.png").unlink()
    answer = chain("restorecli eval ./degraded --against better=./better --json", code=3)
    assert [entry["path"] for entry in answer.data["comparison"]["missing"]] == ["indoors/0.png"]
    assert "not compared: better: indoors/0.png" in answer.err


@pytest.mark.parametrize("words", ["=x", "degraded=./better", "a=", "a=./better --against a=./photos"])
def test_a_method_needs_a_name_of_its_own(chain, words) -> None:
    assert "NAME=DIR" in chain(f"restorecli eval ./degraded --against {words}", code=2).err


def test_a_baseline_is_a_gate(chain) -> None:
    chain("restorecli eval ./better ./photos --metrics psnr,mse --json > base.json")
    same = chain("restorecli eval ./better ./photos --baseline base.json --json")
    assert same.data["metrics"] == ["psnr", "mse"]
    worse = chain("restorecli eval ./degraded ./photos --baseline base.json --json", code=9)
    assert "category indoors: MSE" in worse.error["got"]
    assert "fell behind the baseline" in worse.err
    chain("restorecli eval ./degraded ./photos --baseline base.json --tolerance 1e9")
    (chain.folder / "better" / "indoors" / "0.png").unlink()
    lost = chain("restorecli eval ./better ./photos --baseline base.json", code=9)
    assert "indoors/0.png is missing" in lost.err


def test_a_baseline_that_cannot_be_compared_is_refused_at_once(chain) -> None:
    chain("restorecli eval --json > base.json")
    assert "protocol" in chain("restorecli eval --baseline base.json --protocol y-yiq", code=2).err
    assert "saved scores" in chain("restorecli eval --baseline degraded/manifest.jsonl", code=4).err
    assert "--baseline" in chain("restorecli eval --tolerance 1", code=2).err


def test_pages_and_groups_are_written(chain) -> None:
    chain("restorecli eval --report out/report.html --csv out/scores.csv -o out/folder")
    assert "<html" in (chain.folder / "out" / "report.html").read_text()
    assert (chain.folder / "out" / "folder" / "index.html").is_file()
    with (chain.folder / "out" / "scores.groups.csv").open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [row["category"] for row in rows] == ["indoors", "outdoors", "overall"]


@pytest.mark.parametrize("columns", [80, 150])
def test_tables_fit_the_terminal(chain, monkeypatch, columns) -> None:
    document = chain("restorecli eval ./better ./photos --degraded ./degraded --json").data
    monkeypatch.setattr(render, "_PAGE", columns)
    shown = []
    monkeypatch.setattr(render, "table", lambda headers, rows: shown.append((headers, rows)))
    scores.show(evaluation_from(document), by_group=True)
    assert all(render.fits(headers, rows) for headers, rows in shown)
    assert any("gain 95%" in header for header in shown[0][0]) == (columns == 150)


@pytest.mark.parametrize(
    "words",
    [
        "--csv photos/indoors/0.png",
        "--csv manifest.jsonl",
        "--markdown link.md",
        "--report link.html",
        "--csv same.txt --latex same.txt",
        "--baseline scores.json --markdown scores.json",
        "--against other=better -o .",
        "-o .",
    ],
)
def test_what_was_read_is_never_written_over(chain, words) -> None:
    chain("restorecli eval --json > scores.json")
    shutil.copytree(chain.folder / "degraded", chain.folder / "pictures")
    for suffix in (".md", ".html"):
        (chain.folder / f"link{suffix}").symlink_to("pictures/indoors/0.png")
    kept = {path: path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()}
    answer = chain(f"restorecli eval ./pictures ./photos {words}", code=2)
    assert "unchanged: everything" in answer.err
    assert {path: path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()} == kept


@pytest.mark.parametrize("case", ["no match", "unreadable", "no mask"])
def test_what_was_listed_but_not_scored_is_never_written_over(chain, case) -> None:
    photos = chain.folder / "photos"
    words = "./better ./photos -o photos"
    if case == "no mask":
        shutil.move(chain.folder / "photos", chain.folder / "clean")
        shutil.copytree(chain.folder / "clean" / "indoors", photos / "indoors")
        words = "./better ./clean --masks photos --metrics psnr,psnr-inside -o photos"
    shutil.copytree(photos / "indoors", photos / "pictures" / "indoors")
    if case == "unreadable":
        chain("restorecli degrade ./photos -o noisy --noise gaussian")
        (chain.folder / "noisy" / "pictures" / "indoors" / "0.png").write_bytes(b"no image")
        (chain.folder / "noisy" / "pictures" / "indoors" / "2.png").write_bytes(b"no image")
        words = "./noisy -o photos"
    kept = {path: path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()}
    answer = chain(f"restorecli eval {words}", code=2)
    assert "unchanged: everything" in answer.err
    assert {path: path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()} == kept


@pytest.mark.parametrize("words", ["./better ./photos", "./degraded --against other=better"])
def test_earlier_strips_are_written_again_in_a_folder_that_is_read(chain, words) -> None:
    chain(f"restorecli eval {words} -o better")
    strip = chain.folder / "better" / "pictures" / "indoors" / "0.png"
    strip.write_bytes(b"of an earlier run")
    answer = chain(f"restorecli eval {words} -o better")
    assert "wrote better/index.html" in answer.err
    assert strip.read_bytes() != b"of an earlier run"


def test_gray_images_in_webp_are_scored_as_gray(shell) -> None:
    gray = np.random.default_rng(0).integers(0, 255, (40, 50), dtype=np.uint8)
    (shell.folder / "gray").mkdir()
    Image.fromarray(gray).save(shell.folder / "gray" / "a.png")
    shell("restorecli degrade ./gray --noise gaussian --sigma 5 --format webp")
    document = shell("restorecli eval --json").data
    assert document["overall"]["n"] == 1
    assert document["overall"]["degraded"]["psnr"] > 20
    assert document["notes"] == ["RGB without color scored as gray in 1 of 1 pairs"]


def test_colors_against_gray_are_no_matter_of_size(chain) -> None:
    for path in (chain.folder / "photos").rglob("*.png"):
        Image.open(path).convert("L").save(path)
    answer = chain("restorecli eval ./better ./photos", code=4)
    assert "different channels" in answer.err
    assert "different sizes" not in answer.err
    assert "make both gray or both RGB" in answer.err


def test_a_degraded_folder_says_why_a_metric_is_missing(chain) -> None:
    chain("restorecli degrade ./degraded -o twice --noise jpeg")
    answer = chain("restorecli eval ./twice --metrics consistency,psnr")
    assert "4 of 4 images have no consistency" in answer.err.casefold()


def test_what_was_done_before_is_told(chain) -> None:
    chain("restorecli degrade ./degraded -o twice --noise jpeg")
    document = chain("restorecli eval ./twice --by degradation --json").data
    assert list(document["groups"]) == ["gaussian+jpeg"]


def test_open_shows_the_page_that_was_written(chain, monkeypatch) -> None:
    opened = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    chain("restorecli eval --report out/page.html --open")
    assert opened == [(chain.folder / "out" / "page.html").resolve().as_uri()]
    assert "no page to open" in chain("restorecli eval --open", code=2).err
    assert len(opened) == 1


def test_scores_of_earlier_versions_are_read_as_well(chain) -> None:
    document = chain("restorecli eval --json").document
    assert document["restorecli_result_version"] == 1
    for name, content in (("old.json", document["data"]), ("new.json", document)):
        (chain.folder / name).write_text(json.dumps(content))
        chain(f"restorecli eval --baseline {name}")
        assert chain(f"restorecli plot {name} -o figures --format svg --json").data["files"]
    (chain.folder / "failed.json").write_text(json.dumps({**document, "data": None}))
    assert "saved scores" in chain("restorecli eval --baseline failed.json", code=4).err


def test_parts_are_scored_and_joined(chain) -> None:
    folder = chain.folder / "parts"
    folder.mkdir()
    for number in range(1, 10):  # more parts than images: some hold none
        (folder / f"{number}.json").write_text(chain(f"restorecli eval --shard {number}/9 --json").out)
        chain(f"restorecli eval --shard {number}/9")
    for more in ("", " --by category,sigma --markdown t.md"):
        joined, whole = chain(f"restorecli eval --join parts{more}"), chain(f"restorecli eval{more}")
        assert joined.out == whole.out
    assert chain("restorecli eval --join parts --json").data == chain("restorecli eval --json").data
    assert "no parts to join" in chain("restorecli eval --join degraded", code=None).err
    assert "--min-psnr" in chain("restorecli eval --shard 1/9 --min-psnr 9", code=2).err
