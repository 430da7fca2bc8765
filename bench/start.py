"""How long a command takes the first time on a machine, when it compiles its kernels, and from then on."""

import os
import subprocess
import sys
import tempfile
import time

from bench.harness import Report, spread

MOST_SECONDS = 20.0  # for a first run
COMMANDS = {
    "help": "--help",
    "recall": "hopfield recall --glyphs",
    "capacity": "hopfield capacity --n-neurons 500 --loads 0.1 --n-networks 2",
    "capacity, T > 0": "hopfield capacity --n-neurons 500 --loads 0.1 --n-networks 2 --temperature 0.2",
}


def run(quick: bool) -> Report:
    """Time whole commands with an empty cache of compiled code, then with the filled one."""
    report = Report("start", quick)
    for name, line in COMMANDS.items():
        with tempfile.TemporaryDirectory() as cache:
            first = _seconds(line, cache)
            again = [_seconds(line, cache) for _ in range(3 if quick else 7)]
        report.add_number(name, "first run", first, "s")
        report.add(name, "from then on", spread(again), "s")
        report.promise(f"{name}: first run", first, "at most", MOST_SECONDS, "s")
    return report.finish()


def _seconds(line: str, cache: str) -> float:
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "hopsim_cli.main", *line.split()],
        check=True,
        capture_output=True,
        env=os.environ | {"NUMBA_CACHE_DIR": cache},
    )
    return time.perf_counter() - began
