"""Files that anybody may have made: each is one clear line naming the file, and nothing is read on trust."""

import os
import struct

import h5py
import numpy as np
import pytest

from hopsim.errors import InputError
from hopsim.storage.run_file import open_run
from hopsim.storage.safe_hdf5 import MAX_DEPTH, open_hdf5, read_array


def problem_of(read, path, *arguments):
    """The one line with which a file is refused, without its name."""
    with pytest.raises(InputError) as error:
        read(path, *arguments)
    assert error.value.subject == str(path)
    assert error.value.exit_status == 2
    assert "\n" not in str(error.value)
    assert len(error.value.problem) < 400
    return error.value.problem


def add_trial_data(file, name, **settings):
    """A dataset over the trials, as a run has it but for the settings."""
    dataset = file.create_dataset(name, **settings)
    dataset.attrs.update({"units": "1", "long_name": name})
    for axis in range(dataset.ndim):
        dataset.dims[axis].attach_scale(file["trial"])
    return dataset


def external_storage(file):
    with open(file.filename + ".raw", "wb") as raw:
        raw.write(bytes(24))
    add_trial_data(file, "x", shape=(3,), dtype="f8", external=[(file.filename + ".raw", 0, 24)])


def virtual_dataset(file):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(3,))
    file.create_virtual_dataset("x", layout)
    file["x"].attrs.update({"units": "1", "long_name": "x"})
    file["x"].dims[0].attach_scale(file["trial"])


def deep_nesting(file):
    group = file
    for depth in range(100):
        group = group.create_group(f"g{depth}")


def scale_of_another_length(file):
    del file["trial"]
    file["trial"] = np.arange(5)
    file["trial"].make_scale("trial")
    file["trial"].attrs.update({"units": "1", "long_name": "trial"})
    add_trial_data(file, "x", data=np.zeros(3))


def cut_references_of_a_scale(file):
    del file["trial"].attrs["REFERENCE_LIST"]


def replace_references_of_a_scale(file):
    file["trial"].attrs["REFERENCE_LIST"] = np.arange(3)


def reference_to_an_axis_that_is_not_there(file):
    references = file["trial"].attrs["REFERENCE_LIST"]
    references["dimension"] = 7
    file["trial"].attrs["REFERENCE_LIST"] = references


def text_that_is_not_utf8(file):
    dataset = add_trial_data(file, "x", shape=(3,), dtype=h5py.string_dtype())
    dataset[...] = [b"\xff\xfe", b"a", b"b"]


def long_string_among_many(file):
    file["row"] = np.arange(2000)
    file["row"].make_scale("row")
    file["row"].attrs.update({"units": "1", "long_name": "row"})
    texts = np.array(["x" * 200_000] + ["y"] * 1999, dtype=object)
    dataset = file.create_dataset("x", data=texts, dtype=h5py.string_dtype())
    dataset.attrs.update({"units": "1", "long_name": "x"})
    dataset.dims[0].attach_scale(file["row"])


def attribute(name, value):
    def change(file):
        file.attrs[name] = value

    return change


def missing_attribute(name):
    def change(file):
        del file.attrs[name]

    return change


def data(**settings):
    return lambda file: add_trial_data(file, "x", **settings)


def packed_attribute(name, value):
    def change(file):
        file["start_packed"].attrs[name] = value

    return change


