"""Two runs on one output are kept apart by a lock file beside it; HDF5's own is often off on clusters."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hopsim.errors import InputError, RunError
from hopsim.storage.atomic_file import DISK_FULL, remove_leftovers


class Owner(msgspec.Struct, frozen=True):
    """The process that holds a lock; `started` tells it from a later one of the same number."""

    host: str
    process: int
    started: str


@contextmanager
def output_lock(path: Path) -> Iterator[None]:
    """Hold the lock of an output while it is computed and written.

    The lock of a process that died on this machine is taken over, and what it left half-written is removed.

    Raises
    ------
    InputError
        If another run holds it, or the directory cannot be written.
    RunError
        If the disk is full.
    """
    target = path.resolve()
    lock = target.with_name(f".{target.name}.lock")
    while not _create(lock):
        if not _remove_stale(lock):
            owner = _read(lock)
            who = f"process {owner.process} on {owner.host}" if owner else "another run"
            raise InputError("out", f"{path} is being written by {who}; if that is not so, delete {lock}")
    try:
        remove_leftovers(target)
        yield
    finally:
        lock.unlink(missing_ok=True)


def is_locked(path: Path) -> bool:
    """Whether a run that lives, or is on another machine, holds the lock of an output."""
    target = path.resolve()
    lock = target.with_name(f".{target.name}.lock")
    if not lock.exists():
        return False
    owner = _read(lock)
    return owner is None or owner.host != socket.gethostname() or _is_alive(owner)


def _create(lock: Path) -> bool:
    """Create the lock, or return False if there is one."""
    owner = Owner(socket.gethostname(), os.getpid(), _start_of(os.getpid()) or "")
    try:
        with lock.open("xb", buffering=0) as file:
            try:
                file.write(msgspec.json.encode(owner))
            except BaseException:
                lock.unlink()
                raise
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno in DISK_FULL:
            raise RunError(str(lock.parent), f"{error.strerror}; free some space") from None
        raise InputError("out", f"{lock.parent} cannot be written: {error.strerror}") from None
    return True


def _read(lock: Path) -> Owner | None:
    try:
        return msgspec.json.decode(lock.read_bytes(), type=Owner)
    except (OSError, msgspec.MsgspecError):
        return None  # gone, or just being written


def _remove_stale(lock: Path) -> bool:
    """Remove the lock of a dead process; return whether it is worth trying again."""
    try:
        with lock.open("rb") as file:
            # two runs may find the lock stale at once: only one may remove it, and only this very file
            fcntl.flock(file, fcntl.LOCK_EX)
            owner = _read(lock)
            if not os.path.samestat(os.fstat(file.fileno()), lock.stat()):
                return True
            if owner is None or owner.host != socket.gethostname() or _is_alive(owner):
                return False
            lock.unlink()
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _is_alive(owner: Owner) -> bool:
    if owner.started:
        return _start_of(owner.process) == owner.started
    try:
        os.kill(owner.process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # another user's
    return True


def _start_of(process: int) -> str | None:
    """Return when a living process started, in clock ticks since boot; None if dead or not on Linux."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]
