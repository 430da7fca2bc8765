"""Sweeps of many small networks: what everything but the physics costs, beside a pool of processes and plain Dask."""

import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from bench import peers
from bench.harness import Report, measure, ratio, spread
from hopsim.experiments import hopfield_capacity, recall_point
from hopsim.experiments.finished_points import FinishedPart, Part
from hopsim.experiments.hopfield_capacity import HopfieldCapacity
from hopsim.experiments.observer import Observer
from hopsim.sampling.threads import using_threads
from hopsim.storage.run_file import write_run
from hopsim.sweeps.local_engine import local_engine
from hopsim.sweeps.output import open_output, remove_shards, shard_directory
from hopsim.sweeps.result_file import column_records
from hopsim.sweeps.sweep import WHOLE, Engine, run_sweep

SEED = 1
N_NEURONS, LOAD = 500, 0.14
BATCH_POINTS = 20_000  # that the engine which does nothing gives at a time
MEMORY_POINTS = (10_000, 1_000_000)
SMALL_NEURONS = 100  # where what a task costs shows


def run(quick: bool) -> Report:
    """Run the whole bench."""
    report = Report("sweeps", quick)
    time_points(report, 10_000 if quick else 100_000, 1 if quick else 3)
    time_peers(report, 3 if quick else 5)
    time_bookkeeping(report, 100_000 if quick else 1_000_000, 3 if quick else 5)
    measure_memory(report)
    time_dask(report, 5_000 if quick else 50_000)
    return report.finish()


def configuration(n_points: int, n_neurons: int = N_NEURONS) -> HopfieldCapacity:
    """One cell with so many networks, one recall each."""
    return HopfieldCapacity(seed=SEED, n_neurons=(n_neurons,), loads=(LOAD,), n_networks=n_points, n_trials=1)


def run_to_file(n_points: int, engine: Engine, directory: Path, n_neurons: int = N_NEURONS) -> int:
    """Run a sweep as the command does, shards and file included; returns the bytes of the file."""
    path = directory / "run.h5"
    chosen = configuration(n_points, n_neurons)
    with open_output(
        path, hopfield_capacity, chosen, resume=False, force=True, share=WHOLE, message=print
    ) as points:
        run_sweep(hopfield_capacity, chosen, points, engine, Observer())
        records, columns = column_records(hopfield_capacity, chosen, points)
        write_run(
            path,
            records,
            experiment=hopfield_capacity.EXPERIMENT,
            configuration={},
            seed=SEED,
            command=None,
            started=datetime.now(UTC),
            force=True,
            columns=columns,
        )
        remove_shards(shard_directory(path))
    return path.stat().st_size


class CompiledTime:
    """Sums the time within the compiled call while its ``with`` block lasts."""

    def __enter__(self) -> "CompiledTime":
        self.seconds = 0.0
        self.kernel = recall_point.recall_jobs
        recall_point.recall_jobs = self._timed
        return self

    def __exit__(self, *error: object) -> None:
        recall_point.recall_jobs = self.kernel

    def _timed(self, *arguments: object) -> None:
        began = time.perf_counter()
        self.kernel(*arguments)
        self.seconds += time.perf_counter() - began


def time_points(report: Report, n_points: int, n_rounds: int) -> None:
    """Capacity points at N = 500 from nothing to the file, and how much of the time is compiled code."""
    task = f"{n_points:,} capacity points, N = {N_NEURONS}, load {LOAD}, one trial each, all threads"
    seconds, shares = [], []
    with tempfile.TemporaryDirectory() as directory:
        run_to_file(1000, local_engine(None), Path(directory))
        for _ in range(n_rounds):
            with CompiledTime() as compiled:
                began = time.perf_counter()
                n_bytes = run_to_file(n_points, local_engine(None), Path(directory))
                seconds.append(time.perf_counter() - began)
            shares.append(1 - compiled.seconds / seconds[-1])
    report.add(task, "points a second", spread(n_points / np.array(seconds)), "/s")
    report.add(task, "a point", spread(1e6 * np.array(seconds) / n_points), "us")
    report.add(task, "time outside compiled code", spread(100 * np.array(shares)), "%")
    report.add_number(task, "file", n_bytes / n_points, "bytes a point")
    report.promise("time outside compiled code", 100 * float(np.median(shares)), "at most", 10.0, "%")
    report.promise("file", n_bytes / n_points, "at most", 100.0, "bytes a point")


def _peer_points(program: str, network: int) -> float:
    """What a researcher's script does for one point: draw patterns, store, recall the first, take its overlap."""
    generator = np.random.default_rng([SEED, network])
    patterns = generator.choice(np.array([-1, 1], np.int8), (round(LOAD * N_NEURONS), N_NEURONS))
    contender = {"numpy": peers.NUMPY, "numba": peers.NAIVE}[program]
    state = contender.recall(contender.store(patterns), patterns[0])
    return float(state @ patterns[0]) / N_NEURONS


