"""Patterns from .png images."""

import warnings
from pathlib import Path

import numpy as np

from hopsim.datasets.regular_file import reading
from hopsim.errors import InputError

MAX_PIXELS = (
    2**24
)  # far more neurons than a network of pictures has; keeps small files from unpacking to gigabytes


def read_image(path: Path) -> np.ndarray:
    """Read a .png image as a picture of spins: dark (below mid-grey) is ink, +1, light or transparent is -1.

    Parameters
    ----------
    path : Path
        A .png image, colour or grey, of at most `MAX_PIXELS` pixels; of an animation, the first image.

    Returns
    -------
    ndarray of int8, shape (rows, columns)

    Raises
    ------
    InputError
        If the file cannot be read, is no .png image, is damaged or too large, or if pillow is not installed.
    """
    with reading(path):
        brightness = _read_brightness(path)
    return np.where(brightness < 0.5, 1, -1).astype(np.int8)


def _read_brightness(path: Path) -> np.ndarray:
    """Brightness of each pixel on white paper, from 0 (black) to 1 (white)."""
    try:
        from PIL import Image
    except ImportError as error:
        raise InputError(
            str(path), "images are read with pillow, which is missing; pip install 'hopsim[plot]' installs it"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # our own limit is stricter
        try:
            with path.open("rb") as file, Image.open(file, formats=["PNG"]) as image:
                _check_size(path, *image.size)
                if image.mode.startswith("I"):  # 16-bit grey, which pillow would clip
                    return np.asarray(image) / 65535.0
                paper = Image.new("RGBA", image.size, "white")
                return np.asarray(Image.alpha_composite(paper, image.convert("RGBA")).convert("L")) / 255.0
        except Image.DecompressionBombError as error:
            raise InputError(str(path), f"has more than {MAX_PIXELS} pixels; scale it down") from error
        except (OSError, SyntaxError, ValueError) as error:
            if isinstance(error, InputError) or getattr(error, "errno", None):
                raise
            raise InputError(str(path), "is not a .png image, or is damaged; save it anew as .png") from error


def _check_size(path: Path, columns: int, rows: int) -> None:
    if rows * columns > MAX_PIXELS:
        raise InputError(
            str(path), f"has {rows} x {columns} pixels, more than {MAX_PIXELS} in all; scale it down"
        )
