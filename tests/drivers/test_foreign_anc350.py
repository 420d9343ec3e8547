"""pylablib's client of the ANC350, which speaks USB only, drives our double over a line of the test's own."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.anc350 import ANC350

comm_backend = pytest.importorskip("pylablib.core.devio.comm_backend", reason="a peer of the extra `dev`")
anc350 = pytest.importorskip("pylablib.devices.Attocube.anc350", reason="a peer of the extra `dev`")


WAIT_S = 0.05


class Line(comm_backend.IDeviceCommBackend):
    """What pylablib needs of a USB connection: whole telegrams to and from the double; waiting lets time pass."""

    _backend = "double"
    Error = comm_backend.DeviceBackendError

    def __init__(self, double: ANC350) -> None:
        super().__init__({})
        self._double = double
        self._arrived = b""
        self.timeout = 5.0

    def write(self, data: bytes, **kwargs: Any) -> None:
        self._arrived += self._double.exchange(bytes(data))

    def read(self, size: int | None = None, **kwargs: Any) -> bytes:
        for _ in range(round(self.timeout / WAIT_S)):
            if self._arrived:
                break
            self._double.process(WAIT_S)
            self._arrived += self._double.spontaneous()
        n_bytes = 4 + int.from_bytes(self._arrived[:4], "little")
        telegram, self._arrived = self._arrived[:n_bytes], self._arrived[n_bytes:]
        return telegram

    def flush_read(self) -> None:
        self._arrived = b""

    def open(self) -> None:
        pass

    def close(self) -> None:
        pass

    def is_opened(self) -> bool:
        return True

    def set_timeout(self, timeout: float) -> None:
        self.timeout = timeout

    def get_timeout(self) -> float:
        return self.timeout


@pytest.fixture
def double() -> ANC350:
    return ANC350(seed=2)


@pytest.fixture
def unit(double: ANC350, monkeypatch: pytest.MonkeyPatch) -> Any:
    double.process(1.0)
    double.exchange(bytes.fromhex("14000000 00000000 45010000 00000000 00000000 01000000"))  # events are on
    double.process(1.0)
    line = Line(double)
    monkeypatch.setattr(comm_backend, "new_backend", lambda *args, **kwargs: line)
    return anc350.ANC350()


def test_pylablib_connects_reads_and_sets(unit: Any) -> None:
    assert unit.get_hardware_id() == -1
    assert unit.is_connected() == [True, True, True]
    assert unit.get_position(1) == pytest.approx(2.5e-3, abs=1e-6)
    unit.set_voltage(0, 40.0)
    unit.set_frequency(0, 500)
    assert (unit.get_voltage(0), unit.get_frequency(0)) == (40.0, 500)


def test_pylablib_moves_in_closed_loop_and_in_steps(unit: Any, double: ANC350) -> None:
    unit.enable_axis(0)
    unit.move_to(0, 2.6e-3)
    assert unit.is_moving(0)
    double.process(10.0)
    assert not unit.is_moving(0)
    assert unit.get_position(0) == pytest.approx(2.6e-3, abs=1e-6)
    unit.stop(0)
    unit.move_by_steps(0, 1)
    double.process(1.0)
    assert double.position_nm(0) == 2_600_100


def test_pylablib_measures_a_capacitance(unit: Any, double: ANC350) -> None:
    assert unit.get_capacitance(2, measure=True, delay=0.0) == 0
    double.process(2.0)
    assert unit.get_capacitance(2) == pytest.approx(1.05e-6)
