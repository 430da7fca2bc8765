"""`show`, `export` and `plot` on files of every kind of variable, and on bad ones."""

import csv
import json
import os
import resource
import subprocess
import sys
from datetime import UTC, datetime

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import write_run
from hopsim_cli.main import program

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
SCHEMA = {
    "trial": Variable(("trial",), "number of the trial"),
    "time": Variable(("time",), "time", units="sweep"),
    "energy": Variable(("trial", "time"), "energy"),
    "n_flips": Variable(("trial", "time"), "flips in the sweep"),
    "end_state": Variable(("trial",), "what it ended in"),
    "converged": Variable(("trial",), "whether it is a fixed point"),
    "state": Variable(("trial", "neuron"), "state", packed=True),
    "alpha_c": Variable((), "capacity"),
}
ARRAYS = {
    "trial": [5, 7],
    "time": [0, 1, 4],
    "energy": [[-0.5, -0.25, np.nan], [0.1, 0.2, 0.3]],
    "n_flips": [[0, 1, 2], [3, 4, 5]],
    "end_state": ['pattern "A", surely', "spurious"],
    "converged": [True, False],
    "state": np.array([[1, -1, 1], [-1, -1, 1]], np.int8),
    "alpha_c": 0.138,
}
CONFIGURATION = {"n_neurons": 3, "loads": [i / 100 for i in range(30)], "rule": "hebbian", "threads": None}


def run_hopsim(*arguments):
    return CliRunner().invoke(program, [*map(str, arguments)])


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "run.h5"
    write_run(
        path,
        Records(SCHEMA, ARRAYS),
        experiment="hopfield_example",
        configuration=CONFIGURATION,
        seed=17,
        command="hopsim hopfield example --seed 17",
        started=datetime.now(UTC),
    )
    return path


