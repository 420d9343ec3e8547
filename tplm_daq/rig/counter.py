"""The photon counter role played by a PicoHarp 300 or a TimeHarp 260, in histogram or T3 mode.

Either mode delivers a histogram. In histogram mode a bin that is full ends a run early, on a PicoHarp at 65 535
counts; the counts are then taken out and the rest of the dwell is counted anew, so that none is lost and the live time
is what was counted. In T3 mode the records must be fetched all the time (`read_words`); they are counted as they come.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from drivers.picoharp300.device import PicoHarp300
from drivers.picoquant.counter import MAX_WORDS, READ_INTERVAL_S, Channel, Mode
from drivers.picoquant.errors import RETRY_PAUSE_S, VendorError
from drivers.timeharp260.codes import Edge
from drivers.timeharp260.device import TimeHarp260
from tplm_daq.errors import InputError
from tplm_daq.photons.records import RecordFormat, TagStream
from tplm_daq.readings import CountingMode, Histogram, Rates, Setting, TagSource
from tplm_daq.recipes.devices import CounterDevice, TimeHarpDevice
from tplm_daq.rig.links import Link
from tplm_daq.rig.planning import check_bin_width
from tplm_daq.roles import Clock

MILLISECOND = 1e-3
"""Counters run for whole milliseconds."""

MOST_COUNTS = 2**32 - 1
"""Of a bin of a `Histogram`."""

Driver: TypeAlias = PicoHarp300 | TimeHarp260
T = TypeVar("T")


class HistogramCounter:
    """Counts photons over their delay.

    Parameters
    ----------
    link : Link
        Lock, name and address of the counter.
    driver : PicoHarp300 or TimeHarp260
        Opened and initialised device.
    device : CounterDevice or TimeHarpDevice
        Discriminator levels and dead time from the rig file.
    detector_dead_time_ns : float
        Dead time of the detector in front of it.
    clock : Clock
        Clock of the rig.
    """

    read_interval_s = READ_INTERVAL_S

    def __init__(
        self,
        link: Link,
        driver: Driver,
        device: CounterDevice | TimeHarpDevice,
        detector_dead_time_ns: float,
        clock: Clock,
    ) -> None:
        self.name, self.address = link.name, link.address
        self.dead_time_ns = max(device.dead_time_ns, detector_dead_time_ns)
        self._link = link
        self._driver = driver
        self._device = device
        self._clock = clock
        self.tag_source = _tag_source(device)
        self._stream = self._new_stream()
        self._kept: list[NDArray[np.uint32]] | None = None
        self._counts = np.zeros(0, dtype=np.uint32)
        self._dwell_s = self._live_s = 0.0
        self._is_counting = False

    def bin_widths_ps(self) -> tuple[float, ...]:
        """Return the bin widths that the counter has, in ps, ascending."""
        return self._driver.bin_widths_ps

    def configure(
        self, bin_width_ps: float, sync_rate_hz: float, mode: CountingMode = "histogram", keep_words: bool = False
    ) -> NDArray[np.float64]:
        """Set mode, inputs, divider and bin width; return the bins' centres in ns, float64 (n_bin,).

        Raises
        ------
        InputError
            The counter lacks this bin width, or cannot follow this sync rate even with its largest divider.
        """
        driver = self._driver
        check_bin_width(bin_width_ps, driver.bin_widths_ps)
        try:
            divider = driver.sync_divider_for(sync_rate_hz)
        except ValueError as error:
            raise InputError(f"light.repetition_rate: {error}") from error
        wanted = Mode.T3 if mode == "t3" else Mode.HISTOGRAM
        if driver.mode != wanted:
            self._do(lambda: driver.initialise(wanted))
        device = self._device
        self._set_input(Channel.SYNC, device.sync_level_v, device.sync_zero_cross_v)
        self._set_input(Channel.DETECTOR, device.input_level_v, device.input_zero_cross_v)
        self._do(lambda: setattr(driver, "sync_divider", divider))
        self._do(lambda: setattr(driver, "offset_ps", 0))
        self._do(lambda: setattr(driver, "bin_width_ps", bin_width_ps))
        width_ns = self._do(lambda: driver.bin_width_ps) * 1e-3
        self._kept = [] if keep_words and wanted == Mode.T3 else None
        self._counts = np.zeros(driver.n_bins, dtype=np.uint32)
        return (np.arange(driver.n_bins, dtype=np.float64) + 0.5) * width_ns

    def arm(self, dwell_s: float) -> None:
        """Clear and start a histogram that ends by itself after `dwell_s`."""
        self._counts = np.zeros_like(self._counts)
        self._stream = self._new_stream()
        self._kept = None if self._kept is None else []
        self._dwell_s, self._live_s = dwell_s, 0.0
        self._do(lambda: self._driver.arm(dwell_s))
        self._is_counting = True

    def is_done(self) -> bool:
        """Tell whether the armed histogram has ended; goes on counting if only a bin was full."""
        if not self._do(lambda: self._driver.is_done):
            return False
        if self._driver.mode == Mode.T3 or not self._is_counting or not self._do(lambda: self._driver.is_bin_full):
            return True
        self._take_counts()
        if not self._has_room():
            return True
        rest_s = round(self._rest_s(), 3)
        if rest_s < MILLISECOND:
            return True
        self._do(lambda: self._driver.arm(rest_s))
        self._is_counting = True
        return False

    def read_words(self) -> NDArray[np.uint32]:
        """Read and count the time-tag records that have come, uint32 (n_word,); none in histogram mode.

        In T3 mode it must be called every `read_interval_s` during a run, and once more when the run is done.
        """
        if self._driver.mode != Mode.T3:
            return np.zeros(0, dtype=np.uint32)
        n_least = 1 if self._do(lambda: self._driver.is_done) else MAX_WORDS
        pieces = [self._do(self._driver.read_words)]
        while len(pieces[-1]) >= n_least:
            pieces.append(self._do(self._driver.read_words))
        words = np.concatenate(pieces)
        self._stream.count(words, self._counts, self.tag_source.channel)
        if self._kept is not None:
            self._kept.append(words)
        return words

    def read_counts(self) -> Histogram:
        """Stop and read the histogram: counts uint32 (n_bin,).

        `has_overflow` tells that the rest of the dwell could not be counted: a bin is full to 32 bits, or records were
        not fetched in time. The live time of the latter case is that of the last turn of the sync counter.
        """
        if self._driver.mode == Mode.T3:
            return self._finish_tags()
        if self._is_counting:
            self._take_counts()
        is_cut_short = self._rest_s() >= MILLISECOND and self._do(lambda: self._driver.is_bin_full)
        return Histogram(self._counts, self._live_s, is_cut_short)

    def rates(self) -> Rates:
        """Read the rate meters (they refresh every 100 ms)."""
        rates = self._do(lambda: self._driver.rates)
        return Rates(rates.sync_hz, rates.input_cps)

    def warnings(self) -> tuple[str, ...]:
        """Return the library's own warnings, one by one."""
        warnings = self._do(lambda: self._driver.warnings)
        return tuple(str(warning.name).lower().replace("_", " ") for warning in warnings)

    def stop(self) -> None:
        """Stop counting (harmless when nothing runs)."""
        self._do(self._driver.stop)

    def snapshot(self) -> Mapping[str, Setting]:
        """Return identity, settings and rates."""
        driver, device = self._driver, self._device
        info = self._do(lambda: driver.hardware_info)
        rates = self.rates()
        return {
            "model": info.model,
            "part_number": info.part_number,
            "hardware_version": info.version,
            "serial": driver.serial,
            "library_version": self._do(lambda: driver.library_version),
            "mode": "" if driver.mode is None else driver.mode.name.lower(),
            "bin_width_ps": self._do(lambda: driver.bin_width_ps),
            "offset_ps": driver.offset_ps or 0,
            "sync_divider": driver.sync_divider or 1,
            "sync_level_v": device.sync_level_v,
            "sync_zero_cross_v": device.sync_zero_cross_v,
            "input_level_v": device.input_level_v,
            "input_zero_cross_v": device.input_zero_cross_v,
            "dead_time_ns": self.dead_time_ns,
            "sync_hz": rates.sync_hz,
            "input_cps": rates.input_cps,
            "warnings": ", ".join(self.warnings()),
        }

    def make_safe(self) -> None:
        """Stop counting."""
        self.stop()

    def close(self) -> None:
        """Close the device."""
        with self._link.exclusive():
            self._driver.close()

    def _set_input(self, channel: Channel, level_v: float, zero_cross_v: float) -> None:
        """Set the threshold of an input for negative pulses; a NANO has no zero crossing."""
        driver, level_mv = self._driver, round(level_v * 1e3)
        if isinstance(driver, TimeHarp260) and not driver.is_pico:
            self._do(partial(driver.set_edge_trigger, channel, -level_mv, Edge.FALLING))
        else:
            self._do(partial(driver.set_discriminator, channel, level_mv, round(zero_cross_v * 1e3)))

    def _take_counts(self) -> None:
        """Stop, and add what was counted since the last arming."""
        self._do(self._driver.stop)
        self._counts = self._counts + self._do(self._driver.read_counts)
        self._live_s += self._do(lambda: self._driver.elapsed_s)
        self._is_counting = False

    def _has_room(self) -> bool:
        """Tell whether another full run would fit into 32 bits."""
        return int(self._counts.max()) <= MOST_COUNTS - self._driver.max_count

    def _new_stream(self) -> TagStream:
        return TagStream(RecordFormat(self.tag_source.record_type))

    def _rest_s(self) -> float:
        return self._dwell_s - self._live_s

    def _finish_tags(self) -> Histogram:
        """Stop, fetch what is left, and return what was counted."""
        self._do(self._driver.stop)
        self.read_words()
        elapsed_s = self._do(lambda: self._driver.elapsed_s)
        has_lost = self._do(lambda: self._driver.has_lost_words)
        if has_lost and (sync_hz := self.rates().sync_hz) > 0:
            elapsed_s = min(elapsed_s, self._stream.n_syncs / sync_hz)
        words = None if self._kept is None else np.concatenate(self._kept)
        return Histogram(self._counts, elapsed_s, has_lost, words)

    def _do(self, act: Callable[[], T]) -> T:
        """Call the library under the lock, once more after a USB hiccup."""
        with self._link.exclusive():
            try:
                return act()
            except VendorError as error:
                if not error.is_transient:
                    raise
            self._clock.sleep(RETRY_PAUSE_S)
            return act()


def _tag_source(device: CounterDevice | TimeHarpDevice) -> TagSource:
    """Return the layout of a model's records, and the detector's input in them."""
    if isinstance(device, TimeHarpDevice):
        return TagSource(RecordFormat.GENERIC_T3.value, device.input)
    return TagSource(RecordFormat.PICOHARP_T3.value, 0)
