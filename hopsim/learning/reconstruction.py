"""How well a machine predicts each visible unit from all others: a likelihood's stand-in for machines of any size."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hopsim.datasets.probes import make_probes
from hopsim.models.boltzmann import BoltzmannModel
from hopsim.models.seeds import Stream, stream_keys
from hopsim.sampling.gibbs_chains import GibbsChains

_SWEEPS = 10
_FEWEST_STATES = 400  # with hidden units, so that few data rows give no noise
_ROWS_AT_ONCE = 256


def reconstruction_log_probability(
    model: BoltzmannModel,
    data: NDArray[np.int8],
    temperature: float,
    key: int,
    tick: Callable[[], None] = lambda: None,
) -> float:
    """Mean over data rows (n_data, n_visible) of ``sum_i log p(v_i | v_(j != i), h)``, h drawn given the row.

    Without hidden units that is the pseudo-log-likelihood (Besag 1975). Hidden units are drawn by 10 sweeps with the
    visible ones clamped, from a random start; they have seen v_i, so that the value flatters the machine.
    """
    states = _with_hidden(model, data, temperature, key, tick)
    total = 0.0
    for first in range(0, len(states), _ROWS_AT_ONCE):
        values = states[first : first + _ROWS_AT_ONCE].astype(np.float64)
        visible = values[:, : model.n_visible]
        # einsum, not BLAS: its sums are the same for any number of threads
        fields = np.einsum("rj,ji->ri", values, model.couplings[:, : model.n_visible])
        fields += model.bias[: model.n_visible]
        log_odds = fields * (2.0 * visible if model.encoding == "pm1" else 2.0 * visible - 1.0) / temperature
        total -= float(np.logaddexp(0.0, -log_odds).sum())
        tick()
    return total / len(states)


def _with_hidden(
    model: BoltzmannModel, data: NDArray[np.int8], temperature: float, key: int, tick: Callable[[], None]
) -> NDArray[np.int8]:
    """Data rows with hidden units drawn given them, each row equally often: (n_states, n_units)."""
    if model.n_hidden == 0:
        return data
    data = np.tile(data, (-(-_FEWEST_STATES // len(data)), 1))
    coins = np.ones((len(data), model.n_hidden), np.int8)
    hidden = make_probes(coins, stream_keys(key, Stream.START, range(len(data))), mask=1.0)
    chains = GibbsChains(
        model.spin_network,
        np.concatenate([model.spins(data), hidden], axis=1),
        stream_keys(key, Stream.CHAIN, range(len(data))),
        temperature=temperature,
        free=np.arange(model.n_visible, model.n_units),
        tick=tick,
    )
    chains.advance(_SWEEPS)
    return model.states(chains.spins)
