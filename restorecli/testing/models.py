"""Laws that hold for every network; each is called with its name and the arguments of a small size."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from restorecli.core.card_reading import Card
from restorecli.core.models.catalog import create_model
from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.weights import pack
from restorecli.core.zoo import network_of
from restorecli.testing.restorers import (
    images_of_a_batch_do_not_meet,
    shape_type_and_range_hold,
    the_same_images_give_the_same_result,
)

CPU = torch.device("cpu")

QUIET = {
    "an attention that starts even does not depend on its scores": ("query", "key", "theta", "phi"),
    "the one hidden unit of a narrow gate may be dead": ("channel.1", "channel.3"),
    "what softmax and normalizations cancel": ("bias",),
}
"""Parts of names of parameters whose gradient may vanish, and why."""

Arguments = Mapping[str, object]


def small(name: str, arguments: Arguments, channels: int = 3) -> nn.Module:
    """Return a network of a small size, always the same one."""
    torch.manual_seed(0)
    return create_model(name, channels=channels, **arguments)


def awake(network: nn.Module) -> nn.Module:
    """Give every parameter that starts at zero a value: gates that start closed would hide what is behind."""
    for parameter in network.parameters():
        if not parameter.any():
            nn.init.normal_(parameter, std=0.1)
    return network


def whole(network: nn.Module, name: str) -> int:
    """Return a number that a network states: channels, scale, multiple."""
    return int(getattr(network, name))


def smallest_batch(network: nn.Module, items: int = 1) -> Tensor:
    """Return a batch of an oblong image that the network takes without padding."""
    step = whole(network, "multiple")
    return torch.rand(items, whole(network, "channels"), step * -(-24 // step), step * -(-32 // step))


def restorer_of(network: nn.Module, name: str) -> TorchRestorer:
    """Return a network as a restorer on the processor."""
    return TorchRestorer(network, name=name, device=CPU)


def odd_sizes_gray_and_color_keep_their_shape(name: str, arguments: Arguments) -> None:
    """Restored images have the size times the scale, in float32 and in [0, 1]."""
    for channels in (1, 3):
        restorer = restorer_of(small(name, arguments, channels), name)
        scale = restorer.spec.scale
        shape_type_and_range_hold(restorer)
        for height, width in ((1, 1), (3, 5), (1, 40)):
            for kind in (1, 3):
                assert restorer(torch.rand(1, kind, height, width)).shape == (
                    1,
                    kind,
                    scale * height,
                    scale * width,
                )


def every_parameter_gets_a_gradient(name: str, arguments: Arguments) -> None:
    """No parameter is left out of the result."""
    for channels in (1, 3):
        network = small(name, arguments, channels)
        results = outputs(network, smallest_batch(network))
        sum(result.square().mean() for result in results).backward()  # type: ignore[union-attr]
        without = [key for key, value in network.named_parameters() if value.grad is None]
        assert without == [], f"{name}: use these in `forward`, or leave them out of the network"


def a_weights_file_rebuilds_the_same_function(name: str, arguments: Arguments) -> None:
    """Weights and card in one file are enough to have the network again."""
    for channels in (1, 3):
        network = awake(small(name, arguments, channels)).eval()
        card = Card(model=name, arguments={"channels": channels, **arguments})
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "weights.safetensors"
            file.write_bytes(pack(network.state_dict(), card))
            rebuilt, found = network_of(file)
        x = smallest_batch(network)
        assert found.model == name
        assert torch.equal(rebuilt.eval()(x), network(x))


def the_receptive_field_holds(name: str, arguments: Arguments) -> None:
    """Judge: autograd. Beyond the stated field there is no gradient; without one, everything is seen."""
    network = awake(small(name, arguments, 1)).eval()
    field = network.receptive_field
    assert field is None or isinstance(field, int)
    scale, step = whole(network, "scale"), whole(network, "multiple")
    side = 96 if field is None else 2 * (field // 2) + 64
    side += -side % step
    x = torch.rand(1, 1, side, side, requires_grad=True)
    restored = network(x)
    for place in {side // 2 + 3, side // 2 // step * step}:
        (gradient,) = torch.autograd.grad(restored[0, 0, place * scale, place * scale], x, retain_graph=True)
        rows, columns = gradient[0, 0].nonzero(as_tuple=True)
        reach = max(int((rows - place).abs().max()), int((columns - place).abs().max()))
        if field is None:
            assert reach >= side // 2 - step, (
                f"{name}: sees {2 * reach + 1} pixels; state it as `receptive_field`"
            )
        else:
            assert reach <= field // 2, (
                f"{name}: `receptive_field` is {field}, but it sees {2 * reach + 1} pixels"
            )


def batch_items_do_not_meet(name: str, arguments: Arguments) -> None:
    """An image is restored alike alone and beside others."""
    images_of_a_batch_do_not_meet(restorer_of(awake(small(name, arguments)), name))


def bfloat16_stays_finite(name: str, arguments: Arguments) -> None:
    """Under autocast nothing overflows, not even on black."""
    network = awake(small(name, arguments)).eval()
    x = smallest_batch(network)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        assert torch.isfinite(network(x)).all()
        assert torch.isfinite(network(torch.zeros_like(x))).all()


def evaluation_is_a_function(name: str, arguments: Arguments) -> None:
    """The same image gives the same result."""
    the_same_images_give_the_same_result(restorer_of(awake(small(name, arguments)), name))


def no_gradient_vanishes_or_explodes_at_the_start(name: str, arguments: Arguments) -> None:
    """Judged by |g| |w| / loss: by how much the loss changes, relatively, where a parameter does."""
    for channels in (1, 3):
        network = awake(small(name, arguments, channels)).train()
        loss = squared_error(network, *scene(network, items=2))
        loss.backward()  # type: ignore[no-untyped-call]
        for parameter, value in network.named_parameters():
            assert value.grad is not None, parameter
            share = float((value.grad.norm() * value.norm() / loss).detach())
            assert share < 1e3, f"{parameter}: {share:.1e}; a smaller gain for its start"
            if not any(part in parameter for parts in QUIET.values() for part in parts):
                assert share > 1e-9, (
                    f"{parameter}: {share:.1e}; He's rule keeps the size of what passes through"
                )


def thirty_steps_on_one_batch_lower_the_loss(name: str, arguments: Arguments) -> None:
    """It learns from its start: the loss falls by a twentieth at least."""
    network = small(name, arguments, 1).train()
    batch = scene(network, items=1)
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = squared_error(network, *batch)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.95 * losses[0], f"{name} learns nothing from its start: {losses}"


def outputs(network: nn.Module, x: Tensor) -> list[Tensor]:
    """Return all images that a network gives in training, the result first."""
    several: Callable[[Tensor], list[Tensor]] | None = getattr(network, "outputs", None)
    return [network(x)] if several is None else list(several(x))


def scene(network: nn.Module, items: int) -> tuple[Tensor, Tensor]:
    """Return degraded and clean crops: smooth images under noise of standard deviation 0.1."""
    step, scale, channels = (whole(network, key) for key in ("multiple", "scale", "channels"))
    side = step * -(-32 // step)
    coarse = torch.rand(items, channels, 8, 8)
    clean = F.interpolate(coarse, size=(side * scale, side * scale), mode="bicubic").clamp(0, 1)
    return F.avg_pool2d(clean, scale) + 0.1 * torch.randn(items, channels, side, side), clean


def squared_error(network: nn.Module, degraded: Tensor, clean: Tensor) -> Tensor:
    """Return the sum over a network's outputs of their mean squared error."""
    results = outputs(network, degraded)
    goals = [F.interpolate(clean, size=result.shape[-2:], mode="area") for result in results]
    errors = [(result - goal).square().mean() for result, goal in zip(results, goals, strict=True)]
    return torch.stack(errors).sum()


START_LAWS: tuple[Callable[[str, Arguments], None], ...] = (
    no_gradient_vanishes_or_explodes_at_the_start,
    thirty_steps_on_one_batch_lower_the_loss,
)

MODEL_LAWS: tuple[Callable[[str, Arguments], None], ...] = (
    odd_sizes_gray_and_color_keep_their_shape,
    every_parameter_gets_a_gradient,
    a_weights_file_rebuilds_the_same_function,
    the_receptive_field_holds,
    batch_items_do_not_meet,
    bfloat16_stays_finite,
    evaluation_is_a_function,
    *START_LAWS,
)
"""Each is called with a network's name and the arguments of a small size."""
