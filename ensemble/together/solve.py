"""Solve many engines together: arrays of values, and the points at which they are certified."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ensemble.arrays import FloatArray, IntArray
from ensemble.closed_forms.dark import LINEAR
from ensemble.counting.agreement import allowed_disagreement, is_well_read
from ensemble.counting.values import current_values, noise_values
from ensemble.method import AGREEMENT
from ensemble.solution import Solution
from ensemble.steady.sector_forecast import complete_size
from ensemble.steady.truncated_solve import UNEVEN
from ensemble.together.blocks import blocks
from ensemble.together.certified import total
from ensemble.together.cumulants import Cumulants, cumulants
from ensemble.together.engines import Engines
from ensemble.together.flows import Currents, Noise, currents, noise, validity
from ensemble.together.pairs import pair_values
from ensemble.together.state import Solved, States, eliminated, stationary
from ensemble.units import POWERS, TINY
from ensemble.variables import CURRENTS, FROM_CUMULANTS, FROM_NOISE, FROM_PAIR, FROM_VALIDITY

MOST_UNKNOWNS = 820
"""Sectors up to this size (N = 12) are solved together: one by one takes twice the time."""
BATCH_BYTES = 1.6e7
"""Memory for the factors of engines that are solved at a time: they should stay in the cache."""
MOST_POINTS = 1024

FROM_AVERAGES = frozenset(
    {
        *CURRENTS,
        "entropy_production",
        "affinity",
        "efficiency",
        "cop",
        "magnetization_1",
        "magnetization_2",
        "magnetization_1_squared",
        "magnetization_2_squared",
        "power_per_pair",
        "l1_coherence",
        "total_spin_1",
        "total_spin_2",
    }
)
DEFINED = FROM_AVERAGES.union(FROM_NOISE, FROM_PAIR, FROM_CUMULANTS, FROM_VALIDITY)
"""All variables that are computed here."""
MAY_BE_UNDEFINED = {*FROM_VALIDITY, "efficiency", "cop", "constancy"}


@dataclass(frozen=True, eq=False)
class Found:
    """Values of some points, in natural units.

    Attributes
    ----------
    values, diagnostics : mapping of str to ndarray, shape (points,)
    certified : ndarray of bool, shape (points,)
        Where every check of the method passes; the other points are to be solved one by one, which
        says what is wrong with them.
    """

    values: Mapping[str, FloatArray]
    diagnostics: Mapping[str, FloatArray]
    certified: NDArray[np.bool_]

    def solutions(
        self,
        engines: Engines,
        positions: IntArray,
        variables: Sequence[str],
        how: Mapping[str, int | str],
        solutions: list[Solution | None],
    ) -> None:
        """Put solutions of the certified points into a list, with diagnostics that all share."""
        values, certified = _restored(self, engines)
        rows = zip(*(values[name].tolist() for name in variables), strict=True)
        checks = zip(*(figures.tolist() for figures in self.diagnostics.values()), strict=True)
        for position, sound, row, check in zip(
            positions.tolist(), certified.tolist(), rows, checks, strict=True
        ):
            if sound:
                solutions[position] = Solution(
                    values=dict(zip(variables, row, strict=True)),
                    diagnostics={**dict(zip(self.diagnostics, check, strict=True)), **how},
                )


class Known(NamedTuple):
    """What variables are read from besides the states and their currents, None if none needs it.

    Attributes
    ----------
    noise : Noise, optional
    cumulants : Cumulants, optional
    l1_coherence : ndarray, shape (points,), optional
        Σ |ρ| over all elements off the diagonal.
    """

    noise: Noise | None = None
    cumulants: Cumulants | None = None
    l1_coherence: FloatArray | None = None

    @classmethod
    def of(cls, states: Solved, names: Collection[str], *, split: bool = True) -> Known:
        """What some variables need, ``split`` as of `ensemble.together.cumulants.cumulants`."""
        higher = response = fluctuations = coherence = None
        if FROM_CUMULANTS.intersection(names):
            higher = cumulants(states, split=split)
            response = -higher.response
        if FROM_NOISE.intersection(names):
            fluctuations = noise(states, response)
        if "l1_coherence" in names:
            coherence = 2 * total(np.where(states.layout.q > 0, np.abs(states.rho), 0.0))
        return cls(fluctuations, higher, coherence)


def solve_together(
    columns: Mapping[str, FloatArray],
    variables: Sequence[str],
    *,
    scaling: str,
    statistics: str,
    tolerance: float,
) -> list[Solution | None]:
    """Solve engines together; None for each that has to be solved by itself.

    An engine is left out if it is not plainly valid, if a parameter that is not known here differs
    from its default, if its sector has more than ``MOST_UNKNOWNS`` elements, or if a certificate or
    check of the result does not hold.  All are, if there is a variable that is not known here.

    Parameters
    ----------
    columns : mapping of str to ndarray, shape (points,)
        Parameters as of `Engine.of`.
    variables : sequence of str
    scaling, statistics : str
        As of `Engine`.
    tolerance : float
        Largest relative residual that counts as certified.

    Returns
    -------
    list of Solution or None
        What is found for a point does not depend on the other points.

    Examples
    --------
    >>> columns = {"N": [2.0], "E_1": [1.0], "delta_E": [9.0], "T_mean": [13.5], "delta_T": [23.0],
    ...            "omega_0": [0.006], "Gamma_0": [0.001]}
    >>> columns = {name: np.array(values) for name, values in columns.items()}
    >>> (found,) = solve_together(columns, ["constancy"], scaling="high-temperature",
    ...                           statistics="bosonic", tolerance=1e-10)
    >>> f"{found.values['constancy']:.8f}"
    '1.00004932'
    """
    points = next(iter(columns.values())).size
    solutions: list[Solution | None] = [None] * points
    if not DEFINED.issuperset(variables):
        return solutions
    made = Engines.of(columns, scaling=scaling, statistics=statistics)
    if made is None:
        return solutions
    engines, positions = made
    for chosen in _batches(engines):
        with np.errstate(all="ignore"):  # what leaves the range of doubles fails its checks
            _solve_batch(engines[chosen], positions[chosen], variables, tolerance, solutions)
    return solutions


def _batches(engines: Engines) -> Iterator[IntArray]:
    """Engines of one size, as many as are solved at a time."""
    sizes = complete_size(engines.n_1, engines.n_2)
    small = np.flatnonzero(sizes <= MOST_UNKNOWNS)
    levels = np.stack([engines.n_1[small], engines.n_2[small]])
    for n_1, n_2 in np.unique(levels, axis=1).T.tolist():
        alike = small[(levels[0] == n_1) & (levels[1] == n_2)]
        number = int(min(MOST_POINTS, max(8, BATCH_BYTES // blocks(n_1, n_2).bytes_per_point)))
        for start in range(0, alike.size, number):
            yield alike[start : start + number]


def _solve_batch(
    engines: Engines,
    positions: IntArray,
    variables: Sequence[str],
    tolerance: float,
    solutions: list[Solution | None],
) -> None:
    """Put what is found into ``solutions``; where a pivot vanishes, halves are tried."""
    try:
        states = stationary(engines, eliminated(engines))
    except np.linalg.LinAlgError:
        if engines.points > 1:
            half = engines.points // 2
            for part in (slice(None, half), slice(half, None)):
                _solve_batch(engines[part], positions[part], variables, tolerance, solutions)
        return
    n_1, n_2 = int(engines.n_1[0]), int(engines.n_2[0])
    how: dict[str, int | str] = {
        "coherence_order": min(n_1, n_2),
        "excitation_cut": max(n_1, n_2),
        "solver": "together",
    }
    known = Known.of(states, variables)
    found = found_of(states, known, variables, tolerance, even=UNEVEN)
    found.solutions(engines, positions, variables, how, solutions)


def found_of(
    states: States,
    known: Known,
    names: Collection[str],
    tolerance: float,
    *,
    even: float,
) -> Found:
    """Values of engines of one size, with the checks of `Exact`.

    Parameters
    ----------
    states : States
    known : Known
        What was solved for besides the states.
    names : collection of str
    tolerance : float
    even : float
        Largest relative residual of the populations' own equations.
    """
    engines = states.engines
    flow = currents(states)
    values = _averages(states, flow)
    if known.l1_coherence is not None:
        values["l1_coherence"] = known.l1_coherence
    residual, self_check = states.residual, np.maximum(flow.first_law_error, flow.second_law_error)
    certified = (states.unevenness <= even) & (self_check <= AGREEMENT) & (flow.per_affinity >= 0)
    certified &= states.rho[states.layout.populations].min(axis=0) >= -AGREEMENT
    if set(FROM_VALIDITY).intersection(names):
        values |= validity(states)
    if known.cumulants is not None:
        values |= {f"quanta_cumulant_{n}": known.cumulants.rates[n - 1] for n in (3, 4)}
        residual = np.maximum(residual, known.cumulants.residual)
    if known.noise is not None:
        fluctuations = known.noise
        constancy = np.where(
            engines.drive > 0, 2 * flow.per_affinity / fluctuations.at_drive, np.nan
        )
        values |= noise_values(engines, fluctuations.at_drive, constancy)
        residual = np.maximum(residual, fluctuations.residual)
        self_check = np.maximum(self_check, fluctuations.disagreement)
        allowed = allowed_disagreement(fluctuations.cancellation)
        certified &= fluctuations.disagreement <= allowed
        certified &= is_well_read(fluctuations.disagreement, fluctuations.reach)
    if FROM_PAIR.intersection(names):
        of_pair, positive = pair_values(states, names)
        values |= of_pair
        certified &= positive
    diagnostics = {
        "residual": residual,
        "self_check": self_check,
        "affinity_rounding": engines.affinity_rounding,
    }
    return Found(values, diagnostics, certified & (residual <= tolerance))


def _restored(found: Found, engines: Engines) -> tuple[dict[str, FloatArray], NDArray[np.bool_]]:
    """Values in the user's units, and where all of them are held by doubles."""
    certified, values = found.certified.copy(), {}
    for name, natural in found.values.items():
        if name in LINEAR:
            natural = np.ldexp(natural, engines.power_of_two)
        energy, rate = POWERS.get(name, (0, 0))
        unit = energy * engines.energy_unit + rate * engines.rate_unit
        natural = np.where(np.abs(natural) < TINY, 0.0, natural)
        values[name] = restored = np.ldexp(natural, unit)
        certified &= (np.abs(restored) >= TINY) | (natural == 0) | np.isnan(natural)
        if name not in MAY_BE_UNDEFINED:
            certified &= ~np.isnan(natural)
        certified &= ~np.isinf(restored)
    return values, certified


def _averages(states: States, flow: Currents) -> dict[str, FloatArray]:
    """Variables that are averages in the stationary state, by name."""
    engines, place = states.engines, states.layout
    among = place.populations
    rho, k_1, k_2 = states.rho[among], place.k_1[among], place.k_2[among]
    n_1, n_2 = place.n_1, place.n_2
    return {
        **current_values(engines, flow),
        "magnetization_1": 2 * total(k_1 * rho) / n_1 - 1,
        "magnetization_2": 2 * total(k_2 * rho) / n_2 - 1,
        "magnetization_1_squared": total((2 * k_1 / n_1 - 1) ** 2 * rho),
        "magnetization_2_squared": total((2 * k_2 / n_2 - 1) ** 2 * rho),
        "total_spin_1": np.ones(engines.points),  # collective spins have no other
        "total_spin_2": np.ones(engines.points),
    }
