"""Writing a file so that under its name there is never half of it: a temporary name, fsync, rename."""

import errno
import io
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from hopsim.errors import RunError

DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


@contextmanager
def replace_file(path: Path) -> Iterator[io.FileIO]:
    """Give a new file to write, which takes the place of `path` at the end, whole and on the disk.

    Raises
    ------
    RunError
        If the disk is full or fails. Then, as after any other exception, `path` is as it was and nothing is
        left.
    """
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        try:
            with temporary.open("xb+", buffering=0) as file:
                yield file
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        if error.errno in DISK_FULL:
            raise RunError(str(path), f"{error.strerror}; free some space or choose another place") from None
        raise RunError(str(path), f"cannot be written: {error.strerror or error}") from None
    sync_directory(target.parent)


def remove_leftovers(path: Path) -> None:
    """Remove what runs that were killed while writing `path` have left; for the holder of its lock only."""
    target = path.resolve()
    ours = re.compile(rf"\.{re.escape(target.name)}\.[0-9a-f]{{8}}\.part")
    for entry in target.parent.iterdir():
        if ours.fullmatch(entry.name):
            entry.unlink(missing_ok=True)


def write_all(file: IO[bytes], data: Any) -> None:
    """Write all of `data`; an unbuffered file may take it in pieces."""
    view = memoryview(data).cast("B")
    while view:
        view = view[file.write(view) :]


def reserve(file: io.FileIO, n_bytes: int) -> None:
    """Make sure that the disk has room for `n_bytes` in this file and keep it; OSError if not."""
    if shutil.disk_usage(file.fileno()).free < n_bytes:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if hasattr(os, "posix_fallocate"):
        try:
            os.posix_fallocate(file.fileno(), 0, n_bytes)
        except OSError as error:
            if error.errno in DISK_FULL:
                raise  # else this file system cannot reserve


class ReservedFile(io.RawIOBase):
    """The file that HDF5 writes within reserved space: empty at first, whatever was reserved.

    HDF5 crashes the interpreter at exit if writing fails while it closes a file, so it never learns of that:
    the first error is kept in `error`, for the caller to raise once HDF5 is done.
    """

    def __init__(self, file: io.FileIO) -> None:
        self.file = file
        self.position = 0
        self.size = 0
        self.error: BaseException | None = None

    def readable(self) -> bool:  # noqa: D102
        return True

    def writable(self) -> bool:  # noqa: D102
        return True

    def seekable(self) -> bool:  # noqa: D102
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:  # noqa: D102
        self.position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self.position, os.SEEK_END: self.size}[whence]
        return self.position

    def tell(self) -> int:  # noqa: D102
        return self.position

    def readinto(self, buffer: Any) -> int:  # noqa: D102
        self.file.seek(self.position)
        n_read = self.file.readinto(buffer) or 0
        self.position += n_read
        return n_read

    def write(self, data: Any) -> int:  # noqa: D102
        n_bytes = memoryview(data).nbytes
        try:
            if self.error is None:
                self.file.seek(self.position)
                write_all(self.file, data)
        except BaseException as error:  # an interruption too; HDF5 would lose it on the way
            self.error = error
        self.position += n_bytes
        self.size = max(self.size, self.position)
        return n_bytes

    def truncate(self, size: int | None = None) -> int:  # noqa: D102
        self.size = self.position if size is None else size
        return self.size


def sync_directory(directory: Path) -> None:
    """Make renames in a directory last."""
    # some network file systems cannot; there the rename is as lasting as they make it
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
