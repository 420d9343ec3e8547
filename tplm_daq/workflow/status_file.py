"""A small JSON file beside the run file that says how the run goes, for whoever watches from afar.

It is replaced in one step, so a reader never meets half of it, and written at most once a second. Failing to
write it never harms the run: the reason goes to the log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

from tplm_daq.acquire.events import Event, PointDone, RunFinished, StateChanged
from tplm_daq.workflow.document import json_text
from tplm_daq.workflow.live import LiveResult

logger = logging.getLogger(__name__)

INTERVAL_S = 1.0


class StatusFile:
    """Listens to a run and keeps its status on disk.

    Parameters
    ----------
    run_file : Path
        The run file; the status goes beside it, with the ending ``.status.json``.
    latest : callable
        Returns the latest live fit, or None.
    now : callable
        Returns the time in s since an arbitrary zero; must not jump when the computer's clock is set.
    """

    def __init__(
        self, run_file: Path, latest: Callable[[], LiveResult | None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self.path = run_file.with_suffix(".status.json")
        self._latest = latest
        self._now = now
        self._began_s = now()
        self._written_s = float("-inf")
        self._status: dict[str, object] = {"run_file": run_file.name, "state": "preparing"}

    def on_event(self, event: Event) -> None:
        """Take note of an event and write the file if it is time to (a listener of the runner)."""
        is_urgent = True
        if isinstance(event, StateChanged):
            self._status["state"] = event.state.value
        elif isinstance(event, RunFinished):
            self._status.update(finish_reason=event.reason.value, message=event.message, eta_s=0.0)
        elif isinstance(event, PointDone):
            self._note_point(event)
            is_urgent = event.n_done == event.n_points
        else:
            return
        if is_urgent or self._now() - self._written_s >= INTERVAL_S:
            self._write()

    def _note_point(self, event: PointDone) -> None:
        elapsed_s = self._now() - self._began_s
        self._status.update(
            n_done=event.n_done,
            n_points=event.n_points,
            x_nm=event.row.x_nm,
            y_nm=event.row.y_nm,
            input_cps=event.row.input_cps,
            eta_s=round(elapsed_s / event.n_done * (event.n_points - event.n_done), 1),
        )
        live = self._latest()
        if live is not None and live.result is not None:
            self._status["diffusivity_cm2_s"] = live.result.diffusivity_cm2_s
            self._status["ci95_cm2_s"] = list(live.result.ci95_cm2_s)

    def _write(self) -> None:
        self._written_s = self._now()
        text = json_text({**self._status, "updated": time.strftime("%Y-%m-%dT%H:%M:%S%z")}, indent=1)
        aside = self.path.with_suffix(".part")
        try:
            aside.write_text(text, encoding="utf-8")
            aside.replace(self.path)
        except OSError as error:
            logger.warning("status file %s: %s", self.path, error.strerror)
