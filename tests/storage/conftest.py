"""Records of every kind a file holds, and ways to write them."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hopsim.storage.records import Records, Variable
from hopsim.storage.run_file import write_run

N_TRIALS, N_TIMES, N_NEURONS, N_PATTERNS = 3, 250, 37, 4  # neurons do not fill the last byte


@pytest.fixture
def records() -> Records:
    """Spins plain and packed, a missing float, booleans, strings, scalars, a matrix, an empty axis."""
    generator = np.random.default_rng(3)
    spins = generator.choice(np.array([-1, 1], dtype=np.int8), (N_TRIALS, N_TIMES, N_NEURONS))
    overlap = generator.standard_normal((N_TRIALS, N_TIMES, N_PATTERNS))
    overlap[0, 0, 0] = np.nan
    schema = {
        "state": Variable(("trial", "time", "neuron"), "spins"),
        "start": Variable(("trial", "neuron"), "spins at the start", packed=True),
        "trajectory": Variable(("trial", "time", "neuron"), "spins", packed=True),
        "overlap": Variable(("trial", "time", "pattern"), "overlap with the patterns"),
        "energy": Variable(("trial", "time"), "energy", "J"),
        "n_flips": Variable(("trial", "time"), "flips in the sweep"),
        "converged": Variable(("trial",), "ended in a fixed point"),
        "end_state": Variable(("trial",), "what the state fell into"),
        "retrieved": Variable((), "retrieved at all"),
        "alpha_c": Variable((), "critical load"),
        "rule": Variable((), "storage rule"),
        "couplings": Variable(("neuron", "neuron_2"), "couplings"),
        "diverged": Variable(("failure",), "failures"),
        "time": Variable(("time",), "time", "sweep"),
        "pattern": Variable(("pattern",), "pattern"),
        "seed": Variable(("trial",), "key of the trial"),
    }
    arrays: dict[str, Any] = {
        "state": spins,
        "start": spins[:, 0],
        "trajectory": -spins,
        "overlap": overlap,
        "energy": overlap[..., 0].astype(np.float32),
        "n_flips": generator.integers(0, 9, (N_TRIALS, N_TIMES)),
        "converged": [True, False, True],
        "end_state": ["pattern", "spurious — α", ""],
        "retrieved": True,
        "alpha_c": 0.138,
        "rule": "hebbian",
        "couplings": generator.standard_normal((N_NEURONS, N_NEURONS)),
        "diverged": np.empty(0),
        "time": np.arange(N_TIMES) / 2,
        "pattern": list("ABCD"),
        "seed": np.array([0, 5, 2**64 - 1], dtype=np.uint64),
    }
    return Records(schema, arrays)


@pytest.fixture
def write() -> Callable[..., None]:
    """`write_run` with all that a test does not care about."""

    def write(path: Path, records: Records, **changes: object) -> None:
        settings = {
            "experiment": "recall",
            "configuration": {"n_neurons": N_NEURONS, "loads": [0.05, 0.1], "rule": None},
            "seed": 7,
            "command": "hopsim hopfield recall --seed 7",
            "started": datetime(2025, 1, 2, 3, 4, 5, tzinfo=UTC),
        }
        write_run(path, records, **{**settings, **changes})  # type: ignore[arg-type]

    return write


@pytest.fixture
def run_path(tmp_path: Path, records: Records, write: Callable[..., None]) -> Path:
    """The file of a run."""
    path = tmp_path / "RUN.h5"
    write(path, records)
    return path


@pytest.fixture
def mount_tmpfs(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """A function that mounts a file system in memory with the options given; skips where it may not."""
    mounted = []

    def mount(options: str) -> Path:
        place = tmp_path / "disk"
        place.mkdir()
        try:
            command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError:
            pytest.skip("no mount command here")
        if done.returncode:
            pytest.skip("mounting a small file system needs root")
        mounted.append(place)
        return place

    yield mount
    for place in mounted:
        subprocess.run(["umount", str(place)], check=True)


@pytest.fixture
def python() -> Callable[..., subprocess.CompletedProcess[str]]:
    """A function that runs a program in a Python of its own, with arguments."""

    def run(program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)

    return run
