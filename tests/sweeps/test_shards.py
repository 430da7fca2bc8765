"""Finished points on the disk: they come back as they were, in one order, and nothing damaged is taken for good."""

import resource
import threading
import tracemalloc
from dataclasses import dataclass, field
from functools import partial

import h5py
import msgspec
import numpy as np
import pytest

from hopsim.errors import InputError, RunError
from hopsim.experiments.finished_points import FinishedPart, Part, PointsInMemory
from hopsim.sweeps import shards as shards_module
from hopsim.sweeps.shard_files import CHUNK_BYTES, Header, identity, read_rows, read_shard, write_shard
from hopsim.sweeps.shards import Shards

EXPERIMENT, SEED = "study of anything", 2**64 - 1


class Cell(msgspec.Struct, frozen=True):
    size: int
    heat: float
    rule: str = "β"


CELLS = [Cell(size, heat) for size in (10, 20) for heat in (0.0, 0.1, 1e-300)]


def columns_of(cell, networks, n_trials=2):
    """Columns of every kind that tell which point a row is of."""
    rows = 1000.0 * cell + np.asarray(networks)
    return {
        "overlap": rows[:, None] + np.arange(n_trials) / 7,
        "n_sweeps": rows.astype(np.int32),
        "converged": (rows[:, None] + np.arange(n_trials)) % 3 == 0,
    }


def done(cell, first, last, **settings):
    return FinishedPart(Part(cell, first, last), columns_of(cell, np.arange(first, last), **settings))


def failed(cell, first, last, cause="the worker died"):
    return FinishedPart(Part(cell, first, last), {}, cause)


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "RUN.h5.shards"


@pytest.fixture
def opened(directory):
    """A function that opens the directory with the specification of these tests, or with another one."""
    return lambda cells=CELLS, seed=SEED, **settings: Shards.open(
        directory, EXPERIMENT, seed, cells, **settings
    )


def contents(directory):
    """All that is in a directory, by name."""
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def assert_told(points, expected):
    """Tell the same blocks, bit for bit, and know the same ranges."""
    blocks, others = list(points.blocks()), list(expected.blocks())
    assert [block.cell for block in blocks] == [block.cell for block in others]
    for block, other in zip(blocks, others, strict=True):
        np.testing.assert_array_equal(block.networks, other.networks, strict=True)
        assert list(block.columns) == list(other.columns)
        for name, column in block.columns.items():
            np.testing.assert_array_equal(column, other.columns[name], strict=True)
    assert {cell: ranges.all for cell, ranges in points.ranges.items()} == {
        cell: ranges.all for cell, ranges in expected.ranges.items()
    }
    assert points.failures == expected.failures


def in_memory(*commits):
    points = PointsInMemory()
    for parts in commits:
        points.commit(parts)
    return points


def test_points_come_back_as_they_were_from_the_writer_and_from_a_new_reader(directory, opened):
    commits = [[done(0, 0, 3), done(4, 5, 6)], [], [done(0, 3, 5)], [failed(1, 7, 9, "too large – 界")]]
    points = opened()
    for parts in commits:
        points.commit(parts)
    expected = in_memory(*commits)
    assert_told(points, expected)
    assert_told(opened(), expected)
    assert len(Shards.files(directory)) == 3
    assert sorted(contents(directory)) == [path.name for path in Shards.files(directory)]


def test_an_empty_directory_has_no_points(directory, opened):
    assert Shards.files(directory) == []
    points = opened()
    assert (list(points.blocks()), points.ranges, points.failures, points.strangers) == ([], {}, {}, [])
    assert contents(directory) == {}


def test_order_is_canonical_and_what_came_twice_is_told_once(opened):
    """Parts cut at random, committed in any order, some of them overlapping or twice, cells mixed in every shard."""
    generator = np.random.default_rng(5)
    parts = []
    for cell in range(len(CELLS)):
        cuts = np.sort(generator.choice(200, 20, replace=False))
        parts += [done(cell, *pair) for pair in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True)]
        parts += [done(cell, 50, 120), done(cell, 80, 90), done(cell, 150, 250)]
    expected = in_memory(parts)
    points = opened()
    for chosen in np.array_split(generator.permutation(len(parts)), 9):
        points.commit([parts[i] for i in chosen])
    assert_told(points, expected)
    assert_told(opened(), expected)


