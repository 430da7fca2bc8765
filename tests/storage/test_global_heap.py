"""A damaged heap of strings is refused; a sound one, however large and used, is not."""

import itertools

import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.storage.global_heap import HEADER, OBJECT, SIGNATURE
from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import open_run


def test_the_heaps_of_a_file_with_many_names_and_strings_are_sound(tmp_path, write):
    """HDF5 frees and reuses parts of its heaps as scales are attached; none of that looks like damage."""
    schema, arrays = {}, {}
    for i, dims in enumerate(itertools.islice(itertools.cycle(itertools.permutations("abcd", 3)), 60)):
        schema[f"x{i}"] = Variable(dims, "long name " * (i % 40))
        arrays[f"x{i}"] = np.zeros((2, 2, 2))
        schema[f"text{i}"] = Variable(("a",), "text")
        arrays[f"text{i}"] = ["y" * (i * 337 % 5000), "z"]
    path = tmp_path / "RUN.h5"
    write(path, Records(schema, arrays), configuration={"text": "k" * 70_000})
    assert path.read_bytes().count(SIGNATURE) > 10
    run = open_run(path)
    for i in range(60):
        assert run.records[f"text{i}"].tolist() == arrays[f"text{i}"]


@pytest.mark.parametrize(
    ("offset", "value"),
    [(8, 2**40), (8, 0), (HEADER.size + 8, 2**63), (HEADER.size + 8, 2**64 - 1)],
    ids=["heap beyond the file", "heap of nothing", "object beyond the heap", "largest object"],
)
def test_a_size_that_leads_nowhere_is_refused(run_path, offset, value):
    """HDF5 2.0 follows such sizes for ever."""
    content = bytearray(run_path.read_bytes())
    place = content.index(SIGNATURE) + offset
    content[place : place + 8] = value.to_bytes(8, "little")
    run_path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged: the strings in it cannot be found"):
        open_run(run_path)


def test_a_heap_that_ends_early_is_refused(run_path):
    """Space left of size 0, the loop that random damage leads to."""
    content = bytearray(run_path.read_bytes())
    place = content.index(SIGNATURE) + HEADER.size
    content[place : place + OBJECT.size] = bytes(OBJECT.size)
    run_path.write_bytes(content)
    with pytest.raises(InputError, match="is damaged"):
        open_run(run_path)
