"""A bench on its own, in real time: every double behind TCP, the serial ones also behind a device file."""

from __future__ import annotations

from dataclasses import dataclass, replace

from simulators.bench import Bench, BenchSettings
from simulators.clock import SimClock
from simulators.operator import OperatorDouble
from simulators.serving.host import BenchHost
from simulators.serving.pty_port import HAS_PTYS, PtyPort
from simulators.serving.real_time import RealTime
from simulators.tcspc.device import HISTOGRAM, T3

SERIAL_ROLES = ("detector_x", "detector_y", "thermostat", "attenuator")
"""Boxes whose USB is a serial port: KST101 (APT protocol, issue 25), Lake Shore 335 (manual, section 6.3), FW102C."""


@dataclass(frozen=True)
class Place:
    """Where one double is: VISA resource name, pyserial URL, and a device file or None."""

    address: str
    url: str
    pty: str | None


class ServedBench:
    """All doubles of a bench at real speed, for any program on this computer.

    Parameters
    ----------
    settings : BenchSettings
        The virtual experiment.

    Attributes
    ----------
    bench : Bench
        The doubles.
    address : str
        ``bench://127.0.0.1:PORT``, for `FarBench`.
    places : dict of str to Place
        The byte-stream doubles by role.
    """

    def __init__(self, settings: BenchSettings) -> None:
        _compile(settings)
        time = RealTime()
        self.bench = bench = Bench(settings, time, time)
        self._host = BenchHost(bench.counter, OperatorDouble(bench.laser, time), bench.truth, time)
        self._ptys = {role: PtyPort(bench.servers[role]) for role in SERIAL_ROLES if HAS_PTYS and role in bench.servers}
        self.address = self._host.address
        self.places = {
            role: Place(server.visa_address, server.url, self._ptys[role].path if role in self._ptys else None)
            for role, server in bench.servers.items()
        }

    def close(self) -> None:
        """Stop serving (harmless when repeated)."""
        self._host.close()
        for pty in self._ptys.values():
            pty.close()
        self.bench.close()


def _compile(settings: BenchSettings) -> None:
    """Let numba compile what counts photons, on a bench for nothing else: nobody could be answered meanwhile."""
    clock = SimClock()
    bench = Bench(replace(settings, faults=()), clock)
    counter = bench.counter.device
    for mode in (HISTOGRAM, T3):
        counter.initialise(mode)
        counter.start(1)
        clock.sleep(1e-3)
        counter.stop()
    bench.close()
