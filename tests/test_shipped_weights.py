"""The scores on the cards of the shipped weights, made again by the four verbs on the real test images."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.fft import dctn, idctn
from skimage.restoration import denoise_tv_chambolle

import restorecli
from restorecli.bench.publishing import MANY
from restorecli.bench.score_labels import read_label
from restorecli.bench.weights import TOLERANCE as ROUNDING
from restorecli.bench.weights import measure
from restorecli.core.device import training_precision
from restorecli.core.shipped import find_shipped, shipped
from restorecli.core.weights import read_weights
from restorecli.core.zoo import load
from restorecli.evaluation.statistics.lost_defects import lost_defects
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image
from restorecli.tune.crops import middle

pytestmark = [pytest.mark.data, pytest.mark.slow, pytest.mark.timeout(900)]

TOLERANCE = 0.005
"""dB; what another CPU's order of additions and the eval of rounded files may change."""

CATEGORIES = {"blowhole", "break", "crack", "fray", "free", "uneven"}
BLUR, NOISE = 1.5, 20
BLUR_AND_NOISE = [{"name": "gaussian-blur", "sigma": BLUR}, {"name": "gaussian", "sigma": NOISE}]

Plane = NDArray[np.float64]
"""A gray image, (H, W) in [0, 1]."""


def scores_of(name: str) -> Mapping[str, Mapping[str, float]]:
    return read_weights(find_shipped(name).path)[1].scores


def test_noise_of_sigma_25(data_folder, tmp_path) -> None:
    """The four verbs, by way of files, give the score that `bench weights` measures in memory."""
    name, images = "sca-unet.gaussian", "cbsd68"
    label = f"{images}, gaussian sigma 25, 8 bits, seed 0, 4 images (every 17th), 160x160 from the middle"
    card, protocol = scores_of(name)[label], read_label(label)
    assert protocol is not None
    (tmp_path / "clean").mkdir()
    for file in protocol.files(data_folder):
        pixels = middle(read_image(file.path).pixels, height=160, width=160)
        write_image(tmp_path / "clean" / file.path.name, ImageData(pixels))
    noise = [{"name": "gaussian", "sigma": 25}]
    restorecli.degrade(tmp_path / "clean", tmp_path / "degraded", noise=noise, seed=0)
    restorecli.restore(
        tmp_path / "degraded", tmp_path / "restored", model=name, device="cpu", precision="fp32"
    )
    overall = restorecli.evaluate(tmp_path / "restored").to_dict()["overall"]
    assert overall["n"] == 4
    assert overall["restored"]["psnr"] == pytest.approx(card["psnr"], abs=TOLERANCE)
    assert overall["degraded"]["psnr"] == pytest.approx(card["degraded_psnr"], abs=TOLERANCE)
    assert overall["restored"]["ssim"] == pytest.approx(card["ssim"], abs=2e-4)


def test_blurred_and_noisy_inspection_images_keep_their_scores_and_beat_total_variation(
    data_folder, tmp_path
) -> None:
    source = data_folder / "magnetic-tile" / "test" / "images"
    restorecli.degrade(source, tmp_path / "degraded", noise=BLUR_AND_NOISE, seed=1)
    restorecli.restore(
        tmp_path / "degraded", tmp_path / "restored", model="sca-unet.noise-blur", device="cpu"
    )
    evaluation = restorecli.evaluate(tmp_path / "restored")
    cards = {
        match[1]: score
        for label, score in scores_of("sca-unet.noise-blur").items()
        if (match := re.search(r"category (\w+), .* sigma 20, .* seed 1", label))
    }
    assert set(cards) == set(evaluation.categories) == CATEGORIES
    for category, card in cards.items():
        scores = [image.final["psnr"] for image in evaluation.images if image.pair.category == category]
        assert np.mean(scores) == pytest.approx(card["psnr"], abs=TOLERANCE)
        pairs = pairs_of(source / category, tmp_path / "degraded" / category)
        assert np.mean(scores[:8]) > best_total_variation(pairs[:8]) + 0.65, category
        limit = np.mean([spectral_limit(original, noisy) for original, noisy in pairs])
        assert np.mean(scores) > limit - 0.35, category


