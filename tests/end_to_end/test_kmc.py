"""`tplm kmc` as a user meets it: bad input is refused at once, with what to write instead."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.end_to_end.program import tplm, tplm_here

REFUSED = {
    "alpha": (["--alpha", "1.5"], "alpha.0 is 1.5: must be less than or equal to 1"),
    "time": (["--tau-pulse", "-1 us"], 'tau_pulse.0 is "-1 us": must be greater than 0 ns'),
    "small": (["configs/kmc_paper.yaml", "--set", "lattice.size=100"], "too small for a spot of 250 nm"),
    "memory": (["configs/kmc_paper.yaml", "--set", "lattice.size=16000", "--workers", "200"], "the sweep would need"),
    "nobody": (["--scheduler", "tcp://127.0.0.1:9"], "no Dask scheduler answers there"),
    "nonsense": (["--scheduler", "nowhere"], "Write one such as tcp://10.0.0.1:8786"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_bad_input_is_refused_with_the_reason(case: str, tmp_path: Path) -> None:
    arguments, reason = REFUSED[case]
    began = time.monotonic()
    run = tplm if case == "nobody" else tplm_here  # threads of Dask end with the process
    done = run(tmp_path, "kmc", *arguments, "--json")
    assert done.status == 2, done.err
    assert reason in done.failure["message"]
    assert time.monotonic() - began < 60
    assert not list(tmp_path.iterdir())
