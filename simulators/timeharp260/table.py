"""TH260Lib 3.2 with one simulated TimeHarp 260 attached.

Source: th260lib.h and errorcodes.h of TH260Lib 3.2 (February 2020).
"""

from __future__ import annotations

from simulators.detection import DetectorSettings
from simulators.tcspc.device import Readiness
from simulators.tcspc.table import CounterTable, Function, LibraryFacts
from simulators.tcspc.world import World
from simulators.timeharp260.device import PICO, Kind, TimeHarp
from simulators.timeharp260.face import TH260LIB

_FUNCTIONS = {
    "OpenDevice": Function("open", Readiness.CLOSED),
    "CloseDevice": Function("close", Readiness.CLOSED),
    "Initialize": Function("initialise", Readiness.OPEN, is_idle_only=True),
    "GetHardwareInfo": Function("hardware_info"),
    "GetSerialNumber": Function("serial_number"),
    "GetFeatures": Function("features"),
    "GetBaseResolution": Function("base_resolution"),
    "GetNumOfInputChannels": Function("n_inputs"),
    "SetTimingMode": Function("set_timing_mode", is_idle_only=True),
    "SetSyncDiv": Function("set_sync_divider", is_idle_only=True),
    "SetSyncCFD": Function("set_sync_discriminator", is_idle_only=True),
    "SetSyncEdgeTrg": Function("set_sync_edge", is_idle_only=True),
    "SetSyncChannelOffset": Function("set_sync_offset", is_idle_only=True),
    "SetInputCFD": Function("set_input_discriminator", is_idle_only=True),
    "SetInputEdgeTrg": Function("set_input_edge", is_idle_only=True),
    "SetInputChannelOffset": Function("set_input_offset", is_idle_only=True),
    "SetInputChannelEnable": Function("set_input_enable", is_idle_only=True),
    "SetInputDeadTime": Function("set_dead_time", is_idle_only=True),
    "SetStopOverflow": Function("set_stop_overflow", is_idle_only=True),
    "SetBinning": Function("set_binning", is_idle_only=True),
    "SetOffset": Function("set_offset", is_idle_only=True),
    "SetHistoLen": Function("set_length", is_idle_only=True),
    "SetMeasControl": Function("set_control", is_idle_only=True),
    "SetTriggerOutput": Function("set_trigger_output", is_idle_only=True),
    "ClearHistMem": Function("clear_histogram", is_idle_only=True),
    "StartMeas": Function("start", is_idle_only=True),
    "StopMeas": Function("stop"),
    "CTCStatus": Function("status"),
    "GetHistogram": Function("histogram"),
    "GetResolution": Function("resolution"),
    "GetSyncRate": Function("sync_rate"),
    "GetCountRate": Function("count_rate"),
    "GetFlags": Function("flags"),
    "GetElapsedMeasTime": Function("elapsed_ms"),
    "GetSyncPeriod": Function("sync_period"),
    "GetWarnings": Function("warnings"),
    "GetWarningsText": Function("warnings_text"),
    "GetHardwareDebugInfo": Function("debug_info", Readiness.OPEN),
    "SetMarkerEdges": Function("set_marker_edges", is_idle_only=True),
    "SetMarkerEnable": Function("set_marker_enable", is_idle_only=True),
    "SetMarkerHoldoffTime": Function("set_marker_holdoff", is_idle_only=True),
    "ReadFiFo": Function("read_fifo"),
}

_FACTS = LibraryFacts(TH260LIB, "3.2", 4, _FUNCTIONS)


class TimeHarpTable(CounterTable):
    """The simulated vendor library with one board attached.

    Parameters
    ----------
    world : World
        The bench around the counter.
    detector : DetectorSettings, optional
        Photodiode; the counter's dead time is the board's own.
    seed : int
        Of the photons.
    serial : str
        Serial number of the board, at most 7 characters.
    index : int
        Device index at which it is found, 0 to 3.
    kind : Kind
        PICO or NANO.
    n_inputs : int
        1 or 2.
    connected : int
        The input with the detector, from 0.
    """

    def __init__(
        self,
        world: World,
        detector: DetectorSettings | None = None,
        seed: int = 0,
        serial: str = "1001234",
        index: int = 0,
        kind: Kind = PICO,
        n_inputs: int = 1,
        connected: int = 0,
    ) -> None:
        device = TimeHarp(world, detector or DetectorSettings(), seed, serial, kind, (n_inputs, connected))
        super().__init__(_FACTS, world, device, index)
