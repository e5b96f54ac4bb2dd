"""What is measured once on a machine."""

import json

import pytest
import torch

from restorecli.core.learned import cache_folder, learned, structure_of
from restorecli.core.models.catalog import create_model
from restorecli.core.torch_restorer import TorchRestorer


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_a_fact_is_measured_once_and_again_where_the_key_differs():
    calls = []

    def measure():
        calls.append(1)
        return [len(calls)]

    facts = [learned("kind", key, measure, lambda _: True) for key in ("a", "a", "b", "a")]
    assert facts == [[1], [1], [2], [1]]


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '"no"', "null"])
def test_a_damaged_or_strange_cache_is_measured_over(folder, text):
    def check(known):
        return known == [7]

    assert learned("kind", "a", lambda: [7], check) == [7]
    (file,) = (folder / "kind").iterdir()
    file.write_text(text)
    assert learned("kind", "a", lambda: [7], check) == [7]
    assert json.loads(file.read_text()) == [7]


def test_a_folder_that_cannot_be_made_costs_nothing_else(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("RESTORECLI_CACHE", str(tmp_path / "file" / "below"))
    assert learned("kind", "a", lambda: 3, lambda _: True) == 3


def test_the_users_cache_folder_is_taken_where_nothing_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("RESTORECLI_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "restorecli"


def test_structures_differ_by_layers_sizes_and_settings_but_not_by_weights():
    nets = [
        create_model("sca-unet", width=16),
        create_model("sca-unet", width=32),
        create_model("sca-unet", width=16, weighting="dot"),
        create_model("dncnn", depth=3, width=4),
        create_model("dncnn", depth=3, width=4, batch_norm=False),
    ]
    assert len({structure_of(net) for net in nets}) == len(nets)
    assert structure_of(nets[0]) == structure_of(create_model("sca-unet", width=16))


def test_a_footprint_is_learned_for_later_runs(monkeypatch):
    def restorer():
        return TorchRestorer(create_model("dncnn", depth=3, width=8), name="x", device=torch.device("cpu"))

    first = restorer().footprint(3)
    monkeypatch.setattr(
        "restorecli.core.torch_restorer.measure_footprint", None
    )  # it would fail if it were called
    assert restorer().footprint(3) == first
    with pytest.raises(TypeError):
        restorer().footprint(1)
