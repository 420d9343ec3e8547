"""Noise and late replies: what an instrument says afterwards is taken for the answer to the right question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from drivers.cryostation import Cryostation
from drivers.fw102c import FW102C
from drivers.lakeshore335 import LakeShore335
from drivers.pm100d import PM100D
from drivers.trigger import TriggerGenerator
from simulators.clock import SimClock
from simulators.cryostation import Cryostation as CryostationDouble
from simulators.double import Double
from simulators.fw102c import FW102C as WheelDouble
from simulators.lakeshore335 import LakeShore335 as LakeShoreDouble
from simulators.pm100d import PM100D as MeterDouble
from simulators.server import DoubleServer
from simulators.trigger import TriggerGenerator as GeneratorDouble

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


@pytest.mark.parametrize("n_bytes", [1, 7, 300, 5000])
def test_noise_before_a_reply_is_discarded_and_asked_about_again(
    box: tuple[Any, Double, Question, object], n_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, double, question, answer = box
    for seed in range(3):
        noise = np.random.default_rng([n_bytes, seed]).integers(0, 256, n_bytes, dtype=np.uint8).tobytes() + b"\r\n> "
        send_before_the_reply(double, noise, monkeypatch)
        try:
            assert question(opened) == answer
        except (TimeoutError, ConnectionError):
            assert question(opened) == answer


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
