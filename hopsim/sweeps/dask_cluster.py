"""Finding Dask's workers: processes of our own on this machine, or the cluster behind a scheduler's address."""

import asyncio
import logging
import multiprocessing
import os
import signal
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import ExitStack, contextmanager, suppress
from multiprocessing import resource_tracker
from threading import Thread
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from hopsim.errors import InputError, RunError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

ANSWER_SECONDS = 8.0  # that a scheduler may take to answer
TICK_SECONDS = 0.2
_CLIENT_CLOSING_SECONDS = 1.0
_CLUSTER_CLOSING_SECONDS = 5.0  # at most; it takes a third of a second
_NO_PAGES = "127.0.0.1:0"  # Dask serves web pages whatever one says: at least to this machine alone
_WORKER_NAME = "Dask Worker process"
_SCHEMES = ("tcp", "tls", "ws", "wss")
_LOUD = ("distributed", "distributed.client", "distributed.nanny", "tornado.application", "asyncio")

Result = TypeVar("Result")


@contextmanager
def connected_client(
    scheduler: str | None, n_workers: int | None, tick: Callable[[], None]
) -> Iterator["Client"]:
    """Connect to a Dask scheduler, or start worker processes on this machine, for the time of a block.

    Leaving the block drops what is still being computed; worker processes of our own are killed.

    Parameters
    ----------
    scheduler : str, optional
        Its address, ``tcp://HOST:PORT``; without one, workers are started here.
    n_workers : int, optional
        Worker processes to start here, by default as many as the machine has cores.
    tick : callable
        Called while waiting; may raise to stop.

    Raises
    ------
    InputError
        If Dask is not installed, the address is none, or `n_workers` is out of place.
    RunError
        If the scheduler does not answer, or no worker process can be started.
    """
    if scheduler is not None:
        _check_address(scheduler)
    if n_workers is not None and (scheduler is not None or n_workers < 1):
        raise InputError("n_workers", "expected 1 or more, and no scheduler, which has workers of its own")
    try:
        import distributed  # noqa: F401 (half a second to three to import)
    except ImportError:
        raise InputError("engine", "dask needs the extra: pip install 'hopsim[cluster]'") from None
    with ExitStack() as stack:
        stack.enter_context(_quiet())
        if scheduler is None:
            target: str | LocalCluster = stack.enter_context(_local_cluster(n_workers))
        else:
            while_ticking(lambda: _require_answer(scheduler), tick)
            target = scheduler
        client = while_ticking(lambda: _connect(target), tick)
        stack.callback(_close, client)
        yield client


def while_ticking(work: Callable[[], Result], tick: Callable[[], None]) -> Result:
    """Do something that waits, in a thread of its own; if `tick` raises meanwhile, it is left behind."""
    result: Future[Result] = Future()

    def run() -> None:
        try:
            result.set_result(work())
        except BaseException as problem:
            result.set_exception(problem)

    Thread(target=run, daemon=True).start()
    while not wait([result], TICK_SECONDS).done:
        tick()
    return result.result()


def _check_address(scheduler: str) -> None:
    try:
        parts = urlsplit(scheduler if "://" in scheduler else f"tcp://{scheduler}")
        good = parts.scheme in _SCHEMES and parts.hostname and parts.port and parts.path in ("", "/")
    except ValueError:  # a port that is no number
        good = False
    if not good:
        raise InputError("scheduler", f"expected an address like tcp://HOST:8786, got {scheduler!r}")


def _require_answer(scheduler: str) -> None:
    """Raise `RunError` if no scheduler answers: asked apart, since a client that fails to start leaves much behind."""
    from distributed import rpc
    from distributed.security import Security

    async def what_is_there() -> str:
        async with rpc(scheduler, connection_args=Security().get_connection_args("client")) as there:
            return (await there.identity())["type"]

    async def in_time() -> str:
        return await asyncio.wait_for(what_is_there(), ANSWER_SECONDS)

    try:
        found = asyncio.run(in_time()).lower()
    except OSError:
        found = f"no answer within {ANSWER_SECONDS:.0f} s"
    except Exception:  # whatever listens there may say anything
        found = "another program's answer"
    if found != "scheduler":
        raise RunError("scheduler", f"expected a running Dask scheduler at {scheduler}, got {found}")


def _connect(target: "str | LocalCluster") -> "Client":
    from distributed import Client

    try:
        with warnings.catch_warnings():  # of other versions on the workers; ours is checked by each task
            warnings.simplefilter("ignore")
            return Client(target, timeout=ANSWER_SECONDS, set_as_default=False)
    except Exception as problem:
        raise RunError("scheduler", f"cannot connect to {target} ({type(problem).__name__})") from None


def _close(client: "Client") -> None:
    with suppress(Exception):  # there may be no scheduler any more
        client.close(timeout=_CLIENT_CLOSING_SECONDS)


@contextmanager
def _local_cluster(n_workers: int | None) -> Iterator["LocalCluster"]:
    import dask
    from dask.system import CPU_COUNT
    from distributed import LocalCluster

    strangers = {child.pid for child in multiprocessing.active_children()}
    environment = dict(os.environ)  # Dask adds to it what its workers shall inherit
    with ExitStack() as stack:
        directory = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="hopsim-", ignore_cleanup_errors=True)
        )
        # a worker that dies is started anew by its nanny, however long that takes
        settings = {"temporary-directory": directory, "distributed.deploy.lost-worker-timeout": "1 hour"}
        stack.enter_context(dask.config.set(settings))
        stack.callback(_restore_environment, environment)
        try:
            with _signals_for_us_alone():
                cluster = LocalCluster(
                    n_workers=0,  # so that it is there at once, and Dask starts the workers meanwhile
                    threads_per_worker=1,
                    processes=True,
                    memory_limit=0,
                    silence_logs=logging.CRITICAL,
                    dashboard_address=_NO_PAGES,
                    worker_dashboard_address=_NO_PAGES,
                    # the first death is told to us: we know better which point to suspect
                    scheduler_kwargs={"dashboard": False, "allowed_failures": 0},
                )
        except Exception as problem:
            raise RunError("engine", f"no worker process can be started here: {problem}") from None
        stack.callback(_kill, cluster, strangers)
        cluster.scale(n_workers or CPU_COUNT)
        yield cluster


@contextmanager
def _signals_for_us_alone() -> Iterator[None]:
    """Processes that threads started in this block start are blind for signals that ask the program to end its work.

    A terminal's Ctrl-C and a batch system's warning go to all processes of a job; workers must outlive them until the
    program has decided what to do. A blocked signal stays blocked in threads and processes that are started.
    """
    ours = {signal.SIGINT, signal.SIGUSR1}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    resource_tracker.ensure_running()  # a process of multiprocessing's; its start unblocks SIGINT
    signal.pthread_sigmask(signal.SIG_BLOCK, ours)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _kill(cluster: "LocalCluster", strangers: set[int | None]) -> None:
    """Close a cluster without waiting for workers that compute, or are still starting."""
    deadline = time.monotonic() + _CLUSTER_CLOSING_SECONDS

    def kill_workers() -> None:
        if time.monotonic() > deadline:
            raise TimeoutError
        for child in multiprocessing.active_children():
            if child.name.startswith(_WORKER_NAME) and child.pid not in strangers:
                child.kill()

    for _ in range(2):  # the first may fail, of a worker that was killed while it started
        with suppress(Exception):
            while_ticking(cluster.close, kill_workers)


def _restore_environment(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep Dask from logging: what matters to the user is told as errors and failed points."""
    before = {name: logging.getLogger(name).level for name in _LOUD}
    for name in _LOUD:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)
