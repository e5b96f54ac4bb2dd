"""The plan of tiles: laws that hold for every size, tile, overlap, multiple and scale."""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from restorecli.core.restorer import RestorerSpec
from restorecli.errors import UsageError
from restorecli.restoration.plan import (
    default_overlap,
    is_exact,
    needed_overlap,
    plan_axis,
    plan_tiles,
    round_up,
    smallest_tile,
)
from restorecli.restoration.tiling import span_weight

sizes = st.integers(1, 2000)
tiles = st.integers(2, 300)
multiples = st.sampled_from([1, 2, 8])


@st.composite
def axes(draw):
    """An axis that can be planned: (size, tile, overlap, multiple, exact)."""
    multiple = draw(multiples)
    tile = draw(st.integers(2 * multiple, 300))
    aligned = tile - tile % multiple
    overlap = draw(st.integers(0, aligned - multiple))
    assume(round_up(overlap, multiple) < aligned)
    return draw(sizes), tile, overlap, multiple, draw(st.booleans())


@given(axes())
def test_weights_of_all_tiles_add_up_to_one_everywhere(axis):
    size, tile, overlap, multiple, exact = axis
    for scale in (1, 2):
        total = np.zeros(size * scale)
        for span in plan_axis(size, tile=tile, overlap=overlap, multiple=multiple, exact=exact):
            weight = span_weight(span, scale).numpy()
            assert (weight > 0).all()
            total[span.keep_start * scale : span.keep_stop * scale] += weight
        np.testing.assert_allclose(total, 1, atol=2e-7)


@given(axes())
def test_tiles_have_one_aligned_shape_and_keep_only_what_they_see(axis):
    size, tile, overlap, multiple, exact = axis
    spans = plan_axis(size, tile=tile, overlap=overlap, multiple=multiple, exact=exact)
    assert {round_up(span.stop - span.start, multiple) for span in spans} == {
        round_up(spans[0].stop - spans[0].start, multiple)
    }
    assert all(span.start % multiple == 0 for span in spans)
    assert all(0 <= span.start <= span.keep_start < span.keep_stop <= span.stop <= size for span in spans)
    assert spans[0].keep_start == 0
    assert spans[-1].keep_stop == size
    assert all(span.stop - span.start <= tile or len(spans) == 1 for span in spans)


@given(axes())
def test_exact_tiles_crop_at_least_half_the_overlap_at_every_inner_border(axis):
    size, tile, overlap, multiple, _ = axis
    for span in plan_axis(size, tile=tile, overlap=overlap, multiple=multiple, exact=True):
        assert span.fade_in == span.fade_out == 0
        assert span.start == 0 or span.keep_start - span.start >= overlap // 2
        assert span.stop == size or span.stop - span.keep_stop >= overlap // 2


@given(axes())
def test_no_more_tiles_than_the_stride_demands(axis):
    size, tile, overlap, multiple, exact = axis
    spans = plan_axis(size, tile=tile, overlap=overlap, multiple=multiple, exact=exact)
    aligned, padded = tile - tile % multiple, round_up(size, multiple)
    if padded <= tile:
        assert len(spans) == 1
    else:
        assert len(spans) == 1 + -(-(padded - aligned) // (aligned - round_up(overlap, multiple)))


def test_exact_tiles_are_no_larger_than_their_number_needs():
    spans = plan_axis(321, tile=256, overlap=34, exact=True)
    assert [(span.start, span.stop) for span in spans] == [(0, 178), (143, 321)]


def test_an_image_that_fits_is_not_cut():
    plan = plan_tiles(RestorerSpec("x", 3), 256, 100, tile=256, overlap=64)
    assert len(plan) == 1
    assert (plan.rows[0].start, plan.rows[0].stop, plan.columns[0].stop) == (0, 256, 100)


@pytest.mark.parametrize(("tile", "overlap", "multiple"), [(1, 0, 1), (32, 32, 1), (15, 0, 8), (40, 33, 8)])
def test_a_tile_that_is_not_larger_than_the_overlap_is_refused_with_the_least_that_works(
    tile, overlap, multiple
):
    with pytest.raises(UsageError) as caught:
        plan_axis(1000, tile=tile, overlap=overlap, multiple=multiple)
    assert "at least" in caught.value.expected
    least = int(caught.value.expected.split("at least ")[1].split()[0])
    assert plan_axis(1000, tile=least, overlap=overlap, multiple=multiple)


@pytest.mark.parametrize(
    ("field", "multiple", "needed"), [(1, 1, 0), (35, 1, 34), (41, 1, 40), (131, 8, 136), (2, 1, 2)]
)
def test_needed_overlap_is_the_receptive_field_without_its_center(field, multiple, needed):
    spec = RestorerSpec("x", 3, multiple=multiple, receptive_field=field)
    assert needed_overlap(spec) == needed
    assert is_exact(spec, needed)
    assert needed < multiple or not is_exact(spec, needed - multiple)


@given(st.integers(0, 150), multiples, tiles)
@settings(max_examples=60)
def test_the_default_overlap_always_leaves_room_for_a_tile(half, multiple, tile):
    spec = RestorerSpec("x", 3, multiple=multiple, receptive_field=2 * half + 1)
    assume(tile >= 2 * multiple)
    overlap = default_overlap(spec, tile)
    assert plan_axis(3 * tile, tile=tile, overlap=overlap, multiple=multiple)
    assert is_exact(spec, overlap) or tile < smallest_tile(multiple, needed_overlap(spec))


def test_a_network_that_sees_everything_is_never_called_exact():
    spec = RestorerSpec("x", 3, multiple=8, receptive_field=None)
    assert needed_overlap(spec) == 64
    assert not is_exact(spec, 10_000)
