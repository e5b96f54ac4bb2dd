"""Contact sheets: which images stand beside one another, and what of them is seen."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from restorecli.errors import DataError, ResourceError, UsageError
from restorecli.folders.walking import walk
from restorecli.images.drawn import is_drawing
from restorecli.report import sheet as sheet_module
from restorecli.report.inset import fitted
from restorecli.report.lineup import Row, Tile, View, headings, line_up, rows, spread
from restorecli.report.plots import write_plots
from restorecli.report.sheet import contact_sheet, write_sheet
from restorecli.report.strips import write_strip

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def paint(path: Path, color: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, color).save(path)
    return path


@pytest.fixture
def trees(tmp_path):
    """Three folders: degraded (PNG), restored (other suffix), reference (flat, by stem)."""
    for index in range(5):
        paint(tmp_path / "degraded" / "a" / f"{index}.png", RED)
        paint(tmp_path / "restored" / "a" / f"{index}.bmp", GREEN)
        paint(tmp_path / "reference" / f"{index}.png", BLUE)
    return [tmp_path / name for name in ("degraded", "restored", "reference")]


def test_matches_are_found_by_path_then_by_stem(trees):
    lineup = line_up(trees, 3)
    assert lineup.columns == ("degraded", "restored", "reference")
    assert [entry.name for entry in lineup.entries] == ["a/0.png", "a/1.png", "a/3.png"]
    assert lineup.total == 5
    assert [Path(file).name for file in lineup.entries[1].files] == ["1.png", "1.bmp", "1.png"]


def test_files_stand_beside_one_another_whatever_their_names(tmp_path):
    one, other = paint(tmp_path / "before.png", RED), paint(tmp_path / "after.png", GREEN)
    assert line_up([one, other], 1).entries[0].files == (one, other)


def test_equal_last_names_are_told_apart(tmp_path):
    for run in ("one", "two"):
        paint(tmp_path / run / "restored" / "x.png", RED)
    paths = [tmp_path / run / "restored" for run in ("one", "two")]
    assert line_up(paths, 1).columns == tuple(str(path) for path in paths)


def test_what_is_missing_or_damaged_leaves_a_gap_and_a_reason(trees):
    (trees[1] / "a" / "1.bmp").unlink()
    (trees[2] / "2.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing")
    read = list(rows(line_up(trees, 5), View(maps=("difference",)), (50, 50), 1))
    assert [tile.reason for tile in read[1].tiles] == ["", "", "missing", "nothing to compare", ""]
    assert read[2].tiles[-1].reason == "unreadable"
    assert read[2].tiles[1].reason == "nothing to compare"
    assert len(read[0].problems) == 0
    assert "holds no image" in read[1].problems[0]
    assert "2.png" in read[2].problems[0]


def test_pixels_are_where_they_belong(trees, tmp_path):
    lineup, view = line_up(trees, 2), View()
    drawn = contact_sheet(headings(lineup, view), rows(lineup, view, (80, 80), 1), tile=80)
    counts = {color: count for count, color in drawn.getcolors(1 << 20)}
    assert counts[RED] == counts[GREEN] == counts[BLUE] == 2 * 80 * 60  # enlarged by a whole factor
    assert drawn.width == 2 * 28 + 3 * 80 + 2 * 12
    pixels = np.asarray(drawn)
    places = [np.argwhere((pixels == color).all(axis=2))[:, 1].min() for color in (RED, GREEN, BLUE)]
    assert places == [28, 28 + 92, 28 + 2 * 92]
    write_sheet(drawn, tmp_path / "new" / "sheet.png")
    with Image.open(tmp_path / "new" / "sheet.png") as written:
        assert written.size == drawn.size


def test_maps_stand_behind_their_image(trees):
    lineup = line_up(trees, 1)
    view = View(maps=("difference", "error"), spectrum=True)
    names = headings(lineup, view)
    assert names == (
        *("degraded", "degraded: difference", "degraded: error", "degraded: spectrum"),
        *("restored", "restored: difference", "restored: error", "restored: spectrum"),
        *("reference", "reference: spectrum"),
    )
    row = next(rows(lineup, view, (50, 50), 1))
    assert tuple(tile.label for tile in row.tiles) == names
    assert row.tiles[1].image.getpixel((0, 0)) == (255, 128, 0)  # too red, equal in green, too little blue


def test_equal_images_have_a_gray_difference(tmp_path):
    same = paint(tmp_path / "a.png", RED)
    row = next(rows(line_up([same, same], 1), View(maps=("difference",)), (50, 50), 1))
    assert row.tiles[1].image.getcolors() == [(40 * 30, (128, 128, 128))]


@pytest.mark.parametrize(
    ("view", "size", "first"),
    [
        (View(crop=(8, 4, 2, 3)), (8, 4), (2, 3)),
        (View(crop=(100, 100, 30, 20)), (10, 10), (30, 20)),
        (View(zoom=4), (10, 8), (15, 11)),
    ],
)
def test_the_part_that_is_seen(tmp_path, view, size, first):
    """Each pixel tells its own place: red its column, green its row."""
    places = np.zeros((30, 40, 3), np.uint8)
    places[..., 0], places[..., 1] = np.meshgrid(np.arange(40), np.arange(30))
    Image.fromarray(places).save(tmp_path / "x.png")
    image = next(rows(line_up([tmp_path / "x.png"], 1), view, size, 1)).tiles[0].image
    assert image.size == size
    assert image.getpixel((0, 0))[:2] == first


def test_a_crop_follows_the_size_of_the_image(tmp_path):
    small, large = paint(tmp_path / "s.png", RED, (20, 10)), paint(tmp_path / "l.png", BLUE, (40, 20))
    with Image.open(small) as image:
        image.putpixel((10, 5), GREEN)
        image.save(small)
    row = next(rows(line_up([small, large], 1), View(crop=(8, 8, 20, 10)), (8, 8), 1))
    assert row.tiles[0].image.getpixel((0, 0)) == GREEN
    assert row.tiles[0].image.size == row.tiles[1].image.size == (8, 8)


def test_a_crop_outside_says_so(tmp_path):
    row = next(rows(line_up([paint(tmp_path / "x.png", RED)], 1), View(crop=(5, 5, 99, 0)), (8, 8), 1))
    assert row.tiles[0].reason == "outside the crop"


def test_a_folder_alone_is_a_grid(trees):
    lineup = line_up(trees[:1], 9)
    read = list(rows(lineup, View(), (40, 40), 3))
    assert [len(row.tiles) for row in read] == [3, 2]
    assert read[1].tiles[0].label == "a/3.png"
    drawn = contact_sheet(headings(lineup, View()), read, tile=40)
    assert drawn.width == 2 * 28 + 3 * 40 + 2 * 12


def test_images_are_fitted():
    assert fitted(Image.new("RGB", (1000, 500)), (100, 100)).size == (100, 50)
    assert fitted(Image.new("RGB", (30, 20)), (100, 100)).size == (90, 60)
    assert fitted(Image.new("RGB", (5000, 1)), (100, 100)).size == (100, 1)


def test_the_limit_is_spread_evenly():
    assert spread(range(10), 3) == [0, 3, 6]
    assert spread(range(3), 10) == [0, 1, 2]
    assert spread([], 4) == []


@pytest.mark.parametrize("title", ["a" * 900, "写真/猫.png", "bad \udcff \x1b \u202e"])
def test_any_name_fits(title):
    row = Row(title, (Tile(title, None, title), Tile("b", Image.new("L", (40, 40)))))
    drawn = contact_sheet((title, "b"), [row], tile=40, title=title)
    assert drawn.width == 2 * 28 + 2 * 40 + 12


def test_a_sheet_that_would_not_fit_into_memory_is_refused(monkeypatch):
    monkeypatch.setattr(sheet_module, "MAX_PIXELS", 10_000)
    endless = (Row("", (Tile("x", Image.new("RGB", (50, 50))),)) for _ in iter(int, 1))
    with pytest.raises(ResourceError, match="too large"):
        contact_sheet((), endless, tile=50)


def test_only_one_row_is_read_at_a_time(trees, monkeypatch):
    from restorecli.report import lineup as lineup_module

    read = []
    original = lineup_module.read_image
    monkeypatch.setattr(
        lineup_module,
        "read_image",
        lambda path, *how, **more: read.append(path) or original(path, *how, **more),
    )
    stream = rows(line_up(trees, 5), View(), (20, 20), 1)
    assert read == []
    next(stream)
    assert len(read) == 3


def test_refusals(tmp_path):
    with pytest.raises(UsageError):
        line_up([], 3)
    with pytest.raises(UsageError):
        contact_sheet((), [], tile=10)
    with pytest.raises(UsageError, match="PNG"):
        write_sheet(Image.new("RGB", (3, 3)), tmp_path / "x.jpg")
    with pytest.raises(DataError, match="no such file"):
        line_up([tmp_path / "nowhere"], 1)
    with pytest.raises(DataError, match="no images"):
        line_up([tmp_path], 1)


def test_titles_stand_above_the_columns(trees):
    assert line_up(trees, 1, titles=("a", "b", "c")).columns == ("a", "b", "c")


def test_a_crop_is_enlarged_around_its_own_center(tmp_path):
    image = Image.new("RGB", (40, 30), RED)
    image.paste(GREEN, (12, 12, 16, 16))  # the middle of the crop 8x8+10+10
    image.save(tmp_path / "a.png")
    (row,) = rows(line_up([tmp_path / "a.png"], 1), View(crop=(8, 8, 10, 10), zoom=2), (32, 32), 1)
    shown = np.asarray(row.tiles[0].image)
    assert shown.shape == (32, 32, 3)
    assert (shown == GREEN).all()


def test_an_inset_shows_the_whole_and_the_part_in_the_farthest_corner(tmp_path):
    image = Image.new("RGB", (100, 80), RED)
    image.paste(GREEN, (10, 8, 20, 16))
    image.save(tmp_path / "a.png")
    (row,) = rows(line_up([tmp_path / "a.png"], 1), View(crop=(10, 8, 10, 8), inset=True), (200, 160), 1)
    shown = np.asarray(row.tiles[0].image)
    assert shown.shape == (160, 200, 3)
    assert (shown[60:80, 20:80] == RED).all()  # the rest of the whole
    assert (shown[20:28, 25:35] == GREEN).all()  # the part in its place, twice enlarged
    assert (shown[100:150, 120:190] == GREEN).all()  # and nine times, below and to the right
    assert (shown[90:, 112:] != RED).any(axis=-1).mean() > 0.95


def test_scores_stand_below_all_but_the_last(tmp_path):
    from skimage.metrics import peak_signal_noise_ratio

    rng = np.random.default_rng(0)
    levels = [rng.integers(0, 256, (20, 24, 3), np.uint8) for _ in range(2)]
    for name, pixels in zip(("a", "b"), levels, strict=True):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    paint(tmp_path / "c.png", RED, (7, 7))
    paths = [tmp_path / f"{name}.png" for name in ("a", "c", "b")]
    (row,) = rows(line_up(paths, 1), View(scores=True), (24, 24), 1)
    expected = peak_signal_noise_ratio(levels[1], levels[0], data_range=255)
    assert row.tiles[0].caption.startswith(f"{expected:.2f} dB, SSIM ")
    assert [tile.caption for tile in row.tiles[1:]] == ["", ""]
    without = contact_sheet(["a", "c", "b"], rows(line_up(paths, 1), View(), (24, 24), 1), tile=24)
    sheet = contact_sheet(["a", "c", "b"], [row], tile=24)
    assert sheet.height > without.height


def test_drawings_say_what_they_are_and_are_not_taken_for_images(tmp_path, plain_evaluation):
    paint(tmp_path / "data" / "photo.png", BLUE)
    photo = Image.open(tmp_path / "data" / "photo.png")
    write_sheet(photo.copy(), tmp_path / "data" / "sheet.png")
    write_strip(plain_evaluation.images[0], tmp_path / "data" / "strip.png")
    write_plots(plain_evaluation, tmp_path / "data", ("png",))
    assert [file.path.name for file in walk(tmp_path / "data")] == ["photo.png"]
    assert is_drawing(tmp_path / "data" / "sheet.png")
    assert not is_drawing(tmp_path / "data" / "photo.png")
    assert not is_drawing(tmp_path / "gone.png")
    assert [file.path.name for file in walk(tmp_path / "data" / "sheet.png")] == ["sheet.png"]
