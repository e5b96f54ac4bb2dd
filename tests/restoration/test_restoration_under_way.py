"""Several images under way at once, and several in one batch: shown on a CPU by a device that is late."""

from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from restorecli.core.torch_restorer import TorchRestorer
from restorecli.core.transfer import Transfer
from restorecli.core.zoo import load
from restorecli.errors import ResourceError
from restorecli.folders import jobs
from restorecli.folders.run import run_folder
from restorecli.images.image import FileTraits, ImageData
from restorecli.images.writing import write_image
from restorecli.restoration import job, launching
from restorecli.restoration.context import Context
from restorecli.restoration.files import FileRestorer
from restorecli.restoration.folder import plan_tasks, restore_folder
from restorecli.restoration.image import ImageRestorer
from restorecli.restoration.job import RestoreRoom
from restorecli.restoration.known import Known

SIZES = [(20, 24), (20, 24), (20, 24), (31, 17), (20, 24), (20, 24)]


class Late(Transfer):
    """A device whose results are not there before somebody has waited for them, as on CUDA."""

    ahead = 2

    def __init__(self, together=1):
        self.together = together
        self.log = []
        self._fetched = []
        self._marks = 0

    def send(self, images):
        self.log.append(f"send {len(images)}")
        return super().send(images)

    def fetch(self, values, into=None):
        target = torch.full(values.shape, -7).to(values.dtype) if into is None else into
        self._fetched.append((values.clone(), target))
        return target

    def mark(self):
        copies = list(self._fetched)
        number, self._marks = self._marks, self._marks + 1

        def wait():
            self.log.append(f"wait {number}")
            with torch.inference_mode():
                for values, target in copies:
                    target.copy_(values)

        return wait


