"""The engine that runs points in this process: compiled code uses all threads, so no worker processes are needed."""

from collections.abc import Callable, Generator, Iterator, Sequence

from hopsim.experiments.finished_points import FinishedPart, Part
from hopsim.experiments.point_batches import run_parts
from hopsim.experiments.recall_point import RecallCell
from hopsim.sampling.threads import using_threads
from hopsim.sweeps.sweep import Engine


def local_engine(threads: int | None) -> Engine:
    """Return the engine of this process, with so many threads (None: as many as the machine has)."""

    def run(
        seed: int, cells: Sequence[RecallCell], parts: Iterator[Part], tick: Callable[[], None]
    ) -> Generator[list[FinishedPart], None, None]:
        with using_threads(threads):
            yield from run_parts(seed, cells, parts, tick)

    return run
