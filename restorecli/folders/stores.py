"""Remote stores through fsspec: listing, fetching and writing whole files, each tried again when it fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import errno
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from restorecli.errors import DataError, ImageError, RestorecliError, UsageError
from restorecli.folders.addresses import Address, is_name
from restorecli.images.atomic import PREFIX
from restorecli.images.faults import write_fault

Found = TypeVar("Found")

ATTEMPTS = 4
"""How often an operation is tried before it fails."""

_WHOLE = frozenset({"s3", "gs", "abfs", "abfss", "az", "adl", "oci", "oss", "memory"})
"""Stores in which a file that is being written cannot be seen before it is whole."""

_TIMES = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")
"""Where the stores say when a file was changed."""

_FINAL = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError, NotImplementedError)
"""What another attempt cannot mend."""

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""What says that the disk of this machine is full; s3fs calls what it does not know EIO."""

_SECRET_NAMES = re.compile(r"KEY|SECRET|TOKEN|PASSWORD|CREDENTIAL", re.IGNORECASE)
_USER = re.compile(r"(?<=://)[^/@\s]+@")
_QUERY = re.compile(r"\?[^\s'\"]*=[^\s'\"]*")
_MAX_LENGTH = 300


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a store.

    Attributes:
        relative: Its path below what was listed; empty for a single file.
        size: In bytes.
        changed: When it was changed, in nanoseconds since 1970; 0 where the store does not say.
    """

    relative: PurePosixPath
    size: int
    changed: int


class Stores:
    """The remote stores of one run; used from any thread.

    Args:
        wait: Seconds before the second attempt; each later one waits twice as long as the one before.
    """

    def __init__(self, wait: float = 0.5) -> None:
        self._wait = wait
        self._shared: dict[tuple[str, str], Any] = {}
        self._turn = threading.Lock()

    def find(self, address: Address) -> Entry | None:
        """Return the file at an address, without a relative path; None where a folder or nothing is there.

        Raises:
            DataError: The store cannot be reached or refuses.
        """
        try:
            info = self._again(lambda system, path: system.info(path), address, DataError)
        except DataError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return None
            raise
        return None if info["type"] == "directory" else _entry(info, PurePosixPath())

    def is_folder(self, address: Address) -> bool:
        """Tell whether an address is that of a folder; in stores without folders, whether it holds files.

        Raises:
            DataError: The store cannot be reached or refuses.
        """
        return bool(self._again(lambda system, path: system.isdir(path), address, DataError))

    def files(self, address: Address, refused: list[str]) -> Iterator[Entry]:
        """Yield the files below an address, folder by folder.

        Args:
            address: Of a folder.
            refused: Where addresses are added that cannot be names of files here.

        Raises:
            DataError: The store cannot be reached or refuses.
        """
        return self._below(address, PurePosixPath(), refused)

    def _below(self, address: Address, relative: PurePosixPath, refused: list[str]) -> Iterator[Entry]:
        folders: list[str] = []
        for name, info in self._again(_list, address, DataError):
            is_folder = info["type"] == "directory"
            if not name and not is_folder:
                continue  # the marker of the folder itself
            if not is_name(name):
                refused.append(str(address.joined(name)))
            elif not is_folder:
                yield _entry(info, relative / name)
            elif not info.get("islink"):
                folders.append(name)
        for name in folders:
            yield from self._below(address.joined(name), relative / name, refused)

    def fetch(self, address: Address, file: Path, expected: Entry | None) -> None:
        """Bring a file here; it stands under its name once it is whole, with the store's time of change.

        Args:
            address: Of the file.
            file: Where to put it.
            expected: What the listing said of it; None where it was not listed.

        Raises:
            ImageError: It is not there, or could not be fetched in several attempts.
            ResourceError: The disk is full.
        """
        temporary = file.with_name(f"{PREFIX}{secrets.token_hex(8)}")

        def bring(system: Any, path: str) -> None:  # noqa: ANN401 - of fsspec, which is not typed
            entry = expected or _entry(system.info(path), PurePosixPath())
            system.get_file(path, str(temporary))
            size = temporary.stat().st_size
            if size != entry.size:
                system.invalidate_cache()
                entry = _entry(system.info(path), PurePosixPath())  # it may be another one by now
            if size != entry.size:
                raise ConnectionError(f"{size:,} of {entry.size:,} bytes arrived")
            os.utime(temporary, ns=(entry.changed, entry.changed))
            temporary.replace(file)

        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            self._again(bring, address, ImageError)
        finally:
            temporary.unlink(missing_ok=True)

    def send(self, file: Path, address: Address) -> None:
        """Write a file to a store, where it replaces an older one in one step.

        Raises:
            ImageError: It could not be written in several attempts; what stood there is unchanged.
        """

        def write(system: Any, path: str) -> None:  # noqa: ANN401 - as above
            if address.scheme in _WHOLE:
                system.put_file(str(file), path)
                return
            folder, _, name = path.rpartition("/")
            temporary = f"{folder}/{PREFIX}{secrets.token_hex(8)}-{name}"
            system.makedirs(folder, exist_ok=True)
            try:
                system.put_file(str(file), temporary)
                system.mv(temporary, path)
            except BaseException:
                with contextlib.suppress(Exception):
                    system.rm_file(temporary)
                raise

        self._again(write, address, ImageError)

    def remove(self, address: Address) -> None:
        """Remove a file.

        Raises:
            ImageError: It could not be removed.
        """
        self._again(lambda system, path: system.rm_file(path), address, ImageError)

    def _open(self, address: Address) -> tuple[Any, str]:
        """Return fsspec's file system and its name for an address.

        fsspec makes a file system for each thread. Those that are asynchronous inside serve all threads, and
        share one connection pool.

        Raises:
            UsageError: There is no package for the scheme.
        """
        try:
            from fsspec.core import url_to_fs
        except ImportError as fault:
            raise UsageError(
                "Addresses of remote stores need the package fsspec.",
                got=str(address),
                hint="pip install 'restorecli[remote]'",
            ) from fault
        try:
            system, path = url_to_fs(address.url)
        except (ImportError, ValueError) as fault:
            raise _no_package(address, fault) from fault
        if getattr(system, "async_impl", False):
            with self._turn:
                system = self._shared.setdefault((address.scheme, address.host), system)
        return system, path

    def _again(
        self, work: Callable[[Any, str], Found], address: Address, kind: type[RestorecliError]
    ) -> Found:
        """Return what some work with fsspec's file system and name of an address gives; it is tried often.

        Raises:
            RestorecliError: Of `kind`; the last attempt failed, or none can help.
            ResourceError: The disk of this machine is full.
            UsageError: There is no package for the scheme.
        """
        wait = self._wait
        for left in reversed(range(ATTEMPTS)):
            try:
                return work(*self._open(address))
            except RestorecliError:
                raise
            except Exception as fault:  # every store raises errors of its own
                if isinstance(fault, OSError) and fault.errno in _FULL:
                    raise write_fault(fault, Path(str(fault.filename or "."))) from fault
                if not left or isinstance(fault, _FINAL):
                    raise _failed(kind, address, fault, tried=ATTEMPTS - left) from fault
            time.sleep(wait)
            wait *= 2
        raise AssertionError


def _list(system: Any, path: str) -> list[tuple[str, Mapping[str, Any]]]:  # noqa: ANN401 - as above
    """Return what a folder of a store holds, by name; the name is empty for the folder's own marker."""
    system.invalidate_cache()
    found = system.ls(path, detail=True)
    system.invalidate_cache()  # it would keep a kilobyte for every file
    return [(info["name"].rstrip("/")[len(path.rstrip("/")) :].removeprefix("/"), info) for info in found]


