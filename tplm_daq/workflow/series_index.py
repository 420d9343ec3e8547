"""The index of a series: one line of JSON per condition that was tried, appended and never changed.

A condition that is tried again gets another line; the last one counts.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from tplm_daq.errors import InputError, StoreError
from tplm_daq.workflow.document import json_text

INDEX_NAME = "series.jsonl"
RECIPE_NAME = "series.yaml"
RIG_NAME = "rig.yaml"

GOOD_ENDS = frozenset({"completed", "target_reached", "max_time"})
"""Finish reasons of conditions that need not be measured again."""


def append_line(folder: Path, line: Mapping[str, object]) -> None:
    """Add a line to the index; it is on the disk when this returns.

    Raises
    ------
    StoreError
        The disk does not take it.
    """
    path = folder / INDEX_NAME
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json_text(line) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise StoreError(f"{path}: cannot be written ({error.strerror}); the run files are safe.") from error


def read_index(folder: Path) -> dict[int, dict[str, object]]:
    """Return the last line of each condition by its number; a line cut short by a power cut is left out.

    Raises
    ------
    InputError
        There is no index, or a line in it is no JSON.
    """
    path = folder / INDEX_NAME
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Give the folder of a series.") from error
    found: dict[int, dict[str, object]] = {}
    for number, text in enumerate(lines, start=1):
        if not text.endswith("\n"):
            break
        try:
            line = json.loads(text)
            found[int(line["condition"])] = line
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(f"{path}, line {number}: no line of a series index ({error}).") from error
    return found
