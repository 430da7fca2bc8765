"""The finished points of a sweep on the disk: a directory of immutable shards, which are the truth and their own index.

A shard is named at random, so any number of processes may write into one directory. Shards that have gathered are
merged into larger ones: the new file has its name before the old ones go, and what is there twice is told once.
"""

import re
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import InputError, RunError
from hopsim.experiments.finished_points import Block, FinishedPart, Part, Ranges, in_blocks, note_finished
from hopsim.storage.atomic_file import DISK_FULL, sync_directory
from hopsim.sweeps.shard_columns import Shard, VanishedError, Windows, sorted_ranges
from hopsim.sweeps.shard_files import (
    MAX_COUNT,
    Header,
    Layout,
    ShardFile,
    identity,
    layout_of,
    read_rows,
    read_shard,
    write_shard,
)

MERGED_SHARDS = 64  # of one level that are merged into one of the next
MERGED_BYTES = 16 * 2**20  # that merging holds in memory, and so the largest merged shard
_SUFFIX = ".h5"
_NAME = re.compile(r"shard-[0-9a-f]{16}\.h5")
_LEFTOVER = re.compile(r"\..+\.[0-9a-f]{8}\.part")  # of writers that were killed


class Shards:
    """Finished points of a study in a directory (`FinishedPoints`); see `Shards.open`.

    Attributes
    ----------
    ranges : dict of int to Ranges
        The finished networks of each cell that has any.
    failures : dict of (int, int) to str
        The causes of (cell, network) that failed and have not succeeded since.
    strangers : list of (dict, int)
        Cells, or networks of them, that the specification does not have, and how many points they are; these are
        kept, but not told.
    """

    def __init__(
        self,
        directory: Path,
        experiment: str,
        seed: int,
        cells: Sequence[msgspec.Struct],
        n_networks: NDArray[np.int64],
        alone: bool,
    ) -> None:
        self.directory = directory
        self.experiment = experiment
        self.seed = seed
        self.cells = cells
        self.n_networks = n_networks
        self.alone = alone
        self.ranges: dict[int, Ranges] = {}
        self.failures: dict[tuple[int, int], str] = {}
        self.strangers: list[tuple[dict[str, Any], int]] = []
        self._first_twin: dict[str, int] = {}
        self._twins: dict[int, list[int]] = {}
        for number, cell in enumerate(cells):
            first = self._first_twin.setdefault(identity(experiment, seed, cell), number)
            self._twins.setdefault(first, []).append(number)
        self._twin_of = {number: first for first, numbers in self._twins.items() for number in numbers}
        self._strange: dict[str, tuple[dict[str, Any], Ranges]] = {}
        self._layout: Layout = ()
        self._shards: dict[Path, Shard] = {}

    @classmethod
    def open(
        cls,
        directory: Path,
        experiment: str,
        seed: int,
        cells: Sequence[msgspec.Struct],
        *,
        n_networks: ArrayLike = MAX_COUNT,
        alone: bool = False,
        read_only: bool = False,
    ) -> "Shards":
        """Read and check all shards of a directory.

        Parameters
        ----------
        directory : Path
            Made if it is not there.
        experiment : str
        seed : int
        cells : sequence of msgspec.Struct
            The cells of the study, by number. Equal cells share their points.
        n_networks : array_like of int, optional
            Networks that belong to the study, of each cell or of all alike; any number by default.
        alone : bool
            Nobody else writes there: what killed writers left is removed, and all shards may be merged, not only
            those that this object writes.
        read_only : bool
            Make and remove nothing.

        Raises
        ------
        InputError
            Naming the shard that is truncated, damaged, foreign, of another version or with other columns than the
            rest, or the directory if it cannot be used. Nothing was changed then.
        """
        points = cls(
            directory, experiment, seed, cells, np.broadcast_to(np.asarray(n_networks), len(cells)), alone
        )
        points._read_directory()
        points.strangers = [(what, len(ranges)) for what, ranges in points._strange.values()]
        if not read_only:
            _make_directory(directory)
            if alone:
                _remove_matching(directory, _LEFTOVER)
        return points

    @staticmethod
    def files(directory: Path) -> list[Path]:
        """Return the files of a directory that must be shards, in order of their names."""
        try:
            return sorted(
                entry for entry in directory.iterdir() if entry.suffix == _SUFFIX and entry.exists()
            )
        except FileNotFoundError:
            return []
        except OSError as error:
            raise InputError(str(directory), f"cannot be read as a directory: {error.strerror}") from None

    @staticmethod
    def remove(directory: Path) -> None:
        """Remove all shards, what killed writers left, and the directory if it is empty then."""
        _remove_matching(directory, _NAME)
        _remove_matching(directory, _LEFTOVER)
        with suppress(OSError):  # something else is in it, or it is not there
            directory.rmdir()

    def commit(self, parts: list[FinishedPart]) -> None:
        """Write parts as one shard; when this returns they are on the disk, and only then among `ranges`.

        Raises
        ------
        RunError
            If the disk is full or fails; then nothing of these parts is kept.
        """
        if not parts:
            return
        twins = [
            FinishedPart(Part(self._twin_of[cell], first, last), columns, failure)
            for (cell, first, last), columns, failure in parts
        ]
        self._write(twins, level=0)
        for finished in twins:
            self._note(finished)
        with suppress(RunError):  # merging can wait until the disk has room
            self._merge()

    def blocks(self) -> Iterator[Block]:
        """Tell all finished points, as `FinishedPoints.blocks`; no more than some windows of columns are in memory."""
        return in_blocks(self._parts())

    def _read_directory(self) -> None:
        """Read the shards that are new, forget those that are gone; all are entered, or after an error none."""
        shards, layout = dict(self._shards), self._layout
        # a shard that another process has merged may vanish at any time: its points are in one to be found then
        while (names := set(self.files(self.directory))) != shards.keys():
            shards = {path: shard for path, shard in shards.items() if path in names}
            for path in sorted(names - shards.keys()):
                file = _read_if_there(path)
                if file is None:
                    continue
                shards[path] = shard = self._remembered(file, mergeable=self.alone)
                if (shard.ranges[:, 0] >= 0).any():
                    layout = _same_layout(layout, file.layout, path)
        new = [shard for path, shard in shards.items() if path not in self._shards]
        self._shards, self._layout = shards, layout
        for shard in new:
            for cell, first, last in shard.ranges.tolist():
                if cell >= 0:
                    self._note(FinishedPart(Part(cell, first, last), {}))
        for shard in new:
            for finished in shard.failures:
                self._note(finished)

    def _remembered(self, file: ShardFile, mergeable: bool) -> Shard:
        """Return what is to be remembered of a shard, and count its strangers."""
        path, n_bytes, header, layout = file
        names = [identity(header.experiment, header.seed, cell) for cell in header.cells]
        numbers = np.array([self._first_twin.get(name, -1) for name in names], np.int64)
        ranges = np.array(header.ranges, np.int64).reshape(-1, 3)
        known = numbers[ranges[:, 0]] >= 0
        strange = ranges.copy()
        limits = self.n_networks[numbers[ranges[known, 0]]]
        strange[known, 1] = np.maximum(strange[known, 1], limits)
        for cell, first, last in strange[strange[:, 1] < strange[:, 2]].tolist():
            what = {"experiment": header.experiment, "seed": header.seed, **header.cells[cell]}
            if numbers[cell] >= 0:
                what["networks"] = f"{self.n_networks[numbers[cell]]} and above"
            self._strange.setdefault(names[cell], (what, Ranges()))[1].add(first, last)
        ranges[:, 0] = numbers[ranges[:, 0]]
        failures = [
            FinishedPart(Part(int(numbers[cell]), network, network + 1), {}, cause)
            for cell, network, cause in header.failures
            if numbers[cell] >= 0
        ]
        return Shard(
            path, n_bytes, header.level, layout, ranges, failures, mergeable and bool((numbers >= 0).all())
        )

    def _note(self, finished: FinishedPart) -> None:
        """Enter a part for its cell and the equal ones, as far as it belongs to the study."""
        (cell, first, last), columns, failure = finished
        last = min(last, int(self.n_networks[cell]))
        for number in self._twins[cell] if first < last else ():
            part = Part(number, first, last)
            note_finished(FinishedPart(part, columns, failure), self.ranges, self.failures)

    def _write(self, parts: list[FinishedPart], level: int) -> None:
        rows = list(
            _disjoint(sorted((each for each in parts if each.failure is None), key=attrgetter("part")))
        )
        failed = [each for each in parts if each.failure is not None]
        cells = sorted({each.part.cell for each in [*rows, *failed]})
        place = {cell: index for index, cell in enumerate(cells)}
        columns = {
            name: np.concatenate([each.columns[name] for each in rows])
            for name in (rows[0].columns if rows else ())
        }
        layout = _same_layout(self._layout, layout_of(columns), self.directory)
        header = Header(
            self.experiment,
            self.seed,
            level,
            [msgspec.to_builtins(self.cells[cell]) for cell in cells],
            [(place[cell], first, last) for cell, first, last in _joined(each.part for each in rows)],
            [
                (place[part.cell], network, str(cause))
                for part, _, cause in failed
                for network in range(part.first, part.last)
            ],
        )
        path = self.directory / f"shard-{secrets.token_hex(8)}{_SUFFIX}"
        file = write_shard(path, header, columns)
        self._shards[path] = self._remembered(file, mergeable=True)
        self._layout = layout

    def _merge(self) -> None:
        """Merge shards of one level if enough have gathered."""
        levels: dict[int, list[Shard]] = {}
        for shard in self._shards.values():
            if shard.mergeable and shard.n_bytes <= MERGED_BYTES // 2:
                levels.setdefault(shard.level, []).append(shard)
        for level, gathered in levels.items():
            if len(gathered) >= MERGED_SHARDS:
                total = np.cumsum([shard.n_bytes for shard in gathered])
                chosen = gathered[: int(np.searchsorted(total, MERGED_BYTES, side="right"))]
                self._write([each for shard in chosen for each in self._parts_of(shard)], level + 1)
                for shard in chosen:
                    del self._shards[shard.path]
                    with suppress(OSError):  # what stays is there twice, and told once
                        shard.path.unlink()
                return

    def _parts_of(self, shard: Shard) -> Iterator[FinishedPart]:
        """Give all parts of a shard, without the failures that were made good."""
        columns = read_rows(shard.path, 0, shard.n_points())
        row = 0
        for cell, first, last in shard.ranges.tolist():
            rows = slice(row, row + last - first)
            yield FinishedPart(
                Part(cell, first, last), {name: column[rows] for name, column in columns.items()}
            )
            row = rows.stop
        for finished in shard.failures:
            if finished.part[:2] in self.failures:
                yield finished

    def _parts(self) -> Iterator[FinishedPart]:
        """Give all parts by cell and network, in pieces; some may overlap."""
        begin = 0
        while begin < len(self.cells):
            try:
                for finished in self._parts_from(begin):
                    yield finished
                    begin = finished.part.cell
                return
            except VanishedError:
                self._read_directory()

    def _parts_from(self, begin: int) -> Iterator[FinishedPart]:
        shards = list(self._shards.values())
        table = sorted_ranges(shards, self.n_networks)
        windows = Windows()
        bounds = np.searchsorted(table[:, 0], np.arange(len(self.cells) + 1))
        for number in range(begin, len(self.cells)):
            twin = self._twin_of[number]
            for first, last, index, row in table[bounds[twin] : bounds[twin + 1], 1:].tolist():
                told = first
                while told < last:
                    columns = windows.rows(shards[index], row + told - first, row + last - first)
                    n_rows = len(next(iter(columns.values())))
                    yield FinishedPart(Part(number, told, told + n_rows), columns)
                    told += n_rows


