"""What a file says of how it came to be: enough to run it again, and to know on what."""

import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
import numpy as np

FORMAT = "hopsim run"
FORMAT_VERSION = 1

Attribute = str | np.int8 | np.int64 | np.uint64


def root_attributes(
    *,
    experiment: str,
    configuration: dict,
    seed: int | None,
    command: str | None,
    started: datetime,
    complete: bool,
) -> dict[str, Attribute]:
    """Return the attributes of a file's root; what is None is left out."""
    attributes: dict[str, Attribute] = {
        "format": FORMAT,
        "format_version": np.int64(FORMAT_VERSION),
        "hopsim_version": hopsim_version(),
        "experiment": experiment,
        "configuration": msgspec.json.encode(configuration).decode(),
        "started": _utc(started),
        "ended": _utc(datetime.now(UTC)),
        "numpy_version": _version("numpy"),
        "numba_version": _version("numba"),
        "h5py_version": _version("h5py"),
        "processor": _processor(),
        "complete": np.int8(complete),
    }
    if seed is not None:
        attributes["seed"] = np.uint64(seed) if seed >= 2**63 else np.int64(seed)
    if command is not None:
        attributes["command"] = command
    return attributes


def _utc(time: datetime) -> str:
    return time.astimezone(UTC).isoformat(timespec="seconds")


def hopsim_version() -> str:
    """Return the version of hopsim that runs."""
    return _version("hopsim")


def _version(package: str) -> str:
    # asked of the installed files, since importing numba costs more than a second
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"  # hopsim itself, run from a checkout


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()
