"""A small alphabet of pictures, drawn for hopsim (data/glyphs.txt)."""

import numpy as np

from hopsim.datasets.pattern_set import PatternSet
from hopsim.datasets.shipped import shipped_file
from hopsim.errors import InputError

GLYPH_SHAPE = (12, 12)

#: Letters that the Hebbian rule holds together: all six are fixed points, and each comes back with 20 % of
#: its pixels flipped. Letters are correlated, as random patterns are not: of all sets of six, 14 % are fixed.
RECALLABLE_LETTERS = "AKPSVZ"


def glyphs(letters: str | None = None) -> PatternSet:
    """Give letters as pictures of 12 x 12 spins, ink = +1.

    Parameters
    ----------
    letters : str, optional
        Which of A-Z, in which order, capital or not. `RECALLABLE_LETTERS` unless given.

    Returns
    -------
    PatternSet
        One pattern a letter, named by it.

    Raises
    ------
    InputError
        If there is no letter, one outside A-Z, or one twice.

    Notes
    -----
    Random patterns of N = 144 neurons overlap by about 1/sqrt(N) = 0.08, letters by 0.2 in the mean and by up
    to 0.83 (O and Q). Their crosstalk in the Hebbian fields does not average out, so fewer can be stored than
    0.138 N = 20; the pseudo-inverse rule stores all 26.

    Examples
    --------
    >>> patterns = glyphs("HI")
    >>> patterns.spins.shape, patterns.names, patterns.image_shape
    ((2, 144), ['H', 'I'], (12, 12))
    """
    wanted = RECALLABLE_LETTERS if letters is None else letters.upper()
    alphabet = _read_alphabet()
    for place, letter in enumerate(wanted):
        if letter not in alphabet:
            raise InputError(
                "glyphs", f"there is no glyph for {letter!r}; expected letters A to Z, such as HOP"
            )
        if letter in wanted[:place]:
            raise InputError("glyphs", f"{letter} is asked for twice; give each letter once")
    if not wanted:
        raise InputError("glyphs", "no letter is given; expected letters A to Z, such as HOP")
    return PatternSet(np.stack([alphabet[letter] for letter in wanted]), list(wanted), GLYPH_SHAPE)


def _read_alphabet() -> dict[str, np.ndarray]:
    """All glyphs: in the file, a line with the letter, then its rows of # (ink) and . (paper)."""
    blocks = shipped_file("glyphs.txt").read_text(encoding="ascii").split("\n\n")
    alphabet = {}
    for letter, *rows in map(str.split, blocks):
        alphabet[letter] = np.array([1 if pixel == "#" else -1 for pixel in "".join(rows)], dtype=np.int8)
    return alphabet
