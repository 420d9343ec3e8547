"""Acquisition and analysis for transient photoluminescence microscopy.

The public face is loaded on first use, so that ``tplm --help`` stays quick: `open_run` and `open_series` open what was
measured, `simulate` measures on a simulated rig, `simulate_lattice` follows excitons from nanocrystal to nanocrystal.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tplm_daq.api.run import Run, open_run
    from tplm_daq.api.series import Series, open_series
    from tplm_daq.api.simulate import simulate, simulate_lattice

__all__ = ["Run", "Series", "open_run", "open_series", "simulate", "simulate_lattice"]

_MODULES = {"Run": "run", "Series": "series", "open_run": "run", "open_series": "series"}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.api.{_MODULES.get(name, 'simulate')}"), name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
