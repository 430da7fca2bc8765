"""Specifications of sweeps: what they mean, and what is said of wrong ones."""

import math
import tomllib
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hopsim.errors import InputError
from hopsim.experiments import hopfield_capacity
from hopsim.experiments.hopfield_capacity import HopfieldCapacity
from hopsim.sweeps.specification import MAX_CELLS, MAX_VALUES, Specification, read_specification

STUDIES = {"capacity": hopfield_capacity}

SMALLEST = """
experiment = "capacity"
seed = 11
[axes]
n_neurons = [400, 800]
load = { start = 0.10, stop = 0.18, step = 0.002 }
[fixed]
n_networks = 8
n_trials = 2
"""


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """Read a specification from its text or bytes."""
    path = tmp_path_factory.mktemp("specifications") / "study.toml"

    def read_text(content: str | bytes) -> Specification:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_specification(path, STUDIES)

    return read_text


def capacity(axes: str = "n_neurons = 400\nload = 0.1", fixed: str = "", top: str = "", end: str = "") -> str:
    """A specification that is right but for what is put in."""
    return f'experiment = "capacity"\nseed = 11\n{top}\n[axes]\n{axes}\n[fixed]\n{fixed}\n{end}'


def axis(values: str) -> str:
    return capacity(f"n_neurons = 400\nload = {values}")


def sizes(values: str) -> str:
    return capacity(f"n_neurons = {values}\nload = 0.1")


def test_the_smallest_form_says_all_that_a_study_needs(read):
    specification = read(SMALLEST)
    assert specification.study is hopfield_capacity
    assert specification.configuration == HopfieldCapacity(
        n_neurons=(400, 800),
        loads=tuple(k / 1000 for k in range(100, 181, 2)),
        seed=11,
        n_networks=8,
        n_trials=2,
    )
    assert specification.budget_seconds is None


def test_a_range_means_its_decimals(read):
    """In floats 0.1 + 1 * 0.002 is 0.10200000000000001; sizes and loads of networks must not depend on that."""
    loads = read(SMALLEST).configuration.loads
    assert 0.1 + 1 * 0.002 != 0.102
    assert loads[1] == 0.102
    assert [str(load) for load in loads[:3]] == ["0.1", "0.102", "0.104"]
    assert loads[-1] == 0.18


@given(
    start=st.integers(1, 5000),
    step=st.integers(1, 300),
    n_steps=st.integers(0, 200),
    excess=st.fractions(0, 1),
    places=st.integers(0, 9),
)
@example(start=100, step=2, n_steps=40, excess=Fraction(0), places=3)
@example(start=1, step=3, n_steps=3, excess=Fraction(99, 100), places=1)
def test_ranges_agree_with_fractions(read, start, step, n_steps, excess, places):
    """Each value is the float nearest to the exact one, and the last the largest that does not pass stop."""
    unit = Fraction(1, 10**places)
    stop = start + n_steps * step + math.ceil(excess * step) % step  # less than a step further
    written = [f"{number // 10**places}.{number % 10**places:0{places}d}0" for number in (start, stop, step)]
    text = "{{ start = {}, stop = {}, step = {} }}".format(*written)
    expected = tuple(float((start + i * step) * unit) for i in range(n_steps + 1))
    # of so many neurons, each of these loads is at least one pattern
    assert read(capacity(f"n_neurons = 1e9\nload = {text}")).configuration.loads == expected


@pytest.mark.parametrize(
    ("values", "loads"),
    [
        ("0.1", (0.1,)),
        ("1", (1.0,)),
        ("[0.1]", (0.1,)),
        ("[1, 0.5, 1e-1]", (1.0, 0.5, 0.1)),
        ("{ start = 0.1, stop = 0.1, step = 1 }", (0.1,)),
        ("{ start = 1, stop = 2, step = 0.4 }", (1.0, 1.4, 1.8)),
        ("[0.05, { start = 0.1, stop = 0.12, step = 0.01 }, 0.2]", (0.05, 0.1, 0.11, 0.12, 0.2)),
    ],
)
def test_an_axis_is_a_number_a_list_or_a_range(read, values, loads):
    configuration = read(axis(values)).configuration
    assert configuration.loads == loads
    assert all(isinstance(load, float) for load in configuration.loads)


