"""The watchdog's own process: puts the light out when the program that drives the rig dies or hangs.

Started as a script in a session of its own, before the light goes on. It knows no drivers: its first line of standard
input holds literal messages (JSON, see `watchdog.py`), every further line is a heartbeat, and ``end`` says that the
rig is safe. Standard input that ends otherwise, or stays silent for too long, means that nobody looks after the
light any more: the messages are sent, over connections of this process, until the expected replies come back.

It needs nothing but Python's standard library for ``TCPIP::host::port::SOCKET``, and pyvisa for other addresses.
"""

from __future__ import annotations

import json
import os
import queue
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, TextIO

ANSWER_WITHIN_S = 0.7
"""How long a device may take to connect, and to confirm."""
AGAIN_AFTER_S = 0.5
ALARM_AFTER_S = 3.0
"""Without a confirmation for this long, somebody must go and look."""

_SOCKET = re.compile(r"TCPIP\d*::(?P<host>[^:]+)::(?P<port>\d+)::SOCKET", re.IGNORECASE)


@dataclass(frozen=True)
class Path:
    """One way to put the light out: its name, address, the message, and the end of the reply that confirms it."""

    name: str
    address: str
    message: bytes
    reply: bytes

    @property
    def allows_second_connection(self) -> bool:
        """Whether the device can be reached while the program has a connection too."""
        return self.address.upper().startswith("TCPIP")


class Silence(Exception):
    """No heartbeat came in time."""


def main() -> int:
    """Guard the light until standard input says ``end``; return 0 if it is out as far as anybody can tell."""
    lines = _lines_of_standard_input()
    first = lines.get()
    if not first or first.strip() == b"end":
        return 0  # the rig could not be opened: there is nothing to guard
    order = json.loads(first)
    paths = [
        Path(p["name"], p["address"], bytes.fromhex(p["message"]), bytes.fromhex(p["reply"])) for p in order["paths"]
    ]
    put_out = exchanges_of(paths, order["visa_library"])
    rehearsed, _ = _try_all({p.name: put_out[p.name] for p in paths if p.allows_second_connection})
    _tell({"rehearsed": rehearsed})
    try:
        _listen(lines, order["timeout_s"])
    except Silence:
        cause, is_hung = f"the program gave no sign of life for {order['timeout_s']:g} s", True
    except EOFError:
        cause, is_hung = "the program ended without making the rig safe", False
    else:
        return 0
    is_out = _insist(put_out, cause, order["last_tries_s"])
    _tell({"fired": cause})
    return _hold(put_out, lines) if is_hung and is_out else int(not is_out)


def exchanges_of(paths: list[Path], visa_library: str) -> dict[str, Callable[[], None]]:
    """Return, by name, what sends a path's message and raises unless it is confirmed."""
    manager = None
    if not all(_SOCKET.fullmatch(path.address) for path in paths):
        import pyvisa

        manager = pyvisa.ResourceManager(visa_library)
    return {path.name: partial(_exchange, path, manager) for path in paths}


def _exchange(path: Path, manager: Any) -> None:
    match = _SOCKET.fullmatch(path.address)
    if match:
        got = _exchange_over_socket(match["host"], int(match["port"]), path)
    else:
        got = _exchange_over_visa(manager, path)
    if not got.endswith(path.reply):
        raise ConnectionError(f"answered {got!r} where {path.reply!r} is expected")


def _exchange_over_socket(host: str, port: int, path: Path) -> bytes:
    due_s = time.monotonic() + ANSWER_WITHIN_S
    got = b""
    with socket.create_connection((host, port), timeout=ANSWER_WITHIN_S) as connection:
        connection.sendall(path.message)
        while not got.endswith(path.reply) and (left_s := due_s - time.monotonic()) > 0:
            connection.settimeout(left_s)
            if not (more := connection.recv(4096)):
                break
            got += more
    return got


