"""Each fault by its name in a short scan: what the user is told, what is kept, and that the light is out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from simulators import faults, mishaps
from simulators.anc350 import ANC350
from simulators.cryostation import Cryostation
from simulators.faults import DEVICE_FAULTS, LINE_FAULTS, Fault
from simulators.fw102c import FW102C
from simulators.kst101 import KST101
from simulators.lakeshore335 import LakeShore335
from simulators.pm100d import PM100D
from simulators.tcspc.table import LIBRARY_FAULTS, CounterTable
from simulators.trigger import TriggerGenerator
from tests.faults.rehearsal import N_POSITIONS, doubts, impatient, rehearse
from tplm_daq.store.layout import PointFlags

SECOND_POINT_S = 24.5
"""Simulated time in the middle of the second point's dwell."""
WARMER = "temperature=302 K"
OTHER_SPOT = "spot=[3 um, 2 um]"
NOT_HOMED = "rig.simulation.is_homed=false"
HOMING_S = 3.0
"""Simulated time in the middle of a reference run."""
T3 = "counter.mode=t3"
CRYOSTATION = "rig.devices.thermostat={model: cryostation, address: double}"
WHEEL = "rig.devices.attenuator={model: fw102c, address: double, densities: [0, 0.5, 1, 2, 3, 4]}"
METER = "rig.devices.power_meter={model: pm100d, address: double, sample_per_meter: 0.2}"
FILTERS = "rig.devices.detection_filter={model: fw102c, address: double, filters: [open, LP, BP, ND 1, ND 2, block]}"


@dataclass(frozen=True)
class Case:
    """A fault, changes of the recipe, and what is to come of it; `n_kept` None where no file is made."""

    fault: Fault
    status: int
    message: str
    n_kept: int | None
    changes: tuple[str, ...] = ()


def mid(name: str, device: str, **options: object) -> Fault:
    return Fault(name, device, at_s=SECOND_POINT_S, **options)  # type: ignore[arg-type]


ENDING = [
    Case(mid(faults.SILENCE, "detector_x"), 1, "detector_x .* did not answer in time", 1),
    Case(mid(faults.LATE_REPLY, "detector_y"), 1, "detector_y .* did not answer in time", 1),
    Case(mid(faults.GARBLED_FRAME, "thermostat"), 1, "thermostat .* came as the answer to .*questions", 1),
    Case(mid(faults.TRUNCATED_FRAME, "thermostat"), 1, "thermostat .* did not answer in time", 1),
    Case(Fault(faults.STALE_REPLY, "trigger", at_transaction=4, count=1), 1, "trigger .*replies are out of step", None),
    Case(mid(faults.PORT_CLOSED, "detector_x"), 1, "detector_x .*socket disconnected.*Check power and USB", 1),
    Case(mid(faults.SILENCE, "counter"), 1, r"counter at double: .*USB_VCMD_FAIL.* A USB transfer failed", 1),
    Case(mid(faults.PORT_CLOSED, "counter"), 1, r"counter at double: .*The connection is lost", 1),
    Case(mid(faults.STUCK_AXIS, "detector_x"), 1, "detector_x .*asked to move to x .*not blocked", 2),
    Case(Fault(faults.STUCK_AXIS, "stage"), 1, "stage .*asked to move to .*Check amplitude", None, (OTHER_SPOT,)),
    Case(Fault(faults.STUCK_AXIS, "detector_x"), 1, "detector_x .*reference run has not ended", None, (NOT_HOMED,)),
    Case(Fault(faults.STUCK_AXIS, "attenuator"), 1, "attenuator .*Check that the wheel turns", None, (WHEEL, METER)),
    Case(
        Fault(faults.STUCK_AXIS, "detection_filter"),
        1,
        "detection_filter .*Check that the wheel turns",
        None,
        (FILTERS, "detection_filter=ND 1"),
    ),
    Case(Fault(faults.MISSED_HOME, "detector_y"), 1, "detector_y .*reference run has not ended", None, (NOT_HOMED,)),
    Case(
        Fault(faults.POWER_CYCLE, "detector_x", at_s=HOMING_S),
        1,
        "detector_x .*reference run has not ended",
        None,
        (NOT_HOMED,),
    ),
    Case(
        Fault(faults.SILENCE, "detector_x", at_s=HOMING_S), 1, "detector_x .*did not answer in time", None, (NOT_HOMED,)
    ),
    Case(mid(faults.LIMIT_HIT, "detector_x"), 1, "detector_x .*on a limit", 2),
    Case(Fault(faults.LIMIT_HIT, "detector_x", at_s=HOMING_S), 1, "detector_x .*on a limit", 0, (NOT_HOMED,)),
    Case(Fault(faults.LIMIT_HIT, "stage"), 1, "stage .*end of travel", None, (OTHER_SPOT,)),
    Case(Fault(faults.LOST_SYNC, "counter"), 4, "no sync: the counter sees no sync pulses .*sync cable", None),
    Case(Fault(faults.DOUBLE_SYNC, "counter"), 4, "sync rate is 5 MHz where 2.5 MHz .*reflections", None),
    Case(mid(faults.SENSOR_LOST, "thermostat"), 1, "thermostat .*input A.* gives no temperature", 1),
    Case(Fault(faults.SENSOR_LOST, "thermostat"), 1, "thermostat .*input A.* gives no temperature", None, (WARMER,)),
    Case(mid(faults.SENSOR_LOST, "thermostat"), 1, "thermostat .*no temperature", 1, (CRYOSTATION,)),
    Case(Fault(faults.SENSOR_LOST, "power_meter"), 1, "power_meter .*knows no sensor", None, (WHEEL, METER)),
    Case(Fault(faults.SENSOR_LOST, "stage"), 1, "stage .*sensor", None, (OTHER_SPOT,)),
    Case(mid(faults.HEATER_OPEN, "thermostat"), 1, "thermostat .*its heater reports OPEN_LOAD", 1),
    Case(
        Fault(faults.RAMP_STUCK, "thermostat"),
        1,
        "thermostat .*302 K was not reached .* it is at 299.9.*heater range",
        None,
        (WARMER, "rig.policies.temperature_timeout=600 s"),
    ),
    Case(mid(faults.POWER_CYCLE, "thermostat"), 1, "thermostat has been switched off and on", 1),
    Case(mid(faults.POWER_CYCLE, "detector_x"), 1, "detector_x .*had arrived .*must be homed", 1),
    Case(mid(faults.POWER_CYCLE, "counter"), 1, r"counter at double: .*switched off or unplugged meanwhile", 1),
    Case(mid(faults.POWER_CYCLE, "counter"), 1, r"counter at double: .*switched off or unplugged meanwhile", 1, (T3,)),
    Case(mid(faults.SILENCE, "counter"), 1, r"counter at double: .*A USB transfer failed", 1, (T3,)),
    Case(mid(faults.PORT_CLOSED, "counter"), 1, r"counter at double: .*The connection is lost", 1, (T3,)),
]


