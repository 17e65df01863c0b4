"""Hypothesis strategies: random engines over the whole range that the tests vouch for."""

from __future__ import annotations

import math
import os

from hypothesis import strategies as st

from ensemble import Engine

HOTTEST, COLDEST = 1e-2, 20.0
"""Default range of E/T at either bath (before the scaling of Eq. 28)."""


def examples(number: int) -> int:
    """So many examples in a test; HEATCAT_EXAMPLES=10 draws ten times as many, others each time."""
    return number * int(os.environ.get("HEATCAT_EXAMPLES", "1"))


def log_uniform(low: float, high: float) -> st.SearchStrategy[float]:
    """Floats in [low, high], uniform in the logarithm."""
    return st.floats(math.log(low), math.log(high)).map(math.exp)


@st.composite
def engines(
    draw: st.DrawFn, *, highest_N: int = 6, equal_spins: bool = False, coldest: float = COLDEST
) -> Engine:
    """Engines and refrigerators in both scalings, with equal and unequal spins and rates.

    E₁/T₁ and E₂/T₂ are drawn freely, which settles the mode; T₂/T₁ is then large enough that
    E₂ ≥ E₁ and T₂ > T₁.
    """
    cold_ratio, hot_ratio = draw(log_uniform(HOTTEST, coldest)), draw(log_uniform(HOTTEST, coldest))
    heating = max(1.0, cold_ratio / hot_ratio) * draw(log_uniform(1.01, 10.0))
    E_1, Gamma_0 = draw(log_uniform(0.1, 100.0)), draw(log_uniform(1e-3, 10.0))
    T_1 = E_1 / cold_ratio
    T_2 = T_1 * heating
    rates = st.none() | log_uniform(0.2, 5.0).map(lambda factor: factor * Gamma_0)
    spins = st.none() if equal_spins else st.none() | st.integers(1, highest_N).map(lambda n: n / 2)
    return Engine(
        N=draw(st.integers(1, highest_N)),
        E_1=E_1,
        delta_E=hot_ratio * T_2 - E_1,
        T_mean=(T_1 + T_2) / 2,
        delta_T=T_2 - T_1,
        omega_0=Gamma_0 * draw(log_uniform(0.05, 50.0)),
        Gamma_0=Gamma_0,
        Gamma_1=draw(rates),
        Gamma_2=draw(rates),
        scaling=draw(st.sampled_from(["bare", "high-temperature"])),
        spin_1=draw(spins),
        spin_2=draw(spins),
    )
