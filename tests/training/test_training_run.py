"""Whole runs: what they leave, exact resume, interruption, divergence."""

import contextlib
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image
from safetensors.torch import load_file

from restorecli import load
from restorecli.core.losses.catalog import create_loss
from restorecli.core.losses.weighted import WeightedSum
from restorecli.core.weights import read_weights
from restorecli.errors import DivergedError, InterruptedRunError, RecipeError, TerminatedRunError, UsageError
from restorecli.training.batches import Batch
from restorecli.training.checkpoint import read_state
from restorecli.training.logbook import Logbook
from restorecli.training.monitor import SilentMonitor
from restorecli.training.places import PREVIOUS, STATE
from restorecli.training.run import train
from restorecli.training.strategies import supervised


def weights(folder):
    return load_file(folder / "last.safetensors")


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert torch.equal(one[name], other[name]), name


def test_a_run_leaves_recipe_log_events_samples_and_weights(write_recipe, workshop):
    folder = workshop / "run"
    result = train(write_recipe(), output=folder)
    assert result.steps == 8
    assert yaml.safe_load((folder / "recipe.resolved.yaml").read_text())["seed"] == 0
    kinds = [json.loads(line)["kind"] for line in (folder / "log.jsonl").read_text().splitlines()]
    assert kinds.count("validation") == 2
    assert list((folder / "events").glob("events.out.tfevents.*"))
    assert len(list((folder / "samples").glob("*.png"))) == 2
    assert result.weights == folder / "best.safetensors"
    restorer = load(result.weights, device="cpu")
    assert restorer(torch.rand(1, 3, 20, 21)).shape == (1, 3, 20, 21)
    assert json.loads(json.dumps(result.to_dict()))["steps"] == 8


def test_weights_do_not_tell_where_their_maker_keeps_things(write_recipe, workshop):
    result = train(write_recipe(), output=workshop / "run", data=[workshop / "images"], steps=1)
    _, card = read_weights(result.weights)
    assert card.recipe["data"]["train"][0]["clean"] == "images"
    assert str(workshop).encode() not in result.weights.read_bytes()


@pytest.mark.parametrize("stop_at", [1, 3, 4, 7])
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "muon"])
def test_a_resumed_run_equals_the_unbroken_one_bit_for_bit(
    write_recipe, workshop, stop_at, optimizer, signal_after
):
    recipe = write_recipe(
        model={"name": "dncnn", "arguments": {"channels": 1, "depth": 3, "width": 16}},
        optimizer={"name": optimizer, "lr": 1e-3},
        schedule={"name": "cosine", "warmup": 2},
    )
    train(recipe, output=workshop / "straight")
    with pytest.raises(InterruptedRunError, match="--resume"):
        train(recipe, output=workshop / "broken", monitor=signal_after(stop_at))
    train(recipe, output=workshop / "broken", resume=True)
    straight, broken = (read_state(workshop / name) for name in ("straight", "broken"))
    assert_same(dict(straight.tensors), dict(broken.tensors))
    assert straight.metadata["best"] == broken.metadata["best"]
    assert_same(weights(workshop / "straight"), weights(workshop / "broken"))
    logs = [(workshop / name / "log.jsonl").read_text().splitlines() for name in ("straight", "broken")]
    scores = [[{**json.loads(line), "seconds": 0} for line in log if '"validation"' in line] for log in logs]
    assert scores[0] == scores[1]


def test_the_printed_command_goes_on_with_everything_that_was_set(write_recipe, workshop, signal_after):
    images = workshop / "images"
    with pytest.raises(InterruptedRunError) as caught:
        train(
            write_recipe(),
            output=workshop / "my run",
            data=[images],
            steps=6,
            seed=3,
            monitor=signal_after(2),
        )
    words = shlex.split(caught.value.hint)
    assert words[:2] == ["restorecli", "train"]
    assert words[-1] == "--resume"
    options = dict(pairwise(words))
    assert options["--data"] == str(images)
    assert (options["--steps"], options["--seed"], options["-o"]) == ("6", "3", str(workshop / "my run"))


