"""What must hold for every network of the catalog."""

import pytest
import torch

from restorecli.core.models.catalog import MODELS, create_model
from restorecli.core.restorer import TorchRestorer
from restorecli.core.weights import Card, pack
from restorecli.core.zoo import network_of

CPU = torch.device("cpu")

every_model = pytest.mark.parametrize("name", MODELS)
both_kinds = pytest.mark.parametrize("channels", [1, 3])


@every_model
@both_kinds
def test_odd_sizes_gray_and_colour_keep_their_shape(name, channels):
    restorer = TorchRestorer(create_model(name, channels=channels), name=name, device=CPU)
    for height, width in ((37, 53), (1, 1), (3, 5), (1, 40)):
        for kind in (1, 3):
            batch = torch.rand(1, kind, height, width)
            restored = restorer(batch)
            assert restored.shape == batch.shape
            assert restored.dtype == torch.float32
            assert 0 <= float(restored.min()) <= float(restored.max()) <= 1


@every_model
@both_kinds
def test_every_parameter_gets_a_gradient(name, channels):
    network = create_model(name, channels=channels)
    network(torch.rand(1, channels, 32, 48)).square().mean().backward()
    without = [parameter for parameter, value in network.named_parameters() if value.grad is None]
    assert without == []


@every_model
@both_kinds
def test_weights_file_rebuilds_the_same_function(name, channels, tmp_path):
    network = create_model(name, channels=channels).eval()
    file = tmp_path / "weights.safetensors"
    file.write_bytes(pack(network.state_dict(), Card(model=name, arguments={"channels": channels})))
    rebuilt, card = network_of(file)
    x = torch.rand(1, channels, 16, 24)
    assert card.model == name
    assert torch.equal(rebuilt.eval()(x), network(x))


@every_model
def test_receptive_field_holds(name):
    """Judge: autograd. Beyond the stated field there is no gradient; without one, everything is seen."""
    network = create_model(name, channels=1).eval()
    field = network.receptive_field
    side = 96 if field is None else 2 * (field // 2) + 64
    side += -side % network.multiple
    x = torch.rand(1, 1, side, side, requires_grad=True)
    row = column = side // 2 + 3
    network(x)[0, 0, row, column].backward()
    rows, columns = x.grad[0, 0].nonzero(as_tuple=True)
    reach = max(int((rows - row).abs().max()), int((columns - column).abs().max()))
    if field is None:
        assert reach >= side // 2 - network.multiple
    else:
        assert reach <= field // 2


@every_model
def test_batch_items_do_not_meet(name):
    restorer = TorchRestorer(create_model(name, channels=3), name=name, device=CPU)
    batch = torch.rand(3, 3, 24, 32)
    together = restorer(batch)
    alone = torch.cat([restorer(item[None]) for item in batch])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=0)


@every_model
def test_gray_stays_gray(name):
    restorer = TorchRestorer(create_model(name, channels=3), name=name, device=CPU)
    assert restorer(torch.rand(2, 1, 16, 16)).shape == (2, 1, 16, 16)
