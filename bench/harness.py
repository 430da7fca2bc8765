"""Timing side by side: interleaved rounds, medians and quartiles, ratios, targets; as a table and as JSON.

On a machine that does other work too, times drift. So whatever is compared runs in turn within each round, ratios are
taken within a round, and what is reported is the median over rounds with its quartiles.
"""

import json
import os
import platform
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding
from numpy.typing import ArrayLike, NDArray


class Spread(NamedTuple):
    """Median and quartiles."""

    median: float
    low: float
    high: float


def spread(values: ArrayLike) -> Spread:
    """Return the median and the quartiles of `values`."""
    low, median, high = np.quantile(np.asarray(values, float), [0.25, 0.5, 0.75])
    return Spread(float(median), float(low), float(high))


@dataclass(frozen=True, eq=False)
class Timing:
    """Seconds (n_rounds, n_calls) of one contender, and what its calls returned, in order."""

    seconds: NDArray[np.float64]
    results: list[Any]


def measure(
    contenders: Mapping[str, Callable[[int], Any]], n_rounds: int, n_calls: int = 1
) -> dict[str, Timing]:
    """Time contenders in turn.

    Parameters
    ----------
    contenders : mapping of name to function
        Each function is called with the number of the call, 0, 1, ...: all contenders meet the same trials. Before the
        first round each is called once, untimed, with 0: compilation, first touch of memory.
    n_rounds : int
        In each round every contender has its turn.
    n_calls : int
        Calls in a turn, each timed; the first of them finds its caches as the contender before left them.
    """
    seconds = {name: np.empty((n_rounds, n_calls)) for name in contenders}
    results: dict[str, list[Any]] = {name: [] for name in contenders}
    for call in contenders.values():
        call(0)
    for r in range(n_rounds):
        for name, call in contenders.items():
            for k in range(n_calls):
                start = time.perf_counter()
                result = call(r * n_calls + k)
                seconds[name][r, k] = time.perf_counter() - start
                results[name].append(result)
    return {name: Timing(seconds[name], results[name]) for name in contenders}


def ratio(slow: Timing, fast: Timing) -> Spread:
    """How many times as long `slow` takes as `fast`: the median calls of each round, which met the same trials."""
    return spread(np.median(slow.seconds, axis=1) / np.median(fast.seconds, axis=1))


@dataclass(frozen=True)
class Figure:
    """One measured number; `value` is None where it could not be measured, and `remark` says why."""

    task: str
    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Target:
    """A number that was promised: reached if `value` is ``at most`` or ``at least`` the `bound`."""

    name: str
    value: float
    sense: str
    bound: float
    unit: str

    @property
    def reached(self) -> bool:
        """Whether the target is met."""
        return self.value <= self.bound if self.sense == "at most" else self.value >= self.bound


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, its vector unit, versions."""
    return {
        "processor": _processor(),
        "cpus": os.cpu_count(),
        "avx512_popcount": bool(binding.get_host_cpu_features().get("avx512vpopcntdq", False)),
        "python": platform.python_version(),
        **{package: version(package) for package in ("numpy", "numba")},
    }


def _processor() -> str:
    if sys.platform == "linux":
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


@dataclass
class Report:
    """What a bench found."""

    bench: str
    quick: bool
    machine: dict[str, Any] = field(default_factory=machine)
    load_average: list[float] = field(default_factory=lambda: [os.getloadavg()[0]])
    figures: list[Figure] = field(default_factory=list)
    targets: list[Target] = field(default_factory=list)

    def add(self, task: str, name: str, value: Spread, unit: str, remark: str = "") -> None:
        """Add a measured figure."""
        self.figures.append(Figure(task, name, value.median, unit, value.low, value.high, remark))

    def add_number(self, task: str, name: str, value: float, unit: str) -> None:
        """Add a figure that has no spread."""
        self.figures.append(Figure(task, name, float(value), unit))

    def add_missing(self, task: str, name: str, reason: str) -> None:
        """Add a figure that could not be measured."""
        self.figures.append(Figure(task, name, None, "", remark=reason))

    def promise(self, name: str, value: float, sense: str, bound: float, unit: str) -> None:
        """Hold a figure against its target."""
        self.targets.append(Target(name, float(value), sense, bound, unit))

    def finish(self) -> "Report":
        """Note how busy the machine is at the end."""
        self.load_average.append(os.getloadavg()[0])
        return self

    def table(self) -> str:
        """Everything, for people."""
        vectors = "with" if self.machine["avx512_popcount"] else "without"
        loads = " to ".join(f"{load:.1f}" for load in self.load_average)
        lines = [
            f"bench {self.bench}{' (quick)' if self.quick else ''}: {self.machine['processor']}, "
            f"{self.machine['cpus']} CPUs, {vectors} AVX-512 popcount; "
            f"numba {self.machine['numba']}, numpy {self.machine['numpy']}",
            f"load average {loads} (1 is this bench); medians, with quartiles over rounds",
        ]
        width = max((len(figure.name) for figure in self.figures), default=0)
        task = ""
        for figure in self.figures:
            if figure.task != task:
                task = figure.task
                lines += ["", task]
            lines.append(f"  {figure.name:<{width}}  {_figure_text(figure)}".rstrip())
        if self.targets:
            lines += ["", "targets"]
        width = max((len(target.name) for target in self.targets), default=0)
        for target in self.targets:
            verdict = "reached" if target.reached else "MISSED"
            lines.append(
                f"  {target.name:<{width}}  {verdict:<7}  {_number(target.value):>8}, "
                f"{target.sense} {_number(target.bound)} {target.unit}".rstrip()
            )
        return "\n".join(lines)

    def write_json(self, path: Path) -> None:
        """Write everything, for programs."""
        content = asdict(self)
        for target, entry in zip(self.targets, content["targets"], strict=True):
            entry["reached"] = target.reached
        path.write_text(json.dumps(content, indent=2) + "\n")


def _figure_text(figure: Figure) -> str:
    if figure.value is None:
        return f"{'-':>8}  {figure.remark}"
    quartiles = "" if figure.low is None else f"({_number(figure.low)} to {_number(figure.high or 0.0)})"
    return f"{_number(figure.value):>8} {figure.unit:<16} {quartiles:<20}  {figure.remark}"


def _number(value: float) -> str:
    """Three digits that count, and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.1e}"
