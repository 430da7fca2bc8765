"""Bad input to `hopsim hopfield`: one line that names the option or the file, and nothing left behind."""

import os
import resource
import subprocess
import sys

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from hopsim_cli.main import program

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
RANDOM = "recall --n-neurons 50 --n-patterns 2"
SMALL = "capacity --n-neurons 50 --loads 0.1 --n-networks 1 --n-trials 1"


def assert_one_line(result, names, exit_code=2):
    assert result.exit_code == exit_code
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {names}: ")
    assert result.stderr.count("\n") == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)


def invoke(line, *more):
    # quiet: a first run's note that it compiles is no error
    return CliRunner().invoke(program, ["hopfield", *line.split(), "--quiet", *map(str, more)])


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("recall", "--n-neurons"),
        ("recall --n-neurons 0 --n-patterns 1", "--n-neurons"),
        ("recall --n-neurons -5 --n-patterns 1", "--n-neurons"),
        ("recall --n-neurons nan --n-patterns 1", "--n-neurons"),
        ("recall --n-neurons 1.5 --n-patterns 1", "--n-neurons"),
        ("recall --n-neurons 50", "--n-patterns"),
        ("recall --n-neurons 50 --n-patterns 2 --load 0.1", "--n-patterns"),
        ("recall --n-neurons 50 --n-patterns 0", "--n-patterns"),
        ("recall --n-neurons 50 --load 0.001", "--load"),
        ("recall --n-neurons 50 --load 0", "--load"),
        ("recall --n-neurons 50 --load nan", "--load"),
        ("recall --n-neurons 50 --load 1e308", "--load"),
        (f"{RANDOM} --temperature -0.1", "--temperature"),
        (f"{RANDOM} --temperature nan", "--temperature"),
        (f"{RANDOM} --temperature inf", "--temperature"),
        (f"{RANDOM} --flip 1.1", "--flip"),
        (f"{RANDOM} --flip nan", "--flip"),
        (f"{RANDOM} --mask -0.1", "--mask"),
        (f"{RANDOM} --activity 2", "--activity"),
        (f"{RANDOM} --rule hebian", "--rule"),
        (f"{RANDOM} --order parallel", "--order"),
        (f"{RANDOM} --record all", "--record"),
        (f"{RANDOM} --n-trials 0", "--n-trials"),
        (f"{RANDOM} --n-trials 1e15", "--n-trials"),
        (f"{RANDOM} --max-sweeps 0", "--max-sweeps"),
        (f"{RANDOM} --threads 0", "--threads"),
        (f"{RANDOM} --threads 100000", "--threads"),
        (f"{RANDOM} --seed -1", "--seed"),
        ("recall --glyphs HO7", "--glyphs"),
        ("recall --glyphs HOO", "--glyphs"),
        ("recall --glyphs HOP --patterns a.npy", "--patterns"),
        ("recall --glyphs HOP --n-neurons 50", "--n-neurons"),
        ("recall --glyphs HOP --activity 0.5", "--activity"),
        ("recall --n-neurons 1e8 --load 0.1", "--n-neurons"),
        ("recall --n-neurons 1e6 --n-patterns 3 --rule pseudo_inverse", "--n-neurons"),
        ("capacity --n-neurons 0", "--n-neurons"),
        ("capacity --n-neurons 100,nan", "--n-neurons"),
        ("capacity --n-neurons 100,100", "--n-neurons"),
        ("capacity --n-neurons 5e7", "--n-neurons"),
        ("capacity --n-neurons 1e12 --loads 1e6", "--n-neurons"),
        ("capacity --n-neurons 50 --loads 0.001", "--loads"),
        ("capacity --n-neurons 50 --loads 0", "--loads"),
        ("capacity --n-neurons 50 --loads nan", "--loads"),
        ("capacity --n-neurons 50 --loads -0.1", "--loads"),
        ("capacity --n-neurons 50 --loads 0.1,1e308", "--loads"),
        ("capacity --n-neurons 50 --loads 0.2:0.1:0.01", "--loads"),
        (f"{SMALL} --temperature -1", "--temperature"),
        (f"{SMALL} --temperature nan", "--temperature"),
        (f"{SMALL} --flip 2", "--flip"),
        (f"{SMALL} --success nan", "--success"),
        (f"{SMALL} --success 1", "--success"),
        (f"{SMALL} --burn-in -1", "--burn-in"),
        (f"{SMALL} --n-sweeps 0", "--n-sweeps"),
        (f"{SMALL} --n-networks 0", "--n-networks"),
        (f"{SMALL} --rule none", "--rule"),
    ],
)
def test_a_wrong_option_is_named_and_nothing_is_left(tmp_path, line, option):
    """Also networks and trials too large for the memory: before anything is allocated, so at once."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    assert_one_line(invoke(line, "--out", tmp_path / "run.h5"), option)
    after = resource.getrusage(resource.RUSAGE_SELF)
    assert list(tmp_path.iterdir()) == []
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 5
    assert after.ru_maxrss - before.ru_maxrss < 500_000  # kB: imports and kernels, not gigabytes


@pytest.mark.parametrize("line", [RANDOM, SMALL])
def test_outputs_that_cannot_be_written_are_named(tmp_path, line):
    existing = tmp_path / "run.h5"
    existing.write_text("precious")
    assert_one_line(invoke(line, "--out", existing), "--out")
    assert existing.read_text() == "precious"
    assert_one_line(invoke(line, "--out", tmp_path / "nowhere" / "run.h5"), "--out")
    assert_one_line(invoke(line, "--out", tmp_path), "--out")
    assert_one_line(invoke(line, "--out", "/proc/run.h5"), "--out")  # a directory closed even to root
    assert list(tmp_path.iterdir()) == [existing]


@pytest.mark.slow
@pytest.mark.parametrize("line", [f"{RANDOM} --n-neurons 5000", f"{SMALL} --n-networks 5000"])
def test_a_full_disk_is_one_line_and_leaves_nothing(tmp_path, line):
    """A limit on the size of files stands in for a small disk."""
    limit = 10_000  # bytes; the lock fits, the file does not
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "hopsim_cli.main",
            "hopfield",
            *line.split(),
            "--quiet",
            "--out",
            tmp_path / "run.h5",
        ],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env=ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    errors = result.stderr.splitlines()
    assert (result.returncode, result.stdout) == (1, "")
    assert len(errors) == 1
    assert errors[0].startswith(f"Error: {tmp_path}/run.h5")  # or a shard beside it
    assert list(tmp_path.iterdir()) == []


def _write_hdf5(path, kind):
    with h5py.File(path, "w") as file:
        if kind == "foreign":
            file["words"] = "text"
        else:
            file["patterns"] = np.ones((2, 30), np.int8)
        if kind == "external link":
            file["passwords"] = h5py.ExternalLink("/etc/passwd", "/")
    if kind == "truncated":
        path.write_bytes(path.read_bytes()[:-100])


@pytest.mark.parametrize("option", ["--patterns", "--probes"])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.npy", None),
        ("p.xlsx", "1,1"),
        ("empty.csv", ""),
        ("unequal.csv", "1,-1,1\n1,-1\n"),
        ("nan.csv", "1,-1,nan\n"),
        ("two.csv", "1,2,1\n"),
        ("mixed.csv", "1,0,-1\n"),
        ("words.txt", "spin glass\n"),
        ("text.npy", "1,-1"),
        ("text.png", "1,-1"),
        ("nan.npy", np.array([[1.0, np.nan]])),
        ("half.npy", np.array([[1.0, 0.5]])),
        ("pickle.npy", np.array([{}], dtype=object)),
        ("none.npy", np.empty((0, 5))),
        ("link.h5", "external link"),
        ("truncated.h5", "truncated"),
        ("foreign.h5", "foreign"),
        ("text.h5", "1,-1"),
    ],
)
def test_bad_patterns_and_probes_are_named(tmp_path, option, name, content):
    path = tmp_path / name
    if isinstance(content, np.ndarray):
        np.save(path, content, allow_pickle=True)
    elif content in ("external link", "truncated", "foreign"):
        _write_hdf5(path, content)
    elif content is not None:
        path.write_text(content)
    before = list(tmp_path.iterdir())
    stored = "recall" if option == "--patterns" else RANDOM
    assert_one_line(invoke(stored, option, path, "--out", tmp_path / "run.h5"), path)
    assert list(tmp_path.iterdir()) == before


def test_patterns_of_unequal_length_in_two_files_are_named(tmp_path):
    np.save(tmp_path / "a.npy", np.ones((2, 10)))
    np.save(tmp_path / "b.npy", np.ones((2, 11)))
    files = ("--patterns", tmp_path / "a.npy", "--patterns", tmp_path / "b.npy")
    assert_one_line(invoke("recall", *files), tmp_path / "b.npy")
    assert_one_line(invoke(RANDOM, "--probes", tmp_path / "a.npy"), tmp_path / "a.npy")


@pytest.mark.parametrize(
    "couplings",
    [
        np.ones((3, 2)),
        np.array([[0, 1.0], [2, 0]]),
        np.array([[0, np.nan], [np.nan, 0]]),
        np.array([[1.0, 1], [1, 1]]),
        np.zeros((0, 0)),
    ],
    ids=["not square", "not symmetric", "NaN", "diagonal", "empty"],
)
def test_bad_couplings_are_named(tmp_path, couplings):
    np.save(tmp_path / "W.npy", couplings)
    assert_one_line(invoke("recall", "--couplings", tmp_path / "W.npy"), tmp_path / "W.npy")


def test_couplings_and_patterns_must_fit(tmp_path):
    np.save(tmp_path / "W.npy", np.zeros((2, 2)))
    np.save(tmp_path / "a.npy", np.ones((1, 3)))
    both = ("--couplings", tmp_path / "W.npy", "--patterns", tmp_path / "a.npy")
    assert_one_line(invoke("recall", *both), "--couplings")
