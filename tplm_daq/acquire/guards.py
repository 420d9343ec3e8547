"""Guards: each looks at one reading and says ok, suspect, pause or stop, with its reason.

A suspect point is kept and marked; a pause lasts until the reading is good again; stop ends the run, both with the
light out. Thresholds and what follows come from the rig file. The guards only judge numbers; reading the devices is
the business of `watch.py`.
"""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

from tplm_daq.acquire.events import Listener, Notice
from tplm_daq.errors import GuardStop
from tplm_daq.readings import Rates
from tplm_daq.recipes.rig import Action, Guards
from tplm_daq.store.layout import PointFlags


class Level(Enum):
    """How bad it is."""

    OK = "ok"
    SUSPECT = "suspect"
    PAUSE = "pause"
    STOP = "stop"


LEVELS: dict[Action, Level] = {"warn": Level.SUSPECT, "pause": Level.PAUSE, "stop": Level.STOP}
"""What a rig file asks for, as a level."""


@dataclass(frozen=True)
class Verdict:
    """What one guard says, why, and how a suspect point is marked; the reason of an ok verdict is empty."""

    level: Level
    reason: str = ""
    flag: PointFlags = PointFlags(0)

    @property
    def at_most_suspect(self) -> Verdict:
        """The same, but no reason to stop or to pause."""
        return self if self.level is Level.OK else replace(self, level=Level.SUSPECT)


OK = Verdict(Level.OK)

REPEAT_S = 600.0
"""How soon the same complaint is told again; what it marks is marked at every point."""


class Told:
    """Remembers what a run has been told, so that four hundred suspect points do not make four hundred lines."""

    def __init__(self) -> None:
        self._at_s: dict[PointFlags, float] = {}

    def is_news(self, verdict: Verdict, now_s: float) -> bool:
        """Tell whether a verdict of its kind has not been told for a while; from now on it has."""
        is_news = now_s - self._at_s.get(verdict.flag, -math.inf) >= REPEAT_S
        if is_news:
            self._at_s[verdict.flag] = now_s
        return is_news


def judge_sync(
    rates: Rates, asked_hz: float, guards: Guards, explain: Callable[[float], str] = lambda _: ""
) -> Verdict:
    """Judge whether there are sync pulses, at the rate asked for; `explain` knows what a wrong one looks like."""
    level = LEVELS[guards.on_sync]
    if rates.sync_hz <= 0:
        hint = explain(0.0)
        return Verdict(
            level,
            f"no sync: the counter sees no sync pulses where {asked_hz * 1e-6:g} MHz are expected. "
            "Check that the laser runs pulsed, the sync cable is plugged in and the discriminator level fits"
            + (hint and f". {hint}"),
            PointFlags.SYNC,
        )
    deviation = abs(rates.sync_hz / asked_hz - 1)
    if deviation > guards.sync_tolerance:
        hint = explain(rates.sync_hz)
        return Verdict(
            level,
            f"sync rate is {rates.sync_hz * 1e-6:.6g} MHz where {asked_hz * 1e-6:g} MHz were asked for "
            f"({deviation:.1%} off, {guards.sync_tolerance:.1%} allowed). "
            "Check the laser's trigger source, reflections on the sync cable and the divider" + (hint and f". {hint}"),
            PointFlags.SYNC,
        )
    return OK


def judge_rate_ratio(rates: Rates, guards: Guards) -> Verdict:
    """Judge the counts per sync pulse, which cause pile-up."""
    if rates.sync_hz <= 0:
        return OK
    ratio = rates.input_cps / rates.sync_hz
    if ratio > guards.rate_ratio_stop:
        return Verdict(
            LEVELS[guards.on_pile_up],
            f"pile-up: {ratio:.1%} of the pulses give a count, {guards.rate_ratio_stop:.1%} is the limit. "
            "Attenuate the detection or lower the power",
            PointFlags.PILE_UP,
        )
    # the meter counts for 0.1 s: only what exceeds the limit by more than its shot noise is suspect
    if rates.input_cps - 3 * (10 * rates.input_cps) ** 0.5 > guards.rate_ratio_warn * rates.sync_hz:
        return Verdict(
            Level.SUSPECT,
            f"pile-up: {ratio:.1%} of the pulses give a count, above {guards.rate_ratio_warn:.1%}; "
            "the analysis corrects for it",
            PointFlags.PILE_UP,
        )
    return OK


