"""What a newcomer meets in the terminal: help, version, completion, and one JSON document whatever happens."""

from __future__ import annotations

import io
import os
import sys
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from rich.console import Console

from tests.end_to_end.program import QUICK, settings, tplm, tplm_here
from tplm_daq.errors import Aborted
from tplm_daq.terminal import DeclaredOperator, TerminalOperator, write_in_any_encoding

NARROW = {"COLUMNS": "80", "TERM": "dumb", "NO_COLOR": "1"}
NAMED_SHELL = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
"""Lets the option take the name of a shell, for there may be none among the parents of a test."""
IN_ORDER = (
    *("check", "run", "resume", "gui", "runs", "analyse", "report", "export", "verify", "kmc"),
    *("devices", "serve", "schema"),
)


@pytest.mark.parametrize("words", [(), ("--help",)])
def test_help_lists_the_commands_in_the_order_a_newcomer_needs_one_line_each(
    words: tuple[str, ...], tmp_path: Path
) -> None:
    done = tplm(tmp_path, *words, **NARROW)
    assert (done.status, done.err) == (0, "")
    lines = done.out.splitlines()
    assert max(len(line) for line in lines) <= 80
    found = [line.strip("│ ").split()[0] for line in lines if line.startswith("│ ") and "--" not in line]
    assert [name for name in found if name in IN_ORDER] == list(IN_ORDER)
    for name in IN_ORDER:
        (line,) = (line for line in lines if line.startswith(f"│ {name} "))
        assert line.rstrip("│ ").endswith(".")


def test_the_version_is_one_line(tmp_path: Path) -> None:
    done = tplm(tmp_path, "--version")
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith("tplm ")
    assert done.out.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("rnu",), "Did you mean 'run'? `tplm --help`"),
        (("run",), "Missing argument 'RECIPE'. `tplm run --help`"),
        (("run", "--jsn"), "--json"),
        (("schema", "cat"), "'rig', 'scan'"),
        (("runs", "--since", "yesterday"), "is no day. Write year, month and day, such as"),
    ],
)
def test_a_mistyped_command_line_is_answered_in_one_line(words: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = tplm_here(tmp_path, *words)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("tplm: ")
    assert says in done.err
    assert done.err.count("\n") == 1


def test_a_run_is_told_to_the_end_in_an_encoding_without_its_letters(tmp_path: Path) -> None:
    done = tplm(tmp_path, "run", "configs/scan_line.yaml", *settings(*QUICK), PYTHONIOENCODING="ascii")
    assert done.status == 0, done.err
    assert done.err.isascii()
    assert "cm2/s, 95 % interval" in done.err


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("ascii", "?2 = 7.1+-0.1 um2 at 290 K, ALD 8 x 12, -1 ?C"),
        ("gbk", "σ2 = 7.1±0.1 um2 at 290 K, ALD 8 × 12, -1 °C"),
        ("utf-8", "σ² = 7.1±0.1 µm² at 290 K, ALD 8 × 12, −1 °C"),
    ],
)
def test_letters_that_an_encoding_lacks_are_written_plainly(
    encoding: str, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(content, encoding=encoding))
    monkeypatch.setattr("sys.stderr", io.StringIO())
    write_in_any_encoding()
    print("σ² = 7.1±0.1 µm² at 290 K, ALD 8 × 12, −1 °C", end="", flush=True)
    assert content.getvalue().decode(encoding) == written


BROKEN = {
    "check": ("check", "absent.yaml"),
    "run": ("run", "absent.yaml"),
    "runs": ("runs", "absent"),
    "analyse": ("analyse", "absent.npz"),
    "report": ("report", "absent.h5"),
    "export": ("export", "absent.h5", "--to", "csv"),
    "devices": ("devices", "--rig", "absent.yaml"),
    "serve": ("serve", "--rig", "configs/rig_lab.yaml"),
    "no command line": ("run", "absent.yaml", "--nonsense"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_with_json_a_failure_is_one_document_too(name: str, tmp_path: Path) -> None:
    done = tplm_here(tmp_path, *BROKEN[name], "--json")
    assert done.status == 2, done.err
    assert set(done.document) == {"error", "exit_status"}
    assert done.failure["kind"] == "InputError"
    assert not list(tmp_path.iterdir())


def complete(folder: Path, line: str) -> list[str]:
    """Return what bash offers after a beginning of a command line."""
    words = line.split(" ")
    found = tplm(
        folder, _TPLM_COMPLETE="complete_bash", COMP_WORDS=line, COMP_CWORD=str(len(words) - 1), PATH=os.environ["PATH"]
    )
    return found.out.split()


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("tplm an", {"analyse"}),
        ("tplm run --re", {"--report"}),
        ("tplm schema s", {"scan"}),
        ("tplm analyse map.npz --method p", {"poisson", "paper"}),
        ("tplm export run.h5 --to c", {"csv"}),
    ],
)
def test_the_shell_completes(line: str, offers: set[str], tmp_path: Path) -> None:
    assert offers <= set(complete(tmp_path, line))


