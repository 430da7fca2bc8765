"""A small experiment with a command of its own, to try the frame of the command line on; a script, too."""

import signal
import sys
import time
from functools import partial
from importlib import import_module

import click
import msgspec
import numpy as np

from hopsim.errors import Interrupted, RunError
from hopsim.experiments.observer import Observer
from hopsim.storage.records import Records, Variable
from hopsim_cli.groups import Entry, Group, Program
from hopsim_cli.options import POSITIVE_INTEGER, Number, Output, output_options, seed_option
from hopsim_cli.printing import print_json
from hopsim_cli.running import run_experiment

EXPERIMENT = "squares"
VARIABLES = {"square": Variable(("point",), "square"), "noise": Variable(("point",), "noise of the seed")}


class Squares(msgspec.Struct, frozen=True):
    n_points: int
    seconds: float  # that each takes
    seed: int
    n_ticks: int  # during each
    fail_at: int | None
    catch: bool  # Interrupted, instead of letting it pass
    say: bool  # which points are finished


def run(configuration: Squares, observer: Observer) -> Records:
    noise = np.random.default_rng(configuration.seed).random(configuration.n_points)

    def finished(n: int) -> Records:
        return Records(VARIABLES, {"square": np.arange(n) ** 2, "noise": noise[:n]})

    n_finished = 0
    observer.begin(configuration.n_points, "square")
    try:
        for n_finished in range(configuration.n_points):
            if n_finished == configuration.fail_at:
                raise RunError("square", f"{n_finished} diverged")
            observer.tick()
            if configuration.say:
                observer.message(f"point {n_finished} begins")
            for _ in range(configuration.n_ticks):
                time.sleep(configuration.seconds / configuration.n_ticks)
                observer.tick()
            observer.advance(1, partial(finished, n_finished + 1))
            if configuration.say:
                observer.message(f"point {n_finished} is done")
    except Interrupted:
        if not configuration.catch:
            raise
        return finished(n_finished)
    finally:
        observer.end()
    return finished(configuration.n_points)


@click.group(cls=Group)
def square() -> None:
    """Squares."""


@square.command()
@click.option("--n-points", type=POSITIVE_INTEGER, default=3)
@click.option("--seconds", type=Number(0), default=0.0)
@click.option("--n-ticks", type=POSITIVE_INTEGER, default=1)
@click.option("--fail-at", type=Number(0, integer=True))
@click.option("--catch", is_flag=True)
@click.option("--say", is_flag=True)
@seed_option
@output_options
def numbers(seed: int | None, output: Output, **options: object) -> None:
    """Square some numbers."""
    configuration = Squares(seed=11 if seed is None else seed, **options)
    outcome = run_experiment(sys.modules[__name__], configuration, output)
    squares = outcome.records["square"]
    if output.json:
        print_json({"squares": squares, "out": output.path})
    else:
        click.echo(" ".join(str(square) for square in squares))
    outcome.finish()


@square.command()
@output_options
def compiled(output: Output) -> None:
    """Run an experiment that has a kernel."""
    import_module("hopsim.kernels.compile_options")  # as the module of such an experiment does
    run_experiment(_CompiledExperiment(), Squares(1, 0.0, 1, 1, None, False, False), output).finish()


class _CompiledExperiment:
    EXPERIMENT = "compiled"

    def run(self, configuration: Squares, observer: Observer) -> Records:
        from hopsim.kernels.compile_options import kernel

        kernel(_twice)(1)
        return run(configuration, observer)


def _twice(x):
    return 2 * x


program = Program({"square": Entry(__name__, "square", "Squares.")}, name="hopsim")

if __name__ == "__main__":
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.default_int_handler)
    program.main()