@pytest.mark.parametrize(
    ("values", "n_neurons"),
    [
        ("[1e3, 2000.0, 4_000]", (1000, 2000, 4000)),
        ("{ start = 1000, stop = 3e3, step = 1e3 }", (1000, 2000, 3000)),
        ("[100, { start = 0.5e3, stop = 1000, step = 250 }]", (100, 500, 750, 1000)),
    ],
)
def test_whole_numbers_may_be_written_as_floats(read, values, n_neurons):
    """As on the command line."""
    configuration = read(sizes(values)).configuration
    assert configuration.n_neurons == n_neurons
    assert all(isinstance(size, int) for size in configuration.n_neurons)


def test_an_axis_may_stand_under_fixed_with_its_only_value(read):
    specification = read('experiment = "capacity"\nseed = 1\naxes.n_neurons = [100, 200]\nfixed.load = 0.14')
    assert specification.configuration == HopfieldCapacity(n_neurons=(100, 200), loads=(0.14,), seed=1)


def test_every_setting_of_the_study_may_be_fixed(read):
    fixed = """
        n_networks = 3
        n_trials = 1e1
        flip = 0.1
        temperature = 1
        rule = "storkey"
        order = "sequential"
        success = 0.5
        max_sweeps = 50
        burn_in = 0
        n_sweeps = 7
    """
    expected = HopfieldCapacity(
        n_neurons=(400,), loads=(0.1,), seed=11, **tomllib.loads(fixed.replace("1e1", "10"))
    )
    configuration = read(capacity(fixed=fixed)).configuration
    assert configuration == expected
    assert isinstance(configuration.temperature, float)


@pytest.mark.parametrize("seed", [0, 2**63, 2**64 - 1])
def test_every_seed_of_the_command_line_is_a_seed_here(read, seed):
    assert read(SMALLEST.replace("seed = 11", f"seed = {seed}")).configuration.seed == seed


@pytest.mark.parametrize(
    ("budget", "seconds"),
    [
        ("seconds = 0.5", 0.5),
        ("minutes = 1.5", 90.0),
        ("hours = 2", 7200.0),
        ("hours = 1\nminutes = 0.1", 3606.0),
    ],
)
def test_a_budget_is_the_sum_of_its_times(read, budget, seconds):
    assert read(capacity(end=f"[budget]\n{budget}")).budget_seconds == seconds


@pytest.mark.parametrize("content", [SMALLEST.replace("\n", "\r\n").encode(), SMALLEST.encode("utf-8-sig")])
def test_files_of_other_systems_are_read(read, content):
    assert read(content) == read(SMALLEST)


TOP = "experiment, seed, axes, fixed, budget"
SETTINGS = "n_networks, n_trials, flip, temperature, rule, order, success, max_sweeps, burn_in, n_sweeps"
AXIS_FORM = "a list of numbers or a range { start, stop, step }"
RANGE = "{{ start = {}, stop = {}, step = {} }}"

WRONG_TOP = {
    "": "experiment: missing; expected one of capacity",
    'experiment = "capacity"': "seed: missing; a sweep needs one to be resumed: add a line such as seed = 11",
    'experiment = "recall"': 'experiment: expected one of capacity; got "recall"',
    "experiment = 3": "experiment: expected one of capacity; got 3",
    "experiment = []": "experiment: expected one of capacity; got a list",
    "experimnt = 'capacity'": "experimnt: unknown; did you mean experiment?",
    capacity(
        top="n_networks = 3"
    ): f"n_networks: unknown; expected {TOP}; what the experiment takes stands under [axes] or [fixed]",
    capacity(top="threads = 2"): "threads: is no part of a specification; give --threads to the command",
    capacity(top='"a\\nb" = 2'): f'"a\\nb": unknown; expected {TOP}; what the experiment takes stands under '
    "[axes] or [fixed]",
    SMALLEST.replace("11", '"a"'): 'seed: expected an integer, got "a"',
    SMALLEST.replace("11", "true"): "seed: expected an integer, got true",
    SMALLEST.replace("11", "1.5"): "seed: expected an integer, got 1.5",
    SMALLEST.replace("11", "-1"): "seed: expected an integer from 0 to 2^64 - 1, got -1",
    SMALLEST.replace("11", str(2**64)): "seed: expected a number below 2^64 in size",
    'experiment = "capacity"\nseed = 1': f"axes.n_neurons: missing; expected {AXIS_FORM}",
    capacity("n_neurons = 1"): f"axes.load: missing; expected {AXIS_FORM}",
    'experiment = "capacity"\nseed = 1\naxes = [1]': "axes: expected a table that begins with [axes], got a list",
    'experiment = "capacity"\nseed = 1\nfixed = 1': "fixed: expected a table that begins with [fixed], got 1",
}

