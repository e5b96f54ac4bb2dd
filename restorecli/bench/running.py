"""Runs a trial: train, restore the test images, score them; what is done is read back, not done again."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from restorecli.bench.timing import torch_threads
from restorecli.bench.trials import METRICS, Trial, TrialResult, digest
from restorecli.core.weights import read_weights
from restorecli.core.zoo import load
from restorecli.counting import counted
from restorecli.degradation.chain import Chain
from restorecli.degradation.folder import degrade_folder
from restorecli.errors import DataError, InterruptedRunError, RestorecliError
from restorecli.evaluation.folder import evaluate_folders
from restorecli.folders.places import make_folder
from restorecli.images.atomic import write_file
from restorecli.restoration.folder import restore_folder
from restorecli.training.checkpoint import read_state
from restorecli.training.run import train

if TYPE_CHECKING:
    from restorecli.evaluation.result import Evaluation
    from restorecli.training.monitor import Monitor
    from restorecli.training.run import TrainResult

HELD_OUT = "images held out of training"
RESULT = "trial.json"


@dataclass(frozen=True, slots=True)
class Watch:
    """Progress callbacks of the trials.

    Attributes:
        log: Called with a line when a trial begins and when it ends.
        monitor: Makes who watches a training; None for nobody.
    """

    log: Callable[[str], None] = lambda line: None  # noqa: ARG005
    monitor: Callable[[], Monitor] | None = None


def run_trials(
    trials: Iterable[Trial], runs: Path, *, threads: int = 1, watch: Watch | None = None
) -> Iterator[TrialResult | RestorecliError]:
    """Run trials one after the other; one that fails gives its error, and the others go on.

    Args:
        trials: What is to be tried.
        runs: Folder of the runs; made when missing.
        threads: That torch computes on, and that read and write images.
        watch: Progress callbacks.

    Raises:
        InterruptedRunError: A signal asked to stop; the same call goes on.
    """
    watch = watch or Watch()
    for trial in trials:
        try:
            with torch_threads(threads):
                result = run_trial(trial, runs, workers=threads, watch=watch)
        except InterruptedRunError:
            raise
        except RestorecliError as error:
            watch.log(f"{trial.name}: failed: {error.problem}")
            yield error
        else:
            yield result


def run_trial(trial: Trial, runs: Path, *, workers: int = 1, watch: Watch | None = None) -> TrialResult:
    """Train, restore the test images and score them, or go on where an earlier call stopped.

    Args:
        trial: What is to be tried.
        runs: Folder of the runs; made when missing.
        workers: Threads that read and write images.
        watch: Progress callbacks.

    Raises:
        RecipeError: The recipe is wrong, or has changed since its run began.
        DataError: There are no images, or a test image was not restored.
        DivergedError: The training diverged.
        InterruptedRunError: A signal asked to stop; the same call goes on.
    """
    watch = watch or Watch()
    file = runs / trial.name / RESULT
    done = _read(file, trial)
    if done is not None:
        watch.log(f"{trial.name}: read back: {_line(done)}")
        return done
    watch.log(f"{trial.name}: begins")
    trained = _train(trial, runs, watch)
    result = _held_out(trial, trained) if trial.test is None else _tested(trial, trained, runs, workers)
    write_file(file, json.dumps({"key": trial.key, **result.to_document()}, indent=1) + "\n")
    watch.log(f"{trial.name}: {_line(result)}")
    return result


def images_of(recipe: Mapping[str, Any], test: Path, runs: Path, workers: int) -> tuple[Path, Path]:
    """Return the folders of degraded test images and of their references.

    Args:
        recipe: Content of a recipe, whose first source counts.
        test: The folder that its folders are relative to.
        runs: Clean images are degraded below it once, unclipped as the network sees them in training.
        workers: Threads.

    Raises:
        DataError: There is no image.
    """
    source = recipe["data"]["train"][0]
    if "clean" not in source:
        return test / source["degraded"], test / source["reference"]
    steps = recipe["validation"]["degrade"]
    clean = test / source["clean"]
    degraded = runs / "tests" / digest(str(clean), steps)
    degrade_folder(clean, degraded, Chain.from_specs(steps), unclipped=True, workers=workers)
    return degraded, clean


def _train(trial: Trial, runs: Path, watch: Watch) -> TrainResult:
    """Train, or finish what was begun."""
    recipe = runs / "recipes" / f"{trial.name}.yaml"
    make_folder(recipe.parent, runs)
    write_file(recipe, yaml.safe_dump(trial.located(), sort_keys=False))
    folder = runs / trial.name
    monitor = None if watch.monitor is None else watch.monitor()
    try:
        return train(recipe, output=folder, resume=read_state(folder) is not None, monitor=monitor)
    except InterruptedRunError as error:
        error.hint = "the same command goes on where it stopped"
        raise


def _held_out(trial: Trial, trained: TrainResult) -> TrialResult:
    scores = read_weights(trained.weights)[1].scores["validation"]
    degraded = {name: scores[f"degraded_{name}"] for name in METRICS}
    restored = {name: scores[name] for name in METRICS}
    return TrialResult(trial.name, trained.steps, trained.hours, HELD_OUT, degraded, restored, {})


def _tested(trial: Trial, trained: TrainResult, runs: Path, workers: int) -> TrialResult:
    assert trial.test is not None  # noqa: S101 - the caller has looked
    degraded, reference = images_of(trial.recipe, trial.test, runs, workers)
    restored = runs / trial.name / f"restored-{trial.key}"
    restorer = load(trained.weights, precision="fp32")
    summary = restore_folder(degraded, restored, restorer, workers=workers, image_format="png")
    if summary.failures:
        first = summary.failures[0]
        raise DataError("A test image could not be restored.", got=first.error.problem, file=first.path)
    scores = evaluate_folders(restored, reference, degraded=degraded, workers=workers)
    by_image = {str(image.pair.path): image.final["psnr"] for image in scores.images}
    return TrialResult(
        trial.name,
        trained.steps,
        trained.hours,
        f"{counted(len(scores.images), 'image')} of {trial.test.name}",
        _means(scores, "degraded"),
        _means(scores, "restored"),
        {path: value for path, value in by_image.items() if value is not None},
    )


def _means(scores: Evaluation, side: str) -> dict[str, float]:
    return {name: getattr(scores.overall, side)[name].mean for name in METRICS}


def _read(file: Path, trial: Trial) -> TrialResult | None:
    """Return the result of the same trial that an earlier call left; None where there is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return TrialResult.from_document(content) if content["key"] == trial.key else None
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # torn, or of another version: the trial is made again


def _line(result: TrialResult) -> str:
    before, after = result.degraded["psnr"], result.restored["psnr"]
    return f"{before:.2f} -> {after:.2f} dB, {counted(result.steps, 'step')} in {60 * result.hours:.1f} min"
