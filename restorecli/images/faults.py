"""What it means that the system refuses to read or to write a file, in words that a user can act on."""

from __future__ import annotations

import contextlib
import errno
import shutil
from pathlib import Path

from restorecli.errors import DataError, ImageError, ResourceError, RestorecliError

DISK_FAULTS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})
"""What is the disk's fault and not that of a name or a permission."""

BROKEN_DISK = "the disk, or the connection to it, is failing: use another one"
"""What to try where reading or writing ends with EIO."""


def read_fault(fault: OSError, file: Path) -> ImageError:
    """Return the error that tells a user why an image cannot be read.

    Args:
        fault: What the operating system answered.
        file: The image.
    """
    return ImageError(
        "The file cannot be read.",
        got=_reason(fault),
        file=file,
        hint=BROKEN_DISK if fault.errno == errno.EIO else "check that it exists and that you may read it",
    )


def write_fault(
    fault: OSError, final: Path, temporary: Path | None = None, needed: int | None = None
) -> RestorecliError:
    """Return the error that tells a user what a failed write means.

    Args:
        fault: What the operating system answered.
        final: The file or folder that was to be written.
        temporary: The half-written file, whose size tells how much fitted.
        needed: Bytes that were to be written, where they are known.
    """
    if fault.errno in DISK_FAULTS:
        return _disk_fault(fault, final, temporary, needed)
    blocking = _file_in_the_way(final) if fault.errno in (errno.EEXIST, errno.ENOTDIR) else None
    if blocking is not None:
        return DataError(
            "A file stands where a folder is needed.",
            expected="a folder, or nothing yet",
            got="a file",
            file=blocking,
            unchanged="the file",
            hint="choose another -o/--output, or move the file away",
        )
    return DataError(
        "The file cannot be written.",
        got=_reason(fault),
        file=final,
        unchanged="whatever stood under this name",
        hint="check the folder's permissions and the length of the name, or choose another -o/--output",
    )


def _disk_fault(fault: OSError, final: Path, temporary: Path | None, needed: int | None) -> ResourceError:
    told = [_reason(fault)]
    with contextlib.suppress(OSError):
        told[0] += f" after {0 if temporary is None else temporary.stat().st_size:,} bytes"
    if needed is not None:
        told.append(f"{needed:,} bytes are needed")
    with contextlib.suppress(OSError):
        told.append(f"{shutil.disk_usage(final.parent).free:,} bytes are free")
    room = "free some space, or choose an -o/--output on another disk, and run the command again"
    return ResourceError(
        "Could not write the file.",
        got="; ".join(told),
        file=final,
        unchanged="finished files; the half-written one was removed",
        hint=BROKEN_DISK if fault.errno == errno.EIO else room,
    )


def _reason(fault: OSError) -> str:
    if fault.errno == errno.ELOOP:
        return "a symbolic link, which is not followed"
    return fault.strerror or str(fault)


def _file_in_the_way(place: Path) -> Path | None:
    return next((part for part in (place, *place.parents) if part.exists() and not part.is_dir()), None)
