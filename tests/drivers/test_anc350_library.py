"""The ANC350 driver over the vendor's library: each telegram becomes the documented call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from drivers.anc350 import ANC350
from drivers.anc350_axis import Anc350Error, AxisStatus, EndOfTravel, SensorLost
from drivers.anc350_library import DECLARATIONS, LibraryAdapter, declare, load_library

CONNECTED, ENABLED, MOVING, ON_TARGET, AT_FORWARD_END, AT_BACKWARD_END, ERROR = range(7)


class FakeLibrary:
    """A function table that writes down every call; `codes` makes functions fail, `serials` are the units there."""

    def __init__(self, *serials: str) -> None:
        self.serials = serials or ("L010042",)
        self.codes: dict[str, int] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.flags = [1, 0, 0, 0, 0, 0, 0]
        self.numbers = {
            "ANC_getPosition": 2.5e-3,
            "ANC_getAmplitude": 40.0,
            "ANC_getFrequency": 1000.0,
            "ANC_getDcVoltage": 2.0,
            "ANC_measureCapacitance": 1.05e-6,
        }
        for name in DECLARATIONS:
            setattr(self, name, self._function(name))

    def _function(self, name: str) -> Any:
        def call(*arguments: Any) -> int:
            if name in self.codes:
                return self.codes[name]
            self._act(name, arguments)
            return 0

        return call

    def _act(self, name: str, arguments: tuple[Any, ...]) -> None:
        if name == "ANC_discover":
            arguments[1]._obj.value = len(self.serials)
        elif name == "ANC_getDeviceInfo":
            arguments[3].value = self.serials[arguments[0]].encode()
        elif name == "ANC_connect":
            arguments[1]._obj.value = 77
        elif name == "ANC_getAxisStatus":
            for target, flag in zip(arguments[2:], self.flags, strict=True):
                target._obj.value = flag
        elif name in self.numbers:
            arguments[2]._obj.value = self.numbers[name]
        else:
            self.calls.append((name, *[getattr(each, "value", each) for each in arguments[1:]]))
            if name == "ANC_setAxisOutput":
                self.flags[ENABLED] = arguments[2]


@pytest.fixture
def library() -> FakeLibrary:
    library = FakeLibrary()
    declare(library)
    return library


@pytest.fixture
def unit(library: FakeLibrary) -> ANC350:
    return ANC350(LibraryAdapter(library), name="stage")


def test_connecting_calls_nothing_that_changes_the_unit(unit: ANC350, library: FakeLibrary) -> None:
    unit.start_synchronise()
    unit.finish_synchronise()
    assert library.calls == []


def test_a_move_makes_the_documented_calls_in_order(unit: ANC350, library: FakeLibrary) -> None:
    unit.axis_1.target_range_nm = 1000
    unit.axis_1.move_to(2_600_000)
    assert library.calls == [
        ("ANC_setTargetRange", 1, pytest.approx(1e-6)),
        ("ANC_setTargetPosition", 1, pytest.approx(2.6e-3)),
        ("ANC_setAxisOutput", 1, 0, 1),
        ("ANC_setAxisOutput", 1, 1, 1),
        ("ANC_startAutoMove", 1, 1, 0),
    ]
    assert (unit.axis_1.target_nm, unit.axis_1.target_range_nm) == (2_600_000, 1000)
    library.flags[MOVING] = 1
    assert (unit.axis_1.is_moving, unit.axis_1.has_arrived()) == (True, False)
    library.flags[MOVING], library.flags[ON_TARGET] = 0, 1
    assert unit.axis_1.has_arrived()


def test_settings_and_readings_are_in_the_drivers_units(unit: ANC350, library: FakeLibrary) -> None:
    axis = unit.axis_0
    axis.amplitude_v, axis.frequency_hz, axis.dc_level_v, axis.grounds_after_motion = 30.0, 500, 2.0, True
    assert library.calls == [
        ("ANC_setAmplitude", 0, 30.0),
        ("ANC_setFrequency", 0, 500.0),
        ("ANC_setDcVoltage", 0, 2.0),
        ("ANC_setTargetGround", 0, 1),
    ]
    assert (axis.position_nm, axis.amplitude_v, axis.frequency_hz, axis.dc_level_v) == (2_500_000, 40.0, 1000, 2.0)
    assert axis.grounds_after_motion
    axis.measure_capacitance()
    assert axis.capacitance_nf == pytest.approx(1050.0)


@pytest.mark.parametrize(("is_forward", "backward"), [(True, 0), (False, 1)])
def test_a_step_goes_the_way_it_is_asked(unit: ANC350, library: FakeLibrary, is_forward: bool, backward: int) -> None:
    unit.axis_2.step(is_forward)
    assert library.calls[-1] == ("ANC_startSingleStep", 2, backward)


def test_stopping_ends_following_and_running(unit: ANC350, library: FakeLibrary) -> None:
    unit.axis_0.stop()
    assert library.calls == [("ANC_startAutoMove", 0, 0, 0), ("ANC_startContinousMove", 0, 0, 0)]


def test_end_of_travel_lost_sensor_and_lost_output_are_told(unit: ANC350, library: FakeLibrary) -> None:
    unit.axis_0.move_to(2_600_000)
    library.flags[AT_FORWARD_END] = 1
    assert unit.axis_0.status == AxisStatus.END_OF_TRAVEL
    with pytest.raises(EndOfTravel, match="end of travel at 2500000 nm on the way to 2600000 nm"):
        unit.axis_0.has_arrived()
    library.flags[AT_FORWARD_END], library.flags[ENABLED] = 0, 0
    with pytest.raises(Anc350Error, match="the output went off; move again"):
        unit.axis_0.has_arrived()
    library.flags[ERROR] = 1
    with pytest.raises(SensorLost, match=r"sensor lost \(status 0x0100\)"):
        unit.axis_0.has_arrived()


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (11, Anc350Error, r"SET AMPLITUDE 0 30000 was refused: value out of range \(reason 2\)"),
        (10, Anc350Error, "was refused: invalid address"),
        (1, TimeoutError, r"ANC_setAmplitude failed: time-out \(1\)"),
        (2, ConnectionError, "failed: not connected any more .2.. Close Daisy"),
        (42, ConnectionError, "undocumented code"),
    ],
)
def test_what_the_library_reports_is_told(
    unit: ANC350, library: FakeLibrary, code: int, kind: type[OSError], message: str
) -> None:
    library.codes["ANC_setAmplitude"] = code
    with pytest.raises(kind, match=message):
        unit.axis_0.amplitude_v = 30.0


def test_what_the_library_cannot_do_is_refused(unit: ANC350) -> None:
    with pytest.raises(Anc350Error, match="GET SENSOR_VOLTAGE 0 was refused: invalid address"):
        _ = unit.sensor_voltage_v
    with pytest.raises(Anc350Error, match="GET TARGET 0 was refused: ignored"):
        _ = unit.axis_0.target_nm


def test_one_of_two_units_is_chosen_by_its_serial_number() -> None:
    library = FakeLibrary("L010042", "L010043")
    with pytest.raises(ConnectionError, match="2 units match the serial number None; found: L010042, L010043"):
        LibraryAdapter(library)
    LibraryAdapter(library, "L010043").close()
    with pytest.raises(ConnectionError, match="0 units match the serial number L99"):
        LibraryAdapter(library, "L99")
    library.codes["ANC_connect"] = 7
    with pytest.raises(ConnectionError, match=r"ANC_connect failed: in use by another program \(7\)"):
        LibraryAdapter(library, "L010043")


def test_closing_disconnects_once() -> None:
    library = FakeLibrary()
    adapter = LibraryAdapter(library)
    adapter.close()
    adapter.close()
    assert [call[0] for call in library.calls] == ["ANC_disconnect"]


def test_a_missing_library_or_function_is_named() -> None:
    with pytest.raises(OSError, match=r"vendor library nowhere\.so cannot be loaded .*Install it from attocube"):
        load_library("nowhere.so")
    library = FakeLibrary()
    del library.ANC_setTargetGround
    with pytest.raises(OSError, match="no function ANC_setTargetGround. Install version 4"):
        declare(library)


def test_another_library_is_recognised_by_the_functions_that_it_lacks() -> None:
    with pytest.raises(OSError, match="the library has no function ANC_discover. Install version 4 of the library"):
        load_library(np.random._generator.__file__)
