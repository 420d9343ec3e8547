"""The PicoHarp 300 behind its library: settings, ranges, rates and warnings.

Source: PHLib 3.0 header files (ranges, codes); 5 % and 100 Hz of the warnings from the vendor's TimeHarp 260 and
MultiHarp 150 manuals, 10 Mcps from the converters' speed given on tcspc.com.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from simulators.detection import DetectorSettings
from simulators.tcspc.device import CounterDevice, Readiness
from simulators.tcspc.histogramming import DelaySettings
from simulators.tcspc.refusal import check
from simulators.tcspc.tagging import RecordLayout
from simulators.tcspc.world import World

N_BINS = 65536
TICK_PS = 4

_WARNING_TEXTS = {
    0x0001: "No sync pulses.",
    0x0002: "Sync rate below 100 Hz.",
    0x0004: "Sync rate after the divider above 10 MHz.",
    0x0010: "No photons.",
    0x0040: "Photon rate above 10 Mcps.",
    0x0100: "Photon rate above 5 % of the sync rate.",
    0x0200: "Sync divider greater than one, but not needed.",
    0x0400: "Sync period longer than the time span.",
    0x0800: "Offset set, but the time span covers the sync period.",
}


class PicoHarp(CounterDevice):
    """One simulated PicoHarp 300; parameters as for `CounterDevice`."""

    max_count = 65535  # the histogram memory is 16 bits deep
    layout = RecordLayout(sync_bits=16, delay_bits=12, channel=1, has_packed_turns=False)
    word_step = 512
    max_holdoff_ns = 210_480
    first_readiness = Readiness.INITIALISED

    def __init__(self, world: World, detector: DetectorSettings, seed: int, serial: str) -> None:
        super().__init__(world, detector, seed, serial, DelaySettings(TICK_PS, stop_count=self.max_count), N_BINS)
        self._rates_shown = [0, 0]

    def initialise(self, mode: int) -> None:
        """Prepare a mode; all settings return to their defaults."""
        super().initialise(mode)
        self._rates_shown = [0, 0]

    def calibrate(self) -> None:
        """Calibrate the converters."""
        self.readiness = Readiness.CALIBRATED

    def hardware_info(self) -> tuple[str, str, str]:
        """Return model, part number and version."""
        return "PicoHarp 300", "930004", "2.0"

    def features(self) -> int:
        """Return the features: library, time tags, markers, low resolution."""
        return 0x0F

    def base_resolution(self) -> tuple[float, int]:
        """Return the base resolution in ps and the number of bin widths."""
        return float(TICK_PS), 8

    def set_discriminator(self, channel: int, level_mv: int, zero_cross_mv: int) -> None:
        """Set an input's discriminator."""
        check(channel in (0, 1) and 0 <= level_mv <= 800 and 0 <= zero_cross_mv <= 20)

    def set_binning(self, code: int) -> None:
        """Set the bin width to 4 ps times 2 to the power of the code."""
        check(0 <= code <= 7)
        self._settings = replace(self._settings, binning=code)

    def set_offset(self, offset_ps: int) -> None:
        """Set what is subtracted from each delay; rounded to the base resolution."""
        check(0 <= offset_ps <= 1_000_000_000)
        self._settings = replace(self._settings, offset_ps=TICK_PS * round(offset_ps / TICK_PS))

    def set_multistop(self, is_enabled: int) -> None:
        """Choose whether more than one photon per sync counts."""
        check(is_enabled in (0, 1))
        self._settings = replace(self._settings, is_multistop=bool(is_enabled))

    def clear_histogram(self, block: int) -> None:
        """Empty the histogram."""
        check(block == 0)
        self._counts[:] = 0

    def histogram(self, block: int) -> NDArray[np.uint32]:
        """Return the histogram up to now."""
        check(block == 0)
        return self._histogram()

    def count_rate(self, channel: int) -> int:
        """Return the rate of an input and keep it for the warnings."""
        check(channel in (0, 1))
        self._rates_shown[channel] = self._metered_cps() if channel else self._metered_sync_hz()
        return self._rates_shown[channel]

    def flags(self) -> int:
        """Return the flags of the last measurement."""
        return 0x0040 * self._has_overflow() | 0x0003 * self._has_overrun()

    def warnings(self) -> int:
        """Return the warnings, from the rates last shown."""
        sync_hz, input_cps = self._rates_shown
        period_ps = 1e12 / sync_hz if sync_hz else 0.0
        n_bins = N_BINS if self._mode == 0 else 2**self.layout.delay_bits
        span_ps = n_bins * self.resolution()
        offset_ps = self._settings.offset_ps
        found = {
            0x0001: sync_hz == 0,
            0x0002: 0 < sync_hz < 100,
            0x0004: sync_hz > 10e6 * self._divider,
            0x0010: input_cps == 0,
            0x0040: input_cps > 10e6,
            0x0100: input_cps > 0.05 * sync_hz > 0,
            0x0200: self._divider > 1 and 0 < sync_hz <= 10e6,
            0x0400: period_ps > span_ps + offset_ps,
            0x0800: offset_ps > 0 and 0 < period_ps <= span_ps,
        }
        return sum(bit for bit, is_found in found.items() if is_found)

    def warnings_text(self, warnings: int) -> str:
        """Return a line for each bit of `warnings`."""
        return "\n".join(text for bit, text in _WARNING_TEXTS.items() if bit & warnings)
