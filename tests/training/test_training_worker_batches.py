"""Batches made by processes: the same ones, in order, with what could not be read."""

import pickle
from itertools import islice

import pytest
import torch

from restorecli.core.weights import read_weights
from restorecli.errors import DataError, UsageError
from restorecli.training.batches import BatchMaker
from restorecli.training.check import load_recipe
from restorecli.training.pairs import find_pairs
from restorecli.training.run import train
from restorecli.training.worker_batches import worker_batches

pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


@pytest.fixture
def recipe(write_recipe):
    return load_recipe(write_recipe())


def maker(recipe, workshop):
    return BatchMaker(find_pairs(recipe.data.train, recipe, workshop, print), recipe, channels=1)


@pytest.mark.parametrize("workers", [1, 2])
def test_any_number_of_processes_gives_the_same_batches_in_order(recipe, workshop, workers):
    straight = maker(recipe, workshop)
    made = worker_batches(maker(recipe, workshop), 5, workers=workers)
    for step, batch in enumerate(islice(made, 7), start=5):
        expected = straight.batch(step)
        assert torch.equal(batch.degraded, expected.degraded)
        assert torch.equal(batch.reference, expected.reference)
    made.close()


def test_makers_can_be_sent_to_processes_that_are_not_forked(recipe, workshop):
    first = maker(recipe, workshop)
    again = pickle.loads(pickle.dumps(first))
    assert torch.equal(again.batch(3).degraded, first.batch(3).degraded)


def test_what_a_process_sets_aside_is_told_and_too_much_stops_the_training(recipe, workshop):
    files = sorted((workshop / "images" / "kind").iterdir())
    ours = maker(recipe, workshop)
    files[0].write_bytes(b"")
    made = worker_batches(ours, 0, workers=2)
    assert len(list(islice(made, 6))) == 6
    made.close()
    assert list(ours.quarantine) == [str(files[0])]
    files[1].write_bytes(b"")
    with pytest.raises(DataError, match="Too many training images"):
        list(islice(worker_batches(maker(recipe, workshop), 0, workers=2), 12))


def test_processes_share_the_memory_that_one_may_keep(recipe, workshop):
    ours = maker(recipe, workshop)
    whole = ours._cache._limit
    ours.share_memory(4)
    ours.share_memory(4)
    assert ours._cache._limit == whole // 4


def test_a_training_by_processes_is_the_training_by_a_thread(write_recipe, workshop):
    recipe = write_recipe(budget={"steps": 4})
    runs = [train(recipe, output=workshop / f"run{workers}", workers=workers) for workers in (0, 2)]
    first, second = (read_weights(run.weights)[0] for run in runs)
    assert all(torch.equal(value, second[name]) for name, value in first.items())


def test_a_curriculum_is_not_made_by_processes(write_recipe, workshop):
    recipe = write_recipe(
        data={"train": [{"clean": "images"}], "crop": 16, "batch": 2},
        curriculum={"levels": [[{"name": "gaussian", "sigma": sigma}] for sigma in (5, 40)]},
    )
    with pytest.raises(UsageError, match="curriculum"):
        train(recipe, output=workshop / "run", workers=2)
