"""The power meter's driver: bytes against a scripted line, and its double over loopback."""

import pytest
from pymeasure.test import expected_protocol

from drivers.pm100d import PM100D, PowerMeterError
from simulators.clock import SimClock
from simulators.pm100d import PM100D as MeterDouble
from simulators.server import DoubleServer

NO_ERROR = ("SYST:ERR?", '+0,"No error"')
IDENTITY = "Thorlabs,PM100D,P0000001,2.8.0"
WAVELENGTHS = [("SENS:CORR:WAV? MIN", "4.0E+02"), ("SENS:CORR:WAV? MAX", "1.1E+03")]
READINGS = {
    "id": ("*IDN?", IDENTITY, IDENTITY),
    "power": ("MEAS:POW?", "1.234000E-06", 1.234e-6),
    "wavelength": ("SENS:CORR:WAV?", "4.050000E+02", 405.0),
    "wavelength_min": ("SENS:CORR:WAV? MIN", "4.0E+02", 400.0),
    "wavelength_max": ("SENS:CORR:WAV? MAX", "1.1E+03", 1100.0),
    "averaging": ("SENS:AVER:COUN?", "100", 100),
    "is_range_automatic": ("SENS:POW:RANG:AUTO?", "1", True),
    "range_w": ("SENS:POW:RANG?", "5.0E-06", 5e-6),
    "zero_w": ("SENS:CORR:COLL:ZERO:MAGN?", "3.0E-11", 3e-11),
    "is_zeroing": ("SENS:CORR:COLL:ZERO:STAT?", "1", True),
}
SETS = {
    "wavelength": (405, [*WAVELENGTHS, ("SENS:CORR:WAV 405", None), ("SENS:CORR:WAV?", "4.05E+02"), NO_ERROR]),
    "averaging": (100, [("SENS:AVER:COUN 100", None), ("SENS:AVER:COUN?", "100"), NO_ERROR]),
    "is_range_automatic": (True, [("SENS:POW:RANG:AUTO 1", None), ("SENS:POW:RANG:AUTO?", "1"), NO_ERROR]),
    "range_w": (2e-6, [("SENS:POW:RANG 2e-06", None), ("SENS:POW:RANG?", "5.0E-06"), NO_ERROR]),
}


@pytest.fixture
def double():
    return MeterDouble()


@pytest.fixture
def meter(double):
    server = DoubleServer(double, SimClock())
    driver = PM100D(server.visa_address, timeout=300)
    yield driver
    driver.adapter.close()
    server.close()


def test_opening_says_nothing_and_warns_of_nothing():
    with expected_protocol(PM100D, []):
        pass


@pytest.mark.parametrize("name, exchange", READINGS.items(), ids=READINGS)
def test_a_reading(name, exchange):
    sent, reply, value = exchange
    with expected_protocol(PM100D, [(sent, reply)]) as meter:
        assert getattr(meter, name) == value


@pytest.mark.parametrize("name, exchange", SETS.items(), ids=SETS)
def test_a_setting_is_read_back_and_errors_are_asked_for(name, exchange):
    value, pairs = exchange
    with expected_protocol(PM100D, pairs) as meter:
        setattr(meter, name, value)


def test_zeroing_is_begun_and_ended_by_order():
    with expected_protocol(PM100D, [("SENS:CORR:COLL:ZERO:INIT", None), NO_ERROR]) as meter:
        meter.start_zeroing()
    with expected_protocol(PM100D, [("SENS:CORR:COLL:ZERO:ABOR", None), NO_ERROR]) as meter:
        meter.stop_zeroing()


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("averaging", 0, "averaging 0 is outside 1 to 3000 readings"),
        ("averaging", float("nan"), "averaging nan is outside"),
        ("range_w", 0.0, "range 0 W must be above 0"),
        ("range_w", float("nan"), "range nan W must be above 0"),
    ],
)
def test_what_is_out_of_range_is_not_sent(name, value, message):
    with expected_protocol(PM100D, []) as meter, pytest.raises(ValueError, match=message):
        setattr(meter, name, value)


