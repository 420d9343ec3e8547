"""Byte-level behaviour of the power meter's double."""

import numpy as np
import pytest
from pymeasure.instruments.thorlabs import ThorlabsPM100USB

from simulators.clock import SimClock
from simulators.pm100d import OFFSET_W, PM100D
from simulators.server import DoubleServer


@pytest.fixture
def meter():
    double = PM100D()
    double.incident_w = lambda: 1e-6
    return double


EXCHANGES = {
    "identification": (b"*IDN?\n", b"Thorlabs,PM100D,P0000001,2.8.0\n"),
    "sensor": (b"SYST:SENSOR:IDN?\n", b"S130VC,1000001,01-Jan-2026,1,18,33\n"),
    "wavelength": (b"SENS:CORR:WAV 405;:SENS:CORR:WAV?\n", b"4.050000E+02\n"),
    "long form": (b"sense:correction:wavelength?\n", b"6.350000E+02\n"),
    "limits": (b"SENS:CORR:WAV? MIN;:SENS:CORR:WAV? MAX\n", b"2.000000E+02;1.100000E+03\n"),
    "the next larger range": (
        b"SENS:POW:RANG 2e-6;:SENS:POW:RANG?;:SENS:POW:RANG:AUTO?\n",
        b"5.000000E-06;0\n",
    ),
    "no error": (b"SYST:ERR?\n", b'+0,"No error"\n'),
    "unknown": (b"TEA 3;:SYST:ERR?;:SYST:ERR?\n", b'-113,"Undefined header";+0,"No error"\n'),
    "unknown query": (b"SENS:CORR:COLL:ZERO:ABOR?;:SYST:ERR?\n", b'-113,"Undefined header"\n'),
    "out of range": (b"SENS:AVER:COUN 0;:SYST:ERR?;:SENS:AVER:COUN?\n", b'-222,"Data out of range";1\n'),
    "no number": (b"SENS:AVER:COUN x;:SYST:ERR?\n", b'-104,"Data type error"\n'),
    "clear": (b"TEA 3;*CLS;:SYST:ERR?\n", b'+0,"No error"\n'),
}


@pytest.mark.parametrize("sent, expected", EXCHANGES.values(), ids=EXCHANGES.keys())
def test_reply(meter, sent, expected):
    assert meter.exchange(sent) == expected


def test_the_power_is_that_of_the_moment_with_noise_that_averaging_lowers(meter):
    def spread(n_averaged):
        meter.exchange(b"SENS:AVER:COUN %d\n" % n_averaged)
        return np.std([float(meter.exchange(b"MEAS:POW?\n")) for _ in range(200)])

    assert float(meter.exchange(b"MEAS:POW?\n")) == pytest.approx(1e-6, rel=5e-3)
    assert spread(100) < spread(1) / 5
    meter.incident_w = lambda: 2e-6
    assert float(meter.exchange(b"MEAS:POW?\n")) == pytest.approx(2e-6, rel=5e-3)


def test_a_power_beyond_a_fixed_range_is_infinite(meter):
    meter.exchange(b"SENS:POW:RANG 1e-7\n")
    assert meter.exchange(b"MEAS:POW?\n") == b"9.900000E+37\n"


def test_zeroing_takes_its_time_and_subtracts_what_it_saw(meter):
    meter.incident_w = lambda: 0.0
    meter.exchange(b"SENS:CORR:COLL:ZERO:INIT\n")
    assert meter.exchange(b"SENS:CORR:COLL:ZERO:STAT?\n") == b"1\n"
    meter.process(2.0)
    assert meter.exchange(b"SENS:CORR:COLL:ZERO:STAT?\n") == b"0\n"
    assert float(meter.exchange(b"SENS:CORR:COLL:ZERO:MAGN?\n")) == OFFSET_W
    assert abs(float(meter.exchange(b"MEAS:POW?\n"))) < OFFSET_W / 2


def test_pymeasures_own_class_reads_it(meter):
    server = DoubleServer(meter, SimClock())
    with pytest.warns(FutureWarning, match="SCPI"):
        client = ThorlabsPM100USB(server.visa_address, read_termination="\n", write_termination="\n", timeout=500)
    client.wavelength = 405
    assert (client.sensor_name, client.wavelength) == ("S130VC", 405.0)
    assert client.power == pytest.approx(1e-6, rel=5e-3)
    client.adapter.close()
    server.close()
