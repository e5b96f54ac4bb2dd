"""What glibc does with freed memory, set for the whole process; other C libraries are left as they are."""

from __future__ import annotations

import ctypes
import platform
import sys

_M_TRIM_THRESHOLD = -1
_M_MMAP_THRESHOLD = -3
_M_MMAP_MAX = -4

_LARGE = 1 << 20


def keep_large_blocks() -> bool:
    """Tell glibc to keep freed large blocks instead of giving them back to the system.

    Activations of tens of megabytes are otherwise mapped, page-faulted and unmapped at every layer, which
    costs a third of the time of a convolutional network on a CPU. It holds for the whole process.

    Returns:
        Whether the C library took the setting (glibc on Linux only).
    """
    return _set(_M_MMAP_MAX, 0) and _set(_M_TRIM_THRESHOLD, 2**31 - 1)


def give_back_large_blocks() -> bool:
    """Tell glibc to give every freed block of a megabyte or more back to the system at once.

    By itself it keeps blocks of the largest size that was ever freed, one for each thread: Python's table of
    interned names, which file names make grow anew now and then, then stays in memory several times.

    Returns:
        As of `keep_large_blocks`.
    """
    return _set(_M_MMAP_THRESHOLD, _LARGE)


def _set(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(option, value))
