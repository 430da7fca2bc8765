"""hopsim: Hopfield networks and their relatives on one energy and one temperature, compiled.

Public names are loaded when first used, so that ``import hopsim`` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hopsim.networks.boltzmann_machine import BoltzmannMachine
    from hopsim.networks.hopfield_network import HopfieldNetwork
    from hopsim.storage.run_file import open_run

_HOMES = {
    "BoltzmannMachine": "hopsim.networks.boltzmann_machine",
    "HopfieldNetwork": "hopsim.networks.hopfield_network",
    "open_run": "hopsim.storage.run_file",
}

__all__ = ["BoltzmannMachine", "HopfieldNetwork", "open_run"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'hopsim' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