HOSTILE_RUNS = {
    "external link": (
        lambda f: f.__setitem__("x", h5py.ExternalLink("/etc/hosts", "/")),
        "external link 'x'",
    ),
    "soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/state")), "soft link 'x'"),
    "dangling soft link": (lambda f: f.__setitem__("x", h5py.SoftLink("/nowhere")), "soft link 'x'"),
    "group": (lambda f: f.create_group("prior"), "'prior', which is not a dataset"),
    "deep nesting": (deep_nesting, "'g0', which is not a dataset"),
    "group within itself": (lambda f: f.__setitem__("x", f["/"]), "'x', which is not a dataset"),
    "named type": (lambda f: f.__setitem__("x", np.dtype("f8")), "'x', which is not a dataset"),
    "name of two lines": (lambda f: f.create_group("a\nb" * 500), "which is not a dataset"),
    "name that is not UTF-8": (lambda f: f.create_group(b"\xff"), "not UTF-8"),
    "external storage": (external_storage, "keeps its data in another file"),
    "virtual dataset": (virtual_dataset, "virtual dataset"),
    "no format": (missing_attribute("format"), "not a hopsim run"),
    "other format": (attribute("format", "netCDF"), "not a hopsim run"),
    "format that is a list": (attribute("format", [1, 2]), "'format' that is not one text or number"),
    "newer format": (
        attribute("format_version", 2),
        "format version 2, and this hopsim knows 1: update hopsim",
    ),
    "format version as text": (attribute("format_version", "1"), "'format_version' that is no integer"),
    "no experiment": (missing_attribute("experiment"), "no attribute 'experiment'"),
    "experiment as a number": (attribute("experiment", 1.5), "'experiment' that is no text"),
    "configuration that is no JSON": (attribute("configuration", "{"), "not a JSON object"),
    "configuration that is a list": (attribute("configuration", "[]"), "not a JSON object"),
    "configuration nested deep": (attribute("configuration", '{"a":' * 10**5), "not a JSON object"),
    "attribute that is empty": (attribute("note", h5py.Empty("f8")), "'note'"),
    "float16": (data(data=np.zeros(3, np.float16)), "type float16"),
    "complex": (data(data=np.zeros(3, complex)), "type complex128"),
    "compound": (data(data=np.zeros(3, [("a", "f8")])), "which no run has"),
    "references": (data(shape=(3,), dtype=h5py.ref_dtype), "type object"),
    "lists of variable length": (data(shape=(3,), dtype=h5py.vlen_dtype("i4")), "type object"),
    "strings of fixed length": (data(data=np.array([b"a", b"b", b"c"])), "strings other than"),
    "text that is not UTF-8": (text_that_is_not_utf8, "not UTF-8"),
    "long string among many": (long_string_among_many, "more than 1 GiB of strings"),
    "no units": (lambda f: f["state"].attrs.__delitem__("units"), "no attribute 'units'"),
    "axis without a scale": (
        cut_references_of_a_scale,
        "without a dimension scale",
    ),
    "references of a scale": (replace_references_of_a_scale, "without a proper list of references"),
    "axis that is not there": (reference_to_an_axis_that_is_not_there, "of something that is not there"),
    "scale of another length": (scale_of_another_length, "without a dimension scale"),
    "name that is no name": (lambda f: f.move("alpha_c", "alpha-c"), "not laid out as a hopsim run"),
    "boolean of 7": (lambda f: f["converged"].__setitem__(0, 7), "marked as boolean"),
    "another bit order": (packed_attribute("bit_order", "big"), "not 37 neurons packed"),
    "more neurons than bits": (packed_attribute("n_neurons", 41), "not 41 neurons packed"),
    "2^62 neurons": (packed_attribute("n_neurons", 2**62), "neurons packed"),
    "unwritten chunks": (data(shape=(3,), dtype="f8", chunks=(1,)), "0 of its 3 chunks"),
    "unwritten, contiguous": (data(shape=(3,), dtype="f8"), "claims 24 bytes; the 0 stored"),
    "8 TiB of nothing": (data(shape=(2**20, 2**20), dtype="f8", chunks=(1024, 1024)), "claims 8192"),
    "unknown filter": (data(data=np.zeros(3, "i4"), chunks=(3,), scaleoffset=0), "has filters other than"),
}


@pytest.mark.filterwarnings("ignore:.*to be h5py.Empty")
@pytest.mark.parametrize(("change", "problem"), HOSTILE_RUNS.values(), ids=HOSTILE_RUNS)
def test_a_file_that_is_no_sound_run_is_refused(run_path, change, problem):
    with h5py.File(run_path, "r+") as file:
        change(file)
    assert problem in problem_of(open_run, run_path)


def test_a_chunk_larger_than_its_data_is_refused(tmp_path):
    """One element in a chunk of 8 GiB: reading it would allocate the chunk."""
    path = tmp_path / "chunk.h5"
    with h5py.File(path, "w") as file:
        dataset = file.create_dataset(
            "x", (1, 1), "f8", chunks=(2**15, 2**14), maxshape=(None, None), compression="gzip"
        )
        dataset.id.write_direct_chunk((0, 0), b"\0" * 100)
    assert "claims 4294967296 bytes; the 100 stored" in problem_of(read_array, path)


def test_chunks_that_share_their_bytes_are_refused(tmp_path):
    """Many chunks that claim one place in the file add up to more than the file."""
    path = tmp_path / "shared.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        dataset = file.create_dataset("x", data=np.zeros((64, 1024)), chunks=(1, 1024))
        addresses = [dataset.id.get_chunk_info(i).byte_offset for i in range(64)]
    content = path.read_bytes()
    for address in addresses[1:]:
        content = content.replace(struct.pack("<Q", address), struct.pack("<Q", addresses[0]))
    path.write_bytes(content[: addresses[1] + 8192])
    assert problem_of(read_array, path)


