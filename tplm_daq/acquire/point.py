"""One point: arrive, settle, guard, arm, wait, set off for the next, read, crop. The counter is stopped in any case.

The counter keeps its histogram when it has stopped, so that it is read out while the detector is on its way already.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tplm_daq.acquire.events import Listener, Notice
from tplm_daq.acquire.guards import Told, Verdict
from tplm_daq.acquire.moving import Move, arrive, begin_move
from tplm_daq.acquire.passes import PlannedPoint
from tplm_daq.acquire.waiting import Checkpoint, wait, wait_until
from tplm_daq.acquire.watch import METER_S, guard_dwell, guard_point
from tplm_daq.errors import DeviceError, DeviceTimeout
from tplm_daq.readings import Histogram, Position, Rates
from tplm_daq.recipes.rig import Guards
from tplm_daq.roles import Microscope, PhotonCounter
from tplm_daq.store.layout import PointFlags, PointRow

END_POLL_S = 0.02
WATCH_INTERVAL_S = 1.0
"""How often the detector rate is watched during a dwell."""


@dataclass(frozen=True)
class PointSettings:
    """What all points of a run have in common.

    Attributes
    ----------
    repetition_rate_hz : float
        Sync rate that the guards expect.
    average_power_nw : float
        Power at the sample that they expect, in nW.
    n_bins : int
        Number of bins kept from the start of the histogram.
    settle_s : float
        Rest after a move, in s.
    is_light_kept_on : bool
        Whether light stays on between points.
    temperature_k : float or None
        Wanted sample temperature.
    guards : Guards
        Thresholds.
    has_words : bool
        Whether the counter is in T3 mode, and its records must be fetched all the time.
    zero_s : float
        Time on the clock from which the points' start times count.
    other_guards : tuple of callable
        What else is judged before each point, such as the room on the disk; none of them needs light.
    told : Told
        What the run has been told of suspect points.
    """

    repetition_rate_hz: float
    average_power_nw: float
    n_bins: int
    settle_s: float
    is_light_kept_on: bool
    temperature_k: float | None
    guards: Guards
    zero_s: float = 0.0
    has_words: bool = False
    other_guards: tuple[Callable[[], Verdict], ...] = ()
    told: Told = field(default_factory=Told, compare=False)


@dataclass(frozen=True)
class Surroundings:
    """Where the detector is, how warm the sample is (NaN if nobody knows), and the power at the sample."""

    position: Position
    temperature_k: float
    power_nw: float


class MeasuredPoint(NamedTuple):
    """What a point gave.

    Attributes
    ----------
    row : PointRow
        Everything known of the point.
    counts : ndarray of uint32, shape (n_bin,)
        The histogram, cropped to the span of the recipe.
    words : ndarray of uint32, shape (n_word,), or None
        The records of which it was made, if they are to be kept; uncropped.
    onward : Move or None
        The move to the following point, under way.
    """

    row: PointRow
    counts: NDArray[np.uint32]
    words: NDArray[np.uint32] | None
    onward: Move | None


def nowhere() -> None:
    """Return no point to go on to."""


def acquire_point(
    microscope: Microscope,
    move: Move,
    settings: PointSettings,
    checkpoint: Checkpoint,
    tell: Listener,
    following: Callable[[], PlannedPoint | None] = nowhere,
) -> MeasuredPoint:
    """Measure the point to which the detector is on its way.

    Parameters
    ----------
    microscope : Microscope
        The opened rig with light ready.
    move : Move
        Under way; its point says for how long to count.
    settings : PointSettings
        What all points have in common.
    checkpoint : callable
        Called while waiting; raises to end the run.
    tell : callable
        Receives the reason if the point is suspect, and whether a guard waits.
    following : callable
        Asked when the counting is over and the position is read back: where to set off for before the read-out.

    Returns
    -------
    MeasuredPoint
        Its row, counts and records, and the move to the following point.

    Raises
    ------
    DeviceError, GuardStop, Aborted
        A device failed, a guard stopped the run, or the operator did.
    """
    clock, counter, planned = microscope.clock, microscope.counter, move.planned
    arrive(microscope, move, checkpoint)
    wait(clock, settings.settle_s, checkpoint)
    if not settings.is_light_kept_on:
        microscope.laser.turn_on()
        wait(clock, 2 * METER_S, checkpoint)
    flags = guard_point(microscope, settings, checkpoint, tell)
    start_s = clock.now()
    counter.arm(planned.dwell_s)
    try:
        flags, rates = _wait_for_the_histogram(microscope, planned.dwell_s, settings, flags, checkpoint, tell)
    finally:
        counter.stop()
        if not settings.is_light_kept_on:
            microscope.laser.turn_off()
    span_s = (start_s - settings.zero_s, clock.now() - settings.zero_s)
    position = microscope.detector.position()
    onward = _set_off(microscope, following(), tell)
    histogram = counter.read_counts()
    flags |= _judge(histogram, counter, planned.dwell_s, tell)
    around = Surroundings(position, *_read_conditions(microscope))
    row = _row(planned, around, span_s, histogram.live_s, rates, flags)
    kept = histogram.counts[: settings.n_bins].astype(np.uint32)
    return MeasuredPoint(row, kept, histogram.words, onward)


def look_around(microscope: Microscope) -> Surroundings:
    """Read what a point's row says beside its counts."""
    return Surroundings(microscope.detector.position(), *_read_conditions(microscope))


