"""YAML as recipes use it: safe, numbers by YAML 1.2, no duplicate keys, and the place of every value."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from restorecli.errors import RecipeError

Place = tuple[int, int]
Path_ = tuple[str | int, ...]

MAX_BYTES = 100_000
MAX_DEPTH = 30

_NUMBERS = ("tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2 numbers: `2e-4` is one; `010` is ten; `1:30` and dates are texts."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _NUMBERS]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]{1,18}$"), list("-+0123456789")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
    ),
    list("-+0123456789."),
)
_Loader.add_constructor("tag:yaml.org,2002:int", lambda _, node: int(node.value))


def read_yaml(path: Path) -> tuple[Any, dict[Path_, Place]]:
    """Read a YAML file.

    Returns:
        The content, and the place (line, column; from 1) of every value by its path of keys and indices.

    Raises:
        RecipeError: The file is missing, too large, too deep, not YAML, uses aliases or tags, or repeats
            a key.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise RecipeError("This recipe cannot be read.", came=error.strerror, file=path) from error
    if len(raw) > MAX_BYTES:
        raise RecipeError(
            "This recipe is too large.", expected=f"at most {MAX_BYTES} bytes", came=str(len(raw)), file=path
        )
    try:
        text = raw.decode("utf-8")
        loader = _Loader(text)
        _refuse_dangers(text, path)
        node = loader.get_single_node()
        places: dict[Path_, Place] = {}
        if node is not None:
            _collect(node, (), places, path)
        return (None if node is None else loader.construct_document(node)), places
    except UnicodeDecodeError as error:
        raise RecipeError("This recipe is not UTF-8 text.", came=str(error), file=path) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark is not None else str(path)
        hint = "indent with spaces, not tabs" if "'\\t'" in str(error) else None
        raise RecipeError(
            "This recipe is not valid YAML.", came=error.problem, file=where, hint=hint
        ) from error
    except yaml.YAMLError as error:
        raise RecipeError("This recipe is not valid YAML.", came=str(error), file=path) from error


_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def _refuse_dangers(text: str, path: Path) -> None:
    """Refuse aliases, which grow without bound, tags, which name types, and values too deep to walk over."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        place = f"{path}:{token.start_mark.line + 1}:{token.start_mark.column + 1}"
        if isinstance(token, yaml.AliasToken):
            raise RecipeError(
                "Aliases are not allowed in a recipe.",
                came=f"*{token.value}",
                file=place,
                hint="write the value out",
            )
        if isinstance(token, yaml.TagToken):
            raise RecipeError(
                "Tags are not allowed in a recipe.", came="".join(filter(None, token.value)), file=place
            )
        if depth > MAX_DEPTH:
            raise RecipeError(
                "This recipe is nested too deep.", expected=f"at most {MAX_DEPTH} levels", file=place
            )


def _collect(node: yaml.Node, at: Path_, places: dict[Path_, Place], file: Path) -> None:
    places[at] = (node.start_mark.line + 1, node.start_mark.column + 1)
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _collect(child, (*at, index), places, file)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            place = (key.start_mark.line + 1, key.start_mark.column + 1)
            if not isinstance(key, yaml.ScalarNode):
                raise RecipeError("A key must be a plain word.", file=f"{file}:{place[0]}:{place[1]}")
            if key.value in seen:
                raise RecipeError(
                    f"The key {key.value!r} is given twice.", file=f"{file}:{place[0]}:{place[1]}"
                )
            seen.add(key.value)
            _collect(child, (*at, str(key.value)), places, file)
            places[(*at, str(key.value))] = place
