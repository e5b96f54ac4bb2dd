"""Packed sequences: what was put in comes out, in little memory."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest

from restorecli.folders.packed import Packed
from restorecli.folders.record import Record

RECORDS = [Record(f"a/{n:05}.png", "degrade", "a", f"../a/{n:05}.png", "x", "1", seed=n) for n in range(300)]


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 300])
def test_members_come_out_as_they_went_in(count):
    packed = Packed(RECORDS[:count])
    assert len(packed) == count
    assert list(packed) == RECORDS[:count]
    assert [packed[place] for place in range(count)] == RECORDS[:count]
    assert packed[1:-1:7] == RECORDS[:count][1:-1:7]
    assert packed == Packed(RECORDS[:count])
    assert packed == tuple(RECORDS[:count])
    assert packed != Packed([*RECORDS[:count], RECORDS[0]])
    assert pickle.loads(pickle.dumps(packed)) == packed


def test_places_beyond_the_ends_are_refused():
    packed = Packed(RECORDS[:70])
    assert packed[-70] == RECORDS[0]
    for place in (70, -71):
        with pytest.raises(IndexError):
            packed[place]


def test_it_can_be_appended_to_while_it_is_read():
    packed: Packed[int] = Packed()
    for number in range(200):
        packed.append(number)
        assert packed[number // 2] == number // 2
    assert list(packed) == list(range(200))


def test_long_sequences_lie_in_a_file_and_are_the_same():
    count = 40 * 64 + 3
    packed: Packed[int] = Packed(range(count))
    assert list(packed) == list(range(count))
    assert [packed[place] for place in range(0, count, 501)] == list(range(0, count, 501))
    again = pickle.loads(pickle.dumps(packed))
    assert again == packed
    packed.append(-1)
    assert (len(packed), packed[-1], len(again)) == (count + 1, -1, count)


def test_it_is_read_by_several_threads_at_once():
    packed: Packed[int] = Packed(range(60 * 64))
    with ThreadPoolExecutor(4) as pool:
        read = pool.map(lambda _: list(packed), range(8))
        assert all(one == list(range(60 * 64)) for one in read)


def test_records_take_a_tenth_of_what_they_are_as_objects():
    many = [
        Record(f"a/{n:05}.png", "degrade", "a", f"../a/{n:05}.png", "x", "1", seed=n) for n in range(6400)
    ]
    assert len(pickle.dumps(Packed(many))) / len(many) < 60
