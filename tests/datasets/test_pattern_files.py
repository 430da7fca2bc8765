"""Patterns read from real files; whatever is wrong with a file is said in one line that names it."""

import os
import re
import sys
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from hopsim.datasets.pattern_files import read_patterns
from hopsim.errors import InputError
from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import write_run

SPINS = np.array([[1, -1, -1, 1], [-1, 1, -1, 1], [1, 1, -1, -1]], dtype=np.int8)


@pytest.fixture
def write(tmp_path):
    """Write text, bytes or an array to a file in an empty directory; gives its path."""

    def write_file(name, content):
        path = tmp_path / name
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif isinstance(content, bytes):
            path.write_bytes(content)
        else:
            np.save(path, content)
        return path

    return write_file


def problem_of(path, *, names=None, **options):
    """The message about a file that must be refused: one line that begins with the file's name."""
    with pytest.raises(InputError) as caught:
        read_patterns(path, **options)
    assert caught.value.subject == str(names or path)
    assert "\n" not in caught.value.problem
    return caught.value.problem


# --- what can be read


@pytest.mark.parametrize("dtype", [np.int8, np.int64, np.float32, ">f8"])
def test_npy_of_plus_minus_one_comes_back_as_int8_spins(write, dtype):
    patterns = read_patterns(write("memories.npy", SPINS.astype(dtype)))
    assert patterns.spins.dtype == np.int8
    np.testing.assert_array_equal(patterns.spins, SPINS)
    assert patterns.names == ["memories[0]", "memories[1]", "memories[2]"]
    assert patterns.image_shape is None
    assert (patterns.n_patterns, patterns.n_neurons) == (3, 4)


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float64])
def test_zeros_and_false_become_minus_one(write, dtype):
    np.testing.assert_array_equal(read_patterns(write("x.npy", (SPINS > 0).astype(dtype))).spins, SPINS)


def test_npy_in_fortran_order_keeps_its_rows(write):
    np.testing.assert_array_equal(read_patterns(write("x.npy", np.asfortranarray(SPINS))).spins, SPINS)


def test_one_dimension_is_one_pattern_and_three_are_pictures(write):
    one = read_patterns(write("one.npy", SPINS[0]))
    assert (one.spins.shape, one.names, one.image_shape) == ((1, 4), ["one"], None)
    pictures = read_patterns(write("pictures.npy", SPINS.reshape(2, 3, 2)))
    assert (pictures.spins.shape, pictures.image_shape) == ((2, 6), (3, 2))
    np.testing.assert_array_equal(pictures.spins.ravel(), SPINS.ravel())


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("x.csv", "1,-1,-1,1\n-1,1,-1,1\n1,1,-1,-1\n"),
        ("x.csv", "\ufeff+1, -1, -1, 1\r\n-1,1,-1,1\r\n1,1,-1,-1"),
        ("x.txt", "# three patterns\n\n1 0 0 1  # the first\n0\t1 0 1\n 1 1 0 0\n"),
        ("x.txt", "1001\n0101\n1100\n"),
        ("X.TXT", "1.0e+00 -1.0e+00 -1 1\n-1 1 -1 1\n1 1 -1 -1\n"),
    ],
)
def test_text_separated_by_commas_blanks_or_nothing(write, name, text):
    np.testing.assert_array_equal(read_patterns(write(name, text)).spins, SPINS)


def test_text_written_by_numpy_savetxt(tmp_path):
    np.savetxt(tmp_path / "x.txt", SPINS, header="written by savetxt")
    np.testing.assert_array_equal(read_patterns(str(tmp_path / "x.txt")).spins, SPINS)


