"""One output of a function generator of the Agilent/Keysight 33500 family, with checked writes.

What a trigger (`trigger.py`) and a gate line (`gate.py`) have in common: identification, and settings
that are written, read back and checked for errors in one message. pymeasure's ``Agilent33500`` offers
the family's commands without read-back and with its levels free while the output is on, so only its
base classes are used. Bursts, modulation and sweeps are not touched.

Source: Agilent 33500 Series Operating and Service Guide (SCPI reference, error queue).
"""

from __future__ import annotations

from math import inf
from typing import Any

from pymeasure.instruments import SCPIMixin
from pymeasure.instruments.validators import strict_discrete_set

from drivers.line_instrument import LineInstrument

LARGEST_NUMBER = 9e37
"""The family prints 9.9E+37 for infinity."""


class GeneratorError(OSError):
    """The generator reported an error, or shows another setting than the one it was sent."""


class Generator33500(SCPIMixin, LineInstrument):
    """One output of a 33500 generator with checked writes; talks only when asked to.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address or adapter.
    name : str
        Name used in messages.
    channel : int
        Output 1 or 2.
    **kwargs
        For pymeasure's VISAAdapter.
    """

    def __init__(self, adapter: Any, name: str, channel: int = 1, **kwargs: Any) -> None:
        strict_discrete_set(channel, (1, 2))
        kwargs.setdefault("read_termination", "\n")
        kwargs.setdefault("write_termination", "\n")
        super().__init__(adapter, name, **kwargs)
        self.channel = channel
        self._source = f"SOUR{channel}"
        self._output = f"OUTP{channel}"

    def identify(self) -> str:
        """Clear old errors and return the generator's identification, having made sure that it is a 33500.

        Raises
        ------
        ConnectionError
            Another kind of box answered.
        """
        self.discard()
        identity = str(self.ask("*CLS;*IDN?")).strip()
        maker, _, model = identity.partition(",")
        if not (maker.upper().startswith(("AGILENT", "KEYSIGHT")) and model.startswith("335")):
            raise ConnectionError(
                f"{self.name}: '{identity}' answered, not an Agilent or Keysight 33500 generator; correct the address"
            )
        return identity

    def _query(self, *headers: str) -> list[str]:
        """Ask for several settings in one message."""

        def parse(reply: str) -> list[str]:
            values = reply.split(";")
            if len(values) != len(headers):
                raise ConnectionError(
                    f"{self.name} answered '{reply}' to {len(headers)} questions; replies are out of step: discard them"
                    " and ask again"
                )
            return values

        return self.exchange(";".join(f":{header}?" for header in headers), parse)

    def _switch(self, command: str) -> bool:
        """Send what ends in a question for the output, without minding old errors, and return whether it is on."""

        def parse(reply: str) -> bool:
            if reply not in ("0", "1"):
                raise ConnectionError(f"{self.name} answered '{reply}' where 0 or 1 belongs; replies are out of step")
            return reply == "1"

        return self.exchange(f"{command};:{self._output}?", parse)

    def _set(self, header: str, value: str) -> str:
        """Write a setting, and return what the generator shows for it afterwards."""
        shown, _, error = self.exchange(f":{header} {value};:{header}?;:SYST:ERR?", str).partition(";")
        if not error.lstrip("+").startswith("0,"):
            self._empty_error_queue()
            raise GeneratorError(
                f"{self.name} reported {error or 'nothing'} after '{header} {value}' and now shows {shown};"
                " the error may be older: read the settings again before going on"
            )
        return shown

    def _empty_error_queue(self) -> None:
        try:
            self.check_errors()
        except ValueError as error:
            raise ConnectionError(
                f"{self.name} answered something else than its errors ({error}); replies are out of step"
            ) from error

    def _set_word(self, header: str, value: str) -> None:
        shown = self._set(header, value)
        if shown != value:
            raise GeneratorError(
                f"{self.name} shows '{header}' = {shown} after {value} was sent; check its front panel"
            )

    def _set_number(self, header: str, value: float, tolerance: float, unit: str) -> float:
        shown = self._number(self._set(header, f"{value:.12g}"))
        if not abs(shown - value) <= tolerance:
            raise GeneratorError(
                f"{self.name} shows '{header}' = {shown:.12g} {unit} after {value:.12g} {unit} was sent"
                f" (tolerance {tolerance:.3g} {unit}); check its front panel and its limits"
            )
        return shown

    def _number(self, text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ConnectionError(
                f"{self.name} answered '{text}' where a number belongs; replies are out of step"
            ) from None
        return inf if value > LARGEST_NUMBER else value