def judge_detector(rates: Rates, guards: Guards) -> Verdict:
    """Stop before the detector is damaged."""
    if rates.input_cps > guards.detector_limit_cps:
        return Verdict(
            Level.STOP,
            f"detector overload: {rates.input_cps * 1e-6:.3g} Mcps, {guards.detector_limit_cps * 1e-6:g} Mcps is the "
            "limit. Keep room light and the laser line off the detector",
        )
    return OK


def judge_power(measured_nw: float, asked_nw: float, guards: Guards) -> Verdict:
    """Judge whether the sample still gets the power that the recipe asks for."""
    deviation = measured_nw / asked_nw - 1
    if abs(deviation) > guards.power_tolerance:
        return Verdict(
            LEVELS[guards.on_power],
            f"laser power: {measured_nw:.3g} nW at the sample where {asked_nw:g} nW were asked for "
            f"({deviation:+.1%}, {guards.power_tolerance:.0%} allowed). "
            "Check that the laser is warm and locked, its intensity knob, and what stands in the beam",
            PointFlags.POWER,
        )
    return OK


def judge_reference(ratio: float, error: float, guards: Guards) -> Verdict:
    """Judge the rate at the reference positions, relative to what it was at first, with its standard error."""
    if abs(ratio - 1) - 3 * error > guards.reference_tolerance:
        return Verdict(
            LEVELS[guards.on_reference],
            f"reference rate: {ratio:.2f} ± {error:.2f} of what it was at first "
            f"({guards.reference_tolerance:.0%} allowed). The laser's power has changed, the sample bleaches, or the "
            "focus has drifted; compare with a power meter, and with a fresh spot",
            PointFlags.POWER,
        )
    return OK


def judge_drift(off_nm: Sequence[float], axes: str, guards: Guards) -> Verdict:
    """Judge how far the spot is from where it belongs on the path, in nm along each of its axes."""
    if math.hypot(*off_nm) > guards.drift_limit_nm:
        level = Level.STOP if guards.on_drift == "stop" else Level.SUSPECT
        return Verdict(
            level,
            f"lateral drift: the spot is {shown_nm(off_nm, axes)} from where it belongs on the path "
            f"({guards.drift_limit_nm:g} nm allowed). Let the cryostat and the stage come to rest, or write "
            "guards.on_drift: recentre in the rig file, so that the path follows",
            PointFlags.POSITION,
        )
    return OK


def shown_nm(place_nm: Sequence[float], axes: str) -> str:
    """Return coordinates along axes as one reads them.

    Examples
    --------
    >>> shown_nm((61.8, -4.0), "xy")
    'x +62 nm, y -4 nm'
    """
    return ", ".join(f"{axis} {each:+.0f} nm" for axis, each in zip(axes, place_nm, strict=True))


def judge_temperature(measured_k: float, wanted_k: float | None, guards: Guards) -> Verdict:
    """Judge whether the sample is at the wanted temperature."""
    if wanted_k is not None and abs(measured_k - wanted_k) > guards.temperature_band_k:
        return Verdict(
            LEVELS[guards.on_temperature],
            f"temperature is {measured_k:.3f} K where {wanted_k:g} K is wanted (band {guards.temperature_band_k:g} K)",
            PointFlags.TEMPERATURE,
        )
    return OK


def judge_disk(folder: Path, needed_mb: float, guards: Guards) -> Verdict:
    """Judge whether the disk can take what is still to come."""
    free_mb = shutil.disk_usage(folder).free / 1e6
    if free_mb < guards.free_disk_mb + needed_mb:
        return Verdict(
            LEVELS[guards.on_disk],
            f"disk: {free_mb:.0f} MB free in {folder}, {needed_mb:.0f} MB needed and {guards.free_disk_mb} MB kept in "
            "reserve. Free some space or choose another folder with --out",
        )
    return OK


def heed(
    verdicts: Iterable[Verdict], tell: Listener, is_news: Callable[[Verdict], bool] = lambda _: True
) -> PointFlags:
    """Pass the reasons of suspect verdicts that are news to `tell`, as warnings, and return the flags of the point.

    Raises
    ------
    GuardStop
        A verdict is stop, or still pause.
    """
    flags = PointFlags(0)
    for verdict in verdicts:
        if verdict.level in (Level.PAUSE, Level.STOP):
            raise GuardStop(verdict.reason + ".")
        if verdict.level is Level.SUSPECT:
            if is_news(verdict):
                tell(Notice("warning", verdict.reason))
            flags |= PointFlags.SUSPECT | verdict.flag
    return flags
