"""What a run says before it begins: of its images, its memory, its processes and its signals."""

import shutil
import signal
import subprocess
import sys

import pytest
from PIL import Image

from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.weights import pack, read_weights
from restorecli.errors import RecipeError, ResourceError, TerminatedRunError, UsageError
from restorecli.training.check import load_recipe
from restorecli.training.memory import least_bytes
from restorecli.training.monitor import SilentMonitor
from restorecli.training.places import STATE
from restorecli.training.run import check_recipe, train

CHAIN = [{"name": "gaussian", "sigma": 25}]


class Told(SilentMonitor):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def notes_of(recipe, output):
    """Return what a run says before its first step; a dry run must say the same."""
    told, dry = Told(), Told()
    train(recipe, output=output, steps=1, monitor=told)
    check_recipe(recipe, on_note=dry.note)
    assert dry.notes == told.notes
    return told.notes


def test_a_run_without_anything_to_say_says_nothing(write_recipe, workshop):
    assert notes_of(write_recipe(), workshop / "run") == []


def test_fewer_held_out_images_than_asked_for_are_said(write_recipe, workshop):
    recipe = write_recipe(validation={"holdout": 88, "degrade": CHAIN})
    (note,) = notes_of(recipe, workshop / "run")
    assert "holdout asks for 88 of 5 images: 2 held out" in note


@pytest.fixture
def recipe_of_another_scale(write_recipe, workshop):
    small = {"channels": 1, "blocks": 1, "width": 4}
    network = create_model("resnet", **small, scale=3)
    (workshop / "x3.safetensors").write_bytes(
        pack(network.state_dict(), Card("resnet", {**small, "scale": 3}, channels=1))
    )
    return write_recipe(
        init="x3.safetensors",
        model={"name": "resnet", "arguments": {**small, "scale": 2}},
        data={
            "train": [{"clean": "images"}],
            "degrade": [{"name": "downscale", "factor": 2}],
            "crop": 24,
            "batch": 2,
        },
        validation={"holdout": 2, "degrade": [{"name": "downscale", "factor": 2}]},
        loss={"l1": 1},
    )


def test_weights_of_another_scale_are_said(recipe_of_another_scale, workshop):
    (note,) = notes_of(recipe_of_another_scale, workshop / "run")
    assert note == "init is of another scale: up.0.weight, up.0.bias start anew"


def test_a_dry_run_reads_the_weights_to_start_from_once(recipe_of_another_scale, monkeypatch):
    read = []

    def counted(path):
        read.append(path.name)
        return read_weights(path)

    monkeypatch.setattr("restorecli.training.start.read_weights", counted)
    check_recipe(recipe_of_another_scale, on_note=Told().note)
    assert read == ["x3.safetensors"]


def test_an_only_image_is_said(write_recipe, workshop):
    for number in (1, 2, 3):
        (workshop / "images" / "kind" / f"{number}.png").unlink()
    (workshop / "images" / "kind" / "colour.png").unlink()
    (note,) = notes_of(write_recipe(), workshop / "run")
    assert "the only image is trained on and validated on" in note


def test_copies_of_an_image_are_said_and_those_on_both_sides_too(write_recipe, workshop):
    folder = workshop / "images" / "kind"
    for number in range(12):
        shutil.copy(folder / "0.png", folder / f"copy{number}.png")
    notes = notes_of(write_recipe(validation={"holdout": 6, "degrade": CHAIN}), workshop / "run")
    assert any("training images are copies of others" in note for note in notes)
    assert any("validation images are also trained on" in note for note in notes)
    assert all(".png is " in note for note in notes)


def test_images_of_one_size_in_bytes_are_no_copies(write_recipe, workshop):
    for number in range(2):
        Image.new("L", (40, 40), number).save(workshop / "images" / "kind" / f"flat{number}.bmp")
    assert notes_of(write_recipe(), workshop / "run") == []


def test_scores_against_noisy_images_are_said(write_recipe, workshop):
    shutil.copytree(workshop / "images", workshop / "second")
    pairs = [{"degraded": "images", "reference": "second"}]
    recipe = write_recipe(
        strategy="noise2noise",
        data={"train": pairs, "crop": 16, "batch": 2},
        validation={"holdout": 2},
        loss={"mse": 1},
    )
    assert any("against noise" in note for note in notes_of(recipe, workshop / "run"))
    clean = {"sources": [{"clean": "images"}], "degrade": CHAIN}
    recipe = write_recipe(
        strategy="noise2noise",
        data={"train": pairs, "crop": 16, "batch": 2},
        validation=clean,
        loss={"mse": 1},
    )
    assert not any("against noise" in note for note in notes_of(recipe, workshop / "other"))


def test_a_masked_loss_without_one_mask_is_said(write_recipe, workshop):
    (note,) = notes_of(write_recipe(strategy="masked"), workshop / "run")
    assert "the strategy masked finds nothing" in note
    holes = {"train": [{"clean": "images"}], "degrade": ["scratches"], "crop": 16, "batch": 2}
    assert notes_of(write_recipe(strategy="masked", data=holes), workshop / "other") == []


