"""The exact method: one sparse factorisation of the symmetry sector at finite N."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.basis.solve import LEAST, PAYS, PAYS_SIZE, solve_from_basis
from ensemble.bounds.precision import PrecisionBounds, precision_bounds
from ensemble.closed_forms.dark import LINEAR, brightened
from ensemble.counting.cumulants import cumulants
from ensemble.counting.noise import noise
from ensemble.counting.values import noise_values
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.method import AGREEMENT, Method
from ensemble.methods.exact_kinds import SolverOptions, kind_of
from ensemble.methods.exact_values import (
    averages,
    classical_bound_values,
    pair_values,
    quantum_bound_values,
)
from ensemble.methods.exact_verdict import verdict
from ensemble.sensitivities.rates import factorised
from ensemble.solution import Solution, Status
from ensemble.spectrum.gap import gap
from ensemble.steady.factorization import has_pardiso
from ensemble.steady.state import Stationary
from ensemble.steady.stationary import SolverName
from ensemble.together.solve import DEFINED, MOST_UNKNOWNS, solve_together
from ensemble.units import in_natural_units
from ensemble.variables import (
    CLASSICAL_BOUNDS,
    CURRENTS_AND_NOISE,
    FROM_CUMULANTS,
    FROM_PAIR,
    FROM_VALIDITY,
    NEED_NOISE,
    QUANTUM_BOUNDS,
)


@dataclass(frozen=True)
class Exact(Method):
    """Stationary state, currents and noise without approximation.

    With ``Gamma_local`` or ``Gamma_dephasing`` the ensembles are 2S₁ and 2S₂ spins ½ in a
    permutation-invariant state of all total spins (docs/theory/local-noise.md); without, they
    are the collective spins S₁ and S₂.  All variables keep their meaning; magnetizations are those
    of all spins ½.  The gap is refused with local noise, because the slowest mode need not be
    permutation-invariant.

    A detuned drive makes the coherences complex, with twice the unknowns; its gap is refused, too.

    Parameters
    ----------
    tolerance : float
        Largest relative residual that still counts as certified.
    solver : {"auto", "superlu", "pardiso", "gmres", "basis"}
        How linear systems are solved; see `ensemble.steady.stationary.stationary`.  With "auto" a
        sweep solves the small engines of a block together and many larger ones of one N from a
        reduced basis, see `ensemble.method.Method.solve_together`.  With "basis" it does so for
        fewer of them, too, and is laid out in blocks that are large enough for it; one engine alone
        is solved as with "auto".  With the others a sweep solves all one by one.
    coherence_order : int, optional
        Keep exactly this coherence order; chosen to meet the tolerance by default.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> solution = Exact().solve(engine)
    >>> solution.status.label, f"{solution.values['constancy']:.8f}"
    ('ok', '1.00004932')
    """

    solver: SolverName | Literal["basis"] = "auto"
    coherence_order: int | None = None

    name: ClassVar[str] = "exact"
    local_noise: ClassVar[bool] = True
    detuned: ClassVar[bool] = True
    variables: ClassVar[tuple[str, ...]] = (
        *CURRENTS_AND_NOISE,
        "magnetization_1_squared",
        "magnetization_2_squared",
        "spin_correlation_zz",
        "spin_correlation_xy",
        "mutual_information",
        "concurrence",
        "discord",
        "pair_purity",
        "l1_coherence",
        "heat_current_1_variance",
        "heat_current_2_variance",
        "heat_covariance",
        "quanta_cumulant_3",
        "quanta_cumulant_4",
        *FROM_VALIDITY,
        "total_spin_1",
        "total_spin_2",
        "gap",
        *CLASSICAL_BOUNDS,
        *QUANTUM_BOUNDS,
    )
    on_request: ClassVar[tuple[str, ...]] = ("gap", *CLASSICAL_BOUNDS, *QUANTUM_BOUNDS)
    diagnostics: ClassVar[tuple[str, ...]] = (
        "residual",
        "self_check",
        "affinity_rounding",
        "coherence_order",
        "excitation_cut",
        "solver",
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.solver not in SOLVERS:
            raise InvalidInput(
                f"solver must be one of {', '.join(SOLVERS)}, but is {self.solver!r}"
            )
        if self.solver == "pardiso" and not has_pardiso():
            raise InvalidInput(
                "solver pardiso needs the package pypardiso: install heatcat[fast] or use auto"
            )
        order = self.coherence_order
        if order is not None and self.solver == "basis":
            raise InvalidInput(
                "coherence_order is chosen by the solver basis: leave it out, or use auto"
            )
        if order is not None and (
            isinstance(order, bool) or not isinstance(order, int) or order < 1
        ):
            raise InvalidInput(
                f"coherence_order must be a whole number ≥ 1, but is {order!r}: leave it out to "
                "have it chosen"
            )

    def accept(self, engine: Engine) -> None:
        """Refuse an engine that needs more memory than the method may take.

        The limits are 10⁶ levels a spin and 5·10⁷ unknowns (20 GB), see
        ``ensemble/steady/truncation.py``: about N = 5000 where all levels
        matter, more where cold baths fill the lowest ones only.  With local noise the limit is 10⁷
        unknowns, N = 62.
        """
        super().accept(engine)
        kind_of(engine).accept(engine, self._options)

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Solve one engine.

        Parameters
        ----------
        engine : Engine
        variables : iterable of str, optional
            Names to return; by default all of ``Exact.variables`` but the gap and the bounds on
            the noise, which are computed only on request.  Only what these variables need is
            computed and checked.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (largest relative residual of all solves),
            ``self_check`` (largest relative violation of both laws, −ΣQᵢ/Tᵢ = aJ included, of the
            agreement of Eq. 11 with counting at either bath, and, if there are quantum bounds, of
            Euler's relation for the current), ``affinity_rounding`` (see `Engine`),
            ``coherence_order`` and ``excitation_cut`` (highest order and excitation number kept)
            and ``solver`` (the one used).  With local noise ``residual`` includes the balance of
            the weights of the total spins.

        Raises
        ------
        InvalidInput
            If a name is unknown, the engine or its gap is too large, or a variable is asked for
            that engines of its kind do not have.
        Unsolvable
            If double precision does not hold the equations.
        """
        names = self.chosen(variables)
        kind = kind_of(engine)
        refused = [name for name in kind.undefined if name in names]
        if refused:
            raise InvalidInput(
                f"method exact finds {', '.join(refused)} of collective baths and a resonant drive "
                "only: leave it out, or set Gamma_local = Gamma_dephasing = detuning = 0"
            )
        brighter, power_of_two = brightened(engine)
        state = self.stationary(brighter)
        fluctuations = noise(state) if NEED_NOISE.intersection(names) else None
        flow = kind.currents(state)
        values = averages(state, flow, kind.total_spins(state))
        if set(FROM_VALIDITY).intersection(names):
            values |= asdict(kind.validity(state, engine))
        residuals = [state.residual]
        if fluctuations is not None:
            quanta_noise = fluctuations.at_drive
            driven = brighter.drive > 0
            constancy = 2 * flow.per_affinity / quanta_noise if driven else math.nan
            values |= noise_values(brighter, quanta_noise, constancy)
            residuals.append(fluctuations.residual)
        if FROM_PAIR.intersection(names):
            values |= pair_values(kind.pair_state(state))
        if FROM_CUMULANTS.intersection(names):
            higher = cumulants(state, order=4)
            values |= {f"quanta_cumulant_{n}": float(higher.rates[n - 1]) for n in (3, 4)}
            residuals.append(higher.residual)
        bounds: PrecisionBounds | None = None
        if fluctuations is not None and set(QUANTUM_BOUNDS).intersection(names):
            small = state if state.solver.transposable else None
            bounds = precision_bounds(small or factorised(brighter, tolerance=self.tolerance))
            values |= quantum_bound_values(bounds, fluctuations)
            residuals.append(bounds.residual)
        if set(CLASSICAL_BOUNDS).intersection(names):
            values |= classical_bound_values(state, flow, fluctuations)
        if "gap" in names:
            slowest = gap(brighter)
            values["gap"] = slowest.value
            residuals.append(slowest.residual)
        residual = max(residuals)
        status, message, self_check = verdict(
            state, flow, fluctuations, residual, tolerance=self.tolerance
        )
        if bounds is not None:
            self_check = max(self_check, bounds.euler_error)
            if status is Status.OK and not bounds.euler_error <= AGREEMENT:
                status = Status.UNPHYSICAL
                message = f"Euler's relation for J is violated by {bounds.euler_error:.1e}"
        if power_of_two:
            values |= {n: math.ldexp(values[n], power_of_two) for n in LINEAR & values.keys()}
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": residual,
                "self_check": self_check,
                "affinity_rounding": engine.affinity_rounding,
                "coherence_order": state.truncation.coherence_order,
                "excitation_cut": max(state.truncation.cut_1, state.truncation.cut_2),
                "solver": state.solver_name,
            },
        )

    def stationary(self, engine: Engine) -> Stationary:
        """The stationary state, in the way of the engine's kind."""
        return kind_of(engine).stationary(engine, self._options)

    @property
    def _options(self) -> SolverOptions:
        alone: SolverName = "auto" if self.solver == "basis" else self.solver
        return SolverOptions(self.tolerance, alone, self.coherence_order)

    def batches(self, variables: Iterable[str]) -> bool:
        """Whether the engines of a block are solved together: without a truncation of one's own."""
        able = self.solver in ("auto", "basis") and self.coherence_order is None
        return able and type(self).solve is _SOLVE and DEFINED.issuperset(variables)

    def _together(
        self,
        columns: Mapping[str, FloatArray],
        names: tuple[str, ...],
        scaling: str,
        statistics: str,
    ) -> list[Solution | None]:
        """Small engines together, many larger ones of one N from a reduced basis.

        Their diagnostic ``solver`` is "together" or "basis".
        """
        found = solve_together(
            columns, names, scaling=scaling, statistics=statistics, tolerance=self.tolerance
        )
        left = np.array([solution is None for solution in found])
        if left.any():
            larger = solve_from_basis(
                {name: values[left] for name, values in columns.items()},
                names,
                scaling=scaling,
                statistics=statistics,
                tolerance=self.tolerance,
                least=self.least_for_basis[0],
                smallest=self.least_for_basis[1],
            )
            for position, solution in zip(np.flatnonzero(left).tolist(), larger, strict=True):
                found[position] = solution
        return found

    @property
    def least_for_basis(self) -> tuple[int, int]:
        """Engines of one N, and elements of their sector, from which a basis serves them."""
        return (LEAST, MOST_UNKNOWNS) if self.solver == "basis" else (PAYS, PAYS_SIZE)


_SOLVE = Exact.solve
SOLVERS = (*get_args(SolverName), "basis")
