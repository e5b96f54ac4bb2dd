"""`bench methods`: every method meets the tasks it is meant for, on the same images."""

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from restorecli.bench.methods import INPUT, SLOW, _references, bench_methods
from restorecli.bench.tasks import TASKS, degraded_example
from restorecli.errors import DataError, UsageError
from restorecli.restoration.methods.catalog import METHODS, create_method


@pytest.fixture
def folder(tmp_path):
    noise = np.random.default_rng(0).uniform(0, 255, (40, 48, 3))
    soft = ndimage.gaussian_filter(noise, (4, 4, 0)) * 4 - 380
    Image.fromarray(np.clip(soft, 0, 255).astype(np.uint8)).save(tmp_path / "a.png")
    Image.new("L", (64, 64)).save(tmp_path / "gray.png")
    return tmp_path


def test_every_method_has_a_task_and_every_task_names_methods_that_are_there() -> None:
    named = {name for task in TASKS for name in task.methods}
    assert named == set(METHODS), (
        "every method of METHODS has a task, in TASKS of restorecli/bench/tasks.py: "
        f"{sorted(named ^ set(METHODS))}"
    )
    assert named >= SLOW
    assert len({task.name for task in TASKS}) == len(TASKS)
    assert all(len(set(task.methods)) == len(task.methods) for task in TASKS)


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_a_task_tells_its_methods_what_they_need(task) -> None:
    reference = np.random.default_rng(0).random((3, 32, 32), np.float32)
    example = degraded_example(task, reference, "0")
    assert not np.array_equal(example.degraded, reference)
    for method in map(create_method, task.methods):
        if "operator" in method.needs:
            assert example.context.operator is not None
        if "mask" in method.needs:
            assert example.context.mask.shape == reference.shape[1:]
        scale = method.scale_for(example.context)
        assert tuple(scale * side for side in example.degraded.shape[1:]) == reference.shape[1:]
    again = degraded_example(task, reference, "0")
    np.testing.assert_array_equal(again.degraded, example.degraded)


def test_jpeg_and_dither_are_known_from_the_record(folder) -> None:
    rows = bench_methods(folder, names=["deblock", "inverse-halftone", "switching-median"], side=40)
    gained = {}
    for row in rows:
        gained.setdefault(row.task, []).append(row.psnr)
    for task in ("JPEG, quality 10", "dithered, 2 levels", "impulses, 10 %"):
        before, after = gained[task]
        assert after > before


def test_images_are_taken_evenly(tmp_path) -> None:
    for number in range(9):
        Image.new("RGB", (16, 16), (20 * number, 0, 0)).save(tmp_path / f"{number}.png")
    Image.new("RGB", (8, 16)).save(tmp_path / "0-small.png")
    taken = [round(float(image[0].mean()) * 255 / 20) for image in _references(tmp_path, 16, 3)]
    assert taken == [1, 4, 7]
    assert len(_references(tmp_path, 16, 100)) == 9
    assert len(_references(None, 16, 2)) == 2


def test_rows_have_the_degraded_images_first_and_then_the_best(folder) -> None:
    told = []
    names = ["j-invariant", "wiener-deconv", "inverse", "bicubic"]
    rows = bench_methods(folder, names=names, side=32, on_row=told.append)
    assert sorted(map(repr, told)) == sorted(map(repr, rows))
    assert {row.task for row in rows} == {task.name for task in TASKS if set(names) & set(task.methods)}
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
    with pytest.raises(UsageError, match="must be an image"):
        bench_methods(folder, side=32, images=0)
    with pytest.raises(UsageError, match="no method"):
        bench_methods(folder, names=["bicubik"])
