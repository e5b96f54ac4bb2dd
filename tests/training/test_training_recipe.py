"""Recipes are checked whole: every fault at once, with its place and the nearest right name."""

import time

import pytest
import yaml

from restorecli import create_model
from restorecli.core.card_reading import Card
from restorecli.core.weights import pack
from restorecli.errors import RecipeError
from restorecli.training.check import load_recipe
from restorecli.training.memory import least_bytes
from restorecli.training.shelf import find_recipe, shipped_recipes
from restorecli.yaml12 import read_yaml


def test_all_faults_are_reported_at_once_with_their_places(workshop):
    path = workshop / "wrong.yaml"
    path.write_text(
        "name: wrong\n"
        "model:\n  name: sca-umet\n"
        "data:\n  train:\n    - claen: images\n  crop: big\n  degrade:\n    - name: gausian\n"
        "loss: {charbonnier: 1}\n"
        "optimiser: {lr: 2e-4}\n"
        "budget: {steps: 10}\n",
        encoding="utf-8",
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    text = str(caught.value)
    for place, words in (
        ("wrong.yaml:3:3", "sca-unet"),
        ("wrong.yaml:6:7", "did you mean 'clean'"),
        ("wrong.yaml:7:3", "integer"),
        ("wrong.yaml:9:7", "gaussian"),
        ("wrong.yaml:11:1", "did you mean 'optimizer'"),
    ):
        line = next((line for line in text.splitlines() if place in line and words in line), None)
        assert line is not None, (place, words, text)


def test_unknown_loss_missing_folder_and_missing_chain_are_faults(write_recipe):
    path = write_recipe(
        loss={"charbonier": 1, "edge": {"weight": 0.1, "epsilon": 1}},
        data={"train": [{"clean": "nowhere"}], "crop": 16, "batch": 2},
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    text = str(caught.value)
    assert "charbonnier" in text
    assert "epsilon" in text
    assert "no such folder" in text
    assert "chain of degradations" in text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"freeze": ["layers.0", "dconv_down1"]}, "'dconv_down1' names no part"),
        ({"init": "dncnn.gray-blind"}, "init: These weights do not fit DnCnn"),
        (
            {
                "model": {"name": "resnet", "arguments": {"scale": 2, "width": 8, "blocks": 1}},
                "data": {
                    "train": [{"clean": "images"}],
                    "degrade": [{"name": "downscale", "factor": 2}],
                    "crop": 33,
                },
                "validation": {"holdout": 2, "degrade": [{"name": "downscale", "factor": 2}]},
                "loss": {"charbonnier": 1},
            },
            "data.crop: resnet needs a multiple of its scale 2, got 33",
        ),
        (
            {
                "data": {"train": [{"clean": "images"}], "crop": 16, "batch": 2},
                "curriculum": {
                    "kind": "rigid",
                    "levels": [["gaussian"], [{"name": "downscale", "factor": 2}]],
                },
            },
            "curriculum.levels.1: sides become 2 times smaller",
        ),
    ],
)
def test_what_only_shows_together_is_found_before_anything_starts(write_recipe, changes, words):
    with pytest.raises(RecipeError) as caught:
        load_recipe(write_recipe(**changes))
    assert words in str(caught.value)
    assert "1 fault;" in str(caught.value)


@pytest.mark.parametrize("text", ["2e-4", "2E-4", "2.0e-4", ".0002", "2.e-4", "+2e-4"])
def test_numbers_are_numbers_as_in_yaml_1_2(write_recipe, text):
    path = write_recipe()
    path.write_text(path.read_text() + f"optimizer:\n  lr: {text}\n")
    assert load_recipe(path).optimizer.lr == pytest.approx(2e-4)


def test_a_range_stays_a_text(write_recipe):
    assert load_recipe(write_recipe()).data.degrade[0]["sigma"] == "5..40"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: a\nname: b\n", "twice"),
        ("a: &x [1]\nb: *x\n", "Aliases"),
        ("name:\n\t- a\n", "tabs"),
        ("name: !!python/object/apply:os.system [echo]\n", "Tags"),
        ("- just\n- a list\n", "table"),
        ("", "table"),
        ("name: [unclosed\n", "not valid YAML"),
        ("name: !!int abc\n", "Tags"),
        ("? [a, b]\n: 1\n", "plain word"),
        ("[" * 5000, "too deep"),
        ("{a: " * 5000, "too deep"),
        ("name: a\n---\nname: b\n", "another document"),
        ("~: 1\n", "Keys should be strings"),
    ],
)
def test_dangerous_or_broken_yaml_is_refused_with_its_place(tmp_path, text, words):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    with pytest.raises(RecipeError, match=words):
        load_recipe(path)


def test_a_billion_laughs_are_refused_at_once(tmp_path):
    path = tmp_path / "bomb.yaml"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{b}: &{b} [{', '.join('*' + a for _ in range(9))}]"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    ]
    path.write_text("\n".join(lines))
    started = time.monotonic()
    with pytest.raises(RecipeError, match="Aliases"):
        read_yaml(path)
    assert time.monotonic() - started < 1


