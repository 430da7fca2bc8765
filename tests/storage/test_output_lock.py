"""Two runs on one output are kept apart, and a dead run's lock is no obstacle. All with real processes."""

import os
import shutil
import signal
import subprocess
import sys

import pytest

from hopsim.errors import InputError, RunError
from hopsim.storage.output_lock import output_lock

HOLD = """
import sys
from pathlib import Path
from hopsim.storage.output_lock import output_lock
with output_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds the lock of tmp_path/RUN.h5 until its input ends."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "RUN.h5")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_run_on_an_output_is_refused_until_the_first_ends(tmp_path, holder):
    path = tmp_path / "RUN.h5"
    refusal = rf"^out: .* is being written by process {holder.pid} on "
    with pytest.raises(InputError, match=refusal), output_lock(path):
        pytest.fail("two runs hold the lock")
    with output_lock(tmp_path / "OTHER.h5"):
        pass
    holder.stdin.close()
    assert holder.wait() == 0
    with output_lock(path), pytest.raises(InputError), output_lock(path):
        pytest.fail("one process holds the lock twice")
    assert not list(tmp_path.iterdir())


def test_the_lock_of_a_killed_run_is_taken_over_and_its_leftovers_removed(tmp_path, holder):
    path = tmp_path / "RUN.h5"
    (tmp_path / ".RUN.h5.01234567.part").touch()
    (tmp_path / ".RUN.h5.old.01234567.part").touch()  # of a run on RUN.h5.old
    holder.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, holder.pid, os.WEXITED | os.WNOWAIT)  # dead, but still in the table of processes
    with output_lock(path):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == [".RUN.h5.old.01234567.part"]


def test_the_lock_goes_when_the_run_fails(tmp_path):
    with pytest.raises(RuntimeError), output_lock(tmp_path / "RUN.h5"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "content",
    [b'{"host":"another.host","process":1,"started":"1"}', b"", b"garbage"],
    ids=["another host", "just being written", "not ours"],
)
def test_a_lock_that_may_be_alive_is_respected(tmp_path, content):
    lock = tmp_path / ".RUN.h5.lock"
    lock.write_bytes(content)
    with pytest.raises(InputError, match=rf"delete {lock}"), output_lock(tmp_path / "RUN.h5"):
        pytest.fail("took over a lock that may be alive")
    assert lock.read_bytes() == content


RACE = """
import os, sys, time
from pathlib import Path
from hopsim.errors import InputError
from hopsim.storage.output_lock import output_lock
path, inside = Path(sys.argv[1]), Path(sys.argv[2])

def die_holding_the_lock():
    while True:
        try:
            with output_lock(path):
                inside.touch(exist_ok=False)
                time.sleep(0.005)
                inside.unlink()
                os._exit(0)  # as if killed: the lock stays
        except InputError:
            time.sleep(0.0005)
        except BaseException as error:
            os.write(2, repr(error).encode())
            os._exit(1)

children = []
for _ in range(24):
    children.append(os.fork())
    if children[-1] == 0:
        die_holding_the_lock()
sys.exit(sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


def test_many_runs_at_a_stale_lock_take_it_over_one_at_a_time(tmp_path, python):
    """24 processes want one lock, and each dies with it: no two are ever inside at once."""
    done = python(RACE, tmp_path / "RUN.h5", tmp_path / "inside")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_full_disk_and_a_read_only_one_are_told_apart(tmp_path, mount_tmpfs):
    disk = mount_tmpfs("size=1m")
    with (disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(4096)) == 4096 and shutil.disk_usage(disk).free:
            pass
    with pytest.raises(RunError, match="No space left"), output_lock(disk / "RUN.h5"):
        pytest.fail("the lock cannot have been written")
    assert [entry.name for entry in disk.iterdir()] == ["filler"]
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(InputError, match="cannot be written: Read-only"), output_lock(disk / "RUN.h5"):
        pytest.fail("the lock cannot have been written")
