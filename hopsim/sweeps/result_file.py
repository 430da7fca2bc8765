"""The file of a finished sweep: the study's summary, and its points in columns; and the way back to points."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hopsim.errors import InputError
from hopsim.experiments.finished_points import BLOCK_ROWS, FinishedPart, FinishedPoints, Part
from hopsim.experiments.recall_point import COLUMNS
from hopsim.experiments.study import FAILURE_VARIABLES, Study, failures, statistics_of
from hopsim.storage.columns import Columns
from hopsim.storage.provenance import hopsim_version
from hopsim.storage.records import Array, Records, Variable
from hopsim.storage.run_file import Run

_PREFIX = "point_"


def column_records(study: Study, configuration: Any, points: FinishedPoints) -> tuple[Records, Columns]:
    """Return a study's summary and its finished points as columns, one row a point, by cell and network.

    A point's place on the grid stands in the columns ``point_<axis>``, what it gave in ``point_overlap`` and others.
    """
    statistics = statistics_of(study, configuration, points.blocks())
    summary = dict(study.summary(configuration, statistics))
    summary["trial"] = np.arange(configuration.n_trials)
    places = _places(study, configuration, summary)
    variables = {
        **{
            _PREFIX + dim: Variable(("point",), study.VARIABLES[dim].long_name, study.VARIABLES[dim].units)
            for dim in study.GRID
        },
        _PREFIX + "network": Variable(("point",), "number of the network"),
        **{
            _PREFIX + name: Variable(("point", *variable.dims), variable.long_name, variable.units)
            for name, variable in COLUMNS.items()
        },
    }

    def pieces() -> Iterator[Mapping[str, Array]]:
        for block in points.blocks():
            yield {
                **{
                    _PREFIX + dim: np.full(len(block.networks), values[block.cell])
                    for dim, values in places.items()
                },
                _PREFIX + "network": block.networks,
                **{_PREFIX + name: block.columns[name] for name in COLUMNS},
            }

    shape = (0, configuration.n_trials)
    empty = {
        **{_PREFIX + dim: values[:0] for dim, values in places.items()},
        _PREFIX + "network": np.empty(0, np.int64),
        _PREFIX + "overlap": np.empty(shape),
        _PREFIX + "n_sweeps": np.empty(shape, np.int32),
        _PREFIX + "converged": np.empty(shape, bool),
    }
    n_rows = int(statistics.n_networks.sum())
    summary |= failures(points)
    return Records({**study.VARIABLES, **FAILURE_VARIABLES}, summary), Columns(
        "point", "number of the point", n_rows, variables, empty, pieces
    )


def _places(study: Study, configuration: Any, summary: Mapping[str, Any]) -> dict[str, NDArray]:
    """Return the coordinate of each cell along each dimension of the grid."""
    shape = study.grid_shape(configuration)
    indices = np.unravel_index(np.arange(int(np.prod(shape))), shape)
    return {dim: np.asarray(summary[dim])[index] for dim, index in zip(study.GRID, indices, strict=True)}


def finished_in_run(run: Run, study: Study) -> tuple[Any, list[FinishedPart]]:
    """Return the configuration of a study's file and its finished points, on the grid or in columns.

    Raises
    ------
    InputError
        Naming the file: another study's, or made by another version of hopsim, whose bits may differ.
    """
    if run.experiment != study.EXPERIMENT:
        raise InputError(
            str(run.path), f"is a run of {run.experiment!r}; expected one of {study.EXPERIMENT!r}"
        )
    version = run.attributes.get("hopsim_version")
    if version != hopsim_version():
        raise InputError(
            str(run.path),
            f"was made by hopsim {version}, this is {hopsim_version()}: points of two versions do not mix",
        )
    try:
        configuration: Any = msgspec.convert(run.configuration, study.CONFIGURATION, strict=False)
        parts = _parts_in_columns if "point" in run.records.sizes else _parts_on_grid
        return configuration, list(parts(run.records, study, configuration))
    except (msgspec.ValidationError, InputError, KeyError, ValueError, IndexError) as error:
        raise InputError(str(run.path), f"does not hold what {study.EXPERIMENT!r} writes: {error}") from None


def _parts_on_grid(records: Records, study: Study, configuration: Any) -> Iterator[FinishedPart]:
    n_networks = study.n_networks(configuration)
    shape = (len(n_networks), int(n_networks.max()))
    finished = records["finished"].reshape(shape)
    columns = {name: records[name].reshape(*shape, configuration.n_trials) for name in COLUMNS}
    for cell in range(len(n_networks)):
        networks = np.flatnonzero(finished[cell])
        yield from _parts_of(
            cell, networks, {name: column[cell, networks] for name, column in columns.items()}
        )


def _parts_in_columns(records: Records, study: Study, configuration: Any) -> Iterator[FinishedPart]:
    counts = records["n_finished"].ravel()
    ends = counts.cumsum()
    for cell, (count, end) in enumerate(zip(counts, ends, strict=True)):
        rows = slice(end - count, end)
        columns = {name: records[_PREFIX + name][rows] for name in COLUMNS}
        yield from _parts_of(cell, records[_PREFIX + "network"][rows], columns)


def _parts_of(cell: int, networks: NDArray[np.int64], columns: Mapping[str, Array]) -> Iterator[FinishedPart]:
    """Cut the rows of one cell into parts of consecutive networks."""
    breaks = np.flatnonzero(np.diff(networks) != 1) + 1
    for stretch in np.split(np.arange(len(networks)), breaks):
        for first in range(0, len(stretch), BLOCK_ROWS):
            rows = stretch[first : first + BLOCK_ROWS]
            part = Part(cell, int(networks[rows[0]]), int(networks[rows[-1]]) + 1)
            yield FinishedPart(part, {name: column[rows] for name, column in columns.items()})
