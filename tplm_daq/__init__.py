"""Acquisition and analysis for transient photoluminescence microscopy.

``open_run`` and ``Run`` are the public face; they are loaded on first use, so that ``tplm --help`` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tplm_daq.api import Run, open_run

__all__ = ["Run", "open_run"]


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tplm_daq import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return [*globals(), *__all__]
