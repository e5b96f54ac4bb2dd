"""`train` and `recipes`."""

import shlex
import shutil
import signal
import subprocess
import sys
import time

import pytest

RECIPE = """\
name: tiny
model:
  name: dncnn
  arguments: {channels: 1, depth: 3}
data:
  train:
    - clean: photos
  degrade:
    - name: gaussian
      sigma: 25
  crop: 24
  batch: 2
validation:
  every: 2
  holdout: 1
  degrade:
    - name: gaussian
      sigma: 25
loss:
  l1: 1
optimizer:
  lr: 2e-4
budget:
  steps: 3
"""


@pytest.fixture
def recipe(shell, photos):
    path = shell.folder / "recipe.yaml"
    path.write_text(RECIPE)
    return path


def test_a_recipe_is_trained_and_its_weights_restore(shell, recipe) -> None:
    answer = shell("restorecli train recipe.yaml --json")
    result = answer.data
    assert result["steps"] == 3
    assert "psnr" in result["best"]
    assert "psnr" in answer.err
    shell(f"restorecli restore ./photos --model {result['weights']}")


def test_a_run_goes_on_where_it_stopped(shell, recipe) -> None:
    shell("restorecli train recipe.yaml -o run")
    assert "--resume" in shell("restorecli train recipe.yaml -o run", code=2).err
    assert shell("restorecli train recipe.yaml -o run --resume --json").data["steps"] == 3
    shell("restorecli train recipe.yaml -o elsewhere --resume", code=2)


def test_the_command_line_goes_over_the_recipe(shell, recipe) -> None:
    words = "--steps 1 --seed 5 --precision fp32 --data ./photos/indoors --device cpu"
    assert shell(f"restorecli train recipe.yaml {words} --json").data["steps"] == 1
    resolved = shell("restorecli train recipe.yaml --seed 5 --dry-run --json").data
    assert resolved["seed"] == 5


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupt_saves_and_prints_the_command_that_resumes(shell, recipe, number, code) -> None:
    line = "restorecli train recipe.yaml --data ./photos/indoors --steps 100000 --seed 4 -o 'my run'"
    log = shell.folder / "my run" / "log.jsonl"
    with subprocess.Popen(
        [sys.executable, "-m", *shlex.split(line)],
        cwd=shell.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and not (log.is_file() and log.stat().st_size):
            time.sleep(0.05)
        process.send_signal(number)
        _, told = process.communicate(timeout=60)
    assert process.returncode == code
    again = next(text for text in told.splitlines() if "--resume" in text).strip().removeprefix("try:")
    shell(f"{again} --steps 1")


def test_a_dry_run_starts_nothing(shell, recipe) -> None:
    assert "nothing was started" in shell("restorecli train recipe.yaml --dry-run").err
    assert not (shell.folder / "runs").exists()


def test_a_dry_run_says_of_the_images_what_the_run_says(shell, recipe) -> None:
    recipe.write_text(RECIPE.replace("holdout: 1", "holdout: 88"))
    answer = shell("restorecli train recipe.yaml --dry-run --json")
    assert "note: validation.holdout asks for 88" in answer.err
    [note] = answer.document["notes"]
    assert note.startswith("validation.holdout asks for 88")


def test_all_faults_are_told_at_once_with_their_places(shell, recipe) -> None:
    recipe.write_text(RECIPE.replace("crop: 24", "crop: small").replace("name: dncnn", "name: dncn"))
    answer = shell("restorecli train recipe.yaml --dry-run --json", code=4)
    problem = answer.error["problem"]
    assert "recipe.yaml:3:" in problem
    assert "recipe.yaml:11:" in problem
    assert "dncnn" in problem


def test_a_recipe_that_does_not_exist_is_told(shell) -> None:
    assert "sca-unet-gaussian" in shell("restorecli train sca-unet-gausian", code=4).err


def test_every_shipped_recipe_is_listed_and_printed(shell, photos) -> None:
    """That each can be trained is tested beside the recipes: here one is."""
    listed = shell("restorecli recipes --json").data
    shown = shell("restorecli recipes --all").out
    for folder in ("dusty", "clean", "held/dusty", "held/clean", "photographs"):  # what recipes name
        shutil.copytree(photos / "indoors", photos / folder)
    for entry in listed:
        assert entry["name"] in shown
        assert entry["summary"] in shown
        text = shell(f"restorecli recipes {entry['name']} > photos/recipe.yaml").out
        assert f"name: {entry['name'].replace('/', '-')}" in text
    shell("restorecli train photos/recipe.yaml --dry-run")
    shell("restorecli recipes no-such", code=4)
