"""The series recipe: one scan repeated under varied conditions.

Each item of `vary` names one quantity and its values, or several quantities whose values change together; the
items form a product, the first one outermost.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from tplm_daq.recipes.base import Hertz, Kelvin, Model, Nanometres, Nanowatts, file_key
from tplm_daq.recipes.rig import SampleName
from tplm_daq.recipes.scan import ScanRecipe

PLACES = {
    "average_power": "light.average_power",
    "repetition_rate": "light.repetition_rate",
    "temperature": "temperature",
    "spot": "spot",
    "detection_filter": "detection_filter",
    "sample": "rig.simulation.sample",
}
"""Where each quantity of a series stands in the scan recipe, or with the prefix ``rig.`` in the rig file."""

SHOWN_AS = {"detection_filter": "filter", "spot": "spot"}
"""Words before values that do not speak for themselves."""

Text = Annotated[str, Field(min_length=1)]


class Variation(Model):
    """Values of one quantity, or of several that change together and then have equally many values."""

    average_power_nw: tuple[Nanowatts, ...] | None = None
    """Powers at the sample."""
    repetition_rate_hz: tuple[Hertz, ...] | None = None
    """Pulses per second."""
    temperature_k: tuple[Kelvin, ...] | None = None
    """Set points; each is waited for."""
    spot_nm: tuple[tuple[Nanometres, Nanometres], ...] | None = None
    """Positions of the sample stage, x and y."""
    detection_filter: tuple[Text, ...] | None = None
    """Names of filters in the rig file's wheel in front of the detector."""
    sample: tuple[SampleName, ...] | None = None
    """Sample presets of a simulated rig."""

    @property
    def values(self) -> dict[str, tuple[object, ...]]:
        """Values by file key, as a file writes them."""
        dumped = self.model_dump(mode="json", exclude_none=True)
        return {key: tuple(values) for key, values in dumped.items()}

    @model_validator(mode="after")
    def _values_can_be_paired(self) -> Variation:
        lengths = {key: len(values) for key, values in self.values.items()}
        if not any(lengths.values()):
            raise ValueError(f"nothing is varied; give values of at least one of {', '.join(PLACES)}")
        if len(set(lengths.values())) > 1:
            counted = ", ".join(f"{n} of {key}" for key, n in lengths.items())
            raise ValueError(
                f"quantities of one item change together, but there are {counted}; give equally many, "
                "or make items of their own, which form a product"
            )
        return self


@dataclass(frozen=True)
class Condition:
    """One condition of a series.

    Attributes
    ----------
    index : int
        Its place in the order of measuring, from 0.
    values : tuple of (str, object)
        File key and value as a file writes it, such as ``("average_power", "3 nW")``.
    is_reference : bool
        Whether this is a repeat of the first condition, to see what changed with time.
    """

    index: int
    values: tuple[tuple[str, object], ...]
    is_reference: bool = False

    @property
    def label(self) -> str:
        """The values as one reads them, such as ``3 nW, 2.5 MHz``."""
        shown = [f"{SHOWN_AS[key]} {_plain(value)}" if key in SHOWN_AS else _plain(value) for key, value in self.values]
        return ", ".join(shown)

    @property
    def name(self) -> str:
        """The label, and whether it is a repeat."""
        return f"{self.label} (again)" if self.is_reference else self.label


class SeriesRecipe(Model):
    """A scan, what is varied, and in which order."""

    kind: Literal["series"]
    title: Annotated[str, Field(min_length=1, max_length=120)]
    """Becomes part of the folder's name."""
    scan: ScanRecipe
    """The scan, or the name of its file."""
    vary: tuple[Variation, ...]
    order: Literal["as-written", "shuffled"] = "as-written"
    """Of the conditions; shuffled leaves the first one where it is."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Of the shuffled order."""
    reference_every: Annotated[int, Field(ge=1)] | None = None
    """Repeat the first condition after every so many others, and at the end."""
    on_failure: Literal["go-on", "stop"] = "go-on"
    """What follows a condition that failed; it is recorded either way."""

    @model_validator(mode="after")
    def _something_is_varied_and_only_once(self) -> SeriesRecipe:
        if not self.vary:
            raise ValueError(f"vary is empty; give items with values of {', '.join(PLACES)}, or run the scan itself")
        keys = [key for variation in self.vary for key in variation.values]
        twice = sorted({key for key in keys if keys.count(key) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} is varied by more than one item; name it once")
        return self

    @property
    def operator(self) -> str:
        """Who measures, as noted in the session of the scan."""
        return self.scan.session.operator

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions in the order of measuring."""
        written = [tuple(itertools.chain(*combined)) for combined in itertools.product(*map(_steps, self.vary))]
        first, others = written[0], written[1:]
        if self.order == "shuffled":
            random.Random(self.seed).shuffle(others)
        if self.reference_every is None:
            ordered = [(values, False) for values in (first, *others)]
        else:
            ordered = [(first, False), *_with_references(first, others, self.reference_every)]
        return tuple(Condition(i, values, is_reference) for i, (values, is_reference) in enumerate(ordered))


Values = tuple[tuple[str, object], ...]


def _steps(variation: Variation) -> list[Values]:
    """Return the steps of one item: for each, its keys with the values that belong together."""
    return [tuple(zip(variation.values, step, strict=True)) for step in zip(*variation.values.values(), strict=True)]


def _with_references(first: Values, others: list[Values], every: int) -> Iterator[tuple[Values, bool]]:
    for n, values in enumerate(others, start=1):
        yield values, False
        if n % every == 0 or n == len(others):
            yield first, True


def _plain(value: object) -> str:
    return "/".join(map(str, value)) if isinstance(value, list) else str(value)


assert set(PLACES) == {file_key(name) for name in Variation.model_fields}
