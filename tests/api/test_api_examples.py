"""The examples in the docstrings of the Python interface run as they stand."""

import doctest
import importlib
import pkgutil

import pytest

from restorecli import api

MODULES = [api.__name__, *(f"{api.__name__}.{entry.name}" for entry in pkgutil.iter_modules(api.__path__))]
WITH_EXAMPLES = {
    "degradation",
    "diagnosis",
    "evaluation",
    "networks",
    "images",
    "restoration",
    "training",
    "wording",
}


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_run(name, tmp_path, monkeypatch) -> None:
    attempted = 0
    for number, example in enumerate(doctest.DocTestFinder().find(importlib.import_module(name))):
        (tmp_path / str(number)).mkdir()
        monkeypatch.chdir(tmp_path / str(number))
        ran = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS).run(example)
        assert ran.failed == 0, example.name
        attempted += ran.attempted
    assert (attempted > 0) == (name.rpartition(".")[2] in WITH_EXAMPLES)
