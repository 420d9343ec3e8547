"""Keeps two programs from driving one rig: a small file per real address, with the name of its holder.

The file is created in one step or not at all. One left behind by a process that is gone is taken over. The
lock does not see programs that are not ours (Kinesis, the vendor's counter program).
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tplm_daq.errors import RigError, TplmError


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
        failures = [failure for address in self._addresses if (failure := self._take(address)) is not None]
        if failures:
            self._release()
            raise RigError(failures)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of every address."""
        self._release()

    def _take(self, address: str) -> TplmError | None:
        path = self._folder / f"tplm-{hashlib.sha256(address.encode()).hexdigest()[:16]}.lock"
        holder = {"pid": os.getpid(), "user": getpass.getuser(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        for _ in range(2):
            try:
                with path.open("x", encoding="utf-8") as file:
                    json.dump(holder, file)
            except FileExistsError:
                found = _holder(path)
                if found is not None and is_alive(int(str(found["pid"]))):
                    return TplmError(
                        f"{address}: in use by {found['user']} since {found['since']} (process {found['pid']}). "
                        "Wait for that run to end, or end it."
                    )
                path.unlink(missing_ok=True)
            else:
                self._held.append(path)
                return None
        return TplmError(f"{address}: another program took it just now. Try again.")

    def _release(self) -> None:
        for path in self._held:
            path.unlink(missing_ok=True)
        self._held.clear()


def is_alive(pid: int) -> bool:
    """Tell whether a process of this computer runs."""
    if sys.platform == "win32":
        import ctypes

        query_limited_information, still_active = 0x1000, 259
        kernel = ctypes.windll.kernel32
        handle = kernel.OpenProcess(query_limited_information, False, pid)
        if not handle:
            return False
        code = ctypes.c_ulong()
        kernel.GetExitCodeProcess(handle, ctypes.byref(code))
        kernel.CloseHandle(handle)
        return code.value == still_active
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _holder(path: Path) -> dict[str, object] | None:
    """Return who holds a lock file; None if it is gone or does not say."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) and {"pid", "user", "since"} <= set(found) else None
