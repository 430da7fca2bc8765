"""Running a study with engines that fail, stop, or repeat themselves; and the files that come of it."""

from datetime import UTC, datetime

import click
import numpy as np
import pytest
import xarray

from hopsim.errors import Interrupted, RunError
from hopsim.experiments import hopfield_capacity
from hopsim.experiments.finished_points import FinishedPart, Part, PointsInMemory
from hopsim.experiments.observer import Observer
from hopsim.experiments.point_batches import run_parts
from hopsim.experiments.study import grid_records
from hopsim.storage.run_file import open_run, write_run
from hopsim.sweeps import sweep
from hopsim.sweeps.local_engine import local_engine
from hopsim.sweeps.result_file import column_records, finished_in_run
from hopsim.sweeps.sweep import Share, missing_parts, run_sweep
from hopsim_cli.options import Output
from hopsim_cli.study_running import StudyOutcome

CONFIGURATION = hopfield_capacity.HopfieldCapacity(
    seed=4, n_neurons=(40, 50), loads=(0.1, 0.2), n_networks=6, n_trials=2
)
FAILED = (1, 3)


class Watcher(Observer):
    """Notes what it is told; raises at its tick number `stop_at`."""

    def __init__(self, stop_at=None):
        self.stop_at, self.n_ticks = stop_at, 0
        self.begun, self.told, self.events = None, 0, []

    def begin(self, n_points, unit, n_finished=0):
        self.begun = (n_points, unit, n_finished)

    def tick(self):
        self.n_ticks += 1
        if self.n_ticks == self.stop_at:
            raise Interrupted

    def advance(self, n_points, records):
        self.told += n_points

    def event(self, name, details):
        self.events.append((name, details))


def one_by_one(seed, cells, parts, tick, fail=()):
    """Runs point by point; those listed fail."""
    for cell, first, last in parts:
        for k in range(first, last):
            tick()
            if (cell, k) in fail:
                yield [FinishedPart(Part(cell, k, k + 1), {}, "its worker died 3 times")]
            else:
                yield from run_parts(seed, cells, [Part(cell, k, k + 1)], lambda: None)


def failing(*arguments):
    return one_by_one(*arguments, fail=[FAILED])


def run(points, engine, observer=None, **settings):
    return run_sweep(hopfield_capacity, CONFIGURATION, points, engine, observer or Observer(), **settings)


@pytest.fixture
def whole():
    points = PointsInMemory()
    assert run(points, local_engine(1))
    return grid_records(hopfield_capacity, CONFIGURATION, points)


def write(path, records, columns=None):
    write_run(
        path,
        records,
        experiment=hopfield_capacity.EXPERIMENT,
        configuration={"n_neurons": [40, 50], "loads": [0.1, 0.2], "seed": 4, "n_networks": 6, "n_trials": 2},
        seed=4,
        command=None,
        started=datetime.now(UTC),
        columns=columns,
    )
    return path


def test_a_point_that_fails_is_recorded_and_the_others_finish(whole, tmp_path):
    """Its cause is in both kinds of file; a second run tries it again, and then it is as if it had never failed."""
    points, observer = PointsInMemory(), Watcher()
    assert run(points, failing, observer)
    assert observer.told == 24
    assert points.failures == {FAILED: "its worker died 3 times"}
    assert sum(map(len, points.ranges.values())) == 23
    failed = [each for _, details in observer.events for each in details["failed"]]
    assert failed == [[1, 3, 4, "its worker died 3 times"]]
    grid = grid_records(hopfield_capacity, CONFIGURATION, points)
    assert np.isnan(grid["overlap"][0, 1, 3]).all()
    assert grid["n_finished"].tolist() == [[6, 5], [6, 6]]
    records, columns = column_records(hopfield_capacity, CONFIGURATION, points)
    for name, path in (
        ("grid", write(tmp_path / "grid.h5", grid)),
        ("columns", write(tmp_path / "columns.h5", records, columns)),
    ):
        with xarray.open_dataset(path) as data:
            assert data.failure_cell.values.tolist() == [1], name
            assert data.failure_network.values.tolist() == [3]
            assert data.failure_cause.values.tolist() == ["its worker died 3 times"]
    observer = Watcher()
    assert run(points, local_engine(1), observer)
    assert observer.begun == (24, "network", 23)
    assert not points.failures
    again = grid_records(hopfield_capacity, CONFIGURATION, points)
    assert all(
        np.array_equal(again[name], whole[name], equal_nan=True) for name in whole if name != "network"
    )


