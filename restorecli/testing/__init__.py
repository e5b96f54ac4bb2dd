"""The laws by which restorecli tests its own parts, for parts of others.

One line of pytest each::

    from restorecli.testing import DEGRADATION_LAWS, LOSS_LAWS, METHOD_LAWS, METRIC_LAWS, MODEL_LAWS

    @pytest.mark.parametrize("law", DEGRADATION_LAWS)
    def test_vignette(law):
        law("mypackage.parts:Vignette")

    @pytest.mark.parametrize("law", MODEL_LAWS)
    def test_tiny(law):
        law("mypackage.parts:Tiny", {"width": 4})

Laws of losses, methods and metrics take a name, and after it the arguments where there are any;
`RESTORER_LAWS` take an object with a `spec` that maps batches to batches. A place counts only where
RESTORECLI_PLUGINS=1 allows it; a name that a package registers always does.
"""

import pytest

pytest.register_assert_rewrite(
    *(f"restorecli.testing.{kind}" for kind in ("degradations", "losses", "methods", "metrics", "models")),
    "restorecli.testing.restorers",
)

from restorecli.testing.degradations import DEGRADATION_LAWS  # noqa: E402 - rewritten above
from restorecli.testing.losses import LOSS_LAWS  # noqa: E402
from restorecli.testing.methods import METHOD_LAWS  # noqa: E402
from restorecli.testing.metrics import METRIC_LAWS  # noqa: E402
from restorecli.testing.models import MODEL_LAWS  # noqa: E402
from restorecli.testing.restorers import RESTORER_LAWS  # noqa: E402

__all__ = [
    "DEGRADATION_LAWS",
    "LOSS_LAWS",
    "METHOD_LAWS",
    "METRIC_LAWS",
    "MODEL_LAWS",
    "RESTORER_LAWS",
]
