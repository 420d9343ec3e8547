"""The operator of a rig: the person at the window, asked from the runner's thread."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from tplm_daq.errors import Aborted

PATIENCE_S = 600.0
"""So long nobody may answer before the run is given up, with the light out."""


@dataclass
class Question:
    """What is to be done by hand; answered from the window's thread."""

    what: str
    quantities: Mapping[str, float]
    is_done: bool = False
    answered: threading.Event = field(default_factory=threading.Event)

    def answer(self, is_done: bool) -> None:
        """Tell the runner whether it is done or declined."""
        self.is_done = is_done
        self.answered.set()


class WindowOperator:
    """Asks through the window and waits for the answer.

    Parameters
    ----------
    name : str
        Who is asked, for the record.
    ask : callable
        Shows a question; returns at once.
    is_unwanted : callable
        Tells whether the run is to end, and nobody needs to answer any more.
    """

    def __init__(self, name: str, ask: Callable[[Question], None], is_unwanted: Callable[[], bool]) -> None:
        self.name = name
        self._ask = ask
        self._is_unwanted = is_unwanted

    def set_by_hand(self, what: str, quantities: Mapping[str, float]) -> None:
        """Ask, and wait; raises Aborted if the operator declines, the run is ended, or nobody answers."""
        question = Question(what, dict(quantities))
        self._ask(question)
        end_s = time.monotonic() + PATIENCE_S
        while not question.answered.wait(0.1):
            if self._is_unwanted():
                question.answer(False)
                raise Aborted(f"ended while waiting for: {what}")
            if time.monotonic() > end_s:
                question.answer(False)
                raise Aborted(f"nobody answered within {PATIENCE_S / 60:.0f} minutes: {what}")
        if not question.is_done:
            raise Aborted(f"the operator declined: {what}")
