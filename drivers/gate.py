"""A light gate: one output of a 33500 generator as a constant level at a laser's slow gate input.

The second way to the light, independent of the trigger. Laser gates usually pull an open line up, which
lets light out, so a generator with its output *off* counts as an open gate here, and closing means
driving the closed level with the output *on*. Whether the gate of a given laser really stops the light
has to be tried once with a power meter before this is trusted.

Source: Agilent 33500 Series Operating and Service Guide (DC shape: the offset is the level). The TTL
limits are those of the 7400 family; that the PDL 800-D follows them is not confirmed by its manual.
"""

from __future__ import annotations

from math import inf
from typing import Any

from drivers.generator33500 import Generator33500, GeneratorError

LEVEL_TOLERANCE_V = 0.002
TTL_LOW_V, TTL_HIGH_V, TTL_MAX_V = 0.8, 2.0, 5.0
"""A TTL input reads low up to 0.8 V, high from 2.0 V, and survives 0 to 5 V."""


class LightGateLine(Generator33500):
    """Gate line of a laser; opening and closing are verified by read-back.

    Parameters
    ----------
    adapter : str, int or pymeasure Adapter
        VISA address or adapter.
    name : str
        Name used in messages.
    channel : int
        Output 1 or 2.
    open_v, closed_v : float
        Levels that let light out and keep it in, in V; one a TTL low, the other a TTL high.
    **kwargs
        For pymeasure's VISAAdapter.
    """

    def __init__(
        self,
        adapter: Any,
        name: str = "light gate",
        channel: int = 1,
        open_v: float = 5.0,
        closed_v: float = 0.0,
        **kwargs: Any,
    ) -> None:
        low_v, high_v = sorted((open_v, closed_v))
        if not 0.0 <= low_v <= TTL_LOW_V < TTL_HIGH_V <= high_v <= TTL_MAX_V:
            raise ValueError(
                f"{name}: gate levels {open_v:g} V (open) and {closed_v:g} V (closed) must be one of 0 to {TTL_LOW_V} V"
                f" and one of {TTL_HIGH_V} to {TTL_MAX_V} V"
            )
        super().__init__(adapter, name, channel, **kwargs)
        self.open_v = open_v
        self.closed_v = closed_v

    @property
    def light_out_exchange(self) -> tuple[bytes, bytes]:
        """Get the bytes that close the gate and the reply that confirms it, for a watchdog (two bytes objects)."""
        return f"{self._closing};:{self._output}?\n".encode(), b"1\n"

    @property
    def is_open(self) -> bool:
        """Control whether light can pass (bool); the first closing also sets the line up.

        Anything but the closed level on a switched-on output reads as open.
        """
        is_line_driven, level_v = self._line()
        return not (is_line_driven and abs(level_v - self.closed_v) <= LEVEL_TOLERANCE_V)

    @is_open.setter
    def is_open(self, is_open: bool) -> None:
        if is_open:
            self._open()
        else:
            self._close()

    @property
    def _closing(self) -> str:
        output, source = self._output, self._source
        return f"{output}:LOAD INF;:{source}:FUNC DC;:{source}:VOLT:OFFS {self.closed_v:g};:{output} ON"

    def _line(self) -> tuple[bool, float]:
        """Return whether a constant level is being driven into a high impedance, and which, in V."""
        shape, load, level, output = self._query(
            f"{self._source}:FUNC", f"{self._output}:LOAD", f"{self._source}:VOLT:OFFS", self._output
        )
        return shape == "DC" and self._number(load) == inf and output == "1", self._number(level)

    def _close(self) -> None:
        """Close in one message that works from any state and does not mind old errors in the queue."""
        self._switch(self._closing)
        if self.is_open:
            raise GeneratorError(f"{self.name} does not show the closed level after closing; put the light out by hand")

    def _open(self) -> None:
        is_line_driven, _ = self._line()
        if not is_line_driven:
            raise ValueError(f"{self.name} is not set up as a gate; close it first, which sets the line up")
        self._set_number(f"{self._source}:VOLT:OFFS", self.open_v, LEVEL_TOLERANCE_V, "V")
