"""Running points in this process: batches whose size follows from the time that the last one took."""

import time
from collections.abc import Callable, Generator, Iterable, Sequence

from hopsim.experiments.finished_points import FinishedPart, Part
from hopsim.experiments.recall_point import RecallCell, recall_parts

BATCH_SECONDS = 0.1  # aim of a batch of small networks, which is one compiled call
FIRST_PACE = 0.1  # guessed seconds of work to give for each second, when nothing is known yet of the machine
GROWTH = 4.0


def run_parts(
    seed: int,
    cells: Sequence[RecallCell],
    parts: Iterable[Part],
    tick: Callable[[], None],
) -> Generator[list[FinishedPart], None, None]:
    """Run parts and give what is finished, batch by batch.

    Parameters
    ----------
    seed : int
    cells : sequence of RecallCell
    parts : iterable of Part
        Cut into smaller ones where that keeps batches short.
    tick : callable
        Called between compiled blocks; may raise to stop, and the batch in hand is dropped.

    Yields
    ------
    list of FinishedPart
    """
    waiting = WaitingParts(cells, parts)
    pace = FIRST_PACE
    while batch := waiting.take(BATCH_SECONDS * pace):
        tick()
        began = time.perf_counter()
        finished = recall_parts(seed, cells, batch, tick)
        seconds = max(time.perf_counter() - began, 1e-9)
        guessed = sum(cells[part.cell].seconds() * (part.last - part.first) for part in batch)
        pace = min(guessed / seconds, GROWTH * pace)
        yield finished


class WaitingParts:
    """Parts that are still to be run, cut as they are taken."""

    def __init__(self, cells: Sequence[RecallCell], parts: Iterable[Part]) -> None:
        self.cells = cells
        self.parts = iter(parts)
        self.next = next(self.parts, None)

    def take(self, seconds: float) -> list[Part]:
        """Take what should run that long by its cells' guesses: small networks of any cells, or one large cell's."""
        batch: list[Part] = []
        while self.next is not None:
            cell, (number, first, last) = self.cells[self.next.cell], self.next
            small = cell.is_small()
            if batch and not (seconds > 0 and small):
                break
            # large networks look up in between, so only what an interruption may lose limits them
            in_time = max(1, int(seconds / cell.seconds())) if small else last - first
            n_points = min(last - first, in_time, cell.most_together())
            batch.append(Part(number, first, first + n_points))
            rest = Part(number, first + n_points, last)
            self.next = rest if rest.first < last else next(self.parts, None)
            seconds -= n_points * cell.seconds()
            if not small:
                break
        return batch