@pytest.fixture
def source(tmp_path):
    """Six images, of 8 and 16 bits, one with alpha."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "source"
    folder.mkdir()
    for number, size in enumerate(SIZES):
        alpha = (rng.integers(0, 2, size) * 255).astype(np.uint8) if number == 3 else None
        traits = FileTraits(depth=16 if number == 4 else 8, alpha=alpha)
        write_image(folder / f"{number}.png", ImageData(rng.random((3, *size), np.float32), traits))
    return folder


def run(source, output, image_restorer, workers=4):
    tasks, sources = plan_tasks(source, output)
    room = RestoreRoom(output, FileRestorer(image_restorer, Known(), sources), workers)
    return run_folder(room, tasks, output)


def results(folder):
    return {file.name: file.read_bytes() for file in Path(folder).glob("*.png")}


@pytest.fixture
def _all_read(monkeypatch):
    """Let every image count as read before it is taken."""
    monkeypatch.setattr(jobs.Ahead, "is_ready", lambda self: bool(self))
    monkeypatch.setattr(jobs.Ahead, "ready", lambda self: (future.result() for _, future in self._pending))


@pytest.mark.usefixtures("_all_read")
def test_the_next_images_are_sent_before_the_first_is_waited_for(source, tmp_path, convolutions):
    late = Late()
    run(source, tmp_path / "out", ImageRestorer(convolutions(), transfer_to=lambda _: late))
    assert late.log == [
        *("send 1", "send 1", "send 1", "wait 0", "send 1", "wait 1", "send 1", "wait 2", "send 1"),
        *("wait 3", "wait 4", "wait 5"),
    ]


def test_while_no_further_image_is_read_the_first_is_finished(source, tmp_path, convolutions, monkeypatch):
    monkeypatch.setattr(jobs.Ahead, "is_ready", lambda _: False)
    late = Late()
    run(source, tmp_path / "out", ImageRestorer(convolutions(), transfer_to=lambda _: late))
    assert late.log == [step for number in range(6) for step in ("send 1", f"wait {number}")]


def test_the_device_need_not_hold_all_rows_of_a_large_image(convolutions):
    late = Late()
    pixels = np.random.default_rng(4).random((3, 90, 20), np.float32)
    restored, use = ImageRestorer(convolutions(), tile=26, transfer_to=lambda _: late).restore(pixels)
    assert late.log == [
        *("send 1", "send 1", "send 1", "wait 0", "send 1", "wait 1", "send 1", "wait 2", "wait 5"),
    ]
    assert use.tile == 26
    expected, _ = ImageRestorer(convolutions(), tile=26).restore(pixels)
    np.testing.assert_array_equal(restored, expected)


@pytest.mark.parametrize("tile", ["auto", 12])
@pytest.mark.parametrize("options", [{}, {"strength": 0.6}, {"keep_defects": True}])
def test_images_that_come_late_are_the_same(source, tmp_path, convolutions, tile, options):
    restore_folder(source, tmp_path / "plain", convolutions(), tile=tile, **options)
    late = ImageRestorer(convolutions(), tile=tile, transfer_to=lambda _: Late(), **options)
    assert run(source, tmp_path / "late", late).written == 6
    assert results(tmp_path / "late") == results(tmp_path / "plain")


def test_images_under_way_never_keep_the_memory_that_others_wait_for(
    source, tmp_path, convolutions, monkeypatch
):
    """Room for one image: whoever waited for the second before finishing the first would wait for ever."""
    monkeypatch.setattr(job, "available_memory", lambda: 4)
    late = Late(together=4)
    summary = run(source, tmp_path / "out", ImageRestorer(convolutions(), transfer_to=lambda _: late))
    assert summary.written == 6


@pytest.mark.usefixtures("_all_read")
def test_images_of_one_size_are_one_batch(source, tmp_path, convolutions):
    """The fourth has another size; batches are of 1, 2, 4 ... images, so that few shapes come often."""
    late = Late(together=4)
    run(source, tmp_path / "out", ImageRestorer(convolutions(), transfer_to=lambda _: late))
    assert [step for step in late.log if step.startswith("send")] == ["send 2", "send 1", "send 1", "send 2"]
    restore_folder(source, tmp_path / "plain", convolutions())
    assert results(tmp_path / "out") == results(tmp_path / "plain")


@pytest.mark.usefixtures("_all_read")
def test_batches_are_forced_on_a_cpu_and_off_there_by_default(source, tmp_path, convolutions):
    shapes = []
    restorer = convolutions()
    inner = restorer.compute
    restorer.compute = lambda batch: shapes.append(len(batch)) or inner(batch)
    run(source, tmp_path / "one", ImageRestorer(restorer))
    run(source, tmp_path / "two", ImageRestorer(restorer, batch=2))
    assert shapes == [1] * 6 + [2, 1, 1, 2]
    assert results(tmp_path / "two") == results(tmp_path / "one")


def test_tiles_of_a_row_are_one_batch_and_change_nothing(convolutions):
    shapes = []
    restorer = convolutions()
    inner = restorer.compute
    restorer.compute = lambda batch: shapes.append(tuple(batch.shape)) or inner(batch)
    pixels = np.random.default_rng(1).random((3, 50, 90), np.float32)
    alone, use = ImageRestorer(restorer, tile=24).restore(pixels)
    tiles, shapes[:] = len(shapes), []
    together, same_use = ImageRestorer(restorer, tile=24, batch=3).restore(pixels)
    assert max(n for n, *_ in shapes) == 3
    assert sum(n for n, *_ in shapes) == tiles
    assert same_use == use
    np.testing.assert_allclose(together, alone, atol=1e-6)


class Fragile(nn.Module):
    """Inverts; a bright image makes it divide by zero, and several need more memory than there is."""

    scale = multiple = 1
    channels = 3
    receptive_field = 1
    at_once = 100

    def forward(self, x):
        if len(x) > self.at_once:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        bright = x.mean((1, 2, 3), keepdim=True) > 0.9
        return torch.where(bright, torch.nan, 1 - x)


def fragile(**attributes):
    module = Fragile()
    vars(module).update(attributes)
    return TorchRestorer(module, name="fragile", device=torch.device("cpu"))


@pytest.mark.usefixtures("_all_read")
def test_an_image_that_fails_in_a_batch_fails_alone(tmp_path):
    (tmp_path / "source").mkdir()
    for number, level in enumerate((10, 250, 30, 40)):
        Image.new("RGB", (8, 6), (level, level, level)).save(tmp_path / "source" / f"{number}.png")
    late = Late(together=4)
    summary = run(tmp_path / "source", tmp_path / "out", ImageRestorer(fragile(), transfer_to=lambda _: late))
    assert late.log[0] == "send 4"
    assert [failure.path for failure in summary.failures] == ["1.png"]
    assert summary.written == 3
    assert Image.open(tmp_path / "out" / "2.png").getpixel((0, 0)) == (225, 225, 225)


def test_a_batch_that_does_not_fit_is_halved_before_any_tile_is(tmp_path):
    images = [ImageData(np.full((3, 40, 40), level, np.float32)) for level in (0.1, 0.2, 0.3, 0.4, 0.5)]
    restorer = ImageRestorer(fragile(at_once=2), batch=5)
    begun = restorer.begin([(restorer.prepare(image), None) for image in images])
    for image, wait in zip(images, begun, strict=True):
        restored, use = wait()
        np.testing.assert_allclose(restored.pixels, 1 - image.pixels, atol=1e-6)
        assert use.tile is None


def test_images_told_of_different_noise_are_no_batch():
    class Told(Fragile):
        takes_sigma = True
        receptive_field_told = 1
        seen = ()

        def forward(self, x, sigma):
            self.seen = (*self.seen, sigma.tolist())
            return x * sigma[:, None, None, None] / 100

    module = Told()
    told = TorchRestorer(module, name="told", device=torch.device("cpu"))
    restorer = ImageRestorer(told, tile="none", batch=4)
    image = ImageData(np.full((3, 8, 8), 0.5, np.float32))
    for levels in ((10.0, 10.0), (10.0, 20.0)):
        begun = restorer.begin([(restorer.prepare(image), Context(sigma=level)) for level in levels])
        for level, wait in zip(levels, begun, strict=True):
            np.testing.assert_allclose(wait()[0].pixels, 0.005 * level, atol=1e-6)
    assert module.seen == ([10.0, 10.0], [10.0], [20.0])


def test_a_device_that_fails_while_it_is_waited_for_is_told_in_words(convolutions):
    class Failing(Late):
        def mark(self):
            def wait():
                raise RuntimeError("CUDA error: an illegal memory access was encountered")

            return wait

    restorer = ImageRestorer(convolutions(), transfer_to=lambda _: Failing())
    with pytest.raises(ResourceError, match="device failed"):
        restorer(ImageData(np.zeros((3, 8, 8), np.float32)))


def test_no_room_on_the_device_for_an_image_is_met_by_waiting_for_those_under_way(convolutions):
    class Full(Late):
        full = True

        def send(self, images):
            if self.full:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().send(images)

        def settle(self):
            self.log.append("settle")

    full = Full()
    pixels = np.random.default_rng(2).random((3, 30, 30), np.float32)
    expected, _ = ImageRestorer(convolutions()).restore(pixels)
    restored, _ = ImageRestorer(convolutions(), transfer_to=lambda _: full).restore(pixels)
    np.testing.assert_array_equal(restored, expected)
    assert full.log == ["settle"]


def test_cudnn_tries_its_algorithms_on_shapes_that_come_often(convolutions, monkeypatch):
    seen = []

    @contextmanager
    def told(device, *, wanted):
        seen.append(wanted)
        yield

    monkeypatch.setattr(launching, "tuned", told)
    restorer = ImageRestorer(convolutions())
    for side in (8, *[9] * 17, 8):
        restorer.restore(np.zeros((3, side, 8), np.float32))
    assert seen == [False] * 16 + [True, True, False]


WAITING = {f"aten::{name}" for name in ("_local_scalar_dense", "item", "is_nonzero", "equal", "nonzero")}


class Waits(TorchDispatchMode):
    """Counts what makes the host wait for a value of the device."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.overloadpacket._qualified_op_name
        self.count += name in WAITING
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("tile", ["auto", 12])
def test_the_host_asks_the_device_once_for_each_image_and_never_for_a_tile(
    source, tmp_path, convolutions, tile
):
    restorer = convolutions()
    restorer.footprint(3)  # measured once on a machine
    with Waits() as waits:
        summary = restore_folder(source, tmp_path / "out", restorer, tile=tile)
    assert summary.written == 6
    assert waits.count == 6


@pytest.mark.gpu
@pytest.mark.parametrize("tile", ["auto", 64])
def test_on_cuda_a_folder_is_what_it_is_on_a_cpu(tmp_path, tile):
    """Ten small images in batches and two large ones in tiles; rounding may change one level."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    rng = np.random.default_rng(3)
    (tmp_path / "source").mkdir()
    for number, size in enumerate([(60, 50)] * 10 + [(200, 300)] * 2):
        Image.fromarray(rng.integers(0, 256, (*size, 3), np.uint8)).save(
            tmp_path / "source" / f"{number}.png"
        )
    for device in ("cpu", "cuda"):
        network = load("dncnn", device=device, precision="fp32")
        assert restore_folder(tmp_path / "source", tmp_path / device, network, tile=tile).written == 12
    for file in (tmp_path / "cpu").glob("*.png"):
        one, other = (np.asarray(Image.open(tmp_path / name / file.name), int) for name in ("cpu", "cuda"))
        assert abs(one - other).max() <= 1
