"""How much memory a training takes at the least, found without taking any."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from restorecli.core.device import pick_device, training_precision
from restorecli.core.models.catalog import create_model
from restorecli.counting import counted
from restorecli.errors import ResourceError
from restorecli.images.budget import available_memory
from restorecli.training.read_ahead import PIPELINE_DEPTH
from restorecli.training.recipe import Recipe

_FLOAT = 4
_MOMENTS = {"adam": 2, "adamw": 2, "muon": 1, "sgd": 1}
"""Numbers of each weight that an optimizer remembers."""

_GIB = 2**30


def check_memory(recipe: Recipe, device: str | None = None) -> None:
    """Refuse a recipe whose training cannot fit into memory, before anything of it is made.

    Args:
        recipe: A recipe without faults.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.

    Raises:
        ResourceError: It takes more than there is; with the largest batch that could fit.
    """
    chosen = pick_device(device)
    halved = training_precision(recipe.precision, chosen) == torch.bfloat16
    fixed, each = least_bytes(recipe, halved=halved)
    there = _free(chosen)
    batch = recipe.data.batch
    if fixed + batch * each <= there:
        return
    needed = fixed + batch * each
    fitting = max(0, (there - fixed) // each)
    raise ResourceError(
        "This training does not fit into memory.",
        expected=f"at most {there / _GIB:.1f} GiB, which are free on {chosen.type}",
        got=f"at least {needed / _GIB:,.1f} GiB for {counted(batch, 'crop')} of {recipe.data.crop} pixels",
        unchanged="nothing was started",
        hint=f"data.batch: {fitting} or less" if fitting else "a smaller data.crop, or a smaller network",
    )


def least_bytes(recipe: Recipe, *, halved: bool = False) -> tuple[int, int]:
    """Return the bytes of a training step at the least: once, and for each crop of a batch.

    Counted are weights, gradients, moments and the moving average, the batches that wait, and what the
    backward pass needs of the forward pass, by one pass on torch's meta device, which computes shapes alone.

    Args:
        recipe: A recipe without faults.
        halved: Features are kept in two bytes and not in four.
    """
    with torch.device("meta"):
        network = create_model(recipe.model.name, **recipe.model.arguments).train()
        channels, scale, crop = int(network.channels), int(network.scale), recipe.data.crop  # type: ignore[arg-type]
        probed = min(recipe.data.batch, 2)  # batch norm takes no single value
        degraded = torch.empty(probed, channels, crop // scale, crop // scale)
        # What is trained pixel after pixel is restored in another way, which says nothing of training.
        alike = recipe.strategy_choice()[0] != "autoregressive"
        features = _saved_bytes(network, degraded) // probed if alike else 0
    weights = sum(parameter.numel() for parameter in network.parameters())
    numbers = 2 + _MOMENTS[recipe.optimizer.name] + (recipe.ema is not None)
    waiting = PIPELINE_DEPTH * _FLOAT * channels * ((crop // scale) ** 2 + crop**2)
    if recipe.data.degrade_on == "device":
        waiting = PIPELINE_DEPTH * crop**2  # clean crops, of one byte and one channel at least
    return _FLOAT * weights * numbers, waiting + (features // 2 if halved else features)


def _saved_bytes(network: nn.Module, degraded: Tensor) -> int:
    """Return the bytes that autograd keeps beside the weights; 0 where meta tensors cannot tell it."""
    own = {parameter.untyped_storage()._cdata for parameter in network.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage.nbytes()
        return tensor

    forward = getattr(network, "outputs", network)
    try:
        with saved_tensors_hooks(keep, lambda tensor: tensor):
            outputs = forward(degraded)
    except (NotImplementedError, RuntimeError):  # a value is asked for, which the meta device has not
        return 0
    del outputs
    return sum(kept.values())


def _free(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else available_memory()
