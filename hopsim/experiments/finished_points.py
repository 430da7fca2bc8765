"""Which points of a study are finished, and what they gave: in memory, and always told in the same order."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

BLOCK_ROWS = 1 << 16  # points told at once


class Part(NamedTuple):
    """Networks `first` to `last` - 1 of the study's cell number `cell`; a point is one of them."""

    cell: int
    first: int
    last: int


class FinishedPart(NamedTuple):
    """What a part gave: columns of one row a network; or why it failed, and then no columns."""

    part: Part
    columns: Mapping[str, NDArray]
    failure: str | None = None


class Block(NamedTuple):
    """Some finished points of one cell: their networks, in order, and their columns."""

    cell: int
    networks: NDArray[np.int64]
    columns: Mapping[str, NDArray]


class Ranges:
    """Networks of one cell that are finished: disjoint ranges in order.

    Examples
    --------
    >>> ranges = Ranges()
    >>> ranges.add(0, 4)
    >>> ranges.add(6, 8)
    >>> ranges.missing(0, 10)
    [(4, 6), (8, 10)]
    """

    def __init__(self) -> None:
        self.all: list[tuple[int, int]] = []

    def add(self, first: int, last: int) -> None:
        """Note that networks `first` to `last` - 1 are finished; they may have been before."""
        begin = bisect_left(self.all, first, key=lambda each: each[1])
        end = begin
        while end < len(self.all) and self.all[end][0] <= last:
            first, last = min(first, self.all[end][0]), max(last, self.all[end][1])
            end += 1
        self.all[begin:end] = [(first, last)]

    def missing(self, first: int, last: int) -> list[tuple[int, int]]:
        """Return the ranges within `first` to `last` - 1 that are not finished."""
        gaps = []
        for begin, end in self.all:
            if begin >= last:
                break
            if begin > first:
                gaps.append((first, begin))
            first = max(first, end)
        return [*gaps, (first, last)] if first < last else gaps

    def __len__(self) -> int:
        """Count the networks."""
        return sum(last - first for first, last in self.all)


class FinishedPoints(Protocol):
    """The finished points of a study, wherever they are kept."""

    ranges: dict[int, Ranges]
    failures: dict[tuple[int, int], str]  # (cell, network) -> cause

    def commit(self, parts: list[FinishedPart]) -> None:
        """Keep these parts; when this returns they are safe."""

    def blocks(self) -> Iterator[Block]:
        """Tell all finished points, by cell and network, in blocks that depend on nothing but which they are."""


class PointsInMemory:
    """Finished points of a study that writes no file."""

    def __init__(self) -> None:
        self.ranges: dict[int, Ranges] = {}
        self.failures: dict[tuple[int, int], str] = {}
        self._parts: list[FinishedPart] = []

    def commit(self, parts: list[FinishedPart]) -> None:
        """Keep these parts."""
        for finished in parts:
            note_finished(finished, self.ranges, self.failures)
            if finished.failure is None:
                self._parts.append(finished)

    def blocks(self) -> Iterator[Block]:
        """Tell all finished points, as `FinishedPoints.blocks`."""
        return in_blocks(sorted(self._parts, key=lambda finished: finished.part))


def note_finished(
    finished: FinishedPart, ranges: dict[int, Ranges], failures: dict[tuple[int, int], str]
) -> None:
    """Enter a part among the finished ranges, or among the failures that no later success has made good."""
    cell, first, last = finished.part
    if finished.failure is None:
        ranges.setdefault(cell, Ranges()).add(first, last)
        for network in [k for c, k in failures if c == cell and first <= k < last] if failures else ():
            del failures[cell, network]
    else:
        done = ranges.get(cell, Ranges())
        for begin, end in done.missing(first, last):
            failures.update({(cell, network): finished.failure for network in range(begin, end)})


def in_blocks(parts: Iterator[FinishedPart] | list[FinishedPart]) -> Iterator[Block]:
    """Cut parts, sorted by cell and network, into blocks of `BLOCK_ROWS` points; what comes twice is told once."""
    cell, n_told = -1, 0
    networks: list[NDArray[np.int64]] = []
    columns: list[Mapping[str, NDArray]] = []
    n_waiting = 0

    def waiting() -> Block:
        joined = {name: np.concatenate([each[name] for each in columns]) for name in columns[0]}
        return Block(cell, np.concatenate(networks), joined)

    for part, values, _ in parts:
        if part.cell != cell:
            if n_waiting:
                yield waiting()
            cell, n_told, n_waiting, networks, columns = part.cell, 0, 0, [], []
        begin = max(part.first, n_told)
        while begin < part.last:
            end = min(part.last, begin + BLOCK_ROWS - n_waiting)
            rows = slice(begin - part.first, end - part.first)
            networks.append(np.arange(begin, end))
            columns.append({name: column[rows] for name, column in values.items()})
            n_waiting += end - begin
            n_told = begin = end
            if n_waiting == BLOCK_ROWS:
                yield waiting()
                n_waiting, networks, columns = 0, [], []
    if n_waiting:
        yield waiting()
