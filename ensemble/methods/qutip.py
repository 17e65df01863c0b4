"""QuTiP: the model as quantum objects, and the reference method that knows no symmetry."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from ensemble.arrays import ComplexArray, IntArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.method import Method
from ensemble.methods.exact import CURRENTS_AND_NOISE, FROM_NOISE
from ensemble.solution import Solution, Status
from ensemble.steady.state import Stationary
from ensemble.units import in_natural_units

EPS = float(np.finfo(float).eps)
REFINEMENTS = 2
"""Steps of iterative refinement, of QuTiP's state and of the response."""

if TYPE_CHECKING:
    from qutip import Qobj


def _qutip() -> ModuleType:
    try:
        import qutip  # a heavy import, which the rest of the package does not need
    except ImportError:
        raise InvalidInput(
            "QuTiP is not installed: run pip install qutip, or use method exact"
        ) from None
    return qutip


_SETTINGS = threading.Lock()


@contextmanager
def _every_element_kept() -> Iterator[ModuleType]:
    """QuTiP, without its habit to drop elements below 1e-14 in sparse sums and products.

    With it the absorption of a cold bath, γ↑ = Γ₀ e^{−E/T}, would be lost without a word.  The
    setting belongs to the whole process: one thread at a time changes it and changes it back.
    """
    qutip = _qutip()
    with _SETTINGS, qutip.CoreOptions(auto_tidyup=False):
        yield qutip


@dataclass(frozen=True, eq=False)
class QutipModel:
    """An engine as QuTiP objects in the product basis spin 1 ⊗ spin 2 (ħ = 1).

    The basis of each spin is that of ``qutip.jmat``: m = +S first.

    Attributes
    ----------
    H : Qobj
        Drive (ω₀/2)(S₁⁺S₂⁻ + S₁⁻S₂⁺) in the rotating frame (Eq. 5).
    c_ops : tuple of Qobj
        √γ↓₁ S₁⁻, √γ↑₁ S₁⁺, √γ↓₂ S₂⁻, √γ↑₂ S₂⁺ (Eqs. 6-8).
    power : Qobj
        Power operator −(iω₀ΔE/2)(S₁⁺S₂⁻ − S₁⁻S₂⁺) (Eq. 10).
    raising : tuple of Qobj
        S₁⁺ and S₂⁺ in the product basis.
    """

    H: Qobj
    c_ops: tuple[Qobj, ...]
    power: Qobj
    raising: tuple[Qobj, Qobj]


def to_qutip(engine: Engine) -> QutipModel:
    """Hamiltonian, collapse operators and power operator of an engine, scaling applied.

    Parameters
    ----------
    engine : Engine

    Returns
    -------
    QutipModel
        Operators of dims [[2S₁+1, 2S₂+1], [2S₁+1, 2S₂+1]], sparse.

    Raises
    ------
    InvalidInput
        If QuTiP is not installed.

    Examples
    --------
    >>> model = to_qutip(Engine(N=2, E_1=1, delta_E=1, T_mean=3, delta_T=2, omega_0=1, Gamma_0=1))
    >>> model.H.dims, len(model.c_ops), model.power.isherm
    ([[3, 3], [3, 3]], 4, True)
    """
    with _every_element_kept() as qutip:
        return _model(qutip, engine)


def _model(qutip: ModuleType, engine: Engine) -> QutipModel:
    up_1, up_2 = (qutip.jmat(level / 2, "+") for level in engine.levels)
    up_1, up_2 = (
        qutip.tensor(up_1, qutip.qeye_like(up_2)),
        qutip.tensor(qutip.qeye_like(up_1), up_2),
    )
    hop = up_1 @ up_2.dag()
    return QutipModel(
        H=engine.drive / 2 * (hop + hop.dag()),
        c_ops=tuple(
            math.sqrt(rate) * jump
            for bath, up in ((engine.cold, up_1), (engine.hot, up_2))
            for rate, jump in ((bath.gamma_down, up.dag()), (bath.gamma_up, up))
        ),
        power=-0.5j * engine.drive * engine.delta_E * (hop - hop.dag()),
        raising=(up_1, up_2),
    )


