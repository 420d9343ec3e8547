"""The PicoHarp 300 driver on the double's function table: runs, refusals, and what its errors say."""

import ctypes
import dataclasses
import doctest
from ctypes import byref, c_float

import numpy as np
import pytest

from drivers.picoharp300 import limits
from drivers.picoharp300.codes import Features, Flags, PicoHarpError, Warnings
from drivers.picoharp300.device import PicoHarp300
from drivers.picoharp300.library import PHLIB, load_library
from drivers.picoquant.counter import Channel, Mode
from drivers.picoquant.library import LibraryNotFoundError
from simulators.emission import uniform_emission
from simulators.picoharp300.table import PicoHarpTable
from tests.simulators.counter_world import MS, SECOND, CounterWorld, flash


@pytest.fixture
def world():
    return CounterWorld(uniform_emission(20_000.0, 200.0))


@pytest.fixture
def table(world):
    return PicoHarpTable(world, seed=7, serial="1004711", index=3)


@pytest.fixture
def counter(table, world):
    counter = PicoHarp300(table)
    counter.open()
    counter.initialise()
    world.time_ns += 100 * MS
    yield counter
    counter.close()


class Silent:
    """A library that must not be called."""

    def __getattr__(self, name):
        def function(*arguments):
            raise AssertionError(f"{name} was called")

        return function


def test_constructing_the_driver_calls_nothing():
    PicoHarp300(Silent())


def test_every_function_is_declared_before_use(table):
    PicoHarp300(table)
    for name, argument_types in PHLIB.declarations.items():
        assert getattr(table, "PH_" + name).argtypes == argument_types
        assert getattr(table, "PH_" + name).restype is ctypes.c_int


def test_a_pointer_of_the_wrong_type_is_caught_by_the_declaration(counter, table):
    with pytest.raises(ctypes.ArgumentError):
        table.PH_GetResolution(3, byref(c_float()))
    with pytest.raises(TypeError, match="at least 3 arguments"):
        table.PH_GetBaseResolution(3, byref(ctypes.c_double()))


def test_the_device_is_found_by_its_serial_number(table):
    counter = PicoHarp300(table, serial="1004711")
    counter.open()
    assert counter.serial == "1004711"
    counter.close()
    counter.close()


def test_a_missing_serial_number_lists_what_is_there(table):
    with pytest.raises(ConnectionError, match=r"serial 999 does not answer; found serial 1004711 at index 3"):
        PicoHarp300(table, serial="999").open()
    assert table.PH_Initialize(3, 0) == -10  # closed again


def test_a_device_held_by_another_program_is_named(table):
    table.inject("PH_OpenDevice", *[-1] * 3, -2)
    with pytest.raises(
        ConnectionError, match=r"PH_OpenDevice\(3\) returned -2 \(DEVICE_BUSY\).*close the vendor's software"
    ):
        PicoHarp300(table).open()


def test_another_library_version_is_refused(table, monkeypatch):
    monkeypatch.setattr(PicoHarp300, "vendor", dataclasses.replace(PHLIB, version="4.0"))
    with pytest.raises(OSError, match=r"library is version 3.0.*written for 4.0.*Install PHLib"):
        PicoHarp300(table).open()


def test_a_call_before_open_says_so(table):
    with pytest.raises(ConnectionError, match=r"not open\. Call open\(\) first"):
        _ = PicoHarp300(table).rates


def test_a_call_before_initialise_says_so(table):
    counter = PicoHarp300(table)
    counter.open()
    with pytest.raises(
        PicoHarpError, match=r"PH_GetCountRate\(3, 0\) returned -22 \(NOT_INITIALIZED\).*initialise\(\)"
    ):
        _ = counter.rates
    with pytest.raises(ValueError, match=r"bin widths are not known yet\. Call initialise"):
        counter.bin_width_ps = 16.0