def test_kept_defects_lose_little_and_cost_little(data_folder, tmp_path) -> None:
    """The promise of --keep-defects: at most 1 defect in 12 loses more than 10 points, for little PSNR."""
    tiles = data_folder / "magnetic-tile" / "test"
    for category in CATEGORIES - {"free"}:
        shutil.copytree(tiles / "images" / category, tmp_path / "tiles" / category)
    (tmp_path / "tiles" / "free").mkdir()
    for tile in sorted((tiles / "images" / "free").iterdir())[:4]:
        shutil.copy(tile, tmp_path / "tiles" / "free")
    restorecli.degrade(tmp_path / "tiles", tmp_path / "degraded", noise=BLUR_AND_NOISE, seed=1)
    with_weights = {"model": "sca-unet.noise-blur", "device": "cpu", "precision": "fp32"}
    restorecli.restore(tmp_path / "degraded", tmp_path / "kept", **with_weights, keep_defects=True)
    restorecli.restore(tmp_path / "degraded" / "free", tmp_path / "plain", **with_weights)
    plain = restorecli.evaluate(tmp_path / "plain", tmp_path / "tiles" / "free", metrics=["psnr"])
    scored = restorecli.evaluate(tmp_path / "kept", metrics=["psnr", "defect-score"], masks=tiles / "masks")
    lost = lost_defects(scored.images)
    assert lost is not None
    assert lost.judged >= 36
    assert len(lost.entries) <= lost.judged / 12, lost.sentence
    for label, card in scores_of("sca-unet.noise-blur").items():
        if (match := re.search(r"category (\w+), .* sigma 20, .* seed 1", label)) is not None:
            kept = [image.final["psnr"] for image in scored.images if image.pair.category == match[1]]
            if match[1] == "free":  # four tiles of the thirty on the card
                assert np.mean(kept) > np.mean([image.final["psnr"] for image in plain.images]) - 0.1
            else:
                assert np.mean(kept) > card["psnr"] - 0.3, match[1]


def test_sand_dust_is_taken_off_better_than_without_learning(data_folder, tmp_path) -> None:
    folder = data_folder / "sand-dust" / "test"
    reached = {}
    for model, precision in (("swm", "fp32"), ("dedust", "auto")):
        out = tmp_path / model
        restorecli.restore(folder / "dusty", out, model=model, device="cpu", precision=precision)
        scores = restorecli.evaluate(tmp_path / model, folder / "clean", degraded=folder / "dusty")
        reached[model] = scores.to_dict()["overall"]
    (card,) = (score for label, score in scores_of("swm.sand-dust").items() if "dusty" in label)
    assert reached["swm"]["n"] == 17
    assert reached["swm"]["restored"]["psnr"] == pytest.approx(card["psnr"], abs=TOLERANCE)
    assert reached["swm"]["degraded"]["psnr"] == pytest.approx(card["degraded_psnr"], abs=TOLERANCE)
    assert reached["swm"]["restored"]["psnr"] > reached["dedust"]["restored"]["psnr"] + 2


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_scores_on_few_images_come_out_again(data_folder, weights) -> None:
    """Scores are those of fp32: what bf16 costs is tested by itself. Three labels of a card are enough."""
    protocols = {label: read_label(label) for label in scores_of(weights.name)}
    few = [label for label, protocol in protocols.items() if protocol is not None and protocol.images == 4]
    network = load(weights.path, device="cpu", precision="fp32")
    for label in [*few[:2], few[-1]]:
        measured = measure(network, protocols[label], data_folder).psnr
        assert measured == pytest.approx(scores_of(weights.name)[label]["psnr"], abs=ROUNDING), label


