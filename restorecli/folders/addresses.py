"""Addresses of remote stores, such as s3://bucket/folder, and the local paths that stand for them.

While a run works on a remote folder, a temporary folder of this machine mirrors it (`folders.mirror`): below
a root whose name begins with `MIRROR`, s3://bucket/a/b.png stands as s3/bucket/a/b.png. So a path tells by
itself which address it stands for, and paths relative to each other are the same on both sides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from restorecli.errors import UsageError

MIRROR = ".restorecli-remote-"
"""How the name of a folder begins that mirrors remote stores."""

_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)  # a Path has made one slash of two
_PASSWORD = re.compile(r":[^:@]*@")
_HOSTLESS = frozenset({"file", "memory"})
_SAME = {"s3a": "s3", "gcs": "gs", "local": "file"}
_NO_HOST = "_"
_NOT_IN_NAMES = ("\0", "/", "::")  # fsspec chains addresses by the last
_NOWHERE = Path("/", f"{MIRROR}nowhere")
"""The root of paths that stand for addresses where nothing is mirrored; there is never such a folder."""


@dataclass(frozen=True, slots=True)
class Address:
    """One place in a remote store; as text it is what may be shown, without a password.

    Attributes:
        scheme: "s3", "gs", "sftp" ...
        host: Bucket, or host with user and password; empty where the scheme has none.
        path: With forward slashes, none at its ends; empty for a whole bucket.
    """

    scheme: str
    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.scheme}://{_without_password(self.host)}/{self.path}"

    @property
    def url(self) -> str:
        """The address as a program opens it, with a password if there is one."""
        return f"{self.scheme}://{self.host}/{self.path}"

    def joined(self, name: str) -> Address:
        """Return the address of a file or folder in the folder of this address."""
        return Address(self.scheme, self.host, f"{self.path}/{name}".lstrip("/"))

    def below(self, root: Path) -> Path:
        """Return the path that stands for the address in the mirror `root`."""
        return root.joinpath(self.scheme, _without_password(self.host) or _NO_HOST, *self.path.split("/"))


def parse_address(word: str | Path) -> Address | None:
    """Return the address that a word names, or None for a local path.

    Raises:
        UsageError: It is an address that no file can have: with "..", empty parts or a query.
    """
    found = _ADDRESS.fullmatch(str(word))
    if found is None:
        return None
    scheme, rest = found[1].lower(), found[2]
    scheme = _SAME.get(scheme, scheme)
    host, _, path = ("", "", rest) if scheme in _HOSTLESS else rest.partition("/")
    address = Address(scheme, host, path.strip("/"))
    if scheme.startswith("http") and "?" in path:
        raise UsageError(
            "An address with a query cannot be read: it may hold a password, which a manifest would keep.",
            expected="the address of a file without what follows the question mark",
            got=f"{str(address).partition('?')[0]}?...",
        )
    named = bool(host) or scheme in _HOSTLESS
    if not named or (address.path and not all(is_name(part) for part in address.path.split("/"))):
        raise UsageError(
            "The address is none of a file or folder.",
            expected="a bucket or host, and names between single slashes, none of them . or ..",
            got=str(address),
        )
    return address


def is_name(part: str) -> bool:
    """Tell whether a part of an address can be the name of a file here."""
    return part not in ("", ".", "..") and not any(text in part for text in _NOT_IN_NAMES)


def address_of(path: Path | str) -> Address | None:
    """Return the address that a path in a mirror stands for, without a password; None for any other path."""
    if MIRROR not in str(path):
        return None
    parts = Path(path).parts
    for place, part in enumerate(parts[:-2]):
        if part.startswith(MIRROR):
            scheme, host, *names = parts[place + 1 :]
            return Address(scheme, "" if host == _NO_HOST else host, "/".join(names))
    return None


def shown(path: Path | str) -> Path | str:
    """Return what a reader is to see of a path: the address that it stands for, or itself."""
    address = address_of(path)
    return path if address is None else str(address)


def standing_for(address: Address, beside: Path) -> Path:
    """Return the path that stands for an address, in the mirror that another path lies in, if it does."""
    for above in (beside, *beside.parents):
        if above.name.startswith(MIRROR):
            return address.below(above)
    return address.below(_NOWHERE)


def _without_password(host: str) -> str:
    return _PASSWORD.sub("@", host)
