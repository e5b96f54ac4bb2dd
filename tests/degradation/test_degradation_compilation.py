"""The compiler is loaded where a loop runs, and nowhere before."""

import subprocess
import sys


def test_the_catalog_loads_without_the_compiler() -> None:
    """`--help`, `--list` and shell completion read the catalog, and loading numba takes half a second."""
    modules = "restorecli.degradation.catalog, restorecli.degradation.folder"
    check = f"import sys, {modules}; print('numba' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", check], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "False"