def test_what_comes_twice_in_a_commit_is_written_once(directory, opened):
    opened().commit([done(0, 3, 9), done(0, 0, 5), done(0, 4, 5), done(1, 0, 2), done(0, 9, 10)])
    [path] = Shards.files(directory)
    assert read_shard(path).header.ranges == [(0, 0, 10), (1, 0, 2)]
    assert_told(opened(), in_memory([done(0, 0, 10), done(1, 0, 2)]))


def test_equal_cells_share_their_points(opened):
    """Two loads may give one number of patterns; each of such cells has the points of the other."""
    cells = [CELLS[0], CELLS[1], CELLS[0]]
    points = opened(cells)
    points.commit([done(0, 0, 4), done(2, 4, 6), done(1, 0, 2), failed(2, 7, 8)])
    for reader in (points, opened(cells)):
        assert {cell: ranges.all for cell, ranges in reader.ranges.items()} == {
            0: [(0, 6)],
            1: [(0, 2)],
            2: [(0, 6)],
        }
        assert set(reader.failures) == {(0, 7), (2, 7)}
        blocks = list(reader.blocks())
        assert [block.cell for block in blocks] == [0, 1, 2]
        np.testing.assert_array_equal(blocks[0].columns["overlap"], blocks[2].columns["overlap"])


def test_the_same_cells_in_another_order_get_their_own_points(opened):
    opened().commit([done(cell, 0, 3) for cell in range(len(CELLS))])
    for block in opened(CELLS[::-1]).blocks():
        cell = len(CELLS) - 1 - block.cell
        np.testing.assert_array_equal(block.columns["overlap"], columns_of(cell, range(3))["overlap"])


def test_failures_are_made_good_by_success_in_whatever_order_shards_are_read(opened):
    points = opened()
    points.commit([failed(0, 0, 3), done(1, 0, 1)])
    points.commit([done(0, 1, 2)])
    points.commit([failed(1, 0, 2)])
    expected = {(0, 0), (0, 2), (1, 1)}
    assert set(points.failures) == expected
    assert set(opened().failures) == expected


def test_strangers_are_named_counted_once_and_kept_for_their_own_specification(directory, opened):
    """Other cells, another seed, other shapes of columns: what belongs is kept, the rest is left alone."""
    opened().commit([done(0, 0, 4), done(1, 0, 4), done(2, 0, 4)])
    opened().commit([done(2, 2, 6)])
    opened([Cell(7, 0.5)], seed=3).commit([done(0, 0, 5, n_trials=9)])
    before = contents(directory)
    points = opened(CELLS[:2], alone=True)
    assert contents(directory) == before
    assert {cell: len(ranges) for cell, ranges in points.ranges.items()} == {0: 4, 1: 4}
    assert sorted(points.strangers, key=lambda stranger: stranger[1]) == [
        ({"experiment": EXPERIMENT, "seed": 3, **msgspec.to_builtins(Cell(7, 0.5))}, 5),
        ({"experiment": EXPERIMENT, "seed": SEED, **msgspec.to_builtins(CELLS[2])}, 6),
    ]
    assert_told(points, in_memory([done(0, 0, 4), done(1, 0, 4)]))
    assert len(opened().ranges[2]) == 6
    assert len(opened([Cell(7, 0.5)], seed=3).ranges[0]) == 5


def test_networks_beyond_the_specification_are_strangers_too(opened):
    commits = [[done(0, 0, 7)], [done(0, 7, 9), done(1, 8, 9), failed(2, 3, 6)]]
    for parts in commits:
        opened().commit(parts)
    points = opened(n_networks=5)
    assert_told(points, in_memory([done(0, 0, 5), failed(2, 3, 5)]))
    more = {"networks": "5 and above", "experiment": EXPERIMENT, "seed": SEED}
    assert sorted(points.strangers, key=lambda stranger: stranger[1]) == [
        (more | msgspec.to_builtins(CELLS[1]), 1),
        (more | msgspec.to_builtins(CELLS[0]), 4),
    ]
    assert_told(opened(n_networks=9), in_memory(*commits))


