"""Records compared bit for bit."""

import numpy as np

from hopsim.storage.run_file import open_run


def assert_same_records(first, second):
    """The same variables with the same values, NaN where the other is NaN."""
    assert list(first) == list(second)
    for name in first:
        assert np.array_equal(first[name], second[name], equal_nan=first[name].dtype.kind == "f"), name


def assert_same_data(first, second):
    """The same for the records of two files."""
    assert_same_records(open_run(first).records, open_run(second).records)
