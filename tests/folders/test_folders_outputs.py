"""The names of outputs: lossless stays, lossy becomes PNG, nothing collides."""

from __future__ import annotations

from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from restorecli.errors import UsageError
from restorecli.folders.outputs import OutputPlan, output_name
from restorecli.images.formats import SUFFIXES


@pytest.mark.parametrize(
    ("source", "file_format", "depth", "wanted", "target"),
    [
        ("a/x.png", "PNG", 8, None, "a/x.png"),
        ("a/X.PNG", "PNG", 16, None, "a/X.PNG"),
        ("x.tif", "TIFF", 16, None, "x.tif"),
        ("x.bmp", "BMP", 8, None, "x.bmp"),
        ("x.pgm", "PPM", 16, None, "x.pgm"),
        ("x.pbm", "PPM", 8, None, "x.pgm"),
        ("x.jpg", "JPEG", 8, None, "x.png"),
        ("x.webp", "WEBP", 8, None, "x.png"),
        ("x.png", "JPEG", 8, None, "x.png"),
        ("x.jpg", "PNG", 8, None, "x.png"),
        ("x.png", "PNG", 32, None, "x.tiff"),
        ("x.bmp", "BMP", 16, None, "x.png"),
        ("x.jpg", "JPEG", 8, "jpeg", "x.jpg"),
        ("x.jpeg", "JPEG", 8, "JPG", "x.jpeg"),
        ("x.png", "PNG", 8, "webp", "x.webp"),
        ("x.tif", "TIFF", 8, "tiff", "x.tif"),
        ("x.tif", "TIFF", 32, "png", "x.png"),
        ("photo.2024", "JPEG", 8, None, "photo.2024.png"),
        ("photo", "PNG", 8, None, "photo.png"),
    ],
)
def test_rules(source, file_format, depth, wanted, target):
    assert output_name(PurePosixPath(source), file_format, depth, wanted) == PurePosixPath(target)


def test_an_unknown_format_names_the_known_ones():
    with pytest.raises(UsageError, match="Unknown image format") as caught:
        output_name(PurePosixPath("x.png"), "PNG", 8, "gif")
    assert caught.value.expected is not None
    assert "tiff" in caught.value.expected


def plan(*names: str, wanted: str | None = None) -> dict[str, str]:
    paths = [PurePosixPath(name) for name in names]
    planned = OutputPlan(paths, wanted)
    return {path.as_posix(): planned[path].as_posix() for path in paths}


def test_collisions_keep_both():
    assert plan("a.jpg", "a.png") == {"a.jpg": "a.jpg.png", "a.png": "a.png"}
    assert plan("a.png", "a.jpg") == {"a.jpg": "a.jpg.png", "a.png": "a.png"}
    assert plan("a.jpg", "a.webp") == {"a.jpg": "a.jpg.png", "a.webp": "a.webp.png"}
    assert plan("a.jpg", "b.jpg") == {"a.jpg": "a.png", "b.jpg": "b.png"}
    assert plan("x/a.jpg", "y/a.png") == {"x/a.jpg": "x/a.png", "y/a.png": "y/a.png"}
    assert plan("A.PNG", "a.jpg") == {"A.PNG": "A.PNG", "a.jpg": "a.jpg.png"}
    assert plan("a.jpg", "a.png", "a.jpg.png")["a.jpg"] == "a.jpg.png.png"
    assert plan("a.png", "a.tif", wanted="webp") == {"a.png": "a.png.webp", "a.tif": "a.tif.webp"}


def test_unclipped_noise_goes_to_tiff():
    path = PurePosixPath("x.png")
    assert OutputPlan([path], None, depth=32)[path] == PurePosixPath("x.tiff")


names = st.builds(
    lambda stems, suffix: "/".join(stems) + suffix,
    st.lists(st.sampled_from(["a", "A", "b", "a.jpg", "a.png", "a.jpg.png"]), min_size=1, max_size=2),
    st.sampled_from(sorted(SUFFIXES)),
)


@given(
    listing=st.lists(names, unique=True, max_size=12), wanted=st.sampled_from([None, "png", "tiff", "jpeg"])
)
def test_no_two_outputs_are_ever_the_same(listing, wanted):
    planned = plan(*listing, wanted=wanted)
    assert set(planned) == set(listing)
    renamed = {target for source, target in planned.items() if source != target}
    kept = {target for source, target in planned.items() if source == target}
    assert len(renamed) == len({target.casefold() for target in renamed})
    assert not {target.casefold() for target in renamed} & {target.casefold() for target in kept}
    assert plan(*listing, wanted=wanted) == planned
