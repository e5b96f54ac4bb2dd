"""Evaluations to draw, some with hostile names, and a real browser to look at the page."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

import numpy as np
import pytest

from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.pairing.pairs import Pair, Source, Unmatched
from restorecli.evaluation.result import Evaluation, PairScore, group_scores
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image

HOSTILE = "<script>alert(1)<&\"'\u202e\x1b[31m"


def save(path: Path, seed: int, size: tuple[int, int] = (24, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (3, *size))
    write_image(path, ImageData((levels / 255).astype(np.float32)))


def make(
    root: Path, names: list[str], *, with_degraded: bool = True, size: tuple[int, int] = (24, 32)
) -> Evaluation:
    for index, name in enumerate(names):
        for offset, folder in enumerate(("clean", "restored", "degraded")):
            save(root / folder / name, 10 * index + offset, size)
    degraded = root / "degraded" if with_degraded else None
    return evaluate_folders(root / "restored", root / "clean", degraded=degraded, workers=1)


def invent(
    scores: list[tuple[str, str, float, float]],
    *,
    metrics: tuple[str, ...] = ("psnr", "ssim"),
    notes: tuple[str, ...] = (),
    unmatched: tuple[Unmatched, ...] = (),
    fields: dict[str, str] | None = None,
) -> Evaluation:
    """An evaluation of images that do not exist: (path, category, degraded, restored), for every metric."""
    chosen = find_metrics(metrics)
    nowhere = Source("nothing.png", Path("nowhere"), Path("nowhere/nothing.png"))
    images = tuple(
        PairScore(
            Pair(path, category, None, nowhere, nowhere, nowhere),
            {metric.name: before for metric in chosen},
            {metric.name: after for metric in chosen},
            notes=notes,
            fields={**(fields or {}), "sigma": str(index), "category": category},
        )
        for index, (path, category, before, after) in enumerate(scores)
    )
    names = sorted({score.pair.category for score in images})
    groups = {
        name: group_scores([score for score in images if score.pair.category == name], chosen)
        for name in names
    }
    return Evaluation(
        overall=group_scores(images, chosen),
        categories=groups,
        groups=groups,
        images=images,
        unmatched=unmatched,
        notes=notes,
        metrics=chosen,
    )


def with_names(evaluation: Evaluation, names: list[str]) -> Evaluation:
    """The same images, with other names and categories."""
    images = [
        dataclasses.replace(
            score,
            pair=dataclasses.replace(score.pair, path=name, category=name),
            fields={**score.fields, "category": name},
        )
        for score, name in zip(evaluation.images, names, strict=True)
    ]
    groups = dict.fromkeys(names, evaluation.overall)
    return dataclasses.replace(
        evaluation, images=tuple(images), groups=groups, categories=groups, notes=tuple(names)
    )


@pytest.fixture
def plain_evaluation(tmp_path: Path) -> Evaluation:
    return make(tmp_path, [f"{category}/{index}.png" for category in ("stone", "wood") for index in range(4)])


@pytest.fixture
def hostile_evaluation(tmp_path: Path) -> Evaluation:
    save(tmp_path / "restored" / f"lost{HOSTILE}.png", 5)
    return make(tmp_path, [f"{HOSTILE}/{HOSTILE}.png"])


@pytest.fixture
def small_evaluation(tmp_path: Path) -> Evaluation:
    return make(tmp_path, ["a.png"], with_degraded=False)


@pytest.fixture
def make_evaluation():
    """The function that writes three folders and scores them."""
    return make


@pytest.fixture(scope="session")
def invent_evaluation():
    """The function that makes an evaluation out of numbers."""
    return invent


@pytest.fixture(scope="session")
def rename():
    """The function that gives the images of an evaluation other names."""
    return with_names


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A headless Chromium; skips, with a reason, where there is none."""
    spec = importlib.util.spec_from_file_location("report_browser", Path(__file__).with_name("browser.py"))
    driver = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(driver)
    command = driver.find_chromium()
    if command is None:
        pytest.skip("no Chromium is here: put one on the path, or name it by CHROMIUM")
    process = driver.Browser(command, tmp_path_factory.mktemp("profile"))
    yield process
    process.close()
