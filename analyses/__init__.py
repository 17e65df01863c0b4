"""Reductions of a sweep: labelled xarray in, new labelled xarray out, lazy where the input is.

How a variable grows with N (``exponents``, ``crossover``) and its limit (``extrapolation``); N
pairs against independent ones (``gain``, ``gain_limit``, ``boundary``, ``gain_growth``) and the
noise at which their gain is lost (``threshold``); steadiness (``constancy``), correlations
(``information``) and relaxation rates (``relaxation``); how far an approximation is off
(``closure``); the line where every current vanishes (``carnot``); where an engine is best
(``operating_points``) and which engines no other beats in every respect (``pareto``); where there
is an engine or a refrigerator (``regimes``).
"""

from typing import TYPE_CHECKING, Any

__all__ = [
    "best_constancy",
    "boundary_exponent",
    "carnot_T_mean",
    "carnot_cop",
    "carnot_delta_E",
    "carnot_efficiency",
    "closure_error",
    "collective_gain",
    "conductance",
    "crossover_size",
    "efficiency_at_maximum_power",
    "extrapolate",
    "gain_boundary",
    "growth_rate",
    "information_rank_correlation",
    "last_violation",
    "limit_gain",
    "local_exponent",
    "local_growth_rate",
    "noise_threshold",
    "operating_point",
    "operating_regime",
    "pareto_front",
    "power_law_exponent",
    "power_ratio",
    "relaxation_slopes",
    "same_bath_gain",
    "single_pair_conductance",
    "transient_size",
    "tur_violation",
    "window_exponent",
]

if TYPE_CHECKING:
    from analyses.boundary import boundary_exponent, gain_boundary
    from analyses.carnot import carnot_cop, carnot_delta_E, carnot_efficiency, carnot_T_mean
    from analyses.closure import closure_error
    from analyses.constancy import best_constancy, last_violation, tur_violation
    from analyses.crossover import crossover_size, transient_size
    from analyses.exponents import local_exponent, power_law_exponent, window_exponent
    from analyses.extrapolation import extrapolate
    from analyses.gain import collective_gain, conductance, power_ratio, same_bath_gain
    from analyses.gain_growth import growth_rate, local_growth_rate
    from analyses.gain_limit import limit_gain, single_pair_conductance
    from analyses.information import information_rank_correlation
    from analyses.operating_points import efficiency_at_maximum_power, operating_point
    from analyses.pareto import pareto_front
    from analyses.regimes import operating_regime
    from analyses.relaxation import relaxation_slopes
    from analyses.threshold import noise_threshold
else:
    import importlib

    _NAMES_OF = {
        "analyses.boundary": "boundary_exponent gain_boundary",
        "analyses.carnot": "carnot_T_mean carnot_cop carnot_delta_E carnot_efficiency",
        "analyses.closure": "closure_error",
        "analyses.constancy": "best_constancy last_violation tur_violation",
        "analyses.crossover": "crossover_size transient_size",
        "analyses.exponents": "local_exponent power_law_exponent window_exponent",
        "analyses.extrapolation": "extrapolate",
        "analyses.gain": "collective_gain conductance power_ratio same_bath_gain",
        "analyses.gain_growth": "growth_rate local_growth_rate",
        "analyses.gain_limit": "limit_gain single_pair_conductance",
        "analyses.information": "information_rank_correlation",
        "analyses.operating_points": "efficiency_at_maximum_power operating_point",
        "analyses.pareto": "pareto_front",
        "analyses.regimes": "operating_regime",
        "analyses.relaxation": "relaxation_slopes",
        "analyses.threshold": "noise_threshold",
    }
    """By module, the names that it defines; it is imported when one of them is first asked for."""
    _HOME = {name: module for module, names in _NAMES_OF.items() for name in names.split()}

    def __getattr__(name: str) -> Any:
        if name not in _HOME:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = getattr(importlib.import_module(_HOME[name]), name)
        globals()[name] = found  # Python finds it there next time and does not call this function
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
