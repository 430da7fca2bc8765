"""Who may import whom: arrows point down only (README, Architecture)."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# each floor may import the floors below it, rooms of one floor not each other
FLOORS = [
    ["hopsim_cli"],
    ["hopsim.plots", "hopsim.sweeps"],
    ["hopsim.experiments"],
    ["hopsim.networks", "hopsim.estimators"],
    ["hopsim.learning"],
    ["hopsim.evaluation"],
    ["hopsim.sampling", "hopsim.theory", "hopsim.datasets"],
    ["hopsim.models"],
    ["hopsim.kernels"],
]
FLOOR_OF = {room: level for level, rooms in enumerate(FLOORS) for room in rooms}
FOR_ALL = {"hopsim.errors", "hopsim.storage"}
OF_KERNELS = {"numba", "numpy", "llvmlite", "hopsim.kernels"} | set(sys.stdlib_module_names)
FILES = sorted([*ROOT.glob("hopsim/**/*.py"), *ROOT.glob("cli/hopsim_cli/**/*.py")])


def room_of(module: str) -> str:
    """The room that a module lies in: hopsim.models.seeds -> hopsim.models."""
    return ".".join(module.split(".")[: 1 if module.startswith("hopsim_cli") else 2])


def modules_imported(path: Path) -> list[tuple[int, str]]:
    """Every module that a file imports, at its head or inside a function, with the line."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import hides its room"
            found.append((node.lineno, node.module or ""))
    return found


def home_of(path: Path) -> str:
    """The room of a file."""
    inside = path.relative_to(ROOT / "cli" if path.is_relative_to(ROOT / "cli") else ROOT)
    return room_of(".".join(inside.with_suffix("").parts))


def allowed(home: str, module: str) -> bool:
    """Whether a file of room `home` may import `module`."""
    target = room_of(module)
    if home == "hopsim.kernels":
        return (target if module.startswith("hopsim") else module.split(".", maxsplit=1)[0]) in OF_KERNELS
    if not module.startswith("hopsim") or target == home:
        return True
    if home in FOR_ALL:
        return target in FOR_ALL and home != "hopsim.errors"
    return target in FOR_ALL or FLOOR_OF.get(target, -1) > FLOOR_OF.get(home, len(FLOORS))


@pytest.mark.parametrize("path", [p for p in FILES if p != ROOT / "hopsim" / "__init__.py"], ids=str)
def test_imports_point_down(path):
    """No file imports a room of its own floor or above."""
    home = home_of(path)
    wrong = [
        f"{path}:{line}: {home} imports {module}"
        for line, module in modules_imported(path)
        if not allowed(home, module)
    ]
    assert not wrong, "\n".join(wrong)


def test_every_room_has_its_floor():
    """A new room is given its place here before it is built."""
    rooms = {home_of(path) for path in FILES} - {"hopsim.__init__"}
    assert rooms <= set(FLOOR_OF) | FOR_ALL


def test_rule_sees_a_wrong_arrow():
    """The rule has teeth: kernels must not reach up, nor science into the command line."""
    assert not allowed("hopsim.kernels", "hopsim.models.hopfield")
    assert not allowed("hopsim.kernels", "scipy.special")
    assert not allowed("hopsim.theory", "hopsim.sampling.chains")
    assert not allowed("hopsim.experiments", "hopsim_cli.main")
    assert allowed("hopsim.experiments", "hopsim.theory.hopfield")
