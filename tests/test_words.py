"""The words of the field instead of a private dialect, one word for one thing, American spelling."""

import re
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent

BANNED = {
    r"\w*pictures?\w*": "image",
    r"painters?|tellers?|mates?": "restorer, progress, match or reference",
    r"_?rims?": "border, or boundary for what lies beyond it",
    r"_?facts?": "information, metadata or statistics",
    r"\w*colour\w*": "color",
    r"\w*(centre|neighbour|behaviour|artefact|grey(?!_))\w*": "center, neighbor, behavior, artifact, gray",
    r"\w*(normal|optim|initial|regular|minim|maxim|summar|categor|quant)is(e[drs]?|ing|ation)": "-ize",
    r"misspelt|learnt|spoilt": "-ed",
    r"_?(?-i:LEAST|MOST|LARGEST|SMALLEST|FEWEST|LONGEST|NARROWEST|WIDEST)(_\w+)?": "MIN_... or MAX_...",
}
"""Words that code and manual do without, in any case unless said otherwise, and what they say instead."""

KEPT = re.compile(
    "|".join(
        (
            r"""["'][\w.]*pictures?(_per_core_second|\.jsonl)?["']|--pictures?|pictures, torch|`pictures`""",
            r"""self\.(painter|colour|normalised)\b|"normalised\b""",
            r"""\bcolour: float|`colours?`|\bcolours: int|"colours"|self\.colours|[{", ]colours": """,
            r"""self\.rim\b|\brim: str|\brim="unknown"|"rim": """,
        )
    )
)
"""What users, recipes and weights depend on: keys, options, folders, parameters and names of tensors."""

FILES = [
    *sorted((CHECKOUT / "restorecli").rglob("*.py")),
    *sorted((CHECKOUT / "restorecli" / "docs").glob("*.md")),
    CHECKOUT / "README.md",
]


@pytest.mark.parametrize("word", BANNED)
def test_words_that_were_given_up_do_not_come_back(word) -> None:
    flags = 0 if "(?-i:" in word else re.IGNORECASE
    found = re.compile(rf"(?<!\w)(?:{word.replace('(?-i:', '(?:')})(?!\w)", flags)
    again = [
        f"{file.relative_to(CHECKOUT)}:{number}: {line.strip()}"
        for file in FILES
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if found.search(KEPT.sub("", line))
    ]
    assert not again, f"say {BANNED[word]} instead:\n" + "\n".join(again)
