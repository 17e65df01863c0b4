"""The macroscopic method: the exact limit N → ∞ of the high-temperature scaling."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.limits.classical_pair import ClassicalPair, require_classical_limit
from ensemble.limits.classical_spectrum import ClassicalMode, classical_spectrum
from ensemble.limits.classical_state import BathCount, ClassicalState
from ensemble.limits.limit_values import (
    FROM_PAIR,
    LIMIT_VARIABLES,
    limit_values,
    pair_values,
    second_law_of,
)
from ensemble.limits.mode_selection import classical_state
from ensemble.method import Method
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units

BATH_AGREEMENT = 1e-5
"""Difference allowed between the drive's count and a bath's, relative to J/N or to the activity.

The modes are chosen for the state and for the response to the drive's flux; with them the responses
to a bath's flux are accurate to the square root of the tolerance."""
GAP_TOLERANCE = 1e-8
"""Relative change at which the gap counts as converged; the other values have the tolerance."""


@dataclass(frozen=True)
class Macroscopic(Method):
    """The exact limit N → ∞ of the high-temperature scaling (Eq. 28).

    The collective spins become classical unit vectors with thermal noise, and the master equation
    the Fokker–Planck equation of ``ClassicalPair``.  It is solved in the eigenmodes of the baths,
    with as many modes as the tolerance needs.  Finite N approaches the values as 1/N.

    Parameters
    ----------
    tolerance : float
        Largest relative change of J/N, D/N² and (against 1) the moments, as modes are added, that
        still counts as converged.

    Examples
    --------
    >>> engine = Engine(N=1, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> solution = Macroscopic().solve(engine, ["power_per_pair", "constancy"])
    >>> {name: f"{value:.9g}" for name, value in solution.values.items()}
    {'power_per_pair': '6.07793052e-05', 'constancy': '1.00001587'}
    """

    name: ClassVar[str] = "macroscopic"
    sized: ClassVar[bool] = False
    variables: ClassVar[tuple[str, ...]] = LIMIT_VARIABLES
    diagnostics: ClassVar[tuple[str, ...]] = (
        "residual",
        "truncation",
        "self_check",
        "affinity_rounding",
        "mode_count",
        "harmonic_order",
    )

    def accept(self, engine: Engine) -> None:
        """Refuse an engine that has no such limit: bare, or with fermionic baths."""
        super().accept(engine)
        require_classical_limit(engine)

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Solve the limit for one engine.

        Parameters
        ----------
        engine : Engine
            In the high-temperature scaling; its N counts only in the ratios 2Sᵢ/N.
        variables : iterable of str, optional
            Names to return; all of ``Macroscopic.variables`` by default.  The gap is searched for
            only if it is among them.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (largest relative residual of the solves),
            ``truncation`` (relative change of the results in the last enlargement of the basis),
            ``self_check`` (largest disagreement with counting at either bath, of J/N relative to
            it and of D/N² relative to the bath's activity, and the violation of −ΣQᵢ/Tᵢ = aJ),
            ``affinity_rounding`` (of aN; see `Engine`), ``mode_count`` and ``harmonic_order``
            (modes of the density, and the highest degree l behind them).

        Raises
        ------
        InvalidInput
            If a name is unknown, the scaling is bare or the baths are fermionic.
        Unsolvable
            If a bath is colder than T/E = 5·10⁻⁵, or the equations leave double precision.
        """
        names = self.chosen(variables)
        pair = ClassicalPair(engine)
        state = classical_state(pair, tolerance=self.tolerance)
        counts = [state.at_bath(bath) for bath in (1, 2)] if pair.drive > 0 else []
        values = limit_values(
            pair,
            current_per_affinity=state.current_per_affinity if pair.drive > 0 else 0.0,
            noise=state.noise,
            magnetizations=state.magnetizations,
            second_moments=state.second_moments,
            covariance=state.covariance,
        )
        message = ""
        try:
            if FROM_PAIR.intersection(names):
                values |= pair_values(values, state.covariance)
        except InvalidInput as error:
            values |= dict.fromkeys(FROM_PAIR, math.nan)
            message = str(error)
        slowest, no_gap = None, ""
        if "gap" in names:
            try:
                slowest = classical_spectrum(state, tolerance=GAP_TOLERANCE).modes[0]
            except Unsolvable as failure:
                no_gap = f"no gap (the other values are good): {failure}"
            values["gap"] = slowest.rate if slowest is not None else math.nan
        self_check = max(_disagreement(state, counts), second_law_of(values, pair))
        status, judged = self._judge(state, slowest, self_check, message)
        if no_gap and status is Status.OK:
            status, judged = Status.UNCERTIFIED, no_gap
        residuals = [state.residual, *(count.residual for count in counts)]
        changes = [state.change]
        if slowest is not None:
            residuals.append(slowest.residual)
            changes.append(slowest.change)
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=judged,
            diagnostics={
                "residual": max(residuals),
                "truncation": max(changes),
                "self_check": self_check,
                "affinity_rounding": engine.affinity_rounding * engine.N,
                "mode_count": int(state.solver.selection.sum()) + 1,
                "harmonic_order": state.harmonics,
            },
        )

    def _judge(
        self,
        state: ClassicalState,
        slowest: ClassicalMode | None,
        self_check: float,
        unphysical: str,
    ) -> tuple[Status, str]:
        if not state.residual <= self.tolerance:
            message = f"relative residual {state.residual:.1e} exceeds {self.tolerance:.1e}"
            return Status.UNCERTIFIED, message
        if not (state.complete and state.change <= self.tolerance):
            message = (
                f"not converged with {state.solver.selection.sum()} modes: last relative change "
                f"{state.change:.1e}, neglected tail {state.tail:.1e}: raise the temperatures or "
                "the tolerance, or lower ω₀/Γ₀"
            )
            return Status.UNCERTIFIED, message
        if not self_check <= BATH_AGREEMENT:
            message = f"counting at a bath or the second law differs by {self_check:.1e} (relative)"
            return Status.UNPHYSICAL, message
        if not state.current_per_affinity >= 0:
            message = f"entropy production is negative: J/a = {state.current_per_affinity:.1e}"
            return Status.UNPHYSICAL, message
        if unphysical:
            return Status.UNPHYSICAL, unphysical
        if slowest is not None and not (slowest.complete and slowest.rate > 0):
            message = (
                f"gap not converged (the other values are): last relative change "
                f"{slowest.change:.1e}, neglected tail {slowest.tail:.1e}"
            )
            return Status.UNCERTIFIED, message
        return Status.OK, ""


def _disagreement(state: ClassicalState, counts: list[BathCount]) -> float:
    """Largest difference between the drive's count and a bath's, see ``BATH_AGREEMENT``."""
    worst = 0.0
    for count in counts:
        if state.current:
            worst = max(worst, abs(count.current / state.current - 1))
        worst = max(worst, abs(count.noise - state.noise) / max(count.activity, state.noise))
    return worst
