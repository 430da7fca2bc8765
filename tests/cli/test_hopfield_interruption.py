"""Ctrl-C and SIGTERM in real runs of `hopsim hopfield`, and what a first run on a machine says."""

import os
import pty
import re
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from hopsim.storage.run_file import open_run
from hopsim_cli.main import program

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
COMMAND = [sys.executable, "-m", "hopsim_cli.main", "hopfield"]
# Each far too long to end by itself, on any machine, before the signal comes.
RUNS = {
    "many networks": "capacity --n-neurons 300,4000 --loads 0.1,0.14 --n-networks 20000 --seed 1",
    "large networks": "capacity --n-neurons 50000 --loads 0.001,0.1 --n-networks 2000 --n-trials 2 --seed 1",
    "warm networks": "capacity --n-neurons 2000 --loads 0.1 --temperature 0.2 --n-networks 20000 --seed 1",
    "recalls": "recall --n-neurons 2000 --load 0.1 --n-trials 1000000 --record none --seed 1",
}
GRACE_SECONDS = 0.5  # of processor time, between the signal and the end
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module", autouse=True)
def compiled():
    """Compile what the runs need, so that no test waits for it."""
    for line in (
        "capacity --n-neurons 300,4000,50000 --loads 0.004,0.1 --n-networks 1",
        "capacity --n-neurons 2000 --loads 0.1 --temperature 0.2 --n-networks 1 --n-sweeps 1 --burn-in 1",
        "recall --n-neurons 2000 --load 0.1",
    ):
        assert CliRunner().invoke(program, ["hopfield", *line.split(), "--quiet"]).exit_code == 0


def start_and_wait_until_some_are_finished(line, path):
    """A run whose progress bar, on a terminal of its own, has counted something."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    command = [*COMMAND, *line.split(), "--out", path]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=ENVIRONMENT)
    os.close(theirs)
    shown = b""
    while not re.search(rb"\b[1-9]\d*/\d+ \[", shown):
        shown += os.read(ours, 4096)
    return process, ours


def processor_seconds(process):
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def wait_with_usage(process):
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return output, usage.ru_utime + usage.ru_stime


@pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="reads the child's processor time from /proc"
)
@pytest.mark.parametrize(
    ("kind", "number"),
    [
        ("many networks", signal.SIGINT),
        ("large networks", signal.SIGINT),
        ("recalls", signal.SIGINT),
        ("warm networks", signal.SIGTERM),
        ("recalls", signal.SIGTERM),
    ],
)
def test_the_first_signal_saves_what_is_finished_within_half_a_second(tmp_path, kind, number):
    path = tmp_path / "run.h5"
    process, terminal = start_and_wait_until_some_are_finished(RUNS[kind], path)
    time.sleep(0.3)  # not at the very moment a point was finished
    before = processor_seconds(process)
    process.send_signal(number)
    output, after = wait_with_usage(process)
    os.close(terminal)
    assert process.returncode == 130
    assert output  # the table of what is finished
    run = open_run(path)
    assert not run.complete
    if run.experiment == "hopfield_capacity":
        finished = run.records["finished"]
        assert 0 < finished.sum() < finished.size
        assert np.array_equal(np.isnan(run.records["overlap"]).any(axis=3), ~finished)
        assert np.isfinite(run.records["overlap_mean"])[finished.any(axis=2)].all()
    else:
        assert 0 < run.records.sizes["trial"] < run.configuration["n_trials"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]
    assert after - before < GRACE_SECONDS


def test_the_second_signal_stops_at_once(tmp_path):
    """Whatever it falls into: under its name there is a valid file or none, and the next run can start."""
    path = tmp_path / "run.h5"
    process, terminal = start_and_wait_until_some_are_finished(RUNS["large networks"], path)
    process.send_signal(signal.SIGINT)
    time.sleep(0.005)  # signals that come too fast are one
    before = processor_seconds(process)
    process.send_signal(signal.SIGINT)
    _, after = wait_with_usage(process)
    os.close(terminal)
    assert process.returncode in (-signal.SIGINT, 130)
    assert after - before < GRACE_SECONDS
    assert not path.exists() or not open_run(path).complete
    again = ["hopfield", "capacity", "--n-neurons", "100", "--out", str(path), "--force"]
    assert CliRunner().invoke(program, again).exit_code == 0
    assert [entry.name for entry in tmp_path.iterdir()] == ["run.h5"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "line",
    [
        "recall --glyphs --seed 1",
        "capacity --n-neurons 500 --loads 0.1 --n-networks 2 --seed 1",
        "capacity --n-neurons 500 --loads 0.1 --n-networks 2 --temperature 0.2 --n-sweeps 5 --seed 1",
    ],
)
def test_the_first_run_says_that_it_compiles_and_the_second_compiles_nothing(tmp_path, line):
    """No file of the cache changes in the second run; how long they take: `python -m bench start`."""
    notes, caches = [], []
    environment = ENVIRONMENT | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        result = subprocess.run(
            [*COMMAND, *line.split()], capture_output=True, text=True, env=environment, check=True
        )
        notes.append(result.stderr)
        caches.append({path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()})
    assert notes[0].startswith("hopsim: compiling kernels for this machine, once: some 15 s\n")
    assert notes[1] == ""
    assert caches[0] == caches[1]
    assert caches[0]
