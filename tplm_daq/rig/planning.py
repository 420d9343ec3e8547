"""What the boxes of a rig file can do, worked out without opening any of them.

Coordinates of the sample plane become actuator positions here and nowhere else::

    actuator_mm = centre_mm + direction * sample_nm * magnification * 1e-6

A check before a run and the opened devices ask the same functions, so that both refuse the same things in the
same words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.picoharp300.device import BASE_RESOLUTION_PS, PicoHarp300
from drivers.picoharp300.library import N_BINS
from drivers.timeharp260.device import TimeHarp260
from drivers.timeharp260.library import N_BINS as TIMEHARP_BINS
from drivers.zfs25b import ZFS25B
from tplm_daq.errors import InputError, LimitError
from tplm_daq.recipes.devices import ActuatorDevice, CounterDevice, Devices, TimeHarpDevice
from tplm_daq.recipes.rig import Limits, RigRecipe

PICOHARP_WIDTHS_PS = tuple(BASE_RESOLUTION_PS * 2**binning for binning in range(8))
"""Bin widths of a PicoHarp 300, 4 to 512 ps (phdefin.h of PHLib 3.0: 4 ps, BINSTEPSMAX 8)."""
TIMEHARP_BASE_PS = {"pico": 25.0, "nano": 250.0}
"""Smallest bin width of a TimeHarp 260 by board; there are 22, each twice the one before (TH260Lib 3.2 manual)."""

MANY = 8
"""Bin widths that a message lists."""


@dataclass(frozen=True)
class AxisTravel:
    """How one actuator holds the detector in the image plane.

    Attributes
    ----------
    name : str
        Its role in the rig file.
    device : ActuatorDevice
        Centre, direction and travel.
    magnification : float
        Image over sample distance along this axis.
    """

    name: str
    device: ActuatorDevice
    magnification: float

    def to_mm(self, sample_nm: float) -> float:
        """Return the actuator position for a sample-plane coordinate."""
        return self.device.centre_mm + self.device.direction * sample_nm * self.magnification * 1e-6

    def to_nm(self, actuator_mm: float) -> float:
        """Return the sample-plane coordinate for an actuator position."""
        return self.device.direction * (actuator_mm - self.device.centre_mm) * 1e6 / self.magnification

    def limits_nm(self) -> tuple[float, float]:
        """Return the lowest and the highest coordinate within reach."""
        low_nm, high_nm = sorted((self.to_nm(self.device.lowest_mm), self.to_nm(self.device.highest_mm)))
        return low_nm, high_nm

    def check(self, sample_nm: float) -> float:
        """Return the target in mm; LimitError if the travel does not reach it."""
        target_mm = self.to_mm(sample_nm)
        if not self.device.lowest_mm <= target_mm <= self.device.highest_mm:
            raise LimitError(
                self.name,
                sample_nm,
                *self.limits_nm(),
                "nm in the sample plane",
                "Choose a smaller path or another centre, or correct the travel in the rig file.",
            )
        return target_mm

    def move_time_s(self, from_nm: float, to_nm: float) -> float:
        """Return how long a move between two coordinates takes, with its second leg against backlash."""
        return ZFS25B.move_time_s(self.to_mm(to_nm) - self.to_mm(from_nm))

    def first_move_s(self, to_nm: float) -> float:
        """Return how long the move from the reference position to a coordinate takes."""
        return ZFS25B.move_time_s(self.to_mm(to_nm))

    def homing_time_s(self) -> float:
        """Return how long a reference run from the far end of the travel takes."""
        return self.device.highest_mm / ZFS25B.home_velocity_mm_s


def travels(rig: RigRecipe) -> dict[str, AxisTravel]:
    """Return the travel of both detector axes, under "x" and "y"."""
    devices, optics = rig.devices, rig.optics
    return {
        "x": AxisTravel("detector_x", devices.detector_x, optics.magnification_x),
        "y": AxisTravel("detector_y", devices.detector_y, optics.magnification_y),
    }


def check_light(limits: Limits, repetition_rate_hz: float, average_power_nw: float) -> None:
    """Raise LimitError if the rig may not be taken to this light."""
    for what, value, highest, unit in (
        ("light.repetition_rate", repetition_rate_hz, limits.repetition_rate_hz, "Hz"),
        ("light.average_power", average_power_nw, limits.average_power_nw, "nW"),
    ):
        if not 0 < value <= highest:
            raise LimitError(what, value, 0, highest, unit, "See limits in the rig file.")


def check_temperature(limits: Limits, kelvin: float) -> None:
    """Raise LimitError if the rig may not be taken to this temperature."""
    low_k, high_k = limits.lowest_temperature_k, limits.highest_temperature_k
    if not low_k <= kelvin <= high_k:
        raise LimitError("temperature", kelvin, low_k, high_k, "K", "See limits in the rig file.")


def check_bin_width(bin_width_ps: float, widths_ps: Sequence[float]) -> None:
    """Raise InputError, with the nearest width that the counter has, unless it has this one."""
    if bin_width_ps in widths_ps:
        return
    near_ps = sorted(widths_ps, key=lambda width_ps: abs(width_ps - bin_width_ps))[:MANY]
    others = ", and others" if len(widths_ps) > MANY else ""
    raise InputError(
        f"counter.bin_width: {bin_width_ps:g} ps is not one that the counter has "
        f"({', '.join(f'{width_ps:g}' for width_ps in sorted(near_ps))} ps{others}). Write {near_ps[0]:g} ps, on the "
        f"command line --set counter.bin_width={near_ps[0]:g}ps, for a series --set scan.counter.bin_width="
        f"{near_ps[0]:g}ps."
    )


def bin_widths_ps(device: CounterDevice | TimeHarpDevice) -> tuple[float, ...]:
    """Return the bin widths that a counter may have: those of both boards if it is not said which board it is."""
    if isinstance(device, CounterDevice):
        return PICOHARP_WIDTHS_PS
    boards = TIMEHARP_BASE_PS if device.board is None else (device.board,)
    return tuple(sorted(TIMEHARP_BASE_PS[board] * 2**binning for board in boards for binning in range(22)))


def check_span(span_ns: float, bin_width_ps: float, device: CounterDevice | TimeHarpDevice, mode: str) -> None:
    """Raise InputError if the counter's bins do not reach to the end of the span."""
    n_bins = TIMEHARP_BINS
    if isinstance(device, CounterDevice):
        n_bins = PicoHarp300.t3_bins if mode == "t3" else N_BINS
    reach_ns = n_bins * bin_width_ps * 1e-3
    if span_ns > reach_ns:
        raise InputError(
            f"counter.span: {span_ns:g} ns is longer than the counter's {n_bins} bins of {bin_width_ps:g} ps reach. "
            f"Write at most {reach_ns:g} ns, or a larger counter.bin_width."
        )


