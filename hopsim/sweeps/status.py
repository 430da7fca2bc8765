"""How far a sweep is, told from its shards while it runs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hopsim.errors import InputError
from hopsim.experiments.finished_points import FinishedPoints, PointsInMemory
from hopsim.experiments.study import Study, statistics_of
from hopsim.storage.run_file import open_run
from hopsim.sweeps.output import is_running, read_description, read_points, shard_directory
from hopsim.sweeps.result_file import finished_in_run
from hopsim.sweeps.studies import study_of_experiment


@dataclass(frozen=True)
class Status:
    """How far a sweep is.

    Attributes
    ----------
    experiment : str
    n_points, n_finished, n_failed : int
        Points of the whole sweep; those that are safe; those that failed.
    running : bool
        Whether a process is at work on it, on this machine or another.
    headline : str
        What the finished points say so far.
    """

    experiment: str
    n_points: int
    n_finished: int
    n_failed: int
    running: bool
    headline: str


def sweep_status(path: Path) -> Status:
    """Return how far the sweep with output `path` is; nothing is changed, and a running sweep does not notice.

    Raises
    ------
    InputError
        If there is neither the file nor shards of it, or they are damaged.
    """
    running = is_running(path)
    study, configuration, points = finished_points(path)
    return Status(
        experiment=study.EXPERIMENT,
        n_points=int(study.n_networks(configuration).sum()),
        n_finished=sum(map(len, points.ranges.values())),
        n_failed=len(points.failures),
        running=running,
        headline=study.headline(configuration, statistics_of(study, configuration, points.blocks())),
    )


def finished_points(path: Path) -> tuple[Study, Any, FinishedPoints]:
    """Return study, configuration and finished points of a sweep with output `path`, from its shards or its file.

    Raises
    ------
    InputError
        As `sweep_status`.
    """
    if shard_directory(path).is_dir():
        study, configuration = read_description(path)
        return study, configuration, read_points(path, study, configuration)
    if not path.exists():
        raise InputError("out", f"{path} does not exist, nor do shards of it; expected the --out of a sweep")
    run = open_run(path)
    study = study_of_experiment(run.experiment)
    configuration, parts = finished_in_run(run, study)
    points = PointsInMemory()
    points.commit(parts)
    return study, configuration, points