def test_identity(counter):
    assert counter.library_version == "3.0"
    assert counter.hardware_info.model == "PicoHarp 300"
    assert Features.TIME_TAGS in counter.features
    assert counter.bin_widths_ps == (4, 8, 16, 32, 64, 128, 256, 512)


def test_t2_mode_is_not_supported(counter):
    with pytest.raises(ValueError, match=r"mode T2 is not supported\. Use Mode\.HISTOGRAM or Mode\.T3"):
        counter.initialise(Mode.T2)


def test_a_run_from_arming_to_the_counts(counter, world):
    world.light = flash(100.0, 0.02, period_ns=200.0)
    counter.bin_width_ps = 16
    assert counter.bin_width_ps == 16.0
    counter.offset_ps = 20_000
    counter.arm(0.5)
    assert not counter.is_done
    world.time_ns += 500 * MS
    assert counter.is_done
    counter.stop()
    counts = counter.read_counts()
    assert counts.dtype == np.uint32
    assert counts.shape == (65536,)
    expected = 0.5 * 5e6 * (1 - np.exp(-0.02))
    assert counts[80_000 // 16] == pytest.approx(expected, abs=4 * np.sqrt(expected))
    assert counts.sum() - counts[80_000 // 16] < 0.01 * expected  # after-pulses
    assert counter.elapsed_s == pytest.approx(0.5)
    assert counter.flags == Flags(0)


def test_each_run_begins_with_an_empty_histogram(counter, world):
    for _ in range(2):
        counter.arm(0.1)
        world.time_ns += 100 * MS
    assert int(counter.read_counts().sum()) == pytest.approx(2000, abs=4 * np.sqrt(2000) + 20)


def test_a_full_bin_ends_the_run_with_flag_and_true_live_time(counter, world):
    world.light = flash(10.0, 0.1, period_ns=200.0)
    counter.arm(10.0)
    world.time_ns += SECOND
    assert counter.is_done
    assert Flags.OVERFLOW in counter.flags
    assert counter.read_counts().max() == 65_535
    assert counter.elapsed_s == pytest.approx(65_535 / (5e6 * (1 - np.exp(-0.1))), rel=4 / 256)


def test_stopping_keeps_what_was_counted(counter, world):
    counter.arm(10.0)
    world.time_ns += SECOND
    counter.stop()
    assert counter.elapsed_s == pytest.approx(1.0)
    assert counter.read_counts().sum() > 0


def test_arming_twice_says_to_stop_first(counter):
    counter.arm(1.0)
    with pytest.raises(PicoHarpError, match=r"returned -16 \(INSTANCE_RUNNING\).*stop it first"):
        counter.arm(1.0)


@pytest.mark.parametrize(
    ("dwell_s", "message"),
    [
        (0.0, r"dwell 0 ms is outside 1 to 3.6e\+08 ms"),
        (360_001.0, r"outside 1 to 3.6e\+08 ms"),
        (float("nan"), "dwell nan ms is outside"),
        (0.0105, r"dwell 10.5 ms is not a whole number of ms. The nearest is 10 ms"),
    ],
)
def test_a_dwell_the_counter_cannot_do_is_refused(counter, dwell_s, message):
    with pytest.raises(ValueError, match=message):
        counter.arm(dwell_s)
    assert counter.is_done


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("bin_width_ps", 10, r"bin width 10 ps does not exist, the nearest is 8 ps. Use one of 4, 8, 16"),
        ("offset_ps", 5002, r"offset 5002 ps is not a multiple of 4 ps. Use 5000 ps"),
        ("offset_ps", -4, r"offset -4 ps is outside 0 to 1e\+09 ps"),
        ("sync_divider", 3, r"sync divider 3 does not exist. Use 1, 2, 4 or 8"),
        ("sync_offset_ps", 100_000, r"sync offset 100000 ps is outside -99999 to 99999 ps"),
    ],
)
def test_a_setting_the_counter_lacks_is_refused_with_what_to_use(counter, name, value, message):
    before = getattr(counter, name)
    with pytest.raises(ValueError, match=message):
        setattr(counter, name, value)
    assert getattr(counter, name) == before


