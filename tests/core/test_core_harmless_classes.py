"""Options, paths, dates and scores beside the tensors are passed over; what would run code is refused."""

import argparse
import collections
import datetime as dt
import pathlib
import sys
import types
from functools import partial

import numpy as np
import pytest
import torch

from restorecli.core.harmless_classes import STAND_INS, Aside
from restorecli.core.weights import read_foreign
from restorecli.errors import WeightsError

TENSORS = {"a.weight": torch.arange(4.0), "a.bias": torch.ones(1)}

BESIDE = {
    "options": argparse.Namespace(
        lr=0.1, out=pathlib.Path("runs"), kind=int, rest=argparse.Namespace(sizes=[1])
    ),
    "plain options": types.SimpleNamespace(lr=0.1),
    "paths": [pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("c:\\d")],
    "dates": [
        dt.datetime(2020, 1, 2, 3, tzinfo=dt.timezone(dt.timedelta(hours=1))),
        dt.date(2020, 1, 2),
        dt.time(3),
    ],
    "scores": [np.float64(30.5), np.int64(3), np.bool_(True), np.str_("b"), np.dtype("float32")],
    "arrays": [np.ones((2, 3)), np.array(["a", None], dtype=object)],
    "history": collections.defaultdict(list, {"psnr": [30.5]}),
    "counts": collections.Counter("aab"),
    "sets": [{1, 2}, frozenset({3}), slice(1, 2), 1j],
    "device": [torch.device("cpu"), torch.float16, torch.Size([3])],
}


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("beside", BESIDE)
def test_what_research_code_saves_beside_its_tensors_does_no_harm(tmp_path, beside, new):
    torch.save(
        {"args": BESIDE[beside], "state_dict": TENSORS, "epoch": 3},
        tmp_path / "w.pth",
        _use_new_zipfile_serialization=new,
    )
    tensors = read_foreign(tmp_path / "w.pth")
    assert tensors.keys() == TENSORS.keys()
    assert all(torch.equal(tensors[name], TENSORS[name]) for name in TENSORS)


def test_tensors_in_a_defaultdict_are_found(tmp_path):
    torch.save(collections.defaultdict(dict, {"state_dict": TENSORS}), tmp_path / "w.pth")
    assert read_foreign(tmp_path / "w.pth").keys() == TENSORS.keys()


@pytest.mark.parametrize(
    "name", ["pytorch_lightning.utilities.parsing.AttributeDict", "easydict.EasyDict", "yacs.config.CfgNode"]
)
def test_dictionaries_of_options_are_read_without_the_library_that_made_them(tmp_path, monkeypatch, name):
    module, _, short = name.rpartition(".")
    made = type(short, (dict,), {"__module__": module})
    with monkeypatch.context() as there:
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            there.setitem(sys.modules, ".".join(parts[:end]), types.ModuleType(module))
        there.setattr(sys.modules[module], short, made, raising=False)
        options = made(lr=0.1)
        options.lr = 0.1
        torch.save({"hyper_parameters": options, "state_dict": TENSORS}, tmp_path / "w.ckpt")
    assert read_foreign(tmp_path / "w.ckpt").keys() == TENSORS.keys()


def test_what_stands_in_keeps_nothing_of_the_file():
    aside = Aside("anything", 3)
    aside.__setstate__({"a": 1})
    assert vars(aside) == {}
    assert {stand_in for stand_in, _ in STAND_INS if isinstance(stand_in, type)} == {
        Aside,
        collections.OrderedDict,
    }


class Runs:
    def __init__(self, function, *arguments):
        self.reduced = (function, arguments)

    def __reduce__(self):
        return self.reduced


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize(
    ("function", "name"),
    [(print, "print"), (eval, "eval"), (partial, "functools.partial"), (torch.nn.ReLU, "torch.nn.")],
)
def test_a_class_that_would_run_code_is_named(tmp_path, capsys, function, name, new):
    path = tmp_path / "w.pth"
    beside = argparse.Namespace(inside=Runs(function, "1"))
    torch.save({"state_dict": TENSORS, "x": beside}, path, _use_new_zipfile_serialization=new)
    with pytest.raises(WeightsError, match="would run code") as caught:
        read_foreign(path)
    assert caught.value.got.startswith(f"an object of {name}")
    assert "torch.save(model.state_dict(), 'weights.pth')" in caught.value.hint
    assert capsys.readouterr().out == ""


def test_the_allowance_ends_with_the_reading(tmp_path):
    before = set(torch.serialization.get_safe_globals())
    torch.save({"args": argparse.Namespace(), "state_dict": TENSORS}, tmp_path / "w.pth")
    read_foreign(tmp_path / "w.pth")
    assert set(torch.serialization.get_safe_globals()) == before
