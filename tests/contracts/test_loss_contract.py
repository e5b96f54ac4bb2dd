"""Laws that hold for every loss of the catalog; adding one adds its tests."""

import pytest

from restorecli.core.losses.catalog import LOSSES, create_loss
from restorecli.testing import LOSS_LAWS

OTHER_FORMS = [
    ("edge", {"form": "laplacian"}),
    ("frequency", {"norm": "ortho"}),
    ("charbonnier", {"eps": 0.1}),
]


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("law", LOSS_LAWS, ids=lambda law: law.__name__)
def test_law(law, name):
    law(name)


@pytest.mark.parametrize(("name", "arguments"), OTHER_FORMS, ids=lambda part: str(part))
@pytest.mark.parametrize("law", LOSS_LAWS, ids=lambda law: law.__name__)
def test_law_of_another_form(law, name, arguments):
    law(name, arguments)


@pytest.mark.parametrize("name", LOSSES)
def test_our_losses_state_what_the_laws_may_ask(name):
    loss = create_loss(name)
    assert isinstance(loss.least, float), f"state in {type(loss).__name__}.least the loss of equal images"
    assert isinstance(loss.symmetric, bool), f"state in {type(loss).__name__}.symmetric if the sides may swap"
