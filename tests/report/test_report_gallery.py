"""The gallery: which pairs are chosen, and how their images get into the page."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from restorecli.evaluation.folder import evaluate_folders
from restorecli.images.image import ImageData
from restorecli.images.writing import write_image
from restorecli.report.choice import choose
from restorecli.report.embed import BUDGET, MAX_PIXELS, embed
from restorecli.report.gallery import make_gallery
from restorecli.report.page import render_page
from restorecli.report.panels import Panel


def decoded(uri: str) -> Image.Image:
    kind, _, data = uri.partition(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def noise(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((channels, height, width), np.float32)


def test_the_choice_holds_the_extremes_and_of_each_category_the_median_and_the_worst(invent_evaluation):
    numbers = [(f"{i:02}.png", f"{'abc'[i % 3]}", 20.0, 25.0 + (i * 7) % 30) for i in range(30)]
    evaluation = invent_evaluation(numbers, metrics=("psnr",))
    chosen = {choice.score.pair.path: choice.reason for choice in choose(evaluation, 9)}
    scores = {path: after for path, _, _, after in numbers}
    assert chosen[min(scores, key=scores.get)].startswith("worst of all")
    assert chosen[max(scores, key=scores.get)] == "best of all, largest change"
    for category in "abc":
        members = sorted(after for _, name, _, after in numbers if name == category)
        words = [(scores[path], reason) for path, reason in chosen.items()]
        assert any(score == members[0] and "worst of 10" in reason for score, reason in words)
        assert any(score == members[4] and "median of 10" in reason for score, reason in words)


@pytest.mark.parametrize("limit", [0, 1, 3, 12, 40])
def test_the_choice_is_sorted_without_doubles_and_as_long_as_it_may_be(invent_evaluation, limit):
    evaluation = invent_evaluation([(f"{i:02}.png", f"{i % 5}", 20.0, 30.0 - i) for i in range(20)])
    names = [(c.score.pair.category, c.score.pair.path) for c in choose(evaluation, limit)]
    assert names == sorted(set(names))
    assert len(names) == min(limit, 20)


def test_small_images_are_embedded_whole_and_without_loss():
    panels = [Panel("restored", noise(40, 30)), Panel("reference", noise(40, 30, seed=1))]
    for panel, image in zip(panels, embed(panels, 10**6), strict=True):
        assert image.size == image.full == (30, 40)
        assert image.is_small
        levels = np.floor(panel.pixels * 255 + 0.5).astype(np.uint8).transpose(1, 2, 0)
        assert np.array_equal(np.asarray(decoded(image.uri).convert("RGB")), levels)


@pytest.mark.parametrize("room", [5_000_000, 600_000, 150_000, 20_000])
def test_large_images_are_cut_at_full_resolution_until_they_fit(room):
    panels = [Panel("restored", noise(700, 1100)), Panel("reference", noise(700, 1100, seed=1))]
    images = embed(panels, room)
    width, height = images[0].size
    taken = sum(len(image.uri) for image in images)
    assert taken <= room or width * height <= 64 * 48 + 100
    assert width * height <= MAX_PIXELS * 1.01
    assert taken > room / 2 or width * height > MAX_PIXELS * 0.98 or room < 50_000
    assert width / height == pytest.approx(11 / 7, rel=0.05)
    for panel, image in zip(panels, images, strict=True):
        assert image.is_cut
        top, left = round(350 - height / 2), round(550 - width / 2)
        part = np.floor(panel.pixels[:, top : top + height, left : left + width] * 255 + 0.5)
        assert np.array_equal(np.asarray(decoded(image.uri).convert("RGB")), part.transpose(1, 2, 0))


def test_a_down_scaled_image_is_shown_as_large_as_its_reference():
    small, large = embed([Panel("degraded", noise(10, 15)), Panel("reference", noise(20, 30))], 10**6)
    assert small.size == large.size
    doubled = np.asarray(decoded(small.uri).convert("RGB"))
    assert np.array_equal(doubled[::2, ::2], doubled[1::2, 1::2])


def test_the_cut_is_around_the_defect_where_a_mask_shows_one(tmp_path):
    size = (900, 1400)
    mask = np.zeros((1, *size), np.float32)
    mask[:, 820:860, 60:100] = 1
    for name in ("restored", "clean"):
        (tmp_path / name / "crack").mkdir(parents=True)
        write_image(tmp_path / name / "crack" / "a.png", ImageData(0.9 * mask + 0.05))
    (tmp_path / "masks" / "crack").mkdir(parents=True)
    write_image(tmp_path / "masks" / "crack" / "a.png", ImageData(mask))
    evaluation = evaluate_folders(
        tmp_path / "restored", tmp_path / "clean", masks=tmp_path / "masks", workers=1
    )
    html = render_page(evaluation, limit=1)
    uris = [part.split('"')[0] for part in html.split('src="')[1:]]
    shown = np.asarray(decoded(uris[0]).convert("L"))
    assert shown.shape[0] * shown.shape[1] < 0.4 * size[0] * size[1]
    assert (shown > 128).sum() == 40 * 40


def test_the_images_of_a_page_stay_within_their_budget(tmp_path, make_evaluation, monkeypatch):
    assert BUDGET < 20_000_000
    monkeypatch.setattr("restorecli.report.gallery.BUDGET", 1_000_000)
    evaluation = make_evaluation(tmp_path, [f"{index}.png" for index in range(6)], size=(200, 300))
    gallery = make_gallery(evaluation, 6)
    assert 800_000 < sum(len(image.uri) for card in gallery.cards for image in card.images) <= 1_000_000
    assert "its share of 1 MB" in gallery.words
    assert "take 1.0 MB" in gallery.words or "take 0.9 MB" in gallery.words


def test_every_shown_pair_has_three_images(plain_evaluation):
    html = render_page(plain_evaluation, limit=3)
    assert html.count("<img") == 9
    for label in ("degraded", "restored", "reference"):
        assert html.count(f'data-role="{label}"') == 3


def test_without_degraded_images_the_divider_is_against_the_reference(small_evaluation):
    html = render_page(small_evaluation, limit=3)
    assert html.count("<img") == 2
    assert 'alt="restored: a.png"' in html
    assert 'alt="reference: a.png"' in html


def test_an_image_that_is_gone_costs_only_itself(plain_evaluation):
    for score in plain_evaluation.images:
        if score.pair.category == "wood":
            score.pair.restored.path.unlink()
    html = render_page(plain_evaluation, limit=12)
    assert html.count("Cannot be shown") == 4
    assert html.count("<img") == 12


def test_only_the_fields_that_tell_images_apart_are_shown(invent_evaluation):
    evaluation = invent_evaluation(
        [("a.png", "x", 20.0, 30.0), ("b.png", "x", 20.0, 31.0)], fields={"model": "same"}
    )
    first, second = (card.details for card in make_gallery(evaluation, 2).cards)
    assert first == ("sigma 0",)
    assert second == ("sigma 1",)
