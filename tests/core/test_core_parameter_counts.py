"""Numbers of parameters against what was published, or what the layers add up to."""

import pytest
import torch

from restorecli.core.models.catalog import MODELS, count_parameters, create_model


@pytest.mark.parametrize(
    ("name", "arguments", "parameters"),
    [
        ("perceptron", {}, 17 * 17 * 3 * 243 + 243),
        ("mlp", {}, 4564 * 3072 + 3073 * 3072 + 3073 * 2559 + 2560 * 2047 + 2048 * 867),
        ("resnet", {"scale": 2}, 1_369_859),
        ("resnet", {"scale": 4}, 1_517_571),
        ("gan", {}, 54_413_955),
        ("rdn", {"scale": 2}, 22_123_395),
        ("rdn", {}, 21_975_683),
        ("esrgan", {}, 16_697_987),
        ("red-net", {"depth": 10}, 298_947),
        ("red-net", {"depth": 20}, 668_227),
        ("red-net", {"depth": 30}, 1_037_507),
        ("red-net", {}, 1_037_507),
        ("noise2noise", {}, 991_203),
        ("drunet", {}, 32_640_960),
        ("drunet", {"channels": 1}, 32_638_656),
        ("ircnn", {"channels": 1}, 185_857),
        ("ircnn", {}, 188_163),
        ("sca-unet", {}, 867_842),
        ("dncnn", {"channels": 1}, 556_096),
        ("dncnn", {"channels": 1, "depth": 17}, 556_096),
        ("dncnn", {"channels": 1, "depth": 17, "batch_norm": False}, 555_137),
        ("dncnn", {"channels": 1, "depth": 20}, 667_072),
        ("dncnn", {"channels": 1, "depth": 20, "batch_norm": False}, 665_921),
        ("dncnn", {}, 669_376),
        ("dncnn", {"channels": 3, "depth": 20, "batch_norm": False}, 668_227),
    ],
)
def test_published_parameter_counts(name, arguments, parameters):
    with torch.device("meta"):
        assert count_parameters(create_model(name, **arguments)) == parameters


@pytest.mark.parametrize("name", MODELS)
def test_the_counts_of_the_catalog_are_those_of_the_networks(name):
    with torch.device("meta"):
        assert MODELS[name].parameters == count_parameters(create_model(name))
