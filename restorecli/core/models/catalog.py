"""Every network by its command-line name: one line each, nothing found by scanning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from restorecli.catalogs import Catalog, Entry, OwnParts, check_arguments
from restorecli.core.models.limits import LIMITS, MULTIPLES
from restorecli.errors import UsageError

if TYPE_CHECKING:
    from torch import nn

Build: TypeAlias = "Callable[..., nn.Module]"


@dataclass(frozen=True)
class ModelEntry(Entry[Build]):
    """A network of the catalog; the keyword arguments of its class are the network's arguments.

    Attributes:
        reference: The paper it comes from.
        default_tag: The weights that the bare name stands for, or None where none ship.
        small: Arguments of a small size, for tests, quick recipes and benchmarks; empty where the default is
            small enough.
        parameters: Number of parameters with default arguments, to be listed without building it; None
            where it was not counted beforehand.
    """

    reference: str = ""
    default_tag: str | None = None
    small: Mapping[str, object] = field(default_factory=dict)
    parameters: int | None = None


def _model(
    name: str,
    place: str,
    summary: str,
    reference: str,
    default_tag: str | None = None,
    small: Mapping[str, object] | None = None,
    *,
    parameters: int,
) -> ModelEntry:
    place = f"restorecli.core.models.{place}"
    return ModelEntry(name, place, summary, reference, default_tag, small or {}, parameters)


# fmt: off
_ENTRIES = (
    _model("sca-unet", "sca_unet:ScaUNet", "residual U-Net, gated skips, non-local bottleneck",
           "Sarvesan, Mendhe", "gaussian", parameters=867_842),
    _model("dncnn", "dncnn:DnCnn", "plain CNN that predicts the noise", "Zhang et al., TIP 2017",
           "gray-blind", small={"depth": 8, "width": 32}, parameters=669_376),
    _model("unet", "unet:UNet", "plain U-Net baseline with a global residual",
           "Ronneberger et al., MICCAI 2015", small={"width": 8}, parameters=1_946_947),
    _model("swm", "swm:Swm", "frequency selection per band, then attention, for sand-dust",
           "Mishra, Dhara, CVPRW 2025", "sand-dust",
           small={"width": 16, "depths": (1, 1, 1), "bottleneck": 1}, parameters=2_013_861),
    _model("lcdnet", "lcdnet:LcdNet", "spatial and frequency selection, four scales in and out",
           "Gao, Dang, arXiv:2504.10558",
           small={"width": 6, "encoder": (1, 1, 1, 1), "middle": 1, "decoder": (1, 1, 1, 1)},
           parameters=35_898_376),
    _model("nafnet", "nafnet:NafNet", "U-Net without activation functions: simple gates, channel attention",
           "Chen et al., ECCV 2022", small={"width": 16, "encoder": (1, 1, 1), "decoder": (1, 1, 1)},
           parameters=17_111_907),
    _model("restormer", "restormer:Restormer", "transformer with attention between channels",
           "Zamir et al., CVPR 2022",
           small={"width": 8, "blocks": (1, 1, 1, 1), "refinement": 1, "heads": (1, 1, 2, 2)},
           parameters=26_126_644),
    _model("perceptron", "perceptron:Perceptron",
           "single layer: one affine map from patch to patch, a learned linear filter",
           "baseline of the report", small={"patch": 9, "out": 5}, parameters=210_924),
    _model("mlp", "mlp:Mlp", "multi-layer perceptron from patch to patch", "Burger et al., CVPR 2012",
           small={"patch": 15, "out": 7, "hidden": (192, 192)}, parameters=38_340_607),
    _model("autoencoder", "autoencoder:Autoencoder", "convolutional autoencoder without skips",
           "baseline of the report", small={"width": 16}, parameters=1_380_035),
    _model("resnet", "resnet:ResNet", "residual blocks without batch norm; also enlarges 2, 3, 4 times",
           "Lim et al. (EDSR), CVPRW 2017", "dither", small={"blocks": 4, "width": 32}, parameters=1_222_147),
    _model("patch-cnn", "patch_cnn:PatchCnn", "plain CNN on overlapping patches, joined under a window",
           "of the report, after Zhang et al., TIP 2017",
           small={"patch": 24, "stride": 16, "depth": 6, "width": 32}, parameters=557_443),
    _model("hybrid", "hybrid:Hybrid",
           "attention in windows, CBAM, MLP blocks, normalized input, separable convolutions",
           "of the report, after Woo et al. (CBAM), ECCV 2018", small={"blocks": 2, "width": 32},
           parameters=507_271),
    _model("gan", "gan:Pix2Pix", "pix2pix generator, U-Net-256; trains with PatchGAN",
           "Isola et al., CVPR 2017", small={"width": 12, "levels": 5}, parameters=54_413_955),
    _model("esrgan", "esrgan:RrdbNet",
           "RRDBNet, residual-in-residual dense blocks; enlarges 4, 3, 2 or 1 times",
           "Wang et al., ECCVW 2018", small={"scale": 1, "blocks": 1, "width": 64, "growth": 16},
           parameters=16_697_987),
    _model("rdn", "rdn:Rdn", "residual dense network; also enlarges 2, 3, 4 times",
           "Zhang et al., CVPR 2018, TPAMI 2020",
           small={"blocks": 3, "layers": 3, "growth": 16, "width": 24}, parameters=21_975_683),
    _model("red-net", "red_net:RedNet",
           "convolutions and mirrored transposed ones, symmetric skips; depth 10, 20, 30",
           "Mao et al., NeurIPS 2016", small={"depth": 12, "width": 24}, parameters=1_037_507),
    _model("noise2noise", "noise2noise:Noise2NoiseUNet", "U-Net for training on pairs of noisy images",
           "Lehtinen et al., ICML 2018", small={"width": 12}, parameters=991_203),
    _model("drunet", "drunet:DrUNet", "residual U-Net that is told the noise level, or estimates it",
           "Zhang et al. (DPIR), TPAMI 2021", small={"width": 8, "blocks": 1}, parameters=32_640_960),
    _model("ffdnet", "ffdnet:FfdNet",
           "plain CNN at half the sides that is told the noise level, or estimates it",
           "Zhang et al., TIP 2018", small={"width": 24, "depth": 6, "sigma": 25.0}, parameters=852_108),
    _model("ircnn", "ircnn:IrCnn", "seven dilated convolutions that predict the noise of one level, or of 25",
           "Zhang et al., CVPR 2017", small={"width": 32}, parameters=188_163),
    _model("cvae-gan", "cvae_gan:CvaeGan", "conditional variational U-Net: several restorations by a code",
           "after Bao et al., ICCV 2017", small={"width": 12, "latent": 16}, parameters=2_431_523),
    _model("old-photo", "old_photo:OldPhoto", "finds scratches, then restores by gated convolutions",
           "after Wan et al., CVPR 2020", small={"width": 12, "detector": 12}, parameters=16_542_996),
    _model("cvt", "cvt:Cvt",
           "transformer with convolutional projections, attention in windows and at 1/8 everywhere",
           "after Wu et al., ICCV 2021",
           small={"stem": 16, "widths": (16, 32, 64), "depths": (1, 1, 2), "decoder": (1, 1)},
           parameters=3_644_131),
    _model("pixelcnn", "pixelcnn:PixelCnn",
           "distribution of the clean image, pixel by pixel; also judges and samples",
           "van den Oord et al., NeurIPS 2016; Dahl et al., ICCV 2017",
           small={"width": 36, "layers": 4, "condition": 32, "blocks": 4, "components": 5},
           parameters=6_232_788),
)
# fmt: on

_STATED = {"channels": 3, "scale": 1, "multiple": 1, "receptive_field": None}
"""What a network states of itself, with examples."""

MAX_SIZE = 1024
"""The largest depth or width: a larger one is a slip or an attack, and would eat all memory."""

MODELS = Catalog(
    "model",
    _ENTRIES,
    hint="restorecli models",
    own=OwnParts("restorecli.models", "torch.nn:Module", ModelEntry),
)


def create_model(name: str, /, **arguments: object) -> nn.Module:
    """Build an untrained network by name; see `restorecli.create_model`.

    Example:
        >>> network = create_model("dncnn", channels=1, depth=4, width=8)
        >>> network.channels, network.scale, network.receptive_field
        (1, 1, 9)
    """
    entry = MODELS.find(name)
    check_arguments(entry.name, arguments, entry.arguments())
    check_sizes(entry.name, arguments)
    try:
        network: nn.Module = entry.load()(**arguments)
    except (ValueError, TypeError, RuntimeError) as error:
        raise _refused(entry.name, arguments, error) from error
    check_stated(entry.name, network)
    return network


def check_stated(name: str, network: nn.Module) -> None:
    """Refuse a network that does not say what images it takes; ours do, those of others may not.

    Args:
        name: As messages begin.
        network: What was built.

    Raises:
        UsageError: With the attributes that it lacks.
    """
    lacking = [attribute for attribute in _STATED if not hasattr(network, attribute)]
    if lacking:
        raise UsageError(
            f"{name} does not say what images it takes.",
            expected=f"the attributes {', '.join(_STATED)}",
            got=f"none called {' or '.join(lacking)}",
            hint="; ".join(f"network.{attribute} = {_STATED[attribute]}" for attribute in lacking)
            + ", as it is for yours",
        )


def check_limits(name: str, arguments: Mapping[str, object]) -> None:
    """Refuse what a network's constructor would refuse, in its own words; the network is not imported.

    Args:
        name: The network.
        arguments: By name, of types that the network takes; the others are its defaults.

    Raises:
        UsageError: They do not fit together, or one is out of its limits.
    """
    try:
        MODELS[name].call(LIMITS.get(name), arguments)
    except (ValueError, TypeError) as error:
        raise _refused(name, arguments, error) from error


def _refused(name: str, arguments: Mapping[str, object], error: Exception) -> UsageError:
    return UsageError(f"Invalid arguments for {name}.", got=f"{dict(arguments)}: {error}")


def multiple_of(name: str, arguments: Mapping[str, object]) -> int | None:
    """Return of what the sides of a network's images must be multiples, or None where its file must say it.

    Args:
        name: The network.
        arguments: By name, within their limits; the others are its defaults.
    """
    entry = MODELS.find(name)
    multiple = MULTIPLES.get(entry.name)
    return entry.call(multiple, arguments) if callable(multiple) else multiple


def scale_of(name: str, arguments: Mapping[str, object]) -> int:
    """Return by what a network of the catalog enlarges; see `multiple_of`."""
    scale = {**MODELS.find(name).written_defaults(), **arguments}.get("scale", 1)
    assert isinstance(scale, int)  # noqa: S101 - its limits say so
    return scale


def check_sizes(name: str, arguments: Mapping[str, object]) -> None:
    """Refuse sizes that no network of the catalog can have; nothing is imported for it.

    Args:
        name: The network, as messages begin.
        arguments: By name; others than whole numbers are passed over.

    Raises:
        UsageError: There are neither 1 nor 3 channels, or a size is not from 1 to `MAX_SIZE`.
    """
    for argument, value in arguments.items():
        if argument == "channels" and value not in (1, 3):
            raise UsageError(
                f"Invalid arguments for {name}.",
                expected="channels: 1 (gray) or 3 (RGB)",
                got=f"channels: {value!r}",
            )
        if type(value) is int and not 1 <= value <= MAX_SIZE:
            raise UsageError(
                f"Invalid arguments for {name}.",
                expected=f"{argument}: 1 to {MAX_SIZE}",
                got=f"{argument}: {value}",
            )


def count_parameters(module: nn.Module) -> int:
    """Return the number of parameters (batch-norm running statistics are not parameters)."""
    return sum(parameter.numel() for parameter in module.parameters())
