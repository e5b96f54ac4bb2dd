"""What is refused before any cluster is reached; tests/api/test_api_cluster.py has a real one."""

import importlib.util
import os

import pytest

import restorecli
from restorecli.api.restoration import RestoreOptions, check_restore_tiles, plan_restore
from restorecli.errors import DataError, UsageError
from restorecli.folders.cluster import Cluster, refuse_addresses
from restorecli.images.atomic import PREFIX, atomic_write, write_for
from restorecli.images.budget import available_memory, share_memory
from restorecli.restoration.choice import choose_restorer
from restorecli.restoration.folder import restore_folder


@pytest.fixture
def with_ray(monkeypatch):
    """As where ray is installed; nothing of it is used."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: object() if name == "ray" else found(name, *more)
    )


@pytest.mark.parametrize(
    "address", ["auto", "127.0.0.1:6379", "head.example.org:6379", "ray://10.0.0.1:10001"]
)
def test_addresses_that_are_understood(with_ray, address) -> None:
    Cluster(address, 3)


@pytest.mark.parametrize("address", ["", "Auto", "127.0.0.1", "ray://host", "http://host:80", "host:80/x"])
def test_other_addresses_are_refused(with_ray, address) -> None:
    with pytest.raises(UsageError, match="address of the cluster"):
        Cluster(address)


def test_the_number_of_workers_is_checked(with_ray) -> None:
    with pytest.raises(UsageError, match="workers"):
        Cluster("auto", 0)


def test_without_ray_the_extra_is_named(monkeypatch, images) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *more: None if name == "ray" else found(name)
    )
    with pytest.raises(UsageError) as refused:
        restorecli.restore("photos", "out", model="median", cluster="auto")
    assert refused.value.hint == "pip install 'restorecli[cluster]'"
    assert not (images / "out").exists()


def test_nothing_to_do_reaches_no_cluster(with_ray) -> None:
    with Cluster("127.0.0.1:1") as cluster:
        assert list(cluster.run(lambda: print, [])) == []


def test_no_address_is_no_cluster() -> None:
    with Cluster.if_asked(None, 2) as cluster:
        assert cluster is None


def test_addresses_of_stores_are_refused(with_ray, tmp_path) -> None:
    refuse_addresses(None, tmp_path, "photos")
    with pytest.raises(UsageError, match="remote stores") as refused:
        refuse_addresses("photos", "s3://bucket/photos")
    assert refused.value.got == "s3://bucket/photos"
    for work in (
        lambda: restorecli.restore("s3://a/b", "out", model="median", cluster="auto"),
        lambda: restorecli.degrade("photos", "s3://a/b", noise=["gaussian"], cluster="auto"),
        lambda: restorecli.evaluate("photos", "photos", against={"x": "s3://a/b"}, cluster="auto"),
    ):
        with pytest.raises(UsageError, match="remote stores"):
            work()


@pytest.fixture
def images(tmp_path, monkeypatch):
    """A current folder with one image in `photos`."""
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    Image.new("L", (16, 16), 90).save(tmp_path / "photos" / "a.png")
    return tmp_path


def test_what_has_no_use_for_a_cluster_is_refused_with_the_reason(with_ray, images) -> None:
    asked = RestoreOptions("photos", "out", model="median", cluster="auto")
    for work, why in (
        (lambda: restorecli.restore("photos/a.png", "b.png", model="median", cluster="auto"), "single image"),
        (lambda: restorecli.degrade("photos/a.png", "b.png", noise=["gaussian"], cluster="auto"), "single"),
        (
            lambda: restorecli.restore("photos", "o", model="median", cluster="auto", backend="auto"),
            "measures",
        ),
        (lambda: plan_restore(asked), "dry run"),
        (lambda: check_restore_tiles(asked), "one image"),
        (lambda: restorecli.evaluate(join="parts", cluster="auto"), "scores already"),
    ):
        with pytest.raises(UsageError, match=why) as refused:
            work()
        assert "cluster" in (refused.value.got or "")
    assert not (images / "out").exists()


def test_temporary_files_bear_the_name_of_who_removes_them(tmp_path) -> None:
    with atomic_write(tmp_path / "a.png") as temporary:
        assert temporary.name.startswith(f"{PREFIX}{os.getpid()}-")
    write_for("17-abc")
    try:
        with atomic_write(tmp_path / "a.png") as temporary:
            assert temporary.name.startswith(f"{PREFIX}17-abc-")
    finally:
        write_for("")


def test_several_processes_share_the_memory() -> None:
    whole = available_memory()
    share_memory(2)
    try:
        assert available_memory() < 0.75 * whole
    finally:
        share_memory(1)


@pytest.mark.filterwarnings("ignore")  # of ray, while it is imported
def test_a_cluster_that_is_not_there_is_named() -> None:
    pytest.importorskip("ray")
    with Cluster("127.0.0.1:1") as cluster, pytest.raises(DataError, match="cannot be reached") as refused:
        list(cluster.run(lambda: print, [1]))
    assert "127.0.0.1:1" in (refused.value.got or "")


def test_a_cluster_is_not_left_out_where_its_workers_could_make_no_restorer(with_ray, images) -> None:
    with pytest.raises(UsageError, match="make_restorer"):
        restore_folder(images / "photos", images / "out", choose_restorer("median"), cluster=Cluster("auto"))
    assert not list(images.rglob("out/*.png"))
