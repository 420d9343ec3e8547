"""A served bench: the far function table, the hands, the device files, real time, and guests who misbehave."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import struct
import threading
from collections.abc import Iterator
from ctypes import byref, c_double, c_int, c_uint, create_string_buffer
from functools import partial
from typing import Any

import numpy as np
import pytest

from drivers.gate import LightGateLine
from drivers.picoharp300.codes import PicoHarpError
from drivers.picoharp300.device import PicoHarp300
from drivers.picoquant.counter import Mode
from drivers.timeharp260.device import TimeHarp260
from simulators.bench import AxisPlace, BenchSettings
from simulators.picoharp300.face import PHLIB
from simulators.serving.bench import ServedBench
from simulators.serving.far import FarBench
from simulators.serving.pty_port import HAS_PTYS
from simulators.serving.real_time import RealTime
from simulators.timeharp260.device import NANO, PICO, Kind
from simulators.timeharp260.face import TH260LIB
from simulators.timeharp260.table import TimeHarpTable
from tplm_daq.photons.records import RecordFormat, TagStream

STATUS_REQUEST = bytes.fromhex("2904 0100 5001")
STATUS_SIZE = 12


@contextlib.contextmanager
def serving(**settings: Any) -> Iterator[ServedBench]:
    on_the_spot = {"x": AxisPlace(centre_mm=0.0), "y": AxisPlace(centre_mm=0.0)}
    bench = ServedBench(BenchSettings(is_homed=True, axes=on_the_spot, **settings))
    yield bench
    bench.close()


@pytest.fixture
def served() -> Iterator[ServedBench]:
    with serving() as bench:
        yield bench


@pytest.fixture
def far(served: ServedBench) -> Iterator[FarBench]:
    bench = FarBench(served.address, PHLIB)
    bench.connect()
    yield bench
    bench.close()


def let_there_be_light(served: ServedBench) -> None:
    """Set the laser to 10 nW from its internal oscillator of 2.5 MHz and open its gate."""
    with served.bench.lock:
        served.bench.laser.set_average_power(10.0, 2.5e6)
        served.bench.laser.turn("trigger_source", "internal")
    gate = LightGateLine(served.places["gate"].address, "gate", open_v=5.0, closed_v=0.0, visa_library="@py")
    gate.is_open = False
    gate.is_open = True
    gate.adapter.close()


def port_of(address: str) -> tuple[str, int]:
    host, port = address.rsplit("//", 1)[1].split(":")
    return host, int(port)


def answers(counter: PicoHarp300) -> bool:
    counter.open()
    counter.initialise()
    counter.close()
    return True


def test_the_real_driver_counts_photons_over_the_socket(served: ServedBench, far: FarBench) -> None:
    let_there_be_light(served)
    counter = PicoHarp300(far.library)
    counter.open()
    counter.initialise()
    counter.arm(0.05)
    waiting = threading.Event()
    while not counter.is_done:
        waiting.wait(0.01)
    counts = counter.read_counts()
    assert 300 < counts.sum() < 1500  # 20 kcps on the spot's centre, which lies up to 113 nm away
    assert counter.elapsed_s == pytest.approx(0.05)
    assert served.bench.counter.answer("PH_GetHistogram", (0, 0))[1] == (counts.astype(np.uint32).tobytes(),)


@pytest.mark.parametrize("mode", [Mode.HISTOGRAM, Mode.T3])
@pytest.mark.parametrize("kind", [PICO, NANO], ids=["PICO", "NANO"])
def test_a_timeharp_counts_photons_over_the_socket(kind: Kind, mode: Mode) -> None:
    with serving(counter=partial(TimeHarpTable, kind=kind)) as served:
        let_there_be_light(served)
        far = FarBench(served.address, TH260LIB)
        far.connect()
        counter, stream = TimeHarp260(far.library), TagStream(RecordFormat.GENERIC_T3)
        counter.open()
        counter.initialise(mode)
        counter.arm(0.05)
        waiting, n_photons = threading.Event(), 0
        while not counter.is_done:
            waiting.wait(0.01)
        if mode is Mode.T3:
            n_photons = len(stream.decode(counter.read_words())[0].delay_bin)
        else:
            n_photons = int(counter.read_counts().sum())
            assert served.bench.counter.device.histogram(0, 0).sum() == n_photons  # type: ignore[attr-defined]
        far.close()
    assert 300 < n_photons < 1500
    assert (counter.serial, counter.is_pico) == ("1001234", kind is PICO)


def test_another_counter_than_the_one_that_is_served_is_refused(served: ServedBench) -> None:
    bench = FarBench(served.address, TH260LIB)
    with pytest.raises(ConnectionError, match=r"has the library phlib, and th260lib is looked for\. Write the"):
        bench.connect()
    with pytest.raises(ConnectionError, match="not connected"):
        bench.truth(1.0, 1.0)


def test_numbers_cross_without_losing_a_bit(served: ServedBench, far: FarBench, monkeypatch: Any) -> None:
    monkeypatch.setattr(served.bench.counter.device, "resolution", lambda: 0.1 + 0.2)
    serial, value = create_string_buffer(8), c_double()
    library: Any = far.library
    assert library["PH_OpenDevice"](0, serial) == 0
    assert library["PH_Initialize"](0, 0) == 0
    assert library["PH_GetResolution"](0, byref(value)) == 0
    assert (serial.value, value.value) == (b"1000123", 0.1 + 0.2)


def test_a_refusal_crosses_as_its_code_and_writes_nothing(far: FarBench) -> None:
    library: Any = far.library
    counts = (c_uint * 65536)(7)
    assert library["PH_GetHistogram"](0, counts, 0) == -10
    assert counts[0] == 7
    assert library["PH_GetFlags"](0, None) == -17


def test_the_counter_belongs_to_the_program_that_opened_it(served: ServedBench, far: FarBench) -> None:
    first = PicoHarp300(far.library)
    first.open()
    other = FarBench(served.address, PHLIB)
    other.connect()
    with pytest.raises(ConnectionError, match=r"DEVICE_LOCKED.*Another program holds"):
        PicoHarp300(other.library).open()
    value = c_int()
    library: Any = other.library
    assert library["PH_GetFlags"](0, byref(value)) == -10
    first.close()
    assert answers(PicoHarp300(other.library))
    other.close()


def test_a_program_that_ends_without_closing_sets_the_counter_free(served: ServedBench, far: FarBench) -> None:
    gone = FarBench(served.address, PHLIB)
    gone.connect()
    PicoHarp300(gone.library).open()
    gone.close()
    counter, waiting = PicoHarp300(far.library), threading.Event()
    for _ in range(100):  # the host hears of it a moment later
        with contextlib.suppress(ConnectionError):
            counter.open()
            break
        waiting.wait(0.01)
    assert counter.serial == "1000123"


def test_the_hands_turn_the_lasers_knobs(served: ServedBench, far: FarBench) -> None:
    far.set_by_hand("set it", {"average_power_nw": 3.0, "repetition_rate_hz": 2.5e6})
    assert served.bench.laser.pulse_energy_fj * 2.5 == pytest.approx(3.0)
    with pytest.raises(ValueError, match="does not know how to: dance"):
        far.set_by_hand("dance", {})


def test_the_truth_can_be_asked_for(served: ServedBench, far: FarBench) -> None:
    truth = served.bench.truth(10.0, 2.5e6)
    assert far.truth(10.0, 2.5e6) == {**truth, "centre_nm": list(truth["centre_nm"])}  # type: ignore[call-overload]


def test_a_bench_that_went_away_is_named_in_the_drivers_error(served: ServedBench, far: FarBench) -> None:
    counter = PicoHarp300(far.library)
    counter.open()
    counter.initialise()
    served.close()
    with pytest.raises(PicoHarpError, match=r"HARDWARE_F01.*the bench at bench://127.0.0.1:\d+ does not answer"):
        _ = counter.rates
    with pytest.raises(ConnectionError, match="not connected to the bench"):
        far.truth(1.0, 1.0)


def test_where_nothing_is_served_the_message_says_what_to_start(served: ServedBench) -> None:
    served.close()
    for address in (served.address, "bench://127.0.0.1:99999"):
        with pytest.raises(ConnectionError, match=r"no bench is served at .* Start `tplm serve`"):
            FarBench(address, PHLIB).connect()


GARBAGE = {
    "noise": random.Random(3).randbytes(4096),
    "an endless message": struct.pack(">II", 2**31, 0),
    "no object": struct.pack(">II", 2, 0) + b"[]",
    "deep nesting": struct.pack(">II", 60000, 0) + b"[" * 60000,
    "no call": struct.pack(">II", 2, 0) + b"{}",
    "a call without numbers": struct.pack(">II", 24, 0) + b'{"call": "PH_StartMeas"}',
    "a number beyond 32 bits": struct.pack(">II", 51, 0) + b'{"call": "PH_StartMeas", "numbers": [0, 2147483648]}',
    "half a message": struct.pack(">II", 100, 0) + b"{",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_the_bench_disconnects_who_talks_nonsense_and_serves_on(name: str, served: ServedBench, far: FarBench) -> None:
    with socket.create_connection(port_of(served.address), 5.0) as guest:
        with contextlib.suppress(OSError):  # it may be cut off before it has finished
            guest.sendall(GARBAGE[name])
            guest.shutdown(socket.SHUT_WR)
        with contextlib.suppress(ConnectionError):
            assert guest.recv(100) == b""
    assert answers(PicoHarp300(far.library))


def test_no_double_is_upset_by_noise(served: ServedBench) -> None:
    noise = random.Random(5).randbytes(100_000)
    for place in served.places.values():
        with socket.create_connection(port_of(place.url), 5.0) as guest:
            guest.sendall(noise)
    with socket.create_connection(port_of(served.places["detector_x"].url), 5.0) as client:
        client.sendall(STATUS_REQUEST)
        assert client.recv(STATUS_SIZE)[:2] == b"\x2a\x04"
    for role in ("trigger", "gate", "thermostat"):
        with socket.create_connection(port_of(served.places[role].url), 5.0) as client:
            client.sendall(b"*IDN?\n")
            assert client.recv(200).count(b",") == 3


def test_a_client_that_never_reads_holds_up_nobody(served: ServedBench) -> None:
    with socket.create_connection(port_of(served.places["trigger"].url), 5.0) as glutton:
        glutton.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for _ in range(2000):
                glutton.send(b"*IDN?\n" * 1000)
        with socket.create_connection(port_of(served.places["trigger"].url), 5.0) as client:
            client.sendall(b"*IDN?\n")
            assert client.recv(200)


@pytest.mark.skipif(not HAS_PTYS, reason="this system has no pseudo-terminals")
def test_the_device_file_leads_to_the_same_double(served: ServedBench) -> None:
    path = served.places["detector_x"].pty
    assert path is not None
    for _ in range(2):  # a program may leave and another one come
        file = os.open(path, os.O_RDWR | os.O_NOCTTY)
        os.write(file, STATUS_REQUEST)
        reply = b""
        while len(reply) < STATUS_SIZE:
            reply += os.read(file, STATUS_SIZE - len(reply))
        os.close(file)
        assert reply[:2] == b"\x2a\x04"
    assert served.places["trigger"].pty is None


@pytest.mark.skipif(not HAS_PTYS, reason="this system has no pseudo-terminals")
def test_bytes_cross_the_device_file_unchanged(served: ServedBench) -> None:
    """Carriage return, Ctrl-C, Ctrl-D and the like mean nothing on a raw line: a setting with them comes back whole."""
    path = served.places["detector_y"].pty
    assert path is not None
    data = bytes.fromhex("0100 03040d0a 11131a7f 1c041504")
    file = os.open(path, os.O_RDWR | os.O_NOCTTY)
    os.write(file, bytes.fromhex("1304 0e00 d001") + data + bytes.fromhex("1404 0100 5001"))
    reply = b""
    while len(reply) < 20:
        reply += os.read(file, 20 - len(reply))
    os.close(file)
    assert reply[6:] == data


def test_time_stands_still_while_the_lock_is_held_and_goes_on_after() -> None:
    clock = RealTime()
    with clock:
        begin_ns = clock.now_ns()
        with clock:
            threading.Event().wait(0.01)
        assert clock.now_ns() == begin_ns
    assert clock.now_ns() >= begin_ns + 10_000_000
