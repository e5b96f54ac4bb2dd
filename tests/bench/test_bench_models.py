"""`bench models`, `dither` and `ablation` on tiny images: what is trained, tried, read back and told."""

import json

import numpy as np
import pytest
import yaml
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from restorecli.bench import dither, models, running, trials
from restorecli.bench.ablations import ABLATIONS, ablation_table, bench_ablation
from restorecli.bench.costs import measure_costs
from restorecli.bench.dither import REPORTED, bench_dither, dither_table
from restorecli.bench.models import bench_models, markdown, models_table, short
from restorecli.bench.running import HELD_OUT, Watch, run_trial, run_trials
from restorecli.bench.trials import Trial, compose
from restorecli.core.models.catalog import MODELS, create_model
from restorecli.errors import RecipeError, UsageError
from restorecli.images.reading import read_image
from restorecli.training.shelf import shipped_recipes

TINY = {"holdout": 2, "every": 100, "max_side": 32, "samples": 0}


def photographs(folder, count=6, seed=0):
    """Smooth color images of 48x40."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for number in range(count):
        coarse = rng.integers(40, 216, (6, 5, 3), np.uint8)
        Image.fromarray(coarse).resize((40, 48), Image.Resampling.BICUBIC).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """Recipes with small crops and few steps; returns the folder that holds train and test images."""
    real = trials.compose

    def small(recipe, **changes):
        content = real(recipe, **{**changes, "hours": None, "steps": 2})
        content["data"] |= {"crop": 32, "batch": 1}
        content["validation"] |= TINY
        content["loss"] = {"charbonnier": 1}
        return content

    for module in (models, dither):
        monkeypatch.setattr(module, "compose", small)
    monkeypatch.setattr("restorecli.bench.ablations.compose", small)
    photographs(tmp_path / "train")
    photographs(tmp_path / "test", 3, seed=1)
    return tmp_path


def test_every_network_has_a_quick_recipe_in_its_small_size_on_the_same_task() -> None:
    quick = {name.removeprefix("quick/") for name in shipped_recipes() if name.startswith("quick/")}
    assert quick == set(MODELS), (
        f"every network of MODELS has a recipe recipes/quick/NAME.yaml: {sorted(quick ^ set(MODELS))}"
    )
    tasks = []
    for name, entry in MODELS.items():
        content = compose(f"quick/{name}")
        assert content["model"]["name"] == name
        built = create_model(name, **content["model"].get("arguments", {}))
        small = create_model(name, **entry.small)
        assert {k: v.shape for k, v in built.state_dict().items()} == {
            k: v.shape for k, v in small.state_dict().items()
        }, f"give recipes/quick/{name}.yaml the arguments `small` of restorecli/core/models/catalog.py"
        data, validation = content["data"], content["validation"]
        tasks.append((data["train"], data["degrade"], validation, content["budget"]))
    assert all(task == tasks[0] for task in tasks)
    assert tasks[0][1] == [{"name": "gaussian", "sigma": 25}]


def test_a_trial_is_a_training_and_a_test_and_is_read_back(tiny) -> None:
    trial = Trial("quick-dncnn", models.compose("quick/dncnn"), tiny / "train", tiny / "test")
    told: list[str] = []
    result = run_trial(trial, tiny / "runs", watch=Watch(told.append))
    assert result.steps == 2
    assert len(result.by_image) == 3
    assert 19.5 < result.degraded["psnr"] < 21.5  # sigma 25, a little of it clipped where it is seen
    restored = tiny / "runs" / "quick-dncnn" / f"restored-{trial.key}"
    judged = [
        peak_signal_noise_ratio(
            *(
                np.rint(255 * read_image(folder / f"{number}.png").pixels)
                for folder in (tiny / "test", restored)
            ),
            data_range=255,
        )
        for number in range(3)
    ]
    assert list(result.by_image.values()) == pytest.approx(judged)
    assert result.restored["psnr"] == pytest.approx(np.mean(judged))
    assert run_trial(trial, tiny / "runs", watch=Watch(told.append)) == result
    assert "read back" in told[-1]
    assert result.to_dict()["pictures"] == result.images == "3 images of test"
    assert result.to_document()["by_picture"] == result.by_image
    assert not {"images", "by_image"} & {*result.to_document(), *result.to_dict()}


def test_a_trial_that_was_trained_but_not_tested_is_not_trained_again(tiny) -> None:
    trial = Trial("quick-dncnn", models.compose("quick/dncnn"), tiny / "train", tiny / "test")
    result = run_trial(trial, tiny / "runs")
    (tiny / "runs" / "quick-dncnn" / running.RESULT).write_text("{torn")
    weights = (tiny / "runs" / "quick-dncnn" / "best.safetensors").stat().st_mtime_ns
    assert run_trial(trial, tiny / "runs") == result
    assert (tiny / "runs" / "quick-dncnn" / "best.safetensors").stat().st_mtime_ns == weights


def test_a_trial_that_fails_does_not_keep_the_others_from_theirs(tiny) -> None:
    good = models.compose("quick/perceptron")
    outcomes = list(
        run_trials(
            [
                Trial("bad", {**good, "loss": {"nothing": 1}}, tiny / "train"),
                Trial("good", good, tiny / "train"),
            ],
            tiny / "runs",
        )
    )
    assert isinstance(outcomes[0], RecipeError)
    assert outcomes[1].images == HELD_OUT


def test_models_are_measured_and_tried_and_their_table_tells(tiny) -> None:
    bench = bench_models(
        ["perceptron", "sca-unet"],
        data=tiny / "train",
        test=tiny / "test",
        runs=tiny / "runs",
        side=32,
        rounds=1,
    )
    content = json.loads(json.dumps(bench.to_dict(), allow_nan=False))
    perceptron, sca_unet = content["networks"]
    assert perceptron["costs"]["full"]["parameters"] == 210_924
    assert sca_unet["costs"]["small"] == sca_unet["costs"]["full"]
    trial = perceptron["trial"]
    assert trial["gained"]["psnr"] == pytest.approx(trial["restored"]["psnr"] - trial["degraded"]["psnr"])
    headers, rows = models_table(bench)
    assert [row[0] for row in rows] == ["perceptron", "sca-unet"]
    assert all(len(row) == len(headers) for row in rows)
    assert "867,842" in rows[1]
    text = markdown(headers, rows)
    assert text.count("\n") == 4
    assert text.splitlines()[1] == "| --- |" + " ---: |" * (len(headers) - 1)


def test_without_images_models_are_measured_alone() -> None:
    bench = bench_models(["perceptron"], side=32, rounds=1)
    headers, rows = models_table(bench)
    assert len(headers) == len(rows[0]) == 7
    with pytest.raises(UsageError, match="no model"):
        bench_models(["percepton"])


def test_trainings_need_a_folder_for_their_runs(tmp_path) -> None:
    with pytest.raises(UsageError, match="folder"):
        bench_models(["perceptron"], data=tmp_path)


def test_speed_is_pixels_by_cpu_time() -> None:
    costs = measure_costs(MODELS.find("perceptron"), side=32, rounds=1)
    for cost in costs.values():
        assert cost.speed == pytest.approx(32 * 32 / 1e6 / cost.taken.cpu)


@pytest.mark.parametrize(
    ("number", "text"), [(960.0, "0.96k"), (57_024, "57.0k"), (999_900, "1.00M"), (17_926_848, "17.9M")]
)
def test_large_numbers_are_short(number, text) -> None:
    assert short(number) == text


def test_the_reports_table_has_the_dithered_images_beside_it(tiny) -> None:
    assert [compose(f"dither/{name}")["data"]["degrade"] for name in REPORTED] == [["dither"]] * 5
    bench = bench_dither(["perceptron"], data=tiny / "train", test=tiny / "test", runs=tiny / "runs")
    headers, (row,) = dither_table(bench)
    assert len(headers) == len(row)
    assert row[-1] == "13.9"
    assert float(row[1]) < 12  # two levels per channel are far from the image
    assert json.dumps(bench.to_dict(), allow_nan=False)


def test_variants_differ_in_their_part_alone() -> None:
    for network, variants in ABLATIONS.items():
        arguments = compose(f"ablation/{network}")["model"]["arguments"]
        counts = {
            name: sum(p.numel() for p in create_model(network, **arguments, **change).parameters())
            for name, change in variants.items()
        }
        assert max(counts, key=counts.__getitem__) == "whole"
        assert len(set(counts.values())) == len(counts)


def test_sca_unet_without_its_parts_lacks_exactly_theirs() -> None:
    """1x1 gates C^2 + C and squeeze 2C(C/16) + C/16 + C on four levels; 4 projections 128 <-> 64."""
    attention = sum(c * c + c + 2 * c * (c // 16) + c // 16 + c for c in (16, 32, 64, 128))
    non_local = 3 * (128 * 64 + 64) + 64 * 128 + 128
    for change, less in (({"attention": False}, attention), ({"non_local": False}, non_local)):
        network = create_model("sca-unet", **change)
        assert sum(p.numel() for p in network.parameters()) == 867_842 - less


def test_an_ablation_compares_variants_seed_by_seed(tiny) -> None:
    for part in ("train", "test"):
        for seed, kind in enumerate(("dusty", "clean")):
            photographs(tiny / f"sand-{part}" / kind, 3, seed)
    told: list[str] = []
    bench = bench_ablation(
        "swm",
        data=tiny / "sand-train",
        test=tiny / "sand-test",
        runs=tiny / "runs",
        seeds=2,
        watch=Watch(told.append),
    )
    assert [variant.name for variant in bench.variants] == list(ABLATIONS["swm"])
    (found,) = bench.differences
    whole, other = bench.variants
    assert found.by_seed[1] == whole.results[1].restored["psnr"] - other.results[1].restored["psnr"]
    assert len(whole.results[0].by_image) == 3
    headers, rows = ablation_table(bench)
    assert all(len(row) == len(headers) for row in rows)
    assert json.dumps(bench.to_dict(), allow_nan=False)
    seeds = {
        yaml.safe_load((tiny / "runs" / "recipes" / f"ablation-swm-whole-{seed}.yaml").read_text())["seed"]
        for seed in range(2)
    }
    assert seeds == {0, 1}


def test_an_unknown_ablation_is_refused(tmp_path) -> None:
    with pytest.raises(UsageError, match="ablation"):
        bench_ablation("unet", data=tmp_path, test=tmp_path, runs=tmp_path)
