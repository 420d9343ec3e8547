"""What the faults of devices do to the doubles, by name of the fault and kind of double.

**Ours**: which settings a box forgets when its power fails for a moment, where the documents do not say; its
connections survive. A double-triggered sync is counted twice by the rate meter; delays still count from the laser's
own pulses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from simulators import faults
from simulators.anc350 import ANC350
from simulators.cryostation import Cryostation
from simulators.faults import LINE_FAULTS, Fault
from simulators.fw102c import FW102C
from simulators.generator_channel import Channel
from simulators.kst101 import KST101
from simulators.lakeshore335 import LakeShore335
from simulators.pm100d import PM100D
from simulators.server import DoubleServer
from simulators.tcspc.table import LIBRARY_FAULTS, CounterTable
from simulators.trigger import TriggerGenerator

NEAR_MM = 0.01
"""How far a limit switch that is in the way is from the spindle."""
FULL_AT = 50
"""Counts at which a bin of the faulty counter is full."""


class Bench(Protocol):
    """Where faults strike."""

    servers: dict[str, DoubleServer]
    counter: CounterTable
    lock: AbstractContextManager[object]

    def now_ns(self) -> int:
        """Return the simulated time in ns."""


def require_possible(planned: Sequence[Fault], targets: Mapping[str, object]) -> None:
    """Raise ValueError if there is no such device among the doubles by role, or nothing of the kind happens to it."""
    for fault in planned:
        if fault.device not in targets:
            raise ValueError(f"{fault.name}: there is no {fault.device} here; there are {', '.join(targets)}")
        target = targets[fault.device]
        if not _can_happen(fault.name, target):
            raise ValueError(f"{fault.name} cannot happen to {fault.device}, a {type(target).__name__}")


def arrange(planned: Sequence[Fault], bench: Bench) -> Callable[[], None]:
    """Let faults strike when they are due; return what is to be called now and then for those that have a time."""
    lines = {"counter": bench.counter.line} | {role: server.line for role, server in bench.servers.items()}
    for fault in planned:
        target = bench.counter if fault.device == "counter" else bench.servers[fault.device].double
        act = _act(fault.name, target)
        lines[fault.device].plan(fault, None if act is None else partial(act, target))

    def strike_overdue() -> None:
        with bench.lock:
            for line in lines.values():
                line.strike_overdue(bench.now_ns())

    return strike_overdue


def _can_happen(fault: str, target: object) -> bool:
    """Tell whether a fault can happen to a double, or to the line that leads to it."""
    if fault in LINE_FAULTS:
        return not isinstance(target, CounterTable) or fault in LIBRARY_FAULTS
    return _act(fault, target) is not None


def _act(fault: str, target: object) -> Callable[..., None] | None:
    """Return what a fault of the device does to such a double, None if nothing."""
    return next((act for name, kind, act in _MISHAPS if name == fault and isinstance(target, kind)), None)


def _stick_spindle(box: KST101) -> None:
    box.faults.is_stuck = True


def _stick_positioners(box: ANC350) -> None:
    for axis in box.axes:
        axis.is_stuck = True


def _stick_wheel(box: FW102C) -> None:
    box.is_stuck = True


def _miss_home(box: KST101) -> None:
    box.faults.is_home_missed = True


def _close_in_spindle(box: KST101) -> None:
    box.spindle.switches_mm = (box.position_mm - NEAR_MM, box.position_mm + NEAR_MM)


def _close_in_positioners(box: ANC350) -> None:
    for index, axis in enumerate(box.axes):
        axis.ends_nm = (box.position_nm(index), box.position_nm(index))


def _lose_sync(table: CounterTable) -> None:
    table.settle()
    table.syncs_per_pulse = 0


def _double_sync(table: CounterTable) -> None:
    table.settle()
    table.syncs_per_pulse = 2


def _fill_bins(table: CounterTable) -> None:
    table.device.full_at = FULL_AT


def _lose_thermometers(box: LakeShore335) -> None:
    for channel in "AB":
        box.unplug(channel)


def _lose_cold_thermometers(box: Cryostation) -> None:
    box.missing = {"platform", "sample", "user", "stage 1", "stage 2"}


def _lose_positions(box: ANC350) -> None:
    for axis in box.axes:
        axis.is_sensor_lost = True


def _lose_sensor(box: PM100D) -> None:
    box.has_sensor = False


def _reset_generator(box: TriggerGenerator) -> None:
    box.before_change()
    box.channels = {1: Channel(), 2: Channel()}
    box.errors.clear()


_MISHAPS: tuple[tuple[str, type, Callable[..., None]], ...] = (
    (faults.STUCK_AXIS, KST101, _stick_spindle),
    (faults.STUCK_AXIS, ANC350, _stick_positioners),
    (faults.STUCK_AXIS, FW102C, _stick_wheel),
    (faults.MISSED_HOME, KST101, _miss_home),
    (faults.LIMIT_HIT, KST101, _close_in_spindle),
    (faults.LIMIT_HIT, ANC350, _close_in_positioners),
    (faults.LOST_SYNC, CounterTable, _lose_sync),
    (faults.DOUBLE_SYNC, CounterTable, _double_sync),
    (faults.FIFO_FULL, CounterTable, lambda table: table.device.fill_fifo()),
    (faults.BIN_OVERFLOW, CounterTable, _fill_bins),
    (faults.SENSOR_LOST, LakeShore335, _lose_thermometers),
    (faults.SENSOR_LOST, Cryostation, _lose_cold_thermometers),
    (faults.SENSOR_LOST, ANC350, _lose_positions),
    (faults.SENSOR_LOST, PM100D, _lose_sensor),
    (faults.HEATER_OPEN, LakeShore335, lambda box: box.break_heater(1)),
    (faults.RAMP_STUCK, LakeShore335, lambda box: box.stick_ramp(1)),
    (faults.POWER_CYCLE, KST101, KST101.cut_power),
    (faults.POWER_CYCLE, LakeShore335, LakeShore335.lose_power),
    (faults.POWER_CYCLE, TriggerGenerator, _reset_generator),
    (faults.POWER_CYCLE, CounterTable, lambda table: table.device.close()),
)