def rows_of(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_show_tells_what_is_in_a_file_and_how_it_was_made(path):
    result = run_hopsim("show", path)
    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == f"{path}: hopfield_example (complete)"
    assert "seed 17" in lines
    assert "rule hebbian" in lines
    assert "threads none" in lines
    assert "loads 0.0, 0.01, 0.02, ..., 0.29 (30 values)" in lines
    assert "time (time: 3) int64 sweep time" in lines
    assert "state (trial: 2, neuron: 3) spin 1 state" in lines
    assert "end_state (trial: 2) str 1 what it ended in" in lines
    assert lines[-1] == "hopsim hopfield example --seed 17"
    assert f"numpy {np.__version__}" in result.stdout


def test_show_as_json(path):
    result = json.loads(run_hopsim("show", path, "--json").stdout)
    assert result["file"] == str(path)
    assert result["seed"] == 17
    assert result["complete"] is True
    assert result["configuration"] == CONFIGURATION
    assert result["command"] == "hopsim hopfield example --seed 17"
    assert result["variables"]["energy"] == {
        "group": "",
        "dims": ["trial", "time"],
        "shape": [2, 3],
        "dtype": "float64",
        "units": "1",
        "long_name": "energy",
    }


def test_chains_in_groups_are_shown_with_their_path_and_exported_by_name(tmp_path):
    path = tmp_path / "chains.h5"
    schema = {
        "state": Variable(("chain", "draw", "unit"), "state", group="posterior"),
        "energy": Variable(("chain", "draw"), "energy", group="sample_stats"),
    }
    records = Records(schema, {"state": np.ones((2, 3, 4), np.int8), "energy": np.arange(6.0).reshape(2, 3)})
    write_run(
        path,
        records,
        experiment="boltzmann_example",
        configuration={},
        seed=1,
        command=None,
        started=datetime.now(UTC),
    )
    lines = [" ".join(line.split()) for line in run_hopsim("show", path).stdout.splitlines()]
    assert "posterior/state (chain: 2, draw: 3, unit: 4) int8 1 state" in lines
    assert "chain (chain: 2) int64 1 index of chain" in lines
    variables = json.loads(run_hopsim("show", path, "--json").stdout)["variables"]
    assert variables["energy"]["group"] == "sample_stats"
    assert run_hopsim("export", path, "--variable", "energy").exit_code == 0
    assert rows_of(tmp_path / "chains.csv")[4] == {"chain": "1", "draw": "1", "energy": "4.0"}
    assert run_hopsim("export", path, "-o", tmp_path / "chains.npz").exit_code == 0
    with np.load(tmp_path / "chains.npz") as arrays:
        assert set(arrays.files) == {"state", "energy", "chain", "draw", "unit"}
        assert arrays["state"].shape == (2, 3, 4)


def test_show_obeys_no_control_characters_of_a_file(path):
    with h5py.File(path, "r+") as file:
        file.attrs["command"] = "hopsim\x1b]0;gotcha\x07\nshow"
        file["energy"].attrs["long_name"] = "\x1b[2Jenergy"
    output = run_hopsim("show", path).stdout
    assert "\x1b" not in output
    assert "\x07" not in output
    assert r"\x1b[2Jenergy" in output


def test_csv_is_one_table_for_each_set_of_dimensions(path, tmp_path):
    result = run_hopsim("export", path)
    files = ["run-trial-time.csv", "run-trial.csv", "run-trial-neuron.csv", "run-scalars.csv"]
    assert sorted(result.stdout.split()) == sorted(str(tmp_path / file) for file in files)
    over_time, trials, states, scalars = (rows_of(tmp_path / file) for file in files)
    assert over_time[1] == {"trial": "5", "time": "1", "energy": "-0.25", "n_flips": "1"}
    assert over_time[2]["energy"] == "nan"
    assert over_time[5] == {"trial": "7", "time": "4", "energy": "0.3", "n_flips": "5"}
    assert trials[0] == {"trial": "5", "end_state": 'pattern "A", surely', "converged": "True"}
    assert [row["state"] for row in states] == ["1", "-1", "1", "-1", "-1", "1"]
    assert [row["neuron"] for row in states] == ["0", "1", "2"] * 2
    assert scalars == [{"alpha_c": "0.138"}]


def test_csv_of_chosen_variables_is_one_file(path, tmp_path):
    out = tmp_path / "energies.csv"
    assert run_hopsim("export", path, "-o", out, "--variable", "energy").stdout == f"{out}\n"
    assert [float(row["energy"]) for row in rows_of(out)][3:] == [0.1, 0.2, 0.3]
    assert run_hopsim("export", path, "-o", out, "--variable", "time", "--force").exit_code == 0
    assert rows_of(out) == [{"time": "0"}, {"time": "1"}, {"time": "4"}]


def test_long_tables_are_written_in_blocks_that_fit_together(tmp_path):
    n_rows, n_columns = 300, 700  # more than three blocks
    values = np.arange(n_rows * n_columns).reshape(n_rows, n_columns)
    records = Records({"value": Variable(("row", "column"), "value")}, {"value": values})
    path = tmp_path / "run.h5"
    write_run(
        path, records, experiment="e", configuration={}, seed=None, command=None, started=datetime.now(UTC)
    )
    assert run_hopsim("export", path).exit_code == 0
    table = np.loadtxt(tmp_path / "run.csv", delimiter=",", skiprows=1, dtype=np.int64)
    assert np.array_equal(table[:, 0] * n_columns + table[:, 1], table[:, 2])
    assert np.array_equal(table[:, 2], values.ravel())


def test_npz_gives_every_array_back_without_pickle(path, tmp_path):
    out = tmp_path / "run.npz"
    assert run_hopsim("export", path, "-o", out).stdout == f"{out}\n"
    with np.load(out, allow_pickle=False) as arrays:
        for name, array in ARRAYS.items():
            assert np.array_equal(arrays[name], array, equal_nan=name == "energy")
        assert arrays["state"].dtype == np.int8
        assert arrays["converged"].dtype == bool
        assert arrays["neuron"].tolist() == [0, 1, 2]


def test_npz_of_one_variable_has_its_coordinates(path, tmp_path):
    out = tmp_path / "run.npz"
    run_hopsim("export", path, "-o", out, "--variable", "energy")
    with np.load(out) as arrays:
        assert set(arrays) == {"trial", "time", "energy"}


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["export", "{path}", "-o", "{path}"], "--out: {path} is the file to be read; give another name"),
        (["export", "{path}", "-o", "run.xlsx"], "--out: expected a name that ends in .csv or .npz"),
        (["export", "{path}", "--variable", "spin"], "--variable: {path} has no 'spin'; it has trial, time"),
        (["export", "{path}", "-o", "/nowhere/a.npz"], "--out: /nowhere/a.npz cannot be written"),
        (["export", "{path}", "-o", "/nowhere/a.csv"], "--out: /nowhere/a-trial-time.csv cannot be written"),
        (["plot", "{path}", "-o", "run.xlsx"], "--out: run.xlsx names no format for a figure"),
        (["plot", "{path}"], "{path}: is a run of 'hopfield_example', which has no figure"),
    ],
)
def test_wrong_wishes_are_one_line_and_leave_nothing(path, tmp_path, monkeypatch, arguments, problem):
    monkeypatch.chdir(tmp_path)
    result = run_hopsim(*(argument.format(path=path) for argument in arguments))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: " + problem.format(path=path))
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("command", ["export", "plot"])
def test_existing_files_are_kept_unless_forced(tmp_path, command):
    path, out = tmp_path / "theory.h5", tmp_path / ("theory.csv" if command == "export" else "theory.png")
    run_hopsim("theory", "hopfield", "--loads", "0.05", "--out", path)
    out.write_text("precious")
    arguments = [command, path] + (["--variable", "overlap"] if command == "export" else [])
    result = run_hopsim(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: --out: {out} exists; overwrite it with --force")
    assert out.read_text() == "precious"
    assert run_hopsim(*arguments, "--force").exit_code == 0
    assert out.read_bytes() != b"precious"


def test_plot_draws_beside_the_file_or_where_asked(tmp_path):
    path = tmp_path / "theory.h5"
    run_hopsim("theory", "hopfield", "--loads", "0.05,0.1", "--out", path)
    assert run_hopsim("plot", path).stdout == f"{tmp_path / 'theory.png'}\n"
    assert (tmp_path / "theory.png").read_bytes().startswith(b"\x89PNG")
    assert run_hopsim("plot", path, "-o", tmp_path / "figure.pdf").exit_code == 0
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")


def test_plot_without_matplotlib_says_what_to_install(path):
    code = (
        "import sys\n"
        "sys.modules['matplotlib'] = None\n"  # to Python, that is not installed
        "from hopsim_cli.main import program\n"
        f"program.main(['plot', {str(path)!r}])\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=False
    )
    assert result.returncode == 1
    assert result.stderr == "Error: plot: needs matplotlib: pip install 'hopsim[plot]'\n"


@pytest.mark.parametrize("command", ["show", "export", "plot"])
@pytest.mark.parametrize("kind", ["missing", "directory", "text", "truncated", "foreign", "external link"])
def test_bad_files_are_one_line_that_names_them(path, tmp_path, command, kind):
    bad = tmp_path / "bad.h5"
    match kind:
        case "directory":
            bad.mkdir()
        case "text":
            bad.write_text("N = 1000\n")
        case "truncated":
            bad.write_bytes(path.read_bytes()[:-100])
        case "foreign":
            with h5py.File(bad, "w") as file:
                file["x"] = np.arange(3)
        case "external link":
            bad.write_bytes(path.read_bytes())
            with h5py.File(bad, "r+") as file:
                file["passwords"] = h5py.ExternalLink("/etc/passwd", "/")
    before = sorted(tmp_path.iterdir())
    result = run_hopsim(command, bad)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {bad}: ")
    assert result.stderr.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize("ending", [".csv", ".npz"])
def test_a_disk_that_fills_during_an_export_is_one_line_and_leaves_nothing(tmp_path, ending):
    """A limit on the size of files stands in for a small disk."""
    path, out, limit = tmp_path / "run.h5", tmp_path / f"out{ending}", 10_000
    noise = np.random.default_rng(1).random(20_000)
    write_run(
        path,
        Records({"noise": Variable(("point",), "noise")}, {"noise": noise}),
        experiment="noise",
        configuration={},
        seed=1,
        command=None,
        started=datetime.now(UTC),
    )
    result = subprocess.run(
        [sys.executable, "-m", "hopsim_cli.main", "export", path, "-o", out],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        env=ENVIRONMENT | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: {out}: ")
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == [path]
