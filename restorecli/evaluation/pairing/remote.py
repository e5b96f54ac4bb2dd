"""Pairs whose images are in remote stores: which paths stand for them, and having them here for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Final

from restorecli.errors import ImageError
from restorecli.evaluation.pairing.pairs import Pair, Side, Source, Unmatched
from restorecli.folders.mirror import Mirror

_SIDES: Final[tuple[Side, ...]] = ("reference", "degraded", "restored", "mask")


def mirrored(pairs: Iterable[Pair], remote: Mirror) -> Iterator[Pair]:
    """Yield the pairs with the paths that stand for what a manifest of a local folder calls by address."""
    for pair in pairs:
        yield replace(
            pair,
            reference=_mirrored(pair.reference, remote),
            degraded=_mirrored(pair.degraded, remote),
            restored=_mirrored(pair.restored, remote),
        )


def have_here(pair: Pair, remote: Mirror, stack: ExitStack) -> Unmatched | None:
    """Have the images of a pair here until a stack unwinds, or return the one that cannot be had."""
    for side in _SIDES:
        source: Source | None = getattr(pair, side)
        if source is None or source.file is None:
            continue
        try:
            stack.enter_context(remote.hold(source.file))
        except ImageError as error:
            reason = f"{error.problem} ({error.got})" if error.got else error.problem
            return Unmatched(side, pair.path, f"{source.locator}: {reason}")
    return None


def _mirrored(source: Source | None, remote: Mirror) -> Source | None:
    if source is None or source.path is not None or "://" not in source.locator or source.file is None:
        return source
    return replace(source, path=remote.standing_for(source.file))
