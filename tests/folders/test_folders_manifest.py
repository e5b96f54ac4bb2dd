"""The manifest: what is appended is read, torn lines do no harm, locators survive a move of the tree."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from restorecli.degradation.again import degrade_again
from restorecli.degradation.operators import noise_of, operator_of
from restorecli.errors import DataError, ResourceError, RestorecliError
from restorecli.evaluation.pairing.pairs import Pair, Source
from restorecli.evaluation.statistics.grouping import fields_of, resolve_field
from restorecli.folders.manifest import FILE_NAME, Manifest, Record, locate, make_locator, open_locator
from restorecli.folders.samples import Sample, find_sample
from restorecli.images.image import ImageData
from restorecli.images.options import ReadOptions
from restorecli.images.writing import write_image
from restorecli.restoration.known import recorded_mask


def record(path: str = "a/x.png", **values: object) -> Record:
    known = {"command": "degrade", "category": "a", "reference": "../imgs/x.png", "source": "../imgs/x.png"}
    return Record(path=path, **{**known, "version": "0.1.0", **values})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
relative_paths = st.lists(
    st.sampled_from(["a", "é", "テスト", "🙂", "-x", "a b", "\udce9"]), min_size=1, max_size=3
).map(lambda parts: "/".join(parts) + ".png")
steps = st.builds(
    lambda name, values: {**values, "name": name},
    st.text(),
    st.dictionaries(st.text(), json_values, max_size=3),
)
places = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))
records = st.builds(
    Record,
    path=relative_paths,
    command=st.sampled_from(["degrade", "restore"]),
    category=st.text(),
    reference=st.none() | places,
    source=places,
    version=st.text(),
    defect=st.none() | st.text(),
    seed=st.none() | st.integers(0, 2**64),
    key=st.none() | st.text(),
    degradations=st.lists(steps, max_size=3).map(tuple),
    earlier=st.lists(steps, max_size=2).map(tuple),
    unclipped=st.booleans(),
    degraded=st.none() | places,
    restorer=st.none() | steps,
    notes=st.lists(st.text(), max_size=3).map(tuple),
)


@given(item=records)
def test_a_record_survives_its_line(item):
    line = item.to_json()
    assert "\n" not in line
    assert line.isascii()
    assert Record.from_json(line) == item
    assert Record.from_json(line.encode()) == item


def mutants(value: object) -> st.SearchStrategy[object]:
    """Return JSON values that differ from `value` in one place, or not at all."""
    whole = st.just(value) | json_values | st.sampled_from([float("nan"), 10**400, "\ud800", "a\0b", -1])
    if isinstance(value, dict):
        return whole | st.sampled_from([*value, "new"]).flatmap(
            lambda key: st.one_of(
                st.just({name: part for name, part in value.items() if name != key}),
                mutants(value.get(key)).map(lambda part: {**value, key: part}),
            )
        )
    if isinstance(value, list) and value:
        return whole | st.integers(0, len(value) - 1).flatmap(
            lambda at: mutants(value[at]).map(lambda part: [*value[:at], part, *value[at + 1 :]])
        )
    return whole


WHOLE = record(
    defect="crack",
    seed=7,
    key="a/x.png",
    source_digest="0123",
    degradations=({"name": "gaussian", "sigma": 25.0, "severity": 3}, {"name": "blur", "sigma": 1.5}),
    earlier=({"name": "jpeg", "quality": 40},),
    degraded="x.png",
    restorer={"name": "dncnn", "weights": None, "tile": 512, "found": {"sigma": 24.8}},
    notes=("first of 3 frames",),
    reading=ReadOptions(to_srgb=True),
    reference_reading=ReadOptions(frames="first"),
)


def use(folder: Path, item: Record) -> None:
    """Do what the rooms do with a line, all of which may refuse it, but in words."""
    source = Source(item.path, folder, folder / item.path)
    pair = Pair(item.path, item.category, item.defect, None, source, None, item)
    fields = fields_of(pair)
    json.dumps(fields).encode("ascii")
    for name in ("category", "severity", "sigma", "gaussian.sigma", "restorer.tile"):
        with contextlib.suppress(RestorecliError):
            resolve_field(name, tuple(fields))
    for work in (
        lambda: degrade_again(item, np.full((1, 8, 8), 0.5, np.float32)),
        lambda: noise_of(item.history),
        lambda: operator_of(item.history),
        lambda: recorded_mask(item, (8, 8)),
        lambda: locate(item.source, folder),
        lambda: open_locator(item.source, folder, item.reading),
    ):
        with contextlib.suppress(RestorecliError):
            work()


def read_or_refused(folder: Path, line: str) -> list[Record]:
    """Return the records of a manifest, or none where it is refused with the number of its line."""
    refusals = []
    try:
        return list(Manifest(folder).read().values())
    except DataError as error:
        refusals.append(str(error.file))
    assert re.fullmatch(rf"{re.escape(str(folder / FILE_NAME))}, line {line}", refusals[0])
    return []


@given(values=mutants(json.loads(WHOLE.to_json())))
@example(values={**json.loads(WHOLE.to_json()), "degradations": [5]})
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_a_mutated_manifest_is_refused_with_its_line_or_used(tmp_path, values):
    (tmp_path / FILE_NAME).write_text(f"{WHOLE.to_json()}\n{json.dumps(values)}\n")
    for item in read_or_refused(tmp_path, "2"):
        use(tmp_path, item)


@given(at=st.integers(0, 400), byte=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
def test_a_manifest_with_a_changed_byte_is_refused_with_its_line_or_used(tmp_path, at, byte):
    line = bytearray(WHOLE.to_json().encode())
    line[at % len(line)] = byte
    (tmp_path / FILE_NAME).write_bytes(bytes(line) + b"\n" + record("b.png").to_json().encode() + b"\n")
    for item in read_or_refused(tmp_path, "[1-3]"):
        use(tmp_path, item)


def test_defaults_are_left_out_and_numpy_values_are_written():
    line = record(
        degradations=({"name": "gaussian", "sigma": np.float32(25), "kernel": np.eye(2)},)
    ).to_json()
    assert set(json.loads(line)) == {
        "path",
        "command",
        "category",
        "reference",
        "source",
        "version",
        "degradations",
    }
    assert Record.from_json(line).degradations[0]["kernel"] == [[1.0, 0.0], [0.0, 1.0]]
    with pytest.raises(TypeError):
        record(restorer={"model": object()}).to_json()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": 1}, "other keys"),
        ({"path": None}, "'path'.*inside the manifest's folder"),
        ({"path": "../x.png"}, "'path'.*inside the manifest's folder"),
        ({"path": "/etc/passwd"}, "'path'.*inside the manifest's folder"),
        ({"path": ""}, "'path'.*inside the manifest's folder"),
        ({"path": "a\0b"}, "'path'"),
        ({"source": "a\0b"}, "'source'"),
        ({"category": "\ud800"}, "'category'.*text"),
        ({"command": "train"}, "'command'.*degrade or restore.*'train'"),
        ({"seed": "7"}, "'seed'.*a whole number, or null.*'7'"),
        ({"seed": True}, "'seed'.*True"),
        ({"degradations": {}}, "'degradations'"),
        ({"degradations": [5]}, "'degradations'.*each with a name.*[5]"),
        ({"degradations": [{"sigma": 5}]}, "'degradations'"),
        ({"degradations": [{"name": 5}]}, "'degradations'"),
        ({"earlier": [["name"]]}, "'earlier'"),
        ({"degradations": [{"name": "gaussian", "sigma": float("nan")}]}, "'degradations'.*finite"),
        ({"degradations": [{"name": "gaussian", "sigma": [[1e999]]}]}, "'degradations'.*finite"),
        ({"restorer": {"name": {}}}, "'restorer'"),
        ({"restorer": {"name": "dncnn", "found": {"sigma": float("inf")}}}, "'restorer'"),
        ({"notes": [None]}, "'notes'.*a list of texts"),
        ({"unclipped": 1}, "'unclipped'.*true or false"),
        ({"reading": {"frames": []}}, "'reading'.*allow_truncated, to_srgb, frames"),
        ({"reading": {"frame": "first"}}, "'reading'.*allow_truncated, to_srgb, frames"),
    ],
)
def test_a_line_that_does_not_fit_is_refused(change, words):
    with pytest.raises(DataError, match=f"(?s){words}"):
        Record.from_json(json.dumps({**json.loads(record().to_json()), **change}))


@pytest.mark.parametrize("line", ["", "[]", "7", '{"path": "x.png"}', "{", b"\xff\xfe", "[" * 100_000])
def test_a_line_that_is_no_record_is_refused(line):
    with pytest.raises(DataError):
        Record.from_json(line)


def test_append_and_read_last_line_wins_in_order(tmp_path):
    manifest = Manifest(tmp_path)
    assert manifest.read() == {}
    assert not manifest.exists()
    for path, seed in (("a.png", 1), ("b.png", 2), ("a.png", 3)):
        manifest.append(record(path, seed=seed))
    read = Manifest(tmp_path).read()
    assert manifest.exists()
    assert list(read) == ["b.png", "a.png"]
    assert [item.seed for item in read.values()] == [2, 3]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_ignored_and_mended_by_the_next_append(tmp_path, cut):
    manifest = Manifest(tmp_path)
    manifest.append(record("a.png"))
    manifest.append(record("é.png"))
    data = (tmp_path / FILE_NAME).read_bytes()
    (tmp_path / FILE_NAME).write_bytes(data[:-cut])
    torn = cut > 1  # one byte less is only the end of the line
    assert list(Manifest(tmp_path).read()) == (["a.png"] if torn else ["a.png", "é.png"])
    Manifest(tmp_path).append(record("c.png"))
    assert list(Manifest(tmp_path).read()) == (["a.png", "c.png"] if torn else ["a.png", "é.png", "c.png"])


def test_a_torn_line_longer_than_a_block_and_a_torn_first_line(tmp_path):
    for before in (b"", record("a.png").to_json().encode() + b"\n"):
        (tmp_path / FILE_NAME).write_bytes(before + b'{"path": "' + b"x" * 200_000)
        Manifest(tmp_path).append(record("c.png"))
        assert list(Manifest(tmp_path).read()) == (["a.png", "c.png"] if before else ["c.png"])


def test_a_damaged_line_in_the_middle_is_named(tmp_path):
    Manifest(tmp_path).append(record("a.png"))
    with (tmp_path / FILE_NAME).open("a") as stream:
        stream.write("{garbage\n" + record("b.png").to_json() + "\n")
    with pytest.raises(DataError) as caught:
        Manifest(tmp_path).read()
    assert caught.value.file == f"{tmp_path / FILE_NAME}, line 2"


def test_threads_append_whole_lines(tmp_path):
    manifest = Manifest(tmp_path)

    def work(worker: int) -> None:
        for number in range(50):
            manifest.append(record(f"{worker}/{number}.png", notes=("x" * 500,)))

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Manifest(tmp_path).read()) == 400


def test_a_full_disk_is_a_resource_error(tmp_path, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(ResourceError):
        Manifest(tmp_path).append(record())


def test_a_missing_folder_is_a_data_error(tmp_path):
    with pytest.raises(DataError):
        Manifest(tmp_path / "missing").append(record())


def test_locators_are_relative_and_survive_a_move(tmp_path):
    images, degraded = tmp_path / "one" / "imgs", tmp_path / "one" / "degraded"
    images.mkdir(parents=True)
    degraded.mkdir()
    write_image(images / "é.png", ImageData(np.full((1, 2, 3), 0.2, np.float32)))
    locator = make_locator(images / "é.png", degraded)
    assert locator == "../imgs/é.png"
    assert locate(locator, degraded) == images / "é.png"
    shutil.move(tmp_path / "one", tmp_path / "two")
    assert open_locator(locator, tmp_path / "two" / "degraded").size == (2, 3)
    assert Manifest(tmp_path / "two" / "degraded").locate(locator) == tmp_path / "two" / "imgs" / "é.png"


def test_locators_through_links_point_to_the_same_file(tmp_path):
    (tmp_path / "real" / "deep").mkdir(parents=True)
    (tmp_path / "imgs").mkdir()
    write_image(tmp_path / "imgs" / "x.png", ImageData(np.zeros((1, 2, 3), np.float32)))
    (tmp_path / "link").symlink_to(tmp_path / "real" / "deep")
    locator = make_locator(tmp_path / "imgs" / "x.png", tmp_path / "link")
    assert open_locator(locator, tmp_path / "link").size == (2, 3)


def test_locators_without_a_common_folder_are_absolute(tmp_path):
    assert make_locator("/elsewhere/x.png", tmp_path) == "/elsewhere/x.png"
    assert locate("/elsewhere/x.png", tmp_path) == Path("/elsewhere/x.png")


def test_locators_of_samples(tmp_path):
    sample = find_sample("camera")
    assert make_locator(sample, tmp_path) == "sample:photographs/camera"
    assert isinstance(locate("sample:photographs/camera", tmp_path), Sample)
    assert open_locator("sample:photographs/camera", tmp_path).size == (512, 512)
    with pytest.raises(DataError, match="no such sample"):
        open_locator("sample:photographs/nobody", tmp_path)


def test_a_file_whose_name_looks_like_a_sample_is_a_file(tmp_path):
    write_image(tmp_path / "sample:x.png", ImageData(np.zeros((1, 2, 3), np.float32)))
    locator = make_locator(tmp_path / "sample:x.png", tmp_path)
    assert open_locator(locator, tmp_path).size == (2, 3)