@pytest.mark.parametrize("fraction", [0.0, 0.001, 0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_is_refused(run_path, fraction):
    content = run_path.read_bytes()
    run_path.write_bytes(content[: int(len(content) * fraction)])
    problem = problem_of(open_run, run_path)
    assert "damaged or truncated" in problem or "not an HDF5 file" in problem


def test_files_with_random_damage_are_read_or_refused(run_path):
    """300 files with a few bytes changed: HDF5 neither hangs nor crashes, and there is no other exception."""
    content = run_path.read_bytes()
    generator = np.random.default_rng(1)
    n_refused = 0
    for _ in range(300):
        damaged = bytearray(content)
        for place in generator.integers(0, 12_000, 3):  # the metadata come first
            damaged[place] = generator.integers(256)
        run_path.write_bytes(damaged)
        try:
            open_run(run_path)
        except InputError:
            n_refused += 1
    assert n_refused > 100, "hardly anything was damaged: nothing was tested"


@pytest.mark.parametrize("read", [open_run, read_array])
def test_what_is_not_a_file_of_hdf5_is_refused(tmp_path, read):
    path = tmp_path / "x.h5"
    assert problem_of(read, path) == "cannot be read: No such file or directory"
    path.write_text("1,-1,1\n" * 1000)
    assert problem_of(read, path) == "is not an HDF5 file"
    assert "not a regular file" in problem_of(read, tmp_path)
    os.mkfifo(tmp_path / "pipe")
    assert "not a regular file" in problem_of(read, tmp_path / "pipe")


@pytest.fixture
def foreign(tmp_path):
    """A file of someone else's: a matrix in a group, its labels, and the matrix's own settings."""
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w", libver="earliest") as file:
        matrix = np.array([[1, -1, 1], [-1, -1, 1]], dtype=">i4")
        file.create_dataset("data/patterns", data=matrix, chunks=(1, 3), compression="lzf")
        file["data/labels"] = np.arange(2)
        file["data/names"] = ["a", "b"]
    return path


def test_the_only_matrix_of_a_foreign_file_is_found(foreign):
    patterns = read_array(foreign)
    np.testing.assert_array_equal(patterns, [[1, -1, 1], [-1, -1, 1]])
    assert patterns.dtype == np.dtype("i4")
    np.testing.assert_array_equal(read_array(foreign, "/data/labels"), [0, 1])


def test_which_dataset_is_asked_for_must_be_clear(foreign):
    assert "no dataset 'x'; the file holds 'data/patterns'" in problem_of(read_array, foreign, "x")
    assert "holds no numbers" in problem_of(read_array, foreign, "data/names")
    assert "no dataset 'data'" in problem_of(read_array, foreign, "data")
    with h5py.File(foreign, "r+") as file:
        file["probes"] = np.ones((2, 2), dtype=bool)
    assert "the file holds 'data/patterns', 'probes'" in problem_of(read_array, foreign)
    assert read_array(foreign, "probes").dtype == np.bool_
    with h5py.File(foreign, "r+") as file:
        del file["probes"], file["data"]
    assert "holds no matrix of numbers" in problem_of(read_array, foreign)


@pytest.mark.parametrize(
    "link", [h5py.SoftLink("/data"), h5py.ExternalLink("other.h5", "/")], ids=["soft", "external"]
)
def test_a_foreign_file_with_a_link_is_refused_wherever_it_is(foreign, link):
    with h5py.File(foreign, "r+") as file:
        file["data/more/link"] = link
    assert "link 'link', which is not followed" in problem_of(read_array, foreign)
    assert "link 'link', which is not followed" in problem_of(read_array, foreign, "data/patterns")


def test_a_foreign_file_with_groups_in_circles_is_read_once(foreign):
    with h5py.File(foreign, "r+") as file:
        file["data/circle"] = file["/"]
        file["again"] = file["data"]
    assert read_array(foreign).shape == (2, 3)


def test_a_foreign_file_nested_too_deep_or_too_wide_is_refused(tmp_path, monkeypatch):
    with h5py.File(tmp_path / "deep.h5", "w") as file:
        deep_nesting(file)
    assert problem_of(read_array, tmp_path / "deep.h5") == f"is nested deeper than {MAX_DEPTH} groups"
    monkeypatch.setattr("hopsim.storage.safe_hdf5.MAX_OBJECTS", 20)
    with h5py.File(tmp_path / "wide.h5", "w") as file:
        for i in range(30):
            file.create_group(f"{i % 3}/{i}")
    assert problem_of(read_array, tmp_path / "wide.h5") == "holds more than 20 objects"


def test_a_matrix_beyond_the_memory_is_refused_before_it_is_allocated(tmp_path):
    with h5py.File(tmp_path / "large.h5", "w") as file:
        file.create_dataset("x", (2**25, 2**20), "i1", chunks=(2**10, 2**20))
    assert "claims 32768.0 GiB of data" in problem_of(read_array, tmp_path / "large.h5")


def test_an_error_of_hopsim_passes_through_the_open_file(run_path):
    """What a reader of the file raises itself keeps its own subject."""
    with pytest.raises(InputError, match=r"^patterns: too few"), open_hdf5(run_path):
        raise InputError("patterns", "too few")
