"""The sensor curves of a Lake Shore 335: 20 standard ones, which can only be read, and 39 of the user.

No reading depends on them. Points of the standard curves are not in here, and read as points that are not used.

Sources: Lake Shore Model 335 User's Manual, chapter 6, and the maker's Python package ``lakeshore`` 1.10.0 (fields and
limits). **Ours**: widths of printed numbers, and which standard curve has which name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulators.lakeshore335_words import Refused, Row, integer, number, text_of

N_POINTS = 200
STANDARD = {1: "DT-470", 2: "DT-670", 3: "DT-500-D", 4: "DT-500-E1", 6: "PT-100", 7: "PT-1000", 8: "RX-102A-AA"}
VOLTS_PER_KELVIN, OHMS_PER_KELVIN = 2, 3
NEGATIVE, POSITIVE = 1, 2
_number, _user, _point, _any = integer(1, 59), integer(21, 59), integer(1, N_POINTS), number(-1e6, 1e6)


@dataclass
class Curve:
    """One curve: its header, and its points as sensor unit and temperature in K by their index."""

    name: str
    serial: str = ""
    unit: int = VOLTS_PER_KELVIN
    limit_k: float = 375.0
    coefficient: int = NEGATIVE
    points: dict[int, tuple[float, float]] = field(default_factory=dict)


class Curves:
    """All curves by their number."""

    def __init__(self) -> None:
        self._curves: dict[int, Curve] = {}

    def curve(self, number: int) -> Curve:
        """Return a curve."""
        name = STANDARD.get(number, "" if number <= 20 else "User Curve")
        is_platinum = name.startswith("PT")
        made = Curve(name, "STANDARD C" if number <= 20 else "")
        if is_platinum:
            made.unit, made.limit_k, made.coefficient = OHMS_PER_KELVIN, 800.0, POSITIVE
        return self._curves.setdefault(number, made)

    def describe(self, number: int, name: str, serial: str, unit: int, limit_k: float, coefficient: int) -> None:
        """Set the header of a user's curve."""
        points = self.curve(number).points
        self._curves[number] = Curve(name[:15], serial[:10], unit, limit_k, coefficient, points)

    def header(self, number: int) -> str:
        """Return the header as the box prints it."""
        curve = self.curve(number)
        return f"{curve.name:15},{curve.serial:10},{curve.unit},{curve.limit_k:+08.3f},{curve.coefficient}"

    def place(self, number: int, index: int, sensor: float, kelvin: float) -> None:
        """Set a point of a user's curve."""
        self.curve(number).points[index] = sensor, kelvin

    def point(self, number: int, index: int) -> str:
        """Return a point as the box prints it; zeros are a point that is not used."""
        return "{:+08.5f},{:+08.3f}".format(*self.curve(number).points.get(index, (0.0, 0.0)))

    def delete(self, number: int) -> None:
        """Empty a user's curve."""
        self._curves.pop(number, None)

    def calibrate(self, standard: int, number: int, serial: str, *pairs: float) -> None:
        """Make a user's curve of a standard one and up to three points, temperature and sensor unit in turn."""
        if standard not in (1, 6, 7):
            raise Refused
        made = self.curve(standard)
        points = {i + 1: (pairs[2 * i + 1], pairs[2 * i]) for i in range(len(pairs) // 2)}
        self._curves[number] = Curve("SoftCal", serial[:10], made.unit, made.limit_k, made.coefficient, points)


COMMANDS = {
    "CRVHDR": Row(
        (_user, text_of(15), text_of(10), integer(1, 4), number(0, 9999), integer(1, 2)),
        lambda box, *fields: box.curves.describe(*fields),
    ),
    "CRVHDR?": Row((_number,), lambda box, n: box.curves.header(n)),
    "CRVPT": Row((_user, _point, _any, _any), lambda box, *fields: box.curves.place(*fields)),
    "CRVPT?": Row((_number, _point), lambda box, n, index: box.curves.point(n, index)),
    "CRVDEL": Row((_user,), lambda box, n: box.curves.delete(n)),
    "SCAL": Row((integer(1, 7), _user, text_of(10), *[_any] * 6), lambda box, *fields: box.curves.calibrate(*fields)),
}
"""What the box does about its curves, by the header of the command."""