@pytest.mark.parametrize("alone", [True, False])
def test_merging_changes_nothing_but_the_number_of_files(directory, opened, monkeypatch, alone):
    """120 commits that overlap; failures go along unless they were made good."""
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 4)
    commits = [[done(i % 5, 3 * (i // 5), 3 * (i // 5) + 4)] for i in range(120)]
    commits[10:12] = [[failed(5, 0, 3)], [done(5, 1, 2)]]
    points, expected = opened(alone=alone), in_memory(*commits)
    most = 0
    for parts in commits:
        points.commit(parts)
        most = max(most, len(Shards.files(directory)))
    assert most <= 3 * np.ceil(np.log(120) / np.log(4))  # fewer than four of each level
    assert set(expected.failures) == {(5, 0), (5, 2)}
    assert_told(points, expected)
    assert_told(opened(), expected)
    headers = [read_shard(path).header for path in Shards.files(directory)]
    assert sum(len(header.failures) for header in headers) == 2


def test_an_interrupted_merge_leaves_duplicates_that_do_no_harm(directory, opened, monkeypatch):
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 4)
    commits = [[done(0, 2 * i, 2 * i + 2), done(1, i, i + 1)] for i in range(4)]
    points = opened()
    for parts in commits[:3]:
        points.commit(parts)
    before = contents(directory)
    points.commit(commits[3])
    assert len(Shards.files(directory)) == 1
    for name, data in before.items():
        (directory / name).write_bytes(data)
    assert_told(opened(), in_memory(*commits))


def test_merging_leaves_strangers_as_they_are(opened, monkeypatch):
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 2)
    opened().commit([done(0, 0, 2), done(3, 0, 2)])
    opened([Cell(7, 0.5)]).commit([done(0, 0, 5, n_trials=9)])
    points = opened(CELLS[:2], alone=True)
    for i in range(2, 9):
        points.commit([done(0, i, i + 1)])
    assert_told(opened(CELLS[:2]), in_memory([done(0, 0, 9)]))
    assert_told(opened(), in_memory([done(0, 0, 9), done(3, 0, 2)]))
    assert_told(opened([Cell(7, 0.5)]), in_memory([done(0, 0, 5, n_trials=9)]))


def test_large_shards_are_merged_no_further(directory, opened, monkeypatch):
    """What is merged together never exceeds the bound, so memory stays flat; nearly full shards stay as they are."""
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 2)
    monkeypatch.setattr(shards_module, "MERGED_BYTES", 100_000)
    points = opened()
    commits = [[done(0, 500 * i, 500 * (i + 1))] for i in range(30)]  # 12 kB each
    nearly_full = set()
    for parts in commits:
        points.commit(parts)
        sizes = {path: path.stat().st_size for path in Shards.files(directory)}
        assert nearly_full <= sizes.keys()
        nearly_full = {path for path, size in sizes.items() if size > 50_000}
    assert max(sizes.values()) <= 100_000
    assert len(sizes) < 15
    assert_told(points, in_memory(*commits))


def test_only_the_one_that_is_alone_merges_the_shards_of_others(directory, opened, monkeypatch):
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 4)
    for i in range(3):
        opened().commit([done(0, i, i + 1)])
    others = set(Shards.files(directory))
    points = opened()
    for i in range(4):
        points.commit([done(1, i, i + 1)])
    assert others < set(Shards.files(directory))
    opened(alone=True).commit([done(2, 0, 1)])
    assert not others & set(Shards.files(directory))


def test_a_reader_finds_points_again_that_another_process_has_merged(opened, monkeypatch):
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 4)
    writer = opened()
    for i in range(3):
        writer.commit([done(cell, i, i + 1) for cell in range(3)])
    reader = opened()
    blocks = reader.blocks()
    first = next(blocks)
    writer.commit([done(cell, 3, 4) for cell in range(3)])
    rest = list(blocks)
    assert (first.cell, first.networks.tolist()) == (0, [0, 1, 2])
    assert [(block.cell, block.networks[:3].tolist()) for block in rest] == [(1, [0, 1, 2]), (2, [0, 1, 2])]