@pytest.mark.parametrize("check", [check_recipe, train])
def test_a_batch_beyond_memory_is_refused_with_one_that_fits(write_recipe, workshop, check, monkeypatch):
    monkeypatch.chdir(workshop)
    data = {"train": [{"clean": "images"}], "degrade": CHAIN, "crop": 16, "batch": 100_000_000}
    with pytest.raises(ResourceError, match="does not fit into memory") as caught:
        check(write_recipe(data=data))
    assert "100,000,000 crops of 16 pixels" in caught.value.got
    fits = int(caught.value.hint.split()[1])
    assert 0 < fits < 100_000_000
    assert not (workshop / "runs").exists()


def test_a_crop_of_a_million_pixels_is_a_fault(write_recipe):
    data = {"train": [{"clean": "images"}], "degrade": CHAIN, "crop": 1_000_000, "batch": 2}
    with pytest.raises(RecipeError, match=r"data\.crop: less than or equal to 16384, got 1000000"):
        load_recipe(write_recipe(data=data))


def test_the_least_memory_of_a_plain_network_is_what_its_layers_say(write_recipe):
    """Judge: by hand. Each convolution keeps its input, and a ReLU in place its output: the next input."""
    arguments = {"channels": 1, "depth": 6, "width": 8, "batch_norm": False}
    recipe = load_recipe(write_recipe(model={"name": "dncnn", "arguments": arguments}))
    weights = 9 * 8 + 8 + 4 * (9 * 8 * 8 + 8) + 9 * 8 + 1
    fixed, each = least_bytes(recipe)
    assert fixed == 4 * weights * 5  # weights, gradients, two moments, the average
    pixels = 16 * 16
    assert each == 4 * pixels * (6 * 2 + 1 + 5 * 8)  # six waiting batches, the input, five layers
    assert least_bytes(recipe, halved=True)[1] == 4 * pixels * 12 + 2 * pixels * 41


def test_several_processes_are_refused(write_recipe, workshop, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError, match="several processes is not supported yet") as caught:
        train(write_recipe(), output=workshop / "run")
    assert caught.value.exit_code == 2
    assert not (workshop / "run").exists()
    monkeypatch.setenv("WORLD_SIZE", "1")
    train(write_recipe(), output=workshop / "run", steps=1)


def test_a_missing_newest_checkpoint_is_said(write_recipe, workshop):
    recipe = write_recipe()
    train(recipe, output=workshop / "run")
    (workshop / "run" / STATE).unlink()
    told = Told()
    train(recipe, output=workshop / "run", resume=True, monitor=told)
    (note,) = told.notes
    assert f"the newest checkpoint, {STATE}, is missing; what came after step 6 is lost" in note


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="signals of POSIX")
def test_sigusr1_before_training_begins_ends_it_in_words(write_recipe, workshop):
    code = (
        "import os, signal, sys; from restorecli import api; from restorecli.cli import app;"
        "api.run_train = lambda asked: os.kill(os.getpid(), signal.SIGUSR1);"
        "app.main()"
    )
    command = [sys.executable, "-c", code, "train", str(write_recipe()), "-o", str(workshop / "run")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 143, done.stderr
    assert "Terminated" in done.stderr
    assert "restorecli train" in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGUSR1"), reason="signals of POSIX")
def test_sigusr1_while_a_recipe_is_checked_leaves_a_run_that_goes_on(write_recipe, workshop, monkeypatch):
    def interrupted(*arguments, **named):
        signal.raise_signal(signal.SIGUSR1)
        return load_recipe(*arguments, **named)

    monkeypatch.setattr("restorecli.training.run.load_recipe", interrupted)
    with pytest.raises(TerminatedRunError, match="SIGUSR1"):
        train(write_recipe(), output=workshop / "run")
    monkeypatch.undo()
    assert train(write_recipe(), output=workshop / "run", resume=True).steps == 8


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": {"name": "dncnn", "arguments": {"detph": 3}}}, "did you mean 'depth'"),
        ({"model": {"name": "dncnn", "arguments": {"depth": "deep"}}}, "arguments.depth"),
        ({"model": {"name": "dncnn", "arguments": {"depth": 5000}}}, "depth: 1 to 1024"),
        ({"model": {"name": "unet", "arguments": {"width": 8}}}, "multiple of 8, got 12"),
        ({"model": {"name": "resnet", "arguments": {"scale": 2}}}, "network's scale is 2"),
        ({"loss": {"ssim": {"window": 33}}}, "window of 33 pixels, got 12"),
        ({"loss": {"charbonnier": {"eps": "big"}}}, "above 0, got 'big'"),
        ({"strategy": {"name": "adversarial", "weight": "much"}}, "a valid number, got 'much'"),
        ({"strategy": {"name": "adversarial", "discriminator": "pach"}}, "did you mean 'patch'"),
        ({"strategy": {"name": "adversarial"}}, "3 layers needs crops of 24 pixels, got 12"),
        ({"strategy": {"name": "masked", "inside": -1}}, "from 0, got -1"),
    ],
)
def test_a_recipe_with_a_slip_is_refused_without_torch(write_recipe, changes, words):
    data = {"train": [{"clean": "images"}], "degrade": ["gaussian"], "crop": 12, "batch": 2}
    path = write_recipe(data=data, **changes)
    code = (
        "import sys\nfrom restorecli.errors import RecipeError\n"
        "from restorecli.training.run import check_recipe\n"
        "try:\n    check_recipe(sys.argv[1])\nexcept RecipeError as error:\n"
        "    assert sys.argv[2] in str(error) and 'torch' not in sys.modules, error\nelse:\n    sys.exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(path), words], check=True)
