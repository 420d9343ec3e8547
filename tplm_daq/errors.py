"""Every error this program raises on purpose, and the exit status each one ends with.

The tree::

    TplmError                       exit 1
    |-- InputError                  exit 2   a recipe, rig file, option or data file that cannot be used
    |   |-- LimitError              exit 2   a value outside the limits of the rig or of a device
    |   `-- NothingLeft             exit 2   a run or series that is to go on is complete
    |-- DeviceError                 exit 1   one device did not do what it was asked to do
    |   |-- LinkError                        nothing answers, or the connection broke
    |   `-- DeviceTimeout                    the device answers, but did not finish in time
    |-- AddressError                exit 1   an address is held by another program, or cannot be reserved
    |-- RigError                    exit 1   several devices failed; all of them are listed
    |-- LightMayBeOnError           exit 1   no path to the light answered
    |-- StoreError                  exit 1   the run file could not be written or read
    |-- FitError                    exit 1   the data cannot be fitted, with the reason
    |-- GuardStop                   exit 4   a guard ended the run
    `-- Aborted                     exit 3   the operator, Ctrl-C or SIGTERM ended the run

A message says what happened, where, what is allowed, and what to do next.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


class TplmError(Exception):
    """Something went wrong that this program foresaw."""

    exit_status = 1

    def to_dict(self) -> dict[str, object]:
        """Return what `--json` prints as ``error``: the kind is the name of the class."""
        return {"kind": type(self).__name__, "message": str(self)}

    def __reduce__(self) -> tuple[object, ...]:
        """Let the error come back as it is from another process, whatever its class was made from."""
        return _made_anew, (type(self), self.args, self.__dict__)

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows: the message alone, since what was foreseen needs no traceback."""
        return [f"{type(self).__name__}: {self}"]


class InputError(TplmError):
    """A recipe, rig file, option or data file cannot be used as it is."""

    exit_status = 2


class LimitError(InputError):
    """A value lies outside the limits of the rig or of a device; nothing was sent.

    Parameters
    ----------
    what : str
        Name of the quantity, such as "detector x".
    value, low, high : float
        Value asked for and the limits, in `unit`.
    unit : str
        Unit of the three numbers.
    advice : str
        What to do about it.
    """

    def __init__(self, what: str, value: float, low: float, high: float, unit: str, advice: str) -> None:
        super().__init__(f"{what}: {value:g} {unit} is outside {low:g} to {high:g} {unit}. {advice}")
        self.value = value
        self.low = low
        self.high = high


class NothingLeft(InputError):
    """A run or series that is to go on is complete.

    Parameters
    ----------
    path : Path
        Run file, or folder of the series.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is complete: nothing is left to measure.")


class DeviceError(TplmError):
    """One device did not do what it was asked to do.

    Parameters
    ----------
    device : str
        Name of the device in the rig file.
    address : str
        Address it was reached at.
    cause : str
        What happened, one sentence without a full stop.
    advice : str
        What the operator should do next, one sentence.
    """

    def __init__(self, device: str, address: str, cause: str, advice: str) -> None:
        super().__init__(f"{device} at {address}: {cause}. {advice}")
        self.device = device
        self.address = address
        self.cause = cause
        self.advice = advice

    def to_dict(self) -> dict[str, object]:
        """Return kind, message and the parts of the message."""
        parts = {"device": self.device, "address": self.address, "cause": self.cause, "advice": self.advice}
        return {**super().to_dict(), **parts}


class LinkError(DeviceError):
    """Nothing answers at the address, or the connection broke."""


class DeviceTimeout(DeviceError):
    """The device answers, but did not reach the state in time."""


class AddressError(TplmError):
    """An address of a rig may not be used now.

    Parameters
    ----------
    address : str
        As in the rig file.
    reason : str
        Why not, and what to do next, in sentences.
    """

    def __init__(self, address: str, reason: str) -> None:
        super().__init__(f"{address}: {reason}")
        self.address = address
        self.reason = reason

    def to_dict(self) -> dict[str, object]:
        """Return kind, message and the parts of the message."""
        return {**super().to_dict(), "address": self.address, "reason": self.reason}


class RigError(TplmError):
    """Several devices of a rig failed; every failure is listed, not only the first, and what they share is said once.

    Parameters
    ----------
    failures : sequence of TplmError
        One error per device, in the order in which they happened.
    """

    def __init__(self, failures: Sequence[TplmError]) -> None:
        lines = [f"{len(failures)} of the rig's devices cannot be used:"]
        lines += [f"  - {said}" for said in _said_once(failures)]
        super().__init__("\n".join(lines))
        self.failures = tuple(failures)

    def to_dict(self) -> dict[str, object]:
        """Return kind, message and every failure."""
        return {**super().to_dict(), "failures": [failure.to_dict() for failure in self.failures]}


class LightMayBeOnError(TplmError):
    """No path to the light answered, so the light may still be on."""

    def __init__(self, failures: Sequence[str]) -> None:
        reasons = "; ".join(failures) if failures else "the rig has no path to the light"
        super().__init__(
            f"LIGHT MAY BE ON: {reasons}. Turn the laser's key switch off by hand, or close its shutter, now."
        )


class StoreError(TplmError):
    """The run file could not be written or read; the message says which data are safe."""


class FitError(TplmError):
    """The data cannot be fitted; the message says why and what would help."""


class GuardStop(TplmError):
    """A guard ended the run; the message names the guard, the reading and its limit."""

    exit_status = 4


class Aborted(TplmError):
    """The run was ended by its operator."""

    exit_status = 3


def _made_anew(kind: type[TplmError], args: tuple[object, ...], parts: dict[str, object]) -> TplmError:
    """Return an error of another process with its message and parts."""
    error = kind.__new__(kind, *args)
    error.__dict__.update(parts)
    return error


def _said_once(failures: Sequence[TplmError]) -> list[str]:
    """Return what failures say, in their order; addresses that may not be used for one reason stand before it."""
    addresses: dict[str, list[str]] = {}
    for failure in failures:
        if isinstance(failure, AddressError):
            addresses.setdefault(failure.reason, []).append(failure.address)
    shared = {reason: f"{', '.join(held)}: {reason}" for reason, held in addresses.items()}
    return list(
        dict.fromkeys(shared[each.reason] if isinstance(each, AddressError) else str(each) for each in failures)
    )
