"""The undriven method: the cold ensemble alone with its bath, at finite N (Sec. V A)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ensemble.arrays import FloatArray
from ensemble.closed_forms.single_spin import SingleSpin
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.generator.sector import ladder
from ensemble.method import AGREEMENT, Method
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units

LARGEST_N = 1_000_000
"""Most levels of the spin, since the populations are summed one by one."""
LARGEST_N_OF_GAP = 5000
"""Most levels for which the gap is certified, with tables of N² numbers (2 GB)."""
COUNT_ERROR = 8 * float(np.finfo(float).eps)
"""Bound on the rounding of a bisected rate and of the count of rates, relative to the largest."""


def cold_spin(engine: Engine) -> SingleSpin:
    """The cold ensemble of an engine, in either scaling and with any spin S₁.

    Raises
    ------
    InvalidInput
        If the engine is driven or its baths are fermionic.

    Examples
    --------
    >>> engine = Engine(N=8, E_1=1, delta_E=0, T_mean=0.25, delta_T=0, omega_0=0, Gamma_0=1,
    ...                 scaling="high-temperature")
    >>> cold_spin(engine)
    SingleSpin(N=8, beta_E=4.0, Gamma_0=1.0)
    """
    if engine.omega_0 > 0:
        raise InvalidInput(
            f"method undriven is without drive, but omega_0 is {engine.omega_0:g}: give "
            "omega_0 = 0, or use method exact"
        )
    if engine.statistics != "bosonic":
        raise InvalidInput(
            f"method undriven is for bosonic baths, but statistics is {engine.statistics!r}: use "
            "method exact"
        )
    engine.require_collective("method undriven")
    levels, bath = engine.levels[0], engine.cold
    # A SingleSpin is given by the parameters before the scaling of Eq. 28 with its own size.
    return SingleSpin(levels, levels * bath.log_ratio, levels * bath.Gamma_0)


@dataclass(frozen=True)
class Undriven(Method):
    r"""The cold collective spin with its bath and no drive, without any approximation.

    .. math:: \dot\rho = \gamma_\downarrow D[S^-]\rho + \gamma_\uparrow D[S^+]\rho

    The moments are those of the thermal state (Eq. 32), in closed form; the gap (Eq. 40) is the
    slowest rate over the populations and every coherence.  The hot ensemble does not enter.  A
    point takes 3 ms at N = 50, 20 ms at N = 200 and 0.3 s at N = 1000, nearly all of it for the
    gap.

    Parameters
    ----------
    tolerance : float
        Largest relative residual, the certified relative width of the gap included, that still
        counts as certified.  The width is up to 2·10⁻¹⁵ N²: the gap of a hot N > 200 needs a larger
        one.

    Examples
    --------
    At low temperature the gap is Γ₀(½ − n/N) with n = 1/(exp(βE/N) − 1) ≈ e⁻²⁰:

    >>> engine = Engine(N=5, E_1=1, delta_E=0, T_mean=0.01, delta_T=0, omega_0=0, Gamma_0=1,
    ...                 scaling="high-temperature")
    >>> solution = Undriven().solve(engine)
    >>> {name: round(value, 9) for name, value in solution.values.items()}
    {'magnetization_1': -0.999999999, 'magnetization_1_squared': 0.999999999, 'gap': 0.5}
    >>> f"{0.5 - solution.values['gap']:.3e}"
    '4.122e-10'
    """

    name: ClassVar[str] = "undriven"
    sized: ClassVar[bool] = True
    variables: ClassVar[tuple[str, ...]] = ("magnetization_1", "magnetization_1_squared", "gap")
    diagnostics: ClassVar[tuple[str, ...]] = ("residual", "self_check")

    def accept(self, engine: Engine) -> None:
        """Refuse an engine with a drive, with fermionic baths or with too large a spin."""
        super().accept(engine)
        cold_spin(engine)
        if engine.levels[0] > LARGEST_N:
            raise InvalidInput(
                f"method undriven takes N up to {LARGEST_N}, but N is {engine.levels[0]}: choose "
                "a smaller N"
            )

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Evaluate the cold ensemble of one engine.

        Parameters
        ----------
        engine : Engine
            Without drive; only N, spin_1, E_1, T_1, Gamma_0 and the scaling matter.
        variables : iterable of str, optional
            Names to return; all of ``Undriven.variables`` by default.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (of the rate equations at the stationary populations
            and, with the gap, the relative width of the interval that is certified to hold it)
            and ``self_check`` (difference of the closed moments to the sums over the levels).

        Raises
        ------
        InvalidInput
            If a name is unknown, the engine is driven or too large, or its baths are fermionic.
        """
        names = self.chosen(variables)
        spin = cold_spin(engine)
        values = {
            "magnetization_1": spin.magnetization,
            "magnetization_1_squared": spin.second_moment,
        }
        residual, problem = _imbalance(spin), ""
        if "gap" in names:
            if spin.N > LARGEST_N_OF_GAP:
                raise InvalidInput(
                    f"the gap is certified for N up to {LARGEST_N_OF_GAP}, but N is {spin.N}: "
                    "leave out gap, or choose a smaller N"
                )
            gap, sector = spin.slowest()
            values["gap"] = gap
            width, problem = _certified_width(spin, gap, sector)
            residual = max(residual, width)
        m = 2 * np.arange(spin.N + 1) / spin.N - 1
        sums = spin.populations @ m, spin.populations @ m**2
        self_check = max(
            abs(sums[0] - values["magnetization_1"]),
            abs(sums[1] - values["magnetization_1_squared"]),
        )
        status, message = Status.OK, ""
        if problem:
            status, message = Status.UNCERTIFIED, problem
        elif not residual <= self.tolerance:
            status = Status.UNCERTIFIED
            message = f"relative residual {residual:.1e} exceeds {self.tolerance:.1e}"
        elif not self_check <= AGREEMENT:
            status = Status.UNPHYSICAL
            message = f"closed moments and sums over the levels differ by {self_check:.1e}"
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={"residual": residual, "self_check": float(self_check)},
        )


