"""`restorecli bands`: the chart and the numbers of a frequency selection."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from restorecli import create_model
from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import MODELS
from restorecli.core.weights import pack


@pytest.fixture
def dusty(shell) -> Path:
    """A smooth image with a strong sinusoid over it."""
    rng = np.random.default_rng(0)
    wave = 40 * np.cos(2 * np.pi * 0.25 * np.arange(80))
    pixels = 120 + wave + rng.normal(0, 4, (60, 80))
    Image.fromarray(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8)).save(shell.folder / "dusty.png")
    return shell.folder / "dusty.png"


@pytest.fixture
def weights(shell) -> Path:
    torch.manual_seed(0)
    arguments = dict(MODELS["swm"].small)
    file = shell.folder / "swm.safetensors"
    file.write_bytes(pack(create_model("swm", **arguments).state_dict(), Card("swm", arguments)))
    return file


def test_the_name_of_a_file_is_refused_where_charts_go_into_a_folder(shell, dusty) -> None:
    assert "try: -o/--output chart\n" in shell("restorecli bands dusty.png -o chart.png", code=2).err
    (shell.folder / "old.png").mkdir()
    shell("restorecli bands dusty.png -o old.png")
    assert (shell.folder / "old.png" / "dusty.png").is_file()


def test_an_image_alone_gives_one_chart_and_a_table(shell, dusty) -> None:
    answer = shell("restorecli bands dusty.png")
    assert len([line for line in answer.out.splitlines() if line.startswith("image")]) == 3
    with Image.open(shell.folder / "bands" / "dusty.png") as chart:
        assert chart.size[0] > 1000
    assert "wrote bands" in answer.err


def test_the_sinusoid_is_found_in_its_band(shell, dusty) -> None:
    document = shell("restorecli bands dusty.png --json").data
    (layer,) = document["layers"]
    _, middle, _ = layer["bands"]
    assert middle["removed"] > 0.9
    assert middle["suppressed"] < 0.05
    assert [band["strictness"] for band in layer["bands"]] == pytest.approx([2, 2, 2])


def test_the_tolerance_is_an_option(shell, dusty) -> None:
    document = shell("restorecli bands dusty.png --lambda 50 --json").data
    assert all(band["suppressed"] == 0 for band in document["layers"][0]["bands"])


def test_every_layer_of_a_network_gets_a_chart(shell, dusty, weights) -> None:
    document = shell(f"restorecli bands dusty.png --model {weights} --side 48 -o out --json").data
    files = [Path(layer["file"]) for layer in document["layers"]]
    assert [file.name for file in files] == [
        "dusty.encoder.0.2.selection.png",
        "dusty.encoder.1.2.selection.png",
        "dusty.encoder.2.1.selection.png",
        "dusty.bottleneck.0.selection.png",
    ]
    assert all((shell.folder / file).is_file() for file in files)


def test_no_image_beside_the_examined_one_is_overwritten(shell, dusty) -> None:
    Image.open(dusty).convert("RGB").save(shell.folder / "dusty.jpg")
    before = dusty.read_bytes()
    for name in ("dusty.png", "dusty.jpg"):
        assert "overwrite" in shell(f"restorecli bands {name} -o .", code=2).err
    assert dusty.read_bytes() == before


def test_what_makes_no_sense_is_refused(shell, dusty, weights) -> None:
    assert "untrained layer" in shell(f"restorecli bands dusty.png --model {weights} --lambda 3", code=2).err
    assert "selects no frequencies" in shell("restorecli bands dusty.png --model sca-unet", code=2).err
    shell("restorecli bands nothing.png", code=3)
    assert not (shell.folder / "bands").exists()
