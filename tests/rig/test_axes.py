"""Sample-plane nanometres and actuator millimetres, travel limits, and moves on the doubles."""

from __future__ import annotations

import pytest

from tests.rig.conftest import OpenRig
from tplm_daq.errors import DeviceError, LimitError
from tplm_daq.recipes.devices import ActuatorDevice
from tplm_daq.rig.axes import Axis
from tplm_daq.rig.links import Link


def axis(direction: int, magnification: float = 495.0) -> Axis:
    device = ActuatorDevice.model_validate({"model": "kst101", "address": "x", "direction": direction})
    return Axis(Link("detector_x", "x", ""), None, device, magnification)  # type: ignore[arg-type]


@pytest.mark.parametrize("direction", [1, -1])
def test_conversion_there_and_back(direction: int) -> None:
    one = axis(direction)
    assert one.to_mm(0.0) == 12.5
    assert one.to_mm(1000.0) == pytest.approx(12.5 + direction * 0.495)
    for x_nm in (-1234.5, 0.0, 987.6):
        assert one.to_nm(one.to_mm(x_nm)) == pytest.approx(x_nm, abs=1e-6)


def test_a_target_beyond_the_travel_names_the_reachable_range(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    before = rig.detector.position()
    with pytest.raises(LimitError, match=r"detector_x: 30000 nm.*outside -24242.4 to 24242.4 nm.*Choose a smaller"):
        rig.detector.move_to(30_000.0, 0.0)
    rig.clock.sleep(2.0)
    assert rig.detector.position() == before


def test_both_axes_move_at_once_and_read_back_where_they_are(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    rig.detector.move_to(1000.0, -500.0)
    began_s = rig.clock.now()
    assert not rig.detector.has_arrived()
    while not rig.detector.has_arrived():
        rig.clock.sleep(0.05)
    assert rig.clock.now() - began_s < 12.0  # one after the other would take 20 s
    position = rig.detector.position()
    assert position.x_nm == pytest.approx(1000.0, abs=0.01)
    assert position.y_nm == pytest.approx(-500.0, abs=0.01)
    assert position.x_actuator_mm == pytest.approx(12.995, abs=1e-6)
    assert bench._axes["x"].position_mm == pytest.approx(12.995, abs=5e-4)  # where the spindle really is


@pytest.mark.parametrize("step_nm", [50.0, -50.0, 400.0])
def test_the_travel_time_estimate_holds(step_nm: float, open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    rig.detector.move_to(0.0, 0.0)
    while not rig.detector.has_arrived():
        rig.clock.sleep(0.1)
    expected_s = rig.detector.travel_time_s(step_nm, 0.0)
    rig.detector.move_to(step_nm, 0.0)
    began_s = rig.clock.now()
    while not rig.detector.has_arrived():
        rig.clock.sleep(0.005)
    assert rig.clock.now() - began_s == pytest.approx(expected_s, abs=0.03)


def test_an_axis_that_was_never_homed_refuses_to_move(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated("simulation.is_homed=false")
    assert not rig.detector.is_homed()
    with pytest.raises(DeviceError, match="not homed"):
        rig.detector.move_to(0.0, 0.0)


def test_an_axis_that_was_moved_after_it_had_arrived_is_named(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    rig.detector.move_to(1000.0, -500.0)
    assert rig.detector.stragglers() == "detector_x and detector_y"
    while not rig.detector.has_arrived():
        rig.clock.sleep(0.05)
    bench._axes["y"].cut_power()
    with pytest.raises(DeviceError, match=r"detector_y .* had arrived at 12.2525 mm and now says 0.0000 mm .*homed"):
        rig.detector.position()
    assert not rig.detector.is_homed()
    rig.detector.make_safe()
    assert rig.detector.stragglers() == "detector_y"


def test_a_reference_run_takes_both_axes_to_where_moves_begin(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated("simulation.is_homed=false")
    rig.detector.home()
    began_s = rig.clock.now()
    assert rig.detector.stragglers() == "detector_x and detector_y"
    while not rig.detector.is_homed():
        rig.clock.sleep(0.5)
        assert rig.clock.now() - began_s < 120.0
    assert [axis.position_mm for axis in bench._axes.values()] == pytest.approx([0.0, 0.0], abs=1e-3)
    expected_s = rig.detector.travel_time_s(0.0, 0.0)
    began_s = rig.clock.now()
    rig.detector.move_to(0.0, 0.0)
    while not rig.detector.has_arrived():
        rig.clock.sleep(0.01)
    assert rig.clock.now() - began_s == pytest.approx(expected_s, rel=0.02)


def test_the_reach_of_each_axis_is_that_of_its_travel(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated("devices.detector_y.lowest=12 mm", "devices.detector_y.centre=12.5 mm")
    assert rig.detector.limits_nm("y")[0] == pytest.approx(-0.5e6 / rig.detector._axes["y"].magnification)
    assert rig.detector.limits_nm("x")[0] < 10 * rig.detector.limits_nm("y")[0]
