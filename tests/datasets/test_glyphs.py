"""The shipped alphabet: what it holds, and that the letters offered by default can be recalled."""

from string import ascii_uppercase

import numpy as np
import pytest

from hopsim.datasets.glyphs import GLYPH_SHAPE, RECALLABLE_LETTERS, glyphs
from hopsim.datasets.shipped import shipped_file
from hopsim.errors import InputError


def hebbian_couplings(spins):
    """N W of the Hebbian rule, in exact integers."""
    couplings = spins.astype(int).T @ spins.astype(int)
    np.fill_diagonal(couplings, 0)
    return couplings


def relax(couplings, spins, rng):
    """Asynchronous dynamics at T = 0 in random order; a tie keeps the state."""
    while True:
        n_flips = 0
        for i in rng.permutation(len(spins)):
            if couplings[i] @ spins * spins[i] < 0:
                spins[i] *= -1
                n_flips += 1
        if n_flips == 0:
            return spins


def test_all_letters_are_there_and_differ():
    alphabet = glyphs(ascii_uppercase)
    assert alphabet.names == list(ascii_uppercase)
    assert alphabet.spins.shape == (26, GLYPH_SHAPE[0] * GLYPH_SHAPE[1])
    assert set(np.unique(alphabet.spins)) == {-1, 1}
    assert len(np.unique(alphabet.spins, axis=0)) == 26


def test_file_is_well_formed():
    """12 rows of 12 pixels, nothing but # and . (the reader trusts the shipped file)."""
    blocks = shipped_file("glyphs.txt").read_text().split("\n\n")
    for letter, *rows in map(str.split, blocks):
        assert letter in ascii_uppercase
        assert [len(row) for row in rows] == [12] * 12
        assert set("".join(rows)) == {"#", "."}


def test_statements_about_ink_and_overlaps_hold():
    """As data/README.md says: 43 to 59 % ink; overlaps 0.2 in the mean, at most 0.83 (O and Q)."""
    spins = glyphs(ascii_uppercase).spins.astype(int)
    ink = (spins > 0).mean(axis=1)
    assert ink.min() >= 0.425
    assert ink.max() <= 0.595
    overlaps = spins @ spins.T / spins.shape[1]
    assert np.abs(overlaps[np.triu_indices(26, 1)]).mean() == pytest.approx(0.2, abs=0.005)
    np.fill_diagonal(overlaps, 0)
    assert np.abs(overlaps).max() == overlaps[14, 16] == 120 / 144


def test_default_letters_are_fixed_points_with_a_margin():
    """Each field points along its spin, the weakest at 0.57 of the field of a pattern stored alone."""
    patterns = glyphs()
    assert "".join(patterns.names) == RECALLABLE_LETTERS
    spins = patterns.spins.astype(int)
    stability = spins * (spins @ hebbian_couplings(spins)) / patterns.n_neurons
    assert stability.min() == pytest.approx(82 / 144)


@pytest.mark.parametrize("flipped", [0.10, 0.15, 0.20])
def test_default_letters_come_back_from_noise(flipped):
    """Each letter 10 times from exactly that fraction of flipped pixels: 60 of 60 (600 of 600 tried once)."""
    spins = glyphs().spins.astype(int)
    couplings = hebbian_couplings(spins)
    rng = np.random.default_rng(20250801)
    for pattern in np.repeat(spins, 10, axis=0):
        probe = pattern.copy()
        probe[rng.permutation(144)[: round(flipped * 144)]] *= -1
        np.testing.assert_array_equal(relax(couplings, probe, rng), pattern)


def test_correlated_letters_are_not_stored():
    """The choice matters: of six letters that look alike, some are no fixed points of the Hebbian rule."""
    spins = glyphs("OQCGDU").spins.astype(int)
    assert (spins * (spins @ hebbian_couplings(spins))).min() < 0


def test_pseudo_inverse_stores_all_letters():
    """The alphabet is linearly independent, so the projection rule (Personnaz 1985) holds all 26 letters."""
    spins = glyphs(ascii_uppercase).spins.astype(float)
    couplings = np.linalg.pinv(spins) @ spins
    np.fill_diagonal(couplings, 0)
    assert (spins * (spins @ couplings)).min() > 0.5  # far above rounding


def test_letters_in_the_order_asked_for_small_or_capital():
    assert glyphs("hop").names == ["H", "O", "P"]
    np.testing.assert_array_equal(glyphs("hop").spins, glyphs("HOP").spins)


@pytest.mark.parametrize(
    ("letters", "said"), [("", "no letter"), ("A1", "no glyph for '1'"), ("ABA", "A is asked for twice")]
)
def test_letters_that_cannot_be_given(letters, said):
    with pytest.raises(InputError, match=said) as caught:
        glyphs(letters)
    assert caught.value.subject == "glyphs"


def test_a_file_that_is_not_shipped():
    with pytest.raises(InputError, match="not among the files"):
        shipped_file("nothing.txt")


def test_every_shipped_file_has_its_origin_stated():
    """data/README.md names each file of data/."""
    readme = shipped_file("README.md")
    for file in readme.parent.iterdir():
        if file != readme:
            assert f"| {file.name} |" in readme.read_text(encoding="utf-8")
