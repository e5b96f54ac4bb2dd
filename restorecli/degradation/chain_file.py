"""Reading a chain of degradations from a YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from restorecli.errors import RecipeError
from restorecli.yaml12 import read_yaml


def read_chain_file(path: Path) -> list[Any]:
    """Return the list of steps that a YAML file holds, alone or under the single key `chain`.

    Raises:
        RecipeError: The file cannot be read (see `read_yaml`) or holds something else.
    """
    content, _ = read_yaml(path, "chain file")
    if isinstance(content, Mapping) and set(content) == {"chain"}:
        content = content["chain"]
    if not isinstance(content, list):
        raise RecipeError(
            "The chain file does not hold a chain.",
            expected="a list of steps, alone or under the key `chain`",
            got=type(content).__name__,
            file=path,
        )
    return content
