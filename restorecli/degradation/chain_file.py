"""Reading a chain from a YAML file: safe, strict about keys, and with `2e-4` a number as YAML 1.2 has it."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

import yaml

from restorecli.errors import RecipeError

_LARGEST = 1 << 20
_FLOAT_TAG = "tag:yaml.org,2002:float"
_FLOAT = re.compile(r"^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$")


class _StrictLoader(yaml.SafeLoader):
    """Safe loading with YAML 1.2 floats (finite ones), no aliases and no key twice."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.constructor.ConstructorError(None, None, "aliases (*name) are not used here", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for position, key in enumerate(keys):
            if key in keys[:position]:
                mark = node.value[position][0].start_mark
                raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} stands twice", mark)
        return super().construct_mapping(node, deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != _FLOAT_TAG]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_StrictLoader.add_implicit_resolver(_FLOAT_TAG, _FLOAT, list("-+0123456789."))


def read_chain_file(path: Path) -> list[Any]:
    """Return the list of steps that a YAML file holds, alone or under the single key `chain`.

    Raises:
        RecipeError: The file is missing, larger than 1 MB, no YAML, or holds something else.
    """
    try:
        with path.open("rb") as handle:
            text = handle.read(_LARGEST + 1)
        if len(text) > _LARGEST:
            raise RecipeError("The chain file is larger than 1 MB.", file=path)
        content = yaml.load(text, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader, made stricter
    except OSError as error:
        raise RecipeError("The chain file cannot be read.", came=str(error), file=path) from error
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise RecipeError("The chain file is not valid YAML.", came=str(error), file=path) from error
    if isinstance(content, Mapping) and set(content) == {"chain"}:
        content = content["chain"]
    if not isinstance(content, list):
        raise RecipeError(
            "The chain file does not hold a chain.",
            expected="a list of steps, alone or under the key `chain`",
            came=type(content).__name__,
            file=path,
        )
    return content
