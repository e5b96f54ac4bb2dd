"""Fixtures that every room's tests share."""

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Read when torch is first imported: with one test process per core, more threads would only stand in the way.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples in every run: a test that fails here fails everywhere.
settings.register_profile("fixed", derandomize=True, deadline=None, database=None, print_blob=True)
settings.load_profile("fixed")

# What a test measures must not depend on, or stay in, the cache of whoever runs the tests.
os.environ["RESTORECLI_CACHE"] = tempfile.mkdtemp(prefix="restorecli-cache-")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of real images: RESTORECLI_DATA, else ../shared/data beside the checkout."""
    folder = Path(os.environ.get("RESTORECLI_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"the real images are not here: {folder} (set RESTORECLI_DATA)")
    return folder


@pytest.fixture(scope="session")
def reference_folder(data_folder: Path) -> Path:
    """What other libraries return for fixed pairs, beside the data folder."""
    folder = data_folder.parent / "reference"
    if not folder.is_dir():
        pytest.skip(f"the reference values are not here: {folder}")
    return folder
