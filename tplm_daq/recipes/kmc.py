"""The lattice recipe: which lattice, under which conditions, for how many pulses.

The model is that of Science Advances 10, eadj2630 (2024), and so is every default. Probabilities are plain numbers.
"""

from __future__ import annotations

import math
from itertools import product
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.base import Kelvin, Model, Nanometres, Nanoseconds, Picoseconds, Quantity

Duration = Annotated[float, Quantity("a time", "ns", ("ns", "us", "ms"), "0.4 us")]
Probability = Annotated[float, Field(ge=0, le=1)]

FEWEST_PULSES = 10
"""Pulses below which no standard error can be had."""

REFERENCE_K = 300.0
"""Temperature at which probabilities and times are given."""

SIGMA_PER_FWHM = 1.0 / math.sqrt(8.0 * math.log(2.0))
"""Standard deviation of a Gaussian with a full width at half maximum of 1."""

LOWEST_WEIGHT = 1e-9
"""Sites excited less likely than this, relative to the centre, are left out: 1e-6 excitons per pulse at most."""


class Stage(Model):
    """A state that a fast site passes through on its way back to slow."""

    p_hop: Probability
    """Probability that an attempt to hop there succeeds."""
    relaxation_time_ns: Annotated[Duration, Field(gt=0)]
    """Mean time until the next stage, or slow, is reached, at 300 K."""


class Lattice(Model):
    """Nanocrystals, the spot that excites them, and what sites and excitons do in a step."""

    size: Annotated[int, Field(ge=3, le=16_000)] = 1000
    """Sites along each side."""
    spacing_nm: Annotated[Nanometres, Field(gt=0)] = 10.0
    """Distance of nearest neighbours."""
    neighbours: Literal[4, 6] = 4
    """4: square lattice. 6: hexagonal, beyond the paper."""
    blocked: Annotated[Probability, Field(lt=1)] = 0.0
    """Probability that a site has no nanocrystal, beyond the paper."""
    spot_fwhm_nm: Annotated[Nanometres, Field(gt=0)] = 250.0
    """Full width at half maximum of the excitation; the experiment's spot has 500 nm."""
    step_ps: Annotated[Picoseconds, Field(gt=0)] = 1.0
    """Time in which every exciton makes one attempt to hop."""
    p_fast: Annotated[Probability, Field(gt=0)] = 0.7
    """Probability that an attempt to hop to a free fast site succeeds."""
    p_slow: Probability = 0.006
    """The same for a slow site."""
    p_decay: Annotated[Probability, Field(ge=1e-7, lt=1)] = 4e-4
    """Per step; 4e-4 is a lifetime of 2.5 ns."""
    relaxation_time_ns: Annotated[Duration, Field(gt=0)] = 8100.0
    """Mean time for which a site stays fast, at 300 K."""
    stages: Annotated[tuple[Stage, ...], Field(max_length=20)] = ()
    """What a fast site relaxes to before it is slow, in this order, beyond the paper; a visit makes it fast again."""
    p_annihilation: Probability = 0.0
    """Probability that an attempt to hop onto another exciton destroys the one that hops, beyond the paper."""
    edges: Literal["closed", "periodic"] = "closed"
    """closed: attempts to hop outside are refused. periodic: they lead to the other side, beyond the paper."""
    temperature_k: Annotated[Kelvin, Field(ge=1)] = REFERENCE_K
    """Of the lattice; relaxation and hops change with it."""
    relaxation_barrier_k: Annotated[Kelvin, Field(ge=0)] = 113.8
    """Relaxation slows down as exp(barrier / T); 113.8 K takes 6 us at 300 K to 40 us at 50 K (ours)."""
    hop_barrier_k: Annotated[Kelvin, Field(ge=0)] = 0.0
    """Hopping probabilities fall as exp(-barrier / T) below 300 K, and rise above; 0 leaves them alone (ours)."""

    @property
    def sigma(self) -> float:
        """Standard deviation of the spot in lattice spacings.

        Examples
        --------
        >>> round(Lattice().sigma, 2)
        10.62
        """
        return self.spot_fwhm_nm * SIGMA_PER_FWHM / self.spacing_nm

    @property
    def tau_relax_ns(self) -> float:
        """Mean time for which a site stays fast, at the temperature of the lattice.

        Examples
        --------
        >>> round(Lattice().tau_relax_ns), round(Lattice(temperature_k="50 K").tau_relax_ns)
        (8100, 53976)
        """
        return self.relaxation_time_ns * math.exp(self.relaxation_barrier_k * self._inverse_kelvin)

    @property
    def p_hop(self) -> tuple[float, ...]:
        """Probabilities to hop to a free slow, a fast site, and one in each stage, at the lattice's temperature."""
        factor = math.exp(-self.hop_barrier_k * self._inverse_kelvin)
        return tuple(p * factor for p in (self.p_slow, self.p_fast, *(stage.p_hop for stage in self.stages)))

    @property
    def is_extended(self) -> bool:
        """Whether sites and excitons follow rules that the paper does not have."""
        return bool(self.stages) or self.p_annihilation > 0.0 or self.edges == "periodic"

    @property
    def _inverse_kelvin(self) -> float:
        return 1.0 / self.temperature_k - 1.0 / REFERENCE_K

    @model_validator(mode="after")
    def _hops_are_probable_at_the_temperature(self) -> Lattice:
        if max(self.p_hop) > 1.0:
            raise ValueError(
                f"a hop_barrier of {self.hop_barrier_k:g} K makes a probability to hop {max(self.p_hop):.3g} at "
                f"{self.temperature_k:g} K, more than 1; write a smaller p_fast or p_hop"
            )
        return self

    @model_validator(mode="after")
    def _fast_is_not_slower_than_slow(self) -> Lattice:
        if self.p_slow > self.p_fast:
            raise ValueError(f"p_slow of {self.p_slow:g} is larger than p_fast of {self.p_fast:g}; exchange them")
        return self

    @model_validator(mode="after")
    def _the_spot_fits_on_the_lattice(self) -> Lattice:
        columns_per_spacing = 2.0 / math.sqrt(3.0) if self.neighbours == 6 else 1.0
        reach = columns_per_spacing * self.sigma * math.sqrt(-2.0 * math.log(LOWEST_WEIGHT))
        if reach > (self.size - 1) // 2:
            raise ValueError(
                f"{self.size} x {self.size} sites are too small for a spot of {self.spot_fwhm_nm:g} nm, which "
                f"excites sites up to {reach:.0f} columns from its centre; write a size of at least "
                f"{2 * math.ceil(reach) + 1}"
            )
        return self