def test_a_run_that_stopped_often_is_still_the_same(write_recipe, workshop, signal_after):
    recipe = write_recipe()
    train(recipe, output=workshop / "straight")
    for step in (2, 3, 6):
        with pytest.raises(InterruptedRunError):
            train(recipe, output=workshop / "broken", resume=step > 2, monitor=signal_after(step))
    train(recipe, output=workshop / "broken", resume=True)
    assert_same(weights(workshop / "straight"), weights(workshop / "broken"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_sigterm_saves_and_answers_143(write_recipe, workshop, signal_after):
    with pytest.raises(TerminatedRunError) as caught:
        train(write_recipe(), output=workshop / "run", monitor=signal_after(3, signal.SIGTERM))
    assert caught.value.exit_code == 143
    assert read_state(workshop / "run").metadata["step"] == 3


def test_a_damaged_checkpoint_falls_back_to_the_one_before(write_recipe, workshop, signal_after):
    recipe, folder = write_recipe(), workshop / "run"
    with pytest.raises(InterruptedRunError):
        train(recipe, output=folder, monitor=signal_after(6))
    raw = bytearray((folder / STATE).read_bytes())
    raw[-3] ^= 1
    (folder / STATE).write_bytes(raw)
    assert read_state(folder).file.name == PREVIOUS
    told = Told()
    train(recipe, output=folder, resume=True, monitor=told)
    (note,) = told.notes
    assert "damaged.state.safetensors" in note
    assert "after step 4 is lost" in note
    train(recipe, output=workshop / "straight")
    assert_same(weights(folder), weights(workshop / "straight"))


class Told(SilentMonitor):
    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


def test_an_infinite_score_is_none_in_json(write_recipe, workshop):
    result = train(
        write_recipe(validation={"holdout": 2, "degrade": [{"name": "gaussian", "sigma": 0}], "every": 4}),
        output=workshop / "run",
    )
    assert json.loads(json.dumps(result.to_dict(), allow_nan=False))["best"].keys() == result.best.keys()


def test_two_damaged_checkpoints_say_so(write_recipe, workshop):
    folder = workshop / "run"
    train(write_recipe(), output=folder)
    for name in (STATE, PREVIOUS):
        (folder / name).write_bytes(b"gone")
    with pytest.raises(RecipeError, match="are damaged"):
        train(write_recipe(), output=folder, resume=True)


def test_resuming_with_another_recipe_is_refused_with_the_difference(write_recipe, workshop):
    folder = workshop / "run"
    train(write_recipe(), output=folder)
    changed = write_recipe(optimizer={"lr": 5e-4})
    with pytest.raises(RecipeError, match=r"optimizer\.lr: 0\.001 -> 0\.0005"):
        train(changed, output=folder, resume=True)
    assert train(write_recipe(budget={"steps": 10}), output=folder, resume=True).steps == 10


def test_allowed_changes_go_on_and_others_are_still_refused(write_recipe, workshop):
    folder = workshop / "run"
    train(write_recipe(), output=folder)
    changed = write_recipe(optimizer={"lr": 5e-4}, budget={"steps": 10}, save_every=3)
    with pytest.raises(RecipeError, match="save_every: 2 -> 3") as caught:
        train(changed, output=folder, resume=True, allow_change=["optimizer.lr"])
    assert "optimizer.lr" not in str(caught.value.got)
    assert "--allow-change save_every" in caught.value.hint
    assert train(changed, output=folder, resume=True, allow_change=["optimizer", "save_every"]).steps == 10


@pytest.mark.parametrize("name", ["model", "model.arguments.width", "optimizer.name", "ema"])
def test_what_the_saved_state_is_made_of_cannot_change(write_recipe, workshop, name):
    train(write_recipe(), output=workshop / "run")
    with pytest.raises(UsageError, match="cannot change within a run"):
        train(write_recipe(), output=workshop / "run", resume=True, allow_change=[name])


def test_other_images_and_another_torch_are_noticed(write_recipe, workshop, monkeypatch):
    folder, more = workshop / "run", write_recipe("more.yaml", budget={"steps": 10})
    train(write_recipe(), output=folder)
    image = workshop / "images" / "kind" / "0.png"
    Image.new("L", (50, 50)).save(image)
    with pytest.raises(RecipeError, match="pictures: "):
        train(more, output=folder, resume=True)
    monkeypatch.setattr("torch.__version__", "9.9.9")
    with pytest.raises(RecipeError, match=r"torch: .* -> '9\.9\.9'"):
        train(more, output=folder, resume=True, allow_change=["pictures"])
    assert train(more, output=folder, resume=True, allow_change=["pictures", "torch"]).steps == 10


def test_a_folder_in_use_and_a_missing_run_are_told_apart(write_recipe, workshop):
    with pytest.raises(UsageError, match="no run to resume"):
        train(write_recipe(), output=workshop / "run", resume=True)
    assert not (workshop / "run").exists()
    train(write_recipe(), output=workshop / "run")
    with pytest.raises(UsageError, match="holds a run already"):
        train(write_recipe(), output=workshop / "run")


def test_a_loss_that_is_not_finite_keeps_the_last_good_checkpoint(write_recipe, workshop, monkeypatch):
    folder = workshop / "run"
    usual = supervised.Supervised.losses
    count = iter(range(100))

    def poisoned(self, network, batch, step):
        losses = usual(self, network, batch, step)
        return replace(losses, total=losses.total * float("nan")) if next(count) >= 5 else losses

    monkeypatch.setattr(supervised.Supervised, "losses", poisoned)
    with pytest.raises(DivergedError):
        train(write_recipe(budget={"steps": 40}), output=folder)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in weights(folder).values())
    assert read_state(folder).metadata["step"] <= 15


def poison(monkeypatch, bad):
    """Make the loss of some steps, counted from 0, not finite."""
    usual = supervised.Supervised.losses

    def poisoned(self, network, batch, step):
        losses = usual(self, network, batch, step)
        return replace(losses, total=losses.total * float("nan")) if step in bad else losses

    monkeypatch.setattr(supervised.Supervised, "losses", poisoned)


def test_nine_bad_steps_in_a_row_are_left_out(write_recipe, workshop, monkeypatch):
    poison(monkeypatch, {*range(2, 11), *range(12, 21)})
    result = train(write_recipe(budget={"steps": 22}), output=workshop / "run")
    assert (result.steps, result.skipped) == (22, 18)


def test_ten_bad_steps_in_a_row_end_the_run(write_recipe, workshop, monkeypatch):
    poison(monkeypatch, range(2, 12))
    with pytest.raises(DivergedError, match="10 steps in a row") as caught:
        train(write_recipe(budget={"steps": 22}), output=workshop / "run")
    assert caught.value.got == "at step 12"


def test_starting_from_weights_and_another_folder_of_images(write_recipe, workshop):
    first = train(write_recipe(), output=workshop / "first")
    second = train(
        write_recipe(init="first/last.safetensors", optimizer={"lr": 1e-12}, ema=None),
        output=workshop / "second",
        data=[workshop / "images"],
        steps=1,
    )
    before, after = weights(workshop / "first"), weights(workshop / "second")
    assert second.steps == 1
    for name in before:
        if name.endswith("weight") and before[name].ndim == 4:
            torch.testing.assert_close(before[name], after[name], atol=1e-6, rtol=0)
    assert first.weights.exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_a_killed_run_resumes_to_the_same_weights(write_recipe, workshop):
    """SIGKILL at arbitrary moments, also while a checkpoint is being written."""
    recipe, folder = write_recipe(budget={"steps": 60}, save_every=1), workshop / "run"
    words = [sys.executable, "-c", TRAINS_IN_COPIES, str(recipe), str(folder)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        for delay in (0.0, 0.15, 0.5):
            before = _written(folder)
            process.stdin.write("again\n")
            process.stdin.flush()
            copy = int(process.stdout.readline())
            while _written(folder) == before and Path(f"/proc/{copy}").exists():
                time.sleep(0.01)
            time.sleep(delay)
            with contextlib.suppress(ProcessLookupError):
                os.kill(copy, signal.SIGKILL)
            assert process.stdout.readline() == "ended\n"
        process.stdin.close()
    train(recipe, output=folder, resume=True)
    train(recipe, output=workshop / "straight")
    assert_same(weights(folder), weights(workshop / "straight"))


TRAINS_IN_COPIES = """
import os, sys
from pathlib import Path
import restorecli.training.session
from restorecli.training.run import train

folder = Path(sys.argv[2])
for _ in sys.stdin:
    copy = os.fork()
    if copy == 0:
        train(sys.argv[1], output=folder, resume=any(folder.glob("*.state.safetensors")))
        os._exit(0)
    print(copy, flush=True)
    os.waitpid(copy, 0)
    print("ended", flush=True)
"""
"""For each line that it reads a process that trains: torch is imported once."""


def _written(folder: Path) -> int | None:
    """Return when the checkpoint was written."""
    file = folder / STATE
    return file.stat().st_mtime_ns if file.exists() else None


class StopBefore(SilentMonitor):
    """Sends this process a signal before the first step."""

    def begin(self, step, fraction):
        signal.raise_signal(signal.SIGINT)


def test_a_run_that_is_stopped_before_its_first_step_can_be_resumed(write_recipe, workshop):
    recipe = write_recipe()
    with pytest.raises(InterruptedRunError):
        train(recipe, output=workshop / "broken", monitor=StopBefore())
    train(recipe, output=workshop / "broken", resume=True)
    train(recipe, output=workshop / "straight")
    assert_same(weights(workshop / "straight"), weights(workshop / "broken"))


def test_a_run_that_is_stopped_at_its_last_step_is_still_validated(write_recipe, workshop, signal_after):
    recipe = write_recipe(validation={"holdout": 2, "degrade": ["gaussian"], "every": 100})
    with pytest.raises(InterruptedRunError):
        train(recipe, output=workshop / "broken", monitor=signal_after(8))
    broken = train(recipe, output=workshop / "broken", resume=True)
    straight = train(recipe, output=workshop / "straight")
    assert broken.best == straight.best
    assert_same(load_file(straight.weights), load_file(broken.weights))


def test_one_bad_batch_leaves_no_trace_in_the_weights(write_recipe, workshop, monkeypatch):
    """Batch norm takes a batch into its statistics before the loss shows that it is not finite."""
    usual = supervised.Supervised.losses
    count = iter(range(100))

    def poisoned(self, network, batch, step):
        bad = replace(batch, degraded=batch.degraded * float("nan"))
        return usual(self, network, bad if next(count) == 2 else batch, step)

    monkeypatch.setattr(supervised.Supervised, "losses", poisoned)
    result = train(write_recipe(), output=workshop / "run")
    assert result.skipped == 1
    read_weights(workshop / "run" / "last.safetensors")


def test_weights_that_are_not_finite_are_never_saved(write_recipe, workshop):
    folder = workshop / "run"
    recipe = write_recipe(optimizer={"name": "sgd", "lr": 1e300}, save_every=1, ema=None)
    with pytest.raises(DivergedError):
        train(recipe, output=folder)
    for file in folder.glob("*.safetensors"):
        assert all(bool(torch.isfinite(t).all()) for n, t in load_file(file).items() if "generator" not in n)


def test_a_damaged_checkpoint_never_takes_the_place_of_the_good_one(
    write_recipe, workshop, monkeypatch, signal_after
):
    """Killed at any write after a fall-back: there is always a whole checkpoint, and never an older one."""
    recipe, folder = write_recipe(), workshop / "run"
    with pytest.raises(InterruptedRunError):
        train(recipe, output=folder, monitor=signal_after(6))
    (folder / STATE).write_bytes((folder / STATE).read_bytes()[:-1])
    good = read_state(folder).metadata["step"]
    usual = os.fsync
    for number in range(1, 6):
        copy = shutil.copytree(folder, workshop / f"copy{number}")
        countdown = iter(range(number - 1, -1, -1))

        def killed(descriptor, countdown=countdown):
            if next(countdown, -1) == 0:
                raise KeyboardInterrupt
            usual(descriptor)

        monkeypatch.setattr(os, "fsync", killed)
        with pytest.raises(KeyboardInterrupt):
            train(recipe, output=copy, resume=True)
        monkeypatch.undo()
        assert read_state(copy).metadata["step"] >= good


def test_losses_are_computed_in_float32_under_autocast():
    x = 0.5 + 0.1 * torch.rand(1, 3, 32, 32)
    batch = Batch(x, x + 0.01 * torch.randn(x.shape))
    strategy = supervised.Supervised(WeightedSum([(n, 1.0, create_loss(n)) for n in ("ssim", "edge")]))
    outside = strategy.losses(torch.nn.Identity(), batch, 0).total
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = strategy.losses(torch.nn.Identity(), batch, 0).total
    assert float(inside) == float(outside)


def test_the_log_is_json_for_every_reader(tmp_path):
    book = Logbook(tmp_path, 0)
    book.write("train", 20, {"loss": 0.5, "psnr": float("inf")})
    book.close()
    assert (
        tmp_path / "log.jsonl"
    ).read_text() == '{"kind": "train", "step": 20, "loss": 0.5, "psnr": null}\n'
