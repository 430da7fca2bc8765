"""The engine that runs points on Dask: in worker processes of this machine, or of a cluster.

A task is a batch of points that takes most of a second, so that Dask's own time, some milliseconds a task, does not
show; a few tasks are under way for each worker, so that the memory for them stays small. Dask runs a task at least
once. A worker that dies takes nothing with it: its batches are run again in pieces, down to single points, and only
a point that kills workers although it runs alone is given up.
"""

import math
import pickle
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from queue import Empty, SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from hopsim.errors import HopsimError, RunError
from hopsim.experiments.finished_points import FinishedPart, Part
from hopsim.experiments.point_batches import FIRST_PACE, GROWTH, WaitingParts, run_parts
from hopsim.experiments.recall_point import RecallCell
from hopsim.sampling.threads import using_threads
from hopsim.storage.provenance import hopsim_version
from hopsim.sweeps.dask_cluster import TICK_SECONDS, connected_client, while_ticking

if TYPE_CHECKING:
    from distributed import Client, Future

TASK_SECONDS = 0.75  # aim of a task
PATIENCE_SECONDS = 60.0  # without any worker, of our own
QUEUE_SECONDS = 12 * 3600.0  # the same of a cluster, where jobs wait in a queue
TASKS_A_WORKER = 2  # under way: one that runs and one that waits
N_DEATHS = 3  # of workers on one point that runs alone, before it is given up
N_PIECES = 16  # of a batch whose worker died
COUNT_SECONDS = 0.5  # between two looks at how many workers there are

RunBatch = Callable[[int, Sequence[RecallCell], Sequence[Part]], list[FinishedPart]]


def run_batch(seed: int, cells: Sequence[RecallCell], parts: Sequence[Part]) -> list[FinishedPart]:
    """Run parts on one thread of this process."""
    with using_threads(1):
        return [finished for batch in run_parts(seed, cells, parts, lambda: None) for finished in batch]


def dask_parts(
    seed: int,
    cells: Sequence[RecallCell],
    parts: Iterable[Part],
    tick: Callable[[], None],
    *,
    scheduler: str | None = None,
    n_workers: int | None = None,
    patience_seconds: float | None = None,
    run_batch: RunBatch = run_batch,
) -> Generator[list[FinishedPart], None, None]:
    """Run parts on Dask's workers and give what is finished, in the order in which it finishes.

    Parameters
    ----------
    seed : int
    cells : sequence of RecallCell
    parts : iterable of Part
        Cut into smaller ones where that keeps tasks short.
    tick : callable
        Called at least four times a second while waiting; may raise to stop, and what is under way is dropped.
    scheduler : str, optional
        Address of a Dask scheduler, ``tcp://HOST:PORT``; by default worker processes are started here.
    n_workers : int, optional
        How many to start here, by default one a core.
    patience_seconds : float, optional
        How long to wait while there is no worker at all, by default a minute here and 12 hours on a cluster.
    run_batch : callable
        What a worker does with a batch.

    Yields
    ------
    list of FinishedPart
        With the same bits as those of `run_parts`. A point that fails, or kills its worker, has its cause instead.

    Raises
    ------
    InputError
        If Dask is not installed or `scheduler` is no address.
    RunError
        If the scheduler does not answer or goes away, there are no workers, or theirs is another hopsim.
    """
    if patience_seconds is None:
        patience_seconds = PATIENCE_SECONDS if scheduler is None else QUEUE_SECONDS
    with connected_client(scheduler, n_workers, tick) as client:
        run_pickled = _runs_anywhere()
        batches = _Batches(cells, parts)
        workers = _Workers(client, tick, patience_seconds)
        under_way: dict[Future, list[Part]] = {}
        landed: SimpleQueue[Future] = SimpleQueue()
        while True:
            while len(under_way) < workers.most_tasks() and (batch := batches.take(alone=not under_way)):
                task = Task.of(seed, cells, batch, run_batch)
                future = client.submit(run_pickled, pickle.dumps(task), pure=False)
                under_way[future] = batch
                future.add_done_callback(landed.put)
            if not under_way:
                return
            tick()
            try:
                future = landed.get(timeout=TICK_SECONDS)
            except Empty:
                continue
            batch, outcome = under_way.pop(future), workers.outcome(future)
            if isinstance(outcome, Outcome):
                batches.note_time(batch, outcome.seconds)
                yield outcome.finished
            elif given_up := batches.put_back(batch, outcome):
                yield [given_up]


def _runs_anywhere() -> Callable[[bytes], "Outcome"]:
    """Return what to submit: a message that names hopsim breaks the connection of a worker that cannot import it."""

    def run_pickled(task: bytes) -> Outcome:  # a local function travels as its code
        import pickle

        from hopsim.sweeps.dask_engine import run_task

        return run_task(pickle.loads(task))

    return run_pickled


class Outcome(NamedTuple):
    """What a task gives: points and the time they took, or why this worker cannot run any."""

    finished: list[FinishedPart]
    seconds: float
    refusal: str | None = None


class Task(msgspec.Struct, frozen=True):
    """A batch on its way to a worker, with the cells that it is of and no others."""

    version: str
    seed: int
    numbers: list[int]  # of the cells in the study
    cells: list[RecallCell]
    parts: list[Part]  # of these cells
    run_batch: RunBatch

    @classmethod
    def of(cls, seed: int, cells: Sequence[RecallCell], parts: list[Part], run_batch: RunBatch) -> "Task":
        """Return the task for some parts of a study's cells."""
        numbers = sorted({part.cell for part in parts})
        packed = [part._replace(cell=numbers.index(part.cell)) for part in parts]
        return cls(hopsim_version(), seed, numbers, [cells[n] for n in numbers], packed, run_batch)


