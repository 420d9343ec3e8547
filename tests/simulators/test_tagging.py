"""T3 mode of the counters' doubles: the photons of histogram mode, whatever is asked when, and a finite FIFO."""

from __future__ import annotations

from ctypes import byref, c_int, c_uint, create_string_buffer

import numpy as np
import pytest

from drivers.picoharp300.device import PicoHarp300
from drivers.picoquant.counter import MAX_WORDS, Mode
from simulators.bench import BenchSettings
from simulators.detection import DetectorSettings
from simulators.emission import uniform_emission
from simulators.picoharp300.face import PHLIB
from simulators.picoharp300.table import PicoHarpTable
from simulators.serving.bench import ServedBench
from simulators.serving.far import FarBench
from simulators.timeharp260.device import NANO
from simulators.timeharp260.table import TimeHarpTable
from tests.simulators.counter_world import MS, SECOND, CounterWorld, flash
from tplm_daq.photons.records import RecordFormat, TagStream

IDEAL = DetectorSettings(diode_dead_ns=0.0, counter_dead_ns=0.0, afterpulse_probability=0.0)
KINDS = {
    "PH": (lambda world, **options: PicoHarpTable(world, IDEAL, seed=7, **options), RecordFormat.PICOHARP_T3),
    "TH260": (lambda world, **options: TimeHarpTable(world, IDEAL, seed=7, **options), RecordFormat.GENERIC_T3),
}


class Counter:
    """Calls a table's functions as a program in C would."""

    def __init__(self, library: str, world: CounterWorld, mode: int = 3, **options: object) -> None:
        make, self.record_format = KINDS[library]
        self.library, self.world, self.table = library, world, make(world, **options)
        assert self.call("OpenDevice", create_string_buffer(8)) == 0
        assert self.call("Initialize", mode) == 0
        if library == "PH":
            assert self.call("Calibrate") == 0

    def call(self, name: str, *arguments: object) -> int:
        return int(self.table[f"{self.library}_{name}"](0, *arguments))

    def integer(self, name: str) -> int:
        value = c_int()
        assert self.call(name, byref(value)) == 0
        return value.value

    def read(self, n_most: int = 131_072) -> np.ndarray:
        buffer, n_words = (c_uint * n_most)(), c_int()
        assert self.call("ReadFiFo", buffer, n_most, byref(n_words)) == 0
        return np.array(buffer[: n_words.value], dtype=np.uint32)

    def histogram(self) -> np.ndarray:
        counts = (c_uint * 65_536)()
        assert self.call("GetHistogram", counts, 0, *([0] * (self.library == "TH260"))) == 0
        return np.array(counts, dtype=np.uint32)


@pytest.fixture
def world() -> CounterWorld:
    return CounterWorld(uniform_emission(100_000.0, 200.0))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_histograms_photons(kind):
    counts = {}
    for mode in (0, 3):
        world = CounterWorld(uniform_emission(100_000.0, 200.0))
        counter = Counter(kind, world, mode)
        counter.call("SetBinning", 4)
        assert counter.call("StartMeas", 500) == 0
        world.time_ns += 500 * MS
        counts[mode] = counter.histogram()[:4096] if mode == 0 else np.zeros(4096, dtype=np.uint32)
        if mode == 3:
            TagStream(counter.record_format).count(counter.read(), counts[mode])
    assert counts[0].sum() == pytest.approx(50_000, abs=4 * 224)
    assert np.array_equal(counts[0], counts[3])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("hold_ns", [20 * MS, SECOND])
def test_reading_often_and_in_small_pieces_changes_no_photon(kind, hold_ns):
    found = []
    for n_looks, n_most in ((1, 131_072), (100, 512)):
        world = CounterWorld(uniform_emission(20_000.0, 333.3))
        world.hold_ns = hold_ns
        counter = Counter(kind, world)
        counter.call("SetBinning", 5)
        counter.call("StartMeas", 1000)
        pieces = []
        for _ in range(n_looks):
            world.time_ns += SECOND // n_looks
            pieces.append(counter.read(n_most))
        while len(pieces[-1]):
            pieces.append(counter.read(n_most))
        found.append(TagStream(counter.record_format).decode(np.concatenate(pieces))[0])
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_sync_numbers_count_every_pulse_of_the_laser(kind, world):
    world.light = flash(5.0, 0.01, period_ns=200.0)
    world.hold_ns = 30 * MS  # the light is asked for anew many times
    counter = Counter(kind, world)
    assert counter.call("StartMeas", 1000) == 0
    world.time_ns += SECOND
    photons, _ = TagStream(counter.record_format).decode(counter.read())
    assert np.all(np.diff(photons.sync_number) >= 0)
    assert photons.sync_number[0] < 2000
    assert photons.sync_number[-1] == pytest.approx(5e6, abs=2000)
    gaps = np.diff(np.unique(photons.sync_number))
    assert gaps.mean() == pytest.approx(1 / (1 - np.exp(-0.01)), rel=4 / np.sqrt(len(gaps)))


