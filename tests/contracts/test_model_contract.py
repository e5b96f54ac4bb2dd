"""What must hold for every network of the catalog, each built at its small size."""

import pytest
import torch
from torch import nn

from restorecli.core.models.catalog import MODELS, count_parameters, create_model
from restorecli.core.restorer import TorchRestorer
from restorecli.core.weights import Card, pack
from restorecli.core.zoo import network_of

CPU = torch.device("cpu")

every_model = pytest.mark.parametrize("name", MODELS)
both_kinds = pytest.mark.parametrize("channels", [1, 3])


def small(name, channels=3):
    torch.manual_seed(0)
    return create_model(name, channels=channels, **MODELS[name].small)


def awake(network):
    """Give every parameter that starts at zero a value: gates that start closed would hide what is behind."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return network


def smallest_batch(network, channels, items=1):
    """A batch of an oblong picture that the network takes without padding."""
    step = network.multiple
    return torch.rand(items, channels, step * -(-24 // step), step * -(-32 // step))


@every_model
@both_kinds
def test_odd_sizes_gray_and_colour_keep_their_shape(name, channels):
    restorer = TorchRestorer(small(name, channels), name=name, device=CPU)
    scale = restorer.spec.scale
    for height, width in ((37, 53), (1, 1), (3, 5), (1, 40)):
        for kind in (1, 3):
            restored = restorer(torch.rand(1, kind, height, width))
            assert restored.shape == (1, kind, scale * height, scale * width)
            assert restored.dtype == torch.float32
            assert 0 <= float(restored.min()) <= float(restored.max()) <= 1


@every_model
@both_kinds
def test_every_parameter_gets_a_gradient(name, channels):
    network = small(name, channels)
    x = smallest_batch(network, channels)
    results = network.outputs(x) if hasattr(network, "outputs") else [network(x)]
    sum(result.square().mean() for result in results).backward()
    without = [parameter for parameter, value in network.named_parameters() if value.grad is None]
    assert without == []


@pytest.mark.parametrize("name", [name for name in MODELS if hasattr(MODELS[name].load(), "outputs")])
def test_side_outputs_are_pictures_and_the_finest_is_the_result(name):
    network = small(name).eval()
    x = smallest_batch(network, 3)
    results = network.outputs(x)
    assert torch.equal(results[0], network(x))
    assert all(result.shape[:2] == x.shape[:2] for result in results)


@every_model
@both_kinds
def test_weights_file_rebuilds_the_same_function(name, channels, tmp_path):
    network = awake(small(name, channels)).eval()
    arguments = {"channels": channels, **MODELS[name].small}
    file = tmp_path / "weights.safetensors"
    file.write_bytes(pack(network.state_dict(), Card(model=name, arguments=arguments)))
    rebuilt, card = network_of(file)
    x = smallest_batch(network, channels)
    assert card.model == name
    assert torch.equal(rebuilt.eval()(x), network(x))


@every_model
def test_receptive_field_holds(name):
    """Judge: autograd. Beyond the stated field there is no gradient; without one, everything is seen."""
    network = awake(small(name, 1)).eval()
    field, scale, step = network.receptive_field, network.scale, network.multiple
    side = 96 if field is None else 2 * (field // 2) + 64
    side += -side % step
    x = torch.rand(1, 1, side, side, requires_grad=True)
    restored = network(x)
    for place in {side // 2 + 3, side // 2 // step * step}:
        (gradient,) = torch.autograd.grad(restored[0, 0, place * scale, place * scale], x, retain_graph=True)
        rows, columns = gradient[0, 0].nonzero(as_tuple=True)
        reach = max(int((rows - place).abs().max()), int((columns - place).abs().max()))
        if field is None:
            assert reach >= side // 2 - step
        else:
            assert reach <= field // 2


@every_model
def test_batch_items_do_not_meet(name):
    restorer = TorchRestorer(awake(small(name)), name=name, device=CPU)
    batch = torch.rand(3, 3, 24, 32)
    together = restorer(batch)
    alone = torch.cat([restorer(item[None]) for item in batch])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@every_model
def test_bfloat16_stays_finite(name):
    network = awake(small(name)).eval()
    x = smallest_batch(network, 3)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(network(x)).all()
        assert torch.isfinite(network(torch.zeros_like(x))).all()


@every_model
def test_evaluation_is_a_function(name):
    network = awake(small(name)).eval()
    x = smallest_batch(network, 3)
    with torch.no_grad():
        assert torch.equal(network(x), network(x))


@every_model
def test_small_is_small_and_the_default_is_rgb(name):
    with torch.device("meta"):
        size, full = count_parameters(small(name)), create_model(name)
    assert size <= 1_000_000
    assert size <= count_parameters(full)
    assert full.channels == 3
