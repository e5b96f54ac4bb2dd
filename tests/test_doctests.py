"""The examples in docstrings run as they stand (those of the Python interface: tests/api), and are there."""

import doctest
import importlib
from pathlib import Path

import pytest

import restorecli
from restorecli import evaluation
from restorecli.core.losses.catalog import LOSSES
from restorecli.evaluation.metrics.catalog import METRICS

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


def has_example(part) -> bool:
    return any(found.examples for found in doctest.DocTestFinder(recurse=False).find(part))


@pytest.mark.parametrize("name", [name for name in restorecli.__all__ if callable(getattr(restorecli, name))])
def test_every_public_function_has_an_example(name) -> None:
    assert has_example(getattr(restorecli, name)), f"show in the docstring of {name} how it is called"


DOWNLOADED = {name.replace("-", "_") for name, metric in METRICS.items() if not metric.offline}


@pytest.mark.parametrize("name", sorted(set(evaluation.__all__) - DOWNLOADED))
def test_every_metric_that_works_offline_has_an_example(name) -> None:
    assert has_example(getattr(evaluation, name)), f"show in the docstring of {name} how it is called"


@pytest.mark.parametrize("entry", LOSSES.values(), ids=lambda entry: entry.name)
def test_the_function_of_every_loss_has_an_example(entry) -> None:
    module = importlib.import_module(entry.place.partition(":")[0])
    assert has_example(getattr(module, f"{entry.name}_loss")), f"show in {entry.name}_loss how it is called"
