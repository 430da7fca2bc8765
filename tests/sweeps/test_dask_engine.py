"""Dask as an engine: the same bits from worker processes, whatever becomes of them."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
import types
from contextlib import closing
from pathlib import Path

import fateful_batches
import pytest

from hopsim.errors import InputError, Interrupted, RunError
from hopsim.experiments.finished_points import Part
from hopsim.experiments.point_batches import run_parts
from hopsim.experiments.recall_point import RecallCell
from hopsim.sweeps import dask_cluster, dask_engine
from hopsim.sweeps.dask_engine import N_DEATHS, dask_parts, split

SEED = 5
SETTINGS = {"n_trials": 2, "flip": 0.1, "order": "random"}
AT_REST = {"temperature": 0.0, "max_sweeps": 50, "burn_in": 0, "n_sweeps": 0}
WARM = {"temperature": 0.3, "max_sweeps": 0, "burn_in": 5, "n_sweeps": 10}
CELLS = [
    RecallCell.at(60, 8, rule="hebbian", **SETTINGS, **AT_REST),
    RecallCell.at(60, 9, rule="hebbian", **SETTINGS, **WARM),
    RecallCell.at(50, 10, rule="pseudo_inverse", **SETTINGS, **AT_REST),
]
PARTS = [Part(0, 0, 80), Part(2, 3, 9), Part(1, 0, 50), Part(0, 80, 90)]
POINTS = {(cell, k) for cell, first, last in PARTS for k in range(first, last)}


def nothing():
    """A tick that asks for nothing."""


def rows(batches):
    """What each point gave, as bytes, and the failures."""
    finished, failures = {}, {}
    for batch in batches:
        for (cell, first, last), columns, failure in batch:
            for k in range(first, last):
                if failure is None:
                    finished[cell, k] = {
                        name: column[k - first].tobytes() for name, column in columns.items()
                    }
                else:
                    failures[cell, k] = failure
    return finished, failures


@pytest.fixture(scope="module")
def expected():
    """The rows of all points, run in this process."""
    finished, failures = rows(run_parts(SEED, CELLS, PARTS, nothing))
    assert finished.keys() == POINTS
    assert not failures
    return finished


@pytest.fixture(scope="module")
def scheduler():
    """The address of a scheduler with one worker process, as a cluster has it."""
    with dask_cluster._local_cluster(1) as cluster:
        while not worker_processes():
            time.sleep(0.01)
        yield cluster.scheduler_address


@pytest.fixture
def short_tasks(monkeypatch):
    """Tasks of a few points, so that even the few of a test make many."""
    monkeypatch.setattr(dask_engine, "TASK_SECONDS", 1e-3)


def worker_processes():
    return {child.pid for child in multiprocessing.active_children() if "Dask" in child.name}


def test_two_workers_give_the_same_bits_and_leave_nothing_behind(expected, tmp_path, monkeypatch):
    """Own worker processes: the bits of this process, no files, no processes, no settings."""
    monkeypatch.chdir(tmp_path)
    before, environment = worker_processes(), dict(os.environ)
    ticks = []
    batches = dask_parts(SEED, CELLS, PARTS, lambda: ticks.append(len(worker_processes())), n_workers=2)
    assert rows(batches) == (expected, {})
    assert max(ticks) == len(before) + 2
    assert worker_processes() == before
    assert dict(os.environ) == environment
    assert not list(tmp_path.iterdir())


def test_a_scheduler_somewhere_gives_the_same_bits(expected, scheduler):
    """Workers that others started are used, and go on when the study is done."""
    before = worker_processes()
    assert rows(dask_parts(SEED, CELLS, PARTS, nothing, scheduler=scheduler)) == (expected, {})
    assert worker_processes() == before


def test_a_killed_worker_costs_nothing(expected, short_tasks):
    """SIGKILL for one of two workers in the middle: its batches are run again, to the same bits."""
    before, finished = worker_processes(), []
    for batch in dask_parts(SEED, CELLS, PARTS, nothing, n_workers=2, run_batch=fateful_batches.slow):
        if not finished:
            os.kill(min(worker_processes() - before), signal.SIGKILL)
        finished.append(batch)
    assert len(finished) > 20
    assert rows(finished) == (expected, {})


def test_points_that_kill_or_raise_are_named_and_the_others_finish(expected):
    """A batch is cut down to the point that kills its worker, or raises; no other point is lost."""
    finished, failures = rows(
        dask_parts(SEED, CELLS, PARTS, nothing, n_workers=2, run_batch=fateful_batches.fateful)
    )
    assert failures == {
        (0, fateful_batches.DEADLY): f"its worker process died, {N_DEATHS} times",
        (0, fateful_batches.WRONG): "ZeroDivisionError: division by zero",
        (0, fateful_batches.DIVERGING): "couplings: diverged at step 3",
    }
    assert finished == {point: row for point, row in expected.items() if point not in failures}


@pytest.mark.slow
def test_an_interruption_does_not_wait_for_the_workers(monkeypatch):
    """Workers that would be busy for minutes are killed when tick raises, and Interrupted passes."""
    before, began = worker_processes(), []

    def tick():
        if len(worker_processes()) > len(before):
            began.append(time.monotonic())
        if began and time.monotonic() > began[0] + 4:  # by now they have started
            raise Interrupted

    with pytest.raises(Interrupted):
        list(dask_parts(SEED, CELLS, PARTS, tick, n_workers=1, run_batch=fateful_batches.endless))
    assert time.monotonic() < began[-1] + 5, "a close that waits takes minutes"
    assert worker_processes() == before


@pytest.mark.slow
def test_an_interruption_while_workers_start():
    """The very first tick may raise."""
    before = worker_processes()

    def tick():
        raise Interrupted

    with pytest.raises(Interrupted):
        list(dask_parts(SEED, CELLS, PARTS, tick, n_workers=1))
    assert worker_processes() == before


@pytest.mark.slow
def test_closing_the_generator_ends_the_workers():
    """Whoever stops to listen leaves nothing running."""
    before = worker_processes()
    with closing(dask_parts(SEED, CELLS, PARTS, nothing, n_workers=1)) as batches:
        next(batches)
        assert worker_processes() > before
    assert worker_processes() == before


def closed_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["closed", "silent"])
def test_a_scheduler_that_does_not_answer_is_an_error_of_one_line(kind, monkeypatch, capfd):
    """A closed port, and one that accepts and says nothing: no traceback, no log."""
    monkeypatch.setattr(dask_cluster, "ANSWER_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = closed_port() if kind == "closed" else silent.getsockname()[1]
        with pytest.raises(RunError, match=rf"Dask scheduler at tcp://127.0.0.1:{port}, got no") as error:
            list(dask_parts(SEED, CELLS, PARTS, nothing, scheduler=f"tcp://127.0.0.1:{port}"))
    assert error.value.subject == "scheduler"
    assert "\n" not in str(error.value)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_waiting_for_a_scheduler_can_be_interrupted():
    """Nobody has to wait for an answer that does not come."""
    began = time.monotonic()

    def tick():
        if time.monotonic() > began + 0.5:
            raise Interrupted

    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Interrupted):
        list(dask_parts(SEED, CELLS, PARTS, tick, scheduler=f"127.0.0.1:{silent.getsockname()[1]}"))


@pytest.mark.parametrize(
    "address", ["", "host", "tcp://host", "host:port", "http://host:80", "tcp://:1", "a:99999"]
)
def test_what_is_no_address_is_refused(address):
    """Before anything is tried."""
    with pytest.raises(InputError, match="scheduler: expected an address like tcp://HOST:8786"):
        list(dask_parts(SEED, CELLS, PARTS, nothing, scheduler=address))


@pytest.mark.parametrize("arguments", [{"n_workers": 0}, {"n_workers": 2, "scheduler": "tcp://127.0.0.1:1"}])
def test_workers_that_cannot_be_started_are_refused(arguments):
    """None at all, or beside those of a scheduler."""
    with pytest.raises(InputError, match="n_workers: expected"):
        list(dask_parts(SEED, CELLS, PARTS, nothing, **arguments))


def test_without_dask_the_extra_is_named(monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"engine: .*pip install 'hopsim\[cluster\]'"):
        list(dask_parts(SEED, CELLS, PARTS, nothing))


def test_workers_with_another_hopsim_are_refused(scheduler, monkeypatch):
    """Another version may give other bits: both are named."""
    ours = dask_engine.hopsim_version()
    monkeypatch.setattr(dask_engine, "hopsim_version", lambda: "99.0")
    with pytest.raises(RunError, match=f"hopsim {ours} on a worker, but 99.0 here"):
        list(dask_parts(SEED, CELLS, PARTS, nothing, scheduler=scheduler))


def test_workers_without_the_code_are_refused(scheduler, monkeypatch, capfd):
    """What a worker cannot import ends the study with one line; it is no point's failure."""
    missing = types.ModuleType("missing_on_workers")
    exec("def run(seed, cells, parts): return []", missing.__dict__)
    monkeypatch.setitem(sys.modules, "missing_on_workers", missing)
    with pytest.raises(RunError, match=r"a worker cannot run hopsim .*missing_on_workers") as error:
        list(dask_parts(SEED, CELLS, PARTS, nothing, scheduler=scheduler, run_batch=missing.run))
    assert "\n" not in str(error.value)
    assert capfd.readouterr().err == ""


