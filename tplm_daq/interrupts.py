"""Ctrl-C, SIGTERM and a closed terminal: raised where a command only computes, noted where it has light to put out.

An exception raised by a signal comes up anywhere, in the middle of an exchange with a device too. So a command that
drives a rig takes notes (`Signals`) and ends where it is safe to. Everywhere else `Interrupted` ends the command.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import FrameType
from typing import ClassVar, NoReturn, Self

NAMES = {
    getattr(signal, name): words
    for name, words in (
        ("SIGINT", "Ctrl-C"),
        ("SIGTERM", "SIGTERM"),
        ("SIGHUP", "the terminal being closed"),  # not on Windows
        ("SIGBREAK", "Ctrl-Break"),  # on Windows only
    )
    if hasattr(signal, name)
}
"""Signals that end a command, and how messages call them."""

STATUS = 3
"""Exit status of a command that a signal ended."""


class Interrupted(BaseException):
    """A signal on its way out; not an Exception, so that nothing takes it for an error to be dealt with.

    Attributes
    ----------
    last : str or None
        What the last one said, whatever has become of it: pydantic makes an error of its own of it.
    """

    last: ClassVar[str | None] = None

    def __init__(self, text: str) -> None:
        super().__init__(text)
        Interrupted.last = text


class Signals:
    """Notes signals while its with block lasts, for a listener that may come later."""

    def __init__(self) -> None:
        self._heard: list[str] = []
        self._listener: Callable[[str], None] = self._heard.append
        self._before = {number: signal.getsignal(number) for number in NAMES}

    def __enter__(self) -> Self:
        """Begin to take notes."""
        _handle(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        """Treat signals as before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def listen(self, listener: Callable[[str], None]) -> None:
        """Tell `listener` (in the main thread) the name of every signal, those heard so far at once."""
        self._listener = listener
        while self._heard:
            listener(self._heard.pop(0))

    def _hear(self, number: int, _frame: FrameType | None) -> None:
        self._listener(NAMES[signal.Signals(number)])


def end_at_once_on_signals() -> None:
    """While there is nothing to clean up yet: let a signal end the program as `cli.main` would, and at once."""
    _handle(_end_at_once)


def raise_on_signals() -> None:
    """From now on let every signal raise `Interrupted` in the main thread."""
    _handle(_raise)


def ignore_signals() -> None:
    """Ignore signals from now on, because the program ends anyway."""
    _handle(signal.SIG_IGN)


def _handle(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    """Use a handler for every signal but those that whoever started the program had ignored (nohup)."""
    for number in NAMES:
        if number == signal.SIGINT or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)


def _end_at_once(number: int, _frame: FrameType | None) -> None:
    text = f"ended by {NAMES[signal.Signals(number)]}"
    os.write(2, f"tplm: {text}\n".encode())
    if "--json" in sys.argv:
        os.write(1, f'{{"error": {{"kind": "Aborted", "message": "{text}"}}, "exit_status": {STATUS}}}\n'.encode())
    os._exit(STATUS)


def _raise(number: int, _frame: FrameType | None) -> NoReturn:
    raise Interrupted(f"ended by {NAMES[signal.Signals(number)]}")
