"""How much the light heats the film: per pulse, and in the steady state, to an order of magnitude.

Per pulse, the heat of one absorbed photon stays in the nanocrystals for a moment: the temperature they
reach if nothing flows away. In the steady state, the absorbed power flows from a Gaussian spot on the
surface into the substrate, whose conduction alone counts (Lax, J. Appl. Phys. 48, 3919 (1977)):
``P / (sqrt(2 pi) kappa w)`` in the middle, with the 1/e2 radius ``w``. Layers between film and substrate,
and the heat resistance of ligands, are left out; measured values may be a few times larger.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from tplm_daq.analysis.excitation import JOULE_NM, WAVELENGTH_NM


@dataclass(frozen=True)
class HeatingAssumptions:
    """Numbers behind an estimate of heating; orders of magnitude for a film of CsPbBr3 nanocrystals on glass (ours).

    Attributes
    ----------
    heat_capacity_j_cm3_k : float
        Of the film per volume; CsPbBr3 near room temperature has about 1, ligands about 2.
    volume_per_crystal_nm3 : float
        Film volume that one absorbed photon heats: a cell of the lattice of 10 nm.
    heat_share : float
        Part of the absorbed energy that becomes heat: 1 if nothing is emitted, (520 - 405)/520 = 0.22 if all is.
    absorbed_share : float
        Part of the incident power that the film absorbs.
    conductivity_w_m_k : float
        Heat conductivity of the substrate; glass has about 1, sapphire 35.
    """

    heat_capacity_j_cm3_k: float = 1.4
    volume_per_crystal_nm3: float = 1000.0
    heat_share: float = 1.0
    absorbed_share: float = 0.1
    conductivity_w_m_k: float = 1.0


@dataclass(frozen=True)
class Heating:
    """Estimated temperature rise.

    Attributes
    ----------
    per_pulse_k : float
        Mean over the nanocrystals in the spot, right after a pulse.
    per_excited_crystal_k : float
        Of a nanocrystal that has absorbed one photon.
    steady_k : float
        In the middle of the spot, under the average power.
    assumptions : HeatingAssumptions
        What the numbers rest on.
    """

    per_pulse_k: float
    per_excited_crystal_k: float
    steady_k: float
    assumptions: HeatingAssumptions

    def describe(self) -> str:
        """Return one sentence with the numbers and what is assumed."""
        assumed = ", ".join(f"{name} = {value:g}" for name, value in asdict(self.assumptions).items())
        return (
            f"Heating of the order of {self.per_pulse_k:.1g} K per pulse and {self.steady_k:.1g} K in the steady state "
            f"(assumed: {assumed})."
        )


def heating(
    excitons_per_pulse: float,
    power_nw: float,
    spot_fwhm_nm: float,
    wavelength_nm: float = WAVELENGTH_NM,
    assumptions: HeatingAssumptions | None = None,
) -> Heating:
    """Estimate the temperature rise per pulse and in the steady state; by default all light absorbed becomes heat.

    Parameters
    ----------
    excitons_per_pulse : float
        Photons absorbed per nanocrystal and pulse.
    power_nw : float
        Time-averaged power at the sample, in nW.
    spot_fwhm_nm : float
        Full width at half maximum of the spot, in nm.
    wavelength_nm : float
        Wavelength of the light, in nm.
    assumptions : HeatingAssumptions, optional
        Properties of film and substrate.

    Returns
    -------
    Heating
        Temperatures in K, with the assumptions.

    Examples
    --------
    At 10 nW and 2.5 MHz; less than 0.01 K per pulse is stated for the experiment, which is what follows if only the
    energy above that of the emission becomes heat (Science Advances 10, eadj2630 (2024)):

    >>> rise = heating(0.08, 10.0, 500.0)
    >>> round(rise.per_pulse_k, 3), round(rise.steady_k, 4)
    (0.028, 0.0009)
    >>> round(heating(0.08, 10.0, 500.0, assumptions=HeatingAssumptions(heat_share=0.22)).per_pulse_k, 3)
    0.006
    """
    assumed = assumptions or HeatingAssumptions()
    heat_j = assumed.heat_share * JOULE_NM / wavelength_nm
    per_photon_k = heat_j / (assumed.heat_capacity_j_cm3_k * assumed.volume_per_crystal_nm3 * 1e-21)
    radius_m = 1e-9 * spot_fwhm_nm / float(np.sqrt(2.0 * np.log(2.0)))
    power_w = 1e-9 * power_nw * assumed.absorbed_share * assumed.heat_share
    steady_k = power_w / (float(np.sqrt(2.0 * np.pi)) * assumed.conductivity_w_m_k * radius_m)
    return Heating(excitons_per_pulse * per_photon_k, per_photon_k, steady_k, assumed)
