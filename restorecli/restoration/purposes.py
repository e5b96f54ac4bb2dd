"""What models are for: the methods by purpose, and the words of people for a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from restorecli.catalogs import did_you_mean
from restorecli.core.models.catalog import MODELS
from restorecli.errors import UsageError
from restorecli.plugins import is_place
from restorecli.restoration.methods.catalog import METHODS

if TYPE_CHECKING:  # torch, which names need not wait for
    from restorecli.restoration.restorer import Restorer

WEIGHTS_FILES = (".safetensors", ".pth", ".pt", ".ckpt", ".onnx")
"""Endings of files that hold a network."""


@dataclass(frozen=True)
class Purpose:
    """One kind of damage.

    Attributes:
        name: As a person calls it.
        methods: The methods meant for it; the one to try first comes first.
        words: What people say for `--model` when they mean it.
        model: The model that these words stand for.
        only_marks: Whether shipped weights are to change nothing but marks; see `only_marks`.
    """

    name: str
    methods: tuple[str, ...]
    words: tuple[str, ...] = ()
    model: str = ""
    only_marks: bool = False


PURPOSES = (
    Purpose(
        "noise",
        ("nlm", "tv", "wavelet", "bm3d", "wiener", "bilateral", "gaussian", "j-invariant"),
        ("denoise", "noise", "denoiser", "denoising"),
        "sca-unet.gaussian",
    ),
    Purpose("photons, microscopy", ("anscombe",), ("microscopy", "fluorescence"), "anscombe"),
    Purpose("strong noise", (), ("photons", "strong-noise", "poisson", "speckle"), "sca-unet.noise"),
    Purpose("noise of cameras", (), ("camera", "camera-noise", "iso", "sensor"), "sca-unet.camera"),
    Purpose("film grain", (), ("grain", "film", "film-grain", "degrain"), "sca-unet.grain"),
    Purpose(
        "specks, dead pixels",
        ("switching-median", "median"),
        ("despeckle", "impulses", "salt-pepper", "salt-and-pepper"),
        "switching-median",
    ),
    Purpose(
        "blur",
        (
            "blind-deconv",
            "wiener-deconv",
            "richardson-lucy",
            "unsupervised-wiener",
            "inverse",
            "hopfield",
        ),
        ("deblur", "blur", "deblurring", "sharpen", "unblur"),
        "blind-deconv",
    ),
    Purpose(
        "too few pixels",
        ("back-projection", "tv-super-resolution", "self-similarity", "lanczos", "bicubic"),
        ("enlarge", "upscale", "upscaling", "super-resolution", "downscale"),
        "back-projection",
    ),
    Purpose("too few pixels, xN", (), ("x2",), "resnet.x2"),
    Purpose("too few pixels, xN", (), ("x3",), "resnet.x3"),
    Purpose("too few pixels, xN", (), ("x4",), "resnet.x4"),
    Purpose(
        "JPEG blocks", ("deblock",), ("jpeg", "jpg", "dejpeg", "compression", "artifacts"), "sca-unet.jpeg"
    ),
    Purpose("moire, stripes", ("demoire",), ("stripes",), "demoire"),
    Purpose("moire, stripes", (), ("moire", "waves", "screen"), "sca-unet.moire"),
    Purpose("printed screens", ("descreen",), ("newsprint", "newspaper", "halftone-screen"), "descreen"),
    Purpose("dithering", ("inverse-halftone",), ("dither", "dithering", "halftone"), "resnet.dither"),
    Purpose("haze", ("dehaze",), ("fog", "haze", "mist"), "sca-unet.haze"),
    Purpose("dust, color casts", ("dedust", "gray-world"), ("dust", "sand", "sand-dust"), "swm.sand-dust"),
    Purpose(
        "holes, scratches",
        ("inpaint-biharmonic", "inpaint-harmonic", "inpaint-tv", "inpaint-exemplar", "inpaint-quilting"),
        ("inpaint", "inpainting", "holes", "scratches"),
        "inpaint-biharmonic",
    ),
    Purpose("too dark", (), ("dark", "low-light", "night", "brighten"), "sca-unet.low-light"),
    Purpose("rain", (), ("rain", "derain", "streaks"), "sca-unet.rain"),
    Purpose(
        "scratches, specks",
        (),
        ("scratch", "descratch", "unscratch"),
        "sca-unet.scratches",
        only_marks=True,
    ),
    Purpose("old prints", (), ("faded", "old-print", "print"), "sca-unet.old-photo"),
    Purpose("several (slow)", ("pnp", "dip")),
)


def _words() -> Mapping[str, str]:
    return {word: purpose.model for purpose in PURPOSES for word in purpose.words}


WORDS = _words()
"""From a word of a person to the model that it stands for."""


def model_named(name: str) -> str:
    """Return the model that a word for a purpose stands for, in any case; other names come back as they are.

    Examples:
        >>> model_named("Moire"), model_named("sca-unet"), model_named("dehaze")
        ('sca-unet.moire', 'sca-unet', 'dehaze')
    """
    if METHODS.resolve(name) is not None:
        return name
    return WORDS.get(name.casefold().replace("_", "-").replace(" ", "-"), name)


def for_its_purpose(network: Restorer) -> Restorer:
    """Return shipped weights as they are meant to be used: those against marks change nothing else."""
    if not any(purpose.only_marks and purpose.model == network.spec.name for purpose in PURPOSES):
        return network
    from restorecli.restoration.only_marks import OnlyMarks  # SciPy, which others need not wait for

    return OnlyMarks(network)


def check_name(name: str) -> None:
    """Check that a name is that of a network or of a weights file.

    Raises:
        UsageError: It is not; the nearest name is offered.
    """
    if Path(name).suffix in WEIGHTS_FILES or MODELS.resolve(name.partition(".")[0]) is not None:
        return
    if MODELS.resolve(name) is not None:
        return
    if is_place(name):
        raise UsageError(
            f"{name} is neither a network nor a method.",
            expected="a torch.nn.Module with the attributes of a network, or a subclass of "
            "restorecli.restoration.methods.base.Method",
            got=name,
            hint="restorecli docs plugins",
        )
    raise UsageError(
        f"There is no model {name!r}.",
        expected="a name that `restorecli models` lists, or a .safetensors, .pth or .onnx file",
        got=name,
        hint=did_you_mean(name, (*MODELS, *METHODS, *WORDS)) or "restorecli models",
    )
