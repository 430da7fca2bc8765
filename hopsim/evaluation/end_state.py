"""What a network fell into: a pattern, an inverse, a mixture of patterns, a uniform state, or none."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Numbers of patterns in the mixtures that are looked for, beside the mixture of all patterns.
MIXTURE_SIZES = (3, 5, 7, 9)
MIXTURE_THRESHOLD = 0.95  # overlap of a state with the mixture it is called

_CHUNK_BYTES = 1 << 26  # unpacked patterns held at a time while all are summed

PatternRows = Callable[[Sequence[int]], NDArray[np.int8]]


@dataclass(frozen=True)
class EndState:
    """What a state is.

    Attributes
    ----------
    kind : str
        "pattern" (the one it started from), "inverse" (of that one), "other pattern" (or its inverse),
        "mixture", "uniform" (all +1 or all -1), "spurious", or "unknown" (no patterns to compare with).
    patterns : tuple of int
        Indices of the patterns it is made of, increasing.
    signs : tuple of int
        The sign, ±1, of each of them; of a uniform state, its one value.
    """

    kind: str
    patterns: tuple[int, ...] = ()
    signs: tuple[int, ...] = ()

    def text(self, names: Sequence[str] | None = None) -> str:
        """Say it in a few words.

        Parameters
        ----------
        names : sequence of str, optional
            Names of the patterns; their indices, from 0, unless given.

        Examples
        --------
        >>> EndState("mixture", (0, 2, 7), (1, 1, -1)).text()
        'mixture of +0 +2 -7'
        """
        if self.kind == "pattern":
            return "stored pattern"
        if self.kind == "uniform":
            return f"uniform {self.signs[0]:+d}"
        called = [str(mu) if names is None else names[mu] for mu in self.patterns]
        if self.kind == "other pattern":
            return f"pattern {called[0]}" if self.signs[0] > 0 else f"inverse of {called[0]}"
        if self.kind == "mixture" and len(called) <= max(MIXTURE_SIZES):
            signed = zip(self.signs, called, strict=True)
            return "mixture of " + " ".join(f"{'+' if sign > 0 else '-'}{name}" for sign, name in signed)
        if self.kind == "mixture":
            return ("" if self.signs[0] > 0 else "inverse of the ") + f"mixture of all {len(called)}"
        return self.kind


def describe_end_states(
    network_overlaps: ArrayLike,
    states: NDArray[np.int8],
    pattern_rows: PatternRows,
    start_pattern: ArrayLike = -1,
    names: Sequence[str] | None = None,
    *,
    threshold: float = 0.9,
) -> list[str]:
    """Say what each state is, in words; parameters as in `classify_end_states`.

    Parameters
    ----------
    names : sequence of str, optional
        Names of the patterns; their indices, from 0, unless given.

    Examples
    --------
    >>> patterns = np.array([[1, 1, 1, 1, -1, -1], [1, -1, 1, -1, 1, -1]], np.int8)
    >>> states = np.array([[1, 1, 1, 1, -1, -1], [-1, 1, -1, 1, -1, 1], [1, 1, 1, 1, 1, 1]], np.int8)
    >>> describe_end_states(states @ patterns.T / 6, states, patterns.__getitem__, 0, names="AB")
    ['stored pattern', 'inverse of B', 'uniform +1']
    """
    found = classify_end_states(network_overlaps, states, pattern_rows, start_pattern, threshold=threshold)
    return [end_state.text(names) for end_state in found]


def classify_end_states(
    network_overlaps: ArrayLike,
    states: NDArray[np.int8],
    pattern_rows: PatternRows,
    start_pattern: ArrayLike = -1,
    *,
    threshold: float = 0.9,
) -> list[EndState]:
    """Find what each state is.

    Parameters
    ----------
    network_overlaps : array_like (n_states, n_patterns)
        ``m^mu = (1/N) sum_i xi_i^mu s_i``.
    states : int8 (n_states, n_neurons)
        Spins, ±1.
    pattern_rows : callable
        Gives the patterns of a sequence of indices, int8 (k, n_neurons); called only where overlaps do not
        decide.
    start_pattern : int or array_like of int (n_states,)
        The pattern each state started from; -1: none. Of equally near patterns it is the one named.
    threshold : float
        From this overlap on, in absolute value, a state is a pattern or an inverse.

    Returns
    -------
    list of EndState

    Notes
    -----
    Mixtures (Amit, Gutfreund and Sompolinsky 1985) are ``sign(sum ±xi^mu)`` over the 3, 5, 7 or 9 patterns of
    largest ``|m|``, each with the sign of its overlap, and over all patterns, which correlated patterns fall
    into. The state must have an overlap of at least 0.95 with one, and is called the nearest. The mixture of
    all patterns also wins over a pattern if it is nearer. Mixtures of unequal shares are spurious here.
    """
    overlaps = np.asarray(network_overlaps, np.float64)
    starts = np.broadcast_to(np.asarray(start_pattern), len(states))
    n_patterns, n_neurons = overlaps.shape[1], states.shape[1]

    @lru_cache(maxsize=1)
    def sum_of_all() -> NDArray[np.int64]:
        return _sum_patterns(pattern_rows, n_patterns, n_neurons)

    return [
        _classify(m, state, pattern_rows, sum_of_all, start=int(start), threshold=threshold)
        for m, state, start in zip(overlaps, states, starts, strict=True)
    ]


def _classify(
    overlaps: NDArray[np.float64],
    state: NDArray[np.int8],
    pattern_rows: PatternRows,
    sum_of_all: Callable[[], NDArray[np.int64]],
    *,
    start: int,
    threshold: float,
) -> EndState:
    pattern, nearness = _nearest_pattern(overlaps, start)
    if nearness == 1.0:
        return pattern
    if (state == state[0]).all():
        return EndState("uniform", (), (int(state[0]),))
    if overlaps.size == 0:
        return EndState("unknown")
    of_all, nearness_of_all = _mixture_of_all(overlaps, state, sum_of_all)
    if nearness >= threshold and nearness >= nearness_of_all:
        return pattern
    of_few, nearness_of_few = EndState("spurious"), 0.0
    if nearness < threshold:
        of_few, nearness_of_few = _mixture_of_few(overlaps, state, pattern_rows)
    return of_few if nearness_of_few > nearness_of_all else of_all


def _nearest_pattern(overlaps: NDArray[np.float64], start: int) -> tuple[EndState, float]:
    """Pattern or inverse of largest |m|, and that |m|."""
    if overlaps.size == 0:
        return EndState("unknown"), 0.0
    nearness = np.abs(overlaps)
    nearest = start if start >= 0 and nearness[start] == nearness.max() else int(nearness.argmax())
    sign = 1 if overlaps[nearest] > 0 else -1
    kind = "other pattern" if nearest != start else "pattern" if sign > 0 else "inverse"
    return EndState(kind, (nearest,), (sign,)), float(nearness[nearest])


def _mixture_of_few(
    overlaps: NDArray[np.float64], state: NDArray[np.int8], pattern_rows: PatternRows
) -> tuple[EndState, float]:
    """Nearest mixture of the patterns of largest |m|, with the state's overlap with it."""
    best, nearest = EndState("spurious"), 0.0
    order = np.argsort(-np.abs(overlaps), kind="stable")
    for size in MIXTURE_SIZES:
        members = np.sort(order[:size])
        # s_i sum_i is at least 1 where state and sign(sum) agree, and -size elsewhere: a bound on their |m|.
        bound = 1.0 - (1.0 + size) * (1.0 - MIXTURE_THRESHOLD) / 2
        if members.size < size or np.abs(overlaps[members]).sum() < bound - 1e-9:
            continue
        signs = np.where(overlaps[members] > 0, 1, -1)
        nearness = _overlap_with_sign(state, signs @ pattern_rows(members.tolist()))
        if nearness >= MIXTURE_THRESHOLD and nearness > nearest:
            best, nearest = EndState("mixture", tuple(members.tolist()), tuple(signs.tolist())), nearness
    return best, nearest


