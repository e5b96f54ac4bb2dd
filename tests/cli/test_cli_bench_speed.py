"""`bench train`, `bench degrade` and `bench start` as a user types them."""

import pytest

from restorecli.bench import machine, start
from restorecli.cli import bench_speed


@pytest.mark.parametrize("command", ["train", "degrade", "start"])
def test_every_example_is_valid(check_examples, command):
    check_examples(command, getattr(bench_speed, f"{command.upper()}_EXAMPLES"))


def test_the_table_of_training_has_ratios(shell, monkeypatch):
    monkeypatch.setattr(machine, "_PRODUCT_SIDE", 128)
    answer = shell("restorecli bench train --steps 1 --rounds 1 --crop 16 --batch 1")
    for part in ("plain loop", "bfloat16, on random tensors", "steps/s", "times the loop"):
        assert part in answer.out
    assert "GFLOP/s" in answer.err


def test_the_table_of_degrading_has_ratios(shell):
    answer = shell("restorecli bench degrade --noise gaussian --noise jpeg --rounds 1 --crop 32")
    for part in ("gaussian", "scikit-image", "Pillow", "usual loop, PNG to PNG"):
        assert part in answer.out
    assert "reading and writing" in answer.err


def test_one_json_object_is_all_that_goes_to_stdout(shell):
    told = shell("restorecli bench degrade --noise gaussian --rounds 1 --crop 32 --json").data
    assert told["size"] == [32, 32]


def test_the_start_is_told_in_a_table_and_in_json(shell, monkeypatch):
    monkeypatch.setattr(start, "_programs", lambda _: {start.BASE: ("true",), "other": ("true",)})
    assert "times the imports" in shell("restorecli bench start --rounds 1").out
    told = shell("restorecli bench start --rounds 1 --json").data
    assert [each["name"] for each in told["programs"]] == [start.BASE, "other"]
