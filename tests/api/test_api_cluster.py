"""Folders worked on by a real Ray cluster of this machine: equal to one process, whoever dies."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.errors import ImageError
from restorecli.folders.cluster import Cluster
from restorecli.folders.clustered import RESCUED
from restorecli.folders.workers import ATTEMPTS, DeadlyFileError
from restorecli.images.atomic import PREFIX

pytest.importorskip("ray")

# Ray leaves sockets and processes to its own end of the program.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.filterwarnings("ignore")]

METHOD = '''
import os
import time
from pathlib import Path

import numpy as np

from restorecli.restoration.methods.base import Method


class Slow(Method):
    """Half the light, in half a second; it tells what it does, and dies of some images."""

    summary = "half the light"
    reference = "none"

    def restore(self, pixels, context):
        def say(word):
            with Path("said.txt").open("a") as said:
                said.write(f"{word} {context.file.stem} {os.getpid()}\\n")

        say("begin")
        time.sleep(0.5)
        if context.file.stem.startswith("poison"):
            os._exit(7)
        say("end")
        return pixels * np.float32(0.5)
'''


@pytest.fixture(scope="module")
def cluster():
    """A connection that every run of this module uses; `Cluster` starts it as for a user."""
    with pytest.MonkeyPatch.context() as patch, Cluster("auto", 2) as started:
        patch.delenv("RAY_ADDRESS", raising=False)
        assert [answer.outcome for answer in started.run(lambda: abs, [-1, 2])] == [1, 2]
        yield started


@pytest.fixture
def photos(tmp_path, monkeypatch):
    """A current folder with six images in `photos`, and a module with a method."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("RESTORECLI_PLUGINS", "1")
    (tmp_path / "slowly.py").write_text(METHOD)
    rng = np.random.default_rng(3)
    for name in ("a", "b", "c", "sub/d", "sub/e", "f"):
        path = tmp_path / "photos" / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (40, 56, 3), dtype=np.uint8)).save(path)
    return tmp_path / "photos"


class KillOne:
    """Kills the worker of an image that was begun, once the first one is done."""

    killed: int | None = None

    def start(self, total, what):
        pass

    def advance(self, done, failure=None):
        deadline = time.monotonic() + 60
        while self.killed is None and time.monotonic() < deadline:
            lines = [line.split() for line in Path("said.txt").read_text().splitlines()]
            over = {name for word, name, _ in lines if word == "end"}
            pids = [int(pid) for word, name, pid in lines if word == "begin" and name not in over]
            if pids:
                self.killed = pids[-1]
                os.kill(self.killed, signal.SIGKILL)

    def within(self, done, total):
        pass

    def finish(self):
        pass


def tree(folder: Path) -> dict[str, bytes | list[bytes]]:
    """Return all files; the manifest's lines sorted, since images may be finished in any order."""
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
    return {
        name: sorted(content.splitlines()) if name.endswith("manifest.jsonl") else content
        for name, content in files.items()
    }


