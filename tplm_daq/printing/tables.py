"""How the terminal's tables look: columns, names with values, and times in words."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

BROAD = 10_000
"""Columns that no table needs."""


def table_of(*names: str) -> Table:
    """Return an empty table with these columns; a word that is too long is broken, not shortened."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in names:
        table.add_column(name, overflow="fold")
    return table


def plain_table() -> Table:
    """Return a table of names and values."""
    return Table(show_header=False, box=None, padding=(0, 2, 0, 0))


def print_whole(console: Console, table: Table, at_most: int = BROAD) -> None:
    """Print a table as wide as its content: what is to be copied is neither shortened nor broken by us."""
    table.width = min(console.measure(table, options=console.options.update(width=BROAD)).maximum, at_most)
    console.print(table, highlight=False, soft_wrap=True)


def duration(seconds: float) -> str:
    """Return a time in the unit in which it is read at a glance."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
