"""Evaluations to draw, one of them with hostile names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from restorecli.evaluate.folder import evaluate_folders
from restorecli.evaluate.result import Evaluation
from restorecli.images.picture import Picture
from restorecli.images.writing import write_picture

HOSTILE = "<script>alert(1)<&\"'\u202e\x1b[31m"


def save(path: Path, seed: int, size: tuple[int, int] = (24, 32)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    levels = np.random.default_rng(seed).integers(0, 256, (3, *size))
    write_picture(path, Picture((levels / 255).astype(np.float32)))


def make(
    root: Path, names: list[str], *, with_degraded: bool = True, size: tuple[int, int] = (24, 32)
) -> Evaluation:
    for index, name in enumerate(names):
        for offset, folder in enumerate(("clean", "restored", "degraded")):
            save(root / folder / name, 10 * index + offset, size)
    degraded = root / "degraded" if with_degraded else None
    return evaluate_folders(root / "restored", root / "clean", degraded=degraded, workers=1)


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
