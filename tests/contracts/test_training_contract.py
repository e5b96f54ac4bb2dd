"""What must hold for every network of the catalog when it is trained from its start."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from restorecli.core.models.catalog import MODELS, create_model

DEEP = [
    ("dncnn", {"batch_norm": False, "width": 16}),
    ("dncnn", {"width": 16}),
    ("patch-cnn", {"patch": 24, "stride": 16, "width": 16}),
    ("red-net", {"depth": 30, "width": 8}),
    ("resnet", {"blocks": 16, "width": 16}),
]
"""Networks whose small size is so shallow that a bad start would not show."""

STARTS = [*((name, dict(entry.small)) for name, entry in MODELS.items()), *DEEP]
every_start = pytest.mark.parametrize(
    ("name", "arguments"), STARTS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(STARTS)]
)

QUIET = {
    "an attention that starts even does not depend on its scores": ("query", "key", "theta", "phi"),
    "the one hidden unit of a narrow gate may be dead": ("channel.1", "channel.3"),
    "what softmax and normalizations cancel": ("bias",),
}
"""Parts of names of parameters whose gradient may vanish, and why."""


def awake(network):
    """Give every parameter that starts at zero a value: gates that start closed would hide what is behind."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return network


def scene(network, items):
    """Return degraded and clean crops: smooth pictures under noise of standard deviation 0.1."""
    step, scale = network.multiple, network.scale
    side = step * -(-32 // step)
    coarse = torch.rand(items, network.channels, 8, 8)
    clean = F.interpolate(coarse, size=(side * scale, side * scale), mode="bicubic").clamp(0, 1)
    return F.avg_pool2d(clean, scale) + 0.1 * torch.randn(items, network.channels, side, side), clean


def squared_error(network, degraded, clean):
    """Return the sum over a network's outputs of their mean squared error."""
    results = network.outputs(degraded) if hasattr(network, "outputs") else [network(degraded)]
    goals = [F.interpolate(clean, size=result.shape[-2:], mode="area") for result in results]
    return sum((result - goal).square().mean() for result, goal in zip(results, goals, strict=True))


@every_start
@pytest.mark.parametrize("channels", [1, 3])
def test_at_the_start_no_gradient_vanishes_or_explodes(name, arguments, channels):
    """Judged by |g| |w| / loss: by how much the loss changes, relatively, where a parameter does."""
    torch.manual_seed(0)
    network = awake(create_model(name, channels=channels, **arguments)).train()
    loss = squared_error(network, *scene(network, items=2))
    loss.backward()
    for parameter, value in network.named_parameters():
        with torch.no_grad():
            share = float(value.grad.norm() * value.norm() / loss)
        assert share < 1e3, f"{parameter}: {share:.1e}; a smaller gain for its start"
        if not any(part in parameter for parts in QUIET.values() for part in parts):
            assert share > 1e-9, f"{parameter}: {share:.1e}; He's rule keeps the size of what passes through"


@every_start
def test_thirty_steps_on_one_batch_lower_the_loss(name, arguments):
    torch.manual_seed(0)
    network = create_model(name, channels=1, **arguments).train()
    batch = scene(network, items=1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = squared_error(network, *batch)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.95 * losses[0], losses
