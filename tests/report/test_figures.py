from __future__ import annotations

import dataclasses

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure

from tests.report.drawn_runs import example_map, example_result
from tplm_daq.report.figures import draw_decay, draw_map, draw_msd, draw_profiles

METHODS = ("poisson", "lsq", "paper")
UNIT_OR_RATIO = ("(ns)", "(nm)", "(nm²)", "counts", "maximum")


def figures(method: str) -> dict[str, Figure]:
    data, result = example_map(), example_result(method)
    return {
        "map": draw_map(data, result),
        "decay": draw_decay(result, data.bin_width_ns),
        "profiles": draw_profiles(result),
        "msd": draw_msd(result),
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_axis_says_what_and_in_which_unit(method: str) -> None:
    for name, figure in figures(method).items():
        for axes in figure.axes:
            labels = [label for label in (axes.get_xlabel(), axes.get_ylabel()) if label]
            assert labels, name
            assert all(any(unit in label for unit in UNIT_OR_RATIO) for label in labels), labels


@pytest.mark.parametrize("method", METHODS)
def test_no_text_is_cut_off_and_no_two_labels_overlap(method: str) -> None:
    for name, figure in figures(method).items():
        figure.draw_without_rendering()
        whole = figure.bbox.padded(1.0)
        labels = [axes.yaxis.label for axes in figure.axes] + [axes.xaxis.label for axes in figure.axes]
        boxes = [label.get_window_extent() for label in labels if label.get_text()]
        for i, box in enumerate(boxes):
            assert whole.x0 <= box.x0 <= box.x1 <= whole.x1, name
            assert whole.y0 <= box.y0 <= box.y1 <= whole.y1, name
            assert not any(box.overlaps(other) for other in boxes[i + 1 :]), name


def test_the_scaled_map_ends_at_one_and_spans_the_scan() -> None:
    scaled = draw_map(example_map(), example_result()).axes[0]
    values = np.asarray(scaled.collections[0].get_array())
    assert values.max() == 1.0
    assert values.min() >= 0.0
    assert scaled.get_ylim() == (example_map().x_nm.min(), example_map().x_nm.max())


def test_the_dashed_lines_are_the_fitted_spot() -> None:
    result = example_result()
    lines = draw_map(example_map(), result).axes[0].lines
    starts = sorted(float(np.asarray(line.get_ydata())[0]) for line in lines)
    assert starts == pytest.approx([result.centre_nm - result.sigma0_nm, result.centre_nm + result.sigma0_nm])


def test_the_map_of_an_unfitted_run_is_drawn_as_recorded() -> None:
    panel = draw_map(example_map(), None).axes[0]
    assert len(panel.lines) == 0
    assert panel.get_xlim()[1] > 15.0


def test_the_map_does_not_mind_the_order_of_positions() -> None:
    data = example_map()
    shuffled = np.random.default_rng(1).permutation(len(data.x_nm))
    other = dataclasses.replace(
        data, counts=data.counts[shuffled], x_nm=data.x_nm[shuffled], y_nm=data.y_nm[shuffled], dwell_s=None
    )
    images = [draw_map(each, None).axes[1].collections[0].get_array() for each in (data, other)]
    np.testing.assert_allclose(images[0], images[1])


def test_many_errors_become_a_band() -> None:
    few, many = draw_msd(example_result("poisson")).axes[0], draw_msd(example_result("paper")).axes[0]
    assert len(few.containers) == 1
    assert len(many.containers) == 0
    assert len(many.collections) == 2


def test_unknown_widths_are_left_out() -> None:
    result = example_result()
    hole = result.msd.msd_nm2.copy()
    hole[3] = np.nan
    drawn = draw_msd(dataclasses.replace(result, msd=dataclasses.replace(result.msd, msd_nm2=hole))).axes[0]
    points = drawn.containers[0].lines[0]
    assert len(points.get_xdata()) == len(hole) - 1


def test_no_figure_leaves_its_style_behind() -> None:
    before = {name: value for name, value in mpl.rcParams.items() if name != "backend"}
    draw_profiles(example_result())
    assert {name: mpl.rcParams[name] for name in before} == before