def test_a_directory_can_be_read_while_it_is_written_and_merged(opened, monkeypatch):
    """Files vanish between listing and opening; yet every reader knows all that was safe when it started."""
    monkeypatch.setattr(shards_module, "MERGED_SHARDS", 2)
    writer = opened()
    safe = 0

    def write():
        nonlocal safe
        for i in range(40):
            writer.commit([done(0, i, i + 1)])
            safe = i + 1

    thread = threading.Thread(target=write)
    thread.start()
    while thread.is_alive():
        least = safe
        reader = opened(read_only=True)
        assert reader.ranges.get(0, ()) == () or len(reader.ranges[0]) >= least
        told = sum(len(block.networks) for block in reader.blocks())
        assert told >= least
    thread.join()
    assert len(opened().ranges[0]) == 40


def test_a_reader_changes_nothing(directory, opened):
    opened(read_only=True)
    assert not directory.exists()
    opened().commit([done(0, 0, 2)])
    leftover = directory / ".shard-0123456789abcdef.h5.01234567.part"
    leftover.write_bytes(b"half")
    before = contents(directory)
    assert_told(opened(read_only=True, alone=True), in_memory([done(0, 0, 2)]))
    assert contents(directory) == before


def test_what_killed_writers_left_goes_when_nobody_else_can_be_writing(directory, opened):
    opened().commit([done(0, 0, 2)])
    leftover = directory / ".shard-0123456789abcdef.h5.01234567.part"
    leftover.write_bytes(b"half")
    assert len(opened().ranges[0]) == 2
    assert leftover.exists()
    assert len(opened(alone=True).ranges[0]) == 2
    assert not leftover.exists()


def test_remove_takes_what_is_ours_and_nothing_else(directory, opened):
    opened().commit([done(0, 0, 2)])
    (directory / ".shard-0123456789abcdef.h5.01234567.part").write_bytes(b"half")
    (directory / "notes.txt").write_text("mine")
    Shards.remove(directory)
    assert contents(directory) == {"notes.txt": b"mine"}
    (directory / "notes.txt").unlink()
    Shards.remove(directory)
    assert not directory.exists()
    Shards.remove(directory)


