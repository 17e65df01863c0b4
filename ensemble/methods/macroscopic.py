"""The macroscopic method: the exact limit N → ∞ of the high-temperature scaling."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.limits.classical_averages import ClassicalAverages
from ensemble.limits.classical_pair import ClassicalPair, require_classical_limit
from ensemble.limits.classical_spectrum import ClassicalMode, classical_spectrum
from ensemble.limits.limit_values import (
    FROM_PAIR,
    LIMIT_VARIABLES,
    current_correlation,
    limit_values,
    pair_values,
    second_law_of,
)
from ensemble.limits.mode_selection import classical_state
from ensemble.limits.near_search import averages_together
from ensemble.method import Method
from ensemble.solution import Solution, Status
from ensemble.together.pairs import correlations
from ensemble.units import in_natural_units, natural_units, restored

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
        slowest: ClassicalMode | None = None
        no_gap = ""
        if "gap" in names:
            try:
                slowest = classical_spectrum(state, tolerance=GAP_TOLERANCE).modes[0]
            except Unsolvable as failure:
                no_gap = f"no gap (the other values are good): {failure}"
        found = self._solution(pair, names, state.averages, slowest)
        if no_gap and found.status is Status.OK:
            return replace(found, status=Status.UNCERTIFIED, message=no_gap)
        return found

    def batches(self, variables: Iterable[str]) -> bool:
        """Whether the engines of a block are solved together: not if the gap is asked for."""
        able = set(self.variables) - {"gap"}
        return type(self).solve is _SOLVE and able.issuperset(variables)

    def _together(
        self,
        columns: Mapping[str, FloatArray],
        names: tuple[str, ...],
        scaling: str,
        statistics: str,
    ) -> list[Solution | None]:
        """Similar engines share their modes and factorisations; N may be left out.

        Examples
        --------
        >>> columns = {"E_1": 1.0, "delta_E": 9.0, "T_mean": 13.5, "delta_T": 23.0, "Gamma_0": 1e-3}
        >>> drives = np.linspace(0.006, 0.007, 8)
        >>> columns = {name: np.full(8, value) for name, value in columns.items()}
        >>> found = Macroscopic().solve_together({**columns, "omega_0": drives}, ["constancy"],
        ...     scaling="high-temperature", statistics="bosonic")
        >>> f"{found[0].values['constancy']:.9g}"
        '1.00001587'
        """
        solutions: list[Solution | None] = [None] * next(iter(columns.values())).size
        rows = zip(*(values.tolist() for values in columns.values()), strict=True)
        pairs, units = {}, {}
        for position, row in enumerate(rows):
            parameters: dict[str, Any] = {"N": 1, **dict(zip(columns, row, strict=True))}
            try:
                engine = Engine.of(**parameters, scaling=scaling, statistics=statistics)
                self.accept(engine)
                natural, units[position] = natural_units(engine)
                pairs[position] = ClassicalPair(natural)
            except (InvalidInput, Unsolvable):  # `solve` will say what it is
                continue
        with np.errstate(all="ignore"):  # what leaves the range of doubles fails its checks
            found = averages_together(list(pairs.values()), tolerance=self.tolerance)
            certified = {
                position: (pair, averages)
                for (position, pair), averages in zip(pairs.items(), found, strict=True)
                if averages is not None
            }
            of_pairs = _pair_values(list(certified.values()), names)
        for (position, (pair, averages)), of_pair in zip(certified.items(), of_pairs, strict=True):
            if of_pair is not None:
                solution = self._solution(pair, names, averages, of_pair=of_pair)
                solution = restored(solution, units[position])
                solutions[position] = solution if solution.status is Status.OK else None
        return solutions

    def _solution(
        self,
        pair: ClassicalPair,
        names: Collection[str],
        averages: ClassicalAverages,
        slowest: ClassicalMode | None = None,
        of_pair: Mapping[str, float] | None = None,
    ) -> Solution:
        """Values, diagnostics and judgement of what was found."""
        values = _values(pair, averages)
        values["gap"] = slowest.rate if slowest is not None else math.nan
        unphysical = ""
        try:
            if of_pair is not None:
                values |= of_pair
            elif FROM_PAIR.intersection(names):
                values |= pair_values(values, averages.covariance)
        except InvalidInput as error:
            values |= dict.fromkeys(FROM_PAIR, math.nan)
            unphysical = str(error)
        self_check = max(averages.disagreement, second_law_of(values, pair))
        status, message = self._judge(averages, slowest, self_check, unphysical)
        residuals = [averages.residual, *(count.residual for count in averages.counts)]
        changes = [averages.change]
        if slowest is not None:
            residuals.append(slowest.residual)
            changes.append(slowest.change)
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": max(residuals),
                "truncation": max(changes),
                "self_check": self_check,
                "affinity_rounding": pair.engine.affinity_rounding * pair.engine.N,
                "mode_count": averages.mode_count,
                "harmonic_order": averages.harmonics,
            },
        )

    def _judge(
        self,
        state: ClassicalAverages,
        slowest: ClassicalMode | None,
        self_check: float,
        unphysical: str,
    ) -> tuple[Status, str]:
        if not state.residual <= self.tolerance:
            message = f"relative residual {state.residual:.1e} exceeds {self.tolerance:.1e}"
            return Status.UNCERTIFIED, message
        if not (state.complete and state.change <= self.tolerance):
            message = (
                f"not converged with {state.mode_count - 1} modes: last relative change "
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


def _values(pair: ClassicalPair, averages: ClassicalAverages) -> dict[str, float]:
    return limit_values(
        pair,
        current_per_affinity=averages.current_per_affinity,
        noise=averages.noise,
        magnetizations=averages.magnetizations,
        second_moments=averages.second_moments,
        covariance=averages.covariance,
    )


def _pair_values(
    found: Sequence[tuple[ClassicalPair, ClassicalAverages]], names: Collection[str]
) -> list[dict[str, float] | None]:
    """`pair_values` of many engines at once; None where they need more care."""
    wanted = FROM_PAIR.intersection(names)
    if not wanted or not found:
        return [{} for _ in found]
    z_1, z_2, covariance, xy = np.array(
        [
            (
                *averages.magnetizations,
                averages.covariance,
                current_correlation(pair, averages.current),
            )
            for pair, averages in found
        ]
    ).T
    values, positive = correlations((1 + z_1) / 2, (1 + z_2) / 2, covariance / 4, xy, names)
    rows = zip(*(values[name].tolist() for name in wanted), strict=True)
    return [
        dict(zip(wanted, row, strict=True)) if sound else None
        for row, sound in zip(rows, positive.tolist(), strict=True)
    ]


_SOLVE = Macroscopic.solve
