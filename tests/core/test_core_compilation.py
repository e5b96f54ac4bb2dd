"""Compiled loops work wherever the program may write, and where it may not."""

import os
import stat
import subprocess
import sys
import tempfile

import numpy as np
import pytest

from restorecli.core.ops import compilation


def double(values):
    return values * 2


def refused(function):
    raise RuntimeError("cannot cache function")


def test_without_any_cache_folder_it_still_compiles(monkeypatch) -> None:
    monkeypatch.setattr(compilation, "_cached", refused)
    np.testing.assert_array_equal(compilation.compiled(double)(np.ones(3)), [2, 2, 2])


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no POSIX permissions here")
def test_a_folder_for_temporary_files_is_used_only_when_it_is_private(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = compilation._private_temporary_folder()
    assert folder is not None
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    assert compilation._private_temporary_folder() is None
    folder.rmdir()
    folder.symlink_to(tmp_path)
    assert compilation._private_temporary_folder() is None


SCRIPT = """
from numba.core import caching
def no_folder(self):
    raise OSError("read-only")
for name, kind in vars(caching).items():
    if "InTree" in name or "UserWide" in name:
        kind.ensure_cache_path = no_folder
import numpy as np
from restorecli.degradation.families.blur import GaussianBlur
from restorecli.degradation.chain import image_rng
print(float(GaussianBlur().apply(np.ones((1, 9, 9), np.float32), image_rng(0, "k")).sum()))
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "getuid"), reason="no POSIX permissions here")
def test_where_neither_package_nor_home_can_be_written_the_cache_is_a_private_folder(tmp_path) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "HOME": "/nonexistent"}
    environment.pop("NUMBA_CACHE_DIR", None)
    run = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, env=environment, capture_output=True, text=True, check=True, timeout=200)
    assert float(done.stdout) == pytest.approx(81, abs=1e-3)
    (folder,) = tmp_path.glob("restorecli-numba-*")
    assert list(folder.rglob("*.nbc"))
