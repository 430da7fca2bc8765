"""Reading the user's files with errors that name the file."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hopsim.errors import InputError


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Say of whatever keeps the file from being read in this block which file it was.

    Raises
    ------
    InputError
        If the file is missing, unreadable, not a regular file, or larger than the memory.
    """
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):  # opening a named pipe would wait for ever
            raise InputError(str(path), "is not a regular file")
        yield
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror or error}") from error
    except MemoryError as error:
        raise InputError(str(path), "is too large for the memory of this machine") from error
