"""Each function of the counters' two libraries: which is called with which numbers, in which order."""

from __future__ import annotations

import pytest

from drivers.picoharp300.codes import ErrorCode as PicoHarpCode
from drivers.picoharp300.codes import PicoHarpError
from drivers.picoharp300.device import PicoHarp300
from drivers.picoharp300.library import PHLIB
from drivers.picoquant.counter import Channel, Mode
from drivers.timeharp260.codes import Edge, TimeHarpError, TimingMode
from drivers.timeharp260.codes import ErrorCode as TimeHarpCode
from drivers.timeharp260.device import TimeHarp260
from drivers.timeharp260.library import TH260LIB
from simulators.emission import uniform_emission
from simulators.picoharp300 import face as picoharp
from simulators.picoharp300.table import PicoHarpTable
from simulators.timeharp260 import face as timeharp
from simulators.timeharp260.device import NANO, PICO
from simulators.timeharp260.table import TimeHarpTable
from tests.simulators.counter_world import MS, CounterWorld


class Logged:
    """A counter whose library calls are noted as (name without prefix, integers without the index)."""

    def __init__(self, kind: str, mode: Mode = Mode.HISTOGRAM, n_inputs: int = 1) -> None:
        self.world = CounterWorld(uniform_emission(20_000.0, 200.0))
        self.table: PicoHarpTable | TimeHarpTable
        if kind == "picoharp":
            self.table = PicoHarpTable(self.world)
            self.counter: PicoHarp300 | TimeHarp260 = PicoHarp300(self.table)
        else:
            self.table = TimeHarpTable(self.world, kind=PICO if kind == "pico" else NANO, n_inputs=n_inputs)
            self.counter = TimeHarp260(self.table)
        self.calls: list[tuple[object, ...]] = []
        answer = self.table.answer

        def noting(function: str, numbers: tuple[int, ...]):
            self.calls.append((function.split("_", 1)[1], *numbers[1:]))
            return answer(function, numbers)

        self.table.answer = noting  # type: ignore[method-assign]
        self.counter.open()
        self.opening = self.calls[:]
        self.calls.clear()
        self.counter.initialise(mode)
        self.initialising = self.calls[:]
        self.world.time_ns += 200 * MS
        self.calls.clear()


BOTH = [
    (lambda c: c.hardware_info, [("GetHardwareInfo",)]),
    (lambda c: c.features, [("GetFeatures",)]),
    (lambda c: c.elapsed_s, [("GetElapsedMeasTime",)]),
    (lambda c: c.is_done, [("CTCStatus",)]),
    (lambda c: c.flags, [("GetFlags",)]),
    (lambda c: c.is_bin_full, [("GetFlags",)]),
    (lambda c: c.has_lost_words, [("GetFlags",)]),
    (lambda c: c.bin_width_ps, [("GetResolution",)]),
    (lambda c: c.explain(1), [("GetWarningsText", 1)]),
    (lambda c: c.stop(), [("StopMeas",)]),
    (lambda c: setattr(c, "sync_divider", 8), [("SetSyncDiv", 8)]),
    (
        lambda c: c.set_markers([True, False, False, True], [True, True, False, False]),
        [("SetMarkerEdges", 1, 1, 0, 0), ("SetMarkerEnable", 1, 0, 0, 1)],
    ),
    (lambda c: setattr(c, "marker_holdoff_ns", 25_000), [("SetMarkerHoldoffTime", 25_000)]),
]

