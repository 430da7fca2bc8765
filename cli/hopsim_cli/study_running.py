"""Run a study from a command: on this machine or a cluster, with its points safe on the disk as they finish."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import click
import msgspec

from hopsim.errors import InputError, Interrupted, RunError
from hopsim.experiments.finished_points import FinishedPoints, PointsInMemory
from hopsim.experiments.observer import Observer, Observers
from hopsim.experiments.study import Study, grid_records
from hopsim.storage.records import Records
from hopsim.storage.run_file import check_output, write_run
from hopsim.sweeps.local_engine import local_engine
from hopsim.sweeps.output import (
    locked_output,
    open_output,
    read_description,
    read_points,
    remove_shards,
    shard_directory,
)
from hopsim.sweeps.result_file import column_records
from hopsim.sweeps.sweep import WHOLE, Engine, Share, missing_parts, run_sweep
from hopsim_cli.observers import EventLines, StopOnSignal
from hopsim_cli.options import Output
from hopsim_cli.printing import note
from hopsim_cli.running import announce_compilation, command_line, progress_observer
from hopsim_cli.study_options import SweepOptions


@dataclass(frozen=True)
class StudyOutcome:
    """What a study gave; give it to `hopsim_cli.running.conclude`.

    Attributes
    ----------
    records : Records
        The summary of the points that are finished, with the points themselves if they are on a grid.
    output : Output
    share : Share
        What was to be run.
    complete : bool
        Whether the share was run to its end.
    n_points, n_missing, n_failed : int
        Points of the whole study, those still to be run, those that failed.
    """

    records: Records
    output: Output
    share: Share
    complete: bool
    n_points: int
    n_missing: int
    n_failed: int

    def finish(self) -> None:
        """Say where the results are; leave with status 130 if interrupted, with 1 if points failed."""
        path = self.output.path
        n_finished = self.n_points - self.n_missing - self.n_failed
        counts = f"{n_finished} of {self.n_points} (network)"
        where = "nothing saved (no --out)" if path is None else f"saved to {path}"
        if self.share != WHOLE and path is not None:
            where = f"points are in {shard_directory(path)}"
        if not self.complete:
            note(f"interrupted: {counts}, {where}" + ("" if path is None else "; go on with --resume"))
            click.get_current_context().exit(Interrupted.exit_status)
        if self.n_failed:
            note(
                f"{self.n_failed} points failed, {counts}, {where}; see failure_cause, try them again by --resume"
            )
            click.get_current_context().exit(RunError.exit_status)
        if path is not None and not self.output.quiet:
            note(
                f"wrote {path}"
                if self.share == WHOLE
                else f"{counts}, {where}; join all by hopsim sweep merge"
            )


def run_study(
    study: Study,
    configuration: Any,
    output: Output,
    options: SweepOptions,
    *,
    in_columns: bool = False,
    budget_seconds: float | None = None,
) -> StudyOutcome:
    """Run a study, with progress on stderr, and write its file if ``--out`` was given.

    Finished points are committed to shards beside the file about each second; the first Ctrl-C, SIGTERM or SIGUSR1
    ends the run early, and the file then holds the finished points.

    Parameters
    ----------
    study, configuration
        What to run.
    output : Output
        What `hopsim_cli.options.output_options` collected.
    options : SweepOptions
        What `hopsim_cli.study_options.sweep_options` collected.
    in_columns : bool
        Write points in columns, one row a point, instead of on the grid.
    budget_seconds : float, optional
        Stop after that time, as if interrupted.

    Returns
    -------
    StudyOutcome
        Print it, then call its `finish`.

    Raises
    ------
    InputError, RunError
        From the study, the engine or the output; finished points are kept.
    """
    if options.share != WHOLE and output.path is None:
        raise InputError("shard", "a share of a sweep needs --out, where all shares leave their points")
    if options.resume and output.path is None:
        raise InputError("resume", "needs --out, the file to go on with")
    started = datetime.now(UTC)
    with ExitStack() as stack:
        stop = stack.enter_context(StopOnSignal())
        progress = _progress(output)
        stack.callback(progress.end)
        announce_compilation(progress)
        engine = _engine(options)
        points = stack.enter_context(_points(study, configuration, output, options, progress))
        complete = run_sweep(
            study,
            configuration,
            points,
            engine,
            Observers(stop, progress),
            share=options.share,
            budget_seconds=budget_seconds,
        )
        if not complete and not points.ranges:
            note("interrupted: nothing was finished, nothing saved")
            click.get_current_context().exit(Interrupted.exit_status)
        return _outcome(study, configuration, points, output, options.share, started, complete, in_columns)


def merge_shares(output: Output, partial: bool) -> tuple[Study, StudyOutcome]:
    """Write the file of a sweep from the shards that its shares have left.

    Raises
    ------
    InputError
        If the file exists and ``--force`` was not given, if there are no shards, or if a share is still running.
    RunError
        If points are missing and not `partial`.
    """
    assert output.path is not None
    started = datetime.now(UTC)
    check_output(output.path, output.force)
    with locked_output(output.path):
        study, configuration = read_description(output.path)
        points = read_points(output.path, study, configuration)
        n_missing = _n_missing(study, configuration, points)
        if n_missing and not partial:
            raise RunError(
                str(output.path),
                f"{n_missing} points are missing; run the shares that did not end again, or write what there is "
                "by --partial",
            )
        return study, _outcome(
            study, configuration, points, output, WHOLE, started, complete=True, in_columns=True
        )


def _n_missing(study: Study, configuration: Any, points: FinishedPoints) -> int:
    """Count the points that are neither finished nor failed."""
    parts = missing_parts(points, study.n_networks(configuration).tolist())
    return sum(last - first for _, first, last in parts) - len(points.failures)


def _outcome(
    study: Study,
    configuration: Any,
    points: FinishedPoints,
    output: Output,
    share: Share,
    started: datetime,
    complete: bool,
    in_columns: bool,
) -> StudyOutcome:
    """Draw the sum of the finished points, and write the file unless this is one share of several."""
    n_missing = _n_missing(study, configuration, points)
    columns = None
    if in_columns:
        records, columns = column_records(study, configuration, points)
    else:
        records = grid_records(study, configuration, points)
    if output.path is not None and share == WHOLE:
        write_run(
            output.path,
            records,
            experiment=study.EXPERIMENT,
            configuration=msgspec.to_builtins(configuration),
            seed=configuration.seed,
            command=command_line(configuration.seed),
            started=started,
            complete=n_missing == 0,
            force=True,
            columns=columns,
        )
        remove_shards(shard_directory(output.path))  # the file holds all that they held
    return StudyOutcome(
        records,
        output,
        share,
        complete,
        n_points=int(study.n_networks(configuration).sum()),
        n_missing=n_missing,
        n_failed=len(points.failures),
    )


def _progress(output: Output) -> Observer:
    if output.quiet:
        return Observer()
    return EventLines() if output.json else progress_observer()


def _engine(options: SweepOptions) -> Engine:
    if options.engine == "local":
        if options.scheduler is not None:
            raise InputError("scheduler", "is for --engine dask")
        return local_engine(options.threads)
    if options.scheduler is not None and options.threads is not None:
        raise InputError(
            "threads", "is for worker processes on this machine; a --scheduler has its own workers"
        )
    from hopsim.sweeps.dask_engine import dask_parts

    return partial(dask_parts, scheduler=options.scheduler, n_workers=options.threads)


@contextmanager
def _points(
    study: Study, configuration: Any, output: Output, options: SweepOptions, progress: Observer
) -> Iterator[FinishedPoints]:
    if output.path is None:
        yield PointsInMemory()
        return
    with open_output(
        output.path,
        study,
        configuration,
        resume=options.resume,
        force=output.force,
        share=options.share,
        message=progress.message,
    ) as points:
        yield points