def _read_conditions(microscope: Microscope) -> tuple[float, float]:
    """Return the temperature in K, NaN if nobody knows, and the power at the sample in nW."""
    thermostat = microscope.thermostat
    temperature_k = math.nan if thermostat is None else thermostat.temperature_k()
    return temperature_k, microscope.laser.average_power_nw()


def _set_off(microscope: Microscope, target: PlannedPoint | None, tell: Listener) -> Move | None:
    """Begin the next move; one that cannot be begun is none, for the point that is counted comes first."""
    if target is None:
        return None
    try:
        return begin_move(microscope, target)
    except DeviceError as error:
        text = f"could not set off for the next position, which is tried again when this point is stored: {error}"
        tell(Notice("warning", text))
        return None


def _judge(histogram: Histogram, counter: PhotonCounter, dwell_s: float, tell: Listener) -> PointFlags:
    """Return what a histogram that is shorter than asked for is marked with; DeviceError if it holds no time at all."""
    if histogram.live_s <= 0:
        raise DeviceError(
            counter.name,
            counter.address,
            f"nothing was counted in {dwell_s:g} s",
            "Lower the count rate, or see what else keeps this computer busy",
        )
    if not histogram.has_overflow:
        return PointFlags(0)
    text = (
        f"the counter gave up after {histogram.live_s:.3f} s (a full bin, or records that were not fetched in "
        "time); the point is shorter than asked for"
    )
    tell(Notice("warning", text))
    return PointFlags.OVERFLOW


def _wait_for_the_histogram(
    microscope: Microscope,
    dwell_s: float,
    settings: PointSettings,
    flags: PointFlags,
    checkpoint: Checkpoint,
    tell: Listener,
) -> tuple[PointFlags, Rates]:
    """Wait with an eye on the rates; return the point's flags with what was seen meanwhile, and the last rates."""
    clock, counter = microscope.clock, microscope.counter
    end_s, remaining_s = clock.now() + dwell_s, dwell_s
    while True:
        is_done = _count_for(microscope, min(remaining_s, WATCH_INTERVAL_S), settings, checkpoint)
        rates = counter.rates()
        flags = guard_dwell(rates, settings, flags, tell)
        if (remaining_s := end_s - clock.now()) <= 1e-9:
            break
    if not is_done and not wait_until(clock, counter.is_done, 2 * dwell_s + 1.0, END_POLL_S, checkpoint):
        raise DeviceTimeout(
            counter.name,
            counter.address,
            f"a histogram of {dwell_s:g} s has not ended after {3 * dwell_s + 1:g} s",
            "Close other programs that use the counter, then plug it out and in again",
        )
    return flags, rates


def _count_for(microscope: Microscope, span_s: float, settings: PointSettings, checkpoint: Checkpoint) -> bool:
    """Let the counter count for a while: fetch its records, or let it go on after a full bin; tell whether it ended."""
    clock, counter = microscope.clock, microscope.counter
    end_s = clock.now() + span_s
    while (remaining_s := end_s - clock.now()) > 1e-9:
        if settings.has_words:
            wait(clock, min(remaining_s, counter.read_interval_s), checkpoint)
            counter.read_words()
        else:
            wait(clock, remaining_s, checkpoint)
    return counter.is_done()


def _row(
    planned: PlannedPoint,
    around: Surroundings,
    span_s: tuple[float, float],
    live_s: float,
    rates: Rates,
    flags: PointFlags,
) -> PointRow:
    position = around.position
    return PointRow(
        pass_index=planned.pass_index,
        index=planned.index,
        x_nm=planned.x_nm,
        y_nm=planned.y_nm,
        x_readback_nm=position.x_nm,
        y_readback_nm=position.y_nm,
        x_actuator_mm=position.x_actuator_mm,
        y_actuator_mm=position.y_actuator_mm,
        dwell_s=planned.dwell_s,
        live_s=live_s,
        sync_hz=rates.sync_hz,
        input_cps=rates.input_cps,
        temperature_k=around.temperature_k,
        power_nw=around.power_nw,
        flags=flags,
        start_s=span_s[0],
        end_s=span_s[1],
        x_shift_nm=planned.shift_nm[0],
        y_shift_nm=planned.shift_nm[1],
    )
