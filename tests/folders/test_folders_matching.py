"""One rule says which names belong together, and every command follows it."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from types import SimpleNamespace

import pytest

from restorecli.errors import DataError, RestorecliError, UsageError
from restorecli.evaluation.pairing.finding import pair_folder
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.rivals import evaluate_rival
from restorecli.folders.mask_places import MaskIndex
from restorecli.folders.matching import NameIndex, guess_ending, index_for
from restorecli.folders.walking import walk
from restorecli.report.lineup import line_up
from restorecli.restoration.lost_pixels import masks_named
from restorecli.training.pairs import find_pairs
from restorecli.training.recipe import Source as TrainingSource
from restorecli.tune import pairs as tuning


def touch(root: Path, *names: str) -> Path:
    root.mkdir(exist_ok=True)
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


CASES = {
    "same path": ("a/x.png", ["a/x.png", "b/x.png"], "a/x.png"),
    "another suffix": ("a/x.png", ["a/x.jpg"], "a/x.jpg"),
    "another case of the suffix": ("a/x.png", ["a/x.PNG", "a/x.jpg"], "a/x.PNG"),
    "an added suffix": ("a/x.jpg.png", ["a/x.jpg", "a/x.webp"], "a/x.jpg"),
    "an added suffix on the other side": ("a/x.jpg", ["a/x.jpg.png", "a/x.png"], "a/x.jpg.png"),
    "an added suffix in a tree": ("a/x.jpg.png", ["x.jpg"], "x.jpg"),
    "flat against a tree": ("x.png", ["a/x.tif"], "a/x.tif"),
    "a tree against flat": ("sigma25/a/x.png", ["a/x.tif", "b/x.tif"], "a/x.tif"),
    "the same name goes before another suffix": ("s/x.png", ["x.png", "x.tif"], "x.png"),
    "another category": ("bottle/000.png", ["cable/000.png"], None),
    "several categories": ("x.png", ["a/x.png", "b/x.png"], None),
    "another stem": ("x.png", ["y.png"], None),
    "a dot that begins no suffix": ("a.2024.png", ["a.2025.png", "a.2024.tif"], "a.2024.tif"),
    "another case of the stem": ("x.png", ["X.png"], None),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request, tmp_path):
    name, others, expected = request.param
    one, other = touch(tmp_path / "one", name), touch(tmp_path / "other", *others)
    return SimpleNamespace(name=name, one=one, other=other, expected=expected)


def recipe() -> SimpleNamespace:
    return SimpleNamespace(folder_of=lambda name, base: base / name)


def by_eval(case) -> str | None:
    (pair, *_) = pair_folder(case.one, case.other).pairs or [None]
    return None if pair is None else pair.reference.locator


def by_degraded_of_eval(case) -> str | None:
    (pair,) = pair_folder(case.one, case.one, case.other).pairs
    return None if pair.degraded is None else pair.degraded.locator


def by_masks_of_eval(case) -> str | None:
    try:
        (pair,) = pair_folder(case.one, case.one, masks=case.other).pairs
    except DataError as error:
        assert "Not one mask" in error.problem  # noqa: PT017
        return None
    return None if pair.mask is None else pair.mask.locator


def by_train(case) -> str | None:
    sources = [TrainingSource(degraded="one", reference="other")]
    try:
        (pair,) = find_pairs(sources, recipe(), case.one.parent, print)
    except DataError:
        return None
    return pair.reference.relative_to(case.other).as_posix()


def by_show(case) -> str | None:
    ((_, found),) = (entry.files for entry in line_up([case.one, case.other], 1).entries)
    return found.relative_to(case.other).as_posix() if isinstance(found, Path) else None


def by_masks_of_restore(case) -> str | None:
    (file,) = walk(case.one)
    try:
        masks_named(str(case.other)).identity(file)
        found = masks_named(str(case.other)).index.find([file.relative])
    except RestorecliError:
        return None
    return found.relative_to(case.other).as_posix()


def by_tune(case) -> str | None:
    found = tuning.pair_folder(case.one, case.other).pairs
    return found[0].reference.locator if found else None


@pytest.mark.parametrize(
    "user",
    [by_eval, by_degraded_of_eval, by_masks_of_eval, by_train, by_show, by_masks_of_restore, by_tune],
    ids=lambda user: user.__name__,
)
def test_every_command_follows_the_rule(case, user):
    assert user(case) == case.expected


def test_other_methods_follow_the_rule(case, monkeypatch):
    taken = []

    def evaluate_pairs(pairs, unmatched, **_):
        taken.extend(pair.restored.locator for pair in pairs)
        raise DataError("stop")

    monkeypatch.setattr("restorecli.evaluation.rivals.evaluate_pairs", evaluate_pairs)
    source = Source(case.name, case.one)
    pair = Pair(case.name, "all", None, source, source, None)
    with pytest.raises(DataError, match="stop"):
        evaluate_rival(SimpleNamespace(images=[SimpleNamespace(pair=pair)], metrics=()), case.other)
    assert taken == ([] if case.expected is None else [case.expected])


@pytest.mark.parametrize(
    ("name", "others", "endings", "expected"),
    [
        ("x_x1_Mine.png", ["x.png"], ["_x1_Mine"], "x.png"),
        ("x.png", ["x_x1_Mine.png"], ["_x1_Mine"], "x_x1_Mine.png"),
        ("a/x_noisy.jpg.png", ["x.jpg"], ["_noisy.png"], "x.jpg"),
        ("x_mine.png", ["x.png", "x_mine.tif"], ["_mine"], "x_mine.tif"),
        ("x_a.png", ["x_b.png"], ["_a", "_b"], "x_b.png"),
        ("_mine.png", ["x.png"], ["_mine"], None),
        ("x_mine.png", ["x.png"], "_mine", "x.png"),
    ],
)
def test_endings_are_taken_off_either_name(tmp_path, name, others, endings, expected):
    index = NameIndex(touch(tmp_path / "other", *others), endings=endings)
    found = index.find(PurePosixPath(name))
    assert (None if isinstance(found, str) else found.relative.as_posix()) == expected


@pytest.mark.parametrize("ending", ["", "a/b"])
def test_an_ending_that_cannot_be_is_refused(tmp_path, ending):
    with pytest.raises(UsageError, match="ending of names"):
        NameIndex(tmp_path, endings=[ending])


@pytest.mark.parametrize(
    ("names", "others", "expected"),
    [
        (["a_x1.png", "b_x1.png"], ["a.png", "b.png", "c.png"], "_x1"),
        (["a.png", "b.png"], ["a-gt.tif", "b-gt.tif"], "-gt"),
        (["t/a_x1.jpg.png"], ["t/a.jpg"], "_x1"),
        (["a_b_x1.png", "c_x1.png"], ["a_b.png", "c.png"], "_x1"),
        (["a_x1.png", "b_x2.png"], ["a.png", "b.png"], None),
        (["a_x1.png", "b_x1.png"], ["a.png"], None),
        (["a_x1.png", "b.png"], ["a.png", "b.png"], None),
        (["ab.png"], ["a.png"], None),
        (["a_x1.png"], ["s/a.png", "t/a.png"], None),
        ([], ["a.png"], None),
        (["a_x1.png"], [], None),
    ],
)
def test_an_ending_is_guessed_where_all_names_agree(tmp_path, names, others, expected):
    index = NameIndex(touch(tmp_path / "other", *others))
    paths = [PurePosixPath(name) for name in names]
    assert guess_ending(paths, index) == expected
    found, notes = index_for(tmp_path / "other", paths)
    assert found.endings == (() if expected is None else (expected,))
    assert [repr(expected) in note for note in notes] == ([] if expected is None else [True])


def test_a_given_ending_ends_the_guessing(tmp_path):
    paths = [PurePosixPath("a_x1.png")]
    index, notes = index_for(touch(tmp_path / "other", "a.png"), paths, ["_other"])
    assert (index.endings, notes) == (("_other",), ())


def test_a_guess_is_said_by_eval_show_and_train(tmp_path):
    one, other = touch(tmp_path / "one", "a_x1.png", "b_x1.png"), touch(tmp_path / "other", "a.png", "b.png")
    pairing = pair_folder(one, other)
    assert [pair.reference.locator for pair in pairing.pairs] == ["a.png", "b.png"]
    told: list[str] = []
    sources = [TrainingSource(degraded="one", reference="other")]
    assert len(find_pairs(sources, recipe(), tmp_path, told.append)) == 2
    for notes in (pairing.notes, line_up([one, other], 5).notes, told):
        assert [note for note in notes if "'_x1'" in note and "all of them differ" in note] == list(notes)
        assert len(notes) == 1


@pytest.mark.parametrize(
    ("name", "masks", "expected"),
    [
        ("crack/x.jpg", ["crack/x_mask.bmp"], "crack/x_mask.bmp"),
        ("crack/x.jpg", ["crack/x_GT.PNG"], "crack/x_GT.PNG"),
        ("images/crack/x.png", ["masks/crack/x.png"], "masks/crack/x.png"),
        ("bottle/test/broken/000.png", ["broken/000_mask.png", "good/000_mask.png"], "broken/000_mask.png"),
        ("box/test/logical/001.png", ["logical/000/001.png", "logical/001/000.png"], "logical/001"),
        ("001.png", ["logical/000/001.png", "logical/001/000.png", "logical/001/001.png"], "logical/001"),
        ("crack/x.png", ["crack/x.png", "crack/x/000.png"], "crack/x"),
        ("x.png", ["a/x.png", "b/x.png"], "several"),
        ("x.png", ["y.png"], None),
    ],
)
def test_masks_have_endings_layouts_and_folders(tmp_path, name, masks, expected):
    found = MaskIndex(touch(tmp_path / "masks", *masks)).find([PurePosixPath(name)])
    if isinstance(found, Path):
        found = found.relative_to(tmp_path / "masks").as_posix()
    assert found == expected or (expected == "several" and "a/x.png, b/x.png" in str(found))


def test_masks_in_the_folder_of_an_image_are_used_together(tmp_path):
    index = MaskIndex(touch(tmp_path, "logical/000/000.png", "logical/000/001.png", "logical/002/000.png"))
    found = index.find([PurePosixPath("000.png")])
    assert isinstance(found, Path)
    assert [file.relative.as_posix() for file in index.unused([found])] == ["logical/002/000.png"]