def _exchange_over_visa(manager: Any, path: Path) -> bytes:
    with _opened(manager, path.address) as resource:
        resource.write_raw(path.message)
        return bytes(resource.read_raw())


@contextmanager
def _opened(manager: Any, address: str) -> Iterator[Any]:
    resource = manager.open_resource(address, timeout=round(ANSWER_WITHIN_S * 1e3))
    try:
        yield resource
    finally:
        resource.close()


def _lines_of_standard_input() -> queue.Queue[bytes]:
    """Read standard input in a thread, which can be waited for with a time limit on every system; b"" at its end.

    It reads below Python's buffers, whose locks a thread must not hold when the interpreter ends.
    """
    lines: queue.Queue[bytes] = queue.Queue()

    def read() -> None:
        unfinished = b""
        while more := os.read(sys.stdin.fileno(), 65536):
            *whole, unfinished = (unfinished + more).split(b"\n")
            for line in whole:
                lines.put(line + b"\n")
        lines.put(b"")

    threading.Thread(target=read, daemon=True).start()
    return lines


def _listen(lines: queue.Queue[bytes], timeout_s: float) -> None:
    """Return when the program says ``end``; Silence if it says nothing in time, EOFError if it is gone."""
    while True:
        try:
            line = lines.get(timeout=timeout_s)
        except queue.Empty:
            raise Silence from None
        if not line:
            raise EOFError
        if line.strip() == b"end":
            return


def _insist(put_out: dict[str, Callable[[], None]], cause: str, patience_s: float) -> bool:
    """Send every message until one is confirmed; say so, or what is to be done by hand."""
    began_s, has_alarmed = time.monotonic(), False
    while True:
        confirmed, failures = _try_all(put_out)
        if confirmed:
            _say(f"{cause}; the light was put out ({', '.join(confirmed)})")
            return True
        if not has_alarmed and time.monotonic() - began_s > ALARM_AFTER_S:
            has_alarmed = True
            _say(
                f"{cause}. LIGHT MAY BE ON: {'; '.join(failures)}. "
                "Turn the laser's key switch off by hand, or close its shutter, now."
            )
        if time.monotonic() - began_s > patience_s:
            return False
        time.sleep(AGAIN_AFTER_S)


def _try_all(put_out: dict[str, Callable[[], None]]) -> tuple[list[str], list[str]]:
    """Take every path at once, so that a dead one delays no other; return names confirmed and reasons of the rest."""
    confirmed, failures = [], []
    with ThreadPoolExecutor(max(1, len(put_out))) as pool:
        running = {name: pool.submit(exchange) for name, exchange in put_out.items()}
        for name, future in running.items():
            error = future.exception()
            if error is None:
                confirmed.append(name)
            else:
                failures.append(f"{name}: {error}")
    return confirmed, failures


def _hold(put_out: dict[str, Callable[[], None]], lines: queue.Queue[bytes]) -> int:
    """Keep the light out until a program that hung says ``end`` or is gone: it might switch it on as it wakes up."""
    while True:
        try:
            _drain(lines)
        except queue.Empty:
            time.sleep(AGAIN_AFTER_S)
            _try_all(put_out)
        else:
            return int(not _try_all(put_out)[0])


def _drain(lines: queue.Queue[bytes]) -> None:
    """Return at ``end`` or the end of standard input; queue.Empty when there is nothing more to read."""
    while (line := lines.get_nowait()) and line.strip() != b"end":
        pass


def _tell(answer: dict[str, Any]) -> None:
    """Answer the program."""
    _write(sys.stdout, json.dumps(answer))


def _say(text: str) -> None:
    """Tell whoever sits at the terminal."""
    _write(sys.stderr, f"watchdog: {text}")


def _write(stream: TextIO, line: str) -> None:
    """Write a line below Python's buffers, of whose remains Python would complain as it ends."""
    with suppress(OSError):  # the program, or the terminal, is gone
        os.write(stream.fileno(), f"{line}\n".encode())


if __name__ == "__main__":
    raise SystemExit(main())
