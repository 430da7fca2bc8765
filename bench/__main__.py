"""`python -m bench NAME`: run a bench, print its table, and keep its figures as JSON."""

import argparse
import importlib
import os
from pathlib import Path

BENCHES = ("enumeration", "gibbs", "hopfield", "ising", "start", "sweeps")

# One thread for the peers' BLAS; read when numpy is first imported, which is why nothing above imports it.
for _variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
    os.environ[_variable] = "1"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description="Time hopsim beside its peers.")
    parser.add_argument("bench", choices=BENCHES)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, no large sizes: under a minute")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure to FILE")
    options = parser.parse_args()
    if options.json is not None and not options.json.resolve().parent.is_dir():
        parser.error(f"argument --json: there is no directory {options.json.resolve().parent}")
    report = importlib.import_module(f"bench.{options.bench}").run(quick=options.quick)
    print(report.table())
    if options.json is not None:
        report.write_json(options.json)


if __name__ == "__main__":
    main()
