"""Remote folders for everything that works on local paths: a temporary folder that mirrors what a run uses.

Every file of a listed folder stands there under its name, with its size and time of change, but empty and not
readable: a stand-in. It is fetched when it is taken, and a stand-in again when the last user drops it. What
was written is sent and becomes a stand-in, too. So disk and memory hold only what is under way.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import TypeVar

from restorecli.errors import DataError, RestorecliError
from restorecli.folders.addresses import MIRROR, Address, address_of, parse_address
from restorecli.folders.jobs import Failure, FolderSummary
from restorecli.folders.manifest import FILE_NAME
from restorecli.folders.stores import Entry, Stores
from restorecli.folders.walking import OUTPUT_MARK
from restorecli.images.atomic import PREFIX
from restorecli.images.faults import write_fault

Summary = TypeVar("Summary", bound=FolderSummary)

_NO_FILE = frozenset(
    {errno.ENAMETOOLONG, errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.EINVAL, errno.EILSEQ}
)
"""What a file system answers to a name that no file can have here, beside the others."""


@dataclass
class _Taken:
    """A file that is here as long as somebody uses it."""

    users: int = 0
    here: bool = False
    fetching: threading.Lock = field(default_factory=threading.Lock)


class Mirror:
    """The remote folders of one run, as local paths; local folders pass through it unchanged.

    A context: at its end the temporary folder is removed, and an error that ends it names addresses instead
    of temporary files. Safe to use from several threads.

    Args:
        stores: Where the files are.
    """

    def __init__(self, stores: Stores | None = None) -> None:
        self._stores = stores or Stores()
        self._root: Path | None = None
        self._hosts: dict[tuple[str, str], str] = {}
        self._taken: dict[Path, _Taken] = {}
        self._turn = threading.Lock()
        self._refused: list[str] = []

    def __enter__(self) -> Mirror:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, RestorecliError):
            self.name_addresses(error)
        if self._root is not None:
            shutil.rmtree(self._root, ignore_errors=True)

    @property
    def is_used(self) -> bool:
        """Whether some place was remote."""
        return self._root is not None

    @property
    def refused(self) -> tuple[Failure, ...]:
        """The files of listed folders that cannot be named on this machine."""
        return tuple(Failure(name, _not_a_name(name)) for name in self._refused)

    def place(self, word: Path | str) -> Path | str:
        """Return where a file or folder is: a path of this mirror for an address, anything else as it is.

        A folder is listed, and its manifests are fetched. A slash at the end stays.

        Raises:
            UsageError: The address is wrong, or its package is missing.
            DataError: The store cannot be reached or refuses.
        """
        address = parse_address(word)
        if address is None:
            return word
        here = self._path_of(address)
        entry = self._stores.find(address) if address.path else None
        if entry is not None:
            self._stand_in(here, entry)
            self._bring_manifest(here.parent)
        elif self._stores.is_folder(address):
            here.mkdir(parents=True, exist_ok=True)
            for entry in self._stores.files(address, self._refused):
                self._list(here / entry.relative, entry)
        return f"{here}{os.sep}" if str(word).endswith("/") else here

    def place_if(self, word: Path | str | None) -> Path | str | None:
        """Return where something is, or None for nothing; see `place`."""
        return None if word is None else self.place(word)

    def standing_for(self, path: Path) -> Path:
        """Return the path of this mirror for one that stands for an address elsewhere; others as they are."""
        address = address_of(path)
        return path if address is None else self._path_of(address)

    @contextlib.contextmanager
    def hold(self, *paths: Path) -> Iterator[None]:
        """Have files here while the block runs; folders with the files in them. Local ones are here anyway.

        Raises:
            ImageError: A file cannot be fetched.
            ResourceError: The disk is full.
        """
        with contextlib.ExitStack() as stack:
            for path in paths:
                for file in sorted(path.iterdir()) if address_of(path) and path.is_dir() else [path]:
                    self.take(file)
                    stack.callback(self.drop, file)
            yield

    def take(self, path: Path) -> None:
        """Have a file here until it is dropped as often as it was taken.

        Raises:
            ImageError: It cannot be fetched; it is not taken then.
            ResourceError: The disk is full.
        """
        if address_of(path) is None:
            return
        with self._turn:
            taken = self._taken.setdefault(path, _Taken())
            taken.users += 1
        try:
            with taken.fetching:
                if not taken.here:
                    self._stores.fetch(self._address_of(path), path, _listed(path))
                    taken.here = True
        except BaseException:
            self.drop(path)
            raise

    def drop(self, path: Path) -> None:
        """Let go of a file that was taken."""
        if address_of(path) is None:
            return
        with self._turn:
            taken = self._taken[path]
            taken.users -= 1
            if taken.users == 0:
                del self._taken[path]
                _empty(path)

    def send(self, path: Path) -> None:
        """Send a file that was written; nothing happens where it is local, not there, or was sent.

        Raises:
            ImageError: It cannot be sent; it is removed here.
        """
        if address_of(path) is None or not path.is_file() or _listed(path) is not None:
            return
        try:
            self._stores.send(path, self._address_of(path))
        except RestorecliError:
            path.unlink()
            raise
        _empty(path)

    def send_copy(self, path: Path) -> None:
        """Send a file as it is, which stays here, too.

        Raises:
            ImageError: It cannot be sent.
        """
        self._stores.send(path, self._address_of(path))

    def remove(self, path: Path) -> None:
        """Remove the file in the store that a path stands for.

        Raises:
            ImageError: It cannot be removed.
        """
        self._stores.remove(self._address_of(path))

    def told(self, summary: Summary) -> Summary:
        """Return a summary that names addresses, and as failures the files that cannot be named here."""
        for failure in summary.failures:
            self.name_addresses(failure.error)
        address = address_of(summary.output)
        output = summary.output if address is None else str(address)
        return replace(summary, output=output, failures=(*summary.failures, *self.refused))

    def name_addresses(self, error: RestorecliError) -> None:
        """Put addresses into an error in place of the paths that stand for them."""
        if self._root is None:
            return
        error.problem = self._named(error.problem)
        for part in ("expected", "got", "file", "unchanged", "hint"):
            text = getattr(error, part)
            setattr(error, part, None if text is None else self._named(text))
        error.args = (error.problem,)

    def _named(self, text: str) -> str:
        pattern = re.escape(f"{self._root}{os.sep}") + r"[\w.+-]+/[^/\s'\",;]+(?:/|(?=[\s'\",;]|$))"
        return re.sub(pattern, lambda found: f"{address_of(found[0])}", text)

    def _path_of(self, address: Address) -> Path:
        with self._turn:
            if self._root is None:
                self._root = Path(tempfile.mkdtemp(prefix=MIRROR)).resolve()
            path = address.below(self._root)
            shown = address_of(path)
            if shown is not None and address.host != shown.host:
                self._hosts[shown.scheme, shown.host] = address.host
        return path

    def _address_of(self, path: Path) -> Address:
        """Return the address with its password."""
        address = address_of(path)
        assert address is not None  # noqa: S101 - callers have asked
        return replace(address, host=self._hosts.get((address.scheme, address.host), address.host))

    def _list(self, path: Path, entry: Entry) -> None:
        """Let a file of a listed folder stand here; manifests and marks are here as they are."""
        if path.name == OUTPUT_MARK:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        elif _is_manifest(path.name):
            self._stores.fetch(self._address_of(path), path, entry)
        elif not path.name.startswith(PREFIX.rstrip("-")):
            self._stand_in(path, entry)

    def _stand_in(self, path: Path, entry: Entry) -> None:
        try:
            _make_stand_in(path, entry)
        except OSError as fault:
            if fault.errno not in _NO_FILE:
                raise write_fault(fault, path) from fault
            self._refused.append(str(address_of(path)))

    def _bring_manifest(self, folder: Path) -> None:
        """Fetch the manifest of a folder that is not listed, if it has one."""
        path = folder / FILE_NAME
        entry = self._stores.find(self._address_of(path))
        if entry is not None:
            self._stores.fetch(self._address_of(path), path, entry)


def _make_stand_in(path: Path, entry: Entry) -> None:
    flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    try:
        descriptor = os.open(path, flags, 0)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, flags, 0)
    except FileExistsError:
        if _listed(path) is None:
            raise
        path.unlink()  # listed twice: below two folders that were asked for
        descriptor = os.open(path, flags, 0)
    try:
        os.ftruncate(descriptor, entry.size)
    finally:
        os.close(descriptor)
    os.utime(path, ns=(entry.changed, entry.changed))


def _empty(path: Path) -> None:
    """Put a stand-in in the place of a file; what has it open can go on reading it."""
    with contextlib.suppress(FileNotFoundError):
        status = path.stat()
        spare = path.with_name(f"{PREFIX}{secrets.token_hex(8)}")
        _make_stand_in(spare, Entry(PurePosixPath(), status.st_size, status.st_mtime_ns))
        spare.replace(path)


def _listed(path: Path) -> Entry | None:
    """Return what a stand-in says of its file; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(status.st_mode) or stat.S_IMODE(status.st_mode) != 0:
        return None
    return Entry(PurePosixPath(), status.st_size, status.st_mtime_ns)


def _is_manifest(name: str) -> bool:
    stem, _, suffix = FILE_NAME.rpartition(".")
    return name.startswith(f"{stem}.") and name.endswith(f".{suffix}")


def _not_a_name(address: str) -> RestorecliError:
    return DataError(
        "The file cannot be named on this machine.",
        expected="a name without empty parts, . or .., of at most 255 bytes, and no folder of the same name",
        file=address,
        unchanged="the file",
        hint="rename it in the store",
    )
