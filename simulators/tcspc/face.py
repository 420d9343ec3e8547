"""The C face of a vendor's library: raw functions at addresses, without declared types, as after loading it.

A driver that declares a wrong type or forgets a pointer fails here as it would there. What the functions do is asked
of `answer`: of the device in this process (`table.py`), or of one on a bench elsewhere (`simulators.serving.far`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from ctypes import CFUNCTYPE, POINTER, c_char, c_double, c_int, c_uint, c_void_p
from typing import Any, NamedTuple, TypeAlias

INVALID_ARGUMENT = -17
"""Returned also for a pointer that leads nowhere."""

LONGEST_TEXT = 16384
"""Room in bytes that the header demands for the longest texts."""

Value: TypeAlias = str | bytes | int | float
"""What a function writes through one of its pointers; bytes are a histogram or records, uint32."""

Answer: TypeAlias = tuple[int, tuple[Value, ...]]
"""Return code, and what is written through the pointers in their order; nothing is written after an error."""

TEXT = POINTER(c_char)
INT = POINTER(c_int)
DOUBLE = POINTER(c_double)
WORDS = POINTER(c_uint)

Signatures: TypeAlias = Mapping[str, tuple[Any, ...]]
"""Argument types of every function, the device index included where there is one."""


class Face(NamedTuple):
    """What a program sees of a vendor's library.

    Attributes
    ----------
    name, prefix : str
        Name in messages, and beginning of all function names.
    signatures : mapping of str to tuple
        Argument types of its functions, as in the vendor's header.
    """

    name: str
    prefix: str
    signatures: Signatures


class FunctionTable(ctypes.CDLL):
    """A library without a file: `answer` says what its functions return and write.

    Parameters
    ----------
    face : Face
        Of which library.
    where : str
        Where its device is, for messages.
    """

    def __init__(self, face: Face, where: str) -> None:
        super().__init__(f"{face.name} ({where})", handle=0)
        self.face = face
        # The thunks must live as long as the addresses are in use.
        self._thunks = {name: CFUNCTYPE(c_int, *types)(self._thunk(name)) for name, types in face.signatures.items()}

    def __getitem__(self, name: Any) -> Any:
        """Return a fresh, undeclared function of the table, as `ctypes.CDLL` does."""
        if name not in self._thunks:
            raise AttributeError(f"{self._name}: undefined symbol: {name}")
        return self._FuncPtr(ctypes.cast(self._thunks[name], c_void_p).value or 0)

    def answer(self, function: str, numbers: tuple[int, ...]) -> Answer:
        """Do what `function` does with its integer arguments; must not raise, for nothing can pass into C."""
        raise NotImplementedError

    def _thunk(self, function: str) -> Callable[..., int]:
        """Return the Python side of a C function: the integers go in, what comes back goes through the pointers."""

        def call(*arguments: Any) -> int:
            numbers = tuple(value for value in arguments if isinstance(value, int))
            pointers = [value for value in arguments if not isinstance(value, int)]
            if not all(pointers):
                return INVALID_ARGUMENT
            code, values = self.answer(function, numbers)
            for pointer, value in zip(pointers, values, strict=False):
                _write(pointer, value)
            return code

        return call


def _write(pointer: Any, value: Value) -> None:
    """Put a result where the caller wants it."""
    if isinstance(value, str):
        text = value.encode("latin-1", "replace")[: LONGEST_TEXT - 1] + b"\0"
        ctypes.memmove(pointer, text, len(text))
    elif isinstance(value, bytes):
        ctypes.memmove(pointer, value, len(value))
    else:
        pointer[0] = value