def test_hdf5_dataset_of_a_foreign_file(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["memories"] = SPINS
        file["other"] = np.arange(3)
    np.testing.assert_array_equal(read_patterns(tmp_path / "x.h5").spins, SPINS)
    np.testing.assert_array_equal(read_patterns(tmp_path / "x.h5", dataset="memories").spins, SPINS)
    assert "has no dataset 'none'" in problem_of(tmp_path / "x.h5", dataset="none")
    assert "index [2] (counted from 0) is 2" in problem_of(tmp_path / "x.h5", dataset="other")


@pytest.mark.parametrize("packed", [False, True])
def test_spins_of_a_hopsim_run(tmp_path, packed):
    """The stored patterns are the default; states are asked for, and each of them is a pattern."""
    schema = {
        "memory": Variable(("pattern", "neuron"), "stored patterns", packed=packed),
        "state": Variable(("trial", "time", "neuron"), "states", packed=packed),
        "energy": Variable(("trial", "time"), "energy"),
    }
    states = np.stack([SPINS, -SPINS])
    records = Records(schema, {"memory": SPINS, "state": states, "energy": np.zeros((2, 3))})
    path = tmp_path / "run.h5"
    started = datetime(2025, 1, 1, tzinfo=UTC)
    write_run(path, records, experiment="test", configuration={}, seed=1, command=None, started=started)
    np.testing.assert_array_equal(read_patterns(path).spins, SPINS)
    np.testing.assert_array_equal(read_patterns(path, dataset="state").spins, states.reshape(6, 4))
    assert "spins in this run: memory, state" in problem_of(path, dataset="energy")


def test_hdf5_that_cannot_be_trusted_or_read(tmp_path, write):
    assert "not an HDF5 file" in problem_of(write("x.h5", "hello"))
    with h5py.File(tmp_path / "y.h5", "w") as file:
        file["memories"] = h5py.ExternalLink(tmp_path / "z.h5", "memories")
    assert "external link" in problem_of(tmp_path / "y.h5")


def test_several_files_are_joined_in_their_order(write):
    first, second = write("a.npy", SPINS), write("b.txt", "0000")
    patterns = read_patterns([second, first])
    np.testing.assert_array_equal(patterns.spins, np.vstack([-np.ones(4), SPINS]))
    assert patterns.names == ["b", "a[0]", "a[1]", "a[2]"]


# --- images

PICTURE = np.array([[1, -1, 1], [-1, -1, 1]], dtype=np.int8)  # 2 rows, 3 columns
GREY = np.where(PICTURE > 0, 40, 220).astype(np.uint8)


def images():
    """The same picture in all of png's ways to store a pixel."""
    transparent = np.zeros((2, 3, 4), np.uint8)  # black everywhere, seen only where there is ink
    transparent[..., 3] = np.where(PICTURE > 0, 255, 0)
    grey = Image.fromarray(GREY)
    return {
        "grey": grey,
        "black and white": grey.point(lambda value: 255 * (value > 128)).convert("1"),
        "palette": grey.convert("P"),
        "colour": grey.convert("RGB"),
        "16-bit grey": Image.fromarray(GREY.astype(np.uint16) * 256),
        "transparent": Image.fromarray(transparent),
    }


@pytest.mark.parametrize("kind", images())
def test_dark_pixels_are_ink(tmp_path, kind):
    images()[kind].save(tmp_path / "letter.png")
    patterns = read_patterns(tmp_path / "letter.png")
    np.testing.assert_array_equal(patterns.spins, PICTURE.reshape(1, 6))
    assert (patterns.names, patterns.image_shape) == (["letter"], (2, 3))


def test_threshold_lies_between_127_and_128(tmp_path):
    Image.fromarray(np.array([[127, 128]], np.uint8)).save(tmp_path / "x.png")
    np.testing.assert_array_equal(read_patterns(tmp_path / "x.png").spins, [[1, -1]])


def test_directory_stands_for_its_images_by_name(tmp_path):
    for name, picture in (("b.png", GREY), ("a.PNG", 255 - GREY)):
        Image.fromarray(picture).save(tmp_path / name, format="PNG")
    (tmp_path / "notes.txt").write_text("not a pattern")
    (tmp_path / "._a.png").write_text("what other systems leave behind")
    patterns = read_patterns(tmp_path)
    np.testing.assert_array_equal(patterns.spins, [-PICTURE.ravel(), PICTURE.ravel()])
    assert (patterns.names, patterns.image_shape) == (["a", "b"], (2, 3))


def test_images_of_unequal_size_are_refused(tmp_path):
    Image.fromarray(GREY).save(tmp_path / "a.png")
    Image.fromarray(GREY.T.copy()).save(tmp_path / "b.png")
    problem = problem_of(tmp_path, names=tmp_path / "b.png")
    assert "3 x 2 pixels" in problem
    assert f"{tmp_path / 'a.png'} 2 x 3" in problem


def test_directory_without_images_is_refused(tmp_path):
    assert "without .png images" in problem_of(tmp_path)


def test_image_that_is_none_or_cut_short_is_refused(tmp_path, write):
    assert "not a .png image" in problem_of(write("x.png", "hello"))
    Image.fromarray(np.random.default_rng(1).integers(0, 255, (50, 50), np.uint8)).save(tmp_path / "y.png")
    (tmp_path / "y.png").write_bytes((tmp_path / "y.png").read_bytes()[:1000])
    assert "damaged" in problem_of(tmp_path / "y.png")
    Image.fromarray(GREY).save(tmp_path / "jpeg.png", format="JPEG")
    assert "not a .png image" in problem_of(tmp_path / "jpeg.png")


@pytest.mark.parametrize(
    "side", [5000, 10_000, 20_000]
)  # above our limit, where pillow warns, where it refuses
def test_image_that_unpacks_to_too_many_pixels_is_refused(tmp_path, side):
    Image.new("1", (side, side)).save(tmp_path / "bomb.png")
    tracemalloc.start()
    assert "scale it down" in problem_of(tmp_path / "bomb.png")
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_without_pillow_the_error_says_how_to_install_it(tmp_path, monkeypatch):
    Image.fromarray(GREY).save(tmp_path / "x.png")
    monkeypatch.setitem(sys.modules, "PIL", None)  # what an import finds where pillow is not installed
    assert "pip install 'hopsim[plot]'" in problem_of(tmp_path / "x.png")


# --- what is refused, and how that is said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 0 1\n# two\n1 0\n", "line 3 has 2 values, but line 1 has 3"),
        ("101\n10\n", "line 2 has 2 values, but line 1 has 3"),
        ("\n1 -1 1\n1 2 1\n", "line 3, value 2 is 2.0"),
        ("1 nan 1\n", "line 1, value 2 is nan"),
        ("1 inf 1\n", "line 1, value 2 is inf"),
        ("1 -1\n1 0\n", "mixes -1 (line 1, value 2) and 0 (line 2, value 2)"),
        ("1,,1\n", "line 1, value 2: '' is not"),
        ("left,right\n1,0\n", "line 1, value 1: 'left' is not"),
        ("01 10\n", "line 1, value 1: '01' is not"),
        ("1;0;1\n", "line 1, value 1: '1;0;1' is not"),
        ("", "holds no patterns"),
        ("# nothing\n\n", "holds no patterns"),
    ],
)
def test_text_that_holds_no_patterns(write, text, said):
    assert said in problem_of(write("x.txt", text))


