"""The page in a real browser: what pointers, keys and choices do to its pixels."""

from __future__ import annotations

import base64
import re

import numpy as np
import pytest

from restorecli.evaluation.folder import evaluate_folders
from restorecli.evaluation.rivals import evaluate_rival
from restorecli.evaluation.statistics.comparison import compare
from restorecli.images.image import ImageData
from restorecli.images.reading import read_image
from restorecli.images.writing import write_image
from restorecli.report.gallery import make_gallery
from restorecli.report.maps import difference_map, error_map, log_spectrum
from restorecli.report.page import write_page
from restorecli.report.panels import to_image

RED, GREEN, BLUE = (200, 40, 40), (40, 185, 60), (30, 60, 190)
FIRST = ".card:not([hidden])"


def flat(color: tuple[int, int, int]) -> np.ndarray:
    """An image of one color whose right half is darker, so that a zoom can be seen; 4:3 as the stage."""
    pixels = np.empty((3, 48, 64), np.float32)
    pixels[:] = np.array(color, np.float32)[:, None, None] / 255
    pixels[:, :, 32:] *= 0.5
    return pixels


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Six pairs in two categories: degraded red, restored green (the last the brightest), reference blue."""
    root = tmp_path_factory.mktemp("colors")
    for index in range(6):
        name = f"{'stone' if index < 4 else 'wood'}/{index}.png"
        green = (GREEN[0], GREEN[1] + 5 * (index - 5), GREEN[2])
        for folder, color in (("degraded", RED), ("restored", green), ("clean", BLUE)):
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            write_image(root / folder / name, ImageData(flat(color)))
    evaluation = evaluate_folders(root / "restored", root / "clean", degraded=root / "degraded", workers=1)
    write_page(evaluation, root / "report.html")
    return root / "report.html"


@pytest.fixture
def page(browser, report):
    """The report, freshly opened in a tab of its own; nothing is asked for and nothing complains."""
    tab = browser.page()
    tab.open(report)
    yield tab
    assert tab.requests() == []
    assert tab.complaints() == []
    tab.close()


def mean_color(image: np.ndarray, left: float, right: float) -> np.ndarray:
    """The mean color of an upright strip, without the captions at the bottom."""
    height, width = image.shape[:2]
    return image[: height // 3, round(left * width) : round(right * width)].mean((0, 1))


def titles(page) -> list[str]:
    return page.run("[...document.querySelectorAll('.card:not([hidden]) h3')].map(e => e.textContent)")


def test_the_divider_follows_the_pointer_and_uncovers_the_right_images(page):
    box = page.box(f"{FIRST} .stage")
    before = page.screenshot(box)
    assert mean_color(before, 0.05, 0.45) == pytest.approx(RED, abs=2)
    assert mean_color(before, 0.55, 0.95) == pytest.approx(np.array(GREEN) / 2, abs=2)
    middle, height = box["x"] + box["width"] / 2, box["y"] + box["height"] / 4
    page.drag((middle, height), (box["x"] + 0.8 * box["width"], height))
    page.settle()
    after = page.screenshot(box)
    assert mean_color(after, 0.55, 0.75) == pytest.approx(np.array(RED) / 2, abs=2)
    assert mean_color(after, 0.85, 0.97) == pytest.approx(np.array(GREEN) / 2, abs=2)
    assert mean_color(after, 0.05, 0.45) == pytest.approx(RED, abs=2)
    assert page.run(f"Number(document.querySelector('{FIRST} .slider').value)") == pytest.approx(80, abs=1)


@pytest.mark.parametrize(
    ("compare", "left", "right"),
    [
        ("restored-reference", GREEN, BLUE),
        ("degraded-reference", RED, BLUE),
        ("degraded-restored", RED, GREEN),
    ],
)
def test_any_two_of_the_three_images_can_be_compared(page, compare, left, right):
    page.choose("#compare", compare)
    shown = page.screenshot(page.box(f"{FIRST} .stage"))
    assert mean_color(shown, 0.05, 0.45) == pytest.approx(left, abs=2)
    assert mean_color(shown, 0.55, 0.95) == pytest.approx(np.array(right) / 2, abs=2)


def test_side_by_side_shows_all_three_and_zooms_them_in_step(page):
    page.choose("#compare", "beside")
    box = page.box(f"{FIRST} .stage")
    shown = page.screenshot(box)
    for third, color in enumerate((RED, GREEN, BLUE)):
        assert mean_color(shown, third / 3 + 0.02, third / 3 + 0.15) == pytest.approx(color, abs=2)
    page.click(f"{FIRST} [data-zoom='1']")
    page.click(f"{FIRST} [data-zoom='1']")
    box = page.box(f"{FIRST} .stage")
    page.drag((box["x"] + 0.1 * box["width"], box["y"] + 50), (box["x"] + 0.25 * box["width"], box["y"] + 50))
    page.settle()
    shown = page.screenshot(box)
    for third, color in enumerate((RED, GREEN, BLUE)):  # pulled to the right: only the bright halves are seen
        assert mean_color(shown, third / 3 + 0.02, third / 3 + 0.31) == pytest.approx(color, abs=2)
    places = page.run(
        "[...document.querySelectorAll('[data-index=\"0\"] .view')]"
        ".map(e => [e.clientWidth, new DOMMatrix(getComputedStyle(e).transform)])"
        ".map(([width, m]) => [m.a, m.e / width, m.f / width])"
    )
    assert np.ptp(places, axis=0) == pytest.approx(0, abs=0.01)
    assert places[0][0] == 4


def test_zooming_enlarges_around_the_middle_and_back(page):
    scale = f"new DOMMatrix(getComputedStyle(document.querySelector('{FIRST} .view')).transform).a"
    for wanted in (2, 4, 8, 8):
        page.click(f"{FIRST} [data-zoom='1']")
        assert page.run(scale) == wanted
    assert page.run(f"document.querySelector('{FIRST} output').textContent") == "8×"
    page.click(f"{FIRST} [data-zoom='-1']")
    assert page.run(scale) == 4
    page.press("0")
    assert page.run(scale) == 1


def test_a_filter_shows_one_category(page):
    assert len(titles(page)) == 6
    page.choose("#category", "1")
    assert titles(page) == ["wood/5.png", "wood/4.png"]
    assert page.run("document.querySelector('#status').textContent") == "2 of 6 pairs"
    assert page.box(".card[hidden]")["height"] == 0
    page.choose("#category", "all")
    assert len(titles(page)) == 6


def visible(page) -> int:
    return page.run("[...document.querySelectorAll('.card')].filter(e => e.offsetParent !== null).length")


def test_the_first_pairs_stand_before_the_numbers_and_a_button_or_a_key_shows_the_others(page):
    assert page.run("document.querySelector('.stage').getBoundingClientRect().top") < 300
    assert visible(page) == 4
    page.choose("#order", "best")
    assert visible(page) == 4
    for _ in range(5):
        page.press("n")
    assert page.run("document.activeElement.closest('.card').dataset.index") == "1"
    assert visible(page) == 6
    assert not page.run("document.querySelector('#unfold')")


def test_the_order_follows_the_choice(page):
    numbers = [int(re.findall(r"\d", title)[0]) for title in titles(page)]
    assert numbers == [5, 4, 3, 2, 1, 0]  # the brighter green is farther from the blue reference
    for order, expected in (
        ("best", [0, 1, 2, 3, 4, 5]),
        ("gain", [0, 1, 2, 3, 4, 5]),
        ("loss", [5, 4, 3, 2, 1, 0]),
        ("change", [0, 1, 2, 3, 4, 5]),
    ):
        page.choose("#order", order)
        assert [int(re.findall(r"\d", title)[0]) for title in titles(page)] == expected, order


def test_keys_do_what_the_list_of_keys_says(page):
    value = "Number(document.activeElement.value)"
    page.press("n")
    assert page.run("document.activeElement.closest('.card').dataset.index") == "0"
    for _ in range(3):
        page.press("ArrowRight")
    assert page.run(value) == 51.5
    page.press("ArrowLeft")
    assert page.run(value) == 51
    assert page.run("getComputedStyle(document.activeElement.closest('.stage')).outlineStyle") == "solid"
    page.press("n")
    assert page.run("document.activeElement.closest('.card').dataset.index") == "1"
    page.press("p")
    assert page.run("document.activeElement.closest('.card').dataset.index") == "0"
    left = (
        f"parseFloat(getComputedStyle(document.querySelector('{FIRST} .stage')).getPropertyValue('--left'))"
    )
    page.press("+")
    assert page.run(left) == pytest.approx(-50)
    page.press("ArrowRight", shift=True)
    assert page.run(left) == pytest.approx(-60)
    page.press("3")
    assert page.run("document.querySelector('[data-view-button=error]').ariaPressed") == "true"
    page.press("c")
    assert page.run("document.querySelector('#compare').value") == "restored-reference"
    page.press("?")
    assert page.run("document.querySelector('#keys').open")


def test_the_tab_key_reaches_every_control_in_reading_order(page):
    seen = []
    for _ in range(30):
        page.press("Tab")
        seen.append(
            page.run(
                "(e => e.id || e.dataset.viewButton || e.dataset.zoom || e.parentElement.id || e.className)"
                "(document.activeElement)"
            )
        )
    order = ["theme", "category", "order", "metric", "compare", "image", "spectrum"]
    places = [seen.index(name) for name in order]
    assert places == sorted(places)
    first = next(place for place, name in enumerate(seen) if name.startswith("slider"))
    assert first > places[-1]
    assert seen[first + 1 : first + 3] == ["-1", "1"]
    assert seen.index("keys") > seen.index("unfold") > first


def canvas_of(page, role: str) -> np.ndarray:
    """What a map's canvas holds, as (H, W, 3) uint8."""
    page.wait(f"document.querySelector('{FIRST} [data-role={role}] canvas:not([hidden])')")
    width, height, data = page.run(
        "(c => { const copy = new OffscreenCanvas(c.width, c.height)"
        ".getContext('2d', {willReadFrequently: true}); copy.drawImage(c, 0, 0);"
        " const levels = copy.getImageData(0, 0, c.width, c.height).data;"
        " return [c.width, c.height, btoa(String.fromCharCode(...levels))]; })"
        f"(document.querySelector('{FIRST} [data-role={role}] canvas'))"
    )
    levels = np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)
    assert (levels[..., 3] == 255).all()
    return levels[..., :3]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_maps_are_those_that_python_draws(browser, tmp_path, channels):
    generator = np.random.default_rng(channels)
    clean = generator.integers(0, 256, (channels, 32, 64)).astype(np.float32) / 255
    for folder, spread in (("degraded", 0.5), ("restored", 0.1), ("clean", 0.0)):
        (tmp_path / folder).mkdir()
        noise = generator.normal(0, spread, clean.shape) if spread else np.zeros(clean.shape)
        pixels = np.clip(clean + noise, 0, 1).astype(np.float32)
        write_image(tmp_path / folder / "a.png", ImageData(pixels))
    evaluation = evaluate_folders(
        tmp_path / "restored", tmp_path / "clean", degraded=tmp_path / "degraded", workers=1
    )
    write_page(evaluation, tmp_path / "report.html")
    page = browser.page()
    page.open(tmp_path / "report.html")
    page.box(f"{FIRST} .stage")
    reference = read_image(tmp_path / "clean" / "a.png").pixels
    for role in ("degraded", "restored"):
        pixels = read_image(tmp_path / role / "a.png").pixels
        for view, expected in (
            ("difference", difference_map(pixels, reference)),
            ("error", error_map(pixels, reference)),
            ("spectrum", log_spectrum(pixels)),
        ):
            page.run(f"document.querySelector('[data-view-button={view}]').click()")
            page.wait(f"document.querySelector('{FIRST} .stage').dataset.view === '{view}'")
            drawn = canvas_of(page, role).astype(int)
            wanted = np.asarray(to_image(expected).convert("RGB")).astype(int)
            assert np.abs(drawn - wanted).max() <= 1, (role, view)
    assert page.complaints() == []
    page.close()


