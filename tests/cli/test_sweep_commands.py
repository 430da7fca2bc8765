"""`hopsim sweep`: the same bits from every engine and any order, resuming, shares, and what it refuses."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress

import h5py
import numpy as np
import pytest
import xarray
from click.testing import CliRunner
from same_records import assert_same_data

from hopsim.storage.run_file import open_run
from hopsim_cli.main import program

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
COMMAND = [sys.executable, "-m", "hopsim_cli.main"]
STUDY = """
experiment = "capacity"
seed = 11
[axes]
n_neurons = [60, 90]
load = { start = 0.10, stop = 0.30, step = 0.05 }
[fixed]
n_networks = 7
n_trials = 2
flip = 0.05
"""
N_POINTS = 2 * 5 * 7
LARGE = STUDY.replace("n_networks = 7", "n_networks = 2_000_000").replace("[60, 90]", "[500]")


@pytest.fixture
def study(tmp_path):
    """Writes a specification, with some words changed."""

    def write(text=STUDY, name="study.toml", **changes):
        for old, new in changes.items():
            text = text.replace(old.replace("_is", " ="), new)
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def sweep(*words):
    """The result of a command that must succeed."""
    result = CliRunner().invoke(program, ["sweep", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*words, status=2):
    """The one line of a command that must fail."""
    result = CliRunner().invoke(program, ["sweep", *map(str, words)], catch_exceptions=False)
    assert result.exit_code == status
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if not line.startswith(("hopsim: ", "{"))]
    assert len(lines) == 1
    return lines[0].removeprefix("Error: ")


def points(path):
    """Every point of a file: what it is and what it gave."""
    records = open_run(path).records
    names = [name for name in records if name.startswith("point_")]
    order = np.lexsort([records[f"point_{name}"] for name in ("network", "load", "n_neurons")])
    return {name: records[name][order] for name in sorted(names)}


def assert_same_points(first, second):
    first, second = points(first), points(second)
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name]), name


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of the study, run in one go on one thread."""
    directory = tmp_path_factory.mktemp("whole")
    specification = directory / "study.toml"
    specification.write_text(STUDY)
    sweep("run", specification, "--out", directory / "run.h5", "--threads", 1, "--quiet")
    return directory / "run.h5"


def test_the_file_is_columnar(whole):
    """One row a point in order; the summary is that of `hopsim hopfield capacity`; xarray opens both."""
    with xarray.open_dataset(whole) as data:
        assert data.sizes == {"n_neurons": 2, "load": 5, "point": N_POINTS, "trial": 2}
        assert data.point_overlap.dims == ("point", "trial")
        assert data.point_n_neurons.values.tolist() == [60] * 35 + [90] * 35
        assert (
            data.point_load.values.tolist() == np.tile(np.repeat([0.1, 0.15, 0.2, 0.25, 0.3], 7), 2).tolist()
        )
        assert data.point_network.values.tolist() == list(range(7)) * 10
    grid = whole.with_name("grid.h5")
    line = "--n-neurons 60,90 --loads 0.1:0.3:0.05 --n-networks 7 --n-trials 2 --flip 0.05 --seed 11 --quiet"
    CliRunner().invoke(program, ["hopfield", "capacity", *line.split(), "--out", str(grid)])
    on_grid, in_columns = open_run(grid).records, open_run(whole).records
    for name in ("overlap", "n_sweeps", "converged"):
        assert (on_grid[name].reshape(N_POINTS, 2) == in_columns[f"point_{name}"]).all()
    for name in set(on_grid) - {"overlap", "n_sweeps", "converged", "retrieved", "finished", "network"}:
        floats = on_grid[name].dtype.kind == "f"
        assert np.array_equal(on_grid[name], in_columns[name], equal_nan=floats), name


def test_the_same_bits_with_two_threads(whole, study, tmp_path):
    sweep("run", study(), "--out", tmp_path / "run.h5", "--threads", 2, "--quiet")
    assert_same_data(whole, tmp_path / "run.h5")


