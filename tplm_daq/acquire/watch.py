"""Looks at the rig for the guards: before a point, during it, and while a guard wants to wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tplm_daq.acquire import guards
from tplm_daq.acquire.events import GuardGoesOn, GuardWaits, Listener
from tplm_daq.acquire.guards import OK, Level, Verdict
from tplm_daq.acquire.waiting import Checkpoint, wait
from tplm_daq.errors import GuardStop
from tplm_daq.readings import Rates
from tplm_daq.roles import Microscope
from tplm_daq.store.layout import PointFlags

if TYPE_CHECKING:
    from tplm_daq.acquire.point import PointSettings

METER_S = 0.1
"""The counter's rate meters integrate for 100 ms (PHLib manual)."""
LIGHT_SETTLES_S = 3 * METER_S
"""Light on to a rate that was metered with the light on all the time."""
LOOK_EVERY_S = 10.0
"""How often a paused run looks whether it may go on."""


def guard_point(microscope: Microscope, settings: PointSettings, checkpoint: Checkpoint, tell: Listener) -> PointFlags:
    """Judge the rig before a point, with the light on; pause with the light out while a guard wants it.

    Parameters
    ----------
    microscope : Microscope
        The opened rig.
    settings : PointSettings
        Thresholds, and what all points have in common.
    checkpoint : callable
        Called while waiting; raises to end the run.
    tell : callable
        Receives the reasons of suspect points, and that a guard waits and goes on.

    Returns
    -------
    PointFlags
        How the point is to be marked.

    Raises
    ------
    GuardStop
        A guard ends the run, or a pause lasted too long.
    """
    verdicts = _look_with_light(microscope, settings, settings.guards.power_every_s)
    if _pauses(verdicts):
        verdicts = _wait_until_good(microscope, settings, verdicts, checkpoint, tell)
    checkpoint()  # a watchdog that has put the light out is the cause of whatever the guards see
    now_s = microscope.clock.now()
    return guards.heed(verdicts, tell, lambda verdict: settings.told.is_news(verdict, now_s))


def guard_dwell(rates: Rates, settings: PointSettings, flags: PointFlags, tell: Listener) -> PointFlags:
    """Judge rates during a point: GuardStop if the detector could be harmed, and a mark, once, if the sync is missing.

    Counts without their sync pulses cannot be told from others afterwards; the next point's guard decides what follows.
    """
    verdicts = [guards.judge_detector(rates, settings.guards)]
    if PointFlags.SYNC not in flags:
        verdicts.append(guards.judge_sync(rates, settings.repetition_rate_hz, settings.guards).at_most_suspect)
    return flags | guards.heed(verdicts, tell)


def _look_with_light(microscope: Microscope, settings: PointSettings, power_age_s: float) -> list[Verdict]:
    rates = microscope.counter.rates()
    power_nw = microscope.laser.measured_power_nw(power_age_s)
    return [
        guards.judge_detector(rates, settings.guards),
        guards.judge_sync(rates, settings.repetition_rate_hz, settings.guards, microscope.laser.explain_sync),
        guards.judge_rate_ratio(rates, settings.guards),
        OK if power_nw is None else guards.judge_power(power_nw, settings.average_power_nw, settings.guards),
        *_look_in_the_dark(microscope, settings),
    ]


def _look_in_the_dark(microscope: Microscope, settings: PointSettings) -> list[Verdict]:
    verdicts = [look() for look in settings.other_guards]
    if microscope.thermostat is not None and settings.temperature_k is not None:
        measured_k = microscope.thermostat.temperature_k()
        verdicts.append(guards.judge_temperature(measured_k, settings.temperature_k, settings.guards))
    return verdicts


def _pauses(verdicts: Sequence[Verdict]) -> list[str]:
    return [verdict.reason for verdict in verdicts if verdict.level is Level.PAUSE]


def _wait_until_good(
    microscope: Microscope,
    settings: PointSettings,
    verdicts: list[Verdict],
    checkpoint: Checkpoint,
    tell: Listener,
) -> list[Verdict]:
    """Look again and again, with the light on only where that is needed to tell."""
    clock, laser = microscope.clock, microscope.laser
    began_s = clock.now()
    tell(GuardWaits("; ".join(_pauses(verdicts))))
    while reasons := _pauses(verdicts):
        laser.turn_off()
        if clock.now() - began_s >= settings.guards.pause_timeout_s:
            raise GuardStop(f"{'; '.join(reasons)}; not good after a pause of {clock.now() - began_s:.0f} s.")
        wait(clock, LOOK_EVERY_S, checkpoint)
        verdicts = _look_in_the_dark(microscope, settings)
        if not _pauses(verdicts):
            laser.turn_on()
            wait(clock, LIGHT_SETTLES_S, checkpoint)
            verdicts = _look_with_light(microscope, settings, power_age_s=0.0)
    tell(GuardGoesOn(clock.now() - began_s))
    return verdicts
