"""Commands and their groups: errors are named by their option, commands are imported when used."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple, NoReturn

import click

from hopsim.errors import HopsimError
from hopsim_cli.errors import Failure, option_of, report

ARGUMENTS = "hopsim.arguments"  # where the context keeps the command line


class Command(click.Command):
    """A command whose errors name the option at fault."""

    def invoke(self, ctx: click.Context) -> Any:  # noqa: D102
        try:
            return super().invoke(ctx)
        except HopsimError as error:
            subject = option_of(ctx, error.subject)
            raise Failure(subject, error.problem, error.exit_status) from error


class Group(click.Group):
    """A group of such commands, made with its `command` decorator."""

    command_class = Command


class Entry(NamedTuple):
    """Where a command is to be found, and its line in the help of its group."""

    module: str
    attribute: str
    short_help: str


class Program(Group):
    """The whole program: its groups and commands are imported when used, and every error is one line.

    Parameters
    ----------
    entries : mapping of str to Entry
        The groups and commands by their names.
    """

    def __init__(self, entries: Mapping[str, Entry], **settings: Any) -> None:
        super().__init__(**settings)
        self.entries = entries

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: D102
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: D102
        if cmd_name not in self.entries:
            return None
        entry = self.entries[cmd_name]
        return getattr(import_module(entry.module), entry.attribute)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.short_help) for name, entry in self.entries.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:  # noqa: D102
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str = "hopsim", **settings: Any
    ) -> NoReturn:
        """Run a command and leave with its exit status."""
        settings["standalone_mode"] = False
        try:
            status = super().main(args, prog_name, **settings)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            status = error.exit_code
        except HopsimError as error:  # from the callback of an option
            status = report(Failure(error.subject, error.problem, error.exit_status))
        except (click.ClickException, MemoryError, OSError) as error:
            status = report(error)
        except click.Abort:
            click.echo("hopsim: interrupted", err=True)
            status = 130
        raise SystemExit(status or 0)
