"""What was put into the simulated sample, in words: so that nobody takes it for a finding."""

from __future__ import annotations

import math

from tplm_daq.rig.simulated import SampleNumbers, sample_numbers

SURFACES = {
    "ola-oa": "OLA/OA ligands",
    "zwitterionic": "zwitterionic ligands",
    "ald-alox": "ALD-AlOx film",
    "cald-alox": "colloidal ALD-AlOx",
}
"""What the presets stand for."""

REFERENCE_K = 300.0


def simulator_inputs() -> dict[str, str]:
    """Return the inputs that matter for the figures, as rows of a table."""
    numbers = sample_numbers()
    presets = {
        f"{name} ({SURFACES[name]}){'' if name == 'ola-oa' else ' (ours)'}": (
            f"D∞ = {preset.d_inf_cm2_s:g} cm²/s, D0 = {preset.d_0_cm2_s:g} cm²/s, τ(300 K) = {preset.tau_relax_us:g} µs"
        )
        for name, preset in numbers.presets.items()
    }
    low_nw, high_nw = numbers.powers_nw
    between = f"between {low_nw:g} and {high_nw:g} nW, linear in log P"
    curve = ", ".join(f"{value:g} at {kelvin:g} K" for kelvin, value in numbers.relative_diffusivity.items())
    return {
        "diffusivity": "D = D∞ + (D0 − D∞) exp(−t_exc/τ) with t_exc = 50 µs · nW / P, whatever the repetition rate",
        **presets,
        "memory against temperature (ours)": f"τ(T) = τ(300 K) exp[{numbers.relaxation_k:g} K (1/T − 1/300 K)], "
        f"that is {memory_us(numbers, 'ola-oa', 50.0):.3g} µs at 50 K",
        "D at 1 nW against temperature, relative to 300 K (ours)": curve,
        "lifetime": "{:g} to {:g} ns ".format(*numbers.lifetimes_ns) + between,
        "exponent of the tail from 3 ns on": "{:g} to {:g} ".format(*numbers.tail_exponents) + between,
    }


def memory_us(numbers: SampleNumbers, preset: str, temperature_k: float) -> float:
    """Return the relaxation time that a preset has at a temperature, in us.

    Examples
    --------
    >>> round(memory_us(sample_numbers(), "ola-oa", 50.0))
    40
    """
    inverse_k = 1.0 / temperature_k - 1.0 / REFERENCE_K
    return numbers.presets[preset].tau_relax_us * math.exp(numbers.relaxation_k * inverse_k)
