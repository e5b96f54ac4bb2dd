"""The shipped weights that enlarge, through functions of Python: kinds of files, tiles, what they gain."""

import numpy as np
import pytest
from PIL import Image
from skimage import color

import restorecli
from restorecli.core.shipped import shipped
from restorecli.core.weights import read_weights
from restorecli.core.zoo import load
from restorecli.folders.samples import read_sample
from restorecli.images.image import ImageData
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.catalog import METHODS
from restorecli.restoration.purposes import model_named

SCALES = {
    weights.name: int(scale)
    for weights in shipped()
    if (scale := read_weights(weights.path)[1].arguments.get("scale", 1)) > 1
}


@pytest.fixture(params=SCALES)
def name(request):
    return request.param


@pytest.fixture
def small(name):
    """A photograph, (H, W, 3) in 8 bits and some 40 pixels a side, and what it was reduced from."""
    factor = SCALES[name]
    large = read_sample("astronaut").pixels[:, : 40 * factor, 40 : 40 + 44 * factor]
    large = np.round(255 * large.transpose(1, 2, 0)).astype(np.uint8)
    return restorecli.degrade_image(large, [{"name": "downscale", "factor": factor}]), large


def sides(pixels, factor):
    return pixels.shape[0] * factor, pixels.shape[1] * factor


def test_x2_ships() -> None:
    assert SCALES["resnet.x2"] == 2


def test_the_tag_alone_is_a_word_for_it(name) -> None:
    tag = name.partition(".")[2]
    assert model_named(tag) == model_named(tag.upper()) == name
    assert model_named("upscale") in METHODS, "what takes any factor stays behind the general words"


def test_it_restores_more_than_interpolation(name, small) -> None:
    """In luma by scikit-image, another judge than the metrics of the project."""
    degraded, reference = small
    factor = SCALES[name]
    wanted = color.rgb2gray(reference)
    network, cubic = (
        np.mean((color.rgb2gray(restorecli.restore_image(degraded, model, **more)) - wanted) ** 2)
        for model, more in ((name, {}), ("bicubic", {"parameters": {"factor": factor}}))
    )
    assert 10 * np.log10(cubic / network) > {2: 1, 3: 0.7, 4: 0.5}[factor]


def test_color_gray_and_alpha_in_8_and_16_bits_keep_their_kind(name, small) -> None:
    degraded, _ = small
    factor = SCALES[name]
    plain = restorecli.restore_image(degraded, name)
    assert plain.dtype == np.uint8
    assert plain.shape == (*sides(degraded, factor), 3)
    deep = restorecli.restore_image(degraded.astype(np.uint16) * 257, name)
    assert deep.dtype == np.uint16
    assert np.abs(deep / 257 - plain).max() <= 0.51
    gray = restorecli.restore_image(degraded[..., 1], name)
    assert gray.shape == sides(degraded, factor)
    alpha = np.full(degraded.shape[:2], 255, np.uint8)
    alpha[:10] = 0
    seen = restorecli.restore_image(np.dstack([degraded, alpha]), name)
    assert np.array_equal(seen[..., 3], alpha.repeat(factor, 0).repeat(factor, 1))
    assert np.abs(seen[20 * factor + 40 :, :, :3].astype(int) - plain[20 * factor + 40 :]).max(initial=0) <= 1


def test_one_file_and_a_folder_give_the_same(name, small, tmp_path) -> None:
    degraded, _ = small
    (tmp_path / "in" / "sub").mkdir(parents=True)
    Image.fromarray(degraded).save(tmp_path / "in" / "sub" / "a.png")
    Image.fromarray(degraded[..., 0]).save(tmp_path / "in" / "gray.png")
    word = name.partition(".")[2]
    assert restorecli.restore(tmp_path / "in", tmp_path / "out", model=word).written == 2
    restorecli.restore(tmp_path / "in" / "sub" / "a.png", tmp_path / "one.png", model=name)
    with Image.open(tmp_path / "out" / "sub" / "a.png") as first, Image.open(tmp_path / "one.png") as second:
        assert first.size == sides(degraded, SCALES[name])[::-1]
        assert np.array_equal(np.asarray(first), np.asarray(second))
    with Image.open(tmp_path / "out" / "gray.png") as gray:
        assert gray.mode == "L"


def test_tiles_are_equal_to_the_whole(name) -> None:
    """Tiles that share what the network sees, and others, which say that they change something."""
    pixels = np.random.default_rng(0).uniform(0.2, 0.8, (3, 131, 150)).astype(np.float32)
    restorer = load(name, device="cpu", precision="fp32")
    whole, _ = ImageRestorer(restorer, tile="none")(ImageData(pixels))
    tiled, use = ImageRestorer(restorer, tile=120)(ImageData(pixels))
    assert use.exact
    assert use.tile == 120
    np.testing.assert_allclose(tiled.pixels, whole.pixels, atol=1e-5)
    near, use = ImageRestorer(restorer, tile=64, overlap=8)(ImageData(pixels))
    assert not use.exact
    assert np.abs(near.pixels - whole.pixels).mean() < 1e-3