def _failed(kind: type[RestorecliError], address: Address, fault: Exception, tried: int) -> RestorecliError:
    if isinstance(fault, FileNotFoundError):
        return kind("There is no such file in the store.", file=str(address), hint="check the address")
    times = "" if tried == 1 else f" ({tried} attempts)"
    return kind(
        "The store did not do what was asked.",
        got=f"{type(fault).__name__}: {without_secrets(str(fault), address)}{times}",
        file=str(address),
        unchanged="everything else",
        hint="check the connection and what you may read and write, and run the command again: "
        "what is finished is skipped",
    )


def _no_package(address: Address, fault: Exception) -> UsageError:
    return UsageError(
        f"Addresses that begin with {address.scheme}:// cannot be opened.",
        expected="s3:// (package s3fs), gs:// (gcsfs), abfs:// (adlfs), sftp:// (paramiko) "
        "or what else fsspec knows",
        got=without_secrets(str(fault), address),
        file=str(address),
        hint="pip install 'restorecli[remote]' s3fs" if address.scheme == "s3" else "install its package",
    )


def without_secrets(text: str, address: Address) -> str:
    """Return what a store said, on one line, without what only the user may know.

    Taken out are the address's own password, user names and queries of addresses (a signature is in them),
    and the values of variables of the environment that are called a key, a token and the like.
    """
    text = " ".join(text.split())
    secrets_here = [value for name, value in os.environ.items() if _SECRET_NAMES.search(name)]
    secrets_here.append(address.host.rpartition("@")[0].partition(":")[2])
    for secret in sorted(secrets_here, key=len, reverse=True):
        if len(secret) > 3:
            text = text.replace(secret, "***")
    text = _QUERY.sub("?***", _USER.sub("***@", text))
    return text if len(text) <= _MAX_LENGTH else f"{text[:_MAX_LENGTH]} ..."


def _entry(info: Mapping[str, Any], relative: PurePosixPath) -> Entry:
    size = info.get("size")
    return Entry(relative, 0 if size is None else int(size), _changed(info))


def _changed(info: Mapping[str, Any]) -> int:
    """Return the time of change in nanoseconds, 0 where the store does not say."""
    told = next((info[name] for name in _TIMES if info.get(name) is not None), 0)
    if isinstance(told, str):
        try:
            told = dt.datetime.fromisoformat(told)
        except ValueError:
            return 0
    if isinstance(told, dt.datetime):
        zoned = told if told.tzinfo else told.replace(tzinfo=dt.UTC)
        since = zoned - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
        return (since.days * 86_400 + since.seconds) * 10**9 + since.microseconds * 1000
    return round(float(told) * 10**9)
