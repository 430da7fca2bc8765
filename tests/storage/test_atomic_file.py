"""Under its name a file is the old one or the new one, whole: killed at any moment, and on a full disk."""

import pytest

from hopsim.storage.run_file import open_run

SETUP = """
import sys
from datetime import UTC, datetime
from pathlib import Path
import numpy as np
from hopsim.errors import HopsimError
from hopsim.storage import run_file
from hopsim.storage.records import Records, Variable

path, run_file.IN_MEMORY_BYTES = Path(sys.argv[1]), int(sys.argv[2])

def write(seed, n_values):
    # random numbers do not compress, so the size of the file is known
    values = np.random.default_rng(seed).random(n_values)
    run_file.write_run(
        path, Records({"x": Variable(("point",), "values")}, {"x": values}), experiment="test",
        configuration={}, seed=seed, command=None, started=datetime.now(UTC), force=True,
    )
"""
IN_MEMORY, IN_PLACE = 2**28, 0

# The children are forked, so that each starts at once. Half are killed at a random moment, and half at the
# first sight of a file being written, which is brief.
KILLS = """
import os, random, signal, time
random.seed(1)
write(0, 30_000)
seeds, killed = set(), set()
for kill in range(30):
    child = os.fork()
    if child == 0:
        for seed in range(1, 10**6):
            write(seed, 30_000)
    time.sleep(random.uniform(0.005, 0.1))
    while kill % 2 and not any(name.endswith(".part") for name in set(os.listdir(path.parent)) - killed):
        pass
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    killed = set(os.listdir(path.parent))
    run = run_file.open_run(path)
    seed = run.attributes["seed"]
    assert np.array_equal(run.records["x"], np.random.default_rng(seed).random(30_000)), "half a file"
    seeds.add(seed)
leftovers = [entry for entry in path.parent.iterdir() if entry != path]
print(len(seeds), len(leftovers))
from hopsim.storage.output_lock import output_lock
with output_lock(path):
    pass
print([entry.name for entry in path.parent.iterdir()])
"""


@pytest.mark.parametrize("in_memory_bytes", [IN_MEMORY, IN_PLACE])
def test_killed_while_writing_leaves_the_old_file_or_the_new_one(tmp_path, python, in_memory_bytes):
    """30 kills (SIGKILL) of a process that writes without pause; the next run clears away what they left."""
    done = python(SETUP + KILLS, tmp_path / "RUN.h5", in_memory_bytes)
    assert done.returncode == 0, done.stderr
    counts, at_the_end = done.stdout.splitlines()
    n_seeds, n_leftovers = map(int, counts.split())
    assert n_seeds > 1, "no child finished a write before its kill: nothing was tested"
    assert n_leftovers > 0, "no child was killed while it wrote: nothing was tested"
    assert at_the_end == "['RUN.h5']"


FULL = """
write(1, 1000)
try:
    write(2, 500_000)
except HopsimError as error:
    print(error)
    sys.exit(error.exit_status)
"""


def check_full_disk(done, path):
    """Exit status 1, one line naming the file, no crash at exit, the old file whole, nothing beside it."""
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith(f"{path}: ")
    assert open_run(path).attributes["seed"] == 1
    assert list(path.parent.iterdir()) == [path]
    return done.stdout


@pytest.mark.parametrize("in_memory_bytes", [IN_MEMORY, IN_PLACE])
def test_a_full_disk_is_one_line_and_the_old_file_is_kept(mount_tmpfs, python, in_memory_bytes):
    path = mount_tmpfs("size=1m") / "RUN.h5"
    problem = check_full_disk(python(SETUP + FULL, path, in_memory_bytes), path)
    assert "No space left on device; free some space" in problem


LIMITED = """
import resource
resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, 2**20))
"""


@pytest.mark.parametrize("in_memory_bytes", [IN_MEMORY, IN_PLACE])
def test_a_file_larger_than_allowed_is_one_line_and_the_old_file_is_kept(tmp_path, python, in_memory_bytes):
    """Needs no root: a limit on the size of a file fails as a full disk does (Python ignores SIGXFSZ)."""
    path = tmp_path / "RUN.h5"
    problem = check_full_disk(python(SETUP + LIMITED + FULL, path, in_memory_bytes), path)
    assert "File too large" in problem


FULL_IN_HDF5 = """
import h5py
from hopsim.storage.atomic_file import ReservedFile
with open(path, "xb+", buffering=0) as file:
    target = ReservedFile(file)
    with h5py.File(target, "w") as run:
        run["x"] = np.random.default_rng(1).random(500_000)
    print(target.error)
"""


def test_a_disk_that_fills_up_in_spite_of_the_reservation_does_not_crash_hdf5(tmp_path, python):
    """Where a file system cannot reserve, HDF5 itself meets the full disk, at close too."""
    done = python(SETUP + LIMITED + FULL_IN_HDF5, tmp_path / "RUN.h5", IN_PLACE)
    assert (done.returncode, done.stderr) == (0, "")
    assert "File too large" in done.stdout
