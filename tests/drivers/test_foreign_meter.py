"""Clients of the power meter that we did not write, pymeasure's and pylablib's, read and set our double."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymeasure.instruments.thorlabs import ThorlabsPM100USB

from simulators.clock import SimClock
from simulators.pm100d import PM100D
from simulators.server import DoubleServer

NOT_THIS_SENSOR = {"energy"}
NOT_OF_THE_METER = {"options"}


@pytest.fixture
def server() -> Iterator[DoubleServer]:
    double = PM100D()
    double.incident_w = lambda: 2e-6
    server = DoubleServer(double, SimClock())
    yield server
    server.close()


@pytest.mark.filterwarnings("ignore:It is not known whether this device support SCPI:FutureWarning")
def test_pymeasure_reads_every_property_of_a_power_sensor(server: DoubleServer) -> None:
    meter = ThorlabsPM100USB(server.visa_address, read_termination="\n", write_termination="\n", timeout=2000)
    kind = type(meter)
    for name in dir(kind):
        if isinstance(getattr(kind, name), property) and name not in NOT_THIS_SENSOR | NOT_OF_THE_METER:
            assert getattr(meter, name) is not None, name
    meter.wavelength = 532.0
    assert meter.wavelength == 532.0
    assert meter.power == pytest.approx(2e-6, rel=0.01)
    assert meter.check_errors() == []
    meter.adapter.close()


def test_pylablib_reads_and_sets_the_meter(server: DoubleServer) -> None:
    thorlabs = pytest.importorskip("pylablib.devices.Thorlabs", reason="a peer of the extra `dev`")
    meter = thorlabs.PM160(("serial", server.url))
    assert meter.get_device_info().name == "PM100D"
    assert meter.get_sensor_info().flags == ("power", "wavelength_set")
    assert meter.get_supported_sensor_modes() == ["power"]
    assert meter.get_power() == pytest.approx(2e-6, rel=0.01)
    assert meter.get_reading(measure=False) == pytest.approx(2e-6, rel=0.01)
    assert meter.set_wavelength(405e-9) == pytest.approx(405e-9)
    assert meter.get_wavelength_range() == pytest.approx((200e-9, 1100e-9))
    assert meter.enable_autorange(False) is False
    assert meter.set_range(1e-6) == pytest.approx(5e-6)
    assert meter.set_range("full") == pytest.approx(50e-3)
    assert meter.get_settings()["mode"] == "power"
    meter.close()


def test_units_and_attenuation_change_what_is_shown(server: DoubleServer) -> None:
    meter = server.double
    assert meter.exchange(b"SENS:POW:UNIT DBM;:SENS:POW:UNIT?\n") == b"DBM\n"
    assert float(meter.exchange(b"READ?\n")) == pytest.approx(-26.99, abs=0.02)
    meter.exchange(b"SENS:POW:UNIT W;:SENS:CORR:LOSS 10\n")
    assert float(meter.exchange(b"MEAS:POW?\n")) == pytest.approx(20e-6, rel=0.01)
    assert meter.exchange(b"*CLS;SENS:POW:UNIT VOLT;*STB?;*ESR?;*ESR?\n") == b"4;16;0\n"
