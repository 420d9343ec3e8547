"""Series side by side: the numbers are those of one alone, and whatever dies, nothing is lost and nobody is left."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.workflow.test_series import QUICK
from tplm_daq.errors import (
    Aborted,
    AddressError,
    DeviceError,
    InputError,
    LightMayBeOnError,
    LimitError,
    NothingLeft,
    RigError,
    StoreError,
    TplmError,
)
from tplm_daq.recipes.load import validate
from tplm_daq.recipes.series import SeriesRecipe
from tplm_daq.store.reader import open_run
from tplm_daq.workflow.load import load_scan
from tplm_daq.workflow.nobody import Nobody
from tplm_daq.workflow.paper.crew import Advanced, Begun, Ended, News, measure_side_by_side, processes_for
from tplm_daq.workflow.paper.programme import Item
from tplm_daq.workflow.paper.tasks import SeriesTask
from tplm_daq.workflow.series_index import read_index

Heard = list[tuple[str, News]]


PATIENT = "rig.policies.watchdog_timeout=10s"  # a busy computer may be slow


def task(folder: Path, name: str, *powers: str, faults: str = "[]") -> SeriesTask:
    changes = (*QUICK, PATIENT, f"rig.simulation.faults={faults}")
    scan, rig = load_scan("configs/scan_line.yaml", "configs/rig_sim.yaml", changes)
    vary = [{"average_power": list(powers)}]
    data = {"kind": "series", "title": name, "scan": scan.model_dump(mode="json"), "vary": vary}
    return SeriesTask(Item(name, "series.yaml"), (), folder / name, validate(SeriesRecipe, data, name), rig)


def measure(
    *tasks: SeriesTask, n: int = 2, wish: Callable[[Heard], str | None] = lambda heard: None
) -> tuple[Heard, TplmError | None]:
    """Measure series, ask `wish` now and then whether to end; return what was heard and what was raised."""
    heard: Heard = []
    wishes: list[str] = []

    def wanted() -> list[str]:
        if wishes or (said := wish(heard)) is None:
            return []
        wishes.append(said)
        return [said]

    try:
        measure_side_by_side(tasks, n, lambda task, news: heard.append((task.item.name, news)), wanted)
    except TplmError as error:
        return heard, error
    return heard, None


def counts(task: SeriesTask) -> list[np.ndarray[Any, Any]]:
    assert task.home is not None
    return [open_run(task.home / str(line["run_file"])).counts() for line in read_index(task.home).values()]


def has_begun(name: str) -> Callable[[Heard], bool]:
    return lambda heard: any(who == name and isinstance(news, Advanced) for who, news in heard)


def has_ended(heard: Heard) -> bool:
    return any(isinstance(news, Ended) for _, news in heard)


SERIES = {"weak": ("4 nW",), "strong": ("8 nW", "16 nW")}


def test_numbers_do_not_depend_on_what_is_measured_beside_them(tmp_path: Path) -> None:
    side_by_side = [task(tmp_path / "both", name, *powers) for name, powers in SERIES.items()]
    heard, error = measure(*side_by_side)
    assert error is None
    alone = [task(tmp_path / "alone", name, *powers) for name, powers in SERIES.items()]
    for one, other in zip(side_by_side, alone, strict=True):
        other.job(Nobody()).run()
        assert one.n_done == one.n_conditions == len(counts(one))
        assert all(np.array_equal(*pair) for pair in zip(counts(one), counts(other), strict=True))
    for name, powers in SERIES.items():
        news = [each for who, each in heard if who == name]
        assert [each for each in news if isinstance(each, Begun)] == [
            Begun(number, len(powers), power) for number, power in enumerate(powers, start=1)
        ]
        assert Advanced(18, 18) in news
        assert news[-1] == Ended(0, (), None)


def test_a_condition_that_fails_is_told_and_the_rest_is_measured_the_longest_series_first(tmp_path: Path) -> None:
    fault = "[{device: detector_x, fault: port closed, at: 30 s, count: 1}]"
    tasks = [task(tmp_path, "short", "4 nW"), task(tmp_path, "broken", "4 nW", "8 nW", faults=fault)]
    heard, error = measure(*tasks, n=1)
    assert error is None
    (broken, end), short = [(name, news) for name, news in heard if isinstance(news, Ended)]
    assert (broken, short) == ("broken", ("short", Ended(0, (), None)))
    assert end.n_failed == len(end.failures) == 1
    assert "detector_x" in end.failures[0][1]
    assert [each.n_done for each in tasks] == [1, 1]


def test_a_wish_ends_all_of_them_and_nothing_is_begun(tmp_path: Path) -> None:
    tasks = [
        task(tmp_path, "one", "4 nW", "8 nW"),
        task(tmp_path, "two", "4 nW", "8 nW"),
        task(tmp_path, "last", "4 nW"),
    ]
    is_time = has_begun("two")
    heard, error = measure(*tasks, wish=lambda heard: "ended by Ctrl-C" if is_time(heard) else None)
    assert isinstance(error, Aborted)
    assert str(error).startswith("ended by Ctrl-C")
    assert "last" not in {name for name, _ in heard}
    assert sum(each.n_done for each in tasks) < 4


def test_a_wish_that_comes_too_late_to_end_anything_is_one_all_the_same(tmp_path: Path) -> None:
    only = task(tmp_path, "only", "4 nW")
    _, error = measure(only, wish=lambda heard: "ended by Ctrl-C" if has_ended(heard) else None)
    assert (type(error), str(error), only.n_done) == (Aborted, "ended by Ctrl-C", 1)


def test_a_series_that_cannot_be_measured_ends_the_others_and_is_the_error(tmp_path: Path) -> None:
    tasks = [task(tmp_path, "good", "4 nW", "8 nW"), task(tmp_path, "bad", "200 nW")]
    heard, error = measure(*tasks)
    assert isinstance(error, InputError)
    assert "200 nW" in str(error)
    assert tasks[0].n_done < 2


def test_a_process_that_is_killed_is_an_error_and_its_run_goes_on_afterwards(tmp_path: Path) -> None:
    tasks = [task(tmp_path, "one", "4 nW", "8 nW"), task(tmp_path, "two", "4 nW", "8 nW")]
    is_time = has_begun("one")
    killed: list[object] = []

    def kill_one(heard: Heard) -> None:
        if is_time(heard) and not killed:
            first = multiprocessing.active_children()[0]
            killed.append(first)
            first.kill()

    _, error = measure(*tasks, wish=kill_one)
    assert "the process that measured it died (exit code -9)" in str(error)
    assert "the same command goes on where it was" in str(error)
    _, error = measure(*tasks)
    assert error is None
    assert [each.n_done for each in tasks] == [2, 2]


def test_no_more_processes_than_series_cores_or_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task(tmp_path, name, "4 nW") for name in "abc"]
    for n_cores, memory_bytes, n_tasks, n in (
        (2, None, 3, 2),
        (8, None, 3, 3),
        (8, 1.3e9, 3, 2),
        (8, 1e8, 3, 1),
        (8, None, 0, 1),
    ):
        monkeypatch.setattr("tplm_daq.workflow.paper.crew.n_cores", lambda found=n_cores: found)
        monkeypatch.setattr("tplm_daq.workflow.paper.crew.machine_memory_bytes", lambda found=memory_bytes: found)
        assert processes_for(tasks[:n_tasks]) == n


@pytest.mark.parametrize(
    "error",
    [
        InputError("no such key"),
        LimitError("detector x", 1.0, 2.0, 3.0, "um", "Stay inside."),
        NothingLeft(Path("run.h5")),
        DeviceError("wheel", "COM3", "nothing answers", "Check its cable."),
        AddressError("COM3", "It is held by another program."),
        RigError([DeviceError("wheel", "COM3", "nothing answers", "Check its cable."), StoreError("full")]),
        LightMayBeOnError(["gate: silent"]),
    ],
)
def test_an_error_comes_back_from_another_process_as_it_was(error: TplmError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert back.to_dict() == error.to_dict()
