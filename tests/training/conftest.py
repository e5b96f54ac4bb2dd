"""A tiny training set and a recipe that runs in a second."""

import numpy as np
import pytest
import yaml
from PIL import Image

RECIPE = {
    "name": "tiny",
    "model": {"name": "dncnn", "arguments": {"channels": 1, "depth": 3, "width": 4}},
    "data": {
        "train": [{"clean": "images"}],
        "degrade": [{"name": "gaussian", "sigma": "5..40"}],
        "crop": 16,
        "batch": 2,
    },
    "validation": {"holdout": 2, "degrade": [{"name": "gaussian", "sigma": 25}], "every": 4},
    "loss": {"charbonnier": 1, "ssim": 0.3},
    "ema": 0.9,
    "budget": {"steps": 8},
    "save_every": 2,
}


@pytest.fixture
def workshop(tmp_path):
    """A folder with five small images (four gray, one in color) below `images`."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "images" / "kind"
    folder.mkdir(parents=True)
    for number in range(4):
        smooth = np.kron(rng.integers(0, 255, (6, 7), np.uint8), np.ones((6, 6), np.uint8))
        Image.fromarray(smooth).save(folder / f"{number}.png")
    Image.fromarray(rng.integers(0, 255, (30, 34, 3), np.uint8)).save(folder / "colour.png")
    return tmp_path


@pytest.fixture
def write_recipe(workshop):
    """Write the recipe with sections changed; returns its path."""

    def write(name="tiny.yaml", **changes):
        content = {**RECIPE, **changes}
        path = workshop / name
        path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
        return path

    return write
