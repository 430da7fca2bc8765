"""The Boltzmann machine as users meet it: energies, sampling, exact results, learning."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from hopsim.datasets.probes import make_probes
from hopsim.errors import InputError
from hopsim.models.boltzmann import BoltzmannModel, boltzmann_model
from hopsim.models.memory import require_memory
from hopsim.models.seeds import Stream, check_seed, stream_keys
from hopsim.networks.hopfield_network import HopfieldNetwork
from hopsim.sampling.gibbs_chains import GibbsChains, check_order, check_temperatures
from hopsim.sampling.threads import using_threads

if TYPE_CHECKING:
    from hopsim.evaluation.enumeration import Enumeration


@dataclass(frozen=True, eq=False)
class Samples:
    """States drawn from a Boltzmann machine.

    Attributes
    ----------
    states : int8 (n_chains, n_draws, n_units)
        In the machine's encoding.
    energies : float64 (n_chains, n_draws)
    n_flips : int64 (n_chains,)
        Units that changed, burn-in included.
    seed : int
        The seed that gives the same samples again.
    """

    states: NDArray[np.int8]
    energies: NDArray[np.float64]
    n_flips: NDArray[np.int64]
    seed: int


class BoltzmannMachine:
    """Stochastic units with symmetric couplings W, zero diagonal, and biases b: ``p(s) ~ exp(-E(s)/T)``.

    ``E(s) = -1/2 sum_ij W_ij s_i s_j - sum_i b_i s_i`` (Ackley, Hinton, Sejnowski 1985).

    Parameters
    ----------
    couplings : float array (n_units, n_units), or scipy sparse matrix
    bias : float array (n_units,), optional
        Zero by default.
    encoding : {"01", "pm1"}
        Values of the units: 0 and 1, or -1 and +1.
    n_visible : int, optional
        The first units are visible, the others hidden. All are visible by default.

    Raises
    ------
    InputError
        For couplings that are not a finite symmetric square matrix with zero diagonal, for a wrong bias, encoding or
        number of visible units.

    Examples
    --------
    >>> import hopsim
    >>> machine = hopsim.BoltzmannMachine([[0, 2], [2, 0]], bias=[-1, -1])
    >>> machine.energy([[0, 0], [0, 1], [1, 1]]).tolist()
    [-0.0, 1.0, 0.0]
    >>> machine.sample(n_chains=2, n_sweeps=3, burn_in=10, seed=1).states.shape
    (2, 3, 2)
    """

    def __init__(
        self,
        couplings: ArrayLike | csr_array,
        bias: ArrayLike | None = None,
        encoding: str = "01",
        n_visible: int | None = None,
    ) -> None:
        self.model = boltzmann_model(couplings, bias, encoding, n_visible)

    @classmethod
    def from_model(cls, model: BoltzmannModel) -> BoltzmannMachine:
        """Wrap a model."""
        machine = cls.__new__(cls)
        machine.model = model
        return machine

    @classmethod
    def from_hopfield(cls, network: HopfieldNetwork, encoding: str = "pm1") -> BoltzmannMachine:
        """Return the machine that a Hopfield network is at T > 0.

        With ±1 units and the same seed, chains have the network's bits; with 0/1 units its distribution.
        """
        n_bytes = 32 * network.n_neurons**2
        require_memory(n_bytes, "n_neurons", f"couplings of {network.n_neurons} neurons")
        machine = cls(network.couplings, network.bias, "pm1")
        return machine.in_encoding(encoding)

    def to_hopfield(self) -> HopfieldNetwork:
        """Return the network of ±1 neurons with the same distribution; at T = 0 it goes downhill to a fixed point."""
        spins = self.model.in_encoding("pm1").dense()
        return HopfieldNetwork(spins.couplings, spins.bias)

    def in_encoding(self, encoding: str) -> BoltzmannMachine:
        """Return the machine with the same distribution over units of another encoding (s = 2 x - 1)."""
        return BoltzmannMachine.from_model(self.model.in_encoding(encoding))

    @property
    def couplings(self) -> NDArray[np.float64] | csr_array:
        """W, float64 (n_units, n_units)."""
        return self.model.couplings

    @property
    def bias(self) -> NDArray[np.float64]:
        """The biases b, float64 (n_units,)."""
        return self.model.bias

    @property
    def encoding(self) -> str:
        """``"01"`` or ``"pm1"``."""
        return self.model.encoding

    @property
    def n_units(self) -> int:
        """Number of units."""
        return self.model.n_units

    @property
    def n_visible(self) -> int:
        """Number of visible units, the first ones."""
        return self.model.n_visible

    def energy(self, states: ArrayLike) -> NDArray[np.float64]:
        """Energies (n_states,) of states (n_states, n_units) or (n_units,), from the definition."""
        return self.model.energies(self.model.check_states(states))

    def local_fields(self, states: ArrayLike) -> NDArray[np.float64]:
        """Local fields ``h_i = sum_j W_ij s_j + b_i`` of each state: float64 (n_states, n_units)."""
        return self.model.local_fields(self.model.check_states(states))

    def sample(
        self,
        n_chains: int,
        n_sweeps: int,
        burn_in: int = 0,
        thin: int = 1,
        temperature: ArrayLike = 1.0,
        order: str = "sequential",
        clamp: ArrayLike | Mapping[int, int] | None = None,
        seed: int | None = None,
        threads: int | None = None,
        *,
        states: ArrayLike | None = None,
        first_chain: int = 0,
        tick: Callable[[], None] = lambda: None,
    ) -> Samples:
        """Draw states by single-site Gibbs sampling (heat bath).

        Parameters
        ----------
        n_chains : int
        n_sweeps : int
            Sweeps after the burn-in; a sweep updates as many units as are free.
        burn_in : int
            Sweeps before anything is kept.
        thin : int
            Every so many sweeps a state is kept: ``n_sweeps // thin`` draws a chain.
        temperature : float or (n_chains,)
            T > 0, with k_B = 1.
        order : {"sequential", "random", "replacement", "coloured"}
            0 to N - 1; a fresh permutation each sweep; a unit drawn at each step; colour by colour (sparse couplings).
        clamp : mapping of unit to value, or array (n_units,) or (n_chains, n_units), optional
            Units that are held at values of the encoding; in an array NaN leaves a unit free. The same units in all
            chains.
        seed : int, optional
            The same seed gives the same bits for any number of threads and chains. Drawn from the system if None.
        threads : int, optional
            All that the machine has if None.
        states : array (n_chains, n_units) or (n_units,), optional
            Where the chains start; random states if None.
        first_chain : int
            Number of the first chain: a batch of many chains has the bits of the whole.
        tick : callable, optional
            Called a few times a second; may raise to stop.

        Raises
        ------
        InputError
            For counts that are too small, a temperature that is not positive, an unknown order, clamped values or
            starts that are not of the encoding.
        """
        n_draws = check_counts(n_chains=n_chains, n_sweeps=n_sweeps, burn_in=burn_in, thin=thin)
        seed = check_seed(seed)
        self.require_sample_memory(n_chains, n_draws)
        with using_threads(threads):
            chains = self.start_chains(
                n_chains,
                temperature,
                order,
                clamp,
                seed,
                states=states,
                first_chain=first_chain,
                tick=tick,
            )
            chains.advance(burn_in)
            kept = np.empty((n_chains, n_draws, self.n_units), np.int8)
            energies = np.empty((n_chains, n_draws))
            for draw in range(n_draws):
                chains.advance(thin)
                kept[:, draw] = self.model.states(chains.spins)
                energies[:, draw] = chains.energies + self.model.energy_offset
        return Samples(kept, energies, chains.n_flips, seed)

    def start_chains(
        self,
        n_chains: int,
        temperature: ArrayLike = 1.0,
        order: str = "sequential",
        clamp: ArrayLike | Mapping[int, int] | None = None,
        seed: int | None = None,
        *,
        states: ArrayLike | None = None,
        first_chain: int = 0,
        tick: Callable[[], None] = lambda: None,
    ) -> GibbsChains:
        """Return the chains that `sample` draws from, before their first sweep; parameters as there."""
        if np.ndim(temperature) and np.shape(temperature) != (n_chains,):
            raise InputError("temperature", f"expected one number or {n_chains}, one a chain")
        check_temperatures(temperature)
        check_order(order)
        if first_chain < 0:
            raise InputError("first_chain", f"expected at least 0, got {first_chain}")
        seed = check_seed(seed)
        chain_numbers = range(first_chain, first_chain + n_chains)
        spins = self._starts(states, n_chains, seed, chain_numbers)
        free = self._clamp(clamp, spins)
        return GibbsChains(
            self.model.spin_network,
            spins,
            stream_keys(seed, Stream.CHAIN, chain_numbers),
            temperature=temperature,
            order=order,
            free=free,
            tick=tick,
        )

    def require_sample_memory(self, n_chains: int, n_draws: int) -> None:
        """Raise `InputError` if the states of so many draws need more memory than there is."""
        needed = n_chains * (n_draws * (self.n_units + 8) + 16 * self.n_units)
        require_memory(needed, "n_sweeps", f"{n_draws} draws of {n_chains} chains")

    def enumerate(self, temperature: float = 1.0) -> Enumeration:
        """Sum over all states: log Z, means, correlations, mean energy, entropy; up to 30 units.

        See `hopsim.evaluation.enumeration.enumerate_states`.
        """
        from hopsim.evaluation.enumeration import enumerate_states

        return enumerate_states(self.model, temperature)

    def log_likelihood(self, data: ArrayLike, temperature: float = 1.0) -> NDArray[np.float64]:
        """``log p(v)`` of each row of `data` (n_data, n_visible), hidden units summed out, exactly: float64 (n_data,).

        See `hopsim.evaluation.likelihood.log_likelihoods`.
        """
        from hopsim.evaluation.likelihood import log_likelihoods

        return log_likelihoods(self.model, data, temperature)

    def fit(self, data: ArrayLike, **options: Any) -> BoltzmannMachine:
        """Learn from `data` (n_data, n_visible), starting from these couplings; returns the learned machine.

        Options are those of `hopsim.learning.learning_options.BoltzmannLearning`.
        """
        from hopsim.learning.learning_options import BoltzmannLearning
        from hopsim.learning.trainers import fit

        return BoltzmannMachine.from_model(fit(self.model, data, BoltzmannLearning(**options)))

    def _starts(
        self, states: ArrayLike | None, n_chains: int, seed: int, chain_numbers: range
    ) -> NDArray[np.int8]:
        """Starts as spins: those given, or random ones."""
        if states is not None:
            given = self.model.spins(self.model.check_states(states))
            if len(given) not in (1, n_chains):
                raise InputError("states", f"expected one state or {n_chains}, one a chain; got {len(given)}")
            return np.repeat(given, n_chains, axis=0) if len(given) == 1 else given
        ones = np.ones((n_chains, self.n_units), np.int8)
        return make_probes(ones, stream_keys(seed, Stream.START, chain_numbers), mask=1.0)

    def _clamp(
        self, clamp: ArrayLike | Mapping[int, int] | None, spins: NDArray[np.int8]
    ) -> NDArray[np.int64] | None:
        """Set clamped units in `spins`, and return which units are free, None for all."""
        if clamp is None:
            return None
        values = self._clamped_values(clamp)
        if values.shape[-1] != self.n_units or len(values) not in (1, len(spins)):
            raise InputError(
                "clamp",
                f"expected {self.n_units} values, or as many for each chain, got shape {values.shape}",
            )
        clamped = np.flatnonzero(~np.isnan(values[0]))
        if not np.array_equal(np.isnan(values), np.broadcast_to(np.isnan(values[0]), values.shape)):
            raise InputError("clamp", "expected the same units clamped in all chains")
        if clamped.size:
            spins[:, clamped] = self.model.spins(
                self.model.check_states(values[:, clamped], "clamp", clamped.size)
            )
        return np.setdiff1d(np.arange(self.n_units), clamped)

    def _clamped_values(self, clamp: ArrayLike | Mapping[int, int]) -> NDArray[np.float64]:
        if isinstance(clamp, Mapping):
            values = np.full((1, self.n_units), np.nan)
            for unit, value in clamp.items():
                if not 0 <= unit < self.n_units:
                    raise InputError("clamp", f"expected units from 0 to {self.n_units - 1}, got {unit}")
                values[0, unit] = value
            return values
        try:
            return np.atleast_2d(np.asarray(clamp, np.float64))
        except (TypeError, ValueError):
            raise InputError("clamp", "expected numbers, NaN for units that are free") from None


def check_counts(*, n_chains: int, n_sweeps: int, burn_in: int, thin: int) -> int:
    """Return the number of draws a chain, ``n_sweeps // thin``; `InputError` for numbers that are too small."""
    counts = {
        "n_chains": (n_chains, 1),
        "n_sweeps": (n_sweeps, 1),
        "burn_in": (burn_in, 0),
        "thin": (thin, 1),
    }
    for name, (value, least) in counts.items():
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise InputError(name, f"expected a whole number of at least {least}, got {value!r}")
    if thin > n_sweeps:
        raise InputError("thin", f"expected at most n_sweeps = {n_sweeps}, got {thin}: nothing would be kept")
    return int(n_sweeps // thin)
