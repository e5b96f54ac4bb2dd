"""Initial weights of a run, and parts that are frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path

from torch import Tensor, nn

from restorecli.core.card_reading import Card
from restorecli.core.models.blocks.upsampling import Upsampler
from restorecli.core.models.dncnn import DnCnn
from restorecli.core.shipped import find_shipped
from restorecli.core.weights import load_into, read_weights
from restorecli.core.zoo import network_from
from restorecli.errors import RecipeError
from restorecli.training.recipe import located


def start_from(network: nn.Module, init: str, base: Path) -> Sequence[str]:
    """Fill a network with the weights of a file, or of a name that ships; see `forget_weights`.

    A DnCNN without batch norm takes weights with it, too: they are folded. A network that enlarges takes
    those of another scale: the steps of its up-sampler that they do not fit keep the start that they have.

    Args:
        network: The network of the recipe.
        init: A file, relative to `base`, or a name such as "sca-unet.gaussian".
        base: The recipe's folder.

    Returns:
        Names of the tensors that keep the start that they have.

    Raises:
        WeightsError: The weights are damaged or of another network.
    """
    file = located(init, base)
    path = file if file.is_file() else find_shipped(init).path
    tensors, card = _read(path, path.stat().st_mtime_ns)
    if isinstance(network, DnCnn) and not network.batch_norm and card.model == "dncnn":
        before = network_from(tensors, card, path)
        assert isinstance(before, DnCnn)  # noqa: S101 - the card names it
        tensors = before.fold().state_dict()
    kept: Mapping[str, Tensor] = {}
    if isinstance(up := getattr(network, "up", None), Upsampler):
        tensors, kept = _with_own_steps(tensors, up)
    load_into(network, {**tensors, **kept}, file=path)
    return tuple(kept)


@lru_cache(maxsize=1)
def _read(path: Path, changed: int) -> tuple[dict[str, Tensor], Card]:  # noqa: ARG001 - tells files apart
    return read_weights(path)


def forget_weights() -> None:
    """Free what `start_from` read last and keeps, since a recipe is checked before its run starts."""
    _read.cache_clear()


def notes_on_start(kept: Sequence[str]) -> tuple[str, ...]:
    """Say which tensors keep the start that they have, as `start_from` returns them; nothing for none."""
    return (f"init is of another scale: {', '.join(kept)} start anew",) if kept else ()


def _with_own_steps(
    tensors: Mapping[str, Tensor], up: Upsampler
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the tensors that are not of steps of another scale, and an up-sampler's own for those they lack.

    Args:
        tensors: Of a whole network, whose up-sampler is called "up".
        up: That of the network to fill.
    """
    own = {f"up.{name}": tensor for name, tensor in up.state_dict().items()}
    fitting = {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith("up.") or (name in own and own[name].shape == tensor.shape)
    }
    return fitting, {name: tensor for name, tensor in own.items() if name not in fitting}


def freeze(network: nn.Module, patterns: Sequence[str]) -> None:
    """Keep parts of a network as they are: no gradient, and batch norm with the statistics it has.

    Args:
        network: The network, in training mode.
        patterns: Names of modules or parameters as `named_parameters` spells them, `*` standing for anything.

    Raises:
        RecipeError: A pattern names nothing, or nothing is left to train.
    """
    for pattern in patterns:
        modules = [module for name, module in network.named_modules() if fnmatchcase(name, pattern)]
        parameters = [value for name, value in network.named_parameters() if fnmatchcase(name, pattern)]
        if not modules and not parameters:
            raise RecipeError(
                f"freeze: {pattern!r} names no part of this network.",
                expected=", ".join(name for name, _ in network.named_children()),
                got=pattern,
                unchanged="nothing was started",
            )
        for module in modules:
            module.eval()
            parameters += list(module.parameters())
        for parameter in parameters:
            parameter.requires_grad_(False)
    if not any(parameter.requires_grad for parameter in network.parameters()):
        raise RecipeError("freeze leaves nothing to train.", got=", ".join(patterns))
