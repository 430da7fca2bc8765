"""The cache of compiled code: kept on disk, dropped when any kernel changes, and never a reason to fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hopsim

RUN = """
import numpy as np
from hopsim.kernels.compile_options import on_compilation
from hopsim.kernels.randomness import derive_key
calls = []
on_compilation(lambda: calls.append(1))
derive_key(np.uint64(1), np.uint64(2), np.uint64(3))
print(len(calls))
"""


@pytest.fixture
def checkout(tmp_path):
    """A copy of the kernels without compiled code."""
    package = tmp_path / "hopsim"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(hopsim.__file__).parent / "kernels", package / "kernels", ignore=ignore)
    (package / "__init__.py").touch()
    return tmp_path


def compilations_reported(checkout, **environment):
    environment = {**os.environ, "PYTHONPATH": str(checkout), **environment}
    environment = {name: value for name, value in environment.items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN],
        env=environment,
        cwd=checkout,
        capture_output=True,
        check=False,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_the_second_process_compiles_nothing_until_a_callee_changes(checkout):
    """The listener is called once by the first process; a changed file, not the kernel's own, makes it
    compile again.
    """
    assert compilations_reported(checkout, NUMBA_CACHE_DIR=None) == 1
    assert compilations_reported(checkout, NUMBA_CACHE_DIR=None) == 0
    callee = checkout / "hopsim" / "kernels" / "heat_bath.py"
    callee.write_text(callee.read_text() + "\n# changed\n")
    assert compilations_reported(checkout, NUMBA_CACHE_DIR=None) == 1
    assert compilations_reported(checkout, NUMBA_CACHE_DIR=None) == 0


def test_a_cache_that_cannot_be_written_only_costs_time(checkout):
    """The cache directory is a path below a file."""
    obstacle = checkout / "obstacle"
    obstacle.touch()
    compilations_reported(checkout, NUMBA_CACHE_DIR=str(obstacle / "cache"))  # ends with exit status 0
