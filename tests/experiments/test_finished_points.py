"""The ledger of finished points: ranges against sets of numbers, and blocks that depend on what is finished alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hopsim.experiments import finished_points
from hopsim.experiments.finished_points import FinishedPart, Part, PointsInMemory, Ranges

RANGE = st.tuples(st.integers(0, 40), st.integers(1, 12)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(RANGE, max_size=12), RANGE)
def test_ranges_are_sets_of_networks(added, asked):
    """Whatever is added in whatever order, also twice: members, gaps and counts are those of a set."""
    ranges, members = Ranges(), set()
    for first, last in added:
        ranges.add(first, last)
        members |= set(range(first, last))
    assert {k for first, last in ranges.all for k in range(first, last)} == members
    assert all(b[0] > a[1] for a, b in zip(ranges.all, ranges.all[1:], strict=False))
    assert len(ranges) == len(members)
    missing = [k for first, last in ranges.missing(*asked) for k in range(first, last)]
    assert missing == sorted(set(range(*asked)) - members)


def part(cell, first, last):
    networks = np.arange(first, last)
    return FinishedPart(Part(cell, first, last), {"value": 1000 * cell + networks})


def told(points):
    return [
        (block.cell, block.networks.tolist(), block.columns["value"].tolist()) for block in points.blocks()
    ]


@given(
    st.permutations([(0, 0, 5), (0, 5, 9), (0, 7, 12), (2, 0, 3), (2, 1, 2), (1, 4, 6)]), st.integers(1, 20)
)
def test_blocks_do_not_depend_on_the_order_of_parts(parts, block_rows):
    """Parts in any order, some of them twice: every point is told once, in order, in the same blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finished_points, "BLOCK_ROWS", block_rows)
        points = PointsInMemory()
        for each in parts:
            points.commit([part(*each)])
        blocks = told(points)
        assert blocks == told(points)  # can be told again
    rows = [(cell, k) for cell, networks, _ in blocks for k in networks]
    assert rows == [(0, k) for k in range(12)] + [(1, 4), (1, 5)] + [(2, k) for k in range(3)]
    assert all(values == [1000 * cell + k for k in networks] for cell, networks, values in blocks)
    assert all(len(networks) <= block_rows for _, networks, _ in blocks)
    full = [len(networks) for cell, networks, _ in blocks if cell == 0]
    assert full[:-1] == [block_rows] * (len(full) - 1)


def test_a_failure_stands_until_the_point_succeeds():
    points = PointsInMemory()
    points.commit([FinishedPart(Part(0, 2, 4), {}, "no memory"), part(0, 0, 2)])
    assert points.failures == {(0, 2): "no memory", (0, 3): "no memory"}
    points.commit([part(0, 3, 5)])
    assert points.failures == {(0, 2): "no memory"}
    points.commit([FinishedPart(Part(0, 4, 5), {}, "too late")])
    assert points.failures == {(0, 2): "no memory"}
    assert [networks for _, networks, _ in told(points)] == [[0, 1, 3, 4]]
