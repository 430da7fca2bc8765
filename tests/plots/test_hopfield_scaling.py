"""The figure of finite-size scaling: its points, curves and intervals, what was rejected, what is not known."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.container import ErrorbarContainer

from hopsim.errors import InputError
from hopsim.experiments import hopfield_scaling
from hopsim.plots.figures import draw_figure, save_figure
from hopsim.storage.records import Records
from hopsim.storage.run_file import Run

NAN = np.nan
EXPONENTS = np.array([1 / 3, 1 / 2, 2 / 3, 1.0])


def scaling_run(n_neurons=(8_000, 1_000, 64_000, 16_000), complete=True, **changed):
    """Logistic falls about 0.14 + 0.7 N^-1/2; the two outer fits are rejected."""
    sizes = np.array(n_neurons)
    alpha_c = 0.14 + 0.7 * sizes**-0.5
    width = 1.2 * sizes ** (-2 / 3)
    load = alpha_c[:, None] + width[:, None] * np.array([2.0, -2.0, 0.0])  # in no order
    fraction = 1 / (1 + np.exp((load - alpha_c[:, None]) / width[:, None]))
    arrays = {
        "n_neurons": sizes,
        "load": load,
        "retrieval_fraction": fraction,
        "retrieval_low": 0.9 * fraction,
        "retrieval_high": 0.9 * fraction + 0.1,
        "alpha_c_logistic": alpha_c,
        "alpha_c_logistic_low": alpha_c - 0.001,
        "alpha_c_logistic_high": alpha_c + 0.002,
        "logistic_width": width,
        "in_fits": sizes >= 8_000,
        "exponent": EXPONENTS,
        "fit_value": np.array([0.137, 0.14, 0.141, 0.143]),
        "fit_se": np.full(4, 5e-4),
        "fit_amplitude": np.array([0.25, 0.7, 2.0, 50.0]),
        "fit_p": np.array([0.001, 0.5, 0.3, 2e-5]),
        "fit_accepted": np.array([False, True, True, False]),
        "alpha_c_infinite": np.float64(0.1405),
        "alpha_c_infinite_low": np.float64(0.139),
        "alpha_c_infinite_high": np.float64(0.142),
        "alpha_c_theory": np.float64(0.137905566),
        "alpha_c_rsb": np.float64(0.138186),
        **changed,
    }
    records = Records(hopfield_scaling.VARIABLES, arrays)
    return Run(Path("run.h5"), "hopfield_scaling", {"order": "random", "success": 0.9}, records, {}, complete)


def points(axes):
    """Points and both ends of their error bars, for each series."""
    for container in axes.containers:
        assert isinstance(container, ErrorbarContainer)
        ends = np.array([segment[:, 1] for segment in container.lines[2][0].get_segments()])
        yield container.lines[0].get_xydata(), ends


def labels(axes):
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_the_fall_at_each_size_is_that_of_the_records():
    """Sizes from small to large, loads in order, and the logistic curve through them."""
    run = scaling_run()
    fall, _ = draw_figure(run).axes
    curves = [line for line in fall.lines if len(line.get_xdata()) > 100]
    for i, (drawn, ends), curve in zip((1, 0, 3, 2), points(fall), curves, strict=True):
        order = [1, 2, 0]
        assert np.array_equal(drawn[:, 0], run.records["load"][i, order])
        assert np.array_equal(drawn[:, 1], run.records["retrieval_fraction"][i, order])
        assert ends[:, 0] == pytest.approx(run.records["retrieval_low"][i, order], abs=1e-12)
        assert ends[:, 1] == pytest.approx(run.records["retrieval_high"][i, order], abs=1e-12)
        # the curve is a line through 200 points: off by its curvature between them
        assert np.interp(drawn[:, 0], *curve.get_data()) == pytest.approx(drawn[:, 1], abs=1e-4)
    assert labels(fall)[:4] == ["$N$ = 1,000", "$N$ = 8,000", "$N$ = 16,000", "$N$ = 64,000"]
    assert fall.get_ylabel() == "fraction retrieved ($m$ > 0.9)"


def test_half_heights_fits_and_the_union_are_those_of_the_records():
    run = scaling_run()
    _, sizes = draw_figure(run).axes
    (used, _), (unused, _), (limit, union) = points(sizes)
    assert used[:, 0] == pytest.approx(np.array([8_000, 64_000, 16_000]) ** -0.5)
    assert used[:, 1] == pytest.approx(run.records["alpha_c_logistic"][[0, 2, 3]])
    assert unused[:, 0] == pytest.approx([1_000**-0.5])
    assert limit[0, 0] == 0.0
    assert union[0] == pytest.approx([0.139, 0.142])
    curves = [line for line in sizes.lines if len(line.get_xdata()) > 100]
    assert len(curves) == 4  # two fits, each to the smallest size fitted and beyond
    for line, value, amplitude, x in zip(
        curves, (0.14, 0.14, 0.141, 0.141), (0.7, 0.7, 2.0, 2.0), (0.5, 0.5, 2 / 3, 2 / 3), strict=True
    ):
        root, drawn = line.get_data()
        with np.errstate(divide="ignore"):
            n_neurons = root**-2.0
        assert drawn == pytest.approx(value + amplitude * n_neurons**-x)
    levels = [line.get_ydata()[0] for line in sizes.lines[:2]]
    assert levels == [0.137905566, 0.138186]


def test_rejected_fits_are_named_and_not_drawn():
    _, sizes = draw_figure(scaling_run()).axes
    fits = [label for label in labels(sizes) if "b N" in label]
    assert len(fits) == 4
    assert [label.endswith("rejected") for label in fits] == [True, False, False, True]
    assert fits[1] == r"$\alpha_c + b N^{-1/2}$: 0.1400 ± 0.0005, $p$ = 0.5"
    assert labels(sizes)[-1] == r"$N \to \infty$: 0.1390–0.1420, union of accepted fits"


def test_what_is_not_known_is_left_out(tmp_path):
    """One size without a crossing, no logistic fit, too few sizes for any fit over N."""
    unknown = {f"alpha_c_infinite{end}": np.float64(NAN) for end in ("", "_low", "_high")}
    fits = {f"fit_{name}": np.full(4, NAN) for name in ("value", "se", "amplitude", "p")}
    run = scaling_run(
        n_neurons=(8_000, 16_000),
        complete=False,
        alpha_c_logistic=np.array([0.15, NAN]),
        alpha_c_logistic_low=np.full(2, NAN),
        alpha_c_logistic_high=np.full(2, NAN),
        logistic_width=np.full(2, NAN),
        fit_accepted=np.zeros(4, bool),
        **unknown,
        **fits,
    )
    save_figure(run, tmp_path / "figure.png", force=False)
    fall, sizes = draw_figure(run).axes
    assert not [line for line in fall.lines if len(line.get_xdata()) > 100]
    assert not [label for label in labels(sizes) if "infty" in label or "b N" in label]
    assert "interrupted" in fall.figure.get_suptitle().replace("\n", " ")


def test_nothing_finished_is_drawn_empty(tmp_path):
    nothing = {f"retrieval_{name}": np.full((1, 3), NAN) for name in ("fraction", "low", "high")}
    nothing |= {f"alpha_c_logistic{end}": np.full(1, NAN) for end in ("", "_low", "_high")}
    nothing["logistic_width"] = np.full(1, NAN)
    save_figure(scaling_run(n_neurons=(1_000,), **nothing), tmp_path / "figure.png", force=False)


def test_what_no_study_writes_is_refused():
    broken = scaling_run()
    broken.records["n_neurons"][0] = 0
    with pytest.raises(InputError, match=r"^run.h5: holds a network without neurons"):
        draw_figure(broken)
    with pytest.raises(InputError, match=r"^run.h5: in_fits holds float64; expected flags"):
        draw_figure(scaling_run(in_fits=np.ones(4)))
