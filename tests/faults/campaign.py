"""Every transaction of a short scan suffers every fault of its line, one after the other, and each run is judged.

``python -m tests.faults.campaign`` runs all of it in an order drawn by a seed; ``--minutes 10`` as many as fit,
``--shard 2/8`` an eighth.
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from simulators.faults import (
    GARBLED_FRAME,
    LATE_REPLY,
    PORT_CLOSED,
    SILENCE,
    STALE_REPLY,
    TRUNCATED_FRAME,
    Conversation,
    Fault,
    Line,
)
from simulators.tcspc.table import LIBRARY_FAULTS
from tests.faults.rehearsal import N_POSITIONS, N_TRIES, Aftermath, completes_after_resume, doubts, impatient, rehearse

BOUND_S = 20.0
"""Longest run: a wait for a move, or three time-outs, on a busy computer."""
WAYS: tuple[tuple[str, int | None], ...] = (
    (SILENCE, 1),
    (SILENCE, None),
    (LATE_REPLY, 1),
    (GARBLED_FRAME, 1),
    (GARBLED_FRAME, None),
    (TRUNCATED_FRAME, 1),
    (STALE_REPLY, 1),
    (PORT_CLOSED, 1),
    (PORT_CLOSED, None),
)
"""Fault, and how many messages suffer."""
FOR_ORDERS = (SILENCE, PORT_CLOSED)
"""What can happen to a message that has no reply."""
GUARDED = ("trigger", "gate", "counter", "thermostat")
"""Devices whose faults may show as something that a guard sees."""


def cases(folder: Path) -> list[Fault]:
    """Return every fault of every transaction of a scan without faults."""
    with pytest.MonkeyPatch.context() as patch:
        has_reply = _note_replies(patch)
        aftermath = _rehearsed_undisturbed(folder)
    assert aftermath.status == 0, aftermath.message
    assert doubts(_file(aftermath)) == []
    found = []
    for role, line in aftermath.lines.items():
        for number in range(1, line.n_transactions + 1):
            possible = LIBRARY_FAULTS if role == "counter" else () if (line, number) in has_reply else FOR_ORDERS
            found += [
                Fault(name, role, at_transaction=number, count=count)
                for name, count in WAYS
                if name in (possible or (way for way, _ in WAYS))
            ]
    return found


def judge(fault: Fault, aftermath: Aftermath) -> list[str]:
    """Return what is not as it has to be after a run with a fault."""
    message, has_alarmed = aftermath.message, "LIGHT MAY BE ON" in aftermath.message
    expected = {
        "bounded": aftermath.wall_s < BOUND_S,
        "light out": aftermath.is_light_out or (has_alarmed and aftermath.status == 1),
        "points kept": aftermath.n_stored >= aftermath.n_acknowledged,
    }
    if aftermath.status == 0:
        expected["complete"] = aftermath.n_stored == N_POSITIONS and aftermath.finish_reason == "completed"
        expected["data right"] = aftermath.run is not None and not doubts(aftermath.run)
    elif aftermath.status == 4:
        expected["status"] = fault.device in GUARDED
    else:
        expected["status"] = aftermath.status == 1
        expected["device named"] = fault.device in message
        expected["cause named"] = len(message) > len(fault.device) + 20
    if aftermath.run is not None:
        expected["reason in the file"] = aftermath.run.finish_reason == aftermath.finish_reason
        expected["completes after resume"] = aftermath.status == 0 or completes_after_resume(aftermath.run)
    return [name for name, is_met in expected.items() if not is_met]


def run_all(faults: Sequence[Fault], folder: Path, minutes: float = float("inf")) -> tuple[str, list[str]]:
    """Run every case for which there is time; return the table and what went wrong."""
    due_s = time.monotonic() + 60 * minutes
    outcomes: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    failures = []
    for fault in faults:
        if time.monotonic() > due_s:
            break
        aftermath = _rehearsed_undisturbed(folder, fault)
        wrong = judge(fault, aftermath)
        if wrong:
            failures.append(f"{_shown(fault)}: {', '.join(wrong)}: {_told(aftermath)}")
            print(failures[-1], flush=True)
        ending = "failure" if wrong else {0: "recovered", 4: "guard"}.get(aftermath.status, "ended")
        outcomes[fault.device, fault.name + (" for ever" if fault.count is None else "")][ending] += 1
        for file in folder.glob("*"):
            file.unlink()
    return "\n".join(_rows(outcomes)), failures


def _rehearsed_undisturbed(folder: Path, *faults: Fault) -> Aftermath:
    """Rehearse, again if a device without a fault missed its 0.1 s because this computer was busy."""
    for _ in range(N_TRIES - 1):
        aftermath = rehearse(folder, faults)
        is_explained = any(fault.device in aftermath.message for fault in faults)
        if is_explained or "did not answer in time" not in aftermath.message:
            return aftermath
    return rehearse(folder, faults)


def _rows(outcomes: dict[tuple[str, str], Counter[str]]) -> Iterator[str]:
    endings = ("recovered", "ended", "guard", "failure")
    yield f"{'device':12} {'fault':26}" + "".join(f"{ending:>10}" for ending in endings)
    for (device, fault), counts in sorted(outcomes.items()):
        yield f"{device:12} {fault:26}" + "".join(f"{counts[ending]:10}" for ending in endings)
    total: Counter[str] = sum(outcomes.values(), Counter())
    yield f"{'all':39}" + "".join(f"{total[ending]:10}" for ending in endings)


def _note_replies(patch: pytest.MonkeyPatch) -> set[tuple[Line, int]]:
    """Let every line tell which of its messages have a reply."""
    found: set[tuple[Line, int]] = set()
    carry = Line.carry

    def noting(line: Line, frame: bytes, answer: object, conversation: Conversation, now_ns: int) -> bytes:
        reply = carry(line, frame, answer, conversation, now_ns)  # type: ignore[arg-type]
        if reply:
            found.add((line, line.n_transactions))
        return reply

    patch.setattr(Line, "carry", noting)
    return found


def _file(aftermath: Aftermath) -> object:
    assert aftermath.run is not None
    return aftermath.run


def _shown(fault: Fault) -> str:
    return f"{fault.name} of {fault.device} at {fault.at_transaction} x{fault.count or 'all'}"


def _told(aftermath: Aftermath) -> str:
    doubtful = [] if aftermath.run is None else doubts(aftermath.run)
    return (
        f"status {aftermath.status}, {aftermath.finish_reason}, {aftermath.n_acknowledged} acknowledged, "
        f"{aftermath.n_stored} stored, {aftermath.power_nw:g} nW, {aftermath.wall_s:.1f} s, doubts {doubtful}, "
        f"{aftermath.message!r}"
    )


def main() -> int:
    """Run what the command line asks for; the exit status tells whether everything was right."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shard", default="1/1", help="which part of how many, such as 2/8")
    parser.add_argument("--seed", type=int, default=1, help="of the order of the cases")
    parser.add_argument("--device", help="faults of this device only")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="begin no further case after so long")
    options = parser.parse_args()
    part, parts = map(int, options.shard.split("/"))
    logging.disable(logging.CRITICAL)
    with impatient(), tempfile.TemporaryDirectory() as name:
        chosen = [fault for fault in cases(Path(name)) if options.device in (None, fault.device)]
        random.Random(options.seed).shuffle(chosen)
        mine = chosen[part - 1 :: parts]
        print(f"{len(mine)} cases", flush=True)
        table, failures = run_all(mine, Path(name), options.minutes)
    print(table)
    return int(bool(failures))


if __name__ == "__main__":
    raise SystemExit(main())