WRONG_AXES = {
    axis("[]"): f"axes.load: empty; expected {AXIS_FORM}",
    axis('"0.1:0.2:0.01"'): 'axes.load: expected a number, got "0.1:0.2:0.01"',
    axis("true"): "axes.load: expected a number, got true",
    axis("[0.1, false]"): "axes.load[1]: expected a number, got false",
    axis("[0.1, [0.2]]"): "axes.load[1]: expected a number, got a list",
    axis("[0.1, 1979-05-27]"): "axes.load[1]: expected a number, got 1979-05-27",
    axis("nan"): "axes.load: expected a finite number, got NaN",
    axis("[-inf]"): "axes.load[0]: expected a finite number, got -Infinity",
    axis("1e400"): "axes.load: expected a number below 2^64 in size",
    axis("1e999999"): "axes.load: expected a number below 2^64 in size",
    axis("0x" + "f" * 5000): "axes.load: expected a number below 2^64 in size",
    axis("[0.1, -0.2]"): "axes.load: expected loads above 0, 1e+06 at most; got -0.2",
    axis("[0.1, 0.10]"): "axes.load: expected different values, got 0.1 more than once",
    axis("1e-400"): "axes.load: expected loads above 0, 1e+06 at most; got 0",
    axis("0.001"): "axes.load: load 0.001 of 400 neurons rounds to no pattern",
    capacity("n_neurons = 400", "load = 0.001"): "fixed.load: load 0.001 of 400 neurons rounds to no pattern",
    sizes('[1, "a"]'): 'axes.n_neurons[1]: expected an integer, got "a"',
    sizes("1.5"): "axes.n_neurons: expected an integer, got 1.5",
    sizes("[1, 2, 3.5]"): "axes.n_neurons[2]: expected an integer, got 3.5",
    sizes("0"): "axes.n_neurons: expected sizes of at least 1; got 0",
    sizes("[1, { start = 1, stop = 2, step = 0.5 }]"): "axes.n_neurons[1]: expected an integer, got 1.5",
    capacity("loads = [0.1]"): "axes.loads: unknown; did you mean load?",
    capacity(
        "temperature = [0, 1]"
    ): "axes.temperature: unknown; expected n_neurons, load; other settings stand under [fixed]",
    capacity("seed = 3"): "axes.seed: stands at the top of the file, before the first [table]",
}

WRONG_RANGES = {
    axis(
        "{ start = 0.1, stop = 0.2 }"
    ): "axes.load.step: missing; a range is written { start = 0.1, stop = 0.2, step = 0.01 }",
    axis("{ start = 1, stop = 2, stepp = 1 }"): "axes.load.stepp: unknown; did you mean step?",
    axis("{ start = 1, stop = 2, step = 1, n = 3 }"): "axes.load.n: unknown; expected start, stop, step",
    axis(RANGE.format("1", '"a"', "1")): 'axes.load.stop: expected a number, got "a"',
    axis(RANGE.format("true", "2", "1")): "axes.load.start: expected a number, got true",
    axis(RANGE.format("1", "inf", "1")): "axes.load.stop: expected a finite number, got Infinity",
    axis(RANGE.format("1", "2", "0")): "axes.load.step: expected a number above 0, got 0",
    axis(RANGE.format("1", "2", "-0.1")): "axes.load.step: expected a number above 0, got -0.1",
    axis(RANGE.format("1", "2", "1e-400")): "axes.load.step: expected a number above 0, got 1E-400",
    axis(RANGE.format("2", "1.5", "1")): "axes.load.stop: expected at least start, 2; got 1.5",
    axis(RANGE.format("0", "1", "1e-12")): "axes.load: has more than 100000 values",
    axis(RANGE.format("1", "100001", "1")): "axes.load: has more than 100000 values",
    axis(f"[0.1, {RANGE.format('1', '60000', '1')}, {RANGE.format('60001', '100000', '1')}]"): (
        "axes.load: has more than 100000 values"
    ),
    axis(f"[0.1, {RANGE.format('1', '2', 'nan')}]"): "axes.load[1].step: expected a finite number, got NaN",
}

