"""`bench card`: weights leave a training with their measured scores, a page, and a failure to look at."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from restorecli.bench import publishing
from restorecli.bench.publishing import Plan, publish
from restorecli.bench.score_labels import read_label
from restorecli.bench.weights import measure
from restorecli.core.card_reading import Card
from restorecli.core.cards import to_markdown
from restorecli.core.models.catalog import create_model
from restorecli.core.weights import pack, read_weights
from restorecli.core.zoo import load
from restorecli.errors import DataError, UsageError
from restorecli.images.reading import read_image
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.methods.catalog import create_method

MANY = "soft, gaussian sigma 15, 8 bits, seed 0, 9 images"
FEW = "soft, gaussian sigma 15, 8 bits, seed 0, 3 images (every 3rd), 24x24 from the middle"
FAILURE = "soft, jpeg quality 10, 8 bits, seed 0, 9 images"
ARGUMENTS = {"channels": 1, "depth": 3, "width": 8, "batch_norm": False}


@pytest.fixture
def data(tmp_path):
    """Nine soft gray images of 40x32 in the folder `soft`."""
    (tmp_path / "data" / "soft").mkdir(parents=True)
    for seed in range(9):
        noise = np.random.default_rng(seed).uniform(0, 255, (32, 40))
        soft = np.clip(ndimage.gaussian_filter(noise, 4) * 4 - 380, 0, 255).astype(np.uint8)
        Image.fromarray(soft).save(tmp_path / "data" / "soft" / f"{seed}.png")
    return tmp_path / "data"


@pytest.fixture
def weights(tmp_path):
    torch.manual_seed(0)
    network = create_model("dncnn", **ARGUMENTS)
    scores = {"validation": {"psnr": 27.5}, MANY: {"psnr": 1.0}}
    card = Card("dncnn", ARGUMENTS, tag="tiny", channels=1, scores=scores, training={"steps": 7})
    file = tmp_path / "best.safetensors"
    file.write_bytes(pack(network.state_dict(), card))
    return file


def test_scores_are_those_of_the_file_that_is_written(weights, data, tmp_path) -> None:
    plan = Plan([MANY, FEW], ["median"], "fails at all", FAILURE, "4.png", {"core": "shared"})
    published = publish(weights, data, plan)
    file, page, image = published.write(tmp_path / "out")
    assert (file.name, page.name, image.name) == tuple(
        f"dncnn.tiny.{end}" for end in ("safetensors", "md", "jpg")
    )
    tensors, card = read_weights(file)
    assert {tensor.dtype for tensor in tensors.values()} == {torch.float16}
    assert page.read_text(encoding="utf-8") == to_markdown(card, image.name)
    assert list(card.scores) == ["validation", MANY, FEW]
    restorer = load(file, device="cpu", precision="fp32")
    for label in (MANY, FEW):
        again = measure(restorer, read_label(label), data)
        assert card.scores[label]["psnr"] == pytest.approx(again.psnr, abs=6e-4)
        assert card.scores[label]["ssim"] == pytest.approx(again.ssim, abs=6e-5)
        assert card.scores[label]["degraded_psnr"] == pytest.approx(again.degraded_psnr, abs=6e-4)
    assert card.scores[MANY]["psnr_interval"] == pytest.approx(
        measure(restorer, read_label(MANY), data).interval, abs=6e-3
    )
    median = measure(MethodRestorer(create_method("median", {})), read_label(MANY), data)
    assert card.scores[MANY]["median_psnr"] == pytest.approx(median.psnr, abs=6e-4)
    assert not {"psnr_interval", "median_psnr"} & set(card.scores[FEW])
    rough = measure(load(file, device="cpu", precision="bf16"), read_label(FEW), data)
    assert card.precision_loss["bf16"] == pytest.approx(card.scores[FEW]["psnr"] - rough.psnr, abs=1e-3)
    assert card.training == {"steps": 7, "core": "shared", "stored": "float16"}
    assert card.failures == "fails at all"
    shown = read_image(image).pixels
    original = read_image(data / "soft" / "4.png").pixels
    assert shown.shape[1:] == (32, 3 * 40 + 2 * publishing._GAP)
    assert np.abs(shown[:1, :, -40:] - original).mean() < 0.02, "the original is the right one"


def test_what_16_bits_would_harm_is_stored_in_32(weights, data, monkeypatch) -> None:
    monkeypatch.setattr(publishing, "MAX_STORING_LOSS", -1.0)
    published = publish(weights, data, Plan([FEW]))
    assert published.card.training["stored"] == "float32"
    assert published.shown is None
    assert "![" not in to_markdown(published.card)


def test_without_a_score_of_few_images_nothing_is_said_of_precisions(weights, data) -> None:
    card = publish(weights, data, Plan([MANY])).card
    assert card.precision_loss == {}
    assert card.training["stored"] == "float32"


@pytest.mark.parametrize("images", ["9 images", "3 images (every 3rd)"])
def test_images_that_come_back_as_they_were_have_no_score(data, tmp_path, images: str) -> None:
    network = create_model("dncnn", **ARGUMENTS)
    nothing = {name: torch.zeros_like(tensor) for name, tensor in network.state_dict().items()}
    file = tmp_path / "nothing.safetensors"
    file.write_bytes(pack(nothing, Card("dncnn", ARGUMENTS, tag="nothing", channels=1)))
    with pytest.raises(UsageError, match="infinite"):
        publish(file, data, Plan([f"soft, undamaged, {images}"]))


@pytest.mark.parametrize(
    ("plan", "error"),
    [
        (Plan(["soft, gaussian sigma 15"]), UsageError),
        (Plan(["soft, gaussian sigma 15, 8 bits, seed 0, 8 images"]), DataError),
        (Plan([FEW], failure=FAILURE, image="10.png"), DataError),
        (Plan([FEW], ["medain"]), UsageError),
    ],
)
def test_what_cannot_be_measured_is_refused(weights, data, plan, error) -> None:
    with pytest.raises(error):
        publish(weights, data, replace(plan, labels=[*plan.labels, MANY]))
