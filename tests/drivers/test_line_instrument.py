"""Noise and late replies: what an instrument says afterwards is taken for the answer to the right question."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
import serial

from drivers.bounded_serial import BoundedSerialAdapter
from drivers.cryostation import Cryostation
from drivers.cryostation import _number as cryostation_number
from drivers.fw102c import FW102C
from drivers.lakeshore335 import LakeShore335
from drivers.lakeshore335_text import number, numbers, split_reply
from drivers.pm100d import PM100D
from drivers.trigger import TriggerGenerator
from simulators.clock import SimClock
from simulators.cryostation import Cryostation as CryostationDouble
from simulators.double import Double
from simulators.faults import Conversation
from simulators.fw102c import FW102C as WheelDouble
from simulators.lakeshore335 import LakeShore335 as LakeShoreDouble
from simulators.pm100d import PM100D as MeterDouble
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator as GeneratorDouble
from tests.drivers.marks import needs_visa_over_a_url

Question = Callable[[Any], object]
BOXES: dict[str, tuple[type, type[Double], Question, object]] = {
    "Lake Shore": (LakeShore335, LakeShoreDouble, lambda box: box.output_1.pid, (50.0, 20.0, 0.0)),
    "Cryostation": (Cryostation, CryostationDouble, lambda box: box.setpoint_k, 295.0),
    "generator": (TriggerGenerator, GeneratorDouble, lambda box: box.frequency_hz, 1000.0),
    "wheel": (FW102C, WheelDouble, lambda box: box.position, 1),
    "power meter": (PM100D, MeterDouble, lambda box: box.averaging, 1),
}


@pytest.fixture(params=BOXES)
def box(request: pytest.FixtureRequest) -> Iterator[tuple[Any, Double, Question, object]]:
    driver, double, question, answer = BOXES[request.param]
    simulated = double()
    server = DoubleServer(simulated, SimClock())
    opened = driver(server.visa_address, timeout=200)
    yield opened, simulated, question, answer
    opened.adapter.close()
    server.close()


def send_before_the_reply(double: Double, noise: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the double say `noise` on its own, once, before its next reply."""
    waiting = [noise]
    monkeypatch.setattr(double, "spontaneous", lambda: waiting.pop() if waiting else b"")


@pytest.mark.parametrize("n_bytes", [1, 7, 300, 5000, 1_000_000])
def test_noise_before_a_reply_is_discarded_and_asked_about_again(
    box: tuple[Any, Double, Question, object], n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, double, question, answer = box
    for seed in range(3 if n_bytes < 1_000_000 else 1):
        noise = np.random.default_rng([n_bytes, seed]).integers(0, 256, n_bytes, dtype=np.uint8).tobytes() + b"\r\n> "
        send_before_the_reply(double, noise, monkeypatch)
        try:
            assert question(opened) == answer
        except (TimeoutError, ConnectionError):
            assert question(opened) == answer


@needs_visa_over_a_url
@pytest.mark.parametrize("name", ["Lake Shore", "wheel"])
def test_a_million_bytes_of_noise_on_a_serial_line(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    driver, make, question, answer = BOXES[name]
    double = make()
    server = DoubleServer(double, SimClock())
    by_serial_port = BoundedSerialAdapter(serial.serial_for_url(server.url, timeout=0.2))
    by_visa = f"ASRL{server.url}::INSTR"
    try:
        for opened in (driver(by_visa, timeout=200), driver(by_serial_port) if name == "wheel" else driver(by_visa)):
            send_before_the_reply(double, np.random.default_rng(6).bytes(1_000_000), monkeypatch)
            with suppress(TimeoutError, ConnectionError):
                question(opened)
            assert question(opened) == answer
            opened.adapter.close()
    finally:
        by_serial_port.close()
        server.close()


@pytest.mark.parametrize(
    "make",
    [
        lambda server: server.visa_address,
        pytest.param(lambda server: f"ASRL{server.url}::INSTR", marks=needs_visa_over_a_url),
    ],
)
def test_a_box_that_sends_without_end_holds_nobody(make: Callable[[DoubleServer], str], monkeypatch) -> None:
    monkeypatch.setattr("drivers.bounded_visa.MOST_NOISE_S", 0.2)
    simulated, is_noisy = GeneratorDouble(), True
    monkeypatch.setattr(simulated, "spontaneous", lambda: bytes(8192) if is_noisy else b"")
    server = DoubleServer(simulated, SimClock())
    monkeypatch.setattr("simulators.server.IDLE_WAKEUP_S", 1e-4)
    opened = TriggerGenerator(make(server), timeout=200)
    try:
        for _ in range(3):
            with pytest.raises(ConnectionError, match=r"bytes (came without the end of a line|keep coming)"):
                opened.identify()
        is_noisy = False
        for _ in range(3):  # what is still on its way
            with suppress(ConnectionError):
                opened.discard()
        assert opened.identify().startswith("Agilent")
    finally:
        opened.adapter.close()
        server.close()


def test_an_answer_to_an_older_question_is_not_taken(
    box: tuple[Any, Double, Question, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, double, question, answer = box
    silent = monkeypatch.context
    with silent() as patch:
        patch.setattr(double, "answer", lambda frame: b"")
        with pytest.raises(TimeoutError, match="did not answer in time"):
            question(opened)
    assert question(opened) == answer


@pytest.mark.parametrize("name", BOXES)
def test_a_double_survives_a_million_bytes_of_noise_from_its_host(name: str) -> None:
    driver, make, question, answer = BOXES[name]
    double, noise = make(), np.random.default_rng(7)
    server = DoubleServer(double, SimClock())
    conversation = Conversation()
    for _ in range(500):
        server.obey(conversation, noise.bytes(2000))
    opened = driver(server.visa_address, timeout=200)
    try:
        assert question(opened) == answer
    finally:
        opened.adapter.close()
        server.close()


def test_what_reads_replies_raises_nothing_but_connection_errors_on_a_million_bytes_of_noise() -> None:
    text = np.random.default_rng(8).bytes(1_000_000).decode("latin-1")
    readers: list[Callable[[str], object]] = [
        number,
        lambda piece: numbers(piece, 3),
        lambda piece: split_reply(piece, 2),
        lambda piece: cryostation_number(piece, "Cryostation"),
    ]
    n_read = 0
    for piece in re.split("[;,\r\n]", text):
        for read in readers:
            try:
                read(piece)
                n_read += 1
            except ConnectionError as error:
                assert str(error)
    assert n_read < 3000  # single digits between separators are numbers