def brightness(page) -> float:
    return float(page.screenshot()[:60, :20].mean())


def test_dark_and_light_by_the_system_by_the_button_and_by_a_key(page):
    page.prefer("light")
    page.settle()
    assert brightness(page) > 240
    page.prefer("dark")
    page.settle()
    assert brightness(page) < 40
    assert page.run("document.querySelector('#theme').textContent") == "Light"
    page.click("#theme")
    page.settle()
    assert brightness(page) > 240
    page.press("t")
    assert brightness(page) < 40
    page.prefer("light")
    page.settle()
    assert brightness(page) < 40  # the reader's choice stands


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_no_one_has_to_scroll_sideways(page, width):
    page.resize(width, 800, phone=width < 700)
    page.run("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    for choice in ("degraded-restored", "beside"):
        page.choose("#compare", choice)
        assert page.run("document.documentElement.scrollWidth") <= width
        assert page.run("document.body.scrollWidth") <= width


def test_a_finger_moves_the_divider(page):
    page.resize(390, 800, phone=True)
    box = page.box(f"{FIRST} .stage")
    height = box["y"] + box["height"] / 4
    page.swipe((box["x"] + box["width"] / 2, height), (box["x"] + 0.2 * box["width"], height))
    page.settle()
    assert page.run(f"Number(document.querySelector('{FIRST} .slider').value)") == pytest.approx(20, abs=1)


def test_without_scripts_numbers_charts_and_images_are_there(browser, report):
    page = browser.page()
    page.without_scripts()
    page.open(report)
    for selector in (".tiles", ".chart svg", "table", ".card img"):
        box = page.box(selector)
        assert box["width"] > 50
        assert box["height"] > 10
    assert page.box(".toolbar")["height"] == 0
    shown = page.screenshot(page.box(".stage"))
    for third, color in enumerate((RED, GREEN, BLUE)):
        assert mean_color(shown, third / 3 + 0.02, third / 3 + 0.15) == pytest.approx(color, abs=35)
    assert page.complaints() == []
    page.close()


def test_hostile_names_run_nothing_and_break_nothing(browser, invent_evaluation, tmp_path):
    names = [
        "</script><script>window.hacked = 1</script>",
        "<img src=x onerror='window.hacked = 1'>",
        '"><svg onload=window.hacked=1>',
        "\u202egnp.exe\ud800\x00",
        "long" * 800,
    ]
    evaluation = invent_evaluation(
        [(name, name, 20.0, 25.0) for name in names], notes=tuple(names), fields={"model": names[0]}
    )
    write_page(evaluation, tmp_path / "report.html", title=names[0], about=names)
    page = browser.page()
    page.resize(390, 800, phone=True)
    page.open(tmp_path / "report.html")
    assert page.run("window.hacked") is None
    assert page.run("document.documentElement.classList.contains('live')")
    assert page.run("document.documentElement.scrollWidth") <= 390
    assert page.run("document.querySelectorAll('script').length") == 2
    assert set(titles(page)) == {*names[:3], r"\u202egnp.exe\ud800\x00", names[4]}
    assert page.complaints() == []
    assert page.requests() == []
    page.close()


def test_the_policy_stops_what_escaping_would_have_missed(browser, report, tmp_path):
    attack = "<img src=x onerror='window.hacked=1'><script>window.hacked=1</script><script src='https://x.test/'></script>"
    broken = tmp_path / "broken.html"
    broken.write_text(report.read_text().replace("<main>", f"<main>{attack}"))
    page = browser.page()
    page.open(broken)
    assert page.run("window.hacked") is None
    assert any("Content Security Policy" in text for text in page.complaints())
    page.close()


@pytest.mark.slow
@pytest.mark.data
def test_a_real_evaluation_opens_in_peace(browser, data_folder, tmp_path):
    clean = data_folder / "magnetic-tile" / "test" / "images"
    degraded = tmp_path / "degraded"
    generator = np.random.default_rng(0)
    for path in sorted(clean.rglob("*.jpg"))[::12]:
        target = degraded / path.relative_to(clean).with_suffix(".png")
        target.parent.mkdir(parents=True, exist_ok=True)
        pixels = read_image(path).pixels
        noisy = np.clip(pixels + generator.normal(0, 0.1, pixels.shape), 0, 1).astype(np.float32)
        write_image(target, ImageData(noisy))
    evaluation = evaluate_folders(degraded, clean, workers=1)
    assert make_gallery(evaluation, 3).details["cards"]
    write_page(evaluation, tmp_path / "report.html")
    page = browser.page()
    page.open(tmp_path / "report.html")
    page.press("4")
    page.press("n")
    page.wait("document.querySelector('canvas:not([hidden])')")
    assert page.requests() == []
    assert page.complaints() == []
    page.close()


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """One pair with a mask and two other methods, whose images are yellow and white; a page about them."""
    root = tmp_path_factory.mktemp("methods")
    colors = {"degraded": RED, "ours": GREEN, "clean": BLUE, "tv": (230, 220, 20), "b-m": (250, 250, 250)}
    for folder, color in colors.items():
        (root / folder / "crack").mkdir(parents=True)
        write_image(root / folder / "crack" / "a.png", ImageData(flat(color)))
    mask = np.zeros((1, 48, 64), np.float32)
    mask[:, 10:30, 8:24] = 1
    (root / "masks" / "crack").mkdir(parents=True)
    write_image(root / "masks" / "crack" / "a.png", ImageData(mask))
    evaluation = evaluate_folders(
        root / "ours", root / "clean", degraded=root / "degraded", masks=root / "masks", workers=1
    )
    others = {name: evaluate_rival(evaluation, root / name, workers=1) for name in ("tv", "b-m")}
    comparison = compare(evaluation, others, name="ours")
    write_page(evaluation, root / "report.html", comparison=comparison)
    return root / "report.html"


def test_other_methods_can_be_chosen_in_the_viewer(browser, compared):
    page = browser.page()
    page.open(compared)
    page.run("document.querySelector('#outline').click()")
    words = page.run("[...document.querySelector('#compare').options].map(e => e.textContent)")
    assert words[3:] == ["ours | tv", "tv | reference", "ours | b-m", "b-m | reference", "side by side"]
    for value, left, right in (
        ("restored-other0", GREEN, (230, 220, 20)),
        ("other1-reference", (250, 250, 250), BLUE),
    ):
        page.choose("#compare", value)
        shown = page.screenshot(page.box(f"{FIRST} .stage"))
        assert mean_color(shown, 0.05, 0.45) == pytest.approx(left, abs=2)
        assert mean_color(shown, 0.55, 0.95) == pytest.approx(np.array(right) / 2, abs=2)
    captions = page.run(f"[...document.querySelectorAll('{FIRST} figcaption')].map(e => e.textContent)")
    assert captions == ["degraded", "ours", "tv", "b-m", "reference"]
    assert page.run("document.documentElement.scrollWidth") <= 1280
    assert page.complaints() == []
    page.close()


def test_the_outline_of_a_defect_lies_on_its_border_and_can_be_taken_away(browser, compared):
    page = browser.page()
    page.open(compared)
    box = page.box(f"{FIRST} .stage")

    def is_drawn() -> bool:
        shown = page.screenshot(box).astype(int)
        height, width = shown.shape[:2]
        row = round(20 / 48 * height)
        border, inside = round(8 / 64 * width), round(12 / 64 * width)
        assert shown[row, inside] == pytest.approx(RED, abs=3)
        return bool(np.abs(shown[row, border - 1 : border + 2] - np.array(RED)).sum() > 100)

    assert is_drawn()
    page.press("o")
    assert not is_drawn()
    page.press("o")
    assert is_drawn()
    page.close()


def test_nothing_is_cut_at_the_width_of_a_notebook(browser, invent_evaluation, tmp_path):
    """Two other methods and three metrics: every table fits, and no choice hides its words."""
    numbers = [(f"{i}.png", f"category {i % 3}", 20.0 + i / 7, 30.0 + i / 3) for i in range(12)]
    metrics = ("psnr", "ssim", "gmsd")
    ours = invent_evaluation(numbers, metrics=metrics)
    shifted = [(path, category, before, after - 2 - after / 99) for path, category, before, after in numbers]
    others = {name: invent_evaluation(shifted, metrics=metrics) for name in ("median", "plug-and-play")}
    write_page(ours, tmp_path / "report.html", comparison=compare(ours, others, name="sca-unet"))
    page = browser.page()
    page.open(tmp_path / "report.html")
    page.run("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    cut = page.run(
        "[...document.querySelectorAll('.scroll, .chart, .card, .toolbar')]"
        ".filter(e => e.scrollWidth > e.clientWidth + 1)"
        ".map(e => e.getAttribute('aria-label') ?? e.className)"
    )
    assert cut == []
    assert page.run("document.documentElement.scrollWidth") <= 1280
    page.close()