@pytest.mark.slow
def test_no_worker_at_all_is_an_error_after_some_patience():
    """A scheduler that is left alone."""
    with dask_cluster._local_cluster(1) as cluster:
        cluster.scale(0)
        with pytest.raises(RunError, match="no worker for 1 s"):
            list(
                dask_parts(
                    SEED, CELLS, PARTS, nothing, scheduler=cluster.scheduler_address, patience_seconds=1.0
                )
            )


@pytest.mark.slow
def test_a_cluster_that_goes_away_keeps_what_is_finished(expected, short_tasks):
    """The scheduler dies in the middle: what came is right, and the error says how to go on."""
    finished = []
    with dask_cluster._local_cluster(1) as cluster:
        batches = dask_parts(
            SEED, CELLS, PARTS, nothing, scheduler=cluster.scheduler_address, run_batch=fateful_batches.slow
        )

        def take_all():
            for batch in batches:
                finished.append(batch)
                cluster.close()

        with pytest.raises(RunError, match="run again with --resume"):
            take_all()
    assert finished
    assert rows(finished)[0].items() <= expected.items()


PROGRAM = """
    import signal
    from test_dask_engine import (
        CELLS, SEED, Part, dask_engine, dask_parts, fateful_batches, nothing, worker_processes
    )

    def main():
        for number in (signal.SIGINT, signal.SIGUSR1):
            signal.signal(number, lambda number, frame: None)
        dask_engine.TASK_SECONDS = 1e-3
        parts = [Part(0, 0, 200)]
        for batch in dask_parts(SEED, CELLS, parts, nothing, n_workers=2, run_batch=fateful_batches.slow):
            print(*sorted(worker_processes()), flush=True)

    if __name__ == "__main__":
        main()
"""