WRONG_FIXED = {
    capacity(fixed="n_netwroks = 3"): "fixed.n_netwroks: unknown; did you mean n_networks?",
    capacity(fixed="colour = 3"): f"fixed.colour: unknown; expected {SETTINGS}, n_neurons, load",
    capacity(
        fixed="threads = 3"
    ): "fixed.threads: is no part of a specification; give --threads to the command",
    capacity(fixed="seed = 3"): "fixed.seed: stands at the top of the file, before the first [table]",
    capacity(fixed="load = 0.1"): "fixed.load: given as axes.load too; leave out one of the two",
    capacity("n_neurons = 1", "load = [0.1, 0.2]"): (
        "fixed.load: expected one number; lists and ranges stand under [axes]"
    ),
    capacity("n_neurons = 1", 'load = "a"'): 'fixed.load: expected a number, got "a"',
    capacity(fixed="n_networks = 0"): "fixed.n_networks: expected at least 1, got 0",
    capacity(fixed="n_networks = 1.5"): "fixed.n_networks: expected an integer, got 1.5",
    capacity(fixed="n_networks = [3, 4]"): "fixed.n_networks: expected an integer, got a list",
    capacity(fixed="n_networks = 1e20"): "fixed.n_networks: expected a number below 2^64 in size",
    capacity(fixed="temperature = -1"): "fixed.temperature: expected a number of at least 0, got -1.0",
    capacity(fixed="temperature = true"): "fixed.temperature: expected a number, got true",
    capacity(fixed="order = 3"): "fixed.order: expected a string, got 3",
    capacity(fixed="order = {}"): "fixed.order: expected a string, got a table",
    capacity(fixed='order = "ordered"'): (
        "fixed.order: expected one of random, replacement, sequential, synchronous; got 'ordered'"
    ),
    capacity(fixed=f"flip = {'a' * 50!r}"): f'fixed.flip: expected a number, got "{"a" * 36}...',
}

WRONG_BUDGETS = {
    capacity(end="[budget]"): "budget: empty; expected hours, minutes, seconds",
    capacity(end="[budget]\ndays = 1"): "budget.days: unknown; expected hours, minutes, seconds",
    capacity(end="[budget]\nminute = 1"): "budget.minute: unknown; did you mean minutes?",
    capacity(end="[budget]\nminutes = 0"): "budget.minutes: expected a number above 0, got 0",
    capacity(end="[budget]\nminutes = -2.5"): "budget.minutes: expected a number above 0, got -2.5",
    capacity(end='[budget]\nhours = "2"'): 'budget.hours: expected a number, got "2"',
    capacity(end="[budget]\nhours = false"): "budget.hours: expected a number, got false",
    capacity(end="[budget]\nhours = inf"): "budget.hours: expected a finite number, got Infinity",
    capacity(top="budget = 3"): "budget: expected a table that begins with [budget], got 3",
}

WRONG_TOML = {
    "a = 1\nb = ": "is not TOML: Invalid value (at line 2, the last)",
    "a = 1\n\na = 2\n": "is not TOML: Cannot overwrite a value (at line 3, column 6)",
    "a = [1,\n2,\n": "is not TOML: Invalid value (at line 2, the last)",
    "seed 11": "is not TOML: Expected '=' after a key in a key/value pair (at line 1, column 6)",
    axis("[" * 100_000): "is nested too deep",
    axis("1e99999999999999999999"): "holds a number with too many digits",
    axis("9" * 5000): "holds a number with too many digits",
    SMALLEST.encode("utf-16"): "is not a text file (UTF-8)",
    b"#" * (4 * 2**20 + 1): "is larger than 4 MiB; expected the specification of a sweep",
}


WRONG = WRONG_TOP | WRONG_AXES | WRONG_RANGES | WRONG_FIXED | WRONG_BUDGETS | WRONG_TOML


def problem_of(path) -> str:
    with pytest.raises(InputError) as refusal:
        read_specification(path, STUDIES)
    assert refusal.value.subject == str(path)
    return refusal.value.problem


@pytest.mark.parametrize(("content", "problem"), WRONG.items(), ids=WRONG.values())
def test_what_is_wrong_is_named_with_its_place(tmp_path, content, problem):
    path = tmp_path / "study.toml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert problem_of(path) == problem


def test_an_axis_may_have_so_many_values_and_no_more(read):
    """The limits are those of the command line, and a grid that would fill the memory is refused at once."""
    many = RANGE.format(1, MAX_VALUES, 1)
    assert len(read(axis(many)).configuration.loads) == MAX_VALUES
    n_sizes = MAX_CELLS // MAX_VALUES + 1
    with pytest.raises(
        InputError, match=rf"axes: have {n_sizes * MAX_VALUES} combinations; at most {MAX_CELLS}"
    ):
        read(capacity(f"n_neurons = {RANGE.format(1, n_sizes, 1)}\nload = {many}"))


def test_files_that_are_none(tmp_path):
    assert problem_of(tmp_path / "missing.toml") == "cannot be read: No such file or directory"
    assert problem_of(tmp_path) == "is not a regular file"