def state_to_qutip(state: Stationary) -> Qobj:
    """The stationary density matrix as a (sparse) Qobj, in the basis of :func:`to_qutip`.

    The phases i^{k₁} of the sector's real gauge are taken off again.

    Parameters
    ----------
    state : Stationary

    Returns
    -------
    Qobj
        Of the dims of the operators, in CSR storage: ``countstat_current_noise`` of QuTiP is 200
        times slower with a dense state.

    Raises
    ------
    InvalidInput
        If QuTiP is not installed.
    """
    qutip = _qutip()
    n_1, n_2 = state.engine.levels
    sector = state.generator.sector

    def position(k_1: IntArray, k_2: IntArray) -> IntArray:
        return (n_1 - k_1) * (n_2 + 1) + (n_2 - k_2)

    ket, bra = (
        position(sector.k_1, sector.k_2),
        position(sector.k_1 + sector.q, sector.k_2 - sector.q),
    )
    # i^{k₁} of the ket times the conjugate of i^{k₁+q} of the bra; exact, where (−i)**q is not.
    elements = np.array([1, -1j, -1, 1j])[sector.q % 4] * state.rho
    size = (n_1 + 1) * (n_2 + 1)
    upper = sparse.coo_array((elements, (ket, bra)), shape=(size, size)).tocsr()
    off = sector.q > 0
    lower = sparse.coo_array((elements[off].conj(), (bra[off], ket[off])), shape=(size, size))
    dims = [[n_1 + 1, n_2 + 1], [n_1 + 1, n_2 + 1]]
    return qutip.Qobj(sparse.csr_matrix(upper + lower.tocsr()), dims=dims)