def time_peers(report: Report, n_rounds: int) -> None:
    """The same points by a pool of processes, one a core, with numpy and with naive numba; and by hopsim in memory."""
    task = f"peers, points at N = {N_NEURONS}: patterns, network, recall"
    n_cores, n_points = multiprocessing.cpu_count(), 1000
    chosen = configuration(n_points)
    with multiprocessing.get_context("spawn").Pool(n_cores) as pool:
        contenders = {
            "hopsim": lambda _: hopfield_capacity.run(chosen, Observer()),
            f"numpy, pool of {n_cores}": lambda _: pool.map(
                partial(_peer_points, "numpy"), range(n_points), 50
            ),
            f"naive numba, pool of {n_cores}": lambda _: pool.map(
                partial(_peer_points, "numba"), range(n_points), 50
            ),
        }
        timings = measure(contenders, n_rounds)
    for name, timing in timings.items():
        report.add(task, name, spread(n_points / timing.seconds), "points a second")
    for name in list(timings)[1:]:
        report.add(task, f"{name}: times as long", ratio(timings[name], timings["hopsim"]), "x")


def idle_engine(
    seed: int, cells: object, parts: Iterator[Part], tick: object
) -> Iterator[list[FinishedPart]]:
    """Give points without computing any."""
    for cell, first, last in parts:
        for begin in range(first, last, BATCH_POINTS):
            part = Part(cell, begin, min(begin + BATCH_POINTS, last))
            networks = np.arange(part.first, part.last)[:, None]
            columns = {
                "overlap": 1.0 - 2.0 * (networks * 7919 % 250) / N_NEURONS,
                "n_sweeps": (networks * 104729 % 31).astype(np.int32),
                "converged": networks % 97 > 0,
            }
            yield [FinishedPart(part, columns)]


def time_bookkeeping(report: Report, n_points: int, n_rounds: int) -> None:
    """An engine that computes nothing: ledger, shards, statistics, merging, file."""
    task = f"bookkeeping and shards alone, {n_points:,} points"
    with tempfile.TemporaryDirectory() as directory:
        timing = measure({"all": lambda _: run_to_file(n_points, idle_engine, Path(directory))}, n_rounds)[
            "all"
        ]
    rate = spread(n_points / timing.seconds)
    report.add(task, "points a second", rate, "/s")
    report.promise("bookkeeping and shards", rate.median, "at least", 500_000.0, "points a second")


def measure_memory(report: Report) -> None:
    """Peak memory of a process that runs a sweep of few points and of many."""
    task = "peak memory of a sweep, its points not computed"
    peaks = []
    for n_points in MEMORY_POINTS:
        command = [sys.executable, "-c", f"from bench.sweeps import print_peak; print_peak({n_points})"]
        peaks.append(int(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        report.add_number(task, f"{n_points:,} points", peaks[-1] / 1e6, "MB")
    report.add_number(
        task, "growth", (peaks[1] - peaks[0]) / (MEMORY_POINTS[1] - MEMORY_POINTS[0]), "bytes a point"
    )
    report.promise("memory, 10^6 points over 10^4", peaks[1] / peaks[0], "at most", 1.25, "x")


def print_peak(n_points: int) -> None:
    """Run a sweep and print this process's peak memory in bytes."""
    with tempfile.TemporaryDirectory() as directory:
        run_to_file(n_points, idle_engine, Path(directory))
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def _one_point(network: int) -> list[FinishedPart]:
    with using_threads(1):
        cells = hopfield_capacity.cells(configuration(1, SMALL_NEURONS))
        return recall_point.recall_parts(SEED, cells, [Part(0, network, network + 1)], lambda: None)


def time_dask(report: Report, n_points: int) -> None:
    """Tiny points by Dask in hopsim's batches, by Dask a task each, and in this process."""
    task = f"Dask, two workers on this machine, points of N = {SMALL_NEURONS}"
    try:
        from distributed import Client, LocalCluster
    except ImportError:
        report.add_missing(task, "Dask", "not installed: pip install -e '.[cluster]'")
        return
    from hopsim.sweeps.dask_engine import dask_parts

    few = 500
    with (
        tempfile.TemporaryDirectory() as directory,
        LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None, local_directory=directory
        ) as cluster,
        Client(cluster) as client,
    ):
        batched = partial(dask_parts, scheduler=cluster.scheduler_address)
        run_to_file(1000, batched, Path(directory), SMALL_NEURONS)
        seconds = {}
        for name, engine in (
            ("hopsim, --engine dask", batched),
            ("hopsim, --engine local", local_engine(None)),
        ):
            began = time.perf_counter()
            run_to_file(n_points, engine, Path(directory), SMALL_NEURONS)
            seconds[name] = (time.perf_counter() - began) / n_points
        client.gather(client.map(_one_point, range(few), pure=False))
        began = time.perf_counter()
        client.gather(client.map(_one_point, range(few), pure=False))
        seconds["plain Dask, a task a point"] = (time.perf_counter() - began) / few
    for name, each in seconds.items():
        report.add_number(task, name, 1e6 * each, "us a point")
    report.add_number(
        task,
        "a task a point: times as long",
        seconds["plain Dask, a task a point"] / seconds["hopsim, --engine dask"],
        "x",
    )
