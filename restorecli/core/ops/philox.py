"""Random numbers that are a function of a key and a counter alone: the same on every device, in any order.

Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Its integers are equal
to the bit wherever torch runs; logarithms and cosines of them may differ in their last digits.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import torch
from torch import Tensor

_WORD = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10
_TO_UNIT = 2.0**-32
_TO_UNIT_53 = 2.0**-53


def philox4x32(counter: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[int, int]) -> tuple[Tensor, ...]:
    """Return four random words for each counter.

    Products of two words are taken in int64, whose overflow wraps around: their 64 bits are those of the
    unsigned product.

    Args:
        counter: Four int64 tensors that broadcast against each other, each word in [0, 2^32).
        key: Two words.

    Returns:
        Four int64 tensors of the broadcast shape, each word in [0, 2^32).
    """
    first, second, third, fourth = torch.broadcast_tensors(*counter)  # type: ignore[no-untyped-call]
    low, high = key
    for _ in range(_ROUNDS):
        even, odd = first * _MULTIPLIERS[0], third * _MULTIPLIERS[1]
        first, second = (odd >> 32 & _WORD) ^ second ^ low, odd & _WORD
        third, fourth = (even >> 32 & _WORD) ^ fourth ^ high, even & _WORD
        low, high = (low + _WEYL[0]) & _WORD, (high + _WEYL[1]) & _WORD
    return first, second, third, fourth


def key_of(*parts: int | str) -> tuple[int, int]:
    """Return a key for a seed and a purpose: 64 bits of SHA-256 over the parts and their lengths."""
    digest = hashlib.sha256()
    for part in parts:
        text = str(part).encode()
        digest.update(len(text).to_bytes(8, "little") + text)
    start = digest.digest()[:8]
    return int.from_bytes(start[:4], "little"), int.from_bytes(start[4:], "little")


@dataclass(frozen=True, slots=True)
class Stream:
    """The random numbers of one step of a chain, for each of some samples.

    The counter is (place within the sample, step and draw, the sample's number), so that they do not depend
    on which samples share a batch.

    Attributes:
        key: Of the run and the purpose; see `key_of`.
        numbers: (N,) int64, the samples' numbers in the run, from 0.
        step: Place in the chain, 0 to 65535.
    """

    key: tuple[int, int]
    numbers: Tensor
    step: int = 0

    def words(self, count: int, draw: int = 0) -> Tensor:
        """Return `count` words for each sample, (N, count) int64 in [0, 2^32).

        Args:
            count: How many.
            draw: Tells draws of one step apart, 0 to 65535.
        """
        return torch.stack(self._quarters(count, draw), 1).flatten(1)[:, :count]

    def uniform(self, shape: tuple[int, ...], draw: int = 0) -> Tensor:
        """Return float32 numbers, uniform in (0, 1]: (N, *shape)."""
        words = self.words(math.prod(shape), draw)
        return ((words.float() + 0.5) * _TO_UNIT).reshape(-1, *shape)

    def uniform_53(self, shape: tuple[int, ...], draw: int = 0) -> Tensor:
        """Return float64 numbers of 53 random bits, uniform in (0, 1): (N, *shape)."""
        count = math.prod(shape)
        first, second, third, fourth = self._quarters(2 * count, draw)
        high, low = torch.stack((first, third), 1), torch.stack((second, fourth), 1)
        whole = (high << 21 | low >> 11).flatten(1)[:, :count]
        # The last whole number plus 1/2 is rounded up to 2^53, which would give 1.
        return ((whole.double() + 0.5).clamp_max(2.0**53 - 1) * _TO_UNIT_53).reshape(-1, *shape)

    def normal(self, shape: tuple[int, ...], draw: int = 0) -> Tensor:
        """Return standard normal float32 numbers, (N, *shape), by the transform of Box and Muller.

        They reach 6.7 standard deviations.
        """
        count = math.prod(shape)
        first, second, third, fourth = self._quarters(count, draw)
        lengths = torch.stack((first, second), 1).float().add_(0.5).mul_(_TO_UNIT).log_().mul_(-2).sqrt_()
        angles = torch.stack((third, fourth), 1).float().mul_(2 * math.pi * _TO_UNIT)
        pairs = torch.cat((lengths * angles.cos(), lengths * angles.sin()), 1)
        return pairs.flatten(1)[:, :count].reshape(-1, *shape)

    def _quarters(self, count: int, draw: int) -> tuple[Tensor, ...]:
        """Return the first, second, third and fourth words of as many blocks as `count` words need."""
        numbers = self.numbers[:, None]
        place = torch.arange(-(-count // 4), device=numbers.device)[None]
        purpose = torch.full_like(numbers, self.step << 16 | draw)
        return philox4x32((place, purpose, numbers & _WORD, numbers >> 32), self.key)