# a worker may have many threads, and compiled code must not be called from two at once
_one_task_at_a_time = Lock()


def run_task(task: Task) -> Outcome:
    """Run a task: on a worker."""
    if hopsim_version() != task.version:
        return Outcome([], 0.0, f"hopsim {hopsim_version()} on a worker, but {task.version} here")
    with _one_task_at_a_time:
        began = time.perf_counter()
        finished = [
            each._replace(part=each.part._replace(cell=task.numbers[each.part.cell]))
            for each in _surviving(task, task.parts)
        ]
        return Outcome(finished, time.perf_counter() - began)


def _surviving(task: Task, parts: list[Part]) -> list[FinishedPart]:
    """Run parts, and where that fails, their halves, down to the points that fail."""
    try:
        return task.run_batch(task.seed, task.cells, parts)
    except ImportError:  # no point's fault
        raise
    except Exception as problem:
        halves = split(parts, 2)
        if len(halves) == 1:
            return [FinishedPart(parts[0], {}, _in_one_line(problem))]
    return [each for half in halves for each in _surviving(task, half)]


def _in_one_line(problem: Exception) -> str:
    text = str(problem) if isinstance(problem, HopsimError) else f"{type(problem).__name__}: {problem}"
    return " ".join(text.split())


def split(parts: Sequence[Part], n_pieces: int) -> list[list[Part]]:
    """Cut parts into pieces of equally many points, the last perhaps of fewer.

    Examples
    --------
    >>> split([Part(0, 0, 3), Part(1, 0, 2)], 2)
    [[Part(cell=0, first=0, last=3)], [Part(cell=1, first=0, last=2)]]
    """
    room = size = -(-sum(last - first for _, first, last in parts) // n_pieces)
    pieces: list[list[Part]] = [[]]
    for cell, first, last in parts:
        begin = first
        while begin < last:
            if room == 0:
                pieces.append([])
                room = size
            end = min(last, begin + room)
            pieces[-1].append(Part(cell, begin, end))
            room -= end - begin
            begin = end
    return pieces


class _Batches:
    """What is still to be run, in batches whose size follows from the time of earlier ones."""

    def __init__(self, cells: Sequence[RecallCell], parts: Iterable[Part]) -> None:
        self.cells = cells
        self.waiting = WaitingParts(cells, parts)
        self.pace = FIRST_PACE
        self.suspects: deque[list[Part]] = deque()  # their workers died
        self.n_deaths: dict[Part, int] = {}  # of workers on points that ran alone
        self.lonely: deque[Part] = deque()  # points to be run alone

    def take(self, alone: bool) -> list[Part]:
        """Take the next batch; points that must run alone come last, when nothing else is under way."""
        if self.suspects:
            return self.suspects.popleft()
        if batch := self.waiting.take(TASK_SECONDS * self.pace):
            return batch
        return [self.lonely.popleft()] if alone and self.lonely else []

    def note_time(self, batch: list[Part], seconds: float) -> None:
        """Learn from the time that a batch took."""
        guessed = sum(self.cells[part.cell].seconds() * (part.last - part.first) for part in batch)
        self.pace = min(guessed / max(seconds, 1e-9), GROWTH * self.pace)

    def put_back(self, batch: list[Part], n_deaths: int) -> FinishedPart | None:
        """Take back a batch that so many workers died of, perhaps for another batch's sake; a point may be given up."""
        pieces = split(batch, N_PIECES)
        if len(pieces) > 1:
            self.suspects.extend(pieces)
            return None
        part = batch[0]
        self.n_deaths[part] = self.n_deaths[part] + n_deaths if part in self.n_deaths else 0
        if self.n_deaths[part] >= N_DEATHS:
            return FinishedPart(part, {}, f"its worker process died, {self.n_deaths[part]} times")
        self.lonely.append(part)
        return None


class _Workers:
    """The workers behind a client: how many there are, and what came of the tasks they were given."""

    def __init__(self, client: "Client", tick: Callable[[], None], patience_seconds: float) -> None:
        self.client = client
        self.tick = tick
        self.patience_seconds = patience_seconds
        self.n_workers = 0
        self.counted = -math.inf
        self.seen = time.monotonic()

    def most_tasks(self) -> int:
        """Return how many tasks may be under way."""
        if self.client.status != "running":
            raise _gone()
        now = time.monotonic()
        if now - self.counted >= COUNT_SECONDS:
            self.counted = now
            self.n_workers = while_ticking(self._count, self.tick)
            if self.n_workers:
                self.seen = now
            elif now - self.seen > self.patience_seconds:
                raise RunError(
                    "scheduler",
                    f"no worker for {self.patience_seconds:.0f} s; start some, and run again with --resume",
                )
        return TASKS_A_WORKER * max(1, self.n_workers)

    def outcome(self, future: "Future") -> Outcome | int:
        """Return what came of a task, or how many workers died of it."""
        outcome = while_ticking(lambda: _outcome(future), self.tick)
        if isinstance(outcome, Outcome) and outcome.refusal is not None:
            raise RunError("scheduler", f"{outcome.refusal}; workers need the same hopsim")
        return outcome

    def _count(self) -> int:
        try:
            return len(self.client.nthreads())
        except Exception:
            raise _gone() from None


def _outcome(future: "Future") -> Outcome | int:
    from distributed import CancelledError, KilledWorker

    try:
        return future.result()
    except KilledWorker as death:
        return death.allowed_failures + 1
    except CancelledError:
        raise _gone() from None
    except Exception as problem:  # the task catches what a point raises: this worker has no hopsim to run it
        return Outcome([], 0.0, f"a worker cannot run hopsim {hopsim_version()} ({_in_one_line(problem)})")


def _gone() -> RunError:
    return RunError("scheduler", "the connection is lost; what is finished is kept: run again with --resume")