@pytest.mark.parametrize("kind", KINDS)
def test_a_fifo_that_nobody_reads_ends_the_measurement_with_its_flag(kind, world):
    world.light = uniform_emission(5e6, 12.5)
    counter = Counter(kind, world)
    assert counter.call("StartMeas", 1000) == 0
    world.time_ns += 40 * MS
    assert counter.integer("GetFlags") == 0
    world.time_ns += 40 * MS
    assert counter.integer("GetFlags") == {"PH": 0x0003, "TH260": 0x0002}[kind]
    assert counter.integer("CTCStatus") == 1
    assert len(counter.read()) == len(counter.read()) == 131_072
    assert len(counter.read()) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_what_belongs_to_the_other_mode_is_refused(kind, world):
    assert Counter(kind, world).call("GetHistogram", (c_uint * 65_536)(), 0, *([0] * (kind == "TH260"))) == -18
    histogramming = Counter(kind, world, mode=0)
    assert histogramming.call("ReadFiFo", (c_uint * 512)(), 512, byref(c_int())) == -18


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n_most", [0, -512, 100, 131_072 + 512])
def test_a_block_of_another_size_is_refused(kind, n_most, world):
    counter = Counter(kind, world)
    assert counter.call("ReadFiFo", (c_uint * 140_000)(), n_most, byref(c_int())) == -17


@pytest.mark.parametrize("kind", KINDS)
def test_settings_are_refused_during_a_measurement(kind, world):
    counter = Counter(kind, world)
    assert counter.call("StartMeas", 100) == 0
    for name, *arguments in (("SetBinning", 1), ("SetMarkerEnable", 1, 1, 1, 1), ("SetSyncDiv", 2), ("StartMeas", 1)):
        assert counter.call(name, *arguments) == -16
    assert counter.call("StopMeas") == 0
    assert counter.call("SetMarkerEdges", 1, 0, 1, 0) == 0
    assert counter.call("SetMarkerEnable", 2, 0, 0, 0) == -17


def test_delays_beyond_the_picoharps_12_bits_are_not_recorded(world):
    world.light = flash(150.0, 0.01, period_ns=200.0)
    counter = Counter("PH", world)
    for code, is_recorded in ((2, False), (4, True)):  # 65.5 ns and 262 ns
        counter.call("SetBinning", code)
        counter.call("StartMeas", 100)
        world.time_ns += 100 * MS
        photons, _ = TagStream(counter.record_format).decode(counter.read())
        assert bool(len(photons.delay_bin)) == is_recorded


@pytest.mark.parametrize("kind", KINDS)
def test_without_sync_there_are_no_photons(kind, world):
    counter = Counter(kind, world)
    world.sync_hz = 0.0
    counter.call("StartMeas", 100)
    world.time_ns += 50 * MS
    assert counter.integer("GetFlags") == {"PH": 0, "TH260": 0x0004}[kind]
    assert len(counter.read()) == 0


def test_a_full_block_of_records_crosses_the_socket_of_a_served_bench(monkeypatch):
    words = np.random.default_rng(3).integers(0, 2**32, MAX_WORDS, dtype=np.uint32)
    served = ServedBench(BenchSettings())
    far = FarBench(served.address, PHLIB)
    try:
        far.connect()
        counter = PicoHarp300(far.library)
        counter.open()
        counter.initialise(Mode.T3)
        monkeypatch.setattr(served.bench.counter.device, "read_fifo", lambda n_most: (words, len(words)))
        assert np.array_equal(counter.read_words(), words)
    finally:
        far.close()
        served.close()


def test_offsets_of_sync_and_input_cancel(world):
    world.light = flash(100.0, 0.01, period_ns=200.0)
    counter = Counter("TH260", world, kind=NANO)
    for sync_ps, input_ps, expected in ((0, 0, 400), (10_000, 0, 360), (0, 10_000, 440), (7_000, 7_000, 400)):
        assert counter.call("SetSyncChannelOffset", sync_ps) == 0
        assert counter.call("SetInputChannelOffset", 0, input_ps) == 0
        counter.call("StartMeas", 100)
        world.time_ns += 100 * MS
        photons, _ = TagStream(counter.record_format).decode(counter.read())
        assert set(photons.delay_bin.tolist()) <= {expected - 1, expected}
