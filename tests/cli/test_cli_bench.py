"""`bench eval` as a user types it."""

import pytest

from restorecli.bench import evaluation, images, metric_peers
from restorecli.cli import bench_trials
from restorecli.cli.bench import EVAL_EXAMPLES


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(metric_peers, "PEERS", metric_peers.PEERS[:1])
    monkeypatch.setattr(images, "_SAMPLES", ("astronaut",))
    monkeypatch.setattr(images, "_MAX_IMAGES", 1)
    monkeypatch.setattr(evaluation, "_FOLDER_PAIRS", 2)


def test_the_table_shows_ours_beside_theirs(shell, quick) -> None:
    answer = shell("restorecli bench eval --rounds 1 --workers 2")
    for part in ("restorecli", "2 threads", "scikit-image", "pairs/s", "decoding", "whole folder", "GFLOP/s"):
        assert part in answer.out
    assert "astronaut" in answer.err
    assert "times as fast" in answer.err


def test_one_json_object_is_all_that_goes_to_stdout(shell, quick, photos) -> None:
    told = shell("restorecli bench eval --data photos --rounds 1 --json").data
    assert told["pictures"] == ["indoors/0.png"]
    assert all(method["same_value"] for method in told["methods"])


def test_the_bench_has_help_with_examples_that_are_valid(shell, check_examples) -> None:
    assert "$ restorecli bench eval" in shell("restorecli bench --help").out.partition("Examples")[2]
    check_examples("eval", EVAL_EXAMPLES)


def test_severities_that_are_no_numbers_are_told(shell) -> None:
    told = shell("restorecli bench auto --test photos --severities 1,many --json", code=2).error
    assert (told["problem"], told["got"]) == ("Invalid --severities.", "1,many")


def test_an_empty_folder_is_a_data_fault(shell) -> None:
    (shell.folder / "empty").mkdir()
    assert "nothing to measure" in shell("restorecli bench eval --data empty", code=4).err


def test_a_network_is_measured_and_its_table_written(shell) -> None:
    answer = shell("restorecli bench models perceptron --side 32 --rounds 1 --markdown models.md")
    for text in (answer.out, (shell.folder / "models.md").read_text()):
        assert "perceptron" in text
        assert "210,924" in text
    assert "multiply-adds" in answer.err.lower()


def test_a_training_that_fails_is_told_by_the_exit_code(shell, photos) -> None:
    line = "restorecli bench dither perceptron --data nowhere -o runs --hours 0.001 --json"
    told = shell(line, code=3).data
    assert "no such folder" in told["networks"][0]["trial"]["failed"]


@pytest.mark.parametrize("command", ["models", "dither", "ablation"])
def test_every_example_of_the_trials_is_valid(check_examples, command) -> None:
    check_examples(command, getattr(bench_trials, f"{command.upper()}_EXAMPLES"))


@pytest.mark.parametrize(
    "line",
    [
        "--part votes --hours 1",
        "--part table --start a.safetensors",
        "--part network --pictures 3",
        "--part camera --hours 1",
    ],
)
def test_options_of_another_part_are_refused(shell, line) -> None:
    answer = shell(f"restorecli bench diagnosis --data . -o part.json {line}", code=2)
    assert "has no use for" in answer.err
