"""What is done with freed memory, seen from the outside: in the pages that a process holds."""

import platform
import subprocess
import sys

import pytest

_FREED = """
from pathlib import Path
from restorecli import heap

def held():
    return int(Path("/proc/self/statm").read_text().split()[1])

heap.{setting}()
before = held()
b"x" * (8 << 20)  # freed at once: by itself, glibc then keeps blocks up to this size
large, above = b"x" * (4 << 20), [b"x" * 100_000 for _ in range(4)]
del large
print((held() - before) * 4096)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="glibc's setting")
@pytest.mark.parametrize(
    ("setting", "kept"), [("give_back_large_blocks", False), ("keep_large_blocks", True)]
)
def test_freed_large_blocks_are_kept_or_given_back(setting: str, kept: bool) -> None:
    program = _FREED.format(setting=setting)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert (int(done.stdout) > 2 << 20) is kept
