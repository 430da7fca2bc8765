"""Checks that the configurations of studies share; each error names the field."""

from collections import Counter
from collections.abc import Callable
from typing import Any

from hopsim.datasets.random_patterns import MAX_LOAD, patterns_at
from hopsim.errors import InputError
from hopsim.models.seeds import MAX_SEED

_MOST_SHOWN = 8  # values of a field in an error


def check_counts(configuration: Any, *names: str) -> None:
    """Raise `InputError` unless these fields are 1 or larger."""
    for name in names:
        if getattr(configuration, name) < 1:
            raise InputError(name, f"expected at least 1, got {getattr(configuration, name)}")


def check_axis(configuration: Any, name: str, is_allowed: Callable[[Any], bool], expected: str) -> None:
    """Raise `InputError` unless a field has values, all of them allowed and different."""
    values = getattr(configuration, name)
    if not values or not all(is_allowed(value) for value in values):
        wrong = tuple(value for value in values if not is_allowed(value))
        raise InputError(name, f"expected {expected}; got {_shown(wrong)}")
    if len(set(values)) < len(values):
        twice = tuple(value for value, n_times in Counter(values).items() if n_times > 1)
        raise InputError(name, f"expected different values, got {_shown(twice)} more than once")


def check_sizes(configuration: Any) -> None:
    """Raise `InputError` unless `n_neurons` are different sizes of at least 1."""
    check_axis(configuration, "n_neurons", lambda n_neurons: n_neurons >= 1, "sizes of at least 1")


def check_loads(configuration: Any) -> None:
    """Raise `InputError` unless `loads` are different, and each a pattern or more at all sizes."""
    expected = f"loads above 0, {MAX_LOAD:g} at most"
    check_axis(configuration, "loads", lambda load: 0 < load <= MAX_LOAD, expected)
    for n_neurons in configuration.n_neurons:
        for load in configuration.loads:
            if patterns_at(n_neurons, load) < 1:
                raise InputError("loads", f"load {load:g} of {n_neurons} neurons rounds to no pattern")


def check_success(configuration: Any) -> None:
    """Raise `InputError` unless `success` lies between 0 and 1."""
    if not 0.0 < configuration.success < 1.0:
        raise InputError("success", f"expected an overlap between 0 and 1, got {configuration.success}")


def check_burn_in(configuration: Any) -> None:
    """Raise `InputError` unless `burn_in` is 0 or larger."""
    if configuration.burn_in < 0:
        raise InputError("burn_in", f"expected at least 0, got {configuration.burn_in}")


def check_seed(configuration: Any) -> None:
    """Raise `InputError` unless `seed` is one."""
    if not 0 <= configuration.seed <= MAX_SEED:
        raise InputError("seed", f"expected an integer from 0 to 2^64 - 1, got {configuration.seed}")


def _shown(values: tuple) -> str:
    shown = ", ".join(f"{value:g}" for value in values[:_MOST_SHOWN])
    return (shown or "none") + (", ..." if len(values) > _MOST_SHOWN else "")
