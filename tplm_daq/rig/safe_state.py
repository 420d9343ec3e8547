"""The safe state: light out by every path, counter stopped, motion stopped, temperature policy.

Each step is tried even if an earlier one failed, and every failure is reported. Light goes first,
through connections of its own, because a hung scan must not be able to keep it on.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tplm_daq.errors import LightMayBeOnError

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SafetyStep:
    """One thing to do: what it is called in messages, and a callable that raises unless it is confirmed."""

    name: str
    act: Callable[[], None]


def make_safe(light_paths: Sequence[SafetyStep], others: Sequence[SafetyStep]) -> tuple[str, ...]:
    """Take every step and return what failed.

    Parameters
    ----------
    light_paths : sequence of SafetyStep
        Independent ways to put the light out; one success suffices.
    others : sequence of SafetyStep
        Everything else, in order.

    Returns
    -------
    tuple of str
        One sentence per step that failed, although the light is out.

    Raises
    ------
    LightMayBeOnError
        No path to the light confirmed that it is out.
    """
    light_failures = _try_all(light_paths)
    failures = light_failures + _try_all(others)
    if len(light_failures) == len(light_paths):
        raise LightMayBeOnError(failures)
    return tuple(failures)


def _try_all(steps: Sequence[SafetyStep]) -> list[str]:
    failures = []
    for step in steps:
        try:
            step.act()
        except Exception as error:  # whatever it is, the next step must still be tried
            logger.debug("safe state: %s failed", step.name, exc_info=True)
            failures.append(f"{step.name} failed ({error})")
    return failures
