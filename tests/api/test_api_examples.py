"""The examples in the docstrings of the Python interface run as they stand."""

import doctest
import importlib
import pkgutil

import pytest

from restorecli import api

MODULES = [api.__name__, *(f"{api.__name__}.{entry.name}" for entry in pkgutil.iter_modules(api.__path__))]
WITH_EXAMPLES = {"degradation", "evaluation", "networks", "pictures", "restoration", "training", "wording"}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    ran = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS, verbose=False)
    assert ran.failed == 0
    assert (ran.attempted > 0) == (name.rpartition(".")[2] in WITH_EXAMPLES)
