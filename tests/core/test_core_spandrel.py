"""Networks that spandrel reads, by a stand-in for what it documents: loader, descriptor, sizes, tiling."""

import argparse
import importlib.machinery
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import restorecli
from restorecli.cli.support.model_files import told
from restorecli.core.foreign import spandrel_files
from restorecli.errors import UsageError, WeightsError
from restorecli.folders.manifest import Manifest
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image


class Doubling(nn.Module):
    """Doubles the sides and darkens; takes sides that are multiples of 4 only."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.5))

    def forward(self, x):
        assert x.shape[2] % 4 == x.shape[3] % 4 == 0
        return self.gain * x.repeat_interleave(2, 2).repeat_interleave(2, 3)


class ImageModelDescriptor:
    """As spandrel documents it: (1, C, H, W) in [0, 1], padded to the sizes that the network asks for."""

    def __init__(self, channels=3, tiling="SUPPORTED", given=None):
        self.model = Doubling()
        self.architecture = types.SimpleNamespace(name="Doubling", id="Doubling")
        self.scale, self.input_channels, self.output_channels = 2, channels, given or channels
        self.size_requirements = types.SimpleNamespace(minimum=8, multiple_of=4, square=False)
        self.tiling = types.SimpleNamespace(name=tiling)
        self.seen = []

    def __call__(self, image):
        assert image.shape[0] == 1
        self.seen.append(tuple(image.shape[2:]))
        height, width = image.shape[2:]
        padded = F.pad(image, (0, -width % 4, 0, -height % 4), mode="replicate")
        return self.model(padded)[..., : 2 * height, : 2 * width].clamp(0, 1)


class MaskedImageModelDescriptor:
    architecture = types.SimpleNamespace(name="LaMa", id="LaMa")


class UnsupportedModelError(Exception):
    pass


@pytest.fixture
def spandrel(monkeypatch):
    """Install the stand-in; its loader gives what the test puts into `found`."""
    room = types.ModuleType("spandrel")
    room.__spec__ = importlib.machinery.ModuleSpec("spandrel", None)
    room.found = ImageModelDescriptor()

    class ModelLoader:
        def __init__(self, device):
            assert device == torch.device("cpu")

        def load_from_state_dict(self, tensors):
            assert [type(value) for value in tensors.values()] == [torch.Tensor]
            if isinstance(room.found, Exception):
                raise room.found
            return room.found

    room.ModelLoader, room.ImageModelDescriptor = ModelLoader, ImageModelDescriptor
    room.MaskedImageModelDescriptor = MaskedImageModelDescriptor
    room.UnsupportedModelError = UnsupportedModelError
    monkeypatch.setitem(sys.modules, "spandrel", room)
    monkeypatch.setattr(spandrel_files, "is_installed", lambda: True)
    return room


@pytest.fixture
def weights(tmp_path):
    torch.save({"strange.weight": torch.zeros(3, 3)}, tmp_path / "strange.pth")
    return tmp_path / "strange.pth"


@pytest.fixture
def folder(tmp_path):
    pixels = np.random.default_rng(0).random((3, 38, 50), np.float32)
    alpha = np.full((38, 50), 65535, np.uint16)
    alpha[:, 40:] = 0
    (tmp_path / "in").mkdir()
    write_image(tmp_path / "in" / "a.png", ImageData(pixels, FileTraits(depth=16, alpha=alpha)))
    return tmp_path / "in"


@pytest.mark.parametrize("tile", ["none", 24])
def test_it_goes_the_way_of_every_network(spandrel, weights, folder, tmp_path, tile):
    """Scale, tiles, depth and transparency are kept; the manifest knows the weights."""
    summary = restorecli.restore(folder, tmp_path / "out", model=str(weights), tile=tile)
    assert summary.failures == ()
    before, after = read_image(folder / "a.png"), read_image(tmp_path / "out" / "a.png")
    assert after.traits.depth == 16
    assert after.traits.alpha.shape == (76, 100)
    doubled = 0.5 * before.pixels.repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(after.pixels[:, :, :76], doubled[:, :, :76], atol=2e-5)
    record = Manifest(tmp_path / "out").read()["a.png"].restorer
    assert record["name"] == "Doubling (strange.pth)"
    assert len(record["weights"]) == 16
    assert max(spandrel.found.seen) == ((40, 52) if tile == "none" else (24, 24))


def test_options_beside_the_tensors_do_no_harm_and_prefixes_are_taken_off(spandrel, tmp_path):
    tensors = {"module.strange.weight": torch.zeros(3, 3)}
    torch.save({"params": tensors, "args": argparse.Namespace(lr=1)}, tmp_path / "w.pth")
    assert restorecli.load(tmp_path / "w.pth", device="cpu").spec.name == "Doubling (w.pth)"


def test_models_says_which_network_spandrel_knows_and_shows_the_tensors_of_others(spandrel, weights):
    assert ("network", "Doubling") in told(weights)[1]
    spandrel.found = UnsupportedModelError("nothing fits")
    assert ("strange.weight", "3x3") in told(weights)[1]


def test_models_names_the_extra_where_a_network_is_not_known(weights, monkeypatch):
    monkeypatch.setattr(spandrel_files, "is_installed", lambda: False)
    assert any("restorecli[spandrel]" in text for _, text in told(weights)[1])


@pytest.mark.parametrize("tiling", ["DISCOURAGED", "INTERNAL"])
def test_a_network_that_tiles_would_break_gets_whole_images(spandrel, weights, folder, tmp_path, tiling):
    spandrel.found = ImageModelDescriptor(tiling=tiling)
    assert restorecli.load(weights, device="cpu").spec.whole
    with pytest.raises(UsageError, match="whole image"):
        restorecli.restore(folder, tmp_path / "out", model=str(weights), tile=24)


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (UnsupportedModelError("nothing fits"), "not known which network"),
        (RuntimeError("shape 3 is not 4"), "spandrel cannot load"),
        (MaskedImageModelDescriptor(), "LaMa needs more than an image"),
        (ImageModelDescriptor(channels=4), "does not map an image"),
        (ImageModelDescriptor(channels=3, given=1), "does not map an image"),
    ],
)
def test_what_it_does_not_know_or_is_no_restorer_is_refused(spandrel, weights, found, problem):
    spandrel.found = found
    with pytest.raises(WeightsError, match=problem):
        restorecli.load(weights, device="cpu")


def test_without_it_the_refusal_names_the_extra(weights, monkeypatch):
    monkeypatch.setattr(spandrel_files, "is_installed", lambda: False)
    with pytest.raises(WeightsError, match="not known which network") as caught:
        restorecli.load(weights, device="cpu")
    assert "restorecli[spandrel]" in caught.value.hint
