"""One scan that is watched: what the live view draws of it, put together from the points as they come."""

from __future__ import annotations

import threading
from dataclasses import replace

from tplm_daq.acquire.events import PointDone
from tplm_daq.gui.derived import derive
from tplm_daq.gui.growing import GrowingMap, GrownMap
from tplm_daq.gui.picture import History, Picture, SeriesSoFar
from tplm_daq.recipes.scan import ScanRecipe
from tplm_daq.workflow.live import LiveResult
from tplm_daq.workflow.outcome import ScanOutcome


class ScanWatch:
    """The picture of a scan as it grows; all methods may be called from any thread.

    Parameters
    ----------
    recipe : ScanRecipe
        What is measured.
    series : SeriesSoFar or None
        The series that the scan belongs to.
    """

    def __init__(self, recipe: ScanRecipe, series: SeriesSoFar | None = None) -> None:
        self._repetition_rate_hz = recipe.light.repetition_rate_hz
        self._growing = GrowingMap(recipe)
        self._history = History()
        self._lock = threading.Lock()
        self._worked_out: GrownMap | None = None
        self._picture = Picture(
            title=recipe.title if series is None else f"{recipe.title} — {series.place}",
            window_ns=recipe.analysis.window_ns,
            target_precision=recipe.passes.target_precision,
            series=series,
        )

    def add(self, event: PointDone) -> None:
        """Add a point."""
        row = event.row
        self._growing.add(row.index, row.path_nm, row.live_s, event.counts)

    def picture(self, live: LiveResult | None) -> Picture:
        """Return what is to be drawn; parts that have not changed are the same objects as before."""
        with self._lock:
            old, grown = self._picture, self._growing.latest()
            if grown is None:
                return old  # what is called live is still the scan before this one in a series
            if live is not None and live is not old.live and live.result is not None:
                self._history.add(live.result)
            history = self._history.steps
            if grown is not old.grown or live is not old.live:
                self._picture = replace(old, grown=grown, live=live, history=history)
            return self._picture

    def work_out(self, live: LiveResult | None) -> None:
        """Work out what is drawn beside the fit, if points have come; takes its time."""
        grown = self._growing.latest()
        if grown is None or grown is self._worked_out:
            return
        derived = derive(grown, None if live is None else live.result, self._repetition_rate_hz)
        with self._lock:
            self._picture = replace(self._picture, derived=derived)
        self._worked_out = grown

    def finish(self, outcome: ScanOutcome, series: SeriesSoFar | None = None) -> Picture:
        """Return the picture with the final fit in place of the live one."""
        picture, grown, result = self.picture(self._picture.live), self._growing.latest(), outcome.result
        if grown is None:
            return replace(picture, series=series)
        if result is not None:
            self._history.add(result)
        truth = (outcome.truth or {}).get("diffusivity_cm2_s")
        return replace(
            picture,
            grown=grown,
            live=LiveResult(result, outcome.n_points, outcome.fit_error or ""),
            history=self._history.steps,
            derived=derive(grown, result, self._repetition_rate_hz),
            truth_cm2_s=float(truth) if isinstance(truth, int | float) else None,
            series=series,
        )