def test_the_same_bits_from_dask_with_two_workers(whole, study, tmp_path):
    sweep("run", study(), "--out", tmp_path / "run.h5", "--engine", "dask", "--threads", 2, "--quiet")
    assert_same_data(whole, tmp_path / "run.h5")


def test_the_same_bits_from_three_shares(whole, study, tmp_path):
    """In any order; before the last is there, merging says what is missing, and looking changes nothing."""
    path = tmp_path / "run.h5"
    for share, n_finished in (("2/3", 24), ("0/3", 47)):
        sweep("run", study(), "--out", path, "--shard", share, "--quiet")
        assert not path.exists()
        told = json.loads(sweep("status", path, "--json"))
        assert (told["n_finished"], told["n_points"], told["running"]) == (n_finished, N_POINTS, False)
    assert refused("merge", path, status=1).startswith(f"{path}: 23 points are missing")
    sweep("run", study(), "--out", path, "--shard", "1/3", "--quiet")
    sweep("merge", path, "--quiet")
    assert_same_data(whole, path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run.h5", "study.toml"]


def test_a_part_of_the_shares_can_be_merged(whole, study, tmp_path):
    path = tmp_path / "run.h5"
    sweep("run", study(), "--out", path, "--shard", "0/2", "--quiet")
    sweep("merge", path, "--partial", "--quiet")
    assert not open_run(path).complete
    sweep("run", study(), "--out", path, "--resume", "--quiet")
    assert_same_data(whole, path)


def test_the_same_points_in_another_order(whole, study, tmp_path):
    turned = study(
        STUDY.replace("[60, 90]", "[90, 60]").replace(
            "load = { start = 0.10, stop = 0.30, step = 0.05 }", "load = [0.30, 0.15, 0.10, 0.20, 0.25]"
        )
    )
    sweep("run", turned, "--out", tmp_path / "run.h5", "--quiet")
    assert_same_points(whole, tmp_path / "run.h5")


def test_an_extended_study_runs_only_what_is_new(whole, study, tmp_path):
    """More networks and one load more: the others are taken from the file that is there."""
    path = tmp_path / "run.h5"
    sweep("run", study(STUDY.replace("n_networks = 7", "n_networks = 3")), "--out", path, "--quiet")
    longer = study(STUDY.replace("stop = 0.30", "stop = 0.35"))
    result = CliRunner().invoke(
        program, ["sweep", "run", str(longer), "--out", str(path), "--resume", "--json"]
    )
    events = [json.loads(line) for line in result.stderr.splitlines() if line.startswith("{")]
    begin = next(event for event in events if event["event"] == "begin")
    assert (begin["n_finished"], begin["n_points"]) == (30, 84)
    commits = [part for event in events if event["event"] == "commit" for part in event["finished"]]
    run = {(cell, k) for cell, first, last in commits for k in range(first, last)}
    assert run == {(6 * i + j, k) for i in (0, 1) for j in range(6) for k in range(3 if j < 5 else 0, 7)}
    ours, theirs = points(path), points(whole)
    kept = ours["point_load"] != 0.35
    assert all((ours[name][kept] == theirs[name]).all() for name in theirs)


def test_what_no_longer_belongs_is_named(study, tmp_path):
    path = tmp_path / "run.h5"
    sweep("run", study(), "--out", path, "--quiet")
    fewer = study(STUDY.replace("[60, 90]", "[90]"))
    result = CliRunner().invoke(program, ["sweep", "run", str(fewer), "--out", str(path), "--resume"])
    assert result.exit_code == 0
    assert "35 finished points are kept; 35 no longer belong and are left out: " in result.stderr
    assert "n_neurons 60, n_patterns 6" in result.stderr
    assert set(open_run(path).records["point_n_neurons"]) == {90}


def test_a_specification_of_which_nothing_is_there_is_refused(study, tmp_path):
    path = tmp_path / "run.h5"
    sweep("run", study(), "--out", path, "--quiet")
    before = path.read_bytes()
    problem = refused(
        "run", study(STUDY.replace("seed = 11", "seed = 12")), "--out", path, "--resume", "--quiet"
    )
    assert "holds points of another specification, as" in problem
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run.h5", "study.toml"]


def test_shares_of_two_specifications_do_not_mix(study, tmp_path):
    path = tmp_path / "run.h5"
    sweep("run", study(), "--out", path, "--shard", "0/2", "--quiet")
    shards = {entry: entry.read_bytes() for entry in (tmp_path / "run.h5.shards").iterdir()}
    other = study(STUDY.replace("flip = 0.05", "flip = 0.1"))
    problem = refused("run", other, "--out", path, "--shard", "1/2", "--quiet")
    assert "holds points of another specification" in problem
    assert {entry: entry.read_bytes() for entry in (tmp_path / "run.h5.shards").iterdir()} == shards


def test_nothing_is_overwritten_without_force(whole, study, tmp_path):
    path = tmp_path / "run.h5"
    path.write_bytes(whole.read_bytes())
    assert refused("run", study(), "--out", path) == (
        f"--out: {path} exists; go on with it by --resume, overwrite it with --force or choose another name"
    )
    assert path.read_bytes() == whole.read_bytes()
    sweep("run", study(STUDY.replace("seed = 11", "seed = 12")), "--out", path, "--force", "--quiet")
    assert open_run(path).configuration["seed"] == 12


@pytest.mark.parametrize("damage", ["truncated", "foreign", "version"])
def test_a_damaged_shard_is_named_and_nothing_is_changed(damage, study, tmp_path):
    path = tmp_path / "run.h5"
    sweep("run", study(), "--out", path, "--shard", "0/2", "--quiet")
    [shard] = (tmp_path / "run.h5.shards").glob("*.h5")
    if damage == "truncated":
        shard.write_bytes(shard.read_bytes()[:-100])
    elif damage == "foreign":
        shard.unlink()
        h5py.File(shard, "w").close()
    else:
        with h5py.File(shard, "r+") as file:
            file.attrs["hopsim_version"] = np.bytes_("0.0.1")
    before = shard.read_bytes()
    for command in (("run", study(), "--out", path, "--resume"), ("merge", path), ("status", path)):
        assert refused(*command).startswith(f"{shard}: ")
    assert shard.read_bytes() == before
    assert not path.exists()


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (["--shard", "3/3"], "--shard: expected I/N with I from 0 to N - 1, got '3/3'"),
        (["--shard", "1"], "--shard: expected I/N with I from 0 to N - 1, got '1'"),
        (["--shard", "0/2"], "--shard: a share of a sweep needs --out, where all shares leave their points"),
        (["--resume"], "--resume: needs --out, the file to go on with"),
        (["--scheduler", "tcp://127.0.0.1:1"], "--scheduler: is for --engine dask"),
        (
            ["--engine", "dask", "--scheduler", "tcp://127.0.0.1:1", "--threads", "2"],
            "--threads: is for worker processes on this machine",
        ),
        (["--engine", "slurm"], "--engine: 'slurm' is not one of 'local', 'dask'."),
        (["--threads", "1000"], "--threads: expected 1 to"),
    ],
)
def test_wrong_options(words, problem, study):
    assert refused("run", study(), *words).startswith(problem)


