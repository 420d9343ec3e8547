"""Faults by name: when they strike, what they do to messages and to doubles, and which are refused."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from typing import get_args

import pytest

from simulators import faults
from simulators.bench import Bench, BenchSettings
from simulators.clock import SimClock
from simulators.faults import DEVICE_FAULTS, LINE_FAULTS, Conversation, Fault, Line
from simulators.kst101 import KST101
from tplm_daq.errors import InputError
from tplm_daq.recipes.devices import Devices
from tplm_daq.recipes.faults import FaultName, FaultyDevice
from tplm_daq.rig.simulated import start_doubles
from tplm_daq.workflow.load import load_rig


class Echo:
    """A box that answers each message with itself, and remembers what it has heard."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []

    def answer(self, frame: bytes) -> bytes:
        self.heard.append(frame)
        return frame + b"\n"


def carried(fault: Fault, n_messages: int = 3) -> tuple[list[bytes], list[bytes]]:
    """Send messages 1111, 2222, … through a line with a fault; return the replies and what the box has heard."""
    line, box, conversation = Line(), Echo(), Conversation()
    line.plan(fault)
    frames = [str(n).encode() * 4 for n in range(1, n_messages + 1)]
    return [line.carry(frame, box.answer, conversation, 0) for frame in frames], box.heard


@pytest.mark.parametrize(
    ("name", "reply", "is_heard"),
    [
        (faults.SILENCE, b"", False),
        (faults.LATE_REPLY, b"", True),
        (faults.GARBLED_FRAME, b"gggg\n", True),
        (faults.TRUNCATED_FRAME, b"22", True),
        (faults.STALE_REPLY, b"2222\n2222\n", True),
    ],
)
def test_one_message_of_three_suffers(name: str, reply: bytes, is_heard: bool) -> None:
    replies, heard = carried(Fault(name, "box", at_transaction=2, count=1))
    assert replies == [b"1111\n", reply, b"3333\n"]
    assert heard == [b"1111", *([b"2222"] if is_heard else []), b"3333"]


def test_without_a_count_every_message_from_then_on_suffers() -> None:
    replies, _ = carried(Fault(faults.SILENCE, "box", at_transaction=2), n_messages=4)
    assert replies == [b"1111\n", b"", b"", b""]


def test_a_closed_port_answers_nothing_any_more_and_one_broken_connection_is_one() -> None:
    line, box = Line(), Echo()
    line.plan(Fault(faults.PORT_CLOSED, "box", at_transaction=1, count=1))
    broken, other = Conversation(), Conversation()
    assert [line.carry(b"a", box.answer, each, 0) for each in (broken, broken, other)] == [b"", b"", b"a\n"]
    assert (broken.is_cut, other.is_cut, line.is_closed) == (True, False, False)
    line.plan(Fault(faults.PORT_CLOSED, "box"))
    assert line.carry(b"b", box.answer, other, 0) == b""
    assert line.is_closed


def test_a_late_reply_comes_when_its_time_has_come() -> None:
    line, conversation = Line(), Conversation()
    line.plan(Fault(faults.LATE_REPLY, "box", late_s=0.05))
    assert line.carry(b"a", Echo().answer, conversation, 0) == b""
    assert conversation.overdue() == b""
    due_s = time.monotonic() + 0.05
    while not (late := conversation.overdue()):
        assert time.monotonic() < due_s + 1
    assert late == b"a\n"
    assert conversation.overdue() == b""


