"""The files of data/, which are part of the project."""

from pathlib import Path

from hopsim.errors import InputError


def shipped_file(name: str) -> Path:
    """Path of a file of data/: inside the package where hopsim is installed, beside it in a checkout.

    Raises
    ------
    InputError
        If there is no such file.

    Examples
    --------
    >>> shipped_file("glyphs.txt").name
    'glyphs.txt'
    """
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "data", package.parent / "data"):
        if (folder / name).is_file():
            return folder / name
    raise InputError(
        name, "is not among the files that come with hopsim; install hopsim anew if it should be"
    )
