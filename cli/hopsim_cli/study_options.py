"""Options of commands that run a study: where its points are run, and going on with an earlier run."""

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from hopsim_cli.options import threads_option

if TYPE_CHECKING:
    from hopsim.sweeps.sweep import Share


class SweepOptions(NamedTuple):
    """How a study is run: what `sweep_options` collects.

    Attributes
    ----------
    resume : bool
        Go on with what an earlier run left.
    engine : {"local", "dask"}
    scheduler : str or None
        Address of a Dask scheduler; None for worker processes on this machine.
    share : Share
        The part of all points to run.
    threads : int or None
        Threads of this process, or worker processes of Dask on this machine.
    """

    resume: bool
    engine: str
    scheduler: str | None
    share: "Share"
    threads: int | None


class _ShareType(click.ParamType):
    """One job of an array: ``I/N``, I from 0 to N - 1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        from hopsim.sweeps.sweep import Share

        number, slash, n_shares = str(value).partition("/")
        if not (
            slash and number.isdecimal() and n_shares.isdecimal() and int(number) < int(n_shares) <= 10**6
        ):
            self.fail(f"expected I/N with I from 0 to N - 1, got {value!r}", param, ctx)
        return Share(int(number), int(n_shares))


def sweep_options(command: Callable) -> Callable:
    """Add ``--resume --engine --scheduler --shard --threads``; the command gets them as one parameter `sweep`."""

    @click.option("--resume", is_flag=True, help="Go on with what an earlier run left in FILE.")
    @click.option(
        "--engine",
        type=click.Choice(["local", "dask"]),
        default="local",
        help="Where points are run: in this process, or by Dask.",
        show_default=True,
    )
    @click.option(
        "--scheduler", metavar="ADDRESS", help="Dask scheduler.  [default: worker processes on this machine]"
    )
    @click.option(
        "--shard",
        type=_ShareType(),
        default="0/1",
        metavar="I/N",
        help="Run part I of N only, for job arrays.",
    )
    @threads_option
    @functools.wraps(command)
    def collect(
        *,
        resume: bool,
        engine: str,
        scheduler: str | None,
        shard: "Share",
        threads: int | None,
        **options: Any,
    ) -> Any:
        return command(sweep=SweepOptions(resume, engine, scheduler, shard, threads), **options)

    return collect
