"""Where run files go and what they are called."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path

from tplm_daq.errors import InputError


def make_folder(folder: Path) -> None:
    """Make the folder for run files before anything is switched on."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(
            f"--out {folder}: the folder cannot be made ({error.strerror}). Choose another one."
        ) from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"--out {folder}: nothing can be written there. Choose another folder or change its rights.")


def new_path(folder: Path, title: str, suffix: str = ".h5") -> Path:
    """Name a run file after now and the title; a name that exists is counted on, never used again."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "run"
    return unused(folder / f"{datetime.now():%Y%m%d-%H%M%S}_{slug}{suffix}")


def unused(wanted: Path) -> Path:
    """Return this path, with a number behind its name if it exists: nothing is overwritten."""
    for number in range(1, 10_000):
        path = wanted if number == 1 else wanted.with_name(f"{wanted.stem}_{number}{wanted.suffix}")
        if not path.exists():
            return path
    raise InputError(f"{wanted} exists, and so do 9998 numbered ones beside it. Move them to another folder.")
