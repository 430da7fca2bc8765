"""How a Boltzmann machine learns: the options, checked."""

import msgspec
import numpy as np

from hopsim.errors import InputError
from hopsim.learning.connections import check_connections
from hopsim.models.seeds import check_seed, fresh_seed
from hopsim.sampling.gibbs_chains import check_order, check_temperatures

PHASES = ("exact", "gibbs", "persistent", "mean-field")
STARTS = ("data", "random")
RECIPES = ("1985",)
SCHEDULES = ("constant", "linear", "inverse")


class BoltzmannLearning(msgspec.Struct, frozen=True, kw_only=True):
    """How a machine learns.

    Attributes
    ----------
    phases : {"exact", "gibbs", "persistent", "mean-field"}
        Where both phases' statistics come from: a sum over all states; chains that start anew in each step; chains that
        live on between steps; fixed points of mean-field theory.
    clamped, free : str, optional
        The same for one phase alone.
    start : {"data", "random"}
        Where the free phase's fresh chains or means start: from each data row of the batch, hidden units as the clamped
        phase left them, or from random states. The clamped phase's hidden units always start at random.
    burn_in, n_sweeps : int
        Sweeps in each phase before, and over which, statistics are taken. From data, 0 and 1 are CD-1.
    n_chains : int
        Chains of the free phase, if they are persistent or start at random; else at least so many in each phase: every
        data row of the batch then has the same number of them.
    order : str
        Update order of the chains.
    batch_size : int, optional
        Data rows a step; all if None.
    n_epochs : int
        Passes through the data.
    learning_rate : float
    schedule : {"constant", "linear", "inverse"}
        Rate constant; falling linearly, to 0 just after the last step; or as ``1/(1 + epoch/rate_epochs)``.
    rate_epochs : float
    learning_rates : tuple of float, optional
        A rate for each epoch in place of these; the last one stays.
    momentum : float
        Share of the last step that is done again.
    weight_decay : float
        Pull on couplings towards 0, relative to themselves and to the gradient; biases are left alone.
    temperature : float
    connections : {"full", "no-visible-visible", "no-hidden-hidden", "restricted"}
        Which couplings learn; the others keep their values.
    recipe : {"1985"}, optional
        In place of all this but `n_epochs`, `connections` and `seed`: annealed phases, noisy clamping and steps by sign
        as in `hopsim.learning.annealed_recipe`, an epoch a cycle.
    seed : int
        Drawn from the system's entropy if it is left out.

    Raises
    ------
    InputError
        Naming what is out of range.
    """

    phases: str = "gibbs"
    clamped: str | None = None
    free: str | None = None
    start: str = "data"
    burn_in: int = 10
    n_sweeps: int = 10
    n_chains: int = 100
    order: str = "sequential"
    batch_size: int | None = None
    n_epochs: int = 100
    learning_rate: float = 0.1
    schedule: str = "constant"
    rate_epochs: float = 10.0
    learning_rates: tuple[float, ...] | None = None
    momentum: float = 0.0
    weight_decay: float = 0.0
    temperature: float = 1.0
    connections: str = "full"
    recipe: str | None = None
    seed: int = msgspec.field(default_factory=fresh_seed)

    def __post_init__(self) -> None:
        for name, allowed in (
            ("phases", PHASES),
            ("clamped", (None, *PHASES)),
            ("free", (None, *PHASES)),
            ("start", STARTS),
            ("schedule", SCHEDULES),
            ("recipe", (None, *RECIPES)),
        ):
            if getattr(self, name) not in allowed:
                listed = ", ".join(filter(None, allowed))
                raise InputError(name, f"expected one of {listed}; got {getattr(self, name)!r}")
        for name, least in (
            ("burn_in", 0),
            ("n_sweeps", 1),
            ("n_chains", 1),
            ("n_epochs", 1),
            ("batch_size", 1),
        ):
            value = getattr(self, name)
            if value is not None and value < least:
                raise InputError(name, f"expected at least {least}, got {value}")
        for name, value in (
            ("learning_rate", self.learning_rate),
            ("rate_epochs", self.rate_epochs),
            *(("learning_rates", rate) for rate in self.learning_rates or ()),
        ):
            if not 0 < value < np.inf:
                raise InputError(name, f"expected a number above 0, got {value:g}")
        if self.learning_rates == ():
            raise InputError("learning_rates", "expected at least one")
        if not 0 <= self.momentum < 1:
            raise InputError("momentum", f"expected a number from 0 to below 1, got {self.momentum:g}")
        if not 0 <= self.weight_decay < np.inf:
            raise InputError("weight_decay", f"expected 0 or larger, got {self.weight_decay:g}")
        check_temperatures(self.temperature)
        check_order(self.order)
        check_connections(self.connections)
        check_seed(self.seed)

    @property
    def clamped_phase(self) -> str:
        """Where the clamped phase's statistics come from."""
        return self.clamped or self.phases

    @property
    def free_phase(self) -> str:
        """Where the free phase's statistics come from."""
        return self.free or self.phases

    def rate(self, step: int, n_steps_per_epoch: int) -> float:
        """Learning rate of a step, counted from 0.

        Examples
        --------
        >>> [BoltzmannLearning(n_epochs=4, schedule="linear").rate(step, 1) for step in (0, 2)]
        [0.1, 0.05]
        """
        epoch = step // n_steps_per_epoch
        if self.learning_rates is not None:
            return self.learning_rates[min(epoch, len(self.learning_rates) - 1)]
        if self.schedule == "linear":
            return self.learning_rate * (1.0 - step / (self.n_epochs * n_steps_per_epoch))
        if self.schedule == "inverse":
            return self.learning_rate / (1.0 + epoch / self.rate_epochs)
        return self.learning_rate