@pytest.mark.slow
def test_a_scheduler_that_does_not_answer(study, tmp_path):
    words = ["--engine", "dask", "--scheduler", "tcp://127.0.0.1:9", "--out", tmp_path / "run.h5"]
    assert refused("run", study(), *words, status=1).startswith("--scheduler: ")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["study.toml"]


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("n_trials", "n_trails", "fixed.n_trails: "),
        ("[60, 90]", "[]", "axes.n_neurons: "),
        ("[60, 90]", "[60, 100_000_000]", "axes.n_neurons: 10000000 patterns of 100000000 neurons"),
        ("seed = 11", "seed = ", "line 3"),
    ],
)
def test_wrong_specifications(old, new, problem, study, tmp_path):
    """One line that names the file and the key, or for what memory cannot hold the sizes; nothing is written."""
    line = refused("run", study(STUDY.replace(old, new)), "--out", tmp_path / "run.h5", "--quiet")
    assert line.startswith(f"{tmp_path}/study.toml: ")
    assert problem in line
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["study.toml"]


def test_the_plan_counts_and_measures(study):
    plan = json.loads(sweep("plan", study(), "--json"))
    assert (plan["n_cells"], plan["n_points"], plan["n_recalls"]) == (10, 70, 140)
    assert 0 < plan["seconds_low"] <= plan["seconds"] <= plan["seconds_high"]
    assert plan["disk_bytes"] <= 100 * 70
    text = sweep("plan", study(STUDY + "[budget]\nseconds = 0.000001\n"))
    assert text.startswith("capacity: 10 cells, 70 points (networks), 140 recalls\n")
    assert "NOT enough" in text


