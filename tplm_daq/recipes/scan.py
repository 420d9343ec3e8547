"""The scan recipe: light, counting, path and passes of one time-position map, in the sample plane."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.base import Hertz, Kelvin, Model, Nanometres, Nanoseconds, Nanowatts, Picoseconds, Seconds


class Session(Model):
    """Who measures what; copied into the run file as it stands."""

    sample: str = ""
    operator: str = ""
    objective: str = ""
    notes: str = ""


class LightSettings(Model):
    """Excitation: pulse rate and time-averaged power at the sample."""

    repetition_rate_hz: Annotated[Hertz, Field(gt=0, le=80e6)]
    average_power_nw: Annotated[Nanowatts, Field(gt=0)]
    between_points: Literal["on", "off"] = "on"


class CounterSettings(Model):
    """Histogramming: bin width, and how much of the delay axis is kept."""

    mode: Literal["histogram"] = "histogram"
    bin_width_ps: Annotated[Picoseconds, Field(gt=0)]
    span_ns: Annotated[Nanoseconds, Field(gt=0)]


class LinePath(Model):
    """Detector positions on a line through the spot.

    `centre` is ``auto`` (find the spot first) or the position of the spot along the axis.
    """

    shape: Literal["line"] = "line"
    axis: Literal["x", "y"] = "x"
    centre_nm: Literal["auto"] | Nanometres = "auto"
    half_width_nm: Annotated[Nanometres, Field(gt=0)]
    n_positions: Annotated[int, Field(ge=5, le=2001)]


class Passes(Model):
    """How the total dwell of each position is split over passes along the path.

    With `n_passes` passes each position is visited `n_passes` times for ``dwell / n_passes``.
    """

    dwell_s: Annotated[Seconds, Field(gt=0)]
    order: Literal["up-and-down"] = "up-and-down"
    n_passes: Annotated[int, Field(ge=1, le=10_000)] = 10
    allocation: Literal["equal"] = "equal"

    @property
    def dwell_per_point_s(self) -> float:
        """Time counted at a position in one pass, in s, to the millisecond that counters resolve."""
        return round(self.dwell_s / self.n_passes, 3)

    @model_validator(mode="after")
    def _a_point_lasts_at_least_a_millisecond(self) -> Passes:
        if self.dwell_per_point_s < 1e-3:
            raise ValueError(
                f"{self.dwell_s:g} s over {self.n_passes} passes leaves {self.dwell_s / self.n_passes:g} s a point, "
                "and the counter cannot run for less than 1 ms; give more dwell or fewer passes"
            )
        return self


class ScanRecipe(Model):
    """One scan: its light, counting, path and passes, and how its data are analysed."""

    kind: Literal["scan"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    session: Session = Session()
    light: LightSettings
    counter: CounterSettings
    path: LinePath
    passes: Passes
    temperature_k: Annotated[Kelvin, Field(gt=0)] | None = None
    analysis: AnalysisRecipe

    @property
    def n_points(self) -> int:
        """Number of points of the whole scan."""
        return self.path.n_positions * self.passes.n_passes

    @model_validator(mode="after")
    def _the_span_fits_in_the_laser_period(self) -> ScanRecipe:
        period_ns = 1e9 / self.light.repetition_rate_hz
        if self.counter.span_ns > period_ns:
            raise ValueError(
                f"counter.span of {self.counter.span_ns:g} ns is longer than the laser period of {period_ns:g} ns; "
                f"write a span of at most {period_ns:g} ns or a lower light.repetition_rate"
            )
        return self
