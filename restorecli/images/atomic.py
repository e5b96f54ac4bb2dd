"""Writing a file so that it is either whole under its final name or not there at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from restorecli.images.faults import DISK_FAULTS, write_fault

PREFIX = ".restorecli-"
"""How temporary files begin; hidden, so that no walk over a folder takes them for images."""

_FOLDERS_OPEN = os.name == "posix"
"""Whether the system opens folders as files, which is how their entries are brought to the disk."""

_NO_SYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}
"""What file systems answer that keep nothing to bring to the disk."""

_owner = ""
"""What stands in the names of temporary files in place of this process's number; see `write_for`.

Of the process, like its number: one of a cluster works for one owner as long as it lives.
"""


def write_for(owner: str) -> None:
    """Let the temporary files of this process bear another name than its number.

    Args:
        owner: What follows `PREFIX` in their names: who removes what a sudden end of this process leaves.
    """
    global _owner
    _owner = owner


def write_file(path: Path | str, content: bytes | str) -> None:
    """Write a whole file by `atomic_write`; text is written as UTF-8 with plain line feeds.

    Raises:
        ResourceError: The disk is full or failing; the message says how many bytes are needed and free.
        DataError: The folder cannot be written to, or the name is not possible there.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    with atomic_write(path, needed=len(data)) as temporary:
        temporary.write_bytes(data)


@contextlib.contextmanager
def atomic_write(path: Path | str, *, needed: int | None = None) -> Iterator[Path]:
    """Yield a temporary path in the folder of `path`; move it there when the block ends well.

    The temporary file exists (empty, with the permissions of the user's umask) when the block starts and has
    the suffix of `path`. Its bytes reach the disk before the move, which replaces an older file (or a link,
    which is not followed) in one step, and then the folder's new entry does. If the block raises, the
    temporary file is removed and an older file stays as it was.

    Args:
        path: The final name. Its folder must exist.
        needed: Bytes that will be written, where they are known, for the message of a full disk.

    Yields:
        The temporary path to write to.

    Raises:
        ResourceError: The disk is full, over quota or failing; nothing was changed.
        DataError: The folder cannot be written to, or the name is not possible there.
    """
    final = Path(path)
    temporary = final.with_name(f"{PREFIX}{_owner or os.getpid()}-{secrets.token_hex(6)}{final.suffix[:16]}")
    try:
        _create(temporary, final)
        try:
            yield temporary
        except OSError as fault:
            if fault.errno in DISK_FAULTS or fault.filename == str(temporary):
                raise write_fault(fault, final, temporary, needed) from fault
            raise
        _commit(temporary, final, needed)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _create(temporary: Path, final: Path) -> None:
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    except OSError as fault:
        raise write_fault(fault, final) from fault


def _commit(temporary: Path, final: Path, needed: int | None) -> None:
    try:
        _sync(temporary, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        temporary.replace(final)
        if _FOLDERS_OPEN:
            _sync(final.parent, os.O_RDONLY)
    except OSError as fault:
        raise write_fault(fault, final, temporary, needed) from fault


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    except OSError as fault:
        if fault.errno not in _NO_SYNC:
            raise
    finally:
        os.close(descriptor)
