"""`bench methods`: every method meets the tasks it is meant for, on the same pictures."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from restorecli.bench.methods import INPUT, TASKS, bench_methods, fits
from restorecli.degrade.operators import operator_of
from restorecli.errors import DataError, UsageError
from restorecli.restore.context import Context
from restorecli.restore.methods import METHODS, create_method

BLUR = operator_of([{"name": "gaussian-blur", "sigma": 1.6}])
HALF = operator_of([{"name": "downscale", "factor": 2}])


@pytest.fixture
def folder(tmp_path):
    noise = np.random.default_rng(0).uniform(0, 255, (40, 48, 3))
    soft = ndimage.gaussian_filter(noise, (4, 4, 0)) * 4 - 380
    Image.fromarray(np.clip(soft, 0, 255).astype(np.uint8)).save(tmp_path / "a.png")
    Image.new("L", (64, 64)).save(tmp_path / "gray.png")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "context", "expected"),
    [
        ("nlm", Context(sigma=25.0), True),
        ("median", Context(sigma=25.0), True),
        ("wiener-deconv", Context(sigma=25.0), False),
        ("wiener-deconv", Context(sigma=2.0, operator=BLUR), True),
        ("wiener-deconv", Context(sigma=0.0, operator=HALF), False),
        ("bicubic", Context(sigma=0.0, operator=HALF), True),
        ("bicubic", Context(sigma=2.0, operator=BLUR), False),
        ("nlm", Context(mask=np.ones((2, 2), bool)), False),
        ("dip", Context(mask=np.ones((2, 2), bool)), True),
        ("dip", Context(operator=HALF), True),
        ("hopfield", Context(operator=BLUR), True),
    ],
)
def test_a_method_is_tried_on_what_it_is_for(name, context, expected) -> None:
    if name not in METHODS:
        pytest.skip(f"{name} is not in the catalog")
    assert fits(create_method(name), context) is expected


def test_rows_have_the_degraded_pictures_first_and_then_the_best(folder) -> None:
    told = []
    names = ["j-invariant", "wiener-deconv", "inverse", "bicubic"]
    rows = bench_methods(folder, names=names, side=32, tell=told.append)
    assert sorted(map(repr, told)) == sorted(map(repr, rows))
    assert {row.task for row in rows} == {task.name for task in TASKS}
    noise = [row for row in rows if row.task == TASKS[0].name]
    assert [row.method for row in noise] == [INPUT, "j-invariant"]
    assert noise[0].psnr == pytest.approx(20.17, abs=0.8)  # sigma 25; clipping gives a little more
    assert noise[1].psnr > noise[0].psnr + 2
    blur = [row for row in rows if row.task == TASKS[1].name]
    assert blur[0].method == INPUT
    assert {row.method for row in blur[1:]} == {"wiener-deconv", "inverse"}
    assert blur[1].psnr >= blur[2].psnr
    assert [row.method for row in rows if row.task == "reduced x2"] == ["bicubic"]
    assert all(row.seconds > 0 for row in rows if row.method != INPUT)
    assert rows[0].to_dict()["method"] == INPUT


def test_what_cannot_be_measured_is_refused(folder) -> None:
    with pytest.raises(DataError, match="nothing to measure"):
        bench_methods(folder, names=["bicubic"], side=64)
    with pytest.raises(UsageError, match="multiple of 4"):
        bench_methods(folder, side=30)
    with pytest.raises(UsageError, match="no method"):
        bench_methods(folder, names=["bicubik"])