@pytest.mark.parametrize("weights", shipped(), ids=lambda weights: weights.name)
def test_bf16_costs_what_the_card_says(data_folder, weights) -> None:
    """In the mean of damaged images, of few of which the card tells scores."""
    if training_precision("auto", torch.device("cpu")) != torch.bfloat16:
        pytest.skip("this CPU has no bfloat16: it is never taken by itself, and takes minutes here")
    card = read_weights(weights.path)[1]
    if not card.precision_loss:
        pytest.skip("restores in fp32 unless asked for another precision")
    protocols = [protocol for label in card.scores if (protocol := read_label(label)) is not None]
    quick = [protocol for protocol in protocols if protocol.images < MANY and protocol.damage]
    exact, fast = (load(weights.path, device="cpu", precision=precision) for precision in ("fp32", "bf16"))
    lost = [
        measure(exact, protocol, data_folder).psnr - measure(fast, protocol, data_folder).psnr
        for protocol in quick
    ]
    assert np.mean(lost) == pytest.approx(card.precision_loss["bf16"], abs=0.005)


def pairs_of(clean: Path, degraded: Path) -> list[tuple[Plane, Plane]]:
    """Return the originals of one category and what was made of them, in [0, 1]."""
    return [
        (read_plane(original), read_plane(degraded / f"{original.stem}.png"))
        for original in sorted(clean.iterdir())
    ]


def read_plane(path: Path) -> Plane:
    return read_image(path).pixels[0].astype(np.float64)


def spectral_limit(original: Plane, noisy: Plane) -> float:
    """Return the PSNR of the Wiener filter that is told the true power of every frequency of this image.

    In the basis of the DCT-II the blur (Gaussian, mirrored at the border) multiplies each coefficient by
    itself alone, so this is the best that any linear filter of the image's spectrum can do; no method knows
    what it is told.
    """
    rows, columns = (np.arange(side) / (2 * side) for side in original.shape)
    passed = np.exp(-2 * (np.pi * BLUR) ** 2 * (rows[:, None] ** 2 + columns**2))
    power = dctn(original, norm="ortho") ** 2
    wiener = passed * power / (passed**2 * power + (NOISE / 255) ** 2)
    restored = idctn(wiener * dctn(noisy, norm="ortho"), norm="ortho").clip(0, 1)
    return float(-10 * np.log10(np.mean((restored - original) ** 2)))


def best_total_variation(pairs: Sequence[tuple[Plane, Plane]]) -> float:
    """Return the mean PSNR of the best of three weights: 0.1 and 0.3 do no better on any category."""
    means = []
    for weight in (0.14, 0.18, 0.23):
        errors = [
            np.mean((denoise_tv_chambolle(noisy.astype(np.float32), weight).clip(0, 1) - original) ** 2)
            for original, noisy in pairs
        ]
        means.append(np.mean(-10 * np.log10(errors)))
    return float(max(means))


@pytest.mark.parametrize("name", ["SCA-UNet", "sca_unet", "SCA-UNet.Gaussian"])
def test_shipped_weights_are_found_in_any_case(name: str) -> None:
    assert find_shipped(name).name == "sca-unet.gaussian"


def test_rain_goes_from_a_jpeg_nearly_as_from_what_it_was_made_of() -> None:
    """Weights that had seen drawn streaks to the last digit alone left half of them in a JPEG."""
    clean = np.rint(255 * read_sample("coffee").pixels.transpose(1, 2, 0)[40:232, 100:292]).astype(np.uint8)
    rain, jpeg = {"name": "rain", "severity": 3}, {"name": "jpeg", "quality": 95}
    wet, saved = (restorecli.degrade_image(clean, specs) for specs in ([rain], [rain, jpeg]))
    dry, from_jpeg = (
        restorecli.score(restorecli.restore_image(image, "sca-unet.rain", precision="fp32"), clean)
        for image in (wet, saved)
    )
    assert from_jpeg["psnr"] > dry["psnr"] - 4
