"""Holes: as much is lost as asked, where the mask says, and nothing else changes."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from restorecli.degradation.chain import Chain, degrade_array, image_rng
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.families.holes import Holes
from restorecli.degradation.folder import degrade_folder
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image

KINDS = ("box", "boxes", "bernoulli", "strokes", "text")
every = pytest.mark.parametrize("kind", KINDS)


def rng(key="holes"):
    return image_rng(0, key)


def make_image(channels=3, height=48, width=64):
    return 0.1 + 0.8 * np.random.default_rng(7).random((channels, height, width), dtype=np.float32)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(KINDS[1:]),
    share=st.floats(0, 1),
    size=st.floats(0.05, 1),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
def test_exactly_the_asked_share_is_lost(kind, share, size, height, width) -> None:
    lost = Holes(kind=kind, share=share, size=size).mask((height, width), rng())
    assert np.count_nonzero(lost) == round(share * height * width)


@given(share=st.floats(0, 1), height=st.integers(1, 60), width=st.integers(1, 60))
def test_a_middle_box_has_the_asked_share_up_to_whole_sides(share, height, width) -> None:
    lost = Holes(kind="box", share=share).mask((height, width), rng())
    assert abs(np.count_nonzero(lost) - share * height * width) <= 0.5 * (height + width) + 0.25
    rows, columns = lost.any(axis=1), lost.any(axis=0)
    assert np.count_nonzero(lost) == rows.sum() * columns.sum()  # a box
    if lost.any():
        assert abs(np.flatnonzero(rows).mean() - (height - 1) / 2) <= 0.5
        assert abs(np.flatnonzero(columns).mean() - (width - 1) / 2) <= 0.5


@every
@pytest.mark.parametrize("fill", ["white", "black", "mean"])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_mask_tells_what_changed_and_the_rest_is_as_it_was(kind, fill, channels) -> None:
    image, holes = make_image(channels), Holes(kind=kind, fill=fill, share=0.3)
    lost = holes.mask(image.shape[1:], rng())
    result = holes.apply(image, rng())
    np.testing.assert_array_equal(result[:, ~lost], image[:, ~lost])
    filled = result[:, lost]
    assert (filled == filled[:, :1]).all()
    expected = {"white": 1.0, "black": 0.0, "mean": image[:, ~lost].mean(axis=1)}[fill]
    np.testing.assert_allclose(filled[:, 0], expected, atol=1e-6)
    np.testing.assert_array_equal((result != image).any(axis=0), lost)


def test_kinds_look_like_their_names() -> None:
    """A thin shape is gone after a small erosion, a solid one is not."""
    solid = {kind: _left_after_erosion(kind) for kind in KINDS}
    assert solid["bernoulli"] < 0.05
    assert solid["text"] < 0.35
    assert solid["box"] > 0.8
    assert solid["boxes"] > 0.6
    assert 0.2 < solid["strokes"] < solid["box"]


def _left_after_erosion(kind):
    lost = Holes(kind=kind, share=0.25, size=0.12).mask((128, 128), rng())
    return ndimage.binary_erosion(lost, np.ones((5, 5)), border_value=1).sum() / lost.sum()


@every
def test_everything_can_be_lost(kind) -> None:
    result = Holes(kind=kind, share=1, fill="mean").apply(make_image(), rng())
    np.testing.assert_array_equal(result, 0.5)


@every
def test_other_images_get_other_holes_but_the_middle_box_stays(kind) -> None:
    one, two = (Holes(kind=kind).mask((40, 40), rng(key)) for key in "ab")
    assert np.array_equal(one, two) == (kind == "box")


def test_the_folder_job_writes_the_mask_beside_the_images(tmp_path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write_image(source / "a.png", ImageData(make_image()))
    chain = Chain.from_specs([{"name": "holes", "kind": "boxes", "fill": "black"}])
    degrade_folder(source, tmp_path / "out", chain, seed=3)
    line = json.loads((tmp_path / "out" / "manifest.jsonl").read_text())
    assert line["degradations"][0]["mask"] == "masks/a.png"
    written = read_image(tmp_path / "out" / "masks" / "a.png").pixels[0] > 0.5
    degraded = read_image(tmp_path / "out" / "a.png").pixels
    np.testing.assert_array_equal(written, (degraded == 0).all(axis=0))
    assert np.count_nonzero(written) == round(0.25 * 48 * 64)


def test_the_chain_and_its_mask_agree() -> None:
    chain = Chain.from_specs(["gaussian", {"name": "holes", "fill": "black"}])
    result, steps = degrade_array(make_image(), chain, 5, "k")
    lost = damage_mask((48, 64), steps, 5, "k")
    np.testing.assert_array_equal((result == 0).all(axis=0), lost)