def test_a_budget_that_is_spent_saves_and_says_so(study, tmp_path):
    path = tmp_path / "run.h5"
    specification = study(LARGE + "[budget]\nseconds = 1\n")
    result = CliRunner().invoke(program, ["sweep", "run", str(specification), "--out", str(path)])
    assert result.exit_code == 130
    assert "go on with --resume" in result.stderr
    assert 0 < len(open_run(path).records["point_network"]) < 10_000_000


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_a_signal_saves_what_is_finished(number, study, tmp_path):
    """The first one ends the run with the points in the file; status sees it run, and a second run is refused."""
    path = tmp_path / "run.h5"
    command = [*COMMAND, "sweep", "run", study(LARGE), "--out", path, "--json"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True
    )
    n_reported = 0
    while n_reported == 0:
        event = json.loads(process.stderr.readline())
        n_reported = event["n_finished"] if event["event"] == "commit" else 0
    told = json.loads(sweep("status", path, "--json"))
    assert told["running"]
    assert n_reported <= told["n_finished"] < 10_000_000
    for words in (["--resume"], ["--shard", "0/2"]):
        assert "another run" in refused("run", study(LARGE), "--out", path, *words) or "is being" in refused(
            "run", study(LARGE), "--out", path, *words
        )
    process.send_signal(number)
    _, errors = process.communicate()
    assert process.returncode == 130
    events = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
    n_reported = max(event.get("n_finished", 0) for event in events)
    run = open_run(path)
    assert not run.complete
    assert len(run.records["point_network"]) == n_reported
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["run.h5", "study.toml"]


def test_a_sweep_on_a_full_disk_loses_nothing(whole, study, tmp_path):
    """A small tmpfs that fills up: a clear error, finished points stay, and with room again the rest is run."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], check=False, capture_output=True
    ).returncode:
        pytest.skip("needs the right to mount a tmpfs")
    try:
        filler, path = disk / "filler", disk / "run.h5"
        command = [*COMMAND, "sweep", "run", study(LARGE), "--out", path, "--json"]
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ENVIRONMENT, text=True
        )
        n_reported = 0
        while n_reported == 0:
            event = json.loads(process.stderr.readline())
            n_reported = event["n_finished"] if event["event"] == "commit" else 0
        with filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))
        _, errors = process.communicate(timeout=60)
        events = [json.loads(line) for line in errors.splitlines() if line.startswith("{")]
        n_reported = max([n_reported, *(event.get("n_finished", 0) for event in events)])
        assert process.returncode == 1
        assert errors.splitlines()[-1].startswith("Error: ")
        assert "No space left on device" in errors
        filler.unlink()
        assert json.loads(sweep("status", path, "--json"))["n_finished"] == n_reported
        time.sleep(0.1)
        fewer = study(LARGE.replace("2_000_000", "20"))
        sweep("run", fewer, "--out", path, "--resume", "--quiet")
        assert open_run(path).complete
    finally:
        subprocess.run(["umount", disk], check=True)