SPOILT = [
    Case(mid(faults.LOST_SYNC, "counter"), 4, "no sync: the counter sees no sync pulses", 2),
    Case(mid(faults.LOST_SYNC, "counter"), 4, "no sync: the counter sees no sync pulses", 2, (T3,)),
    Case(mid(faults.DOUBLE_SYNC, "counter"), 4, "sync rate is 5 MHz where 2.5 MHz .*reflections on the sync cable", 2),
    Case(mid(faults.POWER_CYCLE, "trigger"), 4, "no sync: the counter sees no sync pulses", 2),
]
"""What goes on while a point is counted is seen at its end: the point is kept and marked."""

SURVIVED = [
    *(mid(name, "counter", count=1) for name in LIBRARY_FAULTS if name != faults.PORT_CLOSED),
    mid(faults.GARBLED_FRAME, "detector_x", count=1),
    mid(faults.TRUNCATED_FRAME, "detector_y", count=1),
    mid(faults.GARBLED_FRAME, "trigger"),
    mid(faults.STALE_REPLY, "detector_x"),
    mid(faults.STALE_REPLY, "thermostat"),
    Fault(faults.STALE_REPLY, "trigger", at_transaction=3, count=1),
    Fault(faults.STALE_REPLY, "gate", at_transaction=3, count=1),
    Fault(faults.STALE_REPLY, "stage"),
    mid(faults.STUCK_AXIS, "stage"),
    mid(faults.POWER_CYCLE, "gate"),
    mid(faults.BIN_OVERFLOW, "counter"),
]


FULL_FIFO = Case(mid(faults.FIFO_FULL, "counter"), 0, "records that were not fetched in time", N_POSITIONS, (T3,))


@pytest.fixture(autouse=True)
def _impatient() -> Iterator[None]:
    """Wait longer than the campaign does: nothing is tried again here if the computer was busy."""
    with impatient(reply_timeout_s=0.3):
        yield


def case_id(case: Case) -> str:
    changed = [change.partition("=")[0].rpartition(".")[2] for change in case.changes]
    return " ".join([f"{case.fault.name} of {case.fault.device}", *(f"with {name}" for name in changed)])


