"""Reductions of a sweep: labelled xarray in, new labelled xarray out, lazy where the input is.

``exponents`` fits how a variable grows with N, ``gain`` compares N pairs with independent ones,
and ``carnot`` holds the closed forms of the line where every current vanishes.
"""

from analyses.carnot import carnot_cop, carnot_delta_E, carnot_efficiency, carnot_T_mean
from analyses.exponents import local_exponent, power_law_exponent, window_exponent
from analyses.gain import collective_gain, conductance, power_ratio

__all__ = [
    "carnot_T_mean",
    "carnot_cop",
    "carnot_delta_E",
    "carnot_efficiency",
    "collective_gain",
    "conductance",
    "local_exponent",
    "power_law_exponent",
    "power_ratio",
    "window_exponent",
]