def test_a_full_disk_is_a_clear_error_and_points_are_not_called_finished(directory, opened):
    points = opened()
    points.commit([done(0, 0, 2)])
    before = contents(directory)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(RunError, match="free some space") as error:
            points.commit([done(0, 2, 4)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.value.exit_status == 1
    assert points.ranges[0].all == [(0, 2)]
    assert contents(directory) == before
    points.commit([done(0, 2, 4)])
    assert_told(opened(), in_memory([done(0, 0, 4)]))


def test_no_more_than_a_few_windows_are_in_memory(opened):
    """200,000 points of 26 MB in ten shards, each with a piece of every cell: the hardest order to read them in."""
    n_cells, n_networks, n_shards, n_trials = 100, 200, 10, 16
    cells = [Cell(size, 0.0) for size in range(n_cells)]
    points = opened(cells)
    for i in range(n_shards):
        first = i * n_networks
        points.commit(
            [
                FinishedPart(
                    Part(cell, first, first + n_networks), {"x": np.full((n_networks, n_trials), 1.0 * cell)}
                )
                for cell in range(n_cells)
            ]
        )
    points = opened(cells)
    n_told = 0
    tracemalloc.start()
    for block in points.blocks():
        assert (block.columns["x"] == block.cell).all()
        n_told += len(block.networks)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n_told == n_cells * n_networks * n_shards
    assert peak < 200_000 * n_trials * 8 / 4


@dataclass
class Content:
    """What `write_shard` writes, to be spoilt."""

    header: dict = field(
        default_factory=lambda: {
            "experiment": EXPERIMENT,
            "seed": SEED,
            "level": 0,
            "cells": [msgspec.to_builtins(CELLS[1])],
            "ranges": [(0, 0, 4)],
            "failures": [],
        }
    )
    columns: dict = field(default_factory=lambda: columns_of(1, range(4)))

    def write(self, path):
        write_shard(path, Header(**self.header), self.columns)


def spoil_header(path, **changes):
    content = Content()
    content.header |= changes
    content.write(path)


def spoil_columns(path, **changes):
    content = Content()
    content.columns |= changes
    content.write(path)


def without_columns(path):
    content = Content()
    content.columns = {}
    content.write(path)


def spoil_attribute(path, **changes):
    Content().write(path)
    with h5py.File(path, "r+") as file:
        file.attrs.update(changes)


def without(path, name):
    Content().write(path)
    with h5py.File(path, "r+") as file:
        del file[name]


def truncated(path):
    Content().write(path)
    path.write_bytes(path.read_bytes()[:-100])


def flipped_byte(path):
    Content().write(path)
    with h5py.File(path) as file:
        place = file["overlap"].id.get_chunk_info(0).byte_offset
    data = bytearray(path.read_bytes())
    data[place + 11] ^= 1
    path.write_bytes(data)


def foreign(path):
    with h5py.File(path, "w") as file:
        file["header"] = np.arange(3)


def link_to_elsewhere(path):
    without(path, "n_sweeps")
    with h5py.File(path, "r+") as file:
        file["n_sweeps"] = h5py.ExternalLink("other.h5", "n_sweeps")


def not_boolean(path):
    spoil_columns(path, converged=np.full((4, 2), 3, np.int8))
    with h5py.File(path, "r+") as file:
        file["converged"].attrs["dtype"] = "bool"


def text_in_the_header(path):
    without(path, "header")
    with h5py.File(path, "r+") as file:
        file["header"] = np.frombuffer(b"[" * 100_000, np.uint8)


SPOILT = {
    "truncated": (truncated, "truncated"),
    "empty": (lambda path: path.write_bytes(b""), "not an HDF5 file"),
    "text": (lambda path: path.write_text("points"), "not an HDF5 file"),
    "flipped byte": (flipped_byte, "damaged"),
    "foreign": (foreign, "not a hopsim shard"),
    "a hopsim run": (partial(spoil_attribute, format="hopsim run"), "not a hopsim shard"),
    "newer format": (partial(spoil_attribute, format_version=2), "format version 2.*knows 1"),
    "other hopsim": (
        partial(spoil_attribute, hopsim_version="99.1"),
        "hopsim 99.1.*finish with that version",
    ),
    "no header": (partial(without, name="header"), "no header"),
    "header of something else": (text_in_the_header, "header"),
    "seed of text": (partial(spoil_header, seed="7"), r"\$.seed"),
    "fewer rows than the ranges say": (partial(spoil_header, ranges=[(0, 0, 5)]), "for 5 points"),
    "more rows than the ranges say": (partial(spoil_header, ranges=[(0, 0, 2), (0, 2, 3)]), "for 3 points"),
    "a column too short": (partial(spoil_columns, n_sweeps=np.zeros(3, np.int32)), "n_sweeps"),
    "no columns": (without_columns, "4 points in 0 columns"),
    "empty range": (partial(spoil_header, ranges=[(0, 0, 4), (0, 7, 7)]), "impossible range"),
    "range of no cell": (partial(spoil_header, ranges=[(1, 0, 4)]), "impossible range"),
    "negative range": (partial(spoil_header, ranges=[(0, -4, 0)]), "header"),
    "enormous range": (partial(spoil_header, ranges=[(0, 0, 2**64)]), "header"),
    "failure of no cell": (partial(spoil_header, failures=[(3, 0, "boom")]), "failure of no cell"),
    "not boolean": (not_boolean, "converged.*boolean"),
    "complex column": (partial(spoil_columns, n_sweeps=np.zeros(4, complex)), "n_sweeps.*type"),
    "external link": (link_to_elsewhere, "external link"),
    "a column of another type": (
        partial(spoil_columns, n_sweeps=np.zeros(4)),
        "n_sweeps float64.*n_sweeps int32",
    ),
    "columns of another shape": (partial(spoil_columns, overlap=np.zeros((4, 3))), r"overlap float64 \[3\]"),
    "one column more": (partial(spoil_columns, energy=np.zeros(4)), "energy float64"),
}


@pytest.mark.parametrize(("spoil", "problem"), SPOILT.values(), ids=SPOILT.keys())
def test_a_spoilt_shard_is_one_line_that_names_it_and_nothing_is_changed(directory, opened, spoil, problem):
    opened().commit([done(0, 0, 2)])
    path = directory / "shard-ffffffffffffffff.h5"  # read after the good one
    spoil(path)
    (directory / ".shard-0123456789abcdef.h5.01234567.part").write_bytes(b"half")
    before = contents(directory)
    with pytest.raises(InputError, match=problem) as error:
        opened(alone=True)
    assert error.value.subject == str(path)
    assert "remove" in error.value.problem  # how to mend it
    assert "\n" not in str(error.value)
    assert len(error.value.problem) < 500
    assert contents(directory) == before
    path.unlink()
    assert_told(opened(alone=True), in_memory([done(0, 0, 2)]))


def test_unspoilt_content_is_accepted(directory, opened):
    """The tests above fail for the reason they give."""
    opened().commit([done(0, 0, 2)])
    Content().write(directory / "shard-ffffffffffffffff.h5")
    assert_told(opened(), in_memory([done(0, 0, 2), done(1, 0, 4)]))


def test_no_flipped_byte_goes_unnoticed(tmp_path):
    """Every third byte of a shard outside the columns, and every 4999th inside, is flipped in turn."""
    path = tmp_path / "shard.h5"
    n_points = 3 * CHUNK_BYTES // 8
    header = Header(EXPERIMENT, SEED, 0, [{"size": 1}], [(0, 0, n_points)], [(0, n_points, "boom")])
    write_shard(path, header, {"x": np.random.default_rng(2).random(n_points)})
    data = path.read_bytes()
    with h5py.File(path) as file:
        chunks = [file["x"].id.get_chunk_info(i) for i in range(file["x"].id.get_num_chunks())]
    inside = np.zeros(len(data), bool)
    for chunk in chunks:
        inside[chunk.byte_offset : chunk.byte_offset + chunk.size] = True
    assert len(chunks) == 3
    places = [*np.flatnonzero(~inside)[::3], *np.flatnonzero(inside)[::4999]]
    for place in places:
        path.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        with pytest.raises(InputError):
            read_shard(path)


def test_rows_are_read_in_pieces(tmp_path):
    path = tmp_path / "shard.h5"
    columns = columns_of(0, np.arange(50_000))
    write_shard(path, Header(EXPERIMENT, SEED, 0, [{}], [(0, 0, 50_000)], []), columns)
    for first, last in [(0, 1), (4_000, 4_200), (49_999, 50_000), (0, 50_000)]:
        rows = read_rows(path, first, last)
        assert list(rows) == list(columns)
        for name, column in columns.items():
            np.testing.assert_array_equal(rows[name], column[first:last], strict=True)


def test_columns_that_do_not_fit_the_shards_there_are_not_written(directory, opened):
    points = opened()
    points.commit([done(0, 0, 2)])
    before = contents(directory)
    with pytest.raises(InputError, match="overlap float64"):
        points.commit([done(0, 2, 4, n_trials=5)])
    assert contents(directory) == before
    assert points.ranges[0].all == [(0, 2)]


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    file = tmp_path / "RUN.h5.shards"
    file.write_text("")
    for path in (file, tmp_path / "missing" / "RUN.h5.shards"):
        with pytest.raises(InputError) as error:
            Shards.open(path, EXPERIMENT, SEED, CELLS)
        assert error.value.subject == str(path)


def test_identity_is_what_a_cell_is():
    """It depends on experiment, seed and each field, not on the order of fields nor on struct or dict."""
    cell = Cell(10, 0.1)
    same = identity("a", 1, cell)
    assert identity("a", 1, {"rule": "β", "heat": 0.1, "size": 10}) == same
    assert identity("a", 1, msgspec.json.decode(msgspec.json.encode(cell))) == same
    others = [("b", 1, cell), ("a", 2, cell), ("a", 1, Cell(10, 0.1 + 1e-16)), ("a", 1, Cell(11, 0.1))]
    assert len({same, *(identity(*other) for other in others)}) == 5
    assert len(same) == 32
