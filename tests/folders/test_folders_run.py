"""One run over a folder: what is finished is left out, failures cost one image, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

import pytest

from restorecli.errors import BusyError, ImageError, RestorecliError, UsageError
from restorecli.folders.lock import output_lock
from restorecli.folders.manifest import Manifest, Record
from restorecli.folders.run import Append, Done, run_folder, unfinished


@dataclass(frozen=True)
class Item:
    name: str
    inputs: tuple[Path, ...] = ()

    @property
    def target(self) -> PurePosixPath:
        return PurePosixPath(f"{self.name}.png")


def line(item: Item) -> Record:
    return Record(item.target.as_posix(), "degrade", "all", None, item.name, "1")


@dataclass
class Room:
    """Writes the name of every item, but for those that fail."""

    output: Path
    failing: tuple[str, ...] = ()
    command = "degrade"
    closed: list[bool] = field(default_factory=list)

    def is_finished(self, item: Item, record: Record) -> bool:
        return record.source == item.name and (self.output / item.target).is_file()

    def check_replaced(self, items: Sequence[Item], records: Mapping[str, Record]) -> None:
        if any(record.source == "precious" for record in records.values()):
            raise UsageError("precious")

    def results(
        self, items: Iterable[Item], append: Append
    ) -> Generator[tuple[Item, Done | RestorecliError], None, None]:
        try:
            for item in items:
                if item.name in self.failing:
                    yield item, ImageError("damaged")
                    continue
                (self.output / item.target).write_text(item.name)
                append(line(item))
                yield item, Done(0.5, ("gray",) if item.name == "b" else ())
        finally:
            self.closed.append(True)


class Told:
    """Remembers what a run tells; raises where it is asked to."""

    def __init__(self, stop_at: str | None = None) -> None:
        self.said: list[object] = []
        self._stop_at = stop_at

    def start(self, total: int, what: str) -> None:
        self.said.append((total, what))

    def advance(self, done: str, failure: RestorecliError | None = None) -> None:
        self.said.append(done if failure is None else f"{done} failed")
        if done == self._stop_at:
            raise KeyboardInterrupt

    def within(self, done: int, total: int) -> None:
        raise AssertionError

    def finish(self) -> None:
        self.said.append("finished")


ITEMS = [Item("a"), Item("b"), Item("c")]


def test_everything_is_done_counted_and_told(tmp_path):
    told = Told()
    summary = run_folder(Room(tmp_path, failing=("c",)), ITEMS, tmp_path, hidden=2, progress=told)
    assert told.said == [(3, "images"), "a", "b", "c failed", "finished"]
    assert (summary.command, summary.output, summary.hidden) == ("degrade", tmp_path, 2)
    assert (summary.written, summary.skipped, summary.megapixels) == (2, 0, 1.0)
    assert [(failure.path, failure.error.problem) for failure in summary.failures] == [("c", "damaged")]
    assert [note.to_dict() for note in summary.notes] == [{"note": "gray", "pictures": 1, "first": "b"}]
    assert summary.to_dict()["hidden"] == 2
    assert list(Manifest(tmp_path).read()) == ["a.png", "b.png"]


def test_what_is_finished_is_left_out_unless_all_is_made_again(tmp_path):
    run_folder(Room(tmp_path, failing=("c",)), ITEMS, tmp_path)
    (tmp_path / "a.png").unlink()
    for overwrite, names in ((False, ["a", "c"]), (False, []), (True, ["a", "b", "c"])):
        told = Told()
        summary = run_folder(Room(tmp_path), ITEMS, tmp_path, overwrite=overwrite, progress=told)
        assert told.said == [(len(names), "images"), *names, "finished"]
        assert (summary.written, summary.skipped) == (len(names), 3 - len(names))


def test_an_interrupt_ends_the_room_and_frees_the_folder(tmp_path):
    room, told = Room(tmp_path), Told(stop_at="b")
    with pytest.raises(KeyboardInterrupt):
        run_folder(room, ITEMS, tmp_path, progress=told)
    assert told.said == [(3, "images"), "a", "b", "finished"]
    assert room.closed == [True]
    assert run_folder(Room(tmp_path), ITEMS, tmp_path).skipped == 2


def test_a_locked_folder_is_left_alone(tmp_path):
    with output_lock(tmp_path), pytest.raises(BusyError):
        run_folder(Room(tmp_path), ITEMS, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("link", [False, True])
def test_what_is_read_is_never_written_over(tmp_path, overwrite, link):
    (tmp_path / "b.png").write_text("source")
    read = tmp_path / "b.png"
    if link:
        (tmp_path / "link").symlink_to(read)
        read = tmp_path / "link"
    room = Room(tmp_path)
    with pytest.raises(UsageError, match="overwrite the source"):
        run_folder(room, [Item("a", (read,)), Item("b")], tmp_path, overwrite=overwrite)
    assert (tmp_path / "b.png").read_text() == "source"
    assert not (tmp_path / "a.png").exists()


def test_images_of_somebody_else_are_written_over_only_when_asked(tmp_path):
    (tmp_path / "b.png").write_text("somebody's")
    with pytest.raises(UsageError, match="did not write"):
        run_folder(Room(tmp_path), ITEMS, tmp_path)
    assert (tmp_path / "b.png").read_text() == "somebody's"
    assert run_folder(Room(tmp_path), ITEMS, tmp_path, overwrite=True).written == 3


def test_an_image_without_a_line_is_an_unfinished_one_of_ours(tmp_path):
    Manifest(tmp_path).start()
    (tmp_path / "b.png").write_text("half")
    assert run_folder(Room(tmp_path), ITEMS, tmp_path).written == 3


def test_what_may_not_be_replaced_stops_the_run_before_anything_is_written(tmp_path):
    run_folder(Room(tmp_path), ITEMS, tmp_path)
    manifest = Manifest(tmp_path)
    manifest.append(replace(line(Item("a")), source="precious"))
    before = {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    for call in (run_folder, unfinished):
        with pytest.raises(UsageError, match="precious"):
            call(Room(tmp_path), ITEMS, tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before
    assert run_folder(Room(tmp_path), ITEMS, tmp_path, overwrite=True).written == 3


def test_what_is_not_finished_is_listed_without_a_trace(tmp_path):
    assert unfinished(Room(tmp_path), ITEMS, tmp_path / "out") == ITEMS
    assert not (tmp_path / "out").exists()
    run_folder(Room(tmp_path), ITEMS[:2], tmp_path)
    assert unfinished(Room(tmp_path), ITEMS, tmp_path) == ITEMS[2:]
    assert unfinished(Room(tmp_path), ITEMS, tmp_path, overwrite=True) == ITEMS