@pytest.mark.parametrize(
    ("level_mv", "zero_cross_mv", "what"), [(-100, 10, "level -100 mV"), (100, 21, "crossing 21 mV")]
)
def test_discriminator_limits(counter, level_mv, zero_cross_mv, what):
    counter.set_discriminator(Channel.SYNC, 100, 10)
    with pytest.raises(ValueError, match=what):
        counter.set_discriminator(Channel.DETECTOR, level_mv, zero_cross_mv)


def test_settings_are_remembered_and_forgotten_on_initialising(counter):
    counter.sync_divider = 4
    counter.multistop_enabled = False
    assert (counter.sync_divider, counter.multistop_enabled) == (4, False)
    counter.initialise()
    assert (counter.sync_divider, counter.multistop_enabled) == (None, None)


def test_rates_and_warnings_with_their_text(counter, world):
    assert counter.rates.sync_hz == 5e6
    assert counter.rates.input_cps == pytest.approx(20_200, abs=4 * 450)
    assert counter.warnings == Warnings(0)
    world.light = uniform_emission(1e6, 200.0)
    world.time_ns += 200 * MS
    assert counter.warnings == Warnings.RATE_RATIO
    assert "5 %" in counter.explain(counter.warnings)


def test_a_usb_hiccup_is_marked_as_transient(counter, table):
    table.inject("PH_SetSyncDiv", -36)
    with pytest.raises(PicoHarpError, match=r"USB_VCMD_FAIL.*repeat the call once after 0\.1 s") as caught:
        counter.sync_divider = 2
    assert caught.value.is_transient
    assert counter.sync_divider is None


def test_a_fault_inside_the_device_carries_its_own_account(counter, world, monkeypatch):
    def broken(time_ns):
        raise ZeroDivisionError("the bench is broken")

    monkeypatch.setattr(world, "emission", broken)
    with pytest.raises(PicoHarpError, match=r"HARDWARE_F01(?s:.*)The device says:(?s:.*)the bench is broken") as caught:
        _ = counter.rates
    assert not caught.value.is_transient


def test_counts_after_a_system_error_are_not_handed_out(counter, monkeypatch):
    monkeypatch.setattr(PicoHarp300, "flags", Flags.SYSTEM_ERROR)
    with pytest.raises(OSError, match="1004711: system error during the run, its counts cannot be trusted"):
        counter.read_counts()


def test_a_missing_vendor_library_is_a_typed_error_with_advice():
    with pytest.raises(LibraryNotFoundError, match=r"vendor library not found, looked for \S+\. Install PHLib 3\.0"):
        load_library()
    with pytest.raises(LibraryNotFoundError, match=r"looked for /no/such/file\.so"):
        load_library("/no/such/file.so")


def test_a_file_that_is_no_library_says_why_it_cannot_be_loaded(tmp_path):
    file = tmp_path / "libph300.so"
    file.write_text("not a library")
    with pytest.raises(OSError, match=r"libph300\.so is there but cannot be loaded.*64-bit"):
        load_library(file)


def test_a_foreign_library_is_refused_by_the_function_it_lacks():
    with pytest.raises(OSError, match=r"the library has no function PH_GetLibraryVersion\. Install PHLib 3\.0"):
        load_library(np.random._generator.__file__)


def test_the_smallest_divider_below_10_mhz_is_chosen():
    rates_mhz = (0.03125, 10.0, 10.1, 20.0, 40.0, 80.0)
    assert [limits.sync_divider_for(rate * 1e6) for rate in rates_mhz] == [1, 1, 2, 2, 4, 8]
    with pytest.raises(ValueError, match="sync rate 81 MHz is above the limit of 80 MHz"):
        limits.sync_divider_for(81e6)


def test_examples_in_docstrings_are_true():
    result = doctest.testmod(limits)
    assert result.attempted
    assert not result.failed
