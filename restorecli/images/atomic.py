"""Writing a file so that it is either whole under its final name or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from restorecli.errors import DataError, ResourceError, RestorecliError

PREFIX = ".restorecli-"
"""How temporary files begin; hidden, so that no walk over a folder takes them for pictures."""

_DISK_FAULTS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; move it there when the block ends well.

    The temporary file exists (empty, with the permissions of the user's umask) when the block starts and has
    the suffix of `path`. Its bytes reach the disk before the move, and the move replaces an older file in one
    step. If the block raises, the temporary file is removed and an older file stays as it was.

    Args:
        path: The final name. Its folder must exist.

    Yields:
        The temporary path to write to.

    Raises:
        ResourceError: The disk is full, over quota or failing; nothing was changed.
        DataError: The folder cannot be written to, or the name is not possible there.
    """
    final = Path(path)
    temporary = final.with_name(f"{PREFIX}{os.getpid()}-{secrets.token_hex(6)}{final.suffix[:16]}")
    try:
        _create(temporary, final)
        try:
            yield temporary
        except OSError as fault:
            if fault.errno in _DISK_FAULTS:
                raise write_fault(fault, final, temporary) from fault
            raise
        _commit(temporary, final)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def write_fault(fault: OSError, final: Path, temporary: Path | None = None) -> RestorecliError:
    """Return the error that tells a user what a failed write means.

    Args:
        fault: What the operating system answered.
        final: The file that was to be written.
        temporary: The half-written file, whose size tells how much fitted.
    """
    reason = fault.strerror or str(fault)
    if fault.errno not in _DISK_FAULTS:
        return DataError(
            "the file cannot be written",
            came=reason,
            file=final,
            unchanged="whatever stood under this name",
            hint="check the folder's permissions and the length of the name, or choose another -o/--output",
        )
    written = temporary.stat().st_size if temporary is not None and temporary.exists() else 0
    with contextlib.suppress(OSError):
        reason += f" after {written:,} bytes; {shutil.disk_usage(final.parent).free:,} bytes are free"
    return ResourceError(
        "the disk did not take the file",
        came=reason,
        file=final,
        unchanged="finished files; the half-written one was removed",
        hint="free some space, or choose an -o/--output on another disk, and run the command again",
    )


def _create(temporary: Path, final: Path) -> None:
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as fault:
        raise write_fault(fault, final) from fault


def _commit(temporary: Path, final: Path) -> None:
    try:
        descriptor = os.open(temporary, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        temporary.replace(final)
    except OSError as fault:
        raise write_fault(fault, final, temporary) from fault
