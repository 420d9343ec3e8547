"""Filter wheels and the power meter behind one: what each position holds.

The boxes are put together by role in `tplm_daq.recipes.devices`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.addresses import SerialAddress, VisaAddress
from tplm_daq.recipes.base import Fraction, Model, Nanometres

WHEEL_POSITIONS = {"fw102c": 6, "fw212c": 12}


class AttenuatorDevice(Model):
    """Filter wheel in the laser's beam: the optical density of each position, from position 1 on."""

    model: Literal["fw102c", "fw212c"]
    """Wheel with 6 positions, or with 12."""
    address: SerialAddress
    """Serial port."""
    densities: tuple[Annotated[float, Field(ge=0, le=10)], ...]
    """Optical density of each position; where to look for a power first."""
    energies_fj: tuple[float | None, ...] | None = None
    """Energy of a pulse at the sample behind each position in fJ (a power in nW over a rate in MHz); filled in by the
    program from a calibration."""

    @model_validator(mode="after")
    def _one_density_per_position(self) -> AttenuatorDevice:
        _check_positions("densities", self.model, len(self.densities))
        if self.energies_fj is not None:
            _check_positions("energies_fj", self.model, len(self.energies_fj))
        return self


class FilterDevice(Model):
    """Filter wheel in front of the detector: the name of each filter, from position 1 on, and its optical density."""

    model: Literal["fw102c", "fw212c"]
    """Wheel with 6 positions, or with 12."""
    address: SerialAddress
    """Serial port."""
    filters: tuple[Annotated[str, Field(min_length=1)], ...]
    """Name of the filter in each position."""
    densities: tuple[Annotated[float, Field(ge=0, le=10)], ...] | None = None
    """Optical densities, for predictions and for the simulated rig; without them no filter attenuates."""

    @model_validator(mode="after")
    def _one_name_per_position(self) -> FilterDevice:
        _check_positions("filters", self.model, len(self.filters))
        if self.densities is not None:
            _check_positions("densities", self.model, len(self.densities))
        twice = sorted({name for name in self.filters if self.filters.count(name) > 1})
        if twice:
            raise ValueError(f"filters has {', '.join(twice)} more than once; give each position a name of its own")
        return self

    @property
    def known_densities(self) -> tuple[float, ...]:
        """Optical density of each position, 0 where nothing is known."""
        return self.densities or (0.0,) * len(self.filters)

    def transmission(self, name: str | None) -> float:
        """Return the share of light that a filter lets through, 1 for None."""
        if name is None or self.densities is None:
            return 1.0
        return float(10.0 ** -self.densities[self.filters.index(name)])


class PowerMeterDevice(Model):
    """Power meter behind the attenuator, on a pick-off.

    `sample_per_meter` is the power at the sample over the power at the meter, and `tolerance` how far the power
    measured may be from the one asked for.
    """

    model: Literal["pm100d"]
    address: VisaAddress
    """VISA address."""
    sample_per_meter: Annotated[float, Field(gt=0)]
    """Power at the sample divided by the power at the meter."""
    wavelength_nm: Annotated[Nanometres, Field(gt=0)] = 405.0
    """For which the meter corrects."""
    averaging: Annotated[int, Field(ge=1, le=3000)] = 100
    """Readings that the meter averages into one."""
    tolerance: Annotated[Fraction, Field(gt=0)] = 0.1
    """How far the power measured may be from the one asked for."""


def _check_positions(what: str, model: str, n_given: int) -> None:
    if n_given != WHEEL_POSITIONS[model]:
        raise ValueError(f"{what} has {n_given} values, but a {model} has {WHEEL_POSITIONS[model]} positions")
