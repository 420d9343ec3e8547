"""Run files for tests: headers, points that carry their own number in every bin, and a writer process."""

from __future__ import annotations

import dataclasses
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tplm_daq.photons.records import RecordFormat
from tplm_daq.readings import TagSource
from tplm_daq.store.layout import PointFlags, PointRow, RunHeader
from tplm_daq.store.writer import RunWriter

N_POSITIONS = 5
PICOHARP = TagSource(RecordFormat.PICOHARP_T3.value, 0)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=timezone(timedelta(hours=1)))


def header(n_bin: int = 32, **changes: object) -> RunHeader:
    made = RunHeader(
        title="OLA/OA film, 10 nW",
        recipe_text="kind: scan\ntitle: OLA/OA film, 10 nW\n",
        rig_text="devices: {}\n",
        session={"sample": "film 3", "operator": "demo"},
        delay_ns=0.016 * (np.arange(n_bin) + 0.5),
        repetition_rate_hz=2.5e6,
        response_fwhm_ns=0.08,
        t0_ns=None,
        pixel_nm=(101.0, 110.0),
        dead_time_ns=77.0,
        position_axis="x",
        positions_nm=np.column_stack([100.0 * np.arange(N_POSITIONS), np.zeros(N_POSITIONS)]),
        clock_zero_s=0.25,
        truth={"diffusivity_cm2_s": 0.05, "preset": "ola-oa"},
    )
    return dataclasses.replace(made, **changes)


def row(number: int, **changes: object) -> PointRow:
    index = number % N_POSITIONS
    made = PointRow(
        pass_index=number // N_POSITIONS,
        index=index,
        x_nm=100.0 * index,
        y_nm=0.0,
        x_readback_nm=100.0 * index + 1.0,
        y_readback_nm=float("nan"),
        x_actuator_mm=6.0,
        y_actuator_mm=6.5,
        dwell_s=2.0,
        live_s=1.9,
        sync_hz=2.5e6,
        input_cps=1.2e4,
        temperature_k=300.0,
        power_nw=10.0,
        flags=PointFlags.GOOD,
        start_s=2.5 * number,
        end_s=2.5 * number + 2.1,
    )
    return dataclasses.replace(made, **changes)


def counts(number: int, n_bin: int = 32) -> NDArray[np.uint32]:
    """Random counts whose first bin is the point's number, so that a misplaced point shows."""
    drawn = np.random.default_rng(number).poisson(20, n_bin).astype(np.uint32)
    drawn[0] = number
    return drawn


def words(number: int, n_bin: int = 32) -> NDArray[np.uint32]:
    """PicoHarp records that give `counts(number)`, in some order, with turns of the sync counter and later delays."""
    rng = np.random.default_rng(number)
    delays = np.repeat(np.arange(n_bin + 3, dtype=np.uint32), [*counts(number, n_bin), 2, 0, 1])
    photons = (1 << 28) | (rng.permutation(delays) << 16) | rng.integers(0, 65536, len(delays), np.uint32)
    return np.insert(photons, [0, len(photons) // 2, len(photons)], 0xF0000000).astype(np.uint32)


def at_noon() -> datetime:
    return NOON


def written_run(path: Path, n_points: int = 12, finish_reason: str | None = "completed", **changes: object) -> Path:
    with RunWriter.create(path, header(**changes), now=at_noon) as writer:
        for number in range(n_points):
            writer.append(row(number), counts(number))
        if finish_reason is not None:
            writer.finish(finish_reason)
    return path


def write_and_acknowledge(path: Path, n_points: int) -> None:
    """Go through everything that happens to a run file, saying on stdout what is safe."""
    values = {f"setting_{i}_v": float(i) for i in range(8)}
    with RunWriter.create(path, header(tag_source=PICOHARP)) as writer:
        for device in ("laser", "counter", "axes"):
            writer.snapshot(device, "start", values)
        print("created", flush=True)
        for number in range(n_points):
            writer.append(row(number), counts(number), words(number))
            print(number, flush=True)
            if number % 5 == 0:
                writer.log(NOON.isoformat(), "info", f"point {number} " + "x" * (number % 200))
        with writer.in_one_step():
            writer.snapshot("laser", "end", values)
            writer.finish("completed")
        writer.write_result("poisson", values, {"msd_nm2": np.arange(100.0)}, "kind: analysis\n")
    with RunWriter.reopen(path) as writer:
        writer.append(row(n_points), counts(n_points), words(n_points))
        print(n_points, flush=True)
        writer.finish("completed")
    print("closed", flush=True)


if __name__ == "__main__":
    write_and_acknowledge(Path(sys.argv[1]), int(sys.argv[2]))
