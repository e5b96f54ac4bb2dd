"""Laws that hold for every method; each is called with its name and parameters."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping

import numpy as np
import pytest

from restorecli.degradation.operators import operator_of
from restorecli.degradation.parameters import parameters_of
from restorecli.errors import ImageError, UsageError
from restorecli.images.image import Pixels
from restorecli.restoration.adapter import MethodRestorer
from restorecli.restoration.context import Context
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.methods.base import Method
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.testing.restorers import RESTORER_LAWS, SIZE

Parameters = Mapping[str, object]

SHAPES = ((1, 33, 40), (3, 24, 25))
MIN_SIDE = ((1, 1), (1, 9), (9, 1), (3, 5), (2, 31), (31, 2))


def waves(channels: int, height: int, width: int) -> Pixels:
    """Return a pattern of soft edges, (channels, height, width) in [0.1, 0.9]."""
    rows, columns = np.mgrid[:height, :width] / 9
    planes = [0.5 + 0.4 * np.tanh(4 * np.sin(rows * (c + 1) + columns)) for c in range(channels)]
    return np.stack(planes).astype(np.float32)


def noisy(channels: int, height: int, width: int) -> Pixels:
    """Return the waves with noise of 8 levels, which may leave [0, 1]."""
    noise = np.random.default_rng(0).standard_normal((channels, height, width))
    return waves(channels, height, width) + (noise * 8 / 255).astype(np.float32)


def all_known(height: int, width: int) -> Context:
    """Return a context that tells noise, blur and lost pixels of an image."""
    mask = np.zeros((height, width), bool)
    mask[height // 2, : width // 2] = True
    return Context(sigma=8.0, operator=operator_of([{"name": "gaussian-blur", "sigma": 0.7}]), mask=mask)


def built(name: str, parameters: Parameters | None) -> Method:
    """Return the method."""
    return create_method(name, parameters)


def it_says_what_it_is(name: str, parameters: Parameters | None = None) -> None:
    """It is a frozen dataclass with a summary, a reference and help for every parameter."""
    del parameters
    method = METHODS.find(name).load()
    assert issubclass(method, Method)
    assert method.name == name
    assert getattr(method, "summary", ""), f"{method.__name__}: say in `summary` what it does"
    assert getattr(method, "reference", ""), f"{method.__name__}: say in `reference` where it is from"
    assert {need.removesuffix("?") for need in method.needs} <= {"operator", "mask", "sigma"}
    assert dataclasses.is_dataclass(method), f"{method.__name__}: decorate it with @dataclass(frozen=True)"
    for info in parameters_of(method).values():
        assert info.help, f"{method.__name__}.{info.name}: say in parameter(help=...) what it does"
        assert info.check(info.default, name) == info.default


def size_channels_and_type_hold_and_the_input_is_untouched(
    name: str, parameters: Parameters | None = None
) -> None:
    """Gray and color give finite float32, sides times the scale, the same each time, in their own memory."""
    for shape in SHAPES:
        pixels = noisy(*shape)
        before = pixels.copy()
        pixels.flags.writeable = False
        context = all_known(*shape[1:])
        scale = built(name, parameters).scale_for(context)
        restored = built(name, parameters).restore(pixels, context)
        np.testing.assert_array_equal(pixels, before)
        assert restored.shape == (shape[0], scale * shape[1], scale * shape[2])
        assert restored.dtype == np.float32, f"{name}: end with .astype(np.float32)"
        assert np.isfinite(restored).all()
        assert not np.shares_memory(restored, pixels), f"{name}: return a copy"
        again = built(name, parameters).restore(before, all_known(*shape[1:]))
        np.testing.assert_array_equal(restored, again, f"{name}: draw with a seed of its own")


def the_smallest_images_work_or_are_refused_with_a_reason(
    name: str, parameters: Parameters | None = None
) -> None:
    """Images of a pixel or a line are restored, or an error says what is expected."""
    for height, width in MIN_SIDE:
        for channels in (1, 3):
            context = all_known(height, width)
            try:
                restored = built(name, parameters).restore(waves(channels, height, width), context)
            except ImageError as error:
                assert error.expected, f"{name}: say in `expected` what image it takes"  # noqa: PT017
                continue
            scale = built(name, parameters).scale_for(context)
            assert restored.shape == (channels, scale * height, scale * width)
            assert np.isfinite(restored).all()


def flat_gray_stays_as_it_is(name: str, parameters: Parameters | None = None) -> None:
    """No pattern comes from nothing; unless it says `keeps_gray = False`, the level stays, too."""
    method = built(name, parameters)
    for level in (0.0, 0.3, 1.0):
        restored = method.restore(np.full((3, 20, 24), level, np.float32), all_known(20, 24))
        flat = level if method.keeps_gray else restored[:, :1, :1]
        off = float(np.abs(restored - flat).max())
        assert off < 0.5 / 255, f"{name}: a flat image of {level} is off by {255 * off:.2f} levels"


def what_is_linear_is_so(name: str, parameters: Parameters | None = None) -> None:
    """Where it states `affine`, contrast and brightness may change before or after."""
    method = built(name, parameters)
    if method.affine:
        pixels = noisy(3, 24, 25)
        after = 3 * method.restore(pixels, all_known(24, 25)) - 0.5
        before = method.restore(3 * pixels - np.float32(0.5), all_known(24, 25))
        np.testing.assert_allclose(before, after, atol=2e-5, err_msg=f"{name}: `affine` is not True")


def tiles_change_nothing_where_the_receptive_field_is_finite(
    name: str, parameters: Parameters | None = None
) -> None:
    """An image cut into tiles of 32 pixels is restored like the whole."""
    if built(name, parameters).receptive_field is None:
        return
    pixels = noisy(3, 70, 61)
    restorer = MethodRestorer(built(name, parameters), Context(sigma=8.0))
    whole, _ = ImageRestorer(restorer, tile="none").restore(pixels)
    tiled, use = ImageRestorer(restorer, tile=32).restore(pixels)
    assert use.exact
    np.testing.assert_allclose(
        tiled, whole, atol=1e-5, err_msg=f"{name}: more than `receptive_field` pixels count"
    )


def bounds_are_checked(name: str, parameters: Parameters | None = None) -> None:
    """A value of another kind or out of bounds is an error that names the parameter."""
    del parameters
    method = METHODS.find(name).load()
    for known in parameters_of(method).values():
        wrong: list[object] = ["no such word"]
        wrong += [] if known.low is None else [known.low - 1]
        wrong += [] if known.high is None else [known.high + 1]
        for value in wrong:
            with pytest.raises(UsageError) as caught:
                method(**{known.name: value})
            assert f"{name}.{known.name}" in str(caught.value)


def it_serves_as_a_restorer(name: str, parameters: Parameters | None = None) -> None:
    """The laws of restorers hold for it."""
    restorer = MethodRestorer(built(name, parameters), all_known(*SIZE))
    for law in RESTORER_LAWS:
        law(restorer)


METHOD_LAWS: tuple[Callable[..., None], ...] = (
    it_says_what_it_is,
    size_channels_and_type_hold_and_the_input_is_untouched,
    the_smallest_images_work_or_are_refused_with_a_reason,
    flat_gray_stays_as_it_is,
    what_is_linear_is_so,
    tiles_change_nothing_where_the_receptive_field_is_finite,
    bounds_are_checked,
    it_serves_as_a_restorer,
)
"""Each is called with a method's name and, where they are not the defaults, its parameters."""