def test_a_huge_or_binary_file_is_refused(tmp_path):
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"a: 1\n" * 300_000)
    with pytest.raises(RecipeError, match="too large"):
        read_yaml(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(RecipeError, match="UTF-8"):
        read_yaml(path)


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_works_beside_the_users_images(name, workshop):
    pairs = ("degraded", "reference", "dusty", "clean", "held/dusty", "held/clean")
    for folder in (*pairs, "photographs"):  # what recipes name beside the folder that they lie in
        (workshop / folder).mkdir(parents=True)
    copy = workshop / "recipe.yaml"
    copy.write_bytes(find_recipe(name).read_bytes())
    assert load_recipe(copy).name == name.replace("/", "-")


@pytest.mark.parametrize("name", shipped_recipes())
def test_every_shipped_recipe_opens_with_its_purpose_cost_and_launch_line(name):
    text = find_recipe(name).read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "# Costs:" in text
    assert f"restorecli train {name}" in text


def test_an_unknown_recipe_offers_the_nearest():
    with pytest.raises(RecipeError, match="quick"):
        find_recipe("quik")


def test_the_resolved_recipe_is_itself_a_recipe(write_recipe, workshop):
    recipe = load_recipe(write_recipe())
    again = workshop / "again.yaml"
    again.write_text(yaml.safe_dump(recipe.resolved()))
    assert load_recipe(again) == recipe


@pytest.mark.parametrize("text", ["2024-13-45", "1:30", "0b_", "089"])
def test_what_older_yaml_takes_for_numbers_and_dates_breaks_nothing(tmp_path, text):
    path = tmp_path / "old.yaml"
    path.write_text(f"a: {text}\nb: 010\nc: {'9' * 5000}\n")
    content, _ = read_yaml(path)
    assert content["a"] in (text, 89.0)
    assert content["b"] == 10


CHAIN = [{"name": "gaussian", "sigma": 25}]


@pytest.mark.parametrize(
    ("changes", "place", "words"),
    [
        ({"loss": {"edge": {"weight": "big"}}}, "loss.edge.weight", "number from 0, got 'big'"),
        ({"loss": {"edge": {"weight": True}}}, "loss.edge.weight", "number from 0"),
        ({"loss": {"edge": {"form": "sobel"}}}, "loss.edge", "pyramid, laplacian"),
        ({"loss": {"edge": {"fomr": "laplacian"}}}, "loss.edge", "did you mean 'form'"),
        ({"loss": {"charbonnier": {"eps": "big"}}}, "loss.charbonnier", "above 0, got 'big'"),
        ({"loss": {"charbonnier": float("nan")}}, "loss.charbonnier", "finite"),
        ({"loss": {"charbonnier": -1}}, "loss.charbonnier", "from 0, got -1"),
        ({"model": "dncnn"}, "model", "a mapping of keys to values, got 'dncnn'"),
        ({"loss": {"charbonnier": "big"}}, "loss.charbonnier", "number or a valid dictionary, got 'big'"),
        ({"loss": {"ssim": {"window": 33}}}, "data.crop", "33 pixels, got 16"),
        ({"optimizer": {"lr": float("inf")}}, "optimizer.lr", "finite"),
        ({"optimizer": {"betas": [0.9, 1.5]}}, "optimizer.betas.1", "less than 1"),
        ({"optimizer": {"momentun": 0.5}}, "optimizer.momentun", "did you mean 'momentum'"),
        ({"optimizer": {"name": "adm"}}, "optimizer.name", "did you mean 'adam'"),
        ({"schedule": {"warmpu": 2}}, "schedule.warmpu", "did you mean 'warmup'"),
        ({"schedule": {"milestones": [1000]}}, "schedule.milestones.0", "less than 1"),
        ({"validation": {"evry": 2, "degrade": CHAIN}}, "validation.evry", "did you mean 'every'"),
        ({"validation": {"degrade": CHAIN, "metric": "psn"}}, "validation.metric", "did you mean 'psnr'"),
        ({"budget": {"stps": 3}}, "budget.stps", "did you mean 'steps'"),
        ({"card": {"licens": "x"}}, "card.licens", "did you mean 'licence'"),
        ({"init": "sca-unett"}, "init", "did you mean 'sca-unet'"),
        ({"seed": 2**70}, "seed", "integer"),
        ({"model": {"name": "dncnn", "arguments": {1: 2}}}, "model.arguments", "string"),
        ({"model": {"name": "dncnn", "arguments": {"channels": 2}}}, "model.arguments", "got channels: 2"),
        ({"model": {"name": "dncnn", "arguments": {"depth": "many"}}}, "model.arguments.depth", "got 'many'"),
        (
            {"model": {"name": "dncnn", "arguments": {"width": 2.5}}},
            "model.arguments.width",
            "integer, got 2.5",
        ),
        ({"model": {"name": "dncnn", "arguments": {"width": 5000}}}, "model.arguments", "width: 1 to 1024"),
        (
            {"model": {"name": "nafnet", "arguments": {"encoder": [1, "two"]}}},
            "model.arguments.encoder",
            "got [1, 'two'] ('two')",
        ),
        (
            {"model": {"name": "restormer", "arguments": {"norm": "none"}}},
            "model.arguments.norm",
            "'with-bias' or 'bias-free', got 'none'",
        ),
        ({"data": {"train": [{"clean": "a\0b"}], "degrade": CHAIN}}, "data.train.0.clean", "no such"),
        ({"data": {"train": [{"clean": "x" * 5000}], "degrade": CHAIN}}, "data.train.0.clean", "no such"),
        ({"data": {"train": [{"clean": "~nobody.here/x"}], "degrade": CHAIN}}, "data.train.0.clean", "no"),
        ({"data": {"train": [{"clean": "images"}], "degrade": ["downscale"]}}, "data.degrade", "scale is 1"),
        ({"data": {"train": [{"clean": "images"}], "degrade": [3]}}, "data.degrade.0", "string or a"),
    ],
)
def test_each_fault_is_one_line_with_its_place_and_a_way_out(write_recipe, changes, place, words):
    path = write_recipe(**changes)
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    lines = [line for line in caught.value.problem.splitlines() if f"  {place}" in line]
    assert len(lines) == 1, caught.value
    assert words in lines[0]
    assert f"{path}:" in lines[0]


@pytest.mark.parametrize("name", ["../elsewhere", "/tmp/elsewhere", "..", ""])
def test_a_name_never_leads_out_of_the_folder_of_runs(write_recipe, name):
    path = write_recipe()
    path.write_text(path.read_text().replace("name: tiny", f"name: {name!r}", 1))
    with pytest.raises(RecipeError, match="plain word"):
        load_recipe(path)


def test_faults_of_names_are_found_beside_faults_of_form(write_recipe):
    path = write_recipe(
        seed="none",
        init="nothing.safetensors",
        loss={"charbonier": 1},
        data={"train": [{"clean": "nowhere"}], "degrade": ["gausian"]},
        validation={"degrade": ["gausian"], "sources": [{"clean": "neither"}]},
    )
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    for place in (
        "seed", "init", "loss.charbonier", "data.train.0.clean", "data.degrade.0",
        "validation.degrade.0", "validation.sources.0.clean",
    ):  # fmt: skip
        assert f"  {place}: " in caught.value.problem, place


def test_a_crop_that_the_network_cannot_take_is_a_fault(write_recipe):
    data = {"train": [{"clean": "images"}], "degrade": CHAIN, "crop": 20}
    with pytest.raises(RecipeError, match="multiple of 8, got 20"):
        load_recipe(write_recipe(model={"name": "unet"}, data=data))


def test_batch_norm_is_not_trained_on_a_single_pixel(write_recipe):
    model = {"name": "dncnn", "arguments": {"channels": 1, "depth": 3, "width": 4}}
    data = {"train": [{"clean": "images"}], "degrade": CHAIN, "crop": 1}
    with pytest.raises(RecipeError, match="dncnn cannot be trained on 1 crop of 1 px"):
        load_recipe(write_recipe(model=model, data={**data, "batch": 1}, loss={"l1": 1}))
    recipe = load_recipe(write_recipe(model=model, data={**data, "batch": 2}, loss={"l1": 1}))
    assert least_bytes(recipe)[1] > 0


def test_a_recipe_that_is_a_folder_says_so(tmp_path):
    with pytest.raises(RecipeError, match="a folder"):
        find_recipe(tmp_path)
    with pytest.raises(RecipeError, match="directory"):
        load_recipe(tmp_path)


def test_a_published_recipe_names_folders_from_its_own_place(write_recipe, workshop, monkeypatch, tmp_path):
    data = {"train": [{"clean": "."}], "degrade": CHAIN, "crop": 16}
    arguments = {"channels": 1, "depth": 3, "width": 4}
    tensors = create_model("dncnn", **arguments).state_dict()
    (workshop / "images/start.safetensors").write_bytes(pack(tensors, Card("dncnn", arguments, channels=1)))
    recipe = load_recipe(write_recipe(init="images/start.safetensors", data=data))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    published = recipe.published(workshop)
    assert published["data"]["train"][0]["clean"] == workshop.name
    assert published["init"] == "start.safetensors"


def test_names_are_found_in_any_case(write_recipe):
    recipe = load_recipe(write_recipe(model={"name": "DnCNN"}, strategy="Supervised", loss={"L1": 1.0}))
    assert recipe.model.name == "dncnn"
    with pytest.raises(RecipeError, match="coarse-to-fine trains lcdnet, and the model is dncnn"):
        load_recipe(write_recipe(model={"name": "DnCNN"}, strategy="Coarse-To-Fine"))
