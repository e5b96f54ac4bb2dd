"""What must hold for every network of the catalog, each built at its small size."""

import pytest
import torch

from restorecli.core.models.catalog import MODELS, count_parameters, create_model
from restorecli.testing import MODEL_LAWS
from restorecli.testing.models import START_LAWS, small, smallest_batch

DEEP = [
    ("dncnn", {"batch_norm": False, "width": 16}),
    ("dncnn", {"width": 16}),
    ("patch-cnn", {"patch": 24, "stride": 16, "width": 16}),
    ("red-net", {"depth": 30, "width": 8}),
    ("resnet", {"blocks": 16, "width": 16}),
]
"""Networks whose small size is so shallow that a bad start would not show."""


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("law", MODEL_LAWS, ids=lambda law: law.__name__)
def test_law(law, name):
    law(name, MODELS[name].small)


@pytest.mark.parametrize(("name", "arguments"), DEEP, ids=lambda value: str(value))
@pytest.mark.parametrize("law", START_LAWS, ids=lambda law: law.__name__)
def test_deep_networks_learn_from_their_start(law, name, arguments):
    law(name, arguments)


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name].load(), "outputs")])
def test_side_outputs_are_images_and_the_finest_is_the_result(name):
    network = small(name, MODELS[name].small).eval()
    x = smallest_batch(network)
    results = network.outputs(x)
    assert torch.equal(results[0], network(x))
    assert all(result.shape[:2] == x.shape[:2] for result in results)


@pytest.mark.parametrize("name", MODELS)
def test_small_is_small_and_the_default_is_rgb(name):
    with torch.device("meta"):
        size, full = count_parameters(small(name, MODELS[name].small)), create_model(name)
    assert size <= 1_000_000
    assert size <= count_parameters(full)
    assert full.channels == 3
