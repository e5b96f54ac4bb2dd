"""What a user should know of a run's images before it begins: notes, not errors."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence

from restorecli.counting import counted
from restorecli.degradation.chain import Chain
from restorecli.training.pairs import Pair
from restorecli.training.recipe import Recipe

_LISTED = 3
"""Names that a note shows of many."""


def notes_on_images(
    recipe: Recipe, pairs: Sequence[Pair], held: Sequence[Pair], needs: frozenset[str]
) -> Iterator[str]:
    """Say what of the images makes a training or its scores other than the recipe reads.

    Args:
        recipe: The recipe.
        pairs: The images that are trained on.
        held: The images that are validated on.
        needs: What the strategy needs of a batch beside degraded and reference crops.
    """
    if not recipe.validation.sources:
        yield from _note_on_holdout(recipe, pairs, held)
    yield from _notes_on_copies(pairs, held)
    if "second" in needs and any(pair.degraded is not None for pair in held):
        yield (
            "validation compares with the other noisy images of the pairs: its PSNR and SSIM are against "
            "noise and far below those against clean images; name clean ones in validation.sources"
        )
    if "mask" in needs and not _any_mask(recipe, pairs):
        yield (
            f"no training image has a mask beside it, and no degradation makes one: the strategy "
            f"{recipe.strategy_choice()[0]} finds nothing to give more weight"
        )


def _note_on_holdout(recipe: Recipe, pairs: Sequence[Pair], held: Sequence[Pair]) -> Iterator[str]:
    asked, there = recipe.validation.holdout, len(pairs) + len(held)
    if pairs == held:
        yield "the only image is trained on and validated on: the scores say nothing of other images"
    elif len(held) < asked:
        yield (
            f"validation.holdout asks for {asked} of {counted(there, 'image')}: {len(held)} held out, "
            "since at most half may be"
        )


def _notes_on_copies(pairs: Sequence[Pair], held: Sequence[Pair]) -> Iterator[str]:
    same = _same_images((*pairs, *held))
    trained = {pair.key for pair in pairs}
    copies = [group for group in same if sum(pair.key in trained for pair in group) > 1]
    if copies:
        count = sum(len(group) for group in copies) - len(copies)
        yield f"{count} training images are copies of others: {_named(copies)}"
    if pairs == held:
        return
    seen = [group for group in same if 0 < sum(pair.key in trained for pair in group) < len(group)]
    if seen:
        count = sum(pair.key not in trained for group in seen for pair in group)
        yield (
            f"{count} validation images are also trained on: {_named(seen)}; their scores say nothing of "
            "new images"
        )


def _same_images(pairs: Sequence[Pair]) -> list[list[Pair]]:
    """Group images whose files are equal byte for byte; files of a size of their own are not read."""
    by_size: dict[int, list[Pair]] = defaultdict(list)
    for pair in dict.fromkeys(pairs):
        by_size[pair.reference.stat().st_size].append(pair)
    by_content: dict[bytes, list[Pair]] = defaultdict(list)
    for pair in (pair for group in by_size.values() if len(group) > 1 for pair in group):
        by_content[hashlib.sha256(pair.reference.read_bytes()).digest()].append(pair)
    return [group for group in by_content.values() if len(group) > 1]


def _named(groups: Sequence[Sequence[Pair]]) -> str:
    texts = [f"{group[1].reference.name} is {group[0].reference.name}" for group in groups[:_LISTED]]
    return ", ".join(texts) + (", ..." if len(groups) > _LISTED else "")


def _any_mask(recipe: Recipe, pairs: Sequence[Pair]) -> bool:
    if any(pair.mask is not None for pair in pairs):
        return True
    levels = recipe.curriculum.levels if recipe.curriculum is not None else [recipe.data.degrade]
    chains = [Chain.from_specs(level) for level in levels if level]
    return any(sampler.degradation.masked for chain in chains for sampler in chain.samplers)
