"""Reading the columns of many shards in the order of their points, with a bounded part of them in memory."""

import math
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.experiments.finished_points import FinishedPart
from hopsim.sweeps.shard_files import Layout, read_rows

WINDOW_BYTES = 2**18  # of columns read at once
MAX_WINDOWS = 64  # held, each of another shard


class Shard(NamedTuple):
    """What is remembered of a shard. Cells are numbered as in the specification, -1 if they are not of it."""

    path: Path
    n_bytes: int
    level: int
    layout: Layout
    ranges: NDArray[np.int64]  # (n_ranges, 3): cell, first, last
    failures: list[FinishedPart]
    mergeable: bool

    def n_points(self) -> int:
        """Count the rows."""
        return int((self.ranges[:, 2] - self.ranges[:, 1]).sum())

    def row_bytes(self) -> int:
        """Return the bytes of a row of all columns."""
        return sum(np.dtype(dtype).itemsize * math.prod(shape) for _, dtype, shape in self.layout)


def sorted_ranges(shards: Sequence[Shard], n_networks: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the ranges (cell, first, last, index of the shard, row in it) of the study, sorted by cell and first."""
    tables = [np.empty((0, 5), np.int64)]
    for index, shard in enumerate(shards):
        n_rows = shard.ranges[:, 2] - shard.ranges[:, 1]
        place = np.full(len(n_rows), index), np.cumsum(n_rows) - n_rows
        tables.append(np.column_stack([shard.ranges, *place]))
    table = np.concatenate(tables)
    table = table[table[:, 0] >= 0]
    table[:, 2] = np.minimum(table[:, 2], n_networks[table[:, 0]])
    table = table[table[:, 1] < table[:, 2]]
    return table[np.lexsort((table[:, 2], table[:, 1], table[:, 0]))]


class VanishedError(Exception):
    """A shard is no longer there."""


class Windows:
    """Pieces of the columns, read when their first row is wanted: a shard has its rows in the order they are wanted."""

    def __init__(self) -> None:
        self._held: OrderedDict[Path, tuple[int, int, dict[str, NDArray]]] = OrderedDict()

    def rows(self, shard: Shard, first: int, last: int) -> dict[str, NDArray]:
        """Return rows from `first` on, until `last` or the end of the window."""
        begin, end, columns = self._held.get(shard.path, (0, 0, {}))
        if not begin <= first < end:
            begin = first
            end, columns = self._read(shard, begin)
        self._held.move_to_end(shard.path)
        return {name: column[first - begin : last - begin] for name, column in columns.items()}

    def _read(self, shard: Shard, begin: int) -> tuple[int, dict[str, NDArray]]:
        end = min(begin + max(1, WINDOW_BYTES // shard.row_bytes()), shard.n_points())
        try:
            columns = read_rows(shard.path, begin, end)
        except InputError:
            if shard.path.exists():
                raise
            raise VanishedError from None
        self._held[shard.path] = begin, end, columns
        if len(self._held) > MAX_WINDOWS:
            self._held.popitem(last=False)
        return end, columns
