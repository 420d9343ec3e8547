"""`tplm reproduce` as a user runs it: a figure, an unknown one, an interruption that costs nothing."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from tests.end_to_end.program import finish, kill, start, tplm_here, wait_for

LATTICE = ("reproduce", "4D", "--quick", "--json")
FILTERS = ("reproduce", "--figure", "3B", "--quick", "--json", "--out", "made")


def index_lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for path in folder.glob("made/*/*/series.jsonl") for line in path.read_text().splitlines()]


def n_completed(folder: Path) -> int:
    return sum(line["finish_reason"] == "completed" for line in index_lines(folder))


def test_a_figure_of_the_lattice_is_made_beside_a_table(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, *LATTICE)
    assert done.status == 0, done.err
    (figure,) = done.document["figures"]
    assert figure["figure"] == "4D"
    assert all(row["agreement"] for row in figure["rows"])
    assert (done.document["n_agree"], done.document["n_failed"]) == (2, 0)
    assert "about 0." in " ".join(done.err.lower().split())
    page = tmp_path / done.document["report_file"]
    assert "<svg" in page.read_text(encoding="utf-8")
    assert all((page.parent / path).is_file() for path in figure["files"])
    assert {Path(path).name for path in figure["files"]} >= {"recipe.yaml"}
    again = tplm_here(tmp_path, *LATTICE)
    assert "1 of them done already" in " ".join(again.err.split())
    assert again.document["report_file"] != done.document["report_file"]
    assert again.document["figures"] == done.document["figures"]


def test_an_unknown_figure_is_bad_input_and_lists_those_there_are(tmp_path: Path) -> None:
    done = tplm_here(tmp_path, "reproduce", "5Z", "--json")
    assert done.status == 2
    assert "There are 1D, 1E, 1F, 2A-E" in done.failure["message"]
    assert not any(tmp_path.iterdir())


def test_what_was_measured_before_an_interruption_is_not_measured_again(tmp_path: Path) -> None:
    program = start(tmp_path, *FILTERS)
    wait_for(lambda: n_completed(tmp_path) == 1, program)
    program.send_signal(signal.SIGINT)
    ended = finish(program)
    assert ended.status == 3
    assert ended.failure["kind"] == "Aborted"
    first = index_lines(tmp_path)[0]["run_file"]
    before = (tmp_path / str(first)).read_bytes()

    program = start(tmp_path, *FILTERS)
    wait_for(lambda: n_completed(tmp_path) == 2, program)
    kill(program)

    done = tplm_here(tmp_path, *FILTERS)
    assert done.status == 0, done.err
    assert "of them done already" in " ".join(done.err.split())
    assert (tmp_path / str(first)).read_bytes() == before
    lines = index_lines(tmp_path)
    assert [line["finish_reason"] for line in lines if line["run_file"] == first] == ["completed"]
    (figure,) = done.document["figures"]
    assert [row["verdict"] for row in figure["rows"]] == ["agrees"]
    assert sum(path.endswith(".h5") for path in figure["files"]) == 3