def _disjoint(parts: Iterable[FinishedPart]) -> Iterator[FinishedPart]:
    """Give sorted parts without the points that came before."""
    cell, n_told = -1, 0
    for finished in parts:
        number, first, last = finished.part
        n_known = n_told - first if number == cell else 0
        if n_known <= 0:
            yield finished
        elif first + n_known < last:
            columns = {name: column[n_known:] for name, column in finished.columns.items()}
            yield FinishedPart(Part(number, n_told, last), columns)
        cell, n_told = number, max(last, n_told) if number == cell else last


def _joined(parts: Iterable[Part]) -> list[Part]:
    """Return sorted, disjoint parts with neighbours made one."""
    joined: list[Part] = []
    for part in parts:
        if joined and joined[-1].cell == part.cell and joined[-1].last == part.first:
            joined[-1] = joined[-1]._replace(last=part.last)
        else:
            joined.append(part)
    return joined


def _same_layout(ours: Layout, theirs: Layout, where: Path) -> Layout:
    """Return the layout that all shards have; refuse a second one."""
    if ours and theirs and ours != theirs:
        raise InputError(
            str(where),
            f"has the columns {_told(theirs)}, where others of this sweep have {_told(ours)}; "
            "remove the files of one kind, and their points are run anew",
        )
    return theirs or ours


def _told(layout: Layout) -> str:
    return ", ".join(f"{name:.40} {dtype} {list(shape)}" for name, dtype, shape in layout[:8])


def _read_if_there(path: Path) -> ShardFile | None:
    try:
        return read_shard(path)
    except InputError:
        if path.exists():
            raise
        return None


def _make_directory(directory: Path) -> None:
    try:
        directory.mkdir(exist_ok=True)
    except OSError as error:
        kind = RunError if error.errno in DISK_FULL else InputError
        raise kind(str(directory), f"cannot be made: {error.strerror}") from None
    sync_directory(directory.parent)  # else a power failure may lose the directory with all its shards


def _remove_matching(directory: Path, name: re.Pattern[str]) -> None:
    try:
        for entry in list(directory.iterdir()):
            if name.fullmatch(entry.name):
                entry.unlink(missing_ok=True)
    except FileNotFoundError:
        pass  # there is no directory
    except OSError as error:
        raise InputError(str(directory), f"cannot be cleared: {error.strerror}") from None
