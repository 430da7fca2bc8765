"""What mean-field theory says of the Hopfield model: overlaps and phase lines over the load."""

from functools import partial

import msgspec
import numpy as np

from hopsim.errors import InputError
from hopsim.experiments.observer import Observer
from hopsim.storage.records import Records, Variable
from hopsim.theory.hopfield import retrieval_overlap
from hopsim.theory.hopfield_phases import (
    at_temperature,
    capacity,
    coexistence_temperature,
    retrieval_temperature,
    spin_glass_temperature,
)

EXPERIMENT = "hopfield_theory"

VARIABLES = {
    "load": Variable(("load",), "load alpha = P/N"),
    "temperature": Variable(("temperature",), "temperature T (k_B = 1)"),
    "overlap": Variable(("load", "temperature"), "overlap m of the retrieval state, NaN where there is none"),
    "temperature_retrieval": Variable(("load",), "T_M, below which retrieval states exist"),
    "temperature_coexistence": Variable(("load",), "T_c, below which retrieval states are the global minima"),
    "temperature_spin_glass": Variable(("load",), "T_g, below which the spin-glass state exists"),
    "temperature_at": Variable(("load",), "T_AT, below which retrieval states break replica symmetry"),
    "load_critical": Variable((), "alpha_c, the largest load with retrieval states at T = 0"),
    "overlap_critical": Variable((), "m_c, the overlap at alpha_c and T = 0"),
}

_LINES = {
    "temperature_retrieval": retrieval_temperature,
    "temperature_coexistence": coexistence_temperature,
    "temperature_spin_glass": spin_glass_temperature,
    "temperature_at": at_temperature,
}


class HopfieldTheory(msgspec.Struct, frozen=True):
    """Which loads and temperatures to solve the mean-field equations at.

    Attributes
    ----------
    loads, temperatures : tuple of float
        At least one of each, 0 or larger, none twice.

    Raises
    ------
    InputError
        If the loads or the temperatures are otherwise.
    """

    loads: tuple[float, ...]
    temperatures: tuple[float, ...] = (0.0,)

    def __post_init__(self) -> None:
        for name, values in (("loads", self.loads), ("temperatures", self.temperatures)):
            if not values:
                raise InputError(name, "none given; give at least one")
            for value in values:
                if not (np.isfinite(value) and value >= 0.0):
                    raise InputError(name, f"{value:g} is not allowed; give finite numbers, 0 or larger")
            if len(set(values)) < len(values):
                raise InputError(name, "the same number twice; give each once")


def run(configuration: HopfieldTheory, observer: Observer) -> Records:
    """Solve the mean-field equations at every load and temperature, load by load.

    Parameters
    ----------
    configuration : HopfieldTheory
    observer : Observer
        Told of every load.

    Returns
    -------
    Records
        The variables of `VARIABLES`; lines are NaN at loads that they do not reach.
    """
    loads, temperatures = np.array(configuration.loads), np.array(configuration.temperatures)
    overlap = np.full((len(loads), len(temperatures)), np.nan)
    lines = {name: np.full(len(loads), np.nan) for name in _LINES}
    critical = capacity()

    def finished(n_loads: int) -> Records:
        arrays = {
            "load": loads[:n_loads],
            "temperature": temperatures,
            "overlap": overlap[:n_loads],
            "load_critical": np.float64(critical.load),
            "overlap_critical": np.float64(critical.overlap),
        }
        return Records(VARIABLES, arrays | {name: line[:n_loads] for name, line in lines.items()})

    observer.begin(len(loads), "load")
    try:
        for i, load in enumerate(loads):
            observer.tick()
            overlap[i] = retrieval_overlap(load, temperatures)
            for name, temperature_at_load in _LINES.items():
                lines[name][i] = temperature_at_load(load)
            observer.advance(1, partial(finished, i + 1))
    finally:
        observer.end()
    return finished(len(loads))
