r"""Two baths so cold that their occupations may underflow, replaced by warmer ones.

With no more than one quantum at a time, all that flows is proportional to the rate at which quanta
arrive, :math:`x = e^{-\ell}` with ℓ the smaller of |E₁/T₁| and |E₂/T₂|; corrections are of relative
order N x.  So the engine is solved with both logarithms lowered by the same amount, which keeps the
affinity, and its currents are multiplied by the power of two that was left out.  Ratios such as the
constancy thus keep all digits where the currents themselves underflow.
"""

from __future__ import annotations

import math

from ensemble.engine import Engine
from ensemble.parameters.bath import Bath
from ensemble.variables import CURRENTS, FROM_CUMULANTS, FROM_NOISE

DARK = 200.0
"""|E/T| from which both baths count as dark: N x < 1e-80, far below rounding, and x may still be
multiplied by (ω₀/Γ₀)² = 1e-200."""

LINEAR = frozenset(
    {
        *CURRENTS,
        *(FROM_NOISE - {"constancy"}),
        *FROM_CUMULANTS,
        "entropy_production",
        "power_per_pair",
        "spin_correlation_xy",
        "mutual_information",
        "concurrence",
        "discord",
        "l1_coherence",
        "weak_coupling_1",
        "weak_coupling_2",
        *("conductance", "dynamical_activity", "coherent_activity", "tur_bound", "kur_bound"),
        *("quantum_kur_bound", "coherence_kur_bound", "quantum_tur_bound", "response_bound"),
    }
)
"""Variables that are proportional to x; the others do not depend on it, up to rounding."""


def brightened(engine: Engine) -> tuple[Engine, int]:
    """An engine with more quanta, and the power of two that ``LINEAR`` variables are to be given.

    Engines with a bath that is not dark are returned as they are, with 0.  Two inverted
    (fermionic) baths are the same with holes in place of quanta.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=1, delta_E=1, T_mean=2e-3, delta_T=2e-3, omega_0=1, Gamma_0=1)
    >>> brighter, power = brightened(engine)
    >>> [round(bath.log_ratio, 3) for bath in (engine.cold, engine.hot)]
    [1000.0, 666.667]
    >>> [round(bath.log_ratio, 3) for bath in (brighter.cold, brighter.hot)], power
    ([533.512, 200.179], -673)
    """
    ratios = engine.cold.log_ratio, engine.hot.log_ratio
    least = min(abs(ratio) for ratio in ratios)
    if not (least > DARK and ratios[0] * ratios[1] > 0):
        return engine, 0
    halvings = math.floor((least - DARK) / math.log(2))
    shift = math.copysign(halvings * math.log(2), ratios[0])
    # The other ratio from the affinity: it is more accurate than the difference of two large ones.
    affinity = engine.affinity
    if abs(ratios[0]) == least:
        cold = ratios[0] - shift
        hot = cold - affinity
    else:
        hot = ratios[1] - shift
        cold = hot + affinity
    brighter = engine._keeping(engine._given, affinity)
    for name, ratio, bath in (("cold", cold, engine.cold), ("hot", hot, engine.hot)):
        # At so few quanta both statistics agree; fermions take any ratio through their μ.
        dim = Bath(
            energy=1.0,
            temperature=1.0,
            Gamma_0=bath.Gamma_0,
            statistics="fermionic",
            mu=1.0 - ratio,
        )
        object.__setattr__(brighter, name, dim)
    return brighter, -halvings
