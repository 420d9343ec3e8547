"""The sample stage on the real driver and its double: closed-loop moves, limits, faults, safe state."""

from __future__ import annotations

import pytest

from tests.rig.conftest import OpenRig
from tplm_daq.errors import DeviceError, LimitError
from tplm_daq.rig.microscope import Rig
from tplm_daq.rig.stage import PiezoStage

MIDDLE_NM = 2_500_000.0


def stage_of(rig: Rig) -> PiezoStage:
    assert isinstance(rig.stage, PiezoStage)
    return rig.stage


def test_all_axes_move_at_once_and_hold_their_places_with_the_loop_open(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    stage, targets_nm = stage_of(rig), (2_600_000.0, 2_400_000.0, 2_510_000.0)
    stage.move_to(*targets_nm)
    assert not stage.has_arrived()
    began_s = rig.clock.now()
    while not stage.has_arrived():
        rig.clock.sleep(0.05)
        assert rig.clock.now() - began_s < 10.0, "100 um at 100 um/s"
    assert stage.position_nm() == pytest.approx(targets_nm, abs=1000 + 6 * 100), "target range and sensor noise"
    assert not any(axis.is_following_target for axis in bench._stage.axes)


def test_a_stage_that_was_sent_nowhere_has_not_arrived(open_simulated: OpenRig) -> None:
    stage = stage_of(open_simulated()[0])
    assert not stage.has_arrived()
    stage.move_to(MIDDLE_NM, MIDDLE_NM, MIDDLE_NM)
    stage.stop()
    assert not stage.has_arrived()


@pytest.mark.parametrize("target_nm", [-1.0, 5_000_001.0, float("nan")])
def test_a_target_beyond_the_limits_moves_no_axis(target_nm: float, open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    stage = stage_of(rig)
    with pytest.raises(LimitError, match=r"stage z: .* nm is outside 0 to 5e\+06 nm. Choose a place further inside"):
        stage.move_to(1e6, 1e6, target_nm)
    rig.clock.sleep(1.0)
    assert [bench._stage.position_nm(axis) for axis in range(3)] == [MIDDLE_NM] * 3


def test_limits_of_the_rig_narrow_the_travel(open_simulated: OpenRig) -> None:
    rig, _ = open_simulated()
    inner = stage_of(rig)
    stage = PiezoStage(inner._link, inner._driver, {"x": (1e6, 4e6)})
    assert [stage.limits_nm(axis) for axis in "xyz"] == [(1e6, 4e6), (0.0, 5e6), (0.0, 5e6)]
    with pytest.raises(LimitError, match=r"stage x: 500000 nm is outside 1e\+06 to 4e\+06 nm"):
        stage.move_to(5e5, 2e6, 2e6)


def test_stopping_ends_a_move_where_it_is(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    stage = stage_of(rig)
    stage.move_to(3.5e6, MIDDLE_NM, MIDDLE_NM)
    rig.clock.sleep(1.0)
    stage.make_safe()
    rig.clock.sleep(5.0)
    assert stage.position_nm()[0] == pytest.approx(MIDDLE_NM + 1e5, abs=1000)
    assert not stage.has_arrived()


def test_steps_go_there_and_back(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    stage = stage_of(rig)
    stage.step("y", is_forward=True)
    rig.clock.sleep(0.1)
    stage.position_nm()
    assert bench._stage.position_nm(1) == MIDDLE_NM + 100
    stage.step("y", is_forward=False)
    rig.clock.sleep(0.1)
    stage.position_nm()
    assert bench._stage.position_nm(1) == MIDDLE_NM


def test_a_sensor_lost_on_the_way_names_the_axis(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    stage = stage_of(rig)
    stage.move_to(3.5e6, MIDDLE_NM, MIDDLE_NM)
    bench._stage.axes[0].is_sensor_lost = True
    with pytest.raises(DeviceError, match=r"stage at TCPIP.*stage axis 0: sensor lost \(status 0x050\d\)"):
        stage.has_arrived()


def test_a_stage_that_fell_silent_is_told(open_simulated: OpenRig) -> None:
    rig, bench = open_simulated()
    stage = stage_of(rig)
    bench.servers["stage"].close()
    with pytest.raises(DeviceError, match="stage at TCPIP.*Check power, the network cable"):
        stage.stop()