PICOHARP = [
    (lambda c: c.set_discriminator(Channel.SYNC, 100, 10), [("SetInputCFD", 0, 100, 10)]),
    (lambda c: c.set_discriminator(Channel.DETECTOR, 800, 20), [("SetInputCFD", 1, 800, 20)]),
    (lambda c: setattr(c, "bin_width_ps", 512.0), [("SetBinning", 7)]),
    (lambda c: setattr(c, "offset_ps", 5_000), [("SetOffset", 5_000)]),
    (lambda c: setattr(c, "sync_offset_ps", -4_000), [("SetSyncOffset", -4_000)]),
    (lambda c: setattr(c, "multistop_enabled", False), [("SetMultistopEnable", 0)]),
    (lambda c: c.rates, [("GetCountRate", 0), ("GetCountRate", 1)]),
    (lambda c: c.warnings, [("GetCountRate", 0), ("GetCountRate", 1), ("GetWarnings",)]),
    (lambda c: c.arm(0.02), [("SetStopOverflow", 1, 65_535), ("ClearHistMem", 0), ("StartMeas", 20)]),
    (lambda c: c.read_counts(), [("GetHistogram", 0), ("GetFlags",)]),
]

PICO_BOARD = [
    (lambda c: c.set_discriminator(Channel.SYNC, 100, 10), [("SetSyncCFD", -100, -10)]),
    (lambda c: c.set_discriminator(Channel.DETECTOR, 1200, 40), [("SetInputCFD", 0, -1200, -40)]),
    (lambda c: setattr(c, "bin_width_ps", 100.0), [("SetBinning", 2)]),
    (lambda c: setattr(c, "offset_ps", 5_000), [("SetOffset", 5)]),
    (lambda c: setattr(c, "sync_offset_ps", -4_000), [("SetSyncChannelOffset", -4_000)]),
    (lambda c: setattr(c, "input_offset_ps", 4_000), [("SetInputChannelOffset", 0, 4_000)]),
    (lambda c: setattr(c, "dead_time_ns", 88), [("SetInputDeadTime", 0, 3)]),
    (
        lambda c: setattr(c, "timing_mode", TimingMode.LONG_RANGE),
        [("SetTimingMode", 1), ("GetBaseResolution",)],
    ),
    (lambda c: c.rates, [("GetSyncRate",), ("GetCountRate", 0)]),
    (lambda c: c.sync_period_s, [("GetSyncPeriod",)]),
    (lambda c: c.warnings, [("GetSyncRate",), ("GetCountRate", 0), ("GetWarnings",)]),
    (lambda c: c.arm(0.02), [("SetStopOverflow", 1, 2**32 - 1), ("ClearHistMem",), ("StartMeas", 20)]),
    (lambda c: c.read_counts(), [("GetHistogram", 0, 0), ("GetFlags",)]),
]

NANO_BOARD = [
    (lambda c: c.set_edge_trigger(Channel.SYNC, -300, Edge.FALLING), [("SetSyncEdgeTrg", -300, 0)]),
    (lambda c: c.set_edge_trigger(Channel.DETECTOR, 1200, Edge.RISING), [("SetInputEdgeTrg", 0, 1200, 1)]),
    (lambda c: setattr(c, "bin_width_ps", 250.0), [("SetBinning", 0)]),
]

CASES = [
    *[("picoharp", *case) for case in BOTH + PICOHARP],
    *[("pico", *case) for case in BOTH + PICO_BOARD],
    *[("nano", *case) for case in BOTH + NANO_BOARD],
]


@pytest.mark.parametrize(("kind", "act", "expected"), CASES)
def test_what_is_called(kind, act, expected):
    logged = Logged(kind)
    act(logged.counter)
    assert logged.calls == expected


@pytest.mark.parametrize("kind", ["picoharp", "pico"])
def test_t3_mode_starts_without_a_histogram_and_reads_full_blocks(kind):
    logged = Logged(kind, Mode.T3)
    logged.counter.arm(1.0)
    logged.counter.read_words()
    assert logged.calls == [("StartMeas", 1000), ("ReadFiFo", 131_072)]


def test_the_picoharp_is_calibrated_after_initialising():
    logged = Logged("picoharp")
    assert logged.opening == [("GetLibraryVersion",), ("OpenDevice",)]
    assert logged.initialising == [("Initialize", 0), ("Calibrate",), ("GetBaseResolution",)]


