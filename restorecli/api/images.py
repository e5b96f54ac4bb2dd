"""One image in memory: restored, degraded or scored, as PIL image, NumPy array or torch tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from restorecli.api.arrays import take
from restorecli.api.keywords import listed
from restorecli.api.wording import in_python_words
from restorecli.counting import counted
from restorecli.degradation.chain import Chain, degrade_array
from restorecli.degradation.writing import reduced_alpha
from restorecli.errors import UsageError
from restorecli.evaluation.metrics.catalog import find_metrics
from restorecli.evaluation.metrics.metric import Subject
from restorecli.evaluation.metrics.protocol import find_protocol
from restorecli.evaluation.metrics.psnr_ssim import to_8_bits
from restorecli.images.image import ImageData, Pixels
from restorecli.images.measured import is_measured
from restorecli.restoration.context import Context
from restorecli.restoration.known import Known

if TYPE_CHECKING:
    from torch import nn

    from restorecli.api.arrays import AnyImage, SomeImage
    from restorecli.restoration.restorer import Restorer

    Step = str | Mapping[str, object]


@in_python_words
def restore_image(
    image: AnyImage,
    model: str | Path | Restorer | nn.Module = "auto",
    *,
    parameters: Mapping[str, object] | None = None,
    sigma: float | None = None,
    operator: str | Sequence[str] = (),
    mask: NDArray[np.bool_] | None = None,
    weights: str | Path | None = None,
    strength: float = 1.0,
    tile: int | str = "auto",
    overlap: int | None = None,
    device: str | None = None,
    precision: str = "auto",
    ensemble: bool = False,
    range: str = "auto",  # noqa: A002 - named as everywhere else
) -> AnyImage:
    """Restore one image.

    Args:
        image: A PIL image, a NumPy array (H, W) or (H, W, C), or a torch tensor (C, H, W) or (N, C, H, W);
            uint8, uint16, or floats in [0, 1], unless `range` says otherwise. Alpha is kept; PIL images with
            a palette come back in RGB. A stack is restored plane by plane.
        model: As of `restore`; or what `load` returned, which saves loading it for every image; or a network
            of your own, see `load`.
        parameters: Of a method, by name.
        sigma: Level of the noise on the 0-255 scale; None estimates it where that is needed.
        operator: For a method: what blurred or reduced the image, e.g. "gaussian-blur:sigma=1.6".
        mask: For a method: (H, W), True where a pixel is lost.
        weights: A foreign checkpoint for `model`.
        strength: Share of the restored image in the result, 0 to 1; the rest is the input.
        tile: "auto", "none" or the side of a tile in pixels.
        overlap: Pixels that neighboring tiles share; by default what the network needs.
        device: "cuda", "mps" or "cpu"; by default the first of these that is there.
        precision: "auto", "fp32", "bf16" or "fp16".
        ensemble: For a network: restore eight turned and mirrored ways and take the mean.
        range: Which values are black and white: "auto" (floats: 0 and 1; uint8: 0 and 255; uint16: those of
            8, 10, 12 or 16 bits, whichever hold all), "type" (uint16: 0 and 65535), or "LOW..HIGH", such as
            "-100..4000", for integers and floats of any type; values beyond come through.

    Returns:
        The restored image: the same kind, layout and type as `image`; integers are rounded half up.

    Raises:
        UsageError: The model or an option is unknown, or the image is of a wrong kind, shape or range.
        WeightsError: The weights are missing, damaged or do not fit.
        ImageError: The image cannot be restored, e.g. because something that a method needs is not known.
        ResourceError: Memory ran out even after backing off.

    Example:
        >>> import numpy as np, restorecli
        >>> noisy = np.random.default_rng(0).integers(90, 110, (40, 60), dtype=np.uint8)
        >>> clean = restorecli.restore_image(noisy, "median")
        >>> clean.shape, clean.dtype, bool(clean.std() < noisy.std())
        ((40, 60), dtype('uint8'), True)
    """
    from restorecli.api.networks import restorer_of
    from restorecli.restoration.image import ImageRestorer

    taken = take(image, range)
    words = (operator,) if isinstance(operator, str) else operator
    known = Known.from_words(sigma=sigma, operator=words, device=device)
    restorer = restorer_of(
        model,
        parameters=parameters,
        weights=weights,
        known=known,
        device=device,
        precision=precision,
        ensemble=ensemble,
    )
    restore = ImageRestorer(restorer, tile=tile, overlap=overlap, strength=strength)
    done = []
    for each in taken.images:
        context = Context(sigma, known.operator, _mask(mask, each), device=device, measured=is_measured(each))
        _check_told(restorer, context)
        done.append(restore(each, context)[0])
    result: AnyImage = taken.give_back(done)
    return result


@in_python_words
def degrade_image(
    image: AnyImage, noise: Step | Sequence[Step], *, seed: int = 0, unclipped: bool = False
) -> AnyImage:
    """Degrade one image.

    Args:
        image: A PIL image, a NumPy array (H, W) or (H, W, C), or a torch tensor (C, H, W) or (N, C, H, W);
            uint8, uint16, or floats in [0, 1].
        noise: The chain, in order: names ("gaussian") or mappings ({"name": "gaussian", "sigma": "0..55"},
            {"name": "fade", "severity": 3}); a single one needs no list.
        seed: The same seed gives the same image; the images of a batch differ from one another.
        unclipped: For floats: keep values outside [0, 1].

    Returns:
        The degraded image: the same kind, layout and type as `image`; integers are rounded half up.

    Raises:
        UsageError: A degradation or parameter is unknown or out of range, or the image is of a wrong kind.
        ImageError: The image is too small or too large for a step.

    Example:
        >>> import numpy as np, restorecli
        >>> gray = np.full((128, 128), 0.5, np.float32)
        >>> noisy = restorecli.degrade_image(gray, [{"name": "gaussian", "sigma": 25}], seed=1)
        >>> round(255 * float(noisy.std()))
        25
    """
    taken = take(image)
    chain = Chain.from_specs(listed(noise))
    if unclipped and any(each.traits.depth != 32 for each in taken.images):
        raise UsageError(
            "Integers cannot hold values outside their range.", expected="floats, or unclipped=False"
        )
    done = [
        _degraded(each, chain, seed, str(number), unclipped=unclipped)
        for number, each in enumerate(taken.images)
    ]
    result: AnyImage = taken.give_back(done)
    return result


@in_python_words
def score(
    restored: SomeImage,
    reference: SomeImage | None = None,
    *,
    metrics: str | Sequence[str] = ("psnr", "ssim"),
    protocol: str = "rgb",
    degraded: SomeImage | None = None,
    mask: NDArray[np.bool_] | None = None,
) -> dict[str, float]:
    """Score one image against its reference.

    Args:
        restored: A PIL image, a NumPy array (H, W) or (H, W, C), or a torch tensor (C, H, W); uint8, uint16,
            or floats in [0, 1]. Alpha is ignored.
        reference: The clean image, of the same size and number of channels.
        metrics: Names of `restorecli eval --list-metrics`; a single one needs no list.
        protocol: Whose convention PSNR and SSIM follow, e.g. "y-matlab" or "basicsr:4".
        degraded: What the image was restored from, for the metrics that compare with it.
        mask: (H, W), True where the defect is, for the metrics of defects.

    Returns:
        One number by metric; the PSNR of equal images is infinite.

    Raises:
        UsageError: A metric or the protocol is unknown, or a metric needs what was not given.
        DataError: The images differ in shape, or a metric is not defined for them.

    Example:
        >>> import numpy as np, restorecli
        >>> clean = np.full((16, 16), 100, np.uint8)
        >>> restorecli.score(clean + 10, clean, metrics=["psnr", "mae"])
        {'psnr': 28.1308..., 'mae': 10.0}
    """
    subject = Subject(
        _samples(restored),
        None if reference is None else _samples(reference),
        protocol=find_protocol(protocol),
        degraded=None if degraded is None else _samples(degraded),
        mask=mask,
    )
    wanted = find_metrics(listed(metrics))
    for metric in wanted:
        lacking = metric.needs - subject.known
        if lacking:
            raise UsageError(
                f"{metric.name} needs more than was given.",
                expected=" and ".join(sorted(lacking)),
                got=f"only {', '.join(['restored', *sorted(subject.known)])}",
            )
    return {metric.name: float(metric.function(subject)) for metric in wanted}


def _check_told(restorer: Restorer, context: Context) -> None:
    """Refuse what the restorer would not use.

    Raises:
        UsageError: There is such a thing.
    """
    used = {need.removesuffix("?") for need in restorer.spec.needs}
    told = {"sigma": context.sigma, "operator": context.operator, "mask": context.mask}
    vain = [f"--{name}" for name, value in told.items() if value is not None and name not in used]
    if vain:
        raise UsageError(
            f"{restorer.spec.name} does not use {' and '.join(vain)}.",
            expected=", ".join(f"--{name}" for name in sorted(used)) or "nothing about the image",
            got=", ".join(vain),
        )


def _mask(mask: NDArray[np.bool_] | None, image: ImageData) -> NDArray[np.bool_] | None:
    if mask is not None and (np.asarray(mask).dtype != bool or np.shape(mask) != image.size):
        raise UsageError(
            "The mask does not fit the image.",
            expected=f"booleans of shape {image.size}",
            got=f"{np.asarray(mask).dtype} of shape {np.shape(mask)}",
            hint="mask > 0" if np.shape(mask) == image.size else None,
        )
    return mask


def _degraded(image: ImageData, chain: Chain, seed: int, key: str, *, unclipped: bool) -> ImageData:
    pixels, steps = degrade_array(image.pixels, chain, seed, key)
    alpha = reduced_alpha(image.traits.alpha, steps, seed, key)
    return ImageData(pixels if unclipped else np.clip(pixels, 0, 1), replace(image.traits, alpha=alpha))


def _samples(image: SomeImage) -> Pixels | NDArray[np.uint8]:
    """Return one image as metrics take it: what came with 8 bits as these, else float32."""
    images = take(image).images
    if len(images) != 1:
        raise UsageError(
            "A batch has no single score.", expected="one image", got=counted(len(images), "image")
        )
    pixels = images[0].pixels
    return to_8_bits(pixels) if images[0].traits.depth == 8 else pixels
