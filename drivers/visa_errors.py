"""pyvisa's exceptions as what every driver here raises: TimeoutError and ConnectionError.

pyvisa's exceptions are no OSErrors, and over a serial adapter a reply that never came is an empty string without any
exception. pyvisa-py, the library that is used where no vendor's is installed, raises others besides: a plain Exception
where a host does not answer, and what its protocols VXI-11 and HiSLIP raise (EOFError and RuntimeError among it).
Drivers wrap each exchange in `os_errors`, so that whoever uses them needs to know none of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pyvisa
from pyvisa.constants import StatusCode


@contextmanager
def os_errors(name: str, silence: str, breakage: str = "open the connection again") -> Iterator[None]:
    """Raise what pyvisa raises inside the block as an OSError.

    Parameters
    ----------
    name : str
        Name of the device.
    silence : str
        What to check when no reply came in time.
    breakage : str
        What to do when the connection broke.

    Raises
    ------
    TimeoutError
        No reply came in time.
    ConnectionError
        The connection broke.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise ConnectionError(
            f"{name}: {error.object[:40]!r} came, which is no text; check baud rate and parity"
        ) from error
    except pyvisa.errors.Error as error:
        if getattr(error, "error_code", None) == StatusCode.error_timeout:
            raise no_answer(name, silence) from error
        raise _broken(name, error, breakage) from error
    except Exception as error:
        if not is_of_pyvisa_py(error):
            raise
        raise _broken(name, error, breakage) from error


def is_of_pyvisa_py(error: Exception) -> bool:
    """Tell whether an exception that is neither pyvisa's nor an OSError is one of those of pyvisa-py."""
    return type(error) in (Exception, EOFError, RuntimeError) or type(error).__module__.startswith("pyvisa_py.")


def _broken(name: str, error: Exception, breakage: str) -> ConnectionError:
    return ConnectionError(f"{name}: the connection broke ({str(error) or type(error).__name__}); {breakage}")


def no_answer(name: str, silence: str) -> TimeoutError:
    """Return the error for a reply that did not come in time."""
    return TimeoutError(f"{name} did not answer in time; {silence}")
