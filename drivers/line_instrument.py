"""What instruments that answer each question with one line have in common: their errors, and getting back into step.

pyvisa's exceptions are no OSErrors, a serial adapter returns an empty text for a reply that never came, and a reply
that comes late, or noise on the line, would be taken for the answer to the next question.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from pymeasure.instruments import Instrument

from drivers.bounded_visa import BoundedVisaAdapter
from drivers.visa_errors import no_answer, os_errors

Value = TypeVar("Value")


class LineInstrument(Instrument):
    """An instrument that answers in lines; what it raises are TimeoutError and ConnectionError.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address or adapter.
    name : str
        Name used in messages.
    **kwargs
        For pymeasure's Instrument.

    Attributes
    ----------
    silence : str
        What to check when no answer comes.
    """

    silence: ClassVar[str] = "check its power and cable, and discard its late replies before asking again"
    _is_reply_due = False

    def __init__(self, adapter: Any, name: str, **kwargs: Any) -> None:
        if isinstance(adapter, (int, str)):
            is_scpi = {key: kwargs.pop(key) for key in ("includeSCPI",) if key in kwargs}
            adapter, kwargs = BoundedVisaAdapter(adapter, **kwargs), is_scpi
        super().__init__(adapter, name, **kwargs)

    def write(self, command: str, **kwargs: Any) -> None:
        """Send one message; raise ConnectionError if the connection is broken."""
        with os_errors(self.name, self.silence):
            super().write(command, **kwargs)

    def read(self, **kwargs: Any) -> str:
        """Read one reply; raise TimeoutError or ConnectionError if none comes."""
        with os_errors(self.name, self.silence):
            reply = str(super().read(**kwargs)).strip()
        if not reply:
            raise no_answer(self.name, self.silence)
        return reply

    def exchange(self, message: str, parse: Callable[[str], Value]) -> Value:
        """Ask, and return what `parse` makes of the answer; noise in place of it is discarded and asked about again.

        Parameters
        ----------
        message : str
            What is sent; something that may be sent twice.
        parse : callable
            Reads the answer, and raises ConnectionError if it is none.

        Raises
        ------
        TimeoutError
            No answer came in time; when it comes, it is discarded before the next question.
        ConnectionError
            The connection is broken, or what came was no answer twice.
        """
        if self._is_reply_due:
            self.discard()
        self._is_reply_due = True
        try:
            value = parse(self.ask(message))
        except ConnectionError:
            self.discard()
            value = parse(self.ask(message))
        self._is_reply_due = False
        return value

    def discard(self) -> None:
        """Read away what has arrived; ConnectionError if it does not end."""
        with os_errors(self.name, self.silence):
            self.adapter.flush_read_buffer()
