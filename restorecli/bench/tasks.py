"""The kinds of damage of `bench methods`, and which methods without weights are meant for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.damage_masks import damage_mask
from restorecli.degradation.operators import noise_of, operator_of
from restorecli.folders.record import Record
from restorecli.images.image import Pixels
from restorecli.restoration.context import Context
from restorecli.version import __version__

_DENOISING = ("median", "gaussian", "wiener", "bilateral", "nlm", "tv", "wavelet", "bm3d", "j-invariant")
_DEBLURRING = ("inverse", "wiener-deconv", "richardson-lucy", "unsupervised-wiener", "pnp")
_ENLARGING = ("bicubic", "lanczos", "back-projection", "tv-super-resolution", "self-similarity", "pnp")
_INPAINTING = ("inpaint-harmonic", "inpaint-biharmonic", "inpaint-tv", "pnp", "dip")
_COPYING = ("inpaint-exemplar", "inpaint-quilting")


@dataclass(frozen=True, slots=True)
class Task:
    """One kind of damage.

    Attributes:
        name: Its name in the table.
        specs: The degradations.
        methods: The methods without weights that are meant for it.
        networks: Shipped weights that were trained for it, or for more.
    """

    name: str
    specs: tuple[Mapping[str, object], ...]
    methods: tuple[str, ...]
    networks: tuple[str, ...] = ()


TASKS = (
    Task(
        "noise, sigma 25",
        ({"name": "gaussian", "sigma": 25},),
        (*_DENOISING, "hopfield", "dip"),
        ("sca-unet.gaussian", "sca-unet.noise-blur"),
    ),
    Task(
        "Gaussian blur 1.6 px, noise 2",
        ({"name": "gaussian-blur", "sigma": 1.6}, {"name": "gaussian", "sigma": 2}),
        (*_DEBLURRING, "hopfield", "dip"),
        ("sca-unet.noise-blur", "sca-unet.deblur"),
    ),
    Task(
        "motion blur 9 px, noise 1",
        ({"name": "motion-blur", "length": 9, "angle": 30}, {"name": "gaussian", "sigma": 1}),
        (*_DEBLURRING, "blind-deconv"),
    ),
    Task("reduced x2", ({"name": "downscale", "factor": 2},), (*_ENLARGING, "dip"), ("resnet.x2",)),
    Task("reduced x4", ({"name": "downscale", "factor": 4},), (*_ENLARGING, "dip"), ("resnet.x4",)),
    Task(
        "half of the pixels lost",
        ({"name": "holes", "kind": "bernoulli", "share": 0.5},),
        _INPAINTING,
    ),
    Task("strokes lost", ({"name": "holes", "kind": "strokes", "share": 0.2},), (*_INPAINTING, *_COPYING)),
    Task("impulses, 10 %", ({"name": "salt-pepper", "amount": 0.1},), ("median", "switching-median")),
    Task(
        "noise of 20 photons at white",
        ({"name": "poisson", "peak": 20},),
        ("anscombe", "nlm", "wavelet"),
        ("sca-unet.noise",),
    ),
    Task("JPEG, quality 10", ({"name": "jpeg", "quality": 10},), ("deblock",), ("sca-unet.jpeg",)),
    Task(
        "dithered, 2 levels",
        ({"name": "dither", "kernel": "floyd-steinberg", "levels": 2},),
        ("inverse-halftone", "gaussian", "wavelet"),
        ("resnet.dither",),
    ),
    Task("printed screen", ({"name": "halftone-screen"},), ("descreen", "gaussian", "inverse-halftone")),
    Task("moire", ({"name": "moire"},), ("demoire",)),
    Task("haze", ({"name": "haze"},), ("dehaze",), ("sca-unet.haze",)),
    Task("sand-dust", ({"name": "sand-dust"},), ("gray-world", "dedust"), ("swm.sand-dust",)),
)
"""Where a step does not round, nothing is clipped or rounded before restoring, as the field's tables have it.

Steps whose parameters are not given have their defaults. Every method of the catalog is in one task or more.
"""


@dataclass(frozen=True, slots=True)
class Example:
    """A degraded image, what its manifest's line would say about it, and its reference: (C, H, W) each."""

    degraded: Pixels
    context: Context
    reference: Pixels


def degraded_example(task: Task, reference: Pixels, key: str) -> Example:
    """Return an image with the task's damage.

    Args:
        task: The damage.
        reference: (C, H, W) float32 in [0, 1]; sides are multiples of every factor.
        key: What the damage is drawn from, beside the seed 0.
    """
    degraded, steps = degrade_array(reference, Chain.from_specs(list(task.specs)), 0, key)
    records = tuple(step.record() for step in steps)
    line = Record(key, "degrade", "all", None, key, __version__, seed=0, key=key, degradations=records)
    mask = damage_mask((reference.shape[1], reference.shape[2]), steps, 0, key)
    known = Context(noise_of(records), operator_of(records), mask, line)
    return Example(degraded, known, reference)
