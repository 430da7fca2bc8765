"""The studies that a sweep can run."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import cast

from hopsim.errors import InputError
from hopsim.experiments.study import Study

STUDIES = {
    "capacity": "hopsim.experiments.hopfield_capacity",
    "phase": "hopsim.experiments.hopfield_phase",
    "basins": "hopsim.experiments.hopfield_basins",
    "scaling": "hopsim.experiments.hopfield_scaling",
}


def study(name: str) -> Study:
    """Return the study of a name; only now is its module imported.

    Raises
    ------
    InputError
        If there is none of that name.

    Examples
    --------
    >>> study("capacity").EXPERIMENT
    'hopfield_capacity'
    """
    if name not in STUDIES:
        raise InputError("experiment", f"expected one of {', '.join(STUDIES)}; got {name!r}")
    return cast(Study, import_module(STUDIES[name]))


class StudiesByName(Mapping[str, Study]):
    """All studies; each is imported when it is asked for."""

    def __getitem__(self, name: str) -> Study:
        return study(name)

    def __iter__(self) -> Iterator[str]:
        return iter(STUDIES)

    def __len__(self) -> int:
        return len(STUDIES)

    def __contains__(self, name: object) -> bool:
        return name in STUDIES


def study_of_experiment(experiment: str) -> Study:
    """Return the study that a file calls `experiment`, the last word of its module.

    Raises
    ------
    InputError
        If it is no study.

    Examples
    --------
    >>> study_of_experiment("hopfield_capacity").NAME
    'capacity'
    """
    for name, module in STUDIES.items():
        if module.rpartition(".")[2] == experiment:
            return study(name)
    raise InputError("experiment", f"expected one of {', '.join(STUDIES)}; {experiment!r} is no study")
