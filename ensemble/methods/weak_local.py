"""The weak-local method: the limit of vanishing local noise, which still mixes the total spins."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.local_noise.weak_local import (
    MOST_SPINS,
    Switching,
    pairs_kept,
    require_few,
    switching,
)
from ensemble.method import AGREEMENT, Method
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units

TIME = "switching_time_times_Gamma_local"


@dataclass(frozen=True)
class WeakLocal(Method):
    r"""The limit Γ_loc → 0⁺ at a given ratio Γ_φ/Γ_loc, exactly, by degenerate perturbation theory.

    Local noise, however weak, distributes the engine over all pairs (J₁, J₂) of total spins.  Power
    and currents converge to averages over the stationary weights of the pairs; the noise diverges
    as 1/Γ_loc, because the current switches between pairs at that slow rate, and the constancy
    vanishes as Γ_loc (away from the Carnot point, where it is 1).  Of ``Gamma_local`` and
    ``Gamma_dephasing`` only the ratio enters.

    Parameters
    ----------
    tolerance : float
        Largest relative residual of the pairs and of their weights that counts as certified.
    neglect : float
        Stationary weight of pairs (J₁, J₂) that may be left out.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
    >>> values = WeakLocal().solve(engine).values
    >>> f"{values['power']:.6f} {values['quanta_noise_times_Gamma_local']:.4e}"
    '-1.604324 6.4613e-05'
    """

    neglect: float = 1e-9

    name: ClassVar[str] = "weak-local"
    local_noise: ClassVar[bool] = True
    variables: ClassVar[tuple[str, ...]] = (
        "power",
        "heat_current_1",
        "heat_current_2",
        "chemical_power",
        "quanta_current",
        "power_per_pair",
        "efficiency",
        "cop",
        "entropy_production",
        "affinity",
        "magnetization_1",
        "magnetization_2",
        "total_spin_1",
        "total_spin_2",
        "current_spread",
        "quanta_noise_times_Gamma_local",
        "power_variance_times_Gamma_local",
        "constancy_over_Gamma_local",
        TIME,
    )
    on_request: ClassVar[tuple[str, ...]] = (TIME,)
    diagnostics: ClassVar[tuple[str, ...]] = (
        "residual",
        "self_check",
        "affinity_rounding",
        "neglected",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.neglect < 1:
            raise InvalidInput(f"neglect must lie in [0, 1), but is {self.neglect!r}: try 1e-9")

    def accept(self, engine: Engine) -> None:
        """Refuse dephasing without local baths, and too many spins or pairs of total spins."""
        super().accept(engine)
        if engine.Gamma_dephasing > 0 and engine.Gamma_local == 0:
            raise InvalidInput(
                "method weak-local takes Gamma_local and Gamma_dephasing to 0 at their ratio, but "
                "Gamma_local is 0: give a small Gamma_local > 0"
            )
        if max(engine.levels) > MOST_SPINS:
            raise InvalidInput(
                f"method weak-local takes up to {MOST_SPINS} spins, but an ensemble has "
                f"{max(engine.levels)}: choose a smaller N"
            )
        require_few(pairs_kept(engine, self.neglect))

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Solve one engine in the limit.

        Parameters
        ----------
        engine : Engine
        variables : iterable of str, optional
            Names to return; by default all but the switching time, for which no pair of total
            spins may be left out.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (the largest of the pairs' stationary states and of the
            balance of their weights), ``self_check`` (largest relative violation of both laws,
            weighted by pair, and of the agreement of two routes to the noise),
            ``affinity_rounding`` (see `Engine`) and ``neglected`` (estimated weight of the pairs
            left out).

        Raises
        ------
        InvalidInput
            If a name is unknown, the engine is outside the scope, or too many pairs matter.
        """
        names = self.chosen(variables)
        neglect = 0.0 if TIME in names else self.neglect
        found = switching(engine, neglect=neglect, tolerance=self.tolerance)
        noise = found.noise
        values = _values(found, noise)
        if TIME in names:
            values[TIME] = found.switching_time
        apart = abs(noise - found.noise_forward) / noise if noise > 0 else 0.0
        flows = [pair.flow for pair in found.pairs]
        laws = [max(flow.first_law_error, flow.second_law_error) for flow in flows]
        self_check = max(apart, *(w * law for w, law in zip(found.weights, laws, strict=True)))
        status, message = self._judge(found, float(self_check))
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": found.residual,
                "self_check": float(self_check),
                "affinity_rounding": engine.affinity_rounding,
                "neglected": found.neglected,
            },
        )

    def _judge(self, found: Switching, self_check: float) -> tuple[Status, str]:
        if not found.residual <= self.tolerance:
            message = f"relative residual {found.residual:.1e} exceeds {self.tolerance:.1e}"
            return Status.UNCERTIFIED, message
        if not self_check <= AGREEMENT:
            message = (
                "a law of thermodynamics or the agreement of two routes to the noise is violated "
                f"by {self_check:.1e} (relative)"
            )
            return Status.UNPHYSICAL, message
        if not found.weights.min() >= -AGREEMENT:
            return Status.UNPHYSICAL, f"a weight is negative: {found.weights.min():.1e}"
        return Status.OK, ""


def _values(found: Switching, noise: float) -> dict[str, float]:
    """Averages over the pairs, and the noise of switching between them."""
    engine = found.engine
    quanta = found.average(lambda pair: pair.flow.quanta)
    per_affinity = found.average(lambda pair: pair.flow.per_affinity)
    spread = found.values(lambda pair: pair.flow.quanta) - quanta
    power = found.average(lambda pair: pair.flow.power)
    quanta_noise = engine.affinity**2 * noise
    magnetization = [
        2 * found.average(lambda pair, i=i: pair.excited[i]) / n - 1  # type: ignore[misc]
        for i, n in enumerate(engine.levels)
    ]
    return {
        "power": power,
        "heat_current_1": found.average(lambda pair: pair.flow.heat_1),
        "heat_current_2": found.average(lambda pair: pair.flow.heat_2),
        "chemical_power": found.average(lambda pair: pair.flow.chemical_power),
        "quanta_current": quanta,
        "power_per_pair": power / engine.N,
        "efficiency": engine.efficiency,
        "cop": engine.cop,
        "entropy_production": engine.affinity * quanta,
        "affinity": engine.affinity,
        "magnetization_1": magnetization[0],
        "magnetization_2": magnetization[1],
        "total_spin_1": found.total_spin(0),
        "total_spin_2": found.total_spin(1),
        "current_spread": float(np.maximum(found.weights, 0) @ spread**2),
        "quanta_noise_times_Gamma_local": quanta_noise,
        "power_variance_times_Gamma_local": engine.delta_E**2 * quanta_noise,
        "constancy_over_Gamma_local": (
            2 * per_affinity / quanta_noise if quanta_noise > 0 else math.nan
        ),
    }
