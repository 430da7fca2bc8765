"""Rules that kernels keep in their source: no shared randomness, no library exponentials, no assumption that
NaNs are absent.
"""

import ast
import sys
from pathlib import Path

import pytest

import hopsim.kernels

FILES = sorted(Path(hopsim.kernels.__file__).parent.glob("*.py"))
ALLOWED = {"numpy", "numba", "llvmlite"}


def names_used(tree):
    """Dotted names such as ``np.random`` anywhere in a file."""
    return {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def modules_imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield node.module


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_kernels_keep_their_rules(path):
    """np.random shares a state, exp and log differ between machines, and fastmath=True drops the checks for
    NaN.
    """
    tree = ast.parse(path.read_text())
    names = names_used(tree)
    forbidden = {
        "np.random",
        "numpy.random",
        "np.exp",
        "np.log",
        "numpy.exp",
        "numpy.log",
        "math.exp",
        "math.log",
    }
    assert not names & forbidden
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "fastmath":
            assert not isinstance(node.value, ast.Constant)
    for module in modules_imported(tree):
        top = module.split(".")[0]
        assert top not in ("random", "math")
        assert top in ALLOWED or top in sys.stdlib_module_names or module.startswith("hopsim.kernels")


def test_the_rules_look_at_kernels():
    """At least the files that this suite is about."""
    assert {"randomness", "heat_bath", "bit_planes", "hebbian", "dense", "dynamics"} <= {
        path.stem for path in FILES
    }
