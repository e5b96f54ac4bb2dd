"""From the words of `--model` to a restorer: trained weights, or a method that needs none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from restorecli.core.device import pick_device
from restorecli.errors import UsageError
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.auto import AUTO, AutoRestorer
from restorecli.restoration.backends import check_backend, load_network
from restorecli.restoration.known import Known
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.restoration.purposes import WEIGHTS_FILES, check_name, for_its_purpose, model_named
from restorecli.restoration.restorer import Restorer

_FOR_FOREIGN_WEIGHTS = "sca-unet"
"""The network of a checkpoint that comes without a model's name."""


def choose_restorer(
    model: str | Path,
    *,
    parameters: Mapping[str, object] | None = None,
    weights: str | Path | None = None,
    known: Known | None = None,
    device: str | None = None,
    precision: str = "auto",
    ensemble: bool = False,
    backend: str = "torch",
) -> Restorer:
    """Return the network or the method of a name.

    Args:
        model: "auto", "model", "model.tag", a weights file, an exported graph, the name of a method, or a
            word for a purpose such as "denoise"; see `purposes`.
        parameters: Of the method.
        weights: A foreign checkpoint for the network; beside "auto" one of SCA-UNet.
        known: What the caller says about the images.
        device: Where a network computes; see `restorecli.load`.
        precision: Of a network.
        ensemble: Of a network: the mean over turned and mirrored ways; see `PaddingRestorer`.
        backend: Of a network: what computes it; see `backends`.

    Raises:
        UsageError: The name is unknown, a parameter is wrong, or the words do not fit a network or a method.
        WeightsError: The weights are missing, damaged or do not fit.
    """
    model = model_named(model) if isinstance(model, str) else model
    name = str(model)
    if name == AUTO and weights is not None:
        name = model = _FOR_FOREIGN_WEIGHTS
    if name == AUTO:
        _check_auto(parameters, known)
        check_backend(backend)
        return AutoRestorer(device=device, precision=precision, ensemble=ensemble, backend=backend)
    method = METHODS.resolve(name)
    if method is not None:
        _check_for_networks(name, weights, ensemble, precision, backend)
        if device is not None:
            pick_device(device)
        return MethodRestorer(create_method(method, parameters))
    if parameters:
        raise _for_methods("--set", name)
    check_name(name)
    network = load_network(model, weights=weights, device=device, precision=precision, backend=backend)
    network.ensemble = ensemble
    if known is not None:
        _check_known(known, network.spec.needs, name)
    by_its_file = Path(name).suffix in WEIGHTS_FILES
    return network if by_its_file else for_its_purpose(network)


def _check_for_networks(
    name: str, weights: str | Path | None, ensemble: bool, precision: str, backend: str
) -> None:
    """Refuse for a method what is for networks.

    Raises:
        UsageError: There is such a thing.
    """
    if weights is not None:
        raise UsageError("A method has no weights.", got=f"--weights beside --model {name}")
    asked = {
        "--ensemble": ensemble,
        "--precision": precision != "auto",
        "--backend": backend not in ("torch", "auto"),
    }
    for option in (option for option, given in asked.items() if given):
        raise UsageError(f"{option} is for networks.", got=f"{option} beside --model {name}")


def _check_auto(parameters: Mapping[str, object] | None, known: Known | None) -> None:
    """Refuse what `auto` finds out by itself.

    Raises:
        UsageError: There is such a thing.
    """
    told = {
        "--set": bool(parameters),
        "--sigma": known is not None and known.sigma is not None,
        "--operator": known is not None and bool(known.words),
        "--mask": known is not None and known.masks is not None,
    }
    vain = [option for option, given in told.items() if given]
    if vain:
        raise UsageError(
            "auto finds out by itself what each image needs.",
            expected="a model or a method beside it",
            got=f"{' and '.join(vain)} with --model auto",
            hint="restorecli diagnose IMAGE says which model fits; name it with --model",
        )


def _check_known(known: Known, needs: frozenset[str], name: str) -> None:
    """Refuse to be told what the network does not use: it finds out by itself.

    Raises:
        UsageError: The noise for one that takes none, or an operator or mask.
    """
    if known.operator is not None or known.words:
        raise _for_methods("--operator", name)
    if known.masks is not None:
        raise _for_methods("--mask", name)
    if known.sigma is not None and "sigma?" not in needs:
        raise _for_methods("--sigma", name, "and networks that take a noise level, like drunet")


def _for_methods(option: str, name: str, others: str = "") -> UsageError:
    return UsageError(
        " ".join(f"{option} is for methods {others}".split()) + f"; {name} finds out by itself.",
        expected=f"--model with one of {', '.join(METHODS)}",
        got=f"{option} beside --model {name}",
        hint=f"leave {option} out, or name one of these",
    )
