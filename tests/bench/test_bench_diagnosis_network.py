"""The training of the network that looks for damage."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from safetensors import safe_open

from restorecli.bench import diagnosis_network
from restorecli.bench.diagnosis_network import CLASSES, Crops, train_network
from restorecli.bench.diagnosis_votes import held_out_examples
from restorecli.degradation.catalog import DEGRADATIONS
from restorecli.errors import DataError
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image

FOLDERS = (
    "bsds400", "sand-dust/train/clean", "sand-dust/train/dusty",
    "magnetic-tile/train/images/crack", "train400-gray",
)  # fmt: skip


@pytest.fixture
def data(tmp_path):
    """Five photographs in each of the folders, the last of which is held out."""
    for folder in FOLDERS:
        (tmp_path / folder).mkdir(parents=True)
        suffix = "png" if folder == "train400-gray" else "jpg"
        for number, name in enumerate(("chelsea", "coffee", "astronaut", "chelsea", "coffee")):
            pixels = read_sample(name).pixels[:, :224, : 224 + 8 * number]
            write_image(tmp_path / folder / f"{number}.{suffix}", ImageData(pixels))
    return tmp_path


def test_crops_have_every_damage_and_shares_that_add_up(data) -> None:
    seen = np.zeros(len(CLASSES))
    for images, targets in islice(Crops(data), 12):
        assert images.shape[0] == targets.shape[0]
        assert images.shape[1] == 3
        assert images.shape[2] == images.shape[3]
        assert images.min() >= 0
        assert images.max() <= 1
        np.testing.assert_allclose(targets.sum(dim=1), 1)
        seen += targets.sum(dim=0).numpy()
    assert (seen > 0).all()
    assert seen.argmax() == CLASSES.index("none")
    assert set(CLASSES[1:]) == set(DEGRADATIONS) - {
        "downscale",
        "camera-noise",
        "film-grain",
        "halftone-screen",
    }


def test_crops_are_the_same_again(data) -> None:
    one, other = next(iter(Crops(data))), next(iter(Crops(data)))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])


@pytest.mark.slow
def test_a_short_training_writes_weights_that_go_on(data, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(diagnosis_network, "_SIDES", ((64, 8),))
    output = tmp_path / "network.safetensors"
    train_network(data, output, 5 / 3600)
    with safe_open(output, "pt") as file:
        assert tuple(file.metadata()["classes"].split(",")) == CLASSES
        before = file.get_tensor("classify.weight")
    train_network(data, output, 5 / 3600, output)
    with safe_open(output, "pt") as file:
        assert not np.array_equal(file.get_tensor("classify.weight").float(), before.float())


def test_held_out_examples_are_none_of_the_crops(data, tmp_path) -> None:
    names = {example.name.split()[0] for example in islice(held_out_examples(data), 12)}
    assert names <= {"4.jpg", "4.png"}


def test_a_missing_folder_is_named(tmp_path) -> None:
    with pytest.raises(DataError, match="no training images"):
        Crops(tmp_path)
