"""The errors a user can meet: one line each, naming what was wrong and how to mend it."""


class HopsimError(Exception):
    """Base of all errors that hopsim raises on purpose.

    Parameters
    ----------
    subject : str
        The parameter (``"n_neurons"``) or the file that is at fault. The command line shows a parameter as its option.
    problem : str
        What was wrong, what is expected, how to mend it.
    """

    exit_status = 1

    def __init__(self, subject: str, problem: str) -> None:
        super().__init__(f"{subject}: {problem}")
        self.subject = subject
        self.problem = problem


class InputError(HopsimError, ValueError):
    """A parameter, an option or a file that cannot be used as given (exit status 2)."""

    exit_status = 2


class RunError(HopsimError):
    """Good input, but the run failed: a full disk, a diverged network (exit status 1)."""


class Interrupted(HopsimError):  # noqa: N818 (no error: the user's wish)
    """The user asked the run to stop; what was finished is kept (exit status 130)."""

    exit_status = 130

    def __init__(self) -> None:
        super().__init__("interrupted", "what was finished is kept")
