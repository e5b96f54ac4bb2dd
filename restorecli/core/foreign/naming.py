"""Names of tensors: counted and renamed by patterns."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from torch import Tensor

Pattern = tuple[str, str | Callable[[re.Match[str]], str]]
"""What is looked for in a name, and what takes its place."""

Translated = tuple[dict[str, Tensor], dict[str, object]]
"""A checkpoint's tensors by our names, and the network's arguments that they need."""


def count(tensors: Mapping[str, Tensor], pattern: str) -> int:
    """Return how many different values the first group of a pattern has in the names."""
    return len({found[1] for name in tensors if (found := re.match(pattern, name))})


def renamed(tensors: Mapping[str, Tensor], patterns: Sequence[Pattern]) -> dict[str, Tensor]:
    """Return the tensors with every pattern replaced in their names, in order."""
    result = {}
    for name, tensor in tensors.items():
        for pattern, replacement in patterns:
            name = re.sub(pattern, replacement, name)
        result[name] = tensor
    return result
