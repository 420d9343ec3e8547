"""The lattice kinetic Monte Carlo of the paper."""
