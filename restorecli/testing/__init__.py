"""The laws by which restorecli tests its own parts, for parts of others.

One line of pytest each::

    from restorecli.testing import DEGRADATION_LAWS, MODEL_LAWS

    @pytest.mark.parametrize("law", DEGRADATION_LAWS)
    def test_vignette(law):
        law("mypackage.parts:Vignette")

    @pytest.mark.parametrize("law", MODEL_LAWS)
    def test_tiny(law):
        law("mypackage.parts:Tiny", {"width": 4})

A place counts only where RESTORECLI_PLUGINS=1 allows it; a name that a package registers always does.
"""

import pytest

pytest.register_assert_rewrite("restorecli.testing.degradations", "restorecli.testing.models")

from restorecli.testing.degradations import DEGRADATION_LAWS  # noqa: E402 - rewritten above
from restorecli.testing.models import MODEL_LAWS  # noqa: E402

__all__ = ["DEGRADATION_LAWS", "MODEL_LAWS"]
