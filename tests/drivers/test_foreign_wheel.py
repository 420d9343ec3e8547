"""A filter wheel's client that we did not write, pylablib's, turns our double."""

from __future__ import annotations

import pytest

from simulators.clock import SimClock
from simulators.fw102c import FW102C
from simulators.server import DoubleServer

thorlabs = pytest.importorskip("pylablib.devices.Thorlabs", reason="a peer of the extra `dev`")


def test_pylablib_identifies_turns_and_sets_our_wheel() -> None:
    double = FW102C()
    server = DoubleServer(double, SimClock())
    wheel = thorlabs.FW(("serial", server.url))
    try:
        assert wheel.get_pcount() == 6
        assert "FW102C" in wheel.get_id()
        wheel.set_position(3)
        double.process(5.0)
        assert wheel.get_position() == 3
        wheel.set_speed_mode("low")
        assert wheel.get_speed_mode() == "low"
        wheel.set_sensor_mode("on")
        assert wheel.get_sensor_mode() == "on"
    finally:
        wheel.close()
        server.close()
