"""Networks that take the level of the noise are told it: by the caller, the manifest, or the estimate."""

import numpy as np
import pytest
import torch

import restorecli
from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.ops.noise_level import estimate_noise
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.weights import pack
from restorecli.errors import UsageError
from restorecli.folders.manifest import Manifest
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer

SMALL = {"width": 8, "blocks": 1, "channels": 3}


@pytest.fixture(scope="module")
def network():
    """A small DRUNet whose result depends on the level that it is told."""
    torch.manual_seed(0)
    return create_model("drunet", **SMALL).eval()


@pytest.fixture
def weights(tmp_path, network):
    file = tmp_path / "drunet.safetensors"
    file.write_bytes(pack(network.state_dict(), Card("drunet", SMALL, channels=3)))
    return file


@pytest.fixture
def clean(tmp_path):
    folder = tmp_path / "clean"
    folder.mkdir()
    write_image(
        folder / "a.png", ImageData(0.25 + 0.5 * np.random.default_rng(0).random((3, 48, 40), np.float32))
    )
    return folder


def expected(network, pixels, sigma):
    with torch.no_grad():
        told = network(torch.from_numpy(pixels)[None], torch.tensor([float(sigma)]))[0]
    return told.clamp(0, 1).numpy()


def restored(weights, source, output, **known):
    assert restorecli.restore(source, output, model=str(weights), **known).failures == ()
    record = Manifest(output).read()["a.png"].restorer
    return read_image(output / "a.png").pixels, record


def test_the_caller_s_level_reaches_the_network(weights, network, clean, tmp_path):
    pixels = read_image(clean / "a.png").pixels
    for sigma in (5, 60):
        got, record = restored(weights, clean, tmp_path / f"out{sigma}", sigma=sigma)
        np.testing.assert_allclose(got, expected(network, pixels, sigma), atol=0.5 / 255 + 1e-5)
        assert record["sigma"] == sigma
        assert "found" not in record


def test_the_manifest_s_level_reaches_the_network(weights, network, clean, tmp_path):
    restorecli.degrade(clean, tmp_path / "noisy", noise=[{"name": "gaussian", "sigma": 40}])
    pixels = read_image(tmp_path / "noisy" / "a.png").pixels
    got, record = restored(weights, tmp_path / "noisy", tmp_path / "out")
    np.testing.assert_allclose(got, expected(network, pixels, 40), atol=0.5 / 255 + 1e-5)
    assert "found" not in record


def test_else_the_level_is_estimated_from_the_whole_image_also_in_tiles(network, clean):
    restorer = TorchRestorer(network, name="drunet", device=torch.device("cpu"))
    pixels = np.tile(read_image(clean / "a.png").pixels, (1, 6, 6))
    pixels[:, :144] = pixels[:, :144] * 0.1
    level = float(estimate_noise(torch.from_numpy(pixels)[None])[0])
    whole, tiled = Context(), Context()
    one, _ = ImageRestorer(restorer)(ImageData(pixels), whole)
    other, use = ImageRestorer(restorer, tile=200)(ImageData(pixels), tiled)
    assert whole.found.values == tiled.found.values == {"estimated_sigma": round(level, 3)}
    np.testing.assert_allclose(one.pixels, expected(network, pixels, level), atol=1e-5)
    assert use.tile == 200
    assert use.exact
    np.testing.assert_allclose(other.pixels, one.pixels, atol=1e-5)


def test_a_network_with_a_level_of_its_own_keeps_it_where_nothing_else_is_known(network):
    fixed = create_model("drunet", **SMALL, sigma=15.0)
    fixed.load_state_dict(network.state_dict())
    restorer = TorchRestorer(fixed, name="drunet", device=torch.device("cpu"))
    pixels = np.random.default_rng(1).random((3, 32, 32), np.float32)
    own, _ = ImageRestorer(restorer)(ImageData(pixels), Context())
    told, _ = ImageRestorer(restorer)(ImageData(pixels), Context(sigma=50.0))
    np.testing.assert_allclose(own.pixels, expected(network, pixels, 15), atol=1e-5)
    np.testing.assert_allclose(told.pixels, expected(network, pixels, 50), atol=1e-5)


def test_another_level_is_another_result_and_the_same_is_finished(weights, clean, tmp_path):
    runs = [
        restorecli.restore(clean, tmp_path / "out", model=str(weights), sigma=s).written for s in (5, 5, 9)
    ]
    assert runs == [1, 0, 1]


def test_a_network_that_takes_no_level_refuses_one(clean, tmp_path):
    with pytest.raises(UsageError, match="for methods and networks that take a noise level"):
        restorecli.restore(clean, tmp_path / "out", model="sca-unet", sigma=25)