def test_points_come_back_from_both_kinds_of_file(whole, tmp_path):
    points = PointsInMemory()
    run(points, failing)
    grid = write(tmp_path / "grid.h5", grid_records(hopfield_capacity, CONFIGURATION, points))
    columns = write(tmp_path / "columns.h5", *column_records(hopfield_capacity, CONFIGURATION, points))
    for path in (grid, columns):
        configuration, parts = finished_in_run(open_run(path), hopfield_capacity)
        assert configuration == CONFIGURATION
        again = PointsInMemory()
        again.commit(parts)
        assert {cell: ranges.all for cell, ranges in again.ranges.items()} == {
            cell: ranges.all for cell, ranges in points.ranges.items()
        }
        for ours, theirs in zip(again.blocks(), points.blocks(), strict=True):
            assert all(np.array_equal(ours.columns[name], theirs.columns[name]) for name in theirs.columns)


@pytest.mark.parametrize("stop_at", [1, 2, 9, 24])
def test_an_interrupted_sweep_keeps_what_it_reported(stop_at):
    points, observer = PointsInMemory(), Watcher(stop_at)
    assert not run(points, one_by_one, observer)
    assert observer.told == sum(map(len, points.ranges.values())) == stop_at - 1
    assert run(points, one_by_one)
    assert not list(missing_parts(points, [6] * 4))


def test_nothing_is_reported_before_it_is_safe():
    """A commit that fails ends the sweep; its points are not reported, those before stay."""

    class FullDisk(PointsInMemory):
        def commit(self, parts):
            if sum(map(len, self.ranges.values())) >= 10:
                raise RunError("shards", "No space left on device")
            super().commit(parts)

    points, observer = FullDisk(), Watcher()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "COMMIT_SECONDS", 0.0)
        with pytest.raises(RunError, match="No space left"):
            run(points, one_by_one, observer)
    assert observer.told == 10
    assert sum(map(len, points.ranges.values())) == 10


def test_an_engine_is_closed_whatever_happens():
    """Its worker processes and threads must not outlive the sweep."""
    closed = []

    def engine(*arguments):
        try:
            yield from one_by_one(*arguments)
        finally:
            closed.append(True)

    class Wrong(PointsInMemory):
        def commit(self, parts):
            raise RunError("shards", "wrong")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sweep, "COMMIT_SECONDS", 0.0)
        with pytest.raises(RunError, match="wrong"):
            run(Wrong(), engine)
    assert closed == [True]


def test_points_that_come_twice_change_nothing(whole):
    """Dask runs a task at least once."""

    def engine(*arguments):
        for finished in one_by_one(*arguments):
            yield finished
            yield finished

    points = PointsInMemory()
    run(points, engine)
    records = grid_records(hopfield_capacity, CONFIGURATION, points)
    assert all(
        np.array_equal(records[name], whole[name], equal_nan=True) for name in whole if name != "network"
    )


@pytest.mark.parametrize("n_shares", [1, 2, 3, 7, 50])
def test_shares_are_disjoint_and_cover_everything(n_shares):
    """Each point belongs to one share; no share is larger than another by more than one point a cell."""
    n_networks = [1, 8, 8, 8, 3, 100]
    seen = []
    for number in range(n_shares):
        parts = list(missing_parts(PointsInMemory(), n_networks, Share(number, n_shares)))
        seen.append({(cell, k) for cell, first, last in parts for k in range(first, last)})
    assert sorted(set.union(*seen)) == [(cell, k) for cell, n in enumerate(n_networks) for k in range(n)]
    assert sum(map(len, seen)) == sum(n_networks)
    for cell in range(len(n_networks)):
        sizes = [sum(c == cell for c, _ in share) for share in seen]
        assert max(sizes) - min(sizes) <= 1


def test_failed_points_are_exit_status_1(capsys):
    """And a line that says how many, and what to do."""

    points = PointsInMemory()
    run(points, failing)
    records = grid_records(hopfield_capacity, CONFIGURATION, points)
    outcome = StudyOutcome(records, Output(None, False, False, False), sweep.WHOLE, True, 24, 0, 1)
    with click.Context(click.Command("capacity")), pytest.raises(click.exceptions.Exit) as end:
        outcome.finish()
    assert end.value.exit_code == 1
    assert "1 points failed, 23 of 24 (network)" in capsys.readouterr().err
