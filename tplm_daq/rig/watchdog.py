"""The watchdog: a process of its own that puts the light out if this one is killed or hangs.

It is started and has rehearsed before the light can go on. From then on it gets a heartbeat; when that stops, because
this process was killed, crashed or hangs, the light is out within two seconds. What it then does is in
`watchdog_process.py`.
"""

from __future__ import annotations

import json
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tplm_daq.errors import DeviceError

PROGRAM = Path(__file__).with_name("watchdog_process.py")
HEARTBEAT_S = 0.2
READY_WITHIN_S = 10.0
"""How long the process may take to start and to rehearse (wall clock)."""
ENDED_WITHIN_S = 5.0
LAST_TRIES_S = 60.0
"""How long it goes on after this process has gone and no path to the light answers."""
NEAR_LAST_TRIES_S = 4.0
"""The same where all paths end in this computer: doubles, which may have died with the program."""
NEAR = re.compile(r"TCPIP\d*::(127\.0\.0\.1|localhost)::", re.IGNORECASE)
NAME = "watchdog"
ADVICE = "The light is put out; start again, and see the log if it happens twice."


@dataclass(frozen=True)
class LightPath:
    """One way to put the light out, as literal messages: name, VISA address, what to send, what confirms it."""

    name: str
    address: str
    message: bytes
    reply: bytes


class Watchdog:
    """The running watchdog of one rig, from `guard` to `end`.

    Attributes
    ----------
    rehearsed : tuple of str
        Names of the paths that the watchdog has tried and that answered as expected; paths over interfaces
        that allow one connection only cannot be tried before they are needed.
    """

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            **_in_a_session_of_its_own(),
        )
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._has_ended = threading.Event()
        self._fault: str | None = None
        self._threads = [threading.Thread(target=self._read_answers, name="watchdog-answers", daemon=True)]
        self._threads[0].start()
        self.rehearsed: tuple[str, ...] = ()

    def guard(self, paths: Sequence[LightPath], timeout_s: float, visa_library: str) -> None:
        """Hand over the messages, have them rehearsed, and begin the heartbeat; the light must be off.

        Parameters
        ----------
        paths : sequence of LightPath
            Every way to put the light out.
        timeout_s : float
            Silence after which this process counts as hung, in s.
        visa_library : str
            pyvisa's name of the VISA library, for addresses that are no plain sockets.

        Raises
        ------
        DeviceError
            The process did not get ready.
        """
        order = {
            "paths": [
                {"name": p.name, "address": p.address, "message": p.message.hex(), "reply": p.reply.hex()}
                for p in paths
            ],
            "timeout_s": timeout_s,
            "last_tries_s": min(LAST_TRIES_S, NEAR_LAST_TRIES_S) if _are_all_near(paths) else LAST_TRIES_S,
            "visa_library": visa_library,
        }
        self._send(json.dumps(order).encode() + b"\n")
        try:
            answer = self._answers.get(timeout=READY_WITHIN_S)
        except queue.Empty:
            answer = {}
        if "rehearsed" not in answer:
            self.abandon()
            raise DeviceError(NAME, "its own process", self._fault or "did not get ready", "Nothing was switched on.")
        self.rehearsed = tuple(answer["rehearsed"])
        self._threads.append(threading.Thread(target=self._beat, name="watchdog-heartbeat", daemon=True))
        self._threads[-1].start()

    def check(self) -> None:
        """Raise DeviceError if the watchdog has put the light out or has ended: the run must not go on."""
        if self._fault is not None:
            raise DeviceError(NAME, "its own process", self._fault, ADVICE)

    def end(self) -> None:
        """Say that the rig is safe and end the process (harmless when repeated)."""
        self._has_ended.set()
        self._send(b"end\n")
        self._close()

    def abandon(self) -> None:
        """Leave the light to the watchdog, which goes on trying to put it out for `LAST_TRIES_S`."""
        self._has_ended.set()
        self._close_pipe()
        threading.Thread(target=self._process.wait, name="watchdog-last-tries", daemon=True).start()

    def _close(self) -> None:
        self._close_pipe()
        try:
            self._process.wait(ENDED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _close_pipe(self) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:  # it has ended before
            self._fault = self._fault or "it ended before it was told to"

    def _beat(self) -> None:
        while not self._has_ended.wait(HEARTBEAT_S):
            if not self._send(b".\n"):
                return

    def _send(self, line: bytes) -> bool:
        pipe: IO[bytes] | None = self._process.stdin
        assert pipe is not None
        try:
            pipe.write(line)
            pipe.flush()
        except (OSError, ValueError):  # it has ended, or `end` was called before
            if not self._has_ended.is_set():
                self._fault = self._fault or "it has ended unexpectedly"
            return False
        return True

    def _read_answers(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as pipe:
            for line in pipe:
                answer = json.loads(line)
                if "fired" in answer:
                    self._fault = f"put the light out because {answer['fired']}"
                self._answers.put(answer)
        if not self._has_ended.is_set():
            self._fault = self._fault or "it has ended unexpectedly"
            self._answers.put({})


def _are_all_near(paths: Sequence[LightPath]) -> bool:
    return all(NEAR.match(path.address) for path in paths)


def _in_a_session_of_its_own() -> dict[str, Any]:
    """Keep Ctrl-C in the terminal from reaching the watchdog."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
