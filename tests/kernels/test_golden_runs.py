"""A few runs whose results may never change without a reason: the golden file holds what the kernels gave
when made.

Integer fields, thresholds of plain IEEE arithmetic: the same on every machine. Where a change of the random
numbers or of the dynamics is meant, make the file anew with ``PYTHONPATH=tests python
tests/kernels/test_golden_runs.py``.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from kernel_chains import ORDER_NAMES, advance, hebbian_system_of_rows, make_chains, measured_energies

from hopsim.kernels import dynamics as dyn
from hopsim.kernels.packed_patterns import draw_patterns, unpack_patterns
from hopsim.kernels.probes import flip_units, mask_units
from hopsim.kernels.randomness import derive_keys

GOLDEN_FILE = Path(__file__).parent / "golden_runs.json"
N_NEURONS, N_PATTERNS, N_NETWORKS = 1003, 130, 2
SEED = np.uint64(20240229)


def starts():
    """Packed patterns of two networks, and five starts on each: a pattern, two noisy, one masked, one of
    another network.
    """
    keys = np.empty(N_NETWORKS, np.uint64)
    derive_keys(np.full(N_NETWORKS, SEED), np.uint64(1), np.arange(N_NETWORKS, dtype=np.uint64), keys)
    rows = np.zeros((N_NETWORKS, N_NEURONS, 8), np.uint64)
    draw_patterns(keys, N_PATTERNS, 0, N_NEURONS, rows)
    patterns = np.empty((N_NETWORKS, 5, N_NEURONS), np.int8)
    for k in range(N_NETWORKS):
        unpack_patterns(rows[k], 0, patterns[k])
    spins = patterns.copy()
    for k in range(N_NETWORKS):
        flip_units(keys + np.uint64(k), 100, spins[k, 1:3])
        mask_units(keys[k : k + 1], 300, spins[k, 3:4])
    spins[:, 4] = patterns[::-1, 4]
    network = np.repeat(np.arange(N_NETWORKS), 5)
    return rows, spins.reshape(-1, N_NEURONS), network


def golden_runs():
    """Final states (as a hash), energies, flips, sweeps and ends of all orders, at T = 0 and T = 0.4, with a
    bias.
    """
    rows, spins, network = starts()
    n_chains = len(spins)
    keys = np.empty(n_chains, np.uint64)
    derive_keys(np.full(n_chains, SEED), np.uint64(2), np.arange(n_chains, dtype=np.uint64), keys)
    runs = {}
    for order, name in enumerate(ORDER_NAMES):
        for temperature, n_sweeps in ((0.0, 60), (0.4, 10)):
            bias = np.arange(N_NEURONS) % 7 - 3.0
            system = hebbian_system_of_rows(rows, N_PATTERNS, spins, network)
            chains = make_chains(spins, order, N_NEURONS * temperature / 2, bias, keys)
            advance(system, chains, n_sweeps)
            runs[f"{name}, T = {temperature}"] = {
                "spins_sha256": hashlib.sha256(chains.spins.tobytes()).hexdigest(),
                "scaled_energies": measured_energies(system, chains).astype(int).tolist(),
                "n_flips": chains.registers[:, dyn.N_FLIPS].tolist(),
                "n_sweeps": chains.registers[:, dyn.SWEEP].tolist(),
                "status": chains.registers[:, dyn.STATUS].tolist(),
            }
    return runs


def test_runs_are_what_they_were():
    """Bit for bit, whatever the machine."""
    assert golden_runs() == json.loads(GOLDEN_FILE.read_text())


if __name__ == "__main__":
    GOLDEN_FILE.write_text(json.dumps(golden_runs(), indent=1) + "\n")
