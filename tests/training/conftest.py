"""A tiny training set and a recipe that runs in a second."""

import signal

import numpy as np
import pytest
import yaml
from PIL import Image
from torch.utils._python_dispatch import TorchDispatchMode

from restorecli.training.monitor import SilentMonitor

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


WAITS = ("aten::_local_scalar_dense", "aten::is_nonzero", "aten::equal", "aten::nonzero")
"""What asks the device for a value: .item(), float(t), bool(t), t.tolist(), torch.equal, sizes by values."""


class Waits(TorchDispatchMode):
    """Counts how often the device is waited for."""

    def __init__(self):
        super().__init__()
        self.found = []

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        if function._schema.name in WAITS:
            self.found.append(function._schema.name)
        return function(*arguments, **(named or {}))


@pytest.fixture
def waits():
    """The counter of waits for the device."""
    return Waits


class SignalAfter(SilentMonitor):
    """Sends this process a signal when a step is done, as a user's Ctrl-C does."""

    def __init__(self, step, number=signal.SIGINT):
        self.at, self.number = step, number

    def step(self, step, fraction):
        if step == self.at:
            signal.raise_signal(self.number)


@pytest.fixture
def signal_after():
    """The monitor that stops a training after a step."""
    return SignalAfter
