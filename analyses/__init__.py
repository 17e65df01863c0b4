"""Reductions of a sweep: labelled xarray in, new labelled xarray out, lazy where the input is.

``exponents`` fits how a variable grows with N, ``extrapolation`` takes it to N → ∞, ``closure``
says how far an approximation of that limit is off, ``gain`` compares N pairs with independent ones
and ``carnot`` holds the closed forms of the line where every current vanishes.
"""

from analyses.carnot import carnot_cop, carnot_delta_E, carnot_efficiency, carnot_T_mean
from analyses.closure import closure_error
from analyses.exponents import local_exponent, power_law_exponent, window_exponent
from analyses.extrapolation import extrapolate
from analyses.gain import collective_gain, conductance, power_ratio

__all__ = [
    "carnot_T_mean",
    "carnot_cop",
    "carnot_delta_E",
    "carnot_efficiency",
    "closure_error",
    "collective_gain",
    "conductance",
    "extrapolate",
    "local_exponent",
    "power_law_exponent",
    "power_ratio",
    "window_exponent",
]
