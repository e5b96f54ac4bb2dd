"""Folders in a bucket of a real S3 server on this machine, with s3fs as a user has it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import restorecli
from restorecli.errors import DataError

s3fs = pytest.importorskip("s3fs")
moto_server = pytest.importorskip("moto.server")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of botocore and werkzeug
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

SECRET = "a-secret-of-the-user"


@pytest.fixture(scope="module")
def server():
    """The address of the server."""
    running = moto_server.ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """An empty bucket `data`, and s3fs told by the environment where it is."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "an-access-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.chdir(tmp_path)
    s3fs.S3FileSystem.clear_instance_cache()
    system = s3fs.S3FileSystem(use_listings_cache=False)
    system.mkdir("data")
    rng = np.random.default_rng(3)
    for name in ("indoors/0.png", "indoors/1 a+b%20#?.png", "outdoors/2.png"):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8))
        file = Path("photos", name)
        file.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize((72, 64), Image.Resampling.BICUBIC).save(file)
        system.put_file(str(file), f"data/photos/{name}")
    yield system
    system.rm("data", recursive=True)
    s3fs.S3FileSystem.clear_instance_cache()


def images(system, folder: str) -> dict[str, bytes]:
    names = [name for name in system.find(folder) if name.endswith(".png")]
    return {name.removeprefix(f"{folder}/"): system.cat_file(name) for name in names}


def local(folder: str) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*.png")}


def test_the_whole_chain_in_a_bucket(bucket) -> None:
    noise = [{"name": "gaussian", "sigma": 25}]
    restorecli.degrade("photos", "noisy", noise=noise)
    restorecli.restore("noisy", "clean", model="median")
    expected = restorecli.evaluate("clean")
    for again in (False, True):
        degraded = restorecli.degrade("s3://data/photos", "s3://data/noisy", noise=noise)
        restored = restorecli.restore("s3://data/noisy", "s3://data/clean", model="median")
        assert [(done.written, done.skipped) for done in (degraded, restored)] == [
            (0, 3) if again else (3, 0)
        ] * 2
    assert images(bucket, "data/noisy") == local("noisy")
    assert images(bucket, "data/clean") == local("clean")
    found = restorecli.evaluate("s3://data/clean")
    assert [score.final for score in found.images] == [score.final for score in expected.images]
    manifest = bucket.cat_file("data/clean/manifest.jsonl").decode()
    assert len(manifest.splitlines()) == 3
    for text in (manifest, json.dumps(found.to_dict()), json.dumps(restored.to_dict())):
        assert SECRET not in text
        assert "restorecli-remote" not in text


def test_a_source_that_was_replaced_is_made_again(bucket) -> None:
    restorecli.restore("s3://data/photos", "clean", model="median")
    bucket.put_file("photos/outdoors/2.png", "data/photos/indoors/0.png")
    done = restorecli.restore("s3://data/photos", "clean", model="median")
    assert (done.written, done.skipped) == (1, 2)


def test_one_object(bucket) -> None:
    restorecli.restore("s3://data/photos/outdoors/2.png", "s3://data/one/better.jpg", model="median")
    restorecli.restore("photos/outdoors/2.png", "better.jpg", model="median")
    assert bucket.cat_file("data/one/better.jpg") == Path("better.jpg").read_bytes()


@pytest.mark.parametrize("address", ["s3://nosuchbucket/photos", "s3://data/nothing"])
def test_what_is_not_there(bucket, address: str) -> None:
    with pytest.raises(DataError) as caught:
        restorecli.restore(address, "out", model="median")
    assert caught.value.file == address


def test_keys_that_lead_out_of_the_folder_are_failures(bucket, tmp_path: Path) -> None:
    bucket.pipe_file("data/photos/../../evil.png", Path("photos/outdoors/2.png").read_bytes())
    done = restorecli.restore("s3://data/photos", "out", model="median")
    assert done.written == 3
    assert [failure.path for failure in done.failures] == ["s3://data/photos/.."]
    assert not list(tmp_path.rglob("evil.png"))
    assert SECRET not in json.dumps(done.to_dict())
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == SECRET
