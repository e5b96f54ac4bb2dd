"""Laws that hold for every metric that works offline; each is called with its name."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from restorecli.errors import DataError
from restorecli.evaluation import functional
from restorecli.evaluation.metrics.catalog import METRICS

Image = NDArray[Any]

SIDE = 176  # MS-SSIM needs 161
LEVELS = (2, 6, 18)

MASK = np.zeros((SIDE, SIDE), bool)
MASK[70:95, 60:110] = True


def scene(channels: int = 3, seed: int = 0) -> Image:
    """Return a soft pattern with a bright defect, (C, H, W) uint8 away from black and white."""
    rng = np.random.default_rng(seed)
    smooth = gaussian_filter(rng.normal(0, 1, (channels, SIDE, SIDE)), (0, 3, 3))
    levels = 110 + 30 * smooth / smooth.std() + 60 * MASK
    image: Image = np.clip(levels, 30, 225).astype(np.uint8)
    return image


def noisy(image: Image, sigma: float, seed: int = 1) -> Image:
    """Return an image with noise of `sigma` levels, as uint8."""
    noise = np.random.default_rng(seed).normal(0, 1, image.shape)
    found: Image = np.clip(np.rint(image + sigma * noise), 0, 255).astype(np.uint8)
    return found


def blurred(image: Image, sigma: float) -> Image:
    """Return an image blurred by `sigma` pixels, as uint8."""
    found: Image = np.rint(gaussian_filter(image.astype(float), (0, sigma, sigma))).astype(np.uint8)
    return found


def score(name: str, restored: Image, reference: Image) -> float:
    """Score with all that a metric may need: the degraded image is the reference with noise."""
    whole = reference if reference.dtype == np.uint8 else np.rint(255 * np.nan_to_num(reference))
    return functional.measure(
        name,
        restored,
        reference,
        mask=MASK,
        degraded=noisy(whole, 10, seed=5),
        redegraded=lambda: (restored / (255 if restored.dtype == np.uint8 else 1)).astype(np.float32),
    )


def scores_under(name: str, harm: Callable[[Image, float], Image]) -> list[float]:
    """Return the scores of the scene under growing harm."""
    reference = scene()
    return [score(name, harm(reference, level), reference) for level in LEVELS]


def compares(name: str) -> bool:
    """Tell whether a metric needs the reference."""
    return "reference" in METRICS.find(name).needs


def it_says_what_it_is(name: str) -> None:
    """Title, formula and source are there; a metric that compares states its best score."""
    metric = METRICS.find(name)
    assert metric.title, f"{name}: give it a `title`, which a table shows"
    assert metric.definition, f"{name}: say in `definition` its formula and where it is from"
    assert metric.decimals >= 0
    if compares(name):
        assert metric.best is not None, f"{name}: state as `best` the score of an image that is its reference"


def floats_of_the_unit_range_score_as_their_bytes(name: str) -> None:
    """A number comes back for gray and color; 0 to 1 as float means what 0 to 255 does as bytes."""
    for channels in (1, 3):
        reference = scene(channels)
        restored = noisy(reference, 12)
        found = score(name, restored, reference)
        assert type(found) is float
        assert math.isfinite(found)
        for kind in (np.float32, np.float64):
            floats = score(name, *((side / 255).astype(kind) for side in (restored, reference)))
            assert floats == pytest.approx(found, rel=1e-5)


def a_gray_image_may_come_without_its_channel(name: str) -> None:
    """(H, W) is (1, H, W)."""
    if METRICS.find(name).needs & {"mask", "degraded"}:
        return
    reference = scene(1)
    restored = noisy(reference, 12)
    expected = functional.measure(name, restored, reference)
    assert functional.measure(name, restored[0], reference[0]) == expected


def an_image_that_is_its_reference_has_the_best_score(name: str) -> None:
    """And one with noise has a worse one, on the side that `higher_is_better` says."""
    metric = METRICS.find(name)
    if metric.best is None:
        return
    for channels in (1, 3):
        reference = scene(channels)
        assert score(name, reference.copy(), reference) == pytest.approx(metric.best, abs=1e-9)
        worse = score(name, noisy(reference, 12), reference)
        if metric.higher_is_better is not None:
            assert worse != metric.best
            assert (worse < metric.best) == metric.higher_is_better, f"{name}: turn `higher_is_better` round"


def more_damage_scores_worse(name: str) -> None:
    """Under growing noise; under growing blur for a metric that leaves noise alone."""
    better = METRICS.find(name).higher_is_better
    if better is None or not compares(name):
        return
    found = [scores_under(name, harm) for harm in (noisy, blurred)]
    assert any(
        scores == sorted(scores, reverse=better) and len(set(scores)) == len(LEVELS) for scores in found
    ), f"{name}, under noise and under blur of {LEVELS}: {found}; is `higher_is_better` right?"


def other_shapes_and_what_is_no_number_are_refused(name: str) -> None:
    """Images of two sizes and NaN are errors."""
    if not compares(name):
        return
    reference = scene()
    with pytest.raises(DataError, match="different shape"):
        score(name, reference[:, :-1], reference)
    broken = reference / 255
    broken[0, 3, 4] = np.nan
    with pytest.raises(DataError, match="not finite"):
        score(name, broken, reference / 255)


def values_of_no_known_range_are_refused(name: str) -> None:
    """Floats far above 1 are levels of 0 to 255, and no score is made up for them."""
    reference = scene()
    with pytest.raises(DataError, match="do not lie in"):
        score(name, noisy(reference, 12).astype(np.float64), reference)


def what_is_missing_is_named(name: str) -> None:
    """Without the reference, the mask or the degraded image that it needs there is no score."""
    if METRICS.find(name).needs:
        with pytest.raises(DataError, match="without more"):
            functional.measure(name, scene())


METRIC_LAWS: tuple[Callable[[str], None], ...] = (
    it_says_what_it_is,
    floats_of_the_unit_range_score_as_their_bytes,
    a_gray_image_may_come_without_its_channel,
    an_image_that_is_its_reference_has_the_best_score,
    more_damage_scores_worse,
    other_shapes_and_what_is_no_number_are_refused,
    values_of_no_known_range_are_refused,
    what_is_missing_is_named,
)
"""Each is called with a metric's name."""
