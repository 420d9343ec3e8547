"""Average power at the sample, set by a wheel of neutral density filters and verified by a power meter behind it.

The meter sits behind the wheel and sees a fixed part of the light that goes to the sample; the ratio of the two comes
from a calibration and stands in the rig file. Densities tell where to turn next, never what the power is: that is
always measured. The light is off whenever the wheel turns, because it passes brighter filters on its way, and the
search begins with the densest one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import inf, log10, nan

from tplm_daq.errors import DeviceError
from tplm_daq.readings import Setting
from tplm_daq.rig.filters import Wheel
from tplm_daq.rig.power_meter import PowerMeter
from tplm_daq.roles import Clock

LIGHT_SETTLES_S = 0.5
"""How long the meter is given after the light has come on."""

Switch = Callable[[bool], None]


@dataclass(frozen=True)
class Densities:
    """What is in the wheel, and where to turn it.

    Attributes
    ----------
    values : tuple of float
        Optical density of each position, from position 1 on.
    energies_fj : tuple of float or None
        Energy of a pulse at the sample behind each position, where a calibration has measured it, in fJ.
    """

    values: tuple[float, ...]
    energies_fj: tuple[float | None, ...] = ()

    @property
    def densest(self) -> int:
        """The position that lets the least light through."""
        return self.values.index(max(self.values)) + 1

    def begin(self, asked_nw: float, repetition_rate_hz: float) -> int:
        """Return the position at which the search for a power begins: the known one that is nearest, or the densest.

        Examples
        --------
        >>> Densities((0.0, 1.0, 2.0), (None, 2.0, 0.2)).begin(asked_nw=4.0, repetition_rate_hz=2e6)
        2
        """
        powers_nw = {n: each * 1e-6 * repetition_rate_hz for n, each in enumerate(self.energies_fj, start=1) if each}
        if not powers_nw or not repetition_rate_hz > 0:
            return self.densest
        return min(powers_nw, key=lambda n: abs(log10(powers_nw[n] / asked_nw)))

    def powers_nw(self, position: int, measured_nw: float) -> dict[int, float]:
        """Return the power to expect at each position from the one measured at `position`, in nW.

        Examples
        --------
        >>> Densities((0.0, 1.0, 2.0)).powers_nw(2, 50.0)
        {1: 500.0, 2: 50.0, 3: 5.0}
        """
        here = self.values[position - 1]
        return {n: measured_nw * 10.0 ** (here - density) for n, density in enumerate(self.values, start=1)}

    def nearest(self, position: int, measured_nw: float, asked_nw: float) -> int:
        """Return the position whose expected power is nearest to the one asked for, as a ratio.

        Examples
        --------
        >>> Densities((0.0, 1.0, 2.0)).nearest(3, measured_nw=5.0, asked_nw=60.0)
        2
        """
        powers_nw = self.powers_nw(position, measured_nw)
        return min(powers_nw, key=lambda n: abs(log10(powers_nw[n] / asked_nw)))

    def next_brighter(self, position: int) -> int | None:
        """Return the position with the next smaller density, None at the brightest one."""
        here = self.values[position - 1]
        return max(
            (n for n, density in enumerate(self.values, start=1) if density < here),
            key=lambda n: self.values[n - 1],
            default=None,
        )


class AttenuatedPower:
    """Sets and measures the average power at the sample.

    Parameters
    ----------
    wheel : Wheel
        The attenuator.
    meter : PowerMeter
        The meter behind it.
    densities : Densities
        What is in the wheel.
    tolerance : float
        Relative deviation from the power asked for that is accepted.
    clock : Clock
        On which the light's settling is waited for.

    Attributes
    ----------
    latest_nw : float
        The power last measured, in nW; NaN before that.
    """

    def __init__(self, wheel: Wheel, meter: PowerMeter, densities: Densities, tolerance: float, clock: Clock) -> None:
        self.name = meter.name
        self._wheel = wheel
        self._meter = meter
        self._densities = densities
        self._tolerance = tolerance
        self._clock = clock
        self.latest_nw = nan
        self._read_s = -inf

    def power_nw(self, max_age_s: float) -> float:
        """Measure the power at the sample in nW, with the light on; a younger reading is returned again."""
        if self._clock.now() - self._read_s >= max_age_s:
            self._read()
        return self.latest_nw

    def set_power(self, asked_nw: float, switch: Switch, repetition_rate_hz: float = nan) -> float:
        """Bring the power at the sample as near as the wheel can, with the light on at the end.

        Parameters
        ----------
        asked_nw : float
            Average power wanted at the sample, in nW.
        switch : callable
            Puts the light on (True) or out (False) and confirms it.
        repetition_rate_hz : float
            With which the laser fires; lets the search begin where a calibration has it.

        Returns
        -------
        float
            The power measured, in nW.

        Raises
        ------
        DeviceError
            The meter sees no light, or no position comes within the tolerance; the light is out.
        """
        is_set = False
        try:
            switch(False)
            self._meter.zero()
            begin = self._densities.begin(asked_nw, repetition_rate_hz)
            position, measured_nw = self._search(asked_nw, begin, switch)
            self._verify(asked_nw, position, measured_nw)
            is_set = True
        finally:
            if not is_set:
                switch(False)
        return measured_nw

    def survey(self, highest_nw: float, switch: Switch, checkpoint: Callable[[], None]) -> dict[int, float]:
        """Measure the power at the sample behind each filter, the densest first, and go back to the one before.

        Parameters
        ----------
        highest_nw : float
            Filters behind which more than this is expected, in nW, are left out.
        switch : callable
            As for `set_power`; the light is on before and after.
        checkpoint : callable
            Called before each filter; raises to end it, with the light out.

        Returns
        -------
        dict
            Position to power in nW; without those through which the meter sees no light.
        """
        before, values, found = self._wheel.position(), self._densities.values, dict[int, float]()
        switch(False)
        self._meter.zero()
        for position in sorted(range(1, len(values) + 1), key=lambda n: -values[n - 1]):
            checkpoint()
            known = next(reversed(found), None)
            if known and self._densities.powers_nw(known, found[known])[position] > highest_nw:
                break
            measured_nw = self._measure_at(position, switch)
            if measured_nw >= self._meter.faintest_nw:
                found[position] = measured_nw
        self._measure_at(before, switch)
        return found

    def snapshot(self) -> Mapping[str, Setting]:
        """Return the settings of wheel and meter, with prefixes."""
        wheel, meter = self._wheel.snapshot(), self._meter.snapshot()
        return {
            **{f"attenuator_{key}": value for key, value in wheel.items()},
            "attenuator_od": self._densities.values[int(wheel["position"]) - 1],
            **{f"power_meter_{key}": value for key, value in meter.items()},
        }

    def _search(self, asked_nw: float, position: int, switch: Switch) -> tuple[int, float]:
        """Turn from a position towards the nearest to the power asked for; return it with what was measured there."""
        measured_nw = self._measure_at(position, switch)
        for _ in self._densities.values:
            if measured_nw >= self._meter.faintest_nw:
                better = self._densities.nearest(position, measured_nw, asked_nw)
            elif (brighter := self._densities.next_brighter(position)) is not None:
                better = brighter
            else:
                raise DeviceError(
                    self.name,
                    self._meter.address,
                    f"the meter sees no light through the brightest filter ({measured_nw:.3g} nW at the sample)",
                    "Check that the laser emits, the gate is open and the meter is in the beam.",
                )
            if better == position:
                break
            position, measured_nw = better, self._measure_at(better, switch)
        return position, measured_nw

    def _measure_at(self, position: int, switch: Switch) -> float:
        switch(False)
        self._wheel.turn_to(position)
        switch(True)
        self._clock.sleep(LIGHT_SETTLES_S)
        return self._read()

    def _read(self) -> float:
        self.latest_nw = self._meter.power_nw()
        self._read_s = self._clock.now()
        return self.latest_nw

    def _verify(self, asked_nw: float, position: int, measured_nw: float) -> None:
        if abs(measured_nw / asked_nw - 1) <= self._tolerance:
            return
        powers = ", ".join(f"{power:.3g}" for power in self._densities.powers_nw(position, measured_nw).values())
        raise DeviceError(
            self.name,
            self._meter.address,
            f"position {position} (OD {self._densities.values[position - 1]:g}) gives {measured_nw:.3g} nW at the "
            f"sample where {asked_nw:g} nW were asked for ({self._tolerance:.0%} allowed)",
            f"Ask for one of {powers} nW, which the positions give now, or turn the laser's intensity.",
        )