def test_binary_file_called_txt(write):
    assert "not a text file" in problem_of(write("x.txt", b"\x89\xff\xfe\x00"))


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (np.array([[1, 0], [0, 255]], np.uint8), "index [1, 1] (counted from 0) is 255"),
        (np.array([[1, -1], [np.nan, 1]]), "index [1, 0] (counted from 0) is nan"),
        (np.array([1, 0, -1]), "mixes -1 (index [2] (counted from 0)) and 0 (index [1] (counted from 0))"),
        (np.zeros((0, 5)), "holds no patterns"),
        (np.zeros((5, 0)), "holds no patterns"),
        (np.ones((1, 2, 3, 4)), "shape (1, 2, 3, 4)"),
        (np.int8(1), "shape ()"),
        (np.array([["a", "b"]]), "dtype <U1"),
        (np.array([[1j]]), "dtype complex128"),
        (np.zeros(3, dtype=[("spin", np.int8)]), "expected numbers or booleans"),
    ],
)
def test_npy_that_holds_no_patterns(write, array, said):
    assert said in problem_of(write("x.npy", array))


def test_pickled_objects_are_never_loaded(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"spin": 1}], dtype=object), allow_pickle=True)
    assert "dtype object" in problem_of(tmp_path / "x.npy")
    (tmp_path / "x.npy").write_bytes(b"\x80\x04]\x94.")  # a bare pickle
    assert "not a .npy file" in problem_of(tmp_path / "x.npy")


def test_npy_cut_short_anywhere_is_refused(write):
    path = write("x.npy", SPINS)
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        assert re.search("not a .npy file|cut short", problem_of(path))


@pytest.mark.parametrize("shape", ["(99999999999, 99999999999)", "(-1, -4)"])
def test_npy_that_declares_more_than_it_has_allocates_nothing(write, shape):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    path = write(
        "x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode() + b"\0" * 32
    )
    tracemalloc.start()
    assert "cut short or damaged" in problem_of(path)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_files_whose_patterns_differ_in_length(write):
    first, second = write("a.txt", "0110"), write("b.txt", "01101")
    problem = problem_of([first, second], names=second)
    assert f"have 5 values, but those of {first} 4" in problem


def test_missing_file_and_unknown_ending(tmp_path, write):
    assert "No such file" in problem_of(tmp_path / "none.npy")
    assert ".npy, .csv, .txt" in problem_of(write("x.dat", "0110"))
    assert "no file is given" in problem_of([], names="patterns")


def test_dataset_is_a_thing_of_hdf5_files_only(write):
    assert "is not; leave it out" in problem_of(write("x.npy", SPINS), names="dataset", dataset="memories")


def test_named_pipe_is_refused_instead_of_waited_for(tmp_path):
    os.mkfifo(tmp_path / "x.txt")
    assert "not a regular file" in problem_of(tmp_path / "x.txt")


@pytest.mark.parametrize("name", ["x.npy", "x.txt", "x.png", ""])
def test_file_or_directory_that_may_not_be_read(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    tmp_path.chmod(0o755)
    folder = Path("locked")
    folder.mkdir()
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # whom no permission stops
        os.seteuid(65534)
    try:
        assert "Permission denied" in problem_of(folder / name)
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


@pytest.mark.parametrize("ending", [".txt", ".npy", ".png"])
@settings(max_examples=60, deadline=None)
@given(content=st.one_of(st.binary(max_size=60), st.text("01-+., #\n\te", max_size=60).map(str.encode)))
def test_any_bytes_give_spins_or_an_input_error(tmp_path_factory, ending, content):
    path = tmp_path_factory.getbasetemp() / f"any{ending}"
    path.write_bytes(content)
    with suppress(InputError):
        assert set(np.unique(read_patterns(path).spins)) <= {-1, 1}
