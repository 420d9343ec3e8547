"""The scan recipe: light, counting, path and passes of one time-position map, in the sample plane."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.analysis import AnalysisRecipe
from tplm_daq.recipes.base import (
    Fraction,
    Hertz,
    Kelvin,
    Model,
    Nanometres,
    Nanoseconds,
    Nanowatts,
    Picoseconds,
    Seconds,
)

DEFAULT_N_PASSES = 10


class Session(Model):
    """Who measures what; copied into the run file as it stands."""

    sample: str = ""
    """Which sample."""
    operator: str = ""
    """Who is asked when something has to be done by hand."""
    objective: str = ""
    """Magnification and numerical aperture, for the record."""
    notes: str = ""
    """Anything else."""


class LightSettings(Model):
    """Excitation: pulse rate and time-averaged power at the sample."""

    repetition_rate_hz: Annotated[Hertz, Field(gt=0, le=80e6)]
    """Pulses per second."""
    average_power_nw: Annotated[Nanowatts, Field(gt=0)]
    """At the sample."""
    between_points: Literal["on", "off"] = "on"
    """Off: the light is out while the detector moves, which saves dose."""


class CounterSettings(Model):
    """How photons are counted: by the counter (histogram) or from its records (t3), and what of the delays is kept."""

    mode: Literal["histogram", "t3"] = "histogram"
    """histogram: the counter sorts photons into bins. t3: it sends a record of each, and bins are made here."""
    bin_width_ps: Annotated[Picoseconds, Field(gt=0)]
    """Width of a delay bin; one that the counter has."""
    span_ns: Annotated[Nanoseconds, Field(gt=0)]
    """Delays that are kept, from the first bin on; at most the time between two pulses."""
    keep_words: bool = False
    """Keep the records of mode t3 in the run file too, beside the bins made of them: 4 bytes a photon uncompressed."""

    @model_validator(mode="after")
    def _only_t3_has_words_to_keep(self) -> CounterSettings:
        if self.keep_words and self.mode != "t3":
            raise ValueError(
                "keep_words keeps the counter's records, and in mode histogram it sends none; write mode: t3, or leave "
                "keep_words out"
            )
        return self


class LinePath(Model):
    """Detector positions on a line through the spot.

    `centre` is ``auto`` (find the spot first) or the position of the spot along the axis.
    """

    shape: Literal["line"]
    axis: Literal["x", "y"] = "x"
    """Which detector axis moves."""
    centre_nm: Literal["auto"] | Nanometres = "auto"
    """Middle of the line: where the spot is, or auto to find it first."""
    half_width_nm: Annotated[Nanometres, Field(gt=0)]
    """How far the line reaches to both sides of its centre."""
    n_positions: Annotated[int, Field(ge=5, le=2001)]
    """Evenly spaced, both ends included."""

    @property
    def axes(self) -> Literal["x", "y"]:
        """The axis that is scanned."""
        return self.axis


class RasterPath(Model):
    """Detector positions on a grid over the spot, row by row.

    `centre` is ``auto`` (find the spot first) or the position of the spot, x and y.
    """

    shape: Literal["raster"]
    centre_nm: Literal["auto"] | tuple[Nanometres, Nanometres] = "auto"
    """Middle of the grid, x and y: where the spot is, or auto to find it first."""
    half_width_nm: Annotated[Nanometres, Field(gt=0)]
    """How far the grid reaches to both sides along x."""
    half_height_nm: Annotated[Nanometres, Field(gt=0)]
    """How far it reaches to both sides along y."""
    n_x: Annotated[int, Field(ge=5, le=101)]
    """Positions along x."""
    n_y: Annotated[int, Field(ge=5, le=101)]
    """Positions along y."""

    @property
    def axes(self) -> Literal["xy"]:
        """Both axes are scanned."""
        return "xy"

    @property
    def n_positions(self) -> int:
        """Number of positions on the grid."""
        return self.n_x * self.n_y


ScanPath = LinePath | RasterPath


class Passes(Model):
    """How long each position is counted, in which order, and when it is enough.

    Either `dwell` is given, the time counted per position in all passes together, or `target_precision` with
    `max_time`: then pass follows pass until the standard error of D is that small relative to D.
    """

    dwell_s: Annotated[Seconds, Field(gt=0)] | None = None
    """Per position and for all passes together; the mean over the positions unless `allocation` is equal."""
    n_passes: Annotated[int, Field(ge=1, le=10_000)] | None = None
    """Passes over which `dwell` is split; 10 if not given."""
    target_precision: Annotated[Fraction, Field(gt=0, lt=1)] | None = None
    """Standard error of D relative to D at which the scan ends."""
    max_time_s: Annotated[Seconds, Field(gt=0, le=604_800)] | None = None
    """From the first point, moves included; the scan ends then even if the target is not reached."""
    order: Literal["up-and-down", "interleaved", "shuffled"] = "up-and-down"
    """up-and-down: there, and back in the next pass. interleaved: every second one there, the others back. shuffled: by
    lot."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Of the shuffled order."""
    allocation: Literal["equal", "optimal", "table"] = "equal"
    """Optimal: three quarters of the time where it tells most about D by the latest estimate, one quarter evenly."""
    table: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Relative dwell of each position, for allocation table."""
    reference_every: Annotated[int, Field(ge=1)] | None = None
    """Visit the centre and the flanks of the spot again after every so many points, to see bleaching and drift."""

    @property
    def n_fixed_passes(self) -> int:
        """Number of passes over which a given dwell is split."""
        return DEFAULT_N_PASSES if self.n_passes is None else self.n_passes

    @property
    def dwell_per_point_s(self) -> float:
        """Time counted at a position in one pass of a given dwell, in s, to the millisecond that counters resolve."""
        return 0.0 if self.dwell_s is None else round(self.dwell_s / self.n_fixed_passes, 3)

    @property
    def is_adaptive(self) -> bool:
        """Whether what is measured next follows from what has been measured."""
        return self.target_precision is not None or self.allocation == "optimal"

    def shares(self, n_positions: int) -> tuple[float, ...]:
        """Return the share of the time that each position gets as long as nothing is known of D; their sum is 1."""
        weights = self.table or (1.0,) * n_positions
        return tuple(weight / sum(weights) for weight in weights)

    @model_validator(mode="after")
    def _either_dwell_or_precision(self) -> Passes:
        if (self.dwell_s is None) == (self.target_precision is None):
            raise ValueError(
                "either dwell (time per position) or target_precision (standard error of D relative to D) says when "
                "it is enough; give one of them"
            )
        if self.target_precision is not None and self.n_passes is not None:
            raise ValueError("n_passes splits a given dwell; with target_precision the passes follow from the data")
        if (self.target_precision is None) != (self.max_time_s is None):
            raise ValueError("target_precision and max_time go together: a target that is not reached needs an end")
        return self

    @model_validator(mode="after")
    def _a_point_lasts_at_least_a_millisecond(self) -> Passes:
        if self.dwell_s is not None and self.dwell_per_point_s < 1e-3:
            raise ValueError(
                f"{self.dwell_s:g} s over {self.n_fixed_passes} passes leaves {self.dwell_s / self.n_fixed_passes:g} s "
                "a point, and the counter cannot run for less than 1 ms; give more dwell or fewer passes"
            )
        return self

    @model_validator(mode="after")
    def _a_table_belongs_to_its_allocation(self) -> Passes:
        if (self.allocation == "table") != (self.table is not None):
            raise ValueError("allocation: table and the table of relative dwells go together; give both or neither")
        if self.table is not None and not 0 < sum(self.table) < math.inf:
            raise ValueError("the table gives no position any time; write at least one number above 0")
        return self


class ScanRecipe(Model):
    """One scan: its light, counting, path and passes, and how its data are analysed."""

    kind: Literal["scan"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    """Becomes part of the file's name."""
    session: Session = Session()
    light: LightSettings
    counter: CounterSettings
    path: Annotated[ScanPath, Field(discriminator="shape")]
    """Where the detector goes."""
    passes: Passes
    temperature_k: Annotated[Kelvin, Field(gt=0)] | None = None
    """Set point that is waited for before the scan; the thermostat stays as it is without this."""
    spot_nm: tuple[Nanometres, Nanometres] | None = None
    """Where the sample stage goes before the scan, x and y; it stays where it is without this."""
    detection_filter: Annotated[str, Field(min_length=1)] | None = None
    """Name of the filter in front of the detector; the wheel stays as it is without this."""
    align_first: tuple[Literal["focus", "spot", "response", "dark", "filters", "power"], ...] = ()
    """Alignment procedures that come before the scan, in this order, unless their calibration is still valid."""
    analysis: AnalysisRecipe

    @property
    def operator(self) -> str:
        """Who measures, as noted in the session."""
        return self.session.operator

    @model_validator(mode="after")
    def _the_span_fits_in_the_laser_period(self) -> ScanRecipe:
        period_ns = 1e9 / self.light.repetition_rate_hz
        if self.counter.span_ns > period_ns:
            raise ValueError(
                f"counter.span of {self.counter.span_ns:g} ns is longer than the laser period of {period_ns:g} ns; "
                f"write a span of at most {period_ns:g} ns or a lower light.repetition_rate"
            )
        return self

    @model_validator(mode="after")
    def _the_allocation_fits_the_path(self) -> ScanRecipe:
        passes, n_positions = self.passes, self.path.n_positions
        if passes.allocation == "optimal" and self.path.shape != "line":
            raise ValueError("passes.allocation optimal is worked out for lines only; write equal for a raster")
        if passes.table is not None and len(passes.table) != n_positions:
            raise ValueError(
                f"passes.table has {len(passes.table)} values for {n_positions} positions of the path; "
                "give one for each, in the order of the path"
            )
        return self
