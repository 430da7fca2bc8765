"""Small random Boltzmann machines, and what they are by brute force."""

import itertools
from typing import NamedTuple

import numpy as np

from hopsim.models.boltzmann import boltzmann_model


class BruteForce(NamedTuple):
    """All states, their probabilities, and sums over them."""

    states: np.ndarray  # int8 (2^n_units, n_units), unit 0 the most significant digit
    probabilities: np.ndarray
    log_partition_function: float
    means: np.ndarray
    correlations: np.ndarray
    energy_mean: float
    entropy: float


def random_machine(n_units, seed, encoding="01", n_visible=None, strength=1.0):
    """Normal couplings and biases, the couplings small enough that no unit freezes at T = 1."""
    random = np.random.default_rng([seed, n_units])
    couplings = np.triu(random.normal(0.0, strength / np.sqrt(n_units), (n_units, n_units)), 1)
    return boltzmann_model(
        couplings + couplings.T, random.normal(0.0, 0.5 * strength, n_units), encoding, n_visible
    )


def brute_force(model, temperature=1.0):
    """Sums over a list of all states, energies from the definition."""
    values = (0, 1) if model.encoding == "01" else (-1, 1)
    states = np.array(list(itertools.product(values, repeat=model.n_units)), np.int8)
    energies = model.energies(states)
    lowest = energies.min()
    weights = np.exp((lowest - energies) / temperature)
    probabilities = weights / weights.sum()
    weighted = probabilities[:, None] * states
    held = probabilities[probabilities > 0]
    return BruteForce(
        states,
        probabilities,
        float(np.log(weights.sum()) - lowest / temperature),
        weighted.sum(axis=0),
        weighted.T @ states,
        float(probabilities @ energies),
        float(-(held * np.log(held)).sum()),
    )
