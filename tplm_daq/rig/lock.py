"""Keeps two programs from driving one rig: a small file per real address, with the name of its holder.

The file appears in one step, with its content, or not at all. One left behind by a process that is gone is taken
over. The lock does not see programs that are not ours (Kinesis, the vendor's counter program).
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tplm_daq.errors import AddressError, RigError


class RigLock:
    """Holds the addresses of a rig while its context lasts.

    Parameters
    ----------
    addresses : iterable of str
        Addresses of the real devices; none for a simulated rig, whose doubles are its own.
    folder : Path, optional
        Where the lock files are; the system's temporary folder.
    """

    def __init__(self, addresses: Iterable[str], folder: Path | None = None) -> None:
        self._folder = Path(tempfile.gettempdir()) if folder is None else folder
        self._addresses = sorted(set(addresses))
        self._held: list[Path] = []

    def __enter__(self) -> Self:
        """Take every address.

        Raises
        ------
        RigError
            Another program holds one or more of them; none is taken then.
        """
        me = {"pid": os.getpid(), "user": getpass.getuser(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        failures = [failure for address in self._addresses if (failure := self._take(address, me)) is not None]
        if failures:
            self._release()
            raise RigError(failures)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of every address."""
        self._release()

    def _take(self, address: str, me: Mapping[str, object]) -> AddressError | None:
        path = self._folder / f"tplm-{hashlib.sha256(address.encode()).hexdigest()[:16]}.lock"
        draft = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            draft.write_text(json.dumps(me), encoding="utf-8")
            return self._publish(draft, path, address)
        except OSError as error:
            return AddressError(
                address,
                f"its lock file cannot be made or taken over ({error}). "
                f"Delete {path}, or let its owner do it, and see that the folder can be written to.",
            )
        finally:
            draft.unlink(missing_ok=True)

    def _publish(self, draft: Path, path: Path, address: str) -> AddressError | None:
        """Give the lock file its name, unless a program that runs has it."""
        for _ in range(3):
            try:
                os.link(draft, path)
            except FileExistsError:
                found = _holder(path)
                if found is not None and is_alive(found["pid"]):
                    return AddressError(
                        address,
                        f"in use by {found['user']} since {found['since']} (process {found['pid']}). "
                        "Wait for that run to end, or end it.",
                    )
                _remove(path, found, draft.with_suffix(".old"))
            else:
                self._held.append(path)
                return None
        return AddressError(address, "another program took it just now. Try again.")

    def _release(self) -> None:
        for path in self._held:
            path.unlink(missing_ok=True)
        self._held.clear()


def is_alive(pid: int) -> bool:
    """Tell whether a process of this computer runs."""
    if sys.platform == "win32":
        import ctypes

        query_limited_information, still_active, access_denied = 0x1000, 259, 5
        kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        if pid >= 2**32:
            return False
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return ctypes.get_last_error() == access_denied  # another user's
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == still_active
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _holder(path: Path) -> dict[str, Any] | None:
    """Return who holds a lock file; None if it is gone or does not say."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    says_all = isinstance(found, dict) and {"pid", "user", "since"} <= set(found)
    return found if says_all and type(found["pid"]) is int and found["pid"] > 0 else None


def _remove(path: Path, found: dict[str, Any] | None, aside: Path) -> None:
    """Remove the lock file of a process that is gone, but not the one with which another program was quicker."""
    with suppress(FileNotFoundError):
        path.rename(aside)
        if _holder(aside) != found:
            os.link(aside, path)
        aside.unlink()
