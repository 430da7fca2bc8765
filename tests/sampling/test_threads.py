"""Thread counts: set for a block, put back after it, whatever happens in it."""

import numba
import pytest

from hopsim.errors import InputError
from hopsim.sampling.threads import using_threads

MOST = numba.config.NUMBA_NUM_THREADS


def test_threads_are_set_for_a_block_and_put_back():
    before = numba.get_num_threads()
    with using_threads(1) as n_threads:
        assert n_threads == numba.get_num_threads() == 1
        with using_threads(None) as inner:
            assert inner == MOST
        assert numba.get_num_threads() == 1
    assert numba.get_num_threads() == before


def test_an_error_in_the_block_puts_them_back():
    before = numba.get_num_threads()
    with pytest.raises(KeyError), using_threads(1):
        raise KeyError
    assert numba.get_num_threads() == before


@pytest.mark.parametrize("n_threads", [0, -1, MOST + 1])
def test_impossible_numbers_are_refused(n_threads):
    with pytest.raises(InputError, match=f"^threads: expected 1 to {MOST}"), using_threads(n_threads):
        pass
