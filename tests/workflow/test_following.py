"""Passes that follow a spot, drawn without a rig: when the path moves, by how much, and what is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.store.made_runs import row
from tplm_daq.acquire.events import FinishReason, Notice, PointDone
from tplm_daq.acquire.guards import Level
from tplm_daq.acquire.passes import Done, Itinerary, Pass
from tplm_daq.recipes.rig import Guards
from tplm_daq.store.layout import PointFlags
from tplm_daq.workflow.following import FollowedSpot, Surveyed

LINE_NM = np.column_stack([np.linspace(-800.0, 800.0, 17), np.full(17, 30.0)])
RASTER_NM = np.array([(x, y) for y in np.linspace(-800.0, 800.0, 9) for x in np.linspace(-800.0, 800.0, 9)])
SIGMA_NM = 250.0
BRIGHT_CPS, DIM_CPS = 20_000.0, 40.0
END = Done(FinishReason.COMPLETED, "all points taken")


class Endless:
    """The same pass again and again, or the end after so many."""

    n_points = 99

    def __init__(self, positions_nm: NDArray[np.float64], n_passes: int = 99) -> None:
        self._itinerary = Itinerary(positions_nm)
        self._left = list(range(n_passes))

    def next_pass(self, result: object | None) -> Pass | Done:
        if not self._left:
            return END
        return self._itinerary.lay_out(self._left.pop(0), np.ones(len(self._itinerary.positions_nm)))


@dataclass
class Bench:
    """A spot somewhere, and passes over it; noise is seeded."""

    positions_nm: NDArray[np.float64] = field(default_factory=lambda: LINE_NM)
    axes: str = "x"
    limits: Guards = field(default_factory=Guards)
    reach_nm: tuple[float, float] = (-5000.0, 5000.0)
    past_nm: Mapping[int, tuple[float, float]] = field(default_factory=dict)
    is_centred: bool = True
    n_passes: int = 99
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(7))

    def __post_init__(self) -> None:
        self.heard: list[str] = []
        surveyed = Surveyed(
            self.positions_nm, self.axes, (101.0, 101.0), lambda axis: self.reach_nm, self.limits, self.is_centred
        )
        planner = Endless(self.positions_nm, self.n_passes)
        self.spot = FollowedSpot(planner, surveyed, self.heard.append, self.past_nm)

    def measure(self, x_nm: float, y_nm: float = 30.0, peak_cps: float = BRIGHT_CPS) -> Pass:
        """Take the next pass with the spot at a place; positions are read back a nanometre off."""
        points = self.spot.next_pass(None)
        assert not isinstance(points, Done)
        for point in points:
            place_nm = {"x_readback_nm": point.x_nm + 1.0, "y_readback_nm": float("nan")}
            shift_nm = {"x_shift_nm": point.shift_nm[0], "y_shift_nm": point.shift_nm[1]}
            taken = row(0, index=point.index, x_nm=point.x_nm, y_nm=point.y_nm, live_s=1.0, **place_nm, **shift_nm)
            light = peak_cps * np.exp(-((point.x_nm - x_nm) ** 2 + (point.y_nm - y_nm) ** 2) / (2 * SIGMA_NM**2))
            counts = self.rng.poisson([light + 5.0, 0.0]).astype(np.uint32)
            self.spot.on_event(PointDone(taken, counts, 1, 99))
        return points


def test_a_spot_that_stays_near_the_middle_leaves_the_path_alone() -> None:
    bench = Bench()
    passes = [bench.measure(40.0) for _ in range(4)]
    assert all(point.shift_nm == (0.0, 0.0) for points in passes for point in points)
    assert bench.spot.judge().level is Level.OK
    assert not bench.heard
    bench.spot.on_event(Notice("info", "is none of its business"))


def test_the_path_follows_and_every_point_says_by_how_much() -> None:
    bench = Bench()
    first, second, third = (bench.measure(x_nm) for x_nm in (70.0, 150.0, 150.0))
    assert {point.shift_nm for point in first} == {(0.0, 0.0)}
    ((x_nm, y_nm),) = {point.shift_nm for point in second}
    assert x_nm == pytest.approx(71.0, abs=5.0)
    assert y_nm == 0.0
    ((later_nm, _),) = {point.shift_nm for point in third}
    assert later_nm == pytest.approx(151.0, abs=5.0)
    assert sorted(point.x_nm for point in second) == pytest.approx((LINE_NM[:, 0] + x_nm).tolist())
    assert bench.heard[0].startswith("lateral drift: the spot was x +7")
    assert "pass 2 and those after it follow, x +7" in bench.heard[0]
    assert bench.spot.judge().level is Level.OK


def test_a_path_whose_centre_is_given_stays_there_and_follows_the_drift_only() -> None:
    bench = Bench(is_centred=False)
    bench.measure(200.0)
    assert bench.measure(220.0)[0].shift_nm == (0.0, 0.0)
    bench.measure(290.0)
    assert bench.measure(290.0)[0].shift_nm[0] == pytest.approx(90.0, abs=10.0)


def test_a_raster_is_followed_along_both_axes() -> None:
    bench = Bench(positions_nm=RASTER_NM, axes="xy")
    bench.measure(60.0, -80.0)
    ((x_nm, y_nm),) = {point.shift_nm for point in bench.measure(60.0, -80.0)}
    assert (x_nm, y_nm) == (pytest.approx(61.0, abs=5.0), pytest.approx(-80.0, abs=5.0))


def test_short_passes_are_taken_together_until_the_centre_is_known() -> None:
    bench = Bench()
    shifts_nm = [bench.measure(100.0, peak_cps=DIM_CPS)[0].shift_nm[0] for _ in range(30)]
    moved_at = next(number for number, shift_nm in enumerate(shifts_nm) if shift_nm)
    assert moved_at > 1
    assert abs(shifts_nm[moved_at] - 101.0) < 3 * 50.0 / 3


@pytest.mark.parametrize(("action", "level"), [("warn", Level.SUSPECT), ("stop", Level.STOP)])
def test_the_rig_file_may_have_the_points_marked_or_the_run_ended(action: str, level: Level) -> None:
    bench = Bench(limits=Guards.model_validate({"on_drift": action}))
    bench.measure(90.0)
    assert bench.measure(0.0)[0].shift_nm == (0.0, 0.0)
    verdict = bench.spot.judge()
    assert (verdict.level, verdict.flag) == (level, PointFlags.POSITION)
    assert "the spot is x +9" in verdict.reason
    assert "(50 nm allowed)" in verdict.reason
    assert "on_drift: recentre" in verdict.reason
    bench.measure(0.0)
    assert bench.spot.judge().level is Level.OK


def test_a_path_that_cannot_follow_stays_and_its_points_are_marked() -> None:
    bench = Bench(reach_nm=(-850.0, 850.0))
    bench.measure(70.0)
    assert bench.measure(70.0)[0].shift_nm == (0.0, 0.0)
    assert "cannot follow the spot by x +7" in bench.heard[0]
    assert bench.spot.judge().flag is PointFlags.POSITION


def test_a_spot_that_was_there_and_is_gone_is_told() -> None:
    bench = Bench()
    bench.measure(0.0)
    for _ in range(7):
        bench.measure(0.0, peak_cps=0.0)
    assert bench.spot.judge().level is Level.SUSPECT
    assert "show no spot within the path any more" in bench.spot.judge().reason


def test_nothing_is_said_after_the_last_pass() -> None:
    bench = Bench(n_passes=1)
    bench.measure(200.0)
    assert bench.spot.next_pass(None) is END
    assert not bench.heard


def test_an_earlier_part_keeps_the_shifts_that_it_had() -> None:
    bench = Bench(past_nm={0: (0.0, 0.0), 1: (66.0, 0.0)})
    bench.measure(70.0)
    assert bench.measure(66.0)[0].shift_nm == (66.0, 0.0)
    assert not bench.heard
    assert bench.measure(66.0)[0].shift_nm == (66.0, 0.0)


def test_what_ended_a_run_does_not_end_it_again_at_once() -> None:
    stop = Guards(on_drift="stop")
    bench = Bench(limits=stop, past_nm={0: (0.0, 0.0)})
    bench.measure(90.0)
    bench.measure(90.0)
    assert bench.spot.judge().level is Level.SUSPECT
    bench.measure(90.0)
    assert bench.spot.judge().level is Level.STOP
