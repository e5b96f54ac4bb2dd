"""Philox is that of its authors to the bit, and its numbers follow their laws."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from restorecli.core.ops.philox import Stream, key_of, philox4x32

KNOWN = (
    ((0, 0, 0, 0), (0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((2**32 - 1,) * 4, (2**32 - 1,) * 2, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344),
        (0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
)
"""Counter, key and answer, as published with Random123."""

words = st.integers(0, 2**32 - 1)


def by_python(counter, key, bits, multipliers, weyl):
    """Philox of four words of any width, in Python's whole numbers."""
    mask = (1 << bits) - 1
    a, b, c, d = counter
    low, high = key
    for _ in range(10):
        even, odd = a * multipliers[0], c * multipliers[1]
        a, b, c, d = (odd >> bits) ^ b ^ low, odd & mask, (even >> bits) ^ d ^ high, even & mask
        low, high = (low + weyl[0]) & mask, (high + weyl[1]) & mask
    return a, b, c, d


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers_of_the_authors(counter, key, answer):
    found = philox4x32(tuple(torch.tensor(word) for word in counter), key)
    assert tuple(int(word) for word in found) == answer


@settings(deadline=None)
@given(st.tuples(words, words, words, words), st.tuples(words, words))
def test_any_counter_and_key_give_what_whole_numbers_give(counter, key):
    found = philox4x32(tuple(torch.tensor(word) for word in counter), key)
    judge = by_python(counter, key, 32, (0xD2511F53, 0xCD9E8D57), (0x9E3779B9, 0xBB67AE85))
    assert tuple(int(word) for word in found) == judge


def test_the_judge_is_the_generator_of_numpy_at_64_bits():
    counter, key = (5, 6, 7, 8), (9, 10)
    generator = np.random.Philox(counter=np.array(counter, np.uint64), key=np.array(key, np.uint64))
    found = by_python(
        (6, *counter[1:]),  # NumPy counts up before its first block
        key,
        64,
        (0xD2E7470EE14C6C93, 0xCA5A826395121157),
        (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B),
    )
    assert found == tuple(int(word) for word in generator.random_raw(4))


def stream(count, seed=0, step=0):
    return Stream(key_of(seed, "test"), torch.arange(count), step)


def test_numbers_of_a_sample_do_not_depend_on_its_batch():
    whole = stream(8).normal((3, 5, 7))
    alone = Stream(key_of(0, "test"), torch.tensor([5])).normal((3, 5, 7))
    assert torch.equal(whole[5:6], alone)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 8, 1001])
def test_any_count_is_given(count):
    ours = stream(3)
    assert ours.words(count).shape == ours.uniform((count,)).shape == (3, count)
    assert ours.normal((count,)).shape == ours.uniform_53((count,)).shape == (3, count)


def test_seeds_purposes_samples_steps_and_draws_have_numbers_of_their_own():
    base = stream(2)
    fields = [
        base.words(64),
        base.words(64, draw=1),
        stream(2, seed=1).words(64),
        stream(2, step=1).words(64),
        Stream(key_of(0, "other"), torch.arange(2)).words(64),
        Stream(key_of(0, "test"), torch.arange(2) + 2**32).words(64),
    ]
    rows = torch.cat(fields)
    assert len({tuple(row.tolist()) for row in rows}) == 2 * len(fields)


def test_uniform_numbers_are_uniform_and_inside():
    single, double = stream(64).uniform((4096,)), stream(64).uniform_53((4096,))
    assert single.dtype == torch.float32
    assert double.dtype == torch.float64
    for numbers in (single, double):
        assert float(numbers.min()) > 0
        assert float(numbers.max()) <= 1
        assert stats.kstest(numbers.flatten().numpy(), "uniform").pvalue > 1e-3
    assert float(double.max()) < 1


def test_extreme_words_give_numbers_that_laws_can_take(monkeypatch):
    ours = stream(1)
    for word in (0, 2**32 - 1):
        monkeypatch.setattr(
            Stream, "_quarters", lambda self, count, draw, w=word: (torch.full((1, 1), w),) * 4
        )
        assert torch.isfinite(ours.normal((4,))).all()
        assert torch.isfinite(torch.special.ndtri(ours.uniform_53((2,)))).all()


def test_normal_numbers_are_normal_independent_and_white():
    numbers = stream(256).normal((64, 64))
    flat = numbers.flatten().double().numpy()
    assert stats.kstest(flat, "norm").pvalue > 1e-3
    assert abs(flat.mean()) < 4 / len(flat) ** 0.5
    assert abs(flat.var() - 1) < 4 * (2 / len(flat)) ** 0.5
    assert abs(stats.skew(flat)) < 4 * (6 / len(flat)) ** 0.5
    assert abs(stats.kurtosis(flat)) < 4 * (24 / len(flat)) ** 0.5
    power = torch.fft.fft2(numbers, norm="ortho").abs().square().mean(0)
    assert float((power - 1).abs().max()) < 0.5  # each of 4096 is a mean over 256, of standard deviation 1/16
    halves = numbers.flatten(1)[:, : 64 * 32] * numbers.flatten(1)[:, 64 * 32 :]
    assert abs(float(halves.double().mean())) < 4 / halves.numel() ** 0.5  # cosines and sines of one angle
