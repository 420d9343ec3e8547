"""A time-position map as text: comma-separated, one row per delay bin, one column per position.

::

    # repetition_rate_hz: 2500000.0
    # dwell_s: 20.0
    delay_ns,-50.0 0.0,0.0 0.0,50.0 0.0
    0.008,3,4,2
    0.024,210,356,199

The header line names the positions in nm: x, or x and y with a space between. Lines above it that begin
with ``#`` may give `repetition_rate_hz`, `dwell_s` (one number, or one per position with spaces between),
`t0_ns`, `response_fwhm_ns`, `pixel_nm` (one number, or x and y) and `dead_time_ns`; other comments are
left alone. Numbers have decimal points and are written so that reading gives back the same bits.

Only this layout is read. Tables of spreadsheets with semicolons or decimal commas are refused with what
to do, because guessing which comma is which can go wrong silently.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.errors import InputError
from tplm_daq.photons.histogram import TimePositionMap
from tplm_daq.store.arrays import OPTIONAL, check_names, map_of_arrays

DELAY_COLUMN = "delay_ns"

FEWEST_POSITIONS = 3
"""Two positions cannot tell a width from a height."""

EXPECTED = (
    f"The first line that is no comment must be `{DELAY_COLUMN}` and the positions in nm, such as "
    f"{DELAY_COLUMN},-50,0,50; then one row of counts per delay bin."
)

HOW_TO_CONVERT = (
    "Export with decimal points and commas between the cells (a spreadsheet does so under English language settings), "
    "or convert with pandas: read_csv(name, sep={mark!r}, decimal=',', comment='#').to_csv(new_name, index=False), and "
    "copy the lines that begin with # by hand."
)


def read_csv(path: Path) -> TimePositionMap:
    """Return the counts in a comma-separated table.

    Parameters
    ----------
    path : Path
        The `.csv` file.

    Returns
    -------
    TimePositionMap
        Counts are int64; y is 0 where only x is given.

    Raises
    ------
    InputError
        If it is not laid out as described above, with line and column (both from 1).
    """
    path = Path(path)
    comments, table = _split(_read_lines(path))
    if not table:
        raise InputError(f"{path}: there is no table in it. {EXPECTED}")
    position_nm = _header(path, *table[0])
    notes = _notes(path, comments)
    check_names(path, [*notes, "counts", "position_nm", "delay_ns"])
    arrays = {name: _note_numbers(path, *notes[name]) for name in OPTIONAL if name in notes}
    rows = [_row(path, number, line, len(position_nm)) for number, line in table[1:]]
    if not rows:
        raise InputError(f"{path}: there are no counts below the header, line {table[0][0]}. {EXPECTED}")
    values = np.array(rows)
    _check_counts(path, [number for number, _ in table[1:]], values)
    return map_of_arrays(
        path,
        {
            **arrays,
            "delay_ns": values[:, 0].copy(),
            "position_nm": position_nm,
            "counts": values[:, 1:].T,
        },
    )


def csv_lines(data: TimePositionMap) -> Iterator[str]:
    """Yield the lines of a table that `read_csv` turns into the same map.

    Parameters
    ----------
    data : TimePositionMap
        Counts over position and delay.

    Yields
    ------
    str
        A line with its end.
    """
    yield "# photons per delay bin (rows) and detector position (columns: x y in nm, sample plane)\n"
    for name in OPTIONAL:
        value = getattr(data, name)
        if value is not None:
            yield f"# {name}: {_joined(value)}\n"
    positions = (_joined(pair) for pair in zip(data.x_nm, data.y_nm, strict=True))
    yield ",".join([DELAY_COLUMN, *positions]) + "\n"
    for delay_ns, counts in zip(data.delay_ns, data.counts.T.tolist(), strict=True):
        yield ",".join([repr(float(delay_ns)), *map(str, counts)]) + "\n"


def _joined(value: object) -> str:
    """Return one or several numbers with spaces between, each so that it reads back as the same float."""
    numbers = np.atleast_1d(np.asarray(value, dtype=np.float64)).tolist()
    return " ".join(map(repr, numbers))


def _read_lines(path: Path) -> list[str]:
    """Return the lines of a text file."""
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is not UTF-8 text ({error.reason}). Save it as CSV in UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Check name and rights.") from error


def _split(lines: Sequence[str]) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
    """Return comments without their mark and the lines of the table, each with its number; no blank lines."""
    comments, table = [], []
    for number, line in enumerate(lines, start=1):
        if line.lstrip('" ').startswith("#"):
            comments.append((number, line.lstrip('" #').rstrip('", ')))
        elif line.strip('", '):
            table.append((number, line))
    return comments, table


def _notes(path: Path, comments: Sequence[tuple[int, str]]) -> dict[str, tuple[int, str, str]]:
    """Return line, key and text of each comment of the form ``key: text``."""
    notes: dict[str, tuple[int, str, str]] = {}
    for number, comment in comments:
        key, colon, text = comment.partition(":")
        key = key.strip()
        if colon and key in OPTIONAL and key in notes:
            raise InputError(f"{path}, line {number}: {key} stands twice, first in line {notes[key][0]}. Keep one.")
        if colon and key.isidentifier():
            notes[key] = (number, key, text.strip())
    return notes


def _note_numbers(path: Path, number: int, key: str, text: str) -> NDArray[np.float64]:
    """Return the numbers of a comment."""
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError as error:
        advice = "Write decimal points, and spaces between numbers." if "," in text else "Write it without unit."
        raise InputError(f"{path}, line {number}: {key} is '{text}', which is not a number. {advice}") from error
    if not len(numbers):
        raise InputError(f"{path}, line {number}: {key} has no value. Write one after the colon, or remove the line.")
    return numbers


def _header(path: Path, number: int, line: str) -> NDArray[np.float64]:
    """Return the positions named in the header line, float64 (n_position, 2) in nm."""
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if mark in line:
            raise InputError(
                f"{path}, line {number}: the cells are separated by {name}. {HOW_TO_CONVERT.format(mark=mark)}"
            )
    first, *cells = _cells(line)
    if first != DELAY_COLUMN:
        raise InputError(
            f"{path}, line {number}: the column {DELAY_COLUMN} is missing, '{first}' stands there. {EXPECTED}"
        )
    if len(cells) < FEWEST_POSITIONS:
        raise InputError(
            f"{path}, line {number}: {len(cells)} positions; at least {FEWEST_POSITIONS} are needed to see a width. "
            f"{EXPECTED}"
        )
    return np.array([_position(path, number, column, cell) for column, cell in enumerate(cells, start=2)])


def _position(path: Path, number: int, column: int, cell: str) -> tuple[float, float]:
    """Return x and y of a position in nm; y is 0 if it is not given."""
    try:
        numbers = [float(word) for word in cell.split()]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2):
        raise InputError(
            f"{path}, line {number}, column {column}: '{cell}' is not a position. Write x in nm, or x and y with a "
            "space between, without unit."
        )
    return (numbers[0], numbers[1] if len(numbers) == 2 else 0.0)


def _row(path: Path, number: int, line: str, n_position: int) -> NDArray[np.float64]:
    """Return delay and counts of a line, float64 (1 + n_position,)."""
    cells = _cells(line)
    if len(cells) != 1 + n_position:
        advice = "Fill or remove the row."
        if len(cells) > 1 + n_position:
            advice = "A decimal comma splits a cell in two: write decimal points."
        raise InputError(
            f"{path}, line {number}: {len(cells)} cells, but the header has {1 + n_position} ({DELAY_COLUMN} and "
            f"{n_position} positions). {advice}"
        )
    try:
        return np.array(list(map(float, cells)))
    except ValueError:
        column, cell = next((i, cell) for i, cell in enumerate(cells, start=1) if not _is_number(cell))
        found = f"'{cell}' is not a number" if cell else "the cell is empty"
        raise InputError(
            f"{path}, line {number}, column {column}: {found}. Write delays in ns and counts as plain numbers; "
            "a bin without photons is 0."
        ) from None


def _check_counts(path: Path, numbers: Sequence[int], values: NDArray[np.float64]) -> None:
    """Raise InputError for the first cell that is not finite, or a count that is not a whole number from 0."""
    is_bad = ~np.isfinite(values)
    with np.errstate(invalid="ignore"):
        is_bad[:, 1:] |= (values[:, 1:] < 0) | (values[:, 1:] != np.floor(values[:, 1:]))
    if not is_bad.any():
        return
    row, column = (int(i) for i in np.argwhere(is_bad)[0])
    rule = "every delay must be a finite number of ns."
    if column:
        rule = (
            "counts are whole numbers of photons, 0 or more: their noise follows from them. Save them before any "
            "scaling or subtraction."
        )
    raise InputError(f"{path}, line {numbers[row]}, column {column + 1}: {values[row, column]:g}; {rule}")


def _cells(line: str) -> list[str]:
    """Return the cells of a line without quotation marks and blanks around them."""
    return [cell.strip('" \t') for cell in line.split(",")]


def _is_number(cell: str) -> bool:
    """Tell whether a cell can be read as a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return True
