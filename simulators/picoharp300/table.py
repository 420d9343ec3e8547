"""PHLib 3.0 with one simulated PicoHarp 300 attached.

Source: phlib.h and errorcodes.h of PHLib 3.0 (October 2015).
"""

from __future__ import annotations

from simulators.detection import DetectorSettings
from simulators.picoharp300.device import PicoHarp
from simulators.picoharp300.face import PHLIB
from simulators.tcspc.device import Readiness
from simulators.tcspc.table import CounterTable, Function, LibraryFacts
from simulators.tcspc.world import World

_FUNCTIONS = {
    "OpenDevice": Function("open", Readiness.CLOSED),
    "CloseDevice": Function("close", Readiness.CLOSED),
    "Initialize": Function("initialise", Readiness.OPEN, is_idle_only=True),
    "GetHardwareInfo": Function("hardware_info"),
    "GetSerialNumber": Function("serial_number"),
    "GetFeatures": Function("features"),
    "GetBaseResolution": Function("base_resolution"),
    "GetHardwareDebugInfo": Function("debug_info", Readiness.OPEN),
    "Calibrate": Function("calibrate", is_idle_only=True),
    "SetInputCFD": Function("set_discriminator", is_idle_only=True),
    "SetSyncDiv": Function("set_sync_divider", is_idle_only=True),
    "SetSyncOffset": Function("set_sync_offset", is_idle_only=True),
    "SetStopOverflow": Function("set_stop_overflow", is_idle_only=True),
    "SetBinning": Function("set_binning", is_idle_only=True),
    "SetOffset": Function("set_offset", is_idle_only=True),
    "SetMultistopEnable": Function("set_multistop", is_idle_only=True),
    "ClearHistMem": Function("clear_histogram", is_idle_only=True),
    "StartMeas": Function("start", Readiness.CALIBRATED, is_idle_only=True),
    "StopMeas": Function("stop"),
    "CTCStatus": Function("status"),
    "GetHistogram": Function("histogram"),
    "GetResolution": Function("resolution"),
    "GetCountRate": Function("count_rate"),
    "GetFlags": Function("flags"),
    "GetElapsedMeasTime": Function("elapsed_ms"),
    "GetWarnings": Function("warnings"),
    "GetWarningsText": Function("warnings_text"),
    "SetMarkerEnable": Function("set_marker_enable", is_idle_only=True),
    "SetMarkerEdges": Function("set_marker_edges", is_idle_only=True),
    "SetMarkerHoldoffTime": Function("set_marker_holdoff", is_idle_only=True),
    "ReadFiFo": Function("read_fifo"),
}

_FACTS = LibraryFacts(PHLIB, "3.0", 8, _FUNCTIONS)


class PicoHarpTable(CounterTable):
    """The simulated vendor library with one device attached.

    Parameters
    ----------
    world : World
        The bench around the counter.
    detector : DetectorSettings, optional
        Photodiode and dead times.
    seed : int
        Of the photons.
    serial : str
        Serial number of the device, at most 7 characters.
    index : int
        Device index at which it is found, 0 to 7.
    """

    def __init__(
        self,
        world: World,
        detector: DetectorSettings | None = None,
        seed: int = 0,
        serial: str = "1000123",
        index: int = 0,
    ) -> None:
        super().__init__(_FACTS, world, PicoHarp(world, detector or DetectorSettings(), seed, serial), index)
