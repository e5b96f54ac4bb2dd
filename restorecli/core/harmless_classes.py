"""What checkpoints hold beside their tensors, and what stands in for it: nothing of it is ever made.

Research code saves its options, paths, dates and scores with the weights, and only the weights are wanted. So
each class below is read as an `Aside`, which takes whatever it is given and keeps nothing: no code of
argparse or NumPy runs on what the file says.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final


class Aside:
    """Stands in for a thing that no network needs."""

    def __new__(cls, *_: object) -> Aside:
        """Make it, whatever it is made of."""
        return super().__new__(cls)

    def __init__(self, *_: object) -> None:
        """Keep nothing."""

    def __setstate__(self, _: object) -> None:
        """Keep nothing."""


def _dictionary(*_: object) -> dict[object, object]:
    """Return an empty dictionary, which is then filled: a defaultdict without its default."""
    return {}


_ASIDE: Final = {
    "argparse": ("Namespace",),
    "types": ("SimpleNamespace",),
    "builtins": ("bool", "dict", "float", "frozenset", "int", "list", "slice", "str", "tuple"),
    "datetime": ("date", "datetime", "time", "timedelta", "timezone"),
    "pathlib": ("Path", "PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "pathlib._local": ("PosixPath", "PurePosixPath", "PureWindowsPath", "WindowsPath"),
    "numpy": ("dtype", "ndarray"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
}
"""Names by their module; pathlib has two in Python 3.13, NumPy another in its second major version."""

_DICTIONARIES: Final = (
    "easydict.EasyDict",
    "lightning.fabric.utilities.data.AttributeDict",
    "lightning_fabric.utilities.data.AttributeDict",
    "pytorch_lightning.utilities.parsing.AttributeDict",
    "yacs.config.CfgNode",
)
"""Dictionaries of options, by their whole names."""

STAND_INS: Final[tuple[tuple[Callable[..., object], str], ...]] = (
    *((Aside, f"{module}.{name}") for module, names in _ASIDE.items() for name in names),
    *((OrderedDict, name) for name in _DICTIONARIES),
    (_dictionary, "collections.defaultdict"),
)
"""What torch's safe loader makes of a class or function of each name."""