def test_the_second_input_of_a_dual_board_is_switched_off_and_its_rate_read_before_warnings():
    logged = Logged("pico", n_inputs=2)
    assert logged.initialising == [
        ("Initialize", 0),
        ("GetHardwareInfo",),
        ("GetBaseResolution",),
        ("GetNumOfInputChannels",),
        ("SetInputChannelEnable", 0, 1),
        ("SetInputChannelEnable", 1, 0),
        ("SetHistoLen", 5),
    ]
    _ = logged.counter.warnings
    assert logged.calls == [("GetSyncRate",), ("GetCountRate", 0), ("GetCountRate", 1), ("GetWarnings",)]


@pytest.mark.parametrize(
    ("vendor", "face"), [(PHLIB, picoharp.PHLIB), (TH260LIB, timeharp.TH260LIB)], ids=["PH", "TH260"]
)
def test_driver_and_double_agree_on_the_number_of_arguments_of_every_function(vendor, face):
    for name, types in vendor.declarations.items():
        assert len(types) == len(face.signatures[vendor.prefix + name]), name


@pytest.mark.parametrize("code", [code for code in PicoHarpCode if code not in (-36, -37)])
def test_every_picoharp_error_carries_function_number_name_and_advice(code):
    logged = Logged("picoharp")
    logged.table.inject("PH_SetBinning", code)
    with pytest.raises(PicoHarpError, match=rf"PH_SetBinning\(0, 1\) returned {int(code)} \({code.name}\)\. \w+"):
        logged.counter.bin_width_ps = 8.0


@pytest.mark.parametrize("code", [code for code in TimeHarpCode if code not in (-36, -37)])
def test_every_timeharp_error_carries_function_number_name_and_advice(code):
    logged = Logged("pico")
    logged.table.inject("TH260_SetBinning", code)
    with pytest.raises(TimeHarpError, match=rf"TH260_SetBinning\(0, 1\) returned {int(code)} \({code.name}\)\. \w+"):
        logged.counter.bin_width_ps = 50.0


def test_code_29_means_different_things():
    assert "STATUS_FAIL" in str(PicoHarpError("f", (), -29))
    assert "THREADSTATE_FAIL" in str(TimeHarpError("f", (), -29))


def test_an_unknown_code_is_said_to_be_unknown():
    assert "returned -99 (unknown)" in str(TimeHarpError("f", (), -99))


def test_the_librarys_own_text_of_an_error():
    assert Logged("picoharp").counter.error_text(-36) == "ERROR -36"


@pytest.mark.parametrize("values", [[True] * 3, [True] * 5])
def test_there_are_four_markers(values):
    logged = Logged("pico")
    with pytest.raises(ValueError, match=rf"is_enabled has {len(values)} values, the device has 4 marker inputs"):
        logged.counter.set_markers(values, [True] * 4)
    assert logged.calls == []


@pytest.mark.parametrize("driver", [PicoHarp300, TimeHarp260])
def test_properties_say_first_what_they_do(driver):
    members = {name: getattr(driver, name) for name in dir(driver) if not name.startswith("_")}
    properties = {name: member for name, member in members.items() if isinstance(member, property)}
    assert len(properties) > 15
    for name, member in properties.items():
        verb = "Control" if member.fset else "Get|Measure"
        assert str(member.__doc__).split()[0] in verb.split("|"), name


@pytest.mark.parametrize(
    "kind, name, written, default",
    [
        ("picoharp", "marker_holdoff_ns", 25_000, None),
        ("pico", "marker_holdoff_ns", 25_000, None),
        ("pico", "sync_offset_ps", -4_000, None),
        ("pico", "input_offset_ps", 4_000, None),
    ],
)
def test_what_the_library_cannot_tell_is_remembered_until_the_device_forgets_it(kind, name, written, default):
    counter = Logged(kind).counter
    assert getattr(counter, name) is default
    setattr(counter, name, written)
    assert getattr(counter, name) == written
    counter.initialise()
    assert getattr(counter, name) is default