def test_a_time_counts_in_place_of_a_number() -> None:
    line, box, conversation = Line(), Echo(), Conversation()
    line.plan(Fault(faults.SILENCE, "box", at_s=2.0, count=1))
    replies = [line.carry(b"a", box.answer, conversation, round(s * 1e9)) for s in (0.0, 1.999, 2.5, 3.0)]
    assert replies == [b"a\n", b"a\n", b"", b"a\n"]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"name": "gremlins", "device": "trigger"}, "no fault is called 'gremlins'; there are silence,"),
        ({"name": faults.STUCK_AXIS, "device": "detector_x", "count": 2}, "it stays"),
        ({"name": faults.SILENCE, "device": "trigger", "at_s": 1.0, "at_transaction": 1}, "not both"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fault(**wrong)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> SimClock:
    return SimClock()


@pytest.fixture
def bench(request: pytest.FixtureRequest, clock: SimClock) -> Iterator[Bench]:
    """A bench with the fault that the test is parametrised by."""
    bench = Bench(BenchSettings(faults=(request.param,), is_homed=True), clock)
    yield bench
    bench.close()


@pytest.mark.parametrize("bench", [Fault(faults.STUCK_AXIS, "detector_y", at_s=1.0)], indirect=True)
def test_a_fault_of_a_device_strikes_at_its_time_though_nobody_asks_it(bench: Bench, clock: SimClock) -> None:
    box = bench.servers["detector_y"].double
    assert isinstance(box, KST101)
    clock.sleep(0.9)
    clock.sleep(0.05)
    assert not box.faults.is_stuck
    clock.sleep(0.1)
    clock.sleep(0.1)
    assert box.faults.is_stuck


@pytest.mark.parametrize("bench", [Fault(faults.PORT_CLOSED, "trigger", at_transaction=2)], indirect=True)
def test_a_client_finds_the_port_closed(bench: Bench) -> None:
    place = ("127.0.0.1", bench.servers["trigger"].port)
    with socket.create_connection(place, 5) as client:
        client.sendall(b"*IDN?\n")
        assert client.recv(100).startswith(b"Agilent")
        client.sendall(b"*IDN?\n")
        assert client.recv(100) == b""
    with socket.create_connection(place, 5) as client:
        assert client.recv(100) == b""


@pytest.mark.parametrize("bench", [Fault(faults.LATE_REPLY, "gate", late_s=0.01)], indirect=True)
def test_a_client_that_is_patient_gets_the_late_reply(bench: Bench) -> None:
    with socket.create_connection(("127.0.0.1", bench.servers["gate"].port), 5) as client:
        client.sendall(b"*IDN?\n")
        assert client.recv(100).startswith(b"Agilent")


@pytest.mark.parametrize("bench", [Fault(faults.GARBLED_FRAME, "counter", at_transaction=2, count=1)], indirect=True)
def test_a_call_of_the_counters_library_fails(bench: Bench) -> None:
    calls = [
        ("PH_OpenDevice", (0,)),
        ("PH_Initialize", (0, 0)),
        ("PH_GetLibraryVersion", ()),
        ("PH_Initialize", (0, 0)),
    ]
    assert [bench.counter.answer(*call)[0] for call in calls] == [0, -37, 0, 0]
    assert bench.counter.line.n_transactions == 3


def test_the_rig_file_knows_the_same_faults_and_devices() -> None:
    assert get_args(FaultName) == LINE_FAULTS + DEVICE_FAULTS
    assert set(get_args(FaultyDevice)) == set(Devices.model_fields) - {"laser"}


def test_a_fault_of_the_rig_file_reaches_its_double() -> None:
    rig = load_rig("configs/rig_sim.yaml", ["simulation.faults=[{device: gate, fault: silence, at: 3 s, count: 2}]"])
    assert rig.simulation is not None
    (fault,) = rig.simulation.faults
    assert (fault.device, fault.fault, fault.at_s, fault.count) == ("gate", "silence", 3.0, 2)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("{device: trigger, fault: missed home}", "missed home cannot happen to trigger, a TriggerGenerator"),
        ("{device: attenuator, fault: silence}", "silence: there is no attenuator here; there are counter, trigger"),
        ("{device: counter, fault: late reply}", "late reply cannot happen to counter"),
    ],
)
def test_what_cannot_happen_is_refused_before_anything_starts(fault: str, message: str) -> None:
    rig = load_rig("configs/rig_sim.yaml", [f"simulation.faults=[{fault}]"])
    with pytest.raises(InputError, match=f"simulation.faults: {message}"):
        start_doubles(rig)
