"""Random bytes on the lines of the motion controllers: no hang, no crash, and the next question is answered.

The noise is seeded; a false frame that passes every check comes once in some 1e9 bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from pymeasure.adapters import Adapter

from drivers.anc350 import ANC350
from drivers.apt_codec import FrameReader
from drivers.kst101 import KST101
from drivers.uc_codec import FramingError, TelegramReader
from drivers.zfs25b import TRINAMIC
from simulators.anc350 import ANC350 as StageDouble
from simulators.double import Double
from simulators.kst101 import KST101 as AxisDouble

LENGTHS = [pytest.param(50_000, id="50 kB"), pytest.param(1_000_000, id="1 MB", marks=pytest.mark.slow)]
LONGEST = 3000


class NoisyLine(Adapter):
    """A line to a double on which anything may arrive beside the replies."""

    def __init__(self, double: Double, noise: Callable[[], bytes] = bytes) -> None:
        super().__init__()
        self._double = double
        self.noise = noise
        self.arrived = bytearray()

    def _write_bytes(self, content: bytes, **kwargs: Any) -> None:
        self.arrived += self.noise() + self._double.exchange(content) + self.noise()

    def _read_bytes(self, count: int, break_on_termchar: bool, **kwargs: Any) -> bytes:
        data = bytes(self.arrived[:count])
        del self.arrived[:count]
        return data

    def flush_read_buffer(self) -> None:
        self.arrived.clear()


def axis_on(line: NoisyLine) -> Callable[[], float]:
    axis = KST101(line, scale=TRINAMIC)
    return lambda: axis.position_mm


def stage_on(line: NoisyLine) -> Callable[[], float]:
    stage = ANC350(line)
    return lambda: stage.axis_0.amplitude_v


BOXES = {
    "KST101": (lambda: AxisDouble(is_homed=True, position_mm=12.5), axis_on, 12.5),
    "ANC350": (StageDouble, stage_on, 30.0),
}


def pieces(n_bytes: int) -> list[bytes]:
    """Return noise in pieces of random length, none longer than `LONGEST`."""
    generator, noise = np.random.default_rng(20), []
    while n_bytes > 0:
        noise.append(generator.bytes(min(int(generator.integers(1, LONGEST)), n_bytes)))
        n_bytes -= len(noise[-1])
    return noise


@pytest.mark.parametrize("n_bytes", LENGTHS)
@pytest.mark.parametrize("box", BOXES)
def test_the_first_question_after_noise_is_answered(box: str, n_bytes: int) -> None:
    make, driver, expected = BOXES[box]
    line = NoisyLine(make())
    ask = driver(line)
    for piece in pieces(n_bytes):
        line.arrived += piece
        assert ask() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n_bytes", LENGTHS)
@pytest.mark.parametrize("box", BOXES)
def test_noise_in_the_middle_of_a_conversation_is_an_os_error_at_worst(box: str, n_bytes: int) -> None:
    make, driver, expected = BOXES[box]
    noise = pieces(n_bytes)
    line = NoisyLine(make(), noise=lambda: noise.pop() if noise else b"")
    ask = driver(line)
    while noise:
        try:
            assert ask() == pytest.approx(expected, abs=1e-6)
        except OSError as error:
            assert str(error), "it says what happened"
    assert ask() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("n_bytes", LENGTHS)
def test_the_reader_of_frames_keeps_nothing_longer_than_a_frame(n_bytes: int) -> None:
    reader = FrameReader()
    for piece in pieces(n_bytes):
        reader.feed(piece)
        while reader.next_frame() is not None:
            pass
        assert reader.n_missing <= 6 + 255


@pytest.mark.parametrize("n_bytes", LENGTHS)
def test_the_reader_of_telegrams_tells_of_every_byte_that_fits_none(n_bytes: int) -> None:
    reader, n_errors = TelegramReader(), 0
    for piece in pieces(n_bytes):
        reader.feed(piece)
        while True:
            try:
                if reader.next_telegram() is None:
                    break
            except FramingError:
                n_errors += 1
        assert reader.n_missing <= 512
    assert n_errors > n_bytes - 1024


@pytest.mark.parametrize("n_bytes", LENGTHS)
@pytest.mark.parametrize("box", BOXES)
def test_a_double_survives_noise_from_its_host(box: str, n_bytes: int) -> None:
    make, driver, _ = BOXES[box]
    double = make()
    for piece in pieces(n_bytes):
        double.exchange(piece)
        double.process(0.01)
    ask = driver(NoisyLine(double))
    for _ in range(100):  # a frame that began in the noise swallows the first questions
        try:
            ask()
            break
        except TimeoutError:
            pass
    assert isinstance(ask(), float)
