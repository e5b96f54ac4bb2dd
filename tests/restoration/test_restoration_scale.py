"""Networks that enlarge, through the whole chain: degrade, train, restore, evaluate."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

import restorecli
from restorecli.core.footprint import Footprint
from restorecli.core.restorer import RestorerSpec
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.errors import DataError
from restorecli.images.image import ImageData
from restorecli.images.reading import probe
from restorecli.restoration.backoff import BackingOff
from restorecli.restoration.budget import MAX_TILE_AREA, auto_tile
from restorecli.restoration.cutting import TileUse
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.job import _memory_of
from restorecli.restoration.plan import least_tile
from restorecli.restoration.tiling import restore_tiled

SIZES = {"even": (48, 64), "odd": (49, 67), "gray": (50, 51)}


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """Six smooth images, reduced to a half, and a network trained for 20 steps to undo it."""
    folder = tmp_path_factory.mktemp("scale")
    rng = np.random.default_rng(0)
    (folder / "clean").mkdir()
    for name, (height, width) in SIZES.items():
        kind = () if name == "gray" else (3,)
        coarse = rng.integers(0, 256, (7, 7, *kind), np.uint8)
        image = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
        for copy in "ab":
            image.save(folder / "clean" / f"{name}-{copy}.png")
    step = {"name": "downscale", "factor": 2}
    recipe = {
        "name": "double",
        "model": {"name": "resnet", "arguments": {"scale": 2, "blocks": 1, "width": 8}},
        "data": {"train": [{"clean": "clean"}], "degrade": [step], "crop": 32, "batch": 4},
        "validation": {"holdout": 2, "degrade": [step], "every": 20},
        "loss": {"charbonnier": 1},
        "budget": {"steps": 20},
    }
    (folder / "double.yaml").write_text(json.dumps(recipe), encoding="utf-8")
    restorecli.degrade(folder / "clean", folder / "low", noise=[step])
    restorecli.train(folder / "double.yaml", output=folder / "run", device="cpu")
    return folder


@pytest.mark.parametrize("tile", ["auto", 16])
def test_a_folder_is_enlarged_and_scored_at_the_size_of_its_references(chain, tile):
    output = chain / f"high-{tile}"
    weights = chain / "run" / "best.safetensors"
    summary = restorecli.restore(chain / "low", output, model=weights, tile=tile, device="cpu")
    assert summary.written == 6
    for name, (height, width) in SIZES.items():
        with Image.open(output / f"{name}-a.png") as image:
            assert image.size == (width // 2 * 2, height // 2 * 2)
            assert image.mode == ("L" if name == "gray" else "RGB")
    lines = [json.loads(line) for line in (output / "manifest.jsonl").read_text().splitlines()]
    assert [line["degradations"] for line in lines] == [[{"name": "downscale", "factor": 2}]] * 6
    evaluation = restorecli.evaluate(output)
    assert evaluation.unmatched == ()
    assert evaluation.overall.restored["psnr"].n == 6
    assert evaluation.overall.restored["psnr"].mean > 25
    cut = {
        score.pair.path: [note for note in score.notes if "cut from" in note] for score in evaluation.images
    }
    assert {name.partition("-")[0] for name, notes in cut.items() if notes} == {"odd", "gray"}


def test_tiles_of_a_network_that_enlarges_change_nothing(chain):
    images = [
        restorecli.restore(
            chain / "low", chain / f"tiles-{tile}", model=chain / "run" / "best.safetensors", tile=tile
        )
        for tile in ("none", 16)
    ]
    assert [summary.written for summary in images] == [6, 6]
    for name in SIZES:
        whole, tiled = (np.asarray(Image.open(chain / f"tiles-{t}" / f"{name}-b.png")) for t in ("none", 16))
        assert np.abs(whole.astype(int) - tiled).max() <= 1


def test_a_reference_that_differs_by_more_than_the_rim_is_still_a_fault(tmp_path):
    for folder, size in (("out", (64, 46)), ("ref", (67, 49)), ("low", (32, 23))):
        (tmp_path / folder).mkdir()
        Image.new("RGB", size).save(tmp_path / folder / "a.png")
    with pytest.raises(DataError, match="Not one pair"):
        restorecli.evaluate(tmp_path / "out", tmp_path / "ref", degraded=tmp_path / "low")


@pytest.mark.parametrize(
    ("name", "scale"), [("rdn", 3), ("rdn", 4), ("esrgan", 4), ("esrgan", 3), ("esrgan", 2), ("resnet", 3)]
)
def test_every_scale_enlarges_images_of_any_size(name, scale):
    sizes = {"rdn": {"blocks": 1, "layers": 1, "growth": 4}, "esrgan": {"blocks": 1, "growth": 4}}
    network = restorecli.create_model(name, scale=scale, width=4, **sizes.get(name, {"blocks": 1}))
    image_restorer = ImageRestorer(TorchRestorer(network, name=name, device=torch.device("cpu")))
    for size in ((1, 1), (7, 10)):
        for channels in (1, 3):
            pixels, use = image_restorer.restore(np.full((channels, *size), 0.5, np.float32))
            assert pixels.shape == (channels, scale * size[0], scale * size[1])
            assert use == TileUse()


def test_memory_is_reckoned_for_the_enlarged_image(chain, restorer_of):
    file = chain / "clean" / "even-a.png"
    assert _memory_of(probe(file), 1) == 48 * 64 * 16 * 3
    assert _memory_of(probe(file), 4) == 48 * 64 * 16 * 33
    fourfold = restorer_of(lambda batch: batch, scale=4)
    assert auto_tile(fourfold, Footprint(1), 1 << 40, 30_000, 30_000) == 1024
    assert MAX_TILE_AREA == (4 * 1024) ** 2


def test_a_very_wide_field_gives_way_when_memory_is_short(restorer_of):
    """Insisting on the overlap of such a network would end in an error instead of an image."""
    spec = RestorerSpec("wide", 3, multiple=4, receptive_field=1399)
    assert least_tile(spec) < 400 < least_tile(spec, 1398)

    def limited(batch):
        if max(batch.shape[-2:]) > 400:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return batch

    image = torch.rand(3, 700, 900)
    wide = restorer_of(limited, receptive_field=1399, multiple=4)
    torch.testing.assert_close(restore_tiled(BackingOff(wide), image, tile=None), image, atol=1e-6, rtol=0)
    image_restorer = ImageRestorer(wide)
    assert not image_restorer.tiles_change_nothing
    assert auto_tile(wide, Footprint(1), 350**2, 5000, 5000) == 348
    result, use = image_restorer(ImageData(image.numpy()))
    assert use.tile is not None
    assert not use.exact
    np.testing.assert_allclose(result.pixels, image.numpy(), atol=1e-6)
