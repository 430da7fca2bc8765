"""The global heap of an HDF5 file, where its strings are: checked, since HDF5 hangs on a damaged one."""

import mmap
import struct
from pathlib import Path

from hopsim.storage.safe_hdf5 import RefusedError

SIGNATURE = b"GCOL\x01\0\0\0"  # a collection, version 1 (HDF5 File Format Specification, III.E)
HEADER = struct.Struct("<8sQ")  # signature, bytes of the collection with this header
OBJECT = struct.Struct("<HHIQ")  # index, references, reserved, bytes of the object


def check_global_heap(path: Path) -> None:
    """Follow the objects of each collection to its end; raise RefusedError where they do not lead there.

    The heap is the only part of our files' structure that has no checksum.
    """
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.find(SIGNATURE)
        while start >= 0:
            if not _is_sound(data, start):
                raise RefusedError("is damaged: the strings in it cannot be found")
            start = data.find(SIGNATURE, start + 1)


def _is_sound(data: mmap.mmap, start: int) -> bool:
    if start + HEADER.size > len(data):
        return False
    end = start + HEADER.unpack_from(data, start)[1]
    if end > len(data):
        return False
    position = start + HEADER.size
    while position + OBJECT.size <= end:
        index, _, _, n_bytes = OBJECT.unpack_from(data, position)
        # index 0 is the space left, its size with its header; the others are padded to 8 bytes
        step = n_bytes if index == 0 else OBJECT.size + -(-n_bytes // 8) * 8
        if step < OBJECT.size:
            return False
        position += step
    return position <= end