def sync_divider(repetition_rate_hz: float, device: CounterDevice | TimeHarpDevice) -> int:
    """Return the sync divider with which the counter follows this rate.

    Raises
    ------
    InputError
        It cannot, even with its largest divider.
    """
    try:
        driver = PicoHarp300 if isinstance(device, CounterDevice) else TimeHarp260
        return driver.sync_divider_for(repetition_rate_hz)
    except ValueError as error:
        raise InputError(f"light.repetition_rate: {error}") from error


def check_filter(devices: Devices, name: str | None) -> None:
    """Raise InputError if the rig has no filter of this name in front of its detector."""
    if name is None:
        return
    if devices.detection_filter is None:
        raise InputError(
            f"detection_filter: {name} is asked for, but the rig has no filter wheel in front of its detector. "
            "Delete the key from the recipe, or add the device to the rig file."
        )
    filters = devices.detection_filter.filters
    if name not in filters:
        raise InputError(
            f"detection_filter: there is no filter {name} in the wheel. Write one of {', '.join(filters)}."
        )


def check_spot(devices: Devices, spot_nm: tuple[float, float] | None) -> None:
    """Raise InputError if the rig cannot bring this spot of the sample, stage x and y, under the objective."""
    if spot_nm is None:
        return
    if devices.stage is None:
        raise InputError(
            "spot: a place on the sample is asked for, but the rig has no stage. "
            "Delete the key from the recipe, or add the device to the rig file."
        )
    for axis, place_nm in zip("xy", spot_nm, strict=True):
        low_nm, high_nm = devices.stage.ranges_nm[axis]
        if not low_nm <= place_nm <= high_nm:
            raise LimitError(
                f"spot {axis}",
                place_nm * 1e-3,
                low_nm * 1e-3,
                high_nm * 1e-3,
                "um",
                "Choose a place within the stage's range.",
            )
