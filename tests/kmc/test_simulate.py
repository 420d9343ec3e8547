"""One condition: reproducible, separate from its neighbours, and watchable step by step."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tests.kmc.recipes import paper, small
from tplm_daq.errors import InputError
from tplm_daq.kmc.lattice import excitons_per_pulse
from tplm_daq.kmc.simulate import Condition, Simulated, live, memory_bytes, simulate
from tplm_daq.recipes.kmc import Lattice


def is_same(first: Simulated, second: Simulated) -> bool:
    return np.array_equal(first.r2_nm2, second.r2_nm2) and np.array_equal(first.n_fast, second.n_fast)


def test_the_seed_decides_everything() -> None:
    first = simulate(small(seed=3), 0.08, 400.0)
    assert is_same(first, simulate(small(seed=3), 0.08, 400.0))
    assert not is_same(first, simulate(small(seed=4), 0.08, 400.0))


def test_conditions_have_streams_of_their_own() -> None:
    first = simulate(small(), 0.08, 400.0)
    for alpha, tau_pulse_ns in ((0.08000000000000002, 400.0), (0.08, 400.00000000000006)):
        assert not is_same(first, simulate(small(), alpha, tau_pulse_ns))


def test_a_longer_run_begins_like_a_shorter_one() -> None:
    shorter, longer = simulate(small(n_pulses=10), 0.08, 400.0), simulate(small(n_pulses=30), 0.08, 400.0)
    assert np.array_equal(longer.r2_nm2[:10], shorter.r2_nm2)


def test_times_and_distances_are_in_nanoseconds_and_nanometres() -> None:
    fine = simulate(small(), 0.08, 400.0)
    assert np.allclose(fine.time_ns, 0.01 * np.arange(21))
    coarse = simulate(
        small(lattice=Lattice(size=201, p_decay=0.005, spacing_nm="20 nm", spot_fwhm_nm="500 nm")), 0.08, 400.0
    )
    assert np.allclose(coarse.r2_nm2, 4.0 * fine.r2_nm2)


def test_a_pulse_makes_as_many_excitons_as_predicted() -> None:
    for lattice in (Lattice(), Lattice(neighbours=6), Lattice(blocked=0.5), Lattice(spot_fwhm_nm="500 nm")):
        n = simulate(small(lattice=lattice, n_pulses=300), 0.1, 50.0).n_excitons[:, 0].sum()
        expected = 300 * excitons_per_pulse(lattice, 0.1)
        drawn_blocks = 0.02 * expected if lattice.blocked else 0.0  # which of some hundred sites are missing
        assert abs(n - expected) < 4.5 * np.sqrt(expected) + 4.5 * drawn_blocks


def test_densities_hold_every_exciton() -> None:
    found = simulate(small(), 0.08, 400.0, density_width=201)
    assert np.array_equal(found.density.sum(axis=(1, 2)), found.n_excitons.sum(axis=0))
    y, x = np.indices((201, 201)) - 100
    r2_nm2 = 100.0 * (found.density * (x**2 + y**2)).sum(axis=(1, 2))
    assert np.allclose(r2_nm2, found.r2_nm2.sum(axis=0))


def test_the_number_of_attempts_is_counted() -> None:
    found = simulate(small(n_pulses=200), 0.08, 400.0)
    n = found.n_excitons[:, 0].sum()
    assert abs(found.exciton_steps / n - 200) < 4.5 * 200 / np.sqrt(n)


def test_a_watcher_sees_pulses_begin_spread_and_end() -> None:
    lattice = Lattice(size=201, p_decay=0.005)
    watched = live(lattice, Condition(0.08, 400.0), seed=1, n_steps=100)
    pulses = [list(snapshots) for _, snapshots in itertools.groupby(itertools.islice(watched, 200), lambda s: s.pulse)]
    assert len(pulses) > 5
    for snapshots in pulses[:-1]:
        assert [snapshot.time_ns for snapshot in snapshots[:3]] == [0.0, 0.1, 0.2]
        n_excitons = [len(snapshot.exciton_nm) for snapshot in snapshots]
        assert n_excitons == sorted(n_excitons, reverse=True)
        assert n_excitons[-1] == 0 < n_excitons[0]
        n_fast = [len(snapshot.fast_nm) for snapshot in snapshots]
        assert n_fast == sorted(n_fast)
        assert set(map(tuple, snapshots[0].exciton_nm)) <= set(map(tuple, snapshots[0].fast_nm))
    watched.close()


def test_a_new_condition_holds_from_the_next_pulse() -> None:
    watched = live(Lattice(size=201, p_decay=0.005), Condition(0.02, 400.0), seed=1, n_steps=100)
    assert next(watched).condition == Condition(0.02, 400.0)
    sent = watched.send(Condition(1.0, 100.0))
    assert (sent.pulse, sent.condition) == (0, Condition(0.02, 400.0))
    later = next(snapshot for snapshot in watched if snapshot.pulse == 1)
    assert later.condition == Condition(1.0, 100.0)
    assert len(later.exciton_nm) > 500
    watched.close()


def test_a_watched_lattice_is_left_unchanged_by_what_watchers_do() -> None:
    def see(spoil: bool) -> list[int]:
        seen = []
        for snapshot in itertools.islice(live(Lattice(size=201), Condition(0.08, 400.0), seed=2), 50):
            seen.append(int(np.abs(snapshot.exciton_nm).sum()))
            if spoil:
                snapshot.exciton_nm[:] = snapshot.fast_nm[:] = 0.0
        return seen

    assert see(spoil=True) == see(spoil=False)


def test_a_spot_without_nanocrystals_is_refused() -> None:
    with pytest.raises(InputError, match="no nanocrystal left in a spot of 1 nm. Use a smaller lattice.blocked"):
        simulate(small(lattice=Lattice(size=201, spot_fwhm_nm="1 nm", blocked=0.999)), 0.5, 400.0)


def test_memory_grows_with_lattice_and_recordings() -> None:
    assert memory_bytes(paper(lattice=Lattice(size=2000))) > 3 * memory_bytes(paper())
    assert memory_bytes(paper(n_pulses=1_000_000)) > 2e9
