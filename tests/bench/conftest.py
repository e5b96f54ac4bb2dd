"""Folders that look like training data, for what fits the diagnosis."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from restorecli.cli.app import build
from restorecli.diagnosis.faint.hidden_layer import read_hidden_layer
from restorecli.folders.samples import read_sample

FOLDERS = (
    "bsds400",
    "sand-dust/train/dusty",
    "sand-dust/train/clean",
    "magnetic-tile/train/images/x",
    "train400-gray",
)


@pytest.fixture(scope="module")
def training_folder(tmp_path_factory) -> Callable[[int], Path]:
    """Returns a folder laid out like the training data, of one photograph of so many pixels in each."""

    def made(side: int) -> Path:
        folder = tmp_path_factory.mktemp("data")
        part = read_sample("coffee").pixels[:, 60 : 60 + side, 100 : 100 + side]
        photo = np.rint(255 * part.transpose(1, 2, 0))
        for place in FOLDERS:
            (folder / place).mkdir(parents=True)
            suffix = "png" if place == "train400-gray" else "jpg"
            Image.fromarray(photo.astype(np.uint8)).save(folder / place / f"0.{suffix}")
        return folder

    return made


@pytest.fixture
def check_written_models(tmp_path) -> Callable[[str, int, tuple[Path, ...]], None]:
    """Returns a check that `bench diagnosis --part PART` writes models like those that ship."""

    def check(part: str, count: int, shipped: tuple[Path, ...]) -> None:
        line = ["bench", "diagnosis", "--data", str(tmp_path), "-o", str(tmp_path / "new"), "--part", part]
        done = CliRunner().invoke(build(), line, prog_name="restorecli")
        assert done.exit_code == 0, done.stderr
        assert f"to {count} examples" in done.stderr
        for file in shipped:
            model, known = read_hidden_layer(tmp_path / "new" / file.name), read_hidden_layer(file)
            assert set(model.measurements) <= set(known.measurements)
            assert len(model.hidden) == len(known.hidden)

    return check
