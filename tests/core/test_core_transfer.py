"""The way to the device and back: nothing on a CPU; on CUDA two streams, shown here by ones that are not."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from restorecli.core.transfer import CudaTransfer, Transfer, transfer_to

PIXELS = np.random.default_rng(0).random((3, 9, 7), np.float32)


def test_on_a_cpu_nothing_is_copied_and_nothing_waits():
    transfer = transfer_to(torch.device("cpu"))
    assert type(transfer) is Transfer
    assert (transfer.ahead, transfer.together) == (0, 1)
    staged = transfer.stage(PIXELS)
    batch = transfer.send([staged])
    assert batch.shape == (1, 3, 9, 7)
    fetched = transfer.fetch(batch)
    transfer.mark()()
    assert fetched.data_ptr() == PIXELS.ctypes.data


def test_images_are_sent_as_one_batch():
    staged = [Transfer().stage(PIXELS), Transfer().stage(1 - PIXELS)]
    np.testing.assert_array_equal(Transfer().send(staged).numpy(), np.stack([PIXELS, 1 - PIXELS]))


@pytest.fixture
def log(monkeypatch):
    """Streams that only say what is asked of them, on a machine without CUDA."""
    told = []

    class Stream:
        def __init__(self, name):
            self.name = name

        def wait_stream(self, other):
            told.append(f"{self.name} waits for {other.name}")

    class Event:
        def __init__(self, *, blocking):
            assert blocking

        def record(self, stream):
            told.append(f"event on {stream.name}")

        def synchronize(self):
            told.append("host waits")

    @contextmanager
    def active(stream):
        told.append(f"on {stream.name}:")
        yield
        told.append("end")

    names = iter(["sending", "fetching"])
    computing = Stream("computing")
    copy = torch.Tensor.copy_

    def copy_(target, source, *, non_blocking=False):
        assert non_blocking
        told.append(f"copy {tuple(source.shape)}")
        return copy(target, source)

    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(next(names)))
    monkeypatch.setattr(torch.cuda, "Event", Event)
    monkeypatch.setattr(torch.cuda, "stream", active)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: computing)
    monkeypatch.setattr(
        torch.Tensor, "record_stream", lambda self, stream: told.append(f"kept for {stream.name}")
    )
    monkeypatch.setattr(torch.Tensor, "copy_", copy_)
    return told


def test_copies_go_on_their_own_streams_and_only_the_device_waits(log):
    transfer = CudaTransfer(torch.device("cpu"))
    batch = transfer.send([transfer.stage(PIXELS), transfer.stage(1 - PIXELS)])
    assert log == [
        *("on sending:", "copy (3, 9, 7)", "copy (3, 9, 7)", "end"),
        *("computing waits for sending", "kept for computing"),
    ]
    np.testing.assert_array_equal(batch.numpy(), np.stack([PIXELS, 1 - PIXELS]))
    log.clear()
    fetched = transfer.fetch(batch * 2)
    assert log == [
        "fetching waits for computing",
        "on fetching:",
        "copy (2, 3, 9, 7)",
        "end",
        "kept for fetching",
    ]
    np.testing.assert_array_equal(fetched.numpy(), 2 * batch.numpy())
    log.clear()
    wait = transfer.mark()
    assert log == ["event on fetching"]
    wait()
    assert log == ["event on fetching", "host waits"]


def test_rows_of_an_image_are_copied_in_pieces_that_need_no_gathering(log):
    """A slice of rows is in one piece in each channel only: a whole one would be gathered while all wait."""
    transfer = CudaTransfer(torch.device("cpu"))
    batch = transfer.send([transfer.stage(PIXELS)[:, 2:5]])
    assert log[1:4] == ["copy (3, 7)"] * 3
    np.testing.assert_array_equal(batch[0].numpy(), PIXELS[:, 2:5])
    log.clear()
    whole = transfer.empty((1, 3, 9, 7)).zero_()
    transfer.fetch(batch, whole[..., 2:5, :])
    assert log[2:5] == ["copy (3, 7)"] * 3
    np.testing.assert_array_equal(whole[0, :, 2:5].numpy(), PIXELS[:, 2:5])


def test_results_in_channels_last_come_back_in_one_piece(log):
    values = torch.rand(2, 3, 8, 8).contiguous(memory_format=torch.channels_last)
    fetched = CudaTransfer(torch.device("cpu")).fetch(values)
    assert fetched.is_contiguous()
    torch.testing.assert_close(fetched, values, atol=0, rtol=0)
    assert "copy (2, 3, 8, 8)" in log


@pytest.mark.gpu
def test_on_cuda_what_comes_back_is_what_was_sent():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    transfer = transfer_to(torch.device("cuda"))
    assert isinstance(transfer, CudaTransfer)
    staged = [transfer.stage(PIXELS + number) for number in range(4)]
    assert staged[0].is_pinned()
    fetched = [(transfer.fetch(transfer.send([one]) * 2), transfer.mark()) for one in staged]
    for number, (values, wait) in enumerate(fetched):
        wait()
        np.testing.assert_array_equal(values[0].numpy(), (PIXELS + number) * 2)
