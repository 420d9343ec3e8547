"""One output of a function generator of the 33500 family: what is set, what is shown, and what leaves the connector.

Bursts count with their average rate if they repeat by themselves, and as no light if they wait for a trigger (**ours**:
nobody triggers them here). The commands are in `trigger.py` and `generator_waves.py`.

Source: Agilent 33500 Series Operating and Service Guide ("Output Termination": the load setting changes only the
numbers shown; amplitudes in Vpp, Vrms and dBm).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, log10, sqrt

SOURCE_OHM = 50.0
RMS_PER_PEAK = {"SIN": sqrt(1 / 8), "RAMP": sqrt(1 / 12)}
"""Of the peak-to-peak voltage; 1/2 for shapes with two levels."""


@dataclass
class Channel:
    """One output; voltages are kept as open-circuit values, since the load setting only scales what is shown."""

    shape: str = "SIN"
    frequency_hz: float = 1e3
    amplitude_emf_v: float = 0.2
    offset_emf_v: float = 0.0
    load_ohm: float = SOURCE_OHM
    pulse_width_s: float = 100e-6
    duty_percent: float = 50.0
    is_output_on: bool = False
    unit: str = "VPP"
    symmetry_percent: float = 100.0
    phase_deg: float = 0.0
    hold: str = "WIDT"
    edge_s: float = 10e-9
    polarity: str = "NORM"
    is_burst: bool = False
    burst_mode: str = "TRIG"
    n_cycles: float = 1.0
    burst_period_s: float = 10e-3
    burst_phase_deg: float = 0.0
    trigger_source: str = "IMM"
    trigger_slope: str = "POS"
    trigger_delay_s: float = 0.0
    arb_file: str = '"INT:\\BUILTIN\\EXP_RISE.ARB"'
    arb_advance: str = "SRAT"
    arb_filter: str = "STEP"
    arb_rate_hz: float = 40e3

    @property
    def high_v(self) -> float:
        """Upper level shown for the load setting, in V."""
        return (self.offset_emf_v + self.amplitude_emf_v / 2) * divider(self.load_ohm)

    @property
    def low_v(self) -> float:
        """Lower level shown for the load setting, in V."""
        return (self.offset_emf_v - self.amplitude_emf_v / 2) * divider(self.load_ohm)

    @property
    def offset_v(self) -> float:
        """Middle of the levels shown for the load setting, in V."""
        return self.offset_emf_v * divider(self.load_ohm)

    @property
    def edges_hz(self) -> float:
        """Rate of rising edges at the connector on average, 0 with the output off or at a constant level."""
        if not self.is_output_on or self.shape == "DC":
            return 0.0
        return self._burst_edges_hz() if self.is_burst else self.frequency_hz

    def _burst_edges_hz(self) -> float:
        """Return the rate of bursts that repeat by themselves; those that wait for a trigger have none."""
        if self.burst_mode != "TRIG" or self.trigger_source != "IMM":
            return 0.0
        return min(self.frequency_hz, self.n_cycles / self.burst_period_s)

    @property
    def amplitude(self) -> float:
        """Amplitude shown, in the unit of the channel."""
        peak_v = self.amplitude_emf_v * divider(self.load_ohm)
        if self.unit == "VPP":
            return peak_v
        rms_v = peak_v * RMS_PER_PEAK.get(self.shape, 0.5)
        return rms_v if self.unit == "VRMS" else 10 * log10(rms_v**2 / self.load_ohm / 1e-3)

    def emf_of(self, amplitude: float) -> float:
        """Return the open-circuit peak-to-peak voltage of an amplitude in the unit of the channel."""
        rms_v = sqrt(10 ** (amplitude / 10) * 1e-3 * self.load_ohm) if self.unit == "DBM" else amplitude
        peak_v = amplitude if self.unit == "VPP" else rms_v / RMS_PER_PEAK.get(self.shape, 0.5)
        return peak_v / divider(self.load_ohm)

    def levels_into(self, load_ohm: float) -> tuple[float, float] | None:
        """Return the lower and upper level, in V, across a real load; None with the output off (line open)."""
        if not self.is_output_on:
            return None
        half_v = 0.0 if self.shape == "DC" else self.amplitude_emf_v / 2
        scale = divider(load_ohm)
        return (self.offset_emf_v - half_v) * scale, (self.offset_emf_v + half_v) * scale


def divider(load_ohm: float) -> float:
    """Return the part of the open-circuit voltage that a load receives."""
    return 1.0 if load_ohm == inf else load_ohm / (load_ohm + SOURCE_OHM)
