"""Studies: experiments made of many independent points, which a sweep can run anywhere and in any order.

A study's cells lie on a grid; the points of a cell are its networks. What a study wants to know of them
follows from statistics that points stream into, so that a million points take no more memory than ten.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hopsim.errors import Interrupted
from hopsim.evaluation.cell_statistics import CellStatistics
from hopsim.experiments.finished_points import Block, FinishedPoints, Part, PointsInMemory
from hopsim.experiments.observer import Observer
from hopsim.experiments.point_batches import run_parts
from hopsim.experiments.recall_point import COLUMNS, RecallCell
from hopsim.sampling.threads import using_threads
from hopsim.storage.records import Records, Variable

FAILURE_VARIABLES = {
    "failure_cell": Variable(("failure",), "cell of a point that failed, counted in C order of the grid"),
    "failure_network": Variable(("failure",), "number of its network"),
    "failure_cause": Variable(("failure",), "why it failed"),
}


class Study(Protocol):
    """A module of `hopsim.experiments` that describes a study; its configuration has `seed`, `threads` and `n_trials`.

    Attributes
    ----------
    EXPERIMENT : str
        Its name in files.
    NAME : str
        Its name in a sweep's specification.
    CONFIGURATION : type
        The struct of its configuration.
    VARIABLES : mapping of str to Variable
        All that its records hold, `point_variables` among them.
    GRID : tuple of str
        Dimensions of the grid of cells.
    AXES : mapping of str to str
        The axes that a specification may name, and the fields of the configuration that hold their values.
    """

    EXPERIMENT: str
    NAME: str
    CONFIGURATION: type
    VARIABLES: Mapping[str, Variable]
    GRID: tuple[str, ...]
    AXES: Mapping[str, str]

    def grid_shape(self, configuration: Any, /) -> tuple[int, ...]:
        """Return the lengths of the grid's dimensions."""

    def cells(self, configuration: Any, /) -> Sequence[RecallCell]:
        """Return the cells in C order of the grid."""

    def n_networks(self, configuration: Any, /) -> NDArray[np.int64]:
        """Return the number of networks of each cell."""

    def thresholds(self, configuration: Any, /) -> NDArray[np.float64]:
        """Return the overlap above which a recall counts as retrieved, for each cell."""

    def summary(self, configuration: Any, statistics: CellStatistics, /) -> Mapping[str, ArrayLike]:
        """Return all variables but those of single points."""

    def headline(self, configuration: Any, statistics: CellStatistics, /) -> str:
        """Return what the points so far say, in a few words; empty if they say nothing yet."""


def point_variables(*grid: str) -> dict[str, Variable]:
    """Return the variables of a study that keeps every point on its grid."""
    network = (*grid, "network")
    columns = {
        name: Variable((*network, *variable.dims), variable.long_name, variable.units)
        for name, variable in COLUMNS.items()
    }
    return {
        "network": Variable(("network",), "number of the network"),
        "trial": Variable(("trial",), "number of the trial on a network"),
        **columns,
        "retrieved": Variable((*network, "trial"), "overlap above the threshold of success"),
        "finished": Variable(network, "all trials of the network were run"),
    }


def cell_variables(*grid: str) -> dict[str, Variable]:
    """Return the variables of `cell_summary`."""
    return {
        "n_finished": Variable(grid, "number of networks finished"),
        "overlap_mean": Variable(grid, "mean overlap over networks"),
        "overlap_se": Variable(grid, "standard error of the mean overlap, over networks"),
        "retrieval_fraction": Variable(grid, "fraction of trials retrieved"),
        "retrieval_low": Variable(grid, "lower end of its 95 % binomial interval"),
        "retrieval_high": Variable(grid, "upper end of its 95 % binomial interval"),
    }


def cell_summary(statistics: CellStatistics, grid_shape: tuple[int, ...]) -> dict[str, NDArray]:
    """Return what every study says of its cells."""
    fraction, low, high = statistics.retrieval()
    by_cell = {
        "n_finished": statistics.n_networks,
        "overlap_mean": statistics.overlap_mean,
        "overlap_se": statistics.overlap_se(),
        "retrieval_fraction": fraction,
        "retrieval_low": low,
        "retrieval_high": high,
    }
    return {name: values.reshape(grid_shape) for name, values in by_cell.items()}


def run_study(study: Study, configuration: Any, observer: Observer) -> Records:
    """Run a study in this process and keep its points in memory; an interrupted one gives the finished points."""
    cells = study.cells(configuration)
    for cell in cells:
        cell.require_memory()
    points = PointsInMemory()
    n_networks = study.n_networks(configuration).tolist()
    parts = [Part(number, 0, n_of_cell) for number, n_of_cell in enumerate(n_networks)]
    observer.begin(sum(n_networks), "network")
    try:
        with using_threads(configuration.threads):
            for finished in run_parts(configuration.seed, cells, parts, observer.tick):
                points.commit(finished)
                n_points = sum(each.part.last - each.part.first for each in finished)
                observer.advance(n_points, lambda: grid_records(study, configuration, points))
    except Interrupted:
        pass
    finally:
        observer.end()
    return grid_records(study, configuration, points)


def statistics_of(study: Study, configuration: Any, blocks: Iterable[Block]) -> CellStatistics:
    """Gather the statistics of a study's finished points."""
    statistics = CellStatistics.empty(study.thresholds(configuration), configuration.n_trials)
    for block in blocks:
        statistics.add(block.cell, block.columns["overlap"])
    return statistics


def failures(points: FinishedPoints) -> dict[str, ArrayLike]:
    """Return the points that failed and why; nothing if there are none."""
    if not points.failures:
        return {}
    failed = sorted(points.failures.items())
    return {
        "failure_cell": np.array([cell for (cell, _), _ in failed]),
        "failure_network": np.array([network for (_, network), _ in failed]),
        "failure_cause": [cause for _, cause in failed],
    }


def grid_records(study: Study, configuration: Any, points: FinishedPoints) -> Records:
    """Return the records of a study with every point in its place on the grid."""
    thresholds = study.thresholds(configuration)
    most = int(study.n_networks(configuration).max())
    shape = (len(thresholds), most, configuration.n_trials)
    arrays = {
        "overlap": np.full(shape, np.nan),
        "n_sweeps": np.zeros(shape, np.int32),
        "converged": np.zeros(shape, bool),
        "finished": np.zeros(shape[:2], bool),
    }

    def placed(blocks: Iterator[Block]) -> Iterator[Block]:
        for block in blocks:
            for name in COLUMNS:
                arrays[name][block.cell, block.networks] = block.columns[name]
            arrays["finished"][block.cell, block.networks] = True
            yield block

    statistics = statistics_of(study, configuration, placed(points.blocks()))
    with np.errstate(invalid="ignore"):
        arrays["retrieved"] = arrays["overlap"] > thresholds[:, None, None]
    grid = study.grid_shape(configuration)
    return Records(
        {**study.VARIABLES, **FAILURE_VARIABLES},
        {
            **failures(points),
            **study.summary(configuration, statistics),
            "network": np.arange(most),
            "trial": np.arange(configuration.n_trials),
            **{name: array.reshape(*grid, *array.shape[1:]) for name, array in arrays.items()},
        },
    )
