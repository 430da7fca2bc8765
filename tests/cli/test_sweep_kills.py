"""Sweeps killed with SIGKILL at random moments, as real processes: nothing finished is lost, nothing is run twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from same_records import assert_same_data

ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
COMMAND = [sys.executable, "-m", "hopsim_cli.main", "sweep", "run"]
# 520 points of some 0.1 s each on one thread of a fast machine
STUDY = """
experiment = "capacity"
seed = 5
[axes]
n_neurons = [2000]
load = { start = 0.05, stop = 0.07, step = 0.005 }
[fixed]
temperature = 0.4
n_networks = 104
n_trials = 24
"""
N_POINTS = 520
N_KILLS = 20
LONGEST_SHARE = (
    1 / 8
)  # of the time that two threads take: the most that a run on one gets before it is killed


def reported(errors):
    """The points that the events on stderr say are finished."""
    points = []
    for line in errors.splitlines():
        # a killed run may leave half a line
        if line.startswith('{"event":"commit"') and line.endswith("}"):
            parts = json.loads(line)["finished"]
            points += [(cell, k) for cell, first, last in parts for k in range(first, last)]
    return points


@pytest.mark.slow
def test_a_sweep_killed_twenty_times(tmp_path):
    """Resumed each time, it ends with the data of a sweep that was never stopped; each point is reported once."""
    specification, path, whole = (tmp_path / name for name in ("study.toml", "run.h5", "whole.h5"))
    specification.write_text(STUDY)
    began = time.monotonic()
    subprocess.run(
        [*COMMAND, specification, "--out", whole, "--quiet", "--threads", "2"],
        env=ENVIRONMENT,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    longest = LONGEST_SHARE * (time.monotonic() - began)
    chance = random.Random(20261124)
    seen: list[tuple[int, int]] = []
    command = [*COMMAND, specification, "--out", path, "--resume", "--json", "--threads", "1"]
    n_struck = 0
    for _ in range(N_KILLS):
        log = tmp_path / "log"
        with log.open("wb") as errors:
            process = subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=errors)
            time.sleep(chance.uniform(0.0, longest))
            process.send_signal(signal.SIGKILL)
            n_struck += process.wait() == -signal.SIGKILL
        seen += reported(log.read_text())
    assert n_struck == N_KILLS, "the sweep was over before its last kill: make it longer"
    assert not path.exists()
    assert 0 < len(seen) < N_POINTS
    last = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert str(Path(path)) in last.stdout
    seen += reported(last.stderr)
    assert len(set(seen)) == len(seen), "points that were reported finished were run again"
    assert len(seen) >= 0.9 * N_POINTS  # points committed just before a kill may not have been reported
    assert_same_data(whole, path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["log", "run.h5", "study.toml", "whole.h5"]
