"""What keeps a sample and a cryostat whole: one test or more for each rule of using a Lake Shore 335."""

from math import isnan

import pytest
from pymeasure.test import expected_protocol

from drivers.lakeshore335 import LakeShore335
from drivers.lakeshore335_codec import POLL_MESSAGE, HeaterStatus, LakeShoreError, Mode
from simulators.clock import SimClock
from simulators.lakeshore335 import LakeShore335 as LakeShoreDouble
from simulators.server import DoubleServer

IDLE_REPLY = (
    "000;+300.012;000;1,0,0,0,1;+0320;+300.004;000;1,0,0,0,1;+0000;"
    "1,1,0;+300.000;0,000.0;0;0;+000.0;0;"
    "0,0,0;+000.000;0,000.0;0;0;+000.0;0"
)


@pytest.fixture
def double():
    return LakeShoreDouble()


@pytest.fixture
def controller(double):
    server = DoubleServer(double, SimClock())
    driver = LakeShore335(server.visa_address, timeout=300)
    driver.identify()
    yield driver
    driver.adapter.close()
    server.close()


@pytest.fixture
def protected(controller):
    """A controller whose control input has an over-temperature limit."""
    controller.input_A.limit_k = 320.0
    return controller


def test_mode_and_units_are_read_before_ramp_and_setpoint_and_the_range_comes_last():
    ramping = IDLE_REPLY.replace("0,000.0;0;0", "1,005.0;1;0", 1)
    exchanges = [
        (POLL_MESSAGE, IDLE_REPLY),
        ("RAMP 1,0,5;SETP 1,300.0120;RAMP 1,1,5;SETP 1,290.0000;*ESR?;SETP? 1", "000;+300.012"),
        (POLL_MESSAGE, ramping),
        (POLL_MESSAGE, ramping),
        ("RANGE 1,1;*ESR?;RANGE? 1", "000;1"),
    ]
    with expected_protocol(LakeShore335, exchanges) as box:
        box.output_1.ramp_to(290.0, 5.0)
        box.output_1.heater_range = "low"


def test_switching_off_sends_the_ranges_first_and_asks_nothing_before():
    with expected_protocol(LakeShore335, [("RANGE 1,0;RANGE 2,0;RANGE? 1;RANGE? 2", "0;0")]) as box:
        box.shutdown("off")


@pytest.mark.parametrize("units", ["celsius", "sensor"])
def test_kelvins_are_not_sent_to_a_loop_that_takes_something_else(protected, double, units):
    protected.heaters_off()
    protected.input_A.units = units
    with pytest.raises(ValueError, match=f"output 1 works on {units}, .*set the input's `units` to kelvin"):
        protected.output_1.ramp_to(77.0, 5.0)
    assert isnan(protected.output_1.setpoint)
    protected.input_A.units = "kelvin"
    protected.output_1.ramp_to(290.0, 5.0)


def test_units_do_not_change_under_a_heater_that_is_on(protected, double):
    with pytest.raises(ValueError, match="units change only with both heaters off"):
        protected.input_A.units = "celsius"
    assert double.exchange(b"INTYPE? A\n") == b"1,0,0,0,1\r\n"


def test_nothing_heats_without_an_over_temperature_limit_in_the_box(controller, double):
    with pytest.raises(ValueError, match="input A has no over-temperature limit; set its limit_k before heating"):
        controller.output_1.ramp_to(290.0, 5.0)
    controller.heaters_off()
    with pytest.raises(ValueError, match="input A has no over-temperature limit"):
        controller.output_1.heater_range = "low"
    controller.input_A.limit_k = 320.0
    controller.output_1.heater_range = "medium"
    assert double.exchange(b"RANGE? 1\n") == b"2\r\n"


def test_the_programs_limits_do_not_depend_on_the_box(protected):
    for write in (
        lambda: protected.output_1.ramp_to(310.1, 5.0),
        lambda: protected.output_1.ramp_to(300.0, 10.1),
        lambda: setattr(protected.output_1, "range", "high"),
    ):
        with pytest.raises(ValueError, match=r"310|10 K/min|not one of off, low, medium"):
            write()


@pytest.mark.parametrize("is_setpoint_moving", [True, False])
def test_a_ramp_begins_at_the_present_temperature(protected, double, is_setpoint_moving):
    double.is_setpoint_moving = is_setpoint_moving
    double.exchange(b"RANGE 1,0;SETP 1,100\n")
    double.process(60.0)
    present_k = double.platform.nodes_k()[0]
    protected.output_1.ramp_to(290.0, 5.0)
    assert double.platform.moving_setpoint(1) == pytest.approx(present_k, abs=0.05)


def test_a_curve_that_the_box_drops_silently_is_noticed():
    with (
        expected_protocol(LakeShore335, [("INCRV A,21;*ESR?;INCRV? A", "000;00")]) as box,
        pytest.raises(LakeShoreError, match="shows 0 after 'INCRV A,21', expected 21"),
    ):
        box.input_A.curve = 21


def test_a_heater_fault_is_kept_though_reading_it_clears_it_in_the_box(protected, double):
    double.break_heater(1, heater_error=2)
    assert protected.poll().outputs[1].heater_fault is HeaterStatus.SHORT
    assert double.exchange(b"HTRST? 1\n") == b"0\r\n"
    assert protected.output_1.heater_fault is HeaterStatus.SHORT
    with pytest.raises(ValueError, match="reported SHORT; look at the heater"):
        protected.output_1.range = "low"


def test_an_output_that_would_restart_after_a_power_failure_is_not_switched_on(protected, double):
    double.exchange(b"RANGE 1,0;OUTMODE 1,1,1,1\n")
    with pytest.raises(ValueError, match="output 1 would come back on by itself after a power failure; assign it"):
        protected.output_1.heater_range = "low"
    protected.output_1.assign(Mode.CLOSED_LOOP, "A")
    protected.output_1.heater_range = "low"
    assert double.exchange(b"OUTMODE? 1\n") == b"1,1,0\r\n"


def test_a_power_failure_is_told_until_somebody_identifies_the_box_again(protected, double):
    double.lose_power()
    with pytest.raises(LakeShoreError, match="has been switched off and on: its heaters are off"):
        protected.poll()
    with pytest.raises(LakeShoreError, match="Check them, then identify it again"):
        protected.output_1.mout = 5.0
    protected.heaters_off()
    protected.identify()
    assert protected.output_1.state.heater_range == "off"


def test_a_power_failure_shows_even_if_a_set_is_the_first_to_see_it(protected, double):
    double.lose_power()
    with pytest.raises(LakeShoreError, match="has been switched off and on"):
        protected.output_1.mout = 5.0
    with pytest.raises(LakeShoreError, match="has been switched off and on"):
        protected.poll()


def test_a_stuck_ramp_goes_on_being_a_ramp(protected, double):
    protected.output_1.ramp_to(290.0, 5.0)
    double.process(30.0)
    double.stick_ramp(1)
    double.process(3600.0)
    state = protected.output_1.state
    assert state.is_ramping
    assert state.setpoint_k == pytest.approx(297.5, abs=0.05)
    double.stick_ramp(1, is_stuck=False)
    double.process(120.0)
    assert protected.output_1.setpoint == 290.0