@pytest.mark.parametrize("case", ENDING, ids=case_id)
def test_a_fault_that_ends_the_run_is_named_and_the_points_before_it_are_kept(case: Case, tmp_path: Path) -> None:
    aftermath = rehearse(tmp_path, [case.fault], *case.changes)
    assert re.search(case.message, aftermath.message, re.DOTALL), aftermath.message
    assert aftermath.status == case.status
    assert aftermath.is_light_out
    if case.n_kept is None:
        assert not list(tmp_path.iterdir())
    else:
        assert aftermath.run is not None
        assert aftermath.n_acknowledged == aftermath.n_stored == case.n_kept
        assert aftermath.run.finish_reason == "failed"
        assert not any(aftermath.run.points["flags"])
        assert doubts(aftermath.run) == (["temperature"] if CRYOSTATION in case.changes else [])  # it holds 295 K


@pytest.mark.parametrize("case", SPOILT, ids=case_id)
def test_a_point_that_a_fault_spoils_is_kept_and_marked(case: Case, tmp_path: Path) -> None:
    aftermath = rehearse(tmp_path, [case.fault], *case.changes)
    assert re.search(case.message, aftermath.message, re.DOTALL), aftermath.message
    assert (aftermath.status, aftermath.finish_reason) == (case.status, "guard")
    assert aftermath.is_light_out
    assert aftermath.run is not None
    assert aftermath.n_acknowledged == aftermath.n_stored == case.n_kept
    assert list(aftermath.run.points["flags"]) == [0, PointFlags.SUSPECT | PointFlags.SYNC]
    assert doubts(aftermath.run) == []
    assert re.search(case.message, "\n".join(aftermath.notices), re.DOTALL)


@pytest.mark.parametrize("fault", SURVIVED, ids=lambda fault: f"{fault.name} of {fault.device}")
def test_a_fault_that_can_be_overcome_leaves_the_data_as_they_would_be(fault: Fault, tmp_path: Path) -> None:
    aftermath = rehearse(tmp_path, [fault])
    assert aftermath.message == ""
    assert (aftermath.status, aftermath.n_stored, aftermath.is_light_out) == (0, N_POSITIONS, True)
    assert aftermath.run is not None
    assert not any(aftermath.run.points["flags"])
    assert doubts(aftermath.run) == []


def test_a_full_fifo_marks_the_point_and_says_why(tmp_path: Path) -> None:
    aftermath = rehearse(tmp_path, [FULL_FIFO.fault], *FULL_FIFO.changes)
    assert (aftermath.status, aftermath.n_stored, aftermath.is_light_out) == (0, N_POSITIONS, True)
    assert aftermath.run is not None
    is_marked = aftermath.run.points["flags"] == PointFlags.OVERFLOW
    assert list(is_marked) == [False, True, False, False, False]
    assert 0.2 < aftermath.run.points["live_s"][1] < 0.8
    assert len(aftermath.notices) == 1
    assert FULL_FIFO.message in aftermath.notices[0]


def test_with_every_path_to_the_light_dead_the_user_is_told_to_act(tmp_path: Path) -> None:
    dead = [mid(faults.PORT_CLOSED, device) for device in ("trigger", "gate")]
    aftermath = rehearse(tmp_path, [*dead, mid(faults.SILENCE, "counter")])
    assert aftermath.power_nw == pytest.approx(10.0)
    assert aftermath.status == 1
    assert re.search("LIGHT MAY BE ON: the laser.s trigger failed .*the light gate failed", aftermath.message)
    assert "Turn the laser's key switch off by hand" in aftermath.message
    assert aftermath.n_acknowledged == aftermath.n_stored == 1


@pytest.mark.parametrize("dead", ["trigger", "gate"])
@pytest.mark.parametrize("name", [faults.SILENCE, faults.LATE_REPLY, faults.GARBLED_FRAME, faults.PORT_CLOSED])
def test_one_path_to_the_light_suffices(dead: str, name: str, tmp_path: Path) -> None:
    aftermath = rehearse(tmp_path, [mid(name, dead), mid(faults.SILENCE, "counter")])
    assert aftermath.status == 1
    assert "counter at double" in aftermath.message
    assert aftermath.is_light_out


KINDS = {
    "detector_x": KST101,
    "detector_y": KST101,
    "stage": ANC350,
    "thermostat": LakeShore335,
    "trigger": TriggerGenerator,
    "gate": TriggerGenerator,
    "counter": CounterTable,
    "attenuator": FW102C,
    "detection_filter": FW102C,
    "power_meter": PM100D,
}
"""The double of each role, unless the case says otherwise."""


def test_every_fault_of_every_kind_of_device_has_its_case() -> None:
    cases = [*ENDING, *SPOILT, *(Case(fault, 0, "", None) for fault in SURVIVED), FULL_FIFO]
    tested = {
        (case.fault.name, Cryostation if CRYOSTATION in case.changes else KINDS[case.fault.device]) for case in cases
    }
    untested = [f"{name} of a {kind.__name__}" for name, kind, _ in mishaps._MISHAPS if (name, kind) not in tested]
    assert untested == []
    assert {name for name, _ in tested} == set(LINE_FAULTS) | set(DEVICE_FAULTS)
