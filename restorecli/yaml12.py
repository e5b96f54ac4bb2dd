"""YAML 1.2 for recipes and chain files: safe, strict about keys, and with the place of every value.

YAML 1.1, which PyYAML reads by itself, takes `010` for eight, `1:30` for ninety, `2e-4` for a text and dates
for dates. Here `010` is ten, `2e-4` is a number, and `1:30` and dates are texts, as YAML 1.2 has it. Of YAML
1.1 the words yes, no, on and off are kept as switches, since people write them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from restorecli.errors import RecipeError

Place = tuple[int, int]
Keys = tuple[str | int, ...]

MAX_BYTES = 1 << 20
MAX_DEPTH = 30

_NUMBERS = ("tag:yaml.org,2002:float", "tag:yaml.org,2002:int", "tag:yaml.org,2002:timestamp")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader with the numbers of YAML 1.2."""


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


def read_yaml(path: Path, kind: str = "recipe") -> tuple[Any, dict[Keys, Place]]:
    """Read a YAML file.

    Args:
        path: The file.
        kind: What the file is, for messages: "recipe", "chain file".

    Returns:
        The content, and the place (line, column; from 1) of every value by its path of keys and indices.

    Raises:
        RecipeError: The file is missing, too large, too deep, not YAML, uses aliases or tags, or repeats
            a key.
    """
    return _parsed(_read_text(path, kind), path, kind)


def read_value(text: str) -> Any:  # noqa: ANN401 - whatever YAML says
    """Return what one value means, such as "2e-3", "true" or "[5, 25]".

    Raises:
        RecipeError: It is not YAML, or uses aliases or tags.
    """
    return _parsed(text, Path("value"), "value")[0]


def _parsed(text: str, path: Path, kind: str) -> tuple[Any, dict[Keys, Place]]:
    try:
        loader = _Loader(text)
        _refuse_dangers(text, path, kind)
        node = loader.get_single_node()
        places: dict[Keys, Place] = {}
        if node is not None:
            _collect(node, (), places, path)
        return (None if node is None else loader.construct_document(node)), places
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise RecipeError(
            f"This {kind} is not valid YAML.",
            got=error.problem,
            file=path if mark is None else _at(path, mark),
            hint="indent with spaces, not tabs" if "'\\t'" in str(error) else None,
        ) from error
    except yaml.YAMLError as error:
        raise RecipeError(f"This {kind} is not valid YAML.", got=str(error), file=path) from error


def _read_text(path: Path, kind: str) -> str:
    try:
        with path.open("rb") as handle:
            raw = handle.read(MAX_BYTES + 1)
    except OSError as error:
        raise RecipeError(f"This {kind} cannot be read.", got=error.strerror, file=path) from error
    if len(raw) > MAX_BYTES:
        raise RecipeError(
            f"This {kind} is too large.", expected=f"at most {MAX_BYTES:,} bytes", got="more", file=path
        )
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RecipeError(f"This {kind} is not UTF-8 text.", got=str(error), file=path) from error


_OPENING = (
    yaml.BlockMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.FlowSequenceStartToken,
)
_CLOSING = (yaml.BlockEndToken, yaml.FlowMappingEndToken, yaml.FlowSequenceEndToken)


def _refuse_dangers(text: str, path: Path, kind: str) -> None:
    """Refuse aliases, which grow without bound, tags, which name types, and values too deep to walk over."""
    depth = 0
    for token in yaml.scan(text, Loader=yaml.SafeLoader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        place = _at(path, token.start_mark)
        if isinstance(token, yaml.AliasToken):
            raise RecipeError(
                f"Aliases are not allowed in a {kind}.",
                got=f"*{token.value}",
                file=place,
                hint="write the value out",
            )
        if isinstance(token, yaml.TagToken):
            raise RecipeError(
                f"Tags are not allowed in a {kind}.", got="".join(filter(None, token.value)), file=place
            )
        if depth > MAX_DEPTH:
            raise RecipeError(
                f"This {kind} is nested too deep.", expected=f"at most {MAX_DEPTH} levels", file=place
            )


def _collect(node: yaml.Node, keys: Keys, places: dict[Keys, Place], file: Path) -> None:
    places[keys] = _line_and_column(node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            _collect(child, (*keys, index), places, file)
    elif isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, child in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise RecipeError("A key must be a plain word.", file=_at(file, key.start_mark))
            if key.value in seen:
                raise RecipeError(f"The key {key.value!r} is given twice.", file=_at(file, key.start_mark))
            seen.add(key.value)
            _collect(child, (*keys, str(key.value)), places, file)
            places[(*keys, str(key.value))] = _line_and_column(key.start_mark)


def _line_and_column(mark: yaml.Mark) -> Place:
    return mark.line + 1, mark.column + 1


def _at(path: Path, mark: yaml.Mark) -> str:
    line, column = _line_and_column(mark)
    return f"{path}:{line}:{column}"
