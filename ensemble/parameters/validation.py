"""Which parameters an engine may have: each refusal is one line that names the remedy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

from ensemble.errors import InvalidInput
from ensemble.parameters.bath import require_statistics
from ensemble.parameters.checks import (
    require_choice,
    require_not_negative,
    require_positive,
    require_size,
)

Scaling = Literal["bare", "high-temperature"]

MOST_PAIRS = 10**9
"""Largest N: no memory holds the levels of larger spins."""
RATES = ("Gamma_0", "Gamma_1", "Gamma_2")
NOISE = ("Gamma_local", "Gamma_dephasing")
SIZED = ("E_1", "delta_E", "T_mean", "delta_T", *RATES, "mu_1", "mu_2", "detuning", *NOISE)
"""Parameters whose size must leave rates and affinity finite."""


def require_valid(parameters: Mapping[str, Any]) -> None:
    """Check all parameters of an engine, each a number of its type or None.

    Raises
    ------
    InvalidInput
        If one is out of its range.
    """
    given = {name: value for name, value in parameters.items() if value is not None}
    _require_pairs(given["N"])
    require_choice("scaling", given["scaling"], get_args(Scaling))
    require_statistics(given["statistics"], mu_1=given["mu_1"], mu_2=given["mu_2"])
    for name in SIZED:
        if name in given:
            require_size(name, given[name])
    for name in NOISE:
        require_not_negative(name, given[name], "it is a rate")
    for name in ("E_1", *RATES):
        if name in given:
            require_positive(name, given[name])
    require_not_negative("omega_0", given["omega_0"], "the sign of the drive is a choice of gauge")
    require_not_negative("delta_E", given["delta_E"], "E_2 ≥ E_1: call the wider spacing 2")
    require_not_negative("delta_T", given["delta_T"], "bath 2 is the hot one")
    T_mean, delta_T = given["T_mean"], given["delta_T"]
    if not T_mean > delta_T / 2:
        raise InvalidInput(
            f"T_mean must exceed delta_T/2 = {delta_T / 2:g} (else T_1 ≤ 0), but is "
            f"{T_mean:g}: raise T_mean or lower delta_T"
        )
    for name in ("spin_1", "spin_2"):
        if name in given:
            _require_spin(name, given[name])


def _require_pairs(N: float) -> None:
    if not (N >= 1 and float(N).is_integer()):
        raise InvalidInput(f"N must be a whole number ≥ 1, but is {N:g}: use N = 1, 2, 3, …")
    if N > MOST_PAIRS:
        raise InvalidInput(
            f"N must be at most {MOST_PAIRS}, but is {N:g}: use a limit N → ∞, e.g. "
            "method macroscopic"
        )


def _require_spin(name: str, spin: float) -> None:
    if not (spin > 0 and (2 * spin).is_integer()):
        raise InvalidInput(
            f"{name} must be a positive half-integer, but is {spin:g}: use 0.5, 1, 1.5, …"
        )
    if 2 * spin > MOST_PAIRS:
        raise InvalidInput(
            f"{name} must be at most {MOST_PAIRS / 2:g}, but is {spin:g}: use a smaller one"
        )
