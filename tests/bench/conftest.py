"""Folders that look like training data, for what fits the diagnosis."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

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