@dataclass(frozen=True)
class Qutip(Method):
    r"""The reference: QuTiP's direct steady state, and Eq. 11 with QuTiP's Liouvillian.

    It uses neither the symmetry nor the deviation form.  So it loses the current's digits towards
    the Carnot point, and takes minutes beyond N = 20.

    **What is certified** is every value that is returned, not the residual of the equations.  The
    state is refined with an LU factorisation of QuTiP's Liouvillian L.  An error bound of a value
    f·ρ then follows from the adjoint w, Lᵀw = f − (f·ρ) trace:

    .. math:: |f\cdot\delta\rho| \le |w|\cdot\left(|L\rho|
              + \epsilon\,|L|\,|\rho|\right)

    with ε the rounding of the elements of L and of the products with them.  The status is "ok" if
    the bound of every value that was asked for is within the tolerance, relative to the value (for
    magnetisations: to 1), and if the quanta counted at the drive and at both baths agree within
    their bounds.  Where a current is a small difference of large flows, the status is
    "uncertified" and the message says how many digits are left.

    Parameters
    ----------
    tolerance : float
        Largest relative error bound that still counts as certified.
    largest : int
        Largest dimension (2S₁+1)(2S₂+1) that is attempted; 441 (N = 20) needs some 20 s and
        1.5 GB, and both grow as its third power.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> solution = Qutip().solve(engine, ["constancy"])
    >>> solution.status.label, f"{solution.values['constancy']:.8f}"
    ('ok', '1.00004932')
    """

    largest: int = 441

    name: ClassVar[str] = "qutip"
    variables: ClassVar[tuple[str, ...]] = CURRENTS_AND_NOISE
    diagnostics: ClassVar[tuple[str, ...]] = ("residual", "self_check")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.largest >= 4:
            raise InvalidInput(f"largest must be at least 4, but is {self.largest!r}: try 441")

    def accept(self, engine: Engine) -> None:
        """Refuse an engine whose Hilbert space is larger than ``largest``."""
        size = math.prod(level + 1 for level in engine.levels)
        if size > self.largest:
            raise InvalidInput(
                f"method qutip would need dimension {size}, but largest is {self.largest}: "
                "use method exact, or raise largest if time and memory allow"
            )

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Solve one engine.

        Parameters
        ----------
        engine : Engine
        variables : iterable of str, optional
            Names to return; all of ``Qutip.variables`` by default.  The noise is computed only if
            one of them needs it.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (‖Lx − b‖₁/(‖|L||x|‖₁ + ‖b‖₁), the largest of the
            solves) and ``self_check`` (the largest relative error bound of the values returned;
            1 if no digit of one of them is certain).

        Raises
        ------
        InvalidInput
            If a name is unknown, the engine is too large or QuTiP is not installed.
        Unsolvable
            If double precision does not hold the equations.
        """
        names = self.chosen(variables)
        reference = _Reference(engine)
        bounded = reference.averages()
        if FROM_NOISE.intersection(names):
            bounded |= reference.fluctuations()
        status, message = Status.OK, ""
        errors = {name: bounded[name].relative for name in names}
        worst = max(names, key=lambda name: errors[name], default="")
        if worst and not errors[worst] <= self.tolerance:
            status = Status.UNCERTIFIED
            certain = f"to {errors[worst]:.1e} (relative)" if errors[worst] < 1 else "to no digit"
            message = (
                f"rounding leaves {worst} certain {certain}, which exceeds {self.tolerance:.1e}: "
                "use method exact"
            )
        elif reference.disagreement > 1:
            status = Status.UNPHYSICAL
            message = (
                "the quanta counted at the drive and at the baths differ by "
                f"{reference.disagreement:.1e} times their error bounds"
            )
        return Solution(
            values={name: bounded[name].value for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": reference.residual,
                "self_check": max(errors.values(), default=0.0),
            },
        )


class _Bounded(NamedTuple):
    """A value and a bound on its error, relative to ``scale``, which is the value by default."""

    value: float
    bound: float = 0.0
    scale: float | None = None

    def times(self, factor: float) -> _Bounded:
        return _Bounded(factor * self.value, abs(factor) * self.bound)

    @property
    def relative(self) -> float:
        """Bound over scale, at most 1; 0 where the bound is."""
        scale = abs(self.value) if self.scale is None else self.scale
        # Undefined values (NaN) have the bound 0; a bound that is NaN certifies nothing.
        return 0.0 if self.bound == 0 else 1.0 if not self.bound < scale else self.bound / scale


class _Reference:
    """One engine by QuTiP: operators, the refined state, averages, noise and their error bounds."""

    def __init__(self, engine: Engine) -> None:
        with _every_element_kept() as qutip:
            model = _model(qutip, engine)
            liouvillian = qutip.liouvillian(model.H, model.c_ops)
            self.rows = _rows(engine, model)
            current = _current(engine, model)
            half = (qutip.spre(current) + qutip.spost(current)) / 2
        self.engine = engine
        self.matrix = sparse.csc_array(liouvillian.to("CSR").data.as_scipy())
        self.half_current = sparse.csc_array(half.to("CSR").data.as_scipy())
        self.magnitude = abs(self.matrix)
        # An element of L is a sum of a few products, with the rounding of exp(−E/T) in the rates;
        # a row times a vector has as many terms as elements.
        exponent = min(max(abs(bath.log_ratio) for bath in (engine.cold, engine.hot)), 745.0)
        terms = int(np.diff(sparse.csr_array(self.matrix).indptr).max())
        self.slack = EPS * (terms + 8 + exponent)

        rho = _vector(qutip.steadystate(liouvillian, method="direct"))
        self.trace = np.eye(model.H.shape[0]).ravel()
        # The largest population is fixed and its row, which the others imply, is dropped.
        self.kept = np.delete(np.arange(rho.size), int(np.argmax(self.trace * rho.real)))
        try:
            self.factors = linalg.splu(self.matrix[:, self.kept][self.kept].tocsc())
        except RuntimeError as failure:  # "Factor is exactly singular"
            raise Unsolvable(
                "QuTiP's Liouvillian is singular in double precision: use method exact"
            ) from failure
        for _ in range(REFINEMENTS):
            rho = rho - self._solve(self.matrix @ rho)
            rho = rho / (self.trace @ rho)
        self.rho = rho
        self.doubt = np.abs(self.matrix @ rho) + self.slack * (self.magnitude @ np.abs(rho))
        self.residual = self._residual(rho, np.zeros_like(rho))
        self.disagreement = 0.0

    def _solve(self, right: ComplexArray, trans: str = "N") -> ComplexArray:
        """x with L x = right (or Lᵀx = right), 0 at the element that is fixed."""
        x = np.zeros_like(right)
        x[self.kept] = self.factors.solve(right[self.kept], trans=trans)
        return x

    def _residual(self, x: ComplexArray, source: ComplexArray) -> float:
        scale = float((self.magnitude @ np.abs(x)).sum() + np.abs(source).sum())
        return float(np.abs(self.matrix @ x - source).sum()) / scale if scale > 0 else 0.0

    def _adjoint(self, row: ComplexArray) -> ComplexArray:
        """w with w·r = row·δρ, if δρ is what a defect r of L ρ = 0 makes of the normalised ρ."""
        return self._solve(row - (row @ self.rho) * self.trace, trans="T")

    def _average(self, name: str, scale: float | None = None) -> _Bounded:
        """The expectation value of an operator of ``_rows``, with its bound."""
        row = self.rows[name]
        gross = float(np.abs(row) @ np.abs(self.rho))
        bound = float(np.abs(self._adjoint(row)) @ self.doubt) + self.slack * gross
        return _Bounded(float((row @ self.rho).real), bound, scale)

    def averages(self) -> dict[str, _Bounded]:
        """First moments by variable."""
        engine = self.engine
        quanta, power = self._average("current"), self._average("power")
        taken = [self._average("taken_1"), self._average("taken_2")]
        pairs = ((quanta, taken[1], -1), (quanta, taken[0], 1), (taken[0], taken[1], 1))
        for one, other, sign in pairs:
            allowed = one.bound + other.bound
            if (apart := abs(one.value + sign * other.value)) > 0:
                self.disagreement = max(self.disagreement, apart / allowed)
        return {
            "power": power,
            "heat_current_1": taken[0].times(engine.E_1),
            "heat_current_2": taken[1].times(engine.E_2),
            "quanta_current": quanta,
            "efficiency": _Bounded(engine.efficiency),
            "cop": _Bounded(engine.cop),
            "entropy_production": quanta.times(engine.affinity),
            "affinity": _Bounded(engine.affinity),
            "magnetization_1": self._average("magnetization_1", scale=1.0),
            "magnetization_2": self._average("magnetization_2", scale=1.0),
            "power_per_pair": power.times(1 / engine.N),
        }

    def fluctuations(self) -> dict[str, _Bounded]:
        """Second moments by variable, from Eq. 11.

        D = −2 Tr[Ĵ L⁺ s] with s = ½{Ĵ, ρ} − Jρ, by sparse LU in place of QuTiP's pseudo-inverse,
        whose defaults raise.  Its bound has a part for the response y = L⁺s and one for the error
        of ρ in s.
        """
        engine, rho, row, product = self.engine, self.rho, self.rows["current"], self.half_current
        mean = float((row @ rho).real)
        source = product @ rho - mean * rho
        gross = abs(product) @ np.abs(rho) + abs(mean) * np.abs(rho)
        y = np.zeros_like(rho)
        for _ in range(1 + REFINEMENTS):
            y = y + self._solve(source - self.matrix @ y)
        self.residual = max(self.residual, self._residual(y, source))
        offset = self.trace @ y
        w = self._adjoint(row)
        doubt = np.abs(source - self.matrix @ y)
        doubt += self.slack * (self.magnitude @ np.abs(y) + gross)
        # Tr Ĵ y − (Tr y) J with its derivative with respect to ρ.
        gradient = product.T @ w - mean * w - (w @ rho + offset) * row
        centred = row @ (y - offset * rho)
        bound = float(np.abs(w) @ doubt + np.abs(self._adjoint(gradient)) @ self.doubt)
        bound += self.slack * float(np.abs(row) @ (np.abs(y) + abs(offset) * np.abs(rho)))
        noise = _Bounded(-2 * float(centred.real), 2 * bound)
        current = self._average("current")
        if engine.drive == 0:  # undefined
            constancy = _Bounded(math.nan)
        elif engine.affinity == 0 or noise.value == 0:  # defined, but not as this quotient
            constancy = _Bounded(math.nan, math.inf)
        else:
            value = 2 * mean / engine.affinity / noise.value
            constancy = _Bounded(value, abs(value) * (current.relative + noise.relative))
        return {
            "quanta_noise": noise,
            "power_variance": noise.times(engine.delta_E**2),
            "power_per_pair_variance": noise.times((engine.delta_E / engine.N) ** 2),
            "constancy": constancy,
        }


def _current(engine: Engine, model: QutipModel) -> Qobj:
    """Ĵ = −(iω₀/2)(S₁⁺S₂⁻ − S₁⁻S₂⁺)."""
    hop = model.raising[0] @ model.raising[1].dag()
    return -0.5j * engine.drive * (hop - hop.dag())


def _rows(engine: Engine, model: QutipModel) -> dict[str, ComplexArray]:
    """Row vectors f with ⟨A⟩ = f·ρ, ρ column-stacked, of the operators that are averaged.

    The quanta that a bath gives per time are γ↑⟨S⁻S⁺⟩ − γ↓⟨S⁺S⁻⟩; without a drive, none.
    """
    operators = {"current": _current(engine, model), "power": model.power}
    for i, (bath, up) in enumerate(zip((engine.cold, engine.hot), model.raising, strict=True)):
        raised, lowered = up.dag() @ up, up @ up.dag()
        taken = bath.gamma_up * raised - bath.gamma_down * lowered
        operators[f"taken_{i + 1}"] = taken if engine.drive > 0 else 0 * taken
        operators[f"magnetization_{i + 1}"] = (lowered - raised) / engine.levels[i]
    # Tr Aρ = Σ conj(A) ρ for a Hermitian A.
    return {name: _vector(operator).conj() for name, operator in operators.items()}


def _vector(operator: Qobj) -> ComplexArray:
    """QuTiP's column-stacked vector of an operator."""
    return np.asarray(_qutip().operator_to_vector(operator).full()).ravel()
