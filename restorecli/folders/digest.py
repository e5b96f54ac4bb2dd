"""What tells one content of a file from another."""

from __future__ import annotations

import hashlib
from pathlib import Path

from restorecli.folders.addresses import address_of


def digest_of(file: Path) -> str | None:
    """Return the first 32 hexadecimal digits of the SHA-256 of a file; None where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    except OSError:
        return None


def version_of(file: Path) -> str | None:
    """Return size and time of change of a file in a remote store, as it was listed; None for local ones."""
    if address_of(file) is None:
        return None
    try:
        status = file.stat()
    except OSError:
        return None
    return f"{status.st_size} bytes, changed at {status.st_mtime_ns} ns"