def slower_rates(spin: SingleSpin, rate: float) -> int:
    r"""How many rates −λ of the populations and of the coherences d > 0 lie below a number.

    .. math:: q_k = t_{kk} - r - t_{k,k-1}^2 / q_{k-1}

    By Sylvester's law of inertia it is the number of negative pivots of T − r, T the symmetric
    tridiagonal matrix of ``decay_bands``; all N + 1 of these are factorised side by side.

    Examples
    --------
    A spin ½ at zero temperature has the rates 0 and Γ₀ (populations) and Γ₀/2 (coherence):

    >>> [slower_rates(SingleSpin(1, np.inf), rate) for rate in (-0.1, 0.1, 0.6, 1.1)]
    [0, 1, 2, 3]
    """
    diagonal, off_diagonal = _all_bands(spin)
    count = 0
    tiny = np.finfo(float).tiny
    pivot = diagonal[0] - rate
    for k in range(spin.N + 1):
        size = spin.N + 1 - k  # the matrix of the coherence d has N + 1 − d rows
        if k:
            pivot = diagonal[k, :size] - rate - off_diagonal[k - 1, :size] ** 2 / pivot[:size]
        pivot = np.where(np.abs(pivot) < tiny, -tiny, pivot)
        count += int((pivot < 0).sum())
    return count


def _all_bands(spin: SingleSpin) -> tuple[FloatArray, FloatArray]:
    """Diagonals and off-diagonals of the rates of all ⟨k|ρ|k+d⟩, at [k, d], where k + d ≤ N."""
    n, down, up = spin.N, spin.gamma_down, spin.gamma_up
    a = ladder(np.arange(n + 2), n)
    k, d = np.indices((n + 1, n + 1))
    top = np.minimum(k + d, n)
    diagonal = (down * (a[k] ** 2 + a[top] ** 2) + up * (a[k + 1] ** 2 + a[top + 1] ** 2)) / 2
    return diagonal, np.sqrt(down) * np.sqrt(up) * a[k + 1] * a[top + 1]


def _certified_width(spin: SingleSpin, gap: float, sector: int) -> tuple[float, str]:
    """Half the width of an interval around the gap, relative to it; and what is wrong with it.

    Below the interval there must be one rate only, the 0 of the stationary state.
    """
    diagonal, off_diagonal = _all_bands(spin)
    half = COUNT_ERROR * float(diagonal.max() + 2 * off_diagonal.max())
    below, above = slower_rates(spin, gap - half), slower_rates(spin, gap + half)
    if below == 1 and above > 1:
        return half / gap, ""
    return half / gap, (
        f"the rate {gap:.6g} of coherence {sector} is not the gap: {below - 1} rates lie below, "
        f"{above - 1} up to it"
    )


def _imbalance(spin: SingleSpin) -> float:
    """Net over gross flow between neighbouring levels, summed over all of them."""
    p, step = spin.populations, ladder(np.arange(1, spin.N + 1), spin.N) ** 2
    up, down = spin.gamma_up * step * p[:-1], spin.gamma_down * step * p[1:]
    gross = float((up + down).sum())
    return float(np.abs(up - down).sum()) / gross if gross > 0 else 0.0
