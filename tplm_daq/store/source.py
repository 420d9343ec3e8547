"""Which code is running: a fingerprint of its source, because a version number stays while a checkout changes."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

PROGRAM = Path(__file__).parents[1]
PACKAGES = (PROGRAM, PROGRAM.with_name("drivers"), PROGRAM.with_name("simulators"))
N_DIGITS = 16


@functools.cache
def source_fingerprint() -> str:
    """Return the first digits of the SHA-256 of every Python file of program, drivers and doubles, names included.

    Examples
    --------
    >>> len(source_fingerprint())
    16
    """
    digest = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            digest.update(path.relative_to(package.parent).as_posix().encode())
            digest.update(path.read_bytes().replace(b"\r\n", b"\n"))
    return digest.hexdigest()[:N_DIGITS]
