"""QuTiP: the model as quantum objects, and the reference method that knows no symmetry."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import linalg

from ensemble.engine import Bath, Engine
from ensemble.errors import InvalidInput
from ensemble.exact import CURRENTS_AND_NOISE, FROM_NOISE
from ensemble.method import AGREEMENT, ROUNDING, Method
from ensemble.solution import Solution, Status
from ensemble.stationary import Stationary

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
    qutip = _qutip()
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

    def position(k_1: NDArray[np.int64], k_2: NDArray[np.int64]) -> NDArray[np.int64]:
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
    """The reference: QuTiP's direct steady state, and Eq. 11 with QuTiP's Liouvillian.

    It uses neither the symmetry nor the deviation form, so that it loses the current's digits
    towards the Carnot point and takes minutes beyond N = 20.

    Parameters
    ----------
    tolerance : float
        Largest relative residual that still counts as certified.
    largest : int
        Largest dimension (2S₁+1)(2S₂+1) that is attempted; 441 (N = 20) needs some 10 s and
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
            solves) and ``self_check`` (first law, relative to the largest energy flow).

        Raises
        ------
        InvalidInput
            If a name is unknown, the engine is too large or QuTiP is not installed.
        """
        names = self.chosen(variables)
        self.accept(engine)
        reference = _Reference(engine)
        values, gross = reference.averages()
        residual = reference.residual
        if FROM_NOISE.intersection(names):
            more, noise_residual = reference.fluctuations(values["quanta_current"])
            values |= more
            residual = max(residual, noise_residual)

        power, *heats = (values[n] for n in ("power", "heat_current_1", "heat_current_2"))
        violation, scale = abs(power - sum(heats)), max(abs(power), *map(abs, heats))
        status, message = Status.OK, ""
        if not residual <= self.tolerance:
            status = Status.UNCERTIFIED
            message = f"relative residual {residual:.1e} exceeds {self.tolerance:.1e}"
        elif not violation <= AGREEMENT * scale + ROUNDING * gross:
            status = Status.UNPHYSICAL
            message = f"first law violated by {violation / scale:.1e} (relative)"
        return Solution(
            values={name: values[name] for name in names},
            status=status,
            message=message,
            diagnostics={"residual": residual, "self_check": violation / gross if gross else 0.0},
        )


class _Reference:
    """One engine by QuTiP: operators, state, averages and noise."""

    def __init__(self, engine: Engine) -> None:
        qutip = _qutip()
        self.engine, self.model = engine, to_qutip(engine)
        self.rho = qutip.steadystate(self.model.H, self.model.c_ops, method="direct")
        liouvillian = qutip.liouvillian(self.model.H, self.model.c_ops)
        self.matrix = sparse.csc_array(liouvillian.to("CSR").data.as_scipy())
        self.residual = self._residual(_vector(self.rho), 0.0)

    def _residual(self, x: NDArray[np.complex128], source: NDArray[np.complex128] | float) -> float:
        scale = float((abs(self.matrix) @ np.abs(x)).sum() + np.abs(source).sum())
        return float(np.abs(self.matrix @ x - source).sum()) / scale if scale > 0 else 0.0

    def averages(self) -> tuple[dict[str, float], float]:
        """First moments by variable, and the largest energy flow of either sign."""
        qutip, engine = _qutip(), self.engine
        up = self.model.raising
        hop = up[0] @ up[1].dag()
        quanta = qutip.expect(-0.5j * engine.drive * (hop - hop.dag()), self.rho)
        heats, gross = [], 0.0
        for bath, raising in zip((engine.cold, engine.hot), up, strict=True):
            absorbed, emitted = self._flows(bath, raising)
            heats.append(bath.energy * (absorbed - emitted))
            gross = max(gross, bath.energy * (absorbed + emitted))
        affinity = engine.affinity
        spins = [level / 2 for level in engine.levels]
        m_1, m_2 = (
            qutip.expect(raising @ raising.dag() - raising.dag() @ raising, self.rho) / (2 * spin)
            for raising, spin in zip(up, spins, strict=True)
        )
        values = {
            "power": qutip.expect(self.model.power, self.rho),
            "heat_current_1": heats[0],
            "heat_current_2": heats[1],
            "quanta_current": quanta,
            "efficiency": engine.efficiency,
            "cop": engine.cop,
            "entropy_production": affinity * quanta,
            "affinity": affinity,
            "magnetization_1": m_1,
            "magnetization_2": m_2,
        }
        return values | {"power_per_pair": values["power"] / engine.N}, gross

    def _flows(self, bath: Bath, raising: Qobj) -> tuple[float, float]:
        """Quanta absorbed from and emitted to a bath per time, γ↑⟨S⁻S⁺⟩ and γ↓⟨S⁺S⁻⟩."""
        expect = _qutip().expect
        return (
            bath.gamma_up * expect(raising.dag() @ raising, self.rho),
            bath.gamma_down * expect(raising @ raising.dag(), self.rho),
        )

    def fluctuations(self, mean: float) -> tuple[dict[str, float], float]:
        """Second moments by variable, and the relative residual of the response (Eq. 11).

        D = −2 Tr[J L⁺ (½{J, ρ} − ⟨J⟩ρ)] with the population of |−S₁, −S₂⟩ of the response fixed
        and its row dropped: a sparse LU in place of QuTiP's pseudo-inverse, whose defaults raise.
        """
        engine = self.engine
        hop = self.model.raising[0] @ self.model.raising[1].dag()
        current = -0.5j * engine.drive * (hop - hop.dag())
        source = _vector((current @ self.rho + self.rho @ current) / 2 - mean * self.rho)
        ground = source.size - 1
        factors = linalg.splu(self.matrix[:ground, :ground].tocsc())
        y = np.zeros_like(source)
        for _ in range(2):  # the second pass refines
            y[:ground] += factors.solve((source - self.matrix @ y)[:ground])
        residual = self._residual(y, source)
        rho = _vector(self.rho)
        trace = _vector(_qutip().qeye_like(self.rho))
        y = y - (trace @ y) / (trace @ rho) * rho
        # Tr[J y] = Σ conj(J) y for a Hermitian J.
        noise = -2 * float(np.vdot(_vector(current), y).real)
        variance = engine.delta_E**2 * noise
        defined = engine.affinity != 0 and engine.drive > 0
        return {
            "quanta_noise": noise,
            "power_variance": variance,
            "power_per_pair_variance": variance / engine.N**2,
            "constancy": 2 * mean / (engine.affinity * noise) if defined else math.nan,
        }, residual


def _vector(operator: Qobj) -> NDArray[np.complex128]:
    """QuTiP's column-stacked vector of an operator."""
    return np.asarray(_qutip().operator_to_vector(operator).full()).ravel()