def test_the_shell_completes_recipes_and_rig_files(tmp_path: Path) -> None:
    (tmp_path / "my_scan.yaml").touch()
    assert {"my_scan.yaml", "configs/scan_line.yaml"} <= set(complete(tmp_path, "tplm run "))
    assert complete(tmp_path, "tplm run configs/scan_l") == ["configs/scan_line.yaml"]
    assert "configs/rig_sim.yaml" in complete(tmp_path, "tplm devices --rig con")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_completion_can_be_shown(shell: str, tmp_path: Path) -> None:
    done = tplm(tmp_path, "--show-completion", shell, **NAMED_SHELL)
    assert done.status == 0, done.err
    assert "_TPLM_COMPLETE" in done.out


@pytest.mark.skipif(sys.platform == "win32", reason="its console does not tell whether there is a line")
def test_a_question_to_the_operator_ends_with_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody presses Enter after Ctrl-C."""
    ours, theirs = os.pipe()
    with os.fdopen(ours) as unanswered:
        monkeypatch.setattr("sys.stdin", unanswered)
        operator = TerminalOperator(Console(file=io.StringIO()), "demo")
        monkeypatch.setattr(operator, "require_somebody", lambda: None)
        threading.Timer(0.1, operator.stop_waiting).start()
        with pytest.raises(Aborted, match="ended while the operator was asked"):
            operator.set_by_hand("Set the laser to 10 nW", {"average_power_nw": 10.0})
        os.write(theirs, b"\n")
        os.close(theirs)


@pytest.mark.skipif(sys.platform == "win32", reason="its console does not tell whether there is a line")
def test_a_question_that_nobody_answers_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tplm_daq.terminal.PATIENCE_S", 0.0)
    ours, theirs = os.pipe()
    with os.fdopen(ours) as unanswered:
        monkeypatch.setattr("sys.stdin", unanswered)
        operator = TerminalOperator(Console(file=io.StringIO()), "demo")
        monkeypatch.setattr(operator, "require_somebody", lambda: None)
        with pytest.raises(Aborted, match="nobody answered within 0 minutes: Set the laser to 10 nW"):
            operator.set_by_hand("Set the laser to 10 nW", {"average_power_nw": 10.0})
        os.close(theirs)


KNOBS = {"average_power_nw": 10.0, "repetition_rate_hz": 2.5e6}


def test_the_operator_is_told_what_to_set_in_words_and_units(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "typed").write_text("\n")
    with (tmp_path / "typed").open() as keyboard:
        monkeypatch.setattr("sys.stdin", keyboard)
        shown = io.StringIO()
        operator = TerminalOperator(Console(file=shown), "demo")
        monkeypatch.setattr(operator, "require_somebody", lambda: None)
        operator.set_by_hand("Set the laser.", KNOBS)
    assert shown.getvalue().splitlines()[1:3] == ["    average power: 10 nW", "    repetition rate: 2.5 MHz"]


def test_what_is_declared_as_set_is_shown_in_words_and_units() -> None:
    shown = io.StringIO()
    DeclaredOperator(Console(file=shown, width=120), "demo").set_by_hand("Set the laser.", KNOBS)
    assert "Set the laser. (average power: 10 nW, repetition rate: 2.5 MHz)" in shown.getvalue()


@pytest.mark.parametrize(("typed", "is_done"), [("\n", True), ("y\n", True), ("n\n", False)])
def test_the_operator_says_whether_it_is_done(
    typed: str, is_done: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "typed").write_text(typed)
    with (tmp_path / "typed").open() as keyboard:
        monkeypatch.setattr("sys.stdin", keyboard)
        shown = io.StringIO()
        operator = TerminalOperator(Console(file=shown), "demo")
        monkeypatch.setattr(operator, "require_somebody", lambda: None)
        with nullcontext() if is_done else pytest.raises(Aborted, match="declined: Set the laser"):
            operator.set_by_hand("Set the laser to 10 nW", {"average_power_nw": 10.0})
    assert shown.getvalue().endswith("n and Enter to stop.\n"), "what is drawn beside it covers a line that has no end"
