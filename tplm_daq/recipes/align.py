"""Alignment recipes: what is looked for before scans, how long, and for how long the answer is believed.

One model per procedure; all of them say which light and which counting they need.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from tplm_daq.errors import InputError
from tplm_daq.recipes.base import Kelvin, Model, Nanometres, Nanoseconds, Seconds, nearest
from tplm_daq.recipes.explain import show
from tplm_daq.recipes.scan import CounterSettings, LightSettings, Session

N_LOOKED_AT = 15
"""Positions on each of the two lines on which a procedure looks for the centre of the spot."""
Procedure = Literal["spot", "focus", "response", "dark", "magnification", "filters", "power"]
HOUR_S = 3600.0
DAY_S = 24 * HOUR_S

Length = Annotated[Nanometres, Field(gt=0)]
Time = Annotated[Seconds, Field(ge=1e-3)]
Centre = tuple[Nanometres, Nanometres]


class Alignment(Model):
    """What all procedures have in common."""

    kind: Literal["align"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    """Becomes part of the file's name."""
    session: Session = Session()
    light: LightSettings
    counter: CounterSettings
    temperature_k: Annotated[Kelvin, Field(gt=0)] | None = None
    """Set point that is waited for before; the thermostat stays as it is without this."""
    spot_nm: Centre | None = None
    """Place of the sample stage, x and y; it stays where it is without this."""
    detection_filter: Annotated[str, Field(min_length=1)] | None = None
    """Name of the filter in front of the detector; the wheel stays as it is without this."""
    centre_nm: Centre = (0.0, 0.0)
    """Where the spot is looked for, x and y."""
    half_width_nm: Length = 1000.0
    """How far to both sides of the centre it is looked for."""

    @field_validator("counter")
    @classmethod
    def _keeps_no_words(cls, counter: CounterSettings) -> CounterSettings:
        if counter.keep_words:
            raise ValueError("a calibration holds no records of photons; leave keep_words out")
        return counter

    @property
    def operator(self) -> str:
        """Who measures, as noted in the session."""
        return self.session.operator

    @property
    def reach_nm(self) -> Centre:
        """How far from the centre the detector may be taken along x and along y."""
        return self.half_width_nm, self.half_width_nm


class SpotAlignment(Alignment):
    """Finds the spot with a coarse raster, and its shape with a fine one."""

    procedure: Literal["spot"]
    half_width_nm: Length = 2000.0
    """How far to all sides of the centre the spot is looked for."""
    n_positions: Annotated[int, Field(ge=5, le=101)] = 13
    """Along each side of the coarse raster."""
    dwell_s: Time = 0.05
    """Per position of the coarse raster."""
    fine_half_width_nm: Length = 700.0
    """How far the fine raster reaches to all sides."""
    n_fine: Annotated[int, Field(ge=5, le=101)] = 11
    """Along each side of the fine raster, which lies around what the coarse one has found."""
    fine_dwell_s: Time = 0.3
    """Per position of the fine raster."""
    valid_for_s: Time = HOUR_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken, as far as is known before."""
        return self.n_positions**2 + self.n_fine**2

    @property
    def reach_nm(self) -> Centre:
        """How far from the centre the detector may be taken along x and along y."""
        return self.half_width_nm + self.fine_half_width_nm, self.half_width_nm + self.fine_half_width_nm


class FocusAlignment(Alignment):
    """Finds the height of the stage at which the spot is narrowest, and takes the sample there."""

    procedure: Literal["focus"]
    half_range_nm: Length = 3000.0
    """How far above and below its present height the stage is taken."""
    n_heights: Annotated[int, Field(ge=5, le=101)] = 9
    """Heights at which the width is measured."""
    half_width_nm: Length = 1500.0
    """How far the line across the spot reaches to both sides."""
    n_positions: Annotated[int, Field(ge=7, le=101)] = 15
    """On the line across the spot at each height."""
    dwell_s: Time = 0.2
    """Per position."""
    valid_for_s: Time = HOUR_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken, as far as is known before."""
        return 2 * N_LOOKED_AT + (self.n_heights + 1) * self.n_positions


