"""Run an experiment from a command: check the output, watch, save, and tell how it ended."""

import shlex
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NoReturn, Protocol

import click
import msgspec

from hopsim.errors import Interrupted, RunError
from hopsim.experiments.observer import Observer, Observers
from hopsim.storage.output_lock import output_lock
from hopsim.storage.records import Records
from hopsim.storage.run_file import check_output, write_run
from hopsim_cli.groups import ARGUMENTS
from hopsim_cli.observers import FinishedPoints, ProgressBar, ProgressLines, StopOnSignal
from hopsim_cli.options import Output
from hopsim_cli.printing import note, print_json, readable

COMPILING = "compiling kernels for this machine, once: some 15 s"


class Experiment(Protocol):
    """A module of `hopsim.experiments`."""

    EXPERIMENT: str

    def run(self, configuration: Any, observer: Observer, /) -> Records:
        """Run it."""


class Conclusion(Protocol):
    """What a command ends with."""

    @property
    def records(self) -> Records:
        """What is printed."""

    @property
    def output(self) -> Output:
        """As the command got it."""

    def finish(self) -> None:
        """Say where the results are; leave with the exit status that says how the run ended."""


def conclude(
    outcome: Conclusion, as_json: Callable[[Records], dict[str, Any]], as_text: Callable[[Records], str]
) -> None:
    """Print the results as the user wants them, the object with the member ``out``; then `finish`."""
    if outcome.output.json:
        print_json(as_json(outcome.records) | {"out": outcome.output.path})
    else:
        click.echo(as_text(outcome.records))
    outcome.finish()


@dataclass(frozen=True)
class Outcome:
    """What a run gave; give it to `conclude`.

    Attributes
    ----------
    records : Records
        The results, of the finished points only if the run was interrupted.
    output : Output
        As the command got it; ``output.path`` is the file that was written, or None.
    interrupted : bool
        Whether the user stopped it before its end.
    progress : str
        What was finished, as ``"12 of 80 (load)"``.
    """

    records: Records
    output: Output
    interrupted: bool
    progress: str

    def finish(self) -> None:
        """Say where the results are; if the run was interrupted, leave with exit status 130."""
        path = self.output.path
        if self.interrupted:
            where = "nothing saved (no --out)" if path is None else f"saved to {path}"
            note(f"interrupted: {self.progress}, {where}")
            click.get_current_context().exit(Interrupted.exit_status)
        if path is not None and not self.output.quiet:
            note(f"wrote {path}")


def run_experiment(
    experiment: Experiment, configuration: msgspec.Struct, output: Output, *, keep_failed: bool = False
) -> Outcome:
    """Run an experiment, with progress on stderr, and write its file if ``--out`` was given.

    The first Ctrl-C or SIGTERM ends the run early with the points that are finished; if there are none,
    nothing is written and the command leaves with exit status 130. Every half minute the finished points are
    saved.

    Parameters
    ----------
    experiment : module
        With `EXPERIMENT` and ``run(configuration, observer)``. If the observer's `tick` raises `Interrupted`,
        `run` may return the finished points, or let it pass: then the last records that it gave to `advance`
        are taken.
    configuration : msgspec.Struct
        Its configuration; a field `seed` is recorded.
    output : Output
        What `hopsim_cli.options.output_options` collected.
    keep_failed : bool
        Also save what was finished when the run fails.

    Returns
    -------
    Outcome
        For `conclude`.

    Raises
    ------
    InputError, RunError
        From the experiment or the output; nothing but the last checkpoint is left.
    """
    with ExitStack() as stack:
        stop = stack.enter_context(StopOnSignal())
        writer = None
        if output.path is not None:
            check_output(output.path, output.force)
            stack.enter_context(output_lock(output.path))
            writer = _RunWriter(experiment.EXPERIMENT, configuration, output)
        finished = FinishedPoints(None if writer is None else writer.save_finished)
        progress = Observer() if output.quiet else progress_observer()
        stack.callback(progress.end)
        announce_compilation(progress)
        try:
            records = experiment.run(configuration, Observers(stop, progress, finished))
        except Interrupted:
            if finished.records is not None:
                records = finished.records()
        except RunError:
            if keep_failed and writer is not None and finished.records is not None:
                writer.save(finished.records(), complete=False)
            raise
        if stop.stopped and finished.n_finished == 0:
            _leave_empty_handed()
        if writer is not None:
            writer.save(records, complete=not stop.stopped)
    counts = f"{finished.n_finished} of {finished.n_points} ({finished.unit})"
    return Outcome(records, output, interrupted=stop.stopped, progress=counts)


class _RunWriter:
    """Writes the run's file, first perhaps with the finished points, in the end with all."""

    def __init__(self, experiment: str, configuration: msgspec.Struct, output: Output) -> None:
        assert output.path is not None
        self.path = output.path
        self.force = output.force
        self.experiment = experiment
        self.configuration = msgspec.to_builtins(configuration)
        self.started = datetime.now(UTC)

    def save(self, records: Records, complete: bool) -> None:
        seed = self.configuration.get("seed")
        write_run(
            self.path,
            records,
            experiment=self.experiment,
            configuration=self.configuration,
            seed=seed,
            command=command_line(seed),
            started=self.started,
            complete=complete,
            force=self.force,
        )
        self.force = True  # from now on the file is ours

    def save_finished(self, records: Records) -> None:
        self.save(records, complete=False)


def command_line(seed: int | None) -> str:
    """Return the command that does it again, with the seed if it was drawn."""
    context = click.get_current_context()
    words = ["hopsim", *context.meta[ARGUMENTS]]
    if seed is not None and "seed" in context.params and context.params["seed"] is None:
        words += ["--seed", str(seed)]
    return readable(shlex.join(words))


def progress_observer() -> Observer:
    """Return what shows progress: a bar on a terminal, else lines."""
    return ProgressBar() if sys.stderr.isatty() else ProgressLines()


def announce_compilation(progress: Observer) -> None:
    """Have the user told before kernels are compiled."""
    # an experiment that has kernels has imported them by now, and the others need not import numba
    compile_options = sys.modules.get("hopsim.kernels.compile_options")
    if compile_options is not None:
        compile_options.on_compilation(lambda: progress.message(COMPILING))


def _leave_empty_handed() -> NoReturn:
    note("interrupted: nothing was finished, nothing saved")
    click.get_current_context().exit(Interrupted.exit_status)
