"""Memory that runs out: simulated by restorers that refuse large tiles."""

import pytest
import torch

from restorecli.core.restorer import RestorerSpec
from restorecli.errors import ResourceError
from restorecli.restoration.backoff import BackingOff, is_device_fault, is_out_of_memory
from restorecli.restoration.restorer import Restorer
from restorecli.restoration.tiling import restore_tiled

IMAGE = torch.rand(3, 200, 300, generator=torch.Generator().manual_seed(0))


def limited(restorer_of, inner, side, error=None):
    """A restorer that has no memory for tiles with a side above `side`."""

    def restore(batch):
        if max(batch.shape[-2:]) > side:
            raise error or torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return inner(batch)

    return restorer_of(restore, receptive_field=7)


def test_a_whole_image_that_does_not_fit_is_restored_in_tiles_with_the_same_result(restorer_of, convolutions):
    inner = convolutions()
    restorer = BackingOff(limited(restorer_of, inner, 100))
    restored = restore_tiled(restorer, IMAGE, tile=None)
    torch.testing.assert_close(restored, inner(IMAGE[None])[0], atol=1e-5, rtol=0)
    assert restorer.failures == 2
    assert 50 <= restorer.largest <= 100


def test_the_size_that_fitted_is_remembered(restorer_of, convolutions):
    restorer = BackingOff(limited(restorer_of, convolutions(), 100))
    restore_tiled(restorer, IMAGE, tile=None)
    before = restorer.failures
    restore_tiled(restorer, IMAGE, tile=None)
    assert restorer.failures == before


def test_only_the_tile_that_failed_is_computed_again(restorer_of, convolutions):
    """Memory runs out at the third tile (somebody else takes it): the first two are not redone."""
    inner = convolutions()

    def restore(batch):
        if len(fake.shapes) > 2 and max(batch.shape[-2:]) > 60:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return inner(batch)

    fake = restorer_of(restore, receptive_field=7)
    restorer = BackingOff(fake)
    restored = restore_tiled(restorer, IMAGE, tile=106, overlap=6)
    torch.testing.assert_close(restored, inner(IMAGE[None])[0], atol=1e-5, rtol=0)
    large = [shape for shape in fake.shapes if max(shape[-2:]) > 60]
    assert len(large) == 3
    assert restorer.failures == 1


def test_a_tile_that_was_asked_for_is_never_made_smaller(restorer_of, convolutions):
    fake = limited(restorer_of, convolutions(), 100)
    with pytest.raises(ResourceError) as caught:
        restore_tiled(BackingOff(fake, patient=False), IMAGE, tile=150, overlap=6)
    assert len(fake.shapes) == 1
    assert "--tile" in caught.value.hint


def test_when_nothing_fits_it_says_so_instead_of_going_on_for_ever(restorer_of, convolutions):
    fake = limited(restorer_of, convolutions(), 0)
    with pytest.raises(ResourceError, match="Memory ran out"):
        restore_tiled(BackingOff(fake), IMAGE, tile=None)
    assert len(fake.shapes) < 10


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError(
            "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
        ),
        RuntimeError("MPS backend out of memory (MPS allocated: 5 GB)"),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        MemoryError(),
    ],
)
def test_every_kind_of_lack_of_memory_is_met(restorer_of, convolutions, error):
    assert is_out_of_memory(error)
    restorer = BackingOff(limited(restorer_of, convolutions(), 100, error))
    assert restore_tiled(restorer, IMAGE, tile=None).shape == IMAGE.shape


@pytest.mark.parametrize(
    "message",
    [
        "CUDA error: an illegal memory access was encountered",
        "CUDA error: device-side assert triggered",
        "cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "CUDA error: unspecified launch failure",
    ],
)
def test_a_failed_device_is_not_tried_again(restorer_of, convolutions, message):
    error = RuntimeError(message)
    assert is_device_fault(error)
    assert not is_out_of_memory(error)
    fake = limited(restorer_of, convolutions(), 100, error)
    with pytest.raises(ResourceError, match="device failed"):
        restore_tiled(BackingOff(fake), IMAGE, tile=None)
    assert len(fake.shapes) == 1


def test_a_defect_stays_a_defect(restorer_of, convolutions):
    fake = limited(restorer_of, convolutions(), 100, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        restore_tiled(BackingOff(fake), IMAGE, tile=None)
    assert len(fake.shapes) == 1


def test_rows_that_are_written_at_once_are_checked_tile_by_tile():
    """An image joined in memory is asked once; what goes to the disk by rows cannot be undone."""

    class Fragile(Restorer):
        spec = RestorerSpec("fragile", 3, receptive_field=1)

        def unchecked(self, batch):
            return batch * torch.nan

        def __call__(self, batch):
            return batch

    batch = torch.rand(1, 3, 4, 4)
    assert torch.equal(BackingOff(Fragile(), careful=True)(batch), batch)
    assert torch.isnan(BackingOff(Fragile())(batch)).all()
