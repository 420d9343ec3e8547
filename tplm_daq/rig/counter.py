"""The photon counter role played by a PicoHarp 300: divider, levels, 16-bit bins and dead time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from drivers.picoharp300.codes import Channel, Flags, PicoHarpError, Warnings
from drivers.picoharp300.device import PicoHarp300
from drivers.picoharp300.library import N_BINS
from tplm_daq.recipes.devices import CounterDevice
from tplm_daq.rig.links import Link
from tplm_daq.rig.planning import check_bin_width, sync_divider
from tplm_daq.roles import Clock, Histogram, Rates, Setting

RETRY_PAUSE_S = 0.1
"""Pause before the one retry after a USB hiccup."""

T = TypeVar("T")


class HistogramCounter:
    """Counts photons with a PicoHarp 300.

    Parameters
    ----------
    link : Link
        Lock, name and address of the counter.
    driver : PicoHarp300
        Opened and initialised device.
    device : CounterDevice
        Discriminator levels and dead time from the rig file.
    detector_dead_time_ns : float
        Dead time of the detector in front of it.
    clock : Clock
        Clock of the rig.
    """

    def __init__(
        self,
        link: Link,
        driver: PicoHarp300,
        device: CounterDevice,
        detector_dead_time_ns: float,
        clock: Clock,
    ) -> None:
        self.name, self.address = link.name, link.address
        self.dead_time_ns = max(device.dead_time_ns, detector_dead_time_ns)
        self._link = link
        self._driver = driver
        self._device = device
        self._clock = clock

    def bin_widths_ps(self) -> tuple[float, ...]:
        """Return the bin widths that the counter has, in ps, ascending."""
        return self._driver.bin_widths_ps

    def configure(self, bin_width_ps: float, sync_rate_hz: float) -> NDArray[np.float64]:
        """Set discriminators, divider and bin width; return the bins' centres in ns, float64 (65536,).

        Raises
        ------
        InputError
            The counter lacks this bin width, or cannot follow this sync rate even with its largest divider.
        """
        check_bin_width(bin_width_ps, self._driver.bin_widths_ps, self.name)
        divider = sync_divider(sync_rate_hz)
        device = self._device
        levels = (
            (Channel.SYNC, device.sync_level_v, device.sync_zero_cross_v),
            (Channel.DETECTOR, device.input_level_v, device.input_zero_cross_v),
        )
        for channel, level_v, zero_cross_v in levels:
            level_mv, zero_cross_mv = round(level_v * 1e3), round(zero_cross_v * 1e3)
            self._do(partial(self._driver.set_discriminator, channel, level_mv, zero_cross_mv))
        self._do(lambda: setattr(self._driver, "sync_divider", divider))
        self._do(lambda: setattr(self._driver, "offset_ps", 0))
        self._do(lambda: setattr(self._driver, "bin_width_ps", bin_width_ps))
        width_ns = self._do(lambda: self._driver.bin_width_ps) * 1e-3
        return (np.arange(N_BINS, dtype=np.float64) + 0.5) * width_ns

    def arm(self, dwell_s: float) -> None:
        """Clear and start a histogram that ends by itself after `dwell_s`."""
        self._do(lambda: self._driver.arm(dwell_s))

    def is_done(self) -> bool:
        """Tell whether the armed histogram has ended."""
        return self._do(lambda: self._driver.is_done)

    def read_counts(self) -> Histogram:
        """Stop and read the histogram: counts uint32 (65536,)."""
        self._do(self._driver.stop)
        counts = self._do(self._driver.read_counts)
        live_s = self._do(lambda: self._driver.elapsed_s)
        flags = self._do(lambda: self._driver.flags)
        return Histogram(counts, live_s, bool(flags & Flags.OVERFLOW))

    def rates(self) -> Rates:
        """Read the rate meters (they refresh every 100 ms)."""
        rates = self._do(lambda: self._driver.rates)
        return Rates(rates.sync_hz, rates.input_cps)

    def warnings(self) -> tuple[str, ...]:
        """Return the library's own warnings, one by one."""
        warnings: Warnings = self._do(lambda: self._driver.warnings)
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

    def _do(self, act: Callable[[], T]) -> T:
        """Call the library under the lock, once more after a USB hiccup."""
        with self._link.exclusive():
            try:
                return act()
            except PicoHarpError as error:
                if not error.is_transient:
                    raise
            self._clock.sleep(RETRY_PAUSE_S)
            return act()
