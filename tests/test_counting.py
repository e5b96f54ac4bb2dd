"""Numbers stand before nouns that fit them: "1 image", never "1 images"."""

import re
from pathlib import Path

import pytest

import restorecli
from restorecli.counting import counted, some_of

NOUNS = r"images|files|pairs|steps|tensors|threads|masks|shards|crops|faults|differences|notes|places"
BY_HAND = re.compile(rf"(?<!of )(?<!\}} )\{{(?!_?[A-Z]{{2}})[^{{}}]+\}} (?:more )?(?:{NOUNS})\b(?!/s)")
"""A number in an f-string with a plural behind it; "3 of {total} images" is right, as are constants."""


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 images"), (1, "1 image"), (2, "2 images"), (12345, "12,345 images")]
)
def test_the_noun_follows_the_number(number, words) -> None:
    assert counted(number, "image") == words


def test_of_many_names_the_first_are_told() -> None:
    assert some_of(list("abcd")) == "a, b, c, d"
    assert some_of(list("abcde")) == "a, b, c and 2 more"


def test_no_message_puts_a_plural_behind_any_number() -> None:
    assert BY_HAND.search('f"{count} images"')
    assert BY_HAND.search('f"... and {hidden} more notes"')
    assert not BY_HAND.search('f"{some} of {total} images"')
    package = Path(restorecli.__file__).parent
    found = [
        f"{file.relative_to(package)}:{number}: {line.strip()}"
        for file in sorted(package.rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if BY_HAND.search(line)
    ]
    assert not found, "use counted() of restorecli/counting.py:\n" + "\n".join(found)