class ResponseAlignment(Alignment):
    """Measures when the pulse arrives and how sharp the response is, from the rising edge at the centre of the spot."""

    procedure: Literal["response"]
    dwell_s: Time = 20.0
    """At the centre of the spot."""
    window_ns: Annotated[Nanoseconds, Field(gt=0)] = 1.0
    """After the pulse: the fit uses the edge and this much of the decay, taken as one exponential."""
    valid_for_s: Time = 30 * DAY_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken, as far as is known before."""
        return 2 * N_LOOKED_AT + 1


class DarkAlignment(Alignment):
    """Measures the detector's counts in the dark, and with light far from the spot."""

    procedure: Literal["dark"]
    dwell_s: Time = 20.0
    """In the dark, and again with light."""
    distance_nm: Length = 5000.0
    """From the centre of the spot, along x."""
    valid_for_s: Time = 7 * DAY_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken, as far as is known before."""
        return 2

    @property
    def reach_nm(self) -> Centre:
        """How far from the centre the detector may be taken along x and along y."""
        return self.distance_nm, 0.0


class MagnificationAlignment(Alignment):
    """Compares steps of the stage with shifts of the image; needs an emitter that the stage carries along."""

    procedure: Literal["magnification"]
    half_range_nm: Length = 8000.0
    """How far the stage is taken to both sides along x and along y."""
    n_steps: Annotated[int, Field(ge=3, le=101)] = 5
    """Places of the stage along each axis."""
    dwell_s: Time = 0.2
    """On the lines across the image at each place of the stage."""
    valid_for_s: Time = 90 * DAY_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken, as far as is known before."""
        return 2 * N_LOOKED_AT * (1 + 2 * self.n_steps)

    @property
    def reach_nm(self) -> Centre:
        """How far from the centre the detector may be taken along x and along y."""
        reach_nm = self.half_range_nm + self.half_width_nm
        return reach_nm, reach_nm


class FilterAlignment(Alignment):
    """Measures optical densities: of the attenuator with the power meter, of the wheel at the detector with the counts.

    Densities are relative to the most transparent filter that was measured, whose own is taken from the rig file. The
    attenuator is opened no further than `limits.average_power` allows.
    """

    procedure: Literal["filters"]
    dwell_s: Time = 5.0
    """At the centre of the spot and far from it, behind each filter in front of the detector."""
    distance_nm: Length = 5000.0
    """From the centre of the spot, along x, where the background is counted."""
    valid_for_s: Time = 180 * DAY_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken with a wheel of six filters at the detector; none without one."""
        return 2 * N_LOOKED_AT + 12

    @property
    def reach_nm(self) -> Centre:
        """How far from the centre the detector may be taken along x and along y."""
        return self.half_width_nm + self.distance_nm, self.half_width_nm


class PowerAlignment(Alignment):
    """Measures the power at the sample behind each filter of the attenuator, and the count rate that it gives.

    Runs begin their search for a power at the filter that this finds nearest, and `tplm check` knows the rate.
    """

    procedure: Literal["power"]
    dwell_s: Time = 5.0
    """At the centre of the spot."""
    valid_for_s: Time = DAY_S
    """How long the answer is believed."""

    @property
    def n_points(self) -> int:
        """Points that will be taken, as far as is known before."""
        return 2 * N_LOOKED_AT + 1


AlignRecipe = (
    SpotAlignment
    | FocusAlignment
    | ResponseAlignment
    | DarkAlignment
    | MagnificationAlignment
    | FilterAlignment
    | PowerAlignment
)

PROCEDURES: dict[str, type[AlignRecipe]] = {
    "spot": SpotAlignment,
    "focus": FocusAlignment,
    "response": ResponseAlignment,
    "dark": DarkAlignment,
    "magnification": MagnificationAlignment,
    "filters": FilterAlignment,
    "power": PowerAlignment,
}


def alignment_model(data: Mapping[str, Any], source: str | Path) -> type[AlignRecipe]:
    """Return the model of the procedure that a file's keys name; InputError if there is none so called."""
    asked = data.get("procedure")
    if isinstance(asked, str) and asked in PROCEDURES:
        return PROCEDURES[asked]
    meant = nearest(str(asked), list(PROCEDURES))
    advice = f"Write {meant}" if meant else f"Write one of {', '.join(PROCEDURES)}"
    raise InputError(f"{source}: procedure: {show(asked)} is none that there is. {advice}.")