def lines_of(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_a_worker_is_killed_and_nothing_is_lost_or_done_twice(cluster, photos) -> None:
    alone = restorecli.restore(photos, "alone", model="slowly:Slow")
    assert alone.written == 6
    Path("said.txt").unlink()
    killer = KillOne()
    done = restorecli.restore(
        photos, "together", model="slowly:Slow", cluster="auto", workers=2, progress=killer
    )
    assert killer.killed is not None
    assert (done.written, done.failures) == (6, ())
    assert [note.text for note in done.notes if note.images == 1] == [RESCUED]
    said = [line.split()[:2] for line in Path("said.txt").read_text().splitlines()]
    assert sorted(name for word, name in said if word == "end") == ["a", "b", "c", "d", "e", "f"]
    assert sum(word == "begin" for word, _ in said) == 7
    assert tree(Path("together")) == tree(Path("alone"))  # the manifest too, and no leftovers
    again = restorecli.restore(photos, "together", model="slowly:Slow", cluster="auto", workers=2)
    assert (again.written, again.skipped) == (0, 6)


def test_degrade_and_eval_give_the_same_to_the_last_digit(cluster, photos) -> None:
    chain = [{"name": "gaussian", "sigma": "5..50"}, "scratches"]
    (photos / "damaged.png").write_bytes(b"no image")
    alone = restorecli.degrade(photos, "alone", noise=chain, seed=4)
    done = restorecli.degrade(photos, "together", noise=chain, seed=4, cluster="auto", workers=2)
    assert (done.written, len(done.failures)) == (6, 1)
    assert done.failures[0].to_dict() == alone.failures[0].to_dict()
    assert tree(Path("together")) == tree(Path("alone"))
    metrics = ["psnr", "ssim", "gmsd", "noise-level"]
    one = restorecli.evaluate("alone", metrics=metrics)
    many = restorecli.evaluate("alone", metrics=metrics, cluster="auto", workers=2)
    assert many.to_dict() == one.to_dict()


def test_trained_networks_and_auto_give_the_same_images_and_findings(cluster, photos) -> None:
    restorecli.degrade(photos, "noisy", noise=[{"name": "gaussian", "sigma": 25}])
    alone = restorecli.restore("noisy", "alone", model="auto")
    done = restorecli.restore("noisy", "together", model="auto", cluster="auto", workers=1)
    assert done.kinds == alone.kinds
    assert done.kinds
    assert tree(Path("together")) == tree(Path("alone"))


def test_a_file_that_kills_is_told_from_a_worker_that_dies(cluster, tmp_path) -> None:
    said = tmp_path / "said.txt"

    def make():
        def say(*words):
            with said.open("a") as stream:
                stream.write(" ".join(map(str, words)) + "\n")

        def work(number):
            say("begin", number)
            if number == 2:
                os._exit(3)
            if number == 4 and said.read_text().count("begin 4") == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            if number == 5:
                raise ImageError("damaged")
            say("end", number)
            return number * number

        say("made", os.getpid())
        return work

    answers = list(cluster.run(make, range(8), output=tmp_path))
    assert [answer.item for answer in answers] == list(range(8))
    assert {answer.item: answer.deaths for answer in answers if answer.deaths} == {2: ATTEMPTS, 4: 1}
    outcomes = [answer.outcome for answer in answers]
    assert [*outcomes[:2], *outcomes[3:5], *outcomes[6:]] == [0, 1, 9, 16, 36, 49]
    assert isinstance(outcomes[2], DeadlyFileError)
    assert isinstance(outcomes[5], ImageError)
    assert outcomes[5].problem == "damaged"
    lines = said.read_text().splitlines()
    assert lines.count("begin 2") == ATTEMPTS
    assert lines.count("begin 5") == 1  # an error of the file is never tried again
    assert all(lines.count(f"end {number}") == 1 for number in (0, 1, 3, 4, 6, 7))
    made = [line for line in lines if line.startswith("made")]
    assert len(set(made)) == len(made) <= 2 + ATTEMPTS + 1  # once in every worker
    assert not list(tmp_path.glob(f"{PREFIX}*"))


def test_a_defect_ends_the_run_and_what_is_done_is_rescued(cluster) -> None:
    def make():
        def work(number):
            if number == 1:
                time.sleep(1)
                raise ZeroDivisionError("a defect")
            return number

        return work

    rescued = []
    answers = cluster.run(make, range(3), rescue=rescued.append)
    assert next(answers).item == 0
    with pytest.raises(ZeroDivisionError, match="a defect"):
        next(answers)
    assert [answer.item for answer in rescued] == [2]


def test_workers_that_cannot_start_end_the_run(cluster, tmp_path) -> None:
    def make():
        raise ImageError("no weights here")

    with pytest.raises(ImageError, match="no weights here"):
        list(cluster.run(make, [1]))

    def dies():
        os._exit(1)

    with pytest.raises(restorecli.errors.ResourceError, match="before their first file"):
        list(cluster.run(dies, [1]))


def test_the_command_line_says_one_json_object_and_names_the_poison(photos) -> None:
    Image.new("RGB", (20, 20), (9, 9, 9)).save(photos / "poison.png")
    words = [
        "--plugins",
        "restore",
        "photos",
        "--model",
        "slowly:Slow",
        "--cluster",
        "auto",
        "--workers",
        "2",
    ]
    environment = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    done = subprocess.run(
        [sys.executable, "-m", "restorecli", *words, "--json"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert found["data"]["written"] == 6
    assert [failure["path"] for failure in found["data"]["failures"]] == ["poison.png"]
    assert found["errors"][0]["problem"] == "Every worker that took this file died."
    assert "raylet" not in done.stderr
    assert len(lines_of(Path("restored"))) == 6
