"""One line for every error that a user can meet."""

import click

from hopsim_cli.printing import one_line


class Failure(click.ClickException):
    """What `hopsim_cli.groups.Command` makes of a `hopsim.errors.HopsimError`."""

    def __init__(self, subject: str, problem: str, exit_status: int) -> None:
        super().__init__(f"{subject}: {problem}")
        self.exit_status = exit_status


def report(error: Exception) -> int:
    """Print an error on stderr, one line, and return the exit status that goes with it.

    Parameters
    ----------
    error : Exception
        One of click's, or MemoryError, or OSError.
    """
    if isinstance(error, Failure):
        text, exit_status = error.message, error.exit_status
    elif isinstance(error, click.ClickException):
        text, exit_status = _usage_problem(error), error.exit_code
    elif isinstance(error, MemoryError):
        text, exit_status = f"not enough memory: {error}".removesuffix(": "), 1
    elif isinstance(error, OSError):
        subject = "" if error.filename is None else f"{error.filename}: "
        text, exit_status = f"{subject}{error.strerror or error}", 1
    else:
        raise error
    click.echo(f"Error: {one_line(text)}", err=True)
    return exit_status


def option_of(context: click.Context | None, subject: str) -> str:
    """Return a parameter of the command at hand as its option or argument, anything else as it is."""
    for parameter in context.command.params if context else []:
        if parameter.name == subject:
            return _hint(parameter)
    return subject


def _usage_problem(error: click.ClickException) -> str:
    if isinstance(error, click.MissingParameter) and error.param is not None:
        return f"{_hint(error.param)}: missing"
    if isinstance(error, click.BadParameter) and error.param is not None:
        return f"{_hint(error.param)}: {error.message}"
    message = error.format_message()
    if isinstance(error, click.BadOptionUsage):
        return f"{error.option_name}: {message.removeprefix(f'Option {error.option_name!r} ')}"
    if isinstance(error, click.UsageError) and error.ctx is not None:
        command = error.ctx.command_path
        return f"{command}: {message[:1].lower()}{message[1:]} See {command} --help"
    return message


def _hint(parameter: click.Parameter) -> str:
    if isinstance(parameter, click.Argument):
        return parameter.human_readable_name
    return max(parameter.opts, key=len)
