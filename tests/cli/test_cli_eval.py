"""`eval` through its options."""

import csv
import json
import shutil

import pytest


@pytest.fixture
def chain(shell, photos):
    """A shell with ./photos, ./degraded, and ./better as if it had been restored."""
    shell("restorecli degrade ./photos --noise gaussian --sigma 40")
    shell("restorecli degrade ./photos -o better --noise gaussian --sigma 10")
    (shell.folder / "better" / "manifest.jsonl").unlink()
    return shell


def test_degraded_alone_is_scored(chain) -> None:
    document = json.loads(chain("restorecli eval --json").out)
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
    document = json.loads(chain("restorecli eval ./better ./photos --degraded ./degraded --json").out)
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
    document = json.loads(answer.out)
    assert document["overall"]["n"] == 4
    assert ("error" in document) == (code == 9)
    assert ("below the gate" in answer.err) == (code == 9)


def test_identical_pictures_are_infinite_and_pass_any_gate(chain) -> None:
    shutil.copytree(chain.folder / "photos", chain.folder / "same")
    document = json.loads(chain("restorecli eval ./same ./photos --min-psnr 90 --json").out)
    assert document["overall"]["restored"]["psnr"] == "inf"


def test_what_finds_no_mate_is_listed(chain) -> None:
    (chain.folder / "photos" / "indoors" / "0.png").unlink()
    answer = chain("restorecli eval ./better ./photos --json", code=3)
    document = json.loads(answer.out)
    assert document["overall"]["n"] == 3
    assert "indoors/0.png" in json.dumps(document["unmatched"])
    assert "indoors/0.png" in answer.err


def test_nothing_to_evaluate_is_told(shell) -> None:
    assert "restorecli eval RESTORED REFERENCE" in shell("restorecli eval", code=4).err


def test_any_number_of_workers_gives_the_same_table(chain) -> None:
    assert chain("restorecli eval --json --workers 1").out == chain("restorecli eval --json --workers 3").out