def test_a_wavelength_that_the_sensor_lacks_is_refused_and_not_clipped():
    with (
        expected_protocol(PM100D, WAVELENGTHS) as meter,
        pytest.raises(ValueError, match="wavelength 350 is outside 400 to 1100 nm"),
    ):
        meter.wavelength = 350


@pytest.mark.parametrize(
    "pairs, message",
    [
        (
            [("SENS:AVER:COUN 5", None), ("SENS:AVER:COUN?", "1"), NO_ERROR],
            "shows 'SENS:AVER:COUN' = 1 after 5 was sent",
        ),
        (
            [("SENS:AVER:COUN 5", None), ("SENS:AVER:COUN?", "5"), ("SYST:ERR?", '-222,"Data out of range"')],
            "reported -222,.*after 'SENS:AVER:COUN 5'",
        ),
    ],
    ids=["another value", "an error"],
)
def test_a_setting_that_is_not_taken_is_an_error(pairs, message):
    with expected_protocol(PM100D, pairs) as meter, pytest.raises(PowerMeterError, match=message):
        meter.averaging = 5


def test_a_range_smaller_than_asked_for_is_an_error():
    pairs = [("SENS:POW:RANG 2e-06", None), ("SENS:POW:RANG?", "5.0E-07"), NO_ERROR]
    with (
        expected_protocol(PM100D, pairs) as meter,
        pytest.raises(PowerMeterError, match="shows a range of 5e-07 W after 2e-06 W was sent"),
    ):
        meter.range_w = 2e-6


def test_a_power_beyond_the_range_is_an_error_and_not_a_number():
    with (
        expected_protocol(PM100D, [("MEAS:POW?", "9.9E+37")]) as meter,
        pytest.raises(PowerMeterError, match="beyond its range; choose a larger one or the automatic one"),
    ):
        _ = meter.power


def test_a_reply_that_is_no_number_is_out_of_step():
    with (
        expected_protocol(PM100D, [("MEAS:POW?", IDENTITY)] * 2) as meter,
        pytest.raises(ConnectionError, match="where a number belongs; replies are out of step"),
    ):
        _ = meter.power


def test_identification_learns_the_sensor(meter):
    assert meter.identify() == f"{IDENTITY}, S130VC"
    assert (meter.sensor_name, meter.is_power_sensor, meter.is_energy_sensor) == ("S130VC", True, False)


def test_a_missing_sensor_is_named(meter, double):
    double.has_sensor = False
    with pytest.raises(PowerMeterError, match="power meter knows no sensor .*; connect one"):
        meter.identify()


def test_a_sensor_for_energy_is_refused():
    pairs = [("*CLS", None), ("*IDN?", IDENTITY), ("SYST:SENSOR:IDN?", "ES111C,1,2,3,4,2")]
    with (
        expected_protocol(PM100D, pairs) as meter,
        pytest.raises(PowerMeterError, match="ES111C is not a sensor for power"),
    ):
        meter.identify()


def test_another_box_is_named():
    with (
        expected_protocol(PM100D, [("*CLS", None), ("*IDN?", "LSCI,MODEL335,1,1")]) as meter,
        pytest.raises(ConnectionError, match="'LSCI,MODEL335,1,1' answered, not a PM100"),
    ):
        meter.identify()


def test_a_silent_meter_is_a_timeout(meter, double, monkeypatch):
    monkeypatch.setattr(double, "answer", lambda frame: b"")
    with pytest.raises(TimeoutError, match="power meter did not answer in time; check its USB cable"):
        _ = meter.power


def test_the_double_is_zeroed_and_read(meter, double):
    meter.averaging = 100
    meter.start_zeroing()
    assert meter.is_zeroing
    double.process(2.0)
    assert not meter.is_zeroing
    double.incident_w = lambda: 1e-8
    assert meter.power == pytest.approx(1e-8, rel=1e-3)
    meter.range_w = 5e-9
    assert (meter.range_w, meter.is_range_automatic) == (5e-9, False)
    with pytest.raises(PowerMeterError, match="beyond its range"):
        _ = meter.power