def _mixture_of_all(
    overlaps: NDArray[np.float64], state: NDArray[np.int8], sum_of_all: Callable[[], NDArray[np.int64]]
) -> tuple[EndState, float]:
    """Mixture of all patterns, or its inverse, with the state's overlap with it."""
    n_patterns, total = overlaps.size, overlaps.sum()
    # Its overlaps add up to <|sum xi|>: sqrt(2 P/pi) for independent patterns, more for correlated ones.
    if n_patterns < min(MIXTURE_SIZES) or abs(total) < 0.5 * np.sqrt(n_patterns):
        return EndState("spurious"), 0.0
    sign = 1 if total > 0 else -1
    nearness = _overlap_with_sign(state, sign * sum_of_all())
    if nearness < MIXTURE_THRESHOLD:
        return EndState("spurious"), 0.0
    return EndState("mixture", tuple(range(n_patterns)), (sign,) * n_patterns), nearness


def _overlap_with_sign(state: NDArray[np.int8], sums: NDArray) -> float:
    """Overlap of a state with sign(sums); units whose sum is 0 do not count, unless they are the majority."""
    n_decided = np.count_nonzero(sums)
    return float((state * np.sign(sums)).sum() / max(n_decided, state.size / 2))


def _sum_patterns(pattern_rows: PatternRows, n_patterns: int, n_neurons: int) -> NDArray[np.int64]:
    """Sum of all patterns, int64 (n_neurons,), a few at a time."""
    step = max(1, _CHUNK_BYTES // n_neurons)
    total = np.zeros(n_neurons, np.int64)
    for first in range(0, n_patterns, step):
        total += pattern_rows(range(first, min(first + step, n_patterns))).sum(axis=0, dtype=np.int64)
    return total
