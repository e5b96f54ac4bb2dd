"""`bench weights`: labels of cards tell how their scores come out again."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

import restorecli
from restorecli.bench import weights as bench
from restorecli.bench.score_labels import Protocol, read_label
from restorecli.bench.weights import bench_weights, measure
from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.shipped import ShippedWeights, find_shipped, shipped
from restorecli.core.weights import pack, read_weights
from restorecli.core.zoo import load
from restorecli.errors import DataError, WeightsError


@pytest.fixture
def data(tmp_path):
    """Three soft color images of 48x40 in the folder `soft` and, degraded to gray, in `pairs/worse`."""
    for place in ("soft", "soft/crack", "pairs/worse", "pairs/better"):
        (tmp_path / place).mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.png", "crack/c.png")):
        noise = np.random.default_rng(seed).uniform(0, 255, (40, 48, 3))
        soft = np.clip(ndimage.gaussian_filter(noise, (4, 4, 0)) * 4 - 380, 0, 255).astype(np.uint8)
        Image.fromarray(soft).save(tmp_path / "soft" / name)
        Image.fromarray(soft).save(tmp_path / "pairs" / "better" / f"{seed}.png")
        Image.fromarray(soft // 2 + 60).save(tmp_path / "pairs" / "worse" / f"{seed}.png")
    return tmp_path


def test_labels_are_read() -> None:
    assert read_label(
        "cbsd68, gaussian-blur sigma 1.6 + jpeg quality 10, 8 bits, seed 2, 23 images (every 3rd)"
    ) == Protocol(
        "cbsd68",
        23,
        ({"name": "gaussian-blur", "sigma": "1.6"}, {"name": "jpeg", "quality": "10"}),
        seed=2,
        every=3,
    )
    assert read_label(
        "magnetic-tile/test/images, category crack, gaussian sigma 20, unclipped, seed 0, 8 images"
    ) == Protocol(
        "magnetic-tile/test/images",
        8,
        ({"name": "gaussian", "sigma": "20"},),
        unclipped=True,
        category="crack",
    )
    assert read_label("cbsd68, undamaged, 4 images (every 17th), 160x160 from the middle") == Protocol(
        "cbsd68", 4, every=17, side=160
    )
    assert read_label("sand-dust/test, dusty and clean, 17 images") == Protocol(
        "sand-dust/test", 17, pair=("dusty", "clean")
    )
    assert read_label(
        "cbsd68, downscale factor 2, 8 bits, seed 0, 4 images (every 17th), 160x160 from the middle, "
        "basicsr-y:2"
    ) == Protocol(
        "cbsd68", 4, ({"name": "downscale", "factor": "2"},), every=17, side=160, scoring="basicsr-y:2"
    )


@pytest.mark.parametrize(
    "label",
    [
        "validation",
        "cbsd68, Gaussian noise of sigma 25, unclipped, seed 0, 68 images",
        "cbsd68, undamaged, 68 images, basics-y",
        "",
    ],
)
def test_other_labels_are_no_protocol(label) -> None:
    assert read_label(label) is None


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_every_score_of_a_shipped_card_can_be_measured_again(weights: ShippedWeights) -> None:
    labels = [label for label in read_weights(weights.path)[1].scores if label != "validation"]
    assert labels
    assert [label for label in labels if read_label(label) is None] == []


@pytest.mark.parametrize("unclipped", [False, True])
def test_a_score_is_what_the_commands_give(data, unclipped) -> None:
    chain = ({"name": "gaussian-blur", "sigma": "1"}, {"name": "gaussian", "sigma": "40"})
    measured = measure(
        load("sca-unet", device="cpu", precision="fp32"), Protocol("soft", 3, chain, unclipped, 5), data
    )
    restorecli.degrade(data / "soft", data / "worse", noise=list(chain), unclipped=unclipped, seed=5)
    restorecli.restore(data / "worse", data / "back", model="sca-unet", device="cpu", precision="fp32")
    overall = restorecli.evaluate(data / "back").to_dict()["overall"]
    assert measured.psnr == pytest.approx(overall["restored"]["psnr"], abs=1e-6)
    assert measured.ssim == pytest.approx(overall["restored"]["ssim"], abs=1e-6)
    assert measured.degraded_psnr == pytest.approx(overall["degraded"]["psnr"], abs=1e-6)
    assert measured.interval == pytest.approx(overall["restored"]["psnr_interval"], abs=1e-6)


@pytest.mark.parametrize("factor", [2, 3])
@pytest.mark.parametrize("scoring", ["basicsr-y", "rgb"])
def test_an_enlarging_network_is_scored_at_the_large_size(data, factor, scoring) -> None:
    """Against the commands; what is compared as degraded is the method `bicubic`."""
    torch.manual_seed(0)
    network = create_model("resnet", scale=factor, blocks=1, width=4)
    file = data / "large.safetensors"
    file.write_bytes(pack(network.state_dict(), Card("resnet", {"scale": factor, "blocks": 1, "width": 4})))
    chain = ({"name": "downscale", "factor": str(factor)},)
    protocol = Protocol("soft", 3, chain, seed=5, scoring=scoring)
    measured = measure(load(file, device="cpu", precision="fp32"), protocol, data)
    restorecli.degrade(data / "soft", data / "small", noise=list(chain), seed=5)
    for model, out in ((str(file), "large"), ("bicubic", "cubic")):
        restorecli.restore(data / "small", data / out, model=model, device="cpu")
    large, cubic = (
        restorecli.evaluate(data / out, protocol=scoring).to_dict()["overall"]["restored"]
        for out in ("large", "cubic")
    )
    assert measured.psnr == pytest.approx(large["psnr"], abs=1e-6)
    assert measured.ssim == pytest.approx(large["ssim"], abs=1e-6)
    assert measured.degraded_psnr == pytest.approx(cubic["psnr"], abs=1e-6)


def test_pairs_categories_and_undamaged_images(data) -> None:
    restorer = load("sca-unet", device="cpu", precision="fp32")
    pairs = measure(restorer, Protocol("pairs", 3, pair=("worse", "better")), data)
    assert pairs.degraded_psnr < 30
    crack = measure(restorer, Protocol("soft", 1, ({"name": "gaussian"},), category="crack"), data)
    assert crack.interval is None
    undamaged = measure(restorer, Protocol("soft", 2, every=2, side=32), data)
    assert math.isinf(undamaged.degraded_psnr)
    assert undamaged.psnr > crack.psnr


def test_a_card_that_tells_too_much_is_noticed(data, monkeypatch) -> None:
    tensors, card = read_weights(find_shipped("sca-unet.gaussian").path)
    label = "soft, gaussian sigma 25, 8 bits, seed 0, 3 images"
    file = data / "sca-unet.own.safetensors"
    file.write_bytes(
        pack(tensors, replace(card, scores={label: {"psnr": 60.0}, "validation": {"psnr": 1.0}}))
    )
    monkeypatch.setattr(bench, "find_shipped", lambda name: ShippedWeights("sca-unet", "own", file))
    (row,) = bench_weights(data, only=["own"])
    assert row.label == label
    assert row.differs
    assert row.difference == pytest.approx(row.measured.psnr - 60)
    right = {label: {"psnr": round(row.measured.psnr, 3)}}
    file.write_bytes(pack(tensors, replace(card, scores=right)))
    (row,) = bench_weights(data, only=["own"])
    assert not row.differs
    assert row.to_dict()["measured"]["psnr"] == row.measured.psnr


def test_missing_images_are_told_before_anything_is_measured(tmp_path) -> None:
    with pytest.raises(DataError):
        bench_weights(tmp_path, only=["swm.sand-dust"])
    (tmp_path / "sand-dust" / "test" / "clean").mkdir(parents=True)
    with pytest.raises(DataError) as caught:
        bench_weights(tmp_path, only=["swm.sand-dust"])
    assert "17 images" in str(caught.value.expected)
    with pytest.raises(WeightsError):
        bench_weights(tmp_path, only=["swm.sand"])
    with pytest.raises(DataError):
        bench_weights(tmp_path, only=["swm.sand-dust"], images=1)
