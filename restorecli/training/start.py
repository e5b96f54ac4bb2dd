"""Initial weights of a run, and parts that are frozen."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from torch import nn

from restorecli.core.models.dncnn import DnCnn
from restorecli.core.shipped import find_shipped
from restorecli.core.weights import load_into, read_weights
from restorecli.core.zoo import network_of
from restorecli.errors import RecipeError
from restorecli.training.recipe import located


def start_from(network: nn.Module, init: str, base: Path) -> None:
    """Fill a network with the weights of a file, or of a name that ships.

    A DnCNN without batch norm takes weights with it, too: they are folded.

    Args:
        network: The network of the recipe.
        init: A file, relative to `base`, or a name such as "sca-unet.gaussian".
        base: The recipe's folder.

    Raises:
        WeightsError: The weights are damaged or of another network.
    """
    file = located(init, base)
    path = file if file.is_file() else find_shipped(init).path
    tensors, card = read_weights(path)
    if isinstance(network, DnCnn) and not network.batch_norm and card.model == "dncnn":
        before, _ = network_of(path)
        assert isinstance(before, DnCnn)  # noqa: S101 - the card names it
        tensors = before.fold().state_dict()
    load_into(network, tensors, file=path)


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
