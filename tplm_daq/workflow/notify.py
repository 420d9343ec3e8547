"""Tells somebody that a run has ended: the rig file's command gets the result as JSON on its standard input."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from tplm_daq.errors import TplmError
from tplm_daq.workflow.document import json_text

logger = logging.getLogger(__name__)

PATIENCE_S = 30.0
"""How long the command may take; a run's result does not wait longer for it."""


@contextmanager
def telling_failure(command: Sequence[str]) -> Iterator[None]:
    """Tell somebody of an error that leaves nothing behind, such as a rig that cannot be opened, and raise it again."""
    try:
        yield
    except TplmError as error:
        notify(command, {"error": error.to_dict(), "exit_status": error.exit_status})
        raise


def notify(command: Sequence[str], result: Mapping[str, object]) -> None:
    """Run `command` without a shell and hand it `result`; whatever goes wrong is logged and harms nothing.

    Parameters
    ----------
    command : sequence of str
        Program and arguments; empty for none.
    result : mapping
        What ``tplm run --json`` prints.
    """
    if not command:
        return
    try:
        finished = subprocess.run(
            list(command),
            input=json_text(result),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        logger.warning("the command %s at the end of the run failed: %s", command[0], error)
        return
    if finished.returncode != 0:
        logger.warning(
            "the command %s at the end of the run ended with status %d: %s",
            command[0],
            finished.returncode,
            finished.stderr.strip()[-500:],
        )
