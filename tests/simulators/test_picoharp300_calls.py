"""The C face of the counter's double: bare addresses, states, ranges, faults."""

import ctypes
import logging
from ctypes import byref, c_double, c_float, c_int, create_string_buffer

import pytest

from simulators.emission import uniform_emission
from simulators.picoharp300.table import PicoHarpTable
from tests.simulators.counter_world import MS, CounterWorld


@pytest.fixture
def world():
    return CounterWorld(uniform_emission(100_000.0, 200.0))


@pytest.fixture
def table(world):
    return PicoHarpTable(world, seed=7)


@pytest.fixture
def ready(table):
    for call in ((table.PH_OpenDevice, create_string_buffer(8)), (table.PH_Initialize, 0), (table.PH_Calibrate,)):
        assert call[0](0, *call[1:]) == 0
    return table


def number(function, *arguments) -> float:
    value = c_double()
    assert function(*arguments, byref(value)) == 0
    return value.value


def test_functions_are_bare_addresses_like_those_of_a_loaded_library(table):
    assert isinstance(table, ctypes.CDLL)
    assert table["PH_OpenDevice"].argtypes is None
    assert table["PH_OpenDevice"] is not table["PH_OpenDevice"]
    with pytest.raises(AttributeError, match="undefined symbol: PH_Nonsense"):
        _ = table.PH_Nonsense


def test_a_wrong_declaration_reads_garbage_as_it_would_from_the_real_library(ready):
    single = (c_float * 2)()
    ready["PH_GetResolution"](0, single)
    assert single[0] != 4.0
    assert number(ready["PH_GetResolution"], 0) == 4.0


def test_version_and_serial_are_text(table):
    version, serial = create_string_buffer(8), create_string_buffer(8)
    assert table.PH_GetLibraryVersion(version) == 0
    assert table.PH_OpenDevice(0, serial) == 0
    assert (version.value, serial.value) == (b"3.0", b"1000123")


@pytest.mark.parametrize("index", [1, 7])
def test_an_index_without_device_cannot_be_opened(table, index):
    assert table.PH_OpenDevice(index, create_string_buffer(8)) == -1
    assert table.PH_CloseDevice(index) == 0
    assert table.PH_Initialize(index, 0) == -10


def test_each_step_of_bringing_up_is_demanded(table):
    assert table.PH_Initialize(0, 0) == -10
    table.PH_OpenDevice(0, create_string_buffer(8))
    assert table.PH_SetBinning(0, 0) == -22
    assert table.PH_Initialize(0, 5) == -18
    assert table.PH_Initialize(0, 0) == 0
    assert table.PH_StartMeas(0, 100) == -23
    assert table.PH_Calibrate(0) == 0
    assert table.PH_StartMeas(0, 100) == 0
    assert table.PH_CloseDevice(0) == 0
    assert table.PH_StartMeas(0, 100) == -10


@pytest.mark.parametrize(
    "call",
    [
        ("PH_SetBinning", 8),
        ("PH_SetBinning", -1),
        ("PH_SetOffset", 1_000_000_001),
        ("PH_SetOffset", -4),
        ("PH_SetSyncDiv", 3),
        ("PH_SetSyncOffset", 100_000),
        ("PH_SetInputCFD", 2, 100, 10),
        ("PH_SetInputCFD", 0, 801, 10),
        ("PH_SetInputCFD", 0, 100, 21),
        ("PH_SetStopOverflow", 1, 65_536),
        ("PH_StartMeas", 0),
        ("PH_StartMeas", 360_000_001),
        ("PH_ClearHistMem", 1),
    ],
    ids=str,
)
def test_an_argument_out_of_range_is_refused(ready, call):
    name, *arguments = call
    assert ready[name](0, *arguments) == -17


def test_nothing_may_be_changed_during_a_measurement(ready, world):
    assert ready.PH_StartMeas(0, 100) == 0
    assert ready.PH_SetBinning(0, 1) == ready.PH_StartMeas(0, 100) == ready.PH_ClearHistMem(0, 0) == -16
    world.time_ns += 100 * MS
    assert ready.PH_SetBinning(0, 1) == 0


def test_an_injected_fault_is_returned_once(ready):
    ready.inject("PH_SetBinning", -36)
    assert ready.PH_SetBinning(0, 1) == -36
    assert ready.PH_SetBinning(0, 1) == 0
    with pytest.raises(KeyError, match="PH_Nothing"):
        ready.inject("PH_Nothing", -36)


def test_an_exception_inside_becomes_a_code_a_log_entry_and_the_debug_text(ready, world, caplog, monkeypatch):
    def broken(time_ns):
        raise ZeroDivisionError("the bench is broken")

    monkeypatch.setattr(world, "emission", broken)
    with caplog.at_level(logging.ERROR):
        assert ready.PH_GetCountRate(0, 1, byref(c_int())) == -64
    assert "PH_GetCountRate" in caplog.text
    text = create_string_buffer(16384)
    assert ready.PH_GetHardwareDebugInfo(0, text) == 0
    assert b"ZeroDivisionError: the bench is broken" in text.value