class Recording(Model):
    """When positions are recorded, and at which delay the diffusivity is read off."""

    interval_ns: Annotated[Nanoseconds, Field(gt=0)] = 0.05
    """Between two recordings of the positions."""
    span_ns: Annotated[Nanoseconds, Field(gt=0)] = 5.0
    """After the pulse, for which positions are recorded."""
    compare_ns: Annotated[Nanoseconds, Field(gt=0)] = 1.0
    """The diffusivity is the mean square displacement here over 4 times this delay."""

    @model_validator(mode="after")
    def _the_comparison_is_recorded(self) -> Recording:
        n_intervals = self.compare_ns / self.interval_ns
        if self.compare_ns > self.span_ns or abs(n_intervals - round(n_intervals)) > 1e-6:
            raise ValueError(
                f"compare of {self.compare_ns:g} ns must be a multiple of the interval of {self.interval_ns:g} ns, and "
                f"at most the span of {self.span_ns:g} ns"
            )
        return self


class KmcRecipe(Model):
    """A lattice, and the conditions it is simulated under: every alpha with every pulse spacing."""

    kind: Literal["kmc"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    """Becomes part of the file's name."""
    alpha: tuple[Annotated[Probability, Field(gt=0)], ...]
    """Probability that a pulse excites a site in the centre of the spot."""
    tau_pulse_ns: Annotated[tuple[Annotated[Duration, Field(gt=0)], ...], Field(alias="tau_pulse")]
    """Time between pulses."""
    n_pulses: Annotated[int, Field(ge=FEWEST_PULSES, le=10_000_000)] = 1000
    """Of each condition."""
    n_burn_in: Annotated[int, Field(ge=0)] = 0
    """Pulses at the beginning that are left out of the averages; the paper averages over all."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    """The same seed gives the same numbers."""
    lattice: Lattice = Lattice()
    recording: Recording = Recording()

    @property
    def conditions(self) -> list[tuple[float, float]]:
        """Pairs of alpha and pulse spacing in ns, alpha outermost."""
        return list(product(self.alpha, self.tau_pulse_ns))

    @property
    def record_every(self) -> int:
        """Steps between recordings."""
        return round(self.recording.interval_ns * 1e3 / self.lattice.step_ps)

    @property
    def n_times(self) -> int:
        """Recordings per pulse, the one at the pulse included."""
        return int(self.recording.span_ns / self.recording.interval_ns + 1e-6) + 1

    @property
    def compare_at(self) -> int:
        """Index of the recording at which the diffusivity is read off."""
        return round(self.recording.compare_ns / self.recording.interval_ns)

    @model_validator(mode="after")
    def _there_is_something_to_simulate_once(self) -> KmcRecipe:
        for key, values in (("alpha", self.alpha), ("tau_pulse", self.tau_pulse_ns)):
            if len(values) == 0 or len(set(values)) < len(values):
                raise ValueError(f"{key} must be a list of at least one value without repetitions")
        return self

    @model_validator(mode="after")
    def _some_pulses_are_averaged(self) -> KmcRecipe:
        if self.n_pulses - self.n_burn_in < FEWEST_PULSES:
            raise ValueError(
                f"n_burn_in of {self.n_burn_in} leaves fewer than {FEWEST_PULSES} of {self.n_pulses} pulses; write at "
                f"most {self.n_pulses - FEWEST_PULSES}"
            )
        return self

    @model_validator(mode="after")
    def _recordings_fall_on_steps(self) -> KmcRecipe:
        n_steps = self.recording.interval_ns * 1e3 / self.lattice.step_ps
        if n_steps < 1 or abs(n_steps - round(n_steps)) > 1e-6:
            raise ValueError(
                f"recording.interval of {self.recording.interval_ns:g} ns must be a multiple of lattice.step, which is "
                f"{self.lattice.step_ps:g} ps"
            )
        return self
