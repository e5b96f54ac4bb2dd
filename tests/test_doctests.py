"""The examples in docstrings run as they stand (those of the Python interface: tests/api)."""

import doctest
import importlib
from pathlib import Path

import pytest

import restorecli

PACKAGE = Path(restorecli.__file__).parent


def modules_with_examples() -> list[str]:
    files = (file for file in PACKAGE.rglob("*.py") if ">>> " in file.read_text(encoding="utf-8"))
    names = (".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files)
    return sorted(name for name in names if not name.startswith("restorecli.api."))


@pytest.mark.parametrize("name", modules_with_examples())
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS, verbose=False)
    assert ran.failed == 0
    assert ran.attempted > 0
