"""Laws that hold for every method of the catalog; adding one adds its tests."""

import pytest

from restorecli.degradation.parameters import parameters_of
from restorecli.restoration.methods.catalog import METHODS, create_method
from restorecli.testing import METHOD_LAWS
from restorecli.testing.methods import MIN_SIDE, all_known, it_says_what_it_is, waves

ELSEWHERE = {"pnp", "blind-deconv", "dip", "hopfield", "bm3d"}
"""Optimizers of minutes and an optional package: their own tests cover what they share with the others."""

REFUSING = {
    "inpaint-harmonic",
    "inpaint-biharmonic",
    "inpaint-tv",
    "inpaint-exemplar",
    "inpaint-quilting",
    "unsupervised-wiener",
}
"""All pixels of a tiny image may be lost, or fewer than those of a kernel."""

QUICK = sorted(set(METHODS) - ELSEWHERE)


def parameters(name):
    return {"factor": 2} if "factor" in parameters_of(METHODS[name].load()) else {}


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("law", METHOD_LAWS, ids=lambda law: law.__name__)
def test_law(law, name):
    law(name, parameters(name))


@pytest.mark.parametrize("name", sorted(set(QUICK) - REFUSING))
def test_only_who_cannot_else_refuses_the_smallest_images(name):
    for height, width in MIN_SIDE:
        create_method(name, parameters(name)).restore(waves(3, height, width), all_known(height, width))


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_slow_methods_say_what_they_are(name):
    it_says_what_it_is(name)
