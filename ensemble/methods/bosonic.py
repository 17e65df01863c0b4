"""The bosonic method: the limit N → ∞ of the bare scaling, in closed form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ensemble.closed_forms.bosonic_modes import BosonicModes, require_bosonic_limit
from ensemble.engine import Engine
from ensemble.laws import second_law_error
from ensemble.method import ROUNDING, Method
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units


@dataclass(frozen=True)
class Bosonic(Method):
    """The bare scaling at N → ∞: what stays finite per spin pair.

    P, J, Q, σ, D and Var(P) grow as N, so their values here are per pair, Var(P)/N included;
    Var(P)/N² vanishes.  Finite N approaches the values as 1/N once N ≫ n.

    Parameters
    ----------
    tolerance : float
        Largest relative residual, and relative disagreement of the closed forms with Eq. 11, that
        still count as certified.

    Examples
    --------
    >>> engine = Engine(N=1, E_1=100, delta_E=50, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
    >>> solution = Bosonic().solve(engine, ["power_per_pair", "constancy"])
    >>> {name: round(value, 6) for name, value in solution.values.items()}
    {'power_per_pair': 3.91598, 'constancy': 0.966583}
    """

    name: ClassVar[str] = "bosonic"
    sized: ClassVar[bool] = False
    variables: ClassVar[tuple[str, ...]] = (
        "power_per_pair",
        "heat_current_1_per_pair",
        "heat_current_2_per_pair",
        "chemical_power_per_pair",
        "quanta_current_per_pair",
        "power_variance_per_pair",
        "quanta_noise_per_pair",
        "constancy",
        "efficiency",
        "cop",
        "entropy_production_per_pair",
        "affinity",
        "excitations_1",
        "excitations_2",
    )
    diagnostics: ClassVar[tuple[str, ...]] = ("residual", "self_check", "affinity_rounding")

    def accept(self, engine: Engine) -> None:
        """Refuse an engine that has no such limit: not bare, or with a bath that does not damp."""
        super().accept(engine)
        require_bosonic_limit(engine)

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Evaluate the limit for one engine.

        Parameters
        ----------
        engine : Engine
            In the bare scaling; its N counts only in the ratios 2Sᵢ/N, if spins are given.
        variables : iterable of str, optional
            Names to return; all of ``Bosonic.variables`` by default.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (of the Lyapunov equations), ``self_check`` (the
            relative difference of J and D between the closed forms and the regression of Eq. 11,
            and the violation of −ΣQᵢ/Tᵢ = aJ) and ``affinity_rounding`` (see `Engine`).

        Raises
        ------
        InvalidInput
            If a name is unknown, the scaling is not bare or a bath does not damp.
        """
        names = self.chosen(variables)
        modes = BosonicModes(engine)
        values = _values(modes)
        current, noise, residual = modes.regression()
        # Near the Carnot point the regression subtracts n₁ from n₂: its rounding is of that size.
        gross = modes.transmission * (modes.n_1 + modes.n_2)
        self_check = max(
            abs(current - modes.current) / gross if gross else 0.0,
            abs(noise - modes.noise) / modes.noise if modes.noise else 0.0,
            second_law_error(
                modes.engine,
                values["heat_current_1_per_pair"],
                values["heat_current_2_per_pair"],
                values["entropy_production_per_pair"],
            ),
        )
        # A strong drive makes terms of order (g/κ)² cancel in the regression's D.
        strength = 2 * modes.coupling / (modes.loss_1 + modes.loss_2)
        allowed = self.tolerance + ROUNDING * (1 + strength**2)
        status, message = Status.OK, ""
        if not residual <= self.tolerance:
            status = Status.UNCERTIFIED
            message = f"relative residual {residual:.1e} exceeds {self.tolerance:.1e}"
        elif not self_check <= allowed:
            status = Status.UNPHYSICAL
            message = f"closed form, regression or laws differ by {self_check:.1e} (relative)"
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": residual,
                "self_check": self_check,
                "affinity_rounding": modes.engine.affinity_rounding,
            },
        )


def _values(modes: BosonicModes) -> dict[str, float]:
    engine = modes.engine
    affinity = engine.affinity
    current, noise = modes.current, modes.noise
    excitations = modes.occupations
    cold, hot = engine.quantum_heats
    return {
        "power_per_pair": engine.delta_E * current,
        "heat_current_1_per_pair": -cold * current,
        "heat_current_2_per_pair": hot * current,
        "chemical_power_per_pair": (engine.mu_1 - engine.mu_2) * current,
        "quanta_current_per_pair": current,
        "power_variance_per_pair": engine.delta_E**2 * noise,
        "quanta_noise_per_pair": noise,
        "constancy": modes.constancy,
        "efficiency": engine.efficiency,
        "cop": engine.cop,
        "entropy_production_per_pair": affinity * current,
        "affinity": affinity,
        "excitations_1": excitations[0],
        "excitations_2": excitations[1],
    }
