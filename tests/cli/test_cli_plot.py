"""`plot`: from folders and from saved scores."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from restorecli.training.curves import read_curves

CHARTS = [f"psnr-{kind}" for kind in ("means", "distribution", "gain")]


@pytest.fixture
def chain(shell, photos):
    """A shell with ./photos, ./degraded, and ./restored as if it had been restored."""
    shell("restorecli degrade ./photos --noise gaussian --sigma 40")
    shell("restorecli degrade ./photos -o restored --noise gaussian --sigma 10")
    (shell.folder / "restored" / "manifest.jsonl").unlink()
    return shell


def test_the_written_files_are_printed(chain):
    answer = chain("restorecli plot ./restored ./photos --degraded ./degraded --metrics psnr")
    names = [f"plots/{chart}.{suffix}" for chart in [*CHARTS, "error-spectrum"] for suffix in ("png", "svg")]
    assert answer.out.split() == names
    with Image.open(chain.folder / "plots" / "psnr-means.png") as chart:
        assert chart.width == 1376
    assert "outdoors" in (chain.folder / "plots" / "psnr-means.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["figure.png", "figure.svg", "figure.PDF"])
def test_the_name_of_a_file_is_refused(shell, name):
    answer = shell(f"restorecli plot -o {name}", code=2)
    assert "try: -o/--output figure\n" in answer.err
    assert not (shell.folder / name).exists()


def test_degraded_alone_by_default(shell, photos):
    shell("restorecli degrade ./photos --noise gaussian --sigma 40")
    answer = shell("restorecli plot --metrics psnr --format svg --json -o charts")
    document = answer.data
    assert document["files"] == [
        f"charts/{name}.svg" for name in ("psnr-means", "psnr-distribution", "error-spectrum")
    ]
    assert document["protocol"].startswith("RGB")


def test_saved_scores_give_the_same_charts(chain):
    folders = "./restored ./photos --degraded ./degraded"
    chain(f"restorecli eval {folders} --json > scores.json")
    chain("restorecli plot scores.json -o saved --format svg")
    chain(f"restorecli plot {folders} -o fresh --format svg")
    fresh = {path.name: path.read_bytes() for path in (chain.folder / "fresh").glob("*.svg")}
    saved = {path.name: path.read_bytes() for path in (chain.folder / "saved").glob("*.svg")}
    assert fresh == saved
    assert len(saved) == 7


def test_saved_scores_can_be_grouped_anew(chain):
    chain("restorecli eval ./degraded --json > scores.json")
    chain("restorecli plot scores.json --by gaussian.sigma --metrics ssim --format svg")
    chart = (chain.folder / "plots" / "ssim-means.svg").read_text(encoding="utf-8")
    assert ">40  (4)<" in chart
    assert not (chain.folder / "plots" / "psnr-means.svg").exists()


@pytest.mark.parametrize(
    ("line", "code", "word"),
    [
        ("plot scores.json ./photos", 2, "either a saved evaluation or folders"),
        ("plot scores.json --metrics gmsd", 2, "does not hold this metric"),
        ("plot scores.json --metrics psn", 2, "psnr"),
        ("plot --format gif", 2, "gif"),
        ("plot ./nowhere", 4, "no such file"),
        ("plot nowhere.json", 4, "no such file"),
    ],
)
def test_refusals(chain, line, code, word):
    chain("restorecli eval ./degraded --json > scores.json")
    assert word in " ".join(chain(f"restorecli {line}", code=code).err.split())
    assert not (chain.folder / "plots").exists()


@pytest.mark.parametrize("command", ["plot", "show"])
def test_help_imports_nothing_heavy(command):
    program = (
        f"import sys; sys.argv = ['restorecli', '{command}', '--help']\n"
        "from restorecli.cli.app import main\n"
        "try:\n    main()\nfinally:\n    print('MODULES', *sys.modules, file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.partition("MODULES ")[2].split())
    assert not loaded & {"torch", "numpy", "matplotlib", "PIL", "scipy"}


@pytest.mark.parametrize("name", ["psnr-means", "psnr-distribution", "error-spectrum"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_chart_is_never_written_over_what_was_read(chain, name, whole):
    for folder in ("restored", "photos"):
        (chain.folder / folder / "indoors/0.png").rename(chain.folder / folder / f"{name}.png")
    if not whole:
        (chain.folder / "photos" / f"{name}.png").write_bytes(b"no image")
    kept = {path: path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()}
    answer = chain("restorecli plot ./restored ./photos --metrics psnr -o ./restored", code=2)
    assert f"restored/{name}.png" in answer.err
    assert {path: path.read_bytes() for path in chain.folder.rglob("*") if path.is_file()} == kept


def test_a_missing_spectrum_is_told(chain, monkeypatch):
    chain("restorecli eval ./restored ./photos --json > scores.json")
    (chain.folder / "elsewhere").mkdir()
    monkeypatch.chdir(chain.folder / "elsewhere")
    answer = chain("restorecli plot ../scores.json --metrics psnr --json")
    assert "no error-spectrum" in answer.err
    assert len(answer.data["notes"]) == 1


def test_other_methods_and_the_style_of_a_paper(chain):
    folders = "./restored ./photos --degraded ./degraded --metrics psnr"
    answer = chain(f"restorecli plot {folders} --against noisy=./degraded --style paper -o paper")
    assert answer.out.split() == [f"paper/{chart}.pdf" for chart in [*CHARTS, "error-spectrum"]]
    chain(f"restorecli plot {folders} --against noisy=./degraded --style paper --format svg -o paper")
    drawn = (chain.folder / "paper" / "psnr-means.svg").read_text(encoding="utf-8")
    assert ">noisy</text>" in drawn
    assert "bootstrap" not in drawn


def run_folder(folder: Path, psnrs: list[float | None]) -> None:
    folder.mkdir(parents=True)
    (folder / "recipe.resolved.yaml").write_text("name: one", encoding="utf-8")
    lines = [{"kind": "train", "step": 5, "loss": 0.1}, {"kind": "validation", "step": 8, "psnr": None}]
    lines += [
        {"kind": "validation", "step": 10 * step, "psnr": psnr, "ssim": 0.5, "degraded_psnr": 20.0}
        for step, psnr in enumerate(psnrs, start=1)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines) + '{"kind": "validation", "st'
    (folder / "log.jsonl").write_text(text, encoding="utf-8")


def test_the_learning_curves_of_runs_are_drawn_in_one_chart(shell):
    run_folder(shell.folder / "runs" / "slow", [21.0, 22.5])
    run_folder(shell.folder / "runs" / "quick", [22.0, 24.5, 25.0])
    answer = shell("restorecli plot runs/slow --against fast=runs/quick --format svg --json")
    assert answer.data["files"] == ["plots/psnr-curves.svg", "plots/ssim-curves.svg"]
    chart = (shell.folder / "plots" / "psnr-curves.svg").read_text(encoding="utf-8")
    for words in ("PSNR (dB) of validation by step", "slow", "fast", "Dashed: as degraded"):
        assert f">{words}" in chart or words in chart
    assert read_curves(shell.folder / "runs" / "quick")["psnr"] == [(10, 22.0), (20, 24.5), (30, 25.0)]
    shell("restorecli plot runs/slow --metrics psnr", code=2)
    shell("restorecli plot runs/slow --against none=runs", code=4)
    run_folder(shell.folder / "runs" / "new", [])
    assert "not been validated yet" in shell("restorecli plot runs/new", code=4).err
