"""What devices tell: settings, positions, rates and finished histograms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

Setting: TypeAlias = float | int | bool | str
"""One value in a device snapshot; units are part of its key."""
CountingMode: TypeAlias = Literal["histogram", "t3"]
"""Whether a counter sorts photons into bins, or sends a record of each."""


@dataclass(frozen=True)
class Position:
    """Where the detector is: sample plane in nm and actuators in mm."""

    x_nm: float
    y_nm: float
    x_actuator_mm: float
    y_actuator_mm: float


@dataclass(frozen=True)
class Rates:
    """Sync rate in Hz and detector rate in counts per second, as the counter meters them."""

    sync_hz: float
    input_cps: float


@dataclass(frozen=True)
class TagSource:
    """Where time-tag records come from.

    Attributes
    ----------
    record_type : int
        Their layout, by PicoQuant's number for it (`TTResultFormat_TTTRRecType`).
    channel : int
        Input of the detector, from 0.
    """

    record_type: int
    channel: int


@dataclass(frozen=True)
class Histogram:
    """One finished histogram: counts uint32 (n_bin,), time counted in s, and whether the counter gave up early.

    `words` are the time-tag records of which it was made, uint32 (n_word,); None unless they were to be kept.
    """

    counts: NDArray[np.uint32]
    live_s: float
    has_overflow: bool
    words: NDArray[np.uint32] | None = None