@pytest.fixture
def program(tmp_path):
    """A program in a process group of its own that prints its workers after each batch."""
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    path = os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])
    with subprocess.Popen(
        [sys.executable, tmp_path / "program.py"],
        env=os.environ | {"PYTHONPATH": path, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


@pytest.mark.slow
def test_signals_of_the_terminal_and_the_batch_system_are_for_the_program_alone(program):
    """Ctrl-C and SIGUSR1 go to the whole group; no worker dies of them or says a word."""
    first = program.stdout.readline()
    for number in (signal.SIGINT, signal.SIGUSR1):
        os.killpg(program.pid, number)
    rest, errors = program.communicate()
    last = rest.splitlines()[-1]
    assert set(first.split()) <= set(last.split())
    assert len(last.split()) == 2
    assert (program.returncode, errors) == (0, "")


@pytest.mark.slow
def test_workers_do_not_outlive_a_killed_program(program):
    """SIGKILL leaves it no time to tell them."""
    workers = [int(pid) for pid in program.stdout.readline().split()]
    assert workers
    program.kill()
    deadline = time.monotonic() + 30
    while any(Path(f"/proc/{pid}/cmdline").exists() and running(pid) for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def running(pid):
    """Whether a process runs, and is no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_split_keeps_every_point_once():
    """Pieces of equally many points, whatever the parts."""
    for n_pieces in (1, 2, 3, 16, 1000):
        pieces = split(PARTS, n_pieces)
        sizes = [sum(last - first for _, first, last in piece) for piece in pieces]
        assert len(pieces) <= n_pieces
        assert len(set(sizes[:-1])) <= 1
        assert sizes[-1] <= sizes[0]
        assert [(c, k) for piece in pieces for c, a, b in piece for k in range(a, b)] == [
            (c, k) for c, a, b in PARTS for k in range(a, b)
        ]
