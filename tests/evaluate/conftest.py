"""Small folders of pictures to evaluate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from restorecli.images.picture import FileTraits, Picture
from restorecli.images.writing import write_picture

Save = Callable[..., Path]


@pytest.fixture
def save() -> Save:
    """Write a random picture, or the given pixels, to a path whose folders are made."""

    def write(path: Path, seed: int = 0, *, size=(16, 20), channels=3, pixels=None, alpha=False) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        if pixels is None:
            levels = np.random.default_rng(seed).integers(0, 256, (channels, *size))
            pixels = (levels / 255).astype(np.float32)
        mask = np.full(pixels.shape[1:], 255, np.uint8) if alpha else None
        write_picture(path, Picture(pixels, FileTraits(alpha=mask)))
        return path

    return write
