"""What tells one content of a file from another."""

from __future__ import annotations

import hashlib
from pathlib import Path


def digest_of(file: Path) -> str | None:
    """Return the first 32 hexadecimal digits of the SHA-256 of a file; None where it cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()[:32]
    except OSError:
        return None
