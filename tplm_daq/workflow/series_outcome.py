"""What comes of a series: one point per condition, and how it ended as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tplm_daq.acquire.events import FinishReason
from tplm_daq.errors import Aborted, TplmError
from tplm_daq.recipes.series import Condition
from tplm_daq.workflow.outcome import ScanOutcome
from tplm_daq.workflow.series_index import GOOD_ENDS
from tplm_daq.workflow.series_result import is_series, series_summary


@dataclass(frozen=True)
class SeriesPoint:
    """What came of one condition: its scan, or why there is none."""

    condition: Condition
    outcome: ScanOutcome | None
    error: TplmError | None

    @property
    def finish_reason(self) -> str:
        """Why it ended."""
        if self.outcome is not None:
            return self.outcome.finish_reason.value
        return (FinishReason.ABORTED if isinstance(self.error, Aborted) else FinishReason.FAILED).value

    def to_dict(self) -> dict[str, object]:
        """Return its line in the index and in ``--json``."""
        condition = self.condition
        scan: dict[str, object] = {"run_file": None} if self.outcome is None else self.outcome.to_dict()
        if self.error is not None:
            scan["error"] = self.error.to_dict()
        return {
            "condition": condition.index,
            "label": condition.label,
            "values": dict(condition.values),
            "is_reference": condition.is_reference,
            **scan,
            "finish_reason": self.finish_reason,
        }


@dataclass(frozen=True)
class SeriesOutcome:
    """What came of a series of `n_conditions`; `error` is why it ended before all of them were tried."""

    folder: Path
    points: tuple[SeriesPoint, ...]
    n_conditions: int
    wall_s: float
    error: TplmError | None = None
    report_file: Path | None = None

    @property
    def n_failed(self) -> int:
        """Conditions without a complete scan."""
        return sum(point.finish_reason not in GOOD_ENDS for point in self.points)

    @property
    def rest(self) -> Path | None:
        """What to resume to measure what is missing, None if nothing is."""
        n_good = len(self.points) - self.n_failed
        return self.folder if n_good < self.n_conditions else None

    @property
    def finish_reason(self) -> FinishReason:
        """How the series as a whole ended."""
        if isinstance(self.error, Aborted):
            return FinishReason.ABORTED
        return FinishReason.FAILED if self.error is not None or self.n_failed else FinishReason.COMPLETED

    @property
    def exit_status(self) -> int:
        """Status with which the program ends."""
        return self.error.exit_status if self.error is not None else int(self.n_failed > 0)

    def to_dict(self) -> dict[str, object]:
        """Return what ``tplm run --json`` prints for a series."""
        answer: dict[str, object] = {
            "series_folder": str(self.folder),
            "finish_reason": self.finish_reason.value,
            "n_failed": self.n_failed,
            "points": [point.to_dict() for point in self.points],
            "wall_s": self.wall_s,
        }
        if is_series(self.folder):
            answer["series"] = series_summary(self.folder).to_dict()
        if self.report_file is not None:
            answer["report_file"] = str(self.report_file)
        if self.error is not None:
            answer |= {"error": self.error.to_dict(), "exit_status": self.exit_status}
        return answer
