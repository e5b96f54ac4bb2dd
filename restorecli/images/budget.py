"""How much memory an image may take: decided from its header and from what this machine has free."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from restorecli.errors import ImageError

_GIB = 1 << 30

_sharers = 1
"""Processes of one kind on this machine, this one included; see `share_memory`.

Of the process, as the memory is: whoever asks how much is free must be told of the others.
"""


def available_memory() -> int:
    """Return the bytes that can be used now: free memory, or what the container's limit leaves of it."""
    return max(min(_machine_memory(), _container_memory()) // _sharers, _GIB // 4)


def share_memory(processes: int) -> None:
    """Let this process take its share only of the memory that is free.

    Args:
        processes: How many of its kind there are on this machine, this one included.
    """
    global _sharers
    _sharers = processes


def decoding_budget() -> int:
    """Return the bytes that one image may take while it is decoded: half of what is available."""
    return available_memory() // 2


def decoding_bytes(height: int, width: int, channels: int, depth: int) -> int:
    """Return the bytes that an image takes while it is decoded; see `check_budget` for the arguments."""
    # The decoder's samples, one ordered copy and the float32 pixels stand side by side for a moment.
    return height * width * channels * (2 * depth // 8 + 4)


def check_budget(height: int, width: int, channels: int, depth: int, budget: int | None = None) -> None:
    """Refuse an image that would not fit into memory, before anything of it is decoded.

    Args:
        height: Rows by the header.
        width: Columns by the header.
        channels: Samples per pixel, alpha included.
        depth: Bits per sample, 8, 16 or 32.
        budget: Bytes allowed; by default `decoding_budget()`.

    Raises:
        ImageError: The image is empty or too large.
    """
    if height < 1 or width < 1:
        raise ImageError("The image has no pixels.", got=f"{width} x {height}")
    needed = decoding_bytes(height, width, channels, depth)
    allowed = decoding_budget() if budget is None else budget
    if needed > allowed:
        raise ImageError(
            "The image is too large for this machine's free memory; nothing of it was decoded.",
            expected=f"at most {allowed / _GIB:.2f} GiB while decoding",
            got=f"{width} x {height} x {channels} at {depth} bits, {needed / _GIB:.2f} GiB",
            hint="free memory, cut the image into parts, or check whether the file is a decompression "
            "bomb; a network restores a TIFF of any size, and PNG and JPEG with "
            'pip install "restorecli[vips]"',
        )


def _machine_memory() -> int:
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
    return 4 * _GIB


def _container_memory() -> int:
    with contextlib.suppress(OSError, ValueError):
        folder = Path("/sys/fs/cgroup")
        limit = int((folder / "memory.max").read_text(encoding="ascii"))
        return limit - int((folder / "memory.current").read_text(encoding="ascii"))
    return 1 << 62
