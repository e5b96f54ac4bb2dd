"""The reading options: what is remembered of them, and when two of them read a file alike."""

import pytest

from restorecli.errors import DataError, UsageError
from restorecli.folders.manifest import Record
from restorecli.images.options import STRICT, ReadOptions

LENIENT = ReadOptions(allow_truncated=True, to_srgb=True, frames="first")


def test_only_what_differs_from_the_defaults_is_remembered() -> None:
    assert STRICT.to_dict() == {}
    assert ReadOptions(frames="first").to_dict() == {"frames": "first"}
    assert ReadOptions(**LENIENT.to_dict()) == LENIENT


def test_an_unknown_choice_is_refused() -> None:
    with pytest.raises(UsageError, match="frames"):
        ReadOptions(frames="last")


@pytest.mark.parametrize(
    ("now", "earlier", "alike"),
    [
        (STRICT, STRICT, True),
        (ReadOptions(allow_truncated=True, frames="first"), STRICT, True),
        (STRICT, ReadOptions(allow_truncated=True), False),
        (STRICT, ReadOptions(frames="first"), False),
        (STRICT, ReadOptions(to_srgb=True), False),
        (ReadOptions(to_srgb=True), STRICT, False),
        (LENIENT, LENIENT, True),
    ],
)
def test_leniency_changes_nothing_for_what_was_read_without_it(now, earlier, alike) -> None:
    assert now.reads_like(earlier) is alike


def test_a_record_tells_them_only_where_they_are_not_the_defaults() -> None:
    plain = Record("x.png", "degrade", "all", "../x.jpg", "../x.jpg", "1")
    assert "reading" not in plain.to_json()
    lenient = Record(
        "x.png", "degrade", "all", "../x.jpg", "../x.jpg", "1", reading=LENIENT, reference_reading=LENIENT
    )
    assert Record.from_json(lenient.to_json()) == lenient


@pytest.mark.parametrize(
    "value", ['{"frames": "last"}', '{"to_srbg": true}', '{"to_srgb": 1}', '"srgb"', "null"]
)
def test_a_record_with_other_options_is_refused(value) -> None:
    line = Record("x.png", "degrade", "all", None, "../x.jpg", "1").to_json()
    with pytest.raises(DataError, match="reading"):
        Record.from_json(f'{line[:-1]}, "reading": {value}}}')
