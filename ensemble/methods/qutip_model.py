"""The model as QuTiP objects: the operators of an engine, and its stationary state."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from ensemble.arrays import IntArray
from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.steady.state import Stationary

if TYPE_CHECKING:
    from qutip import Qobj


def loaded_qutip() -> ModuleType:
    """QuTiP, imported where it is first needed.

    Raises
    ------
    InvalidInput
        If it is not installed.
    """
    try:
        import qutip  # a heavy import, which the rest of the package does not need
    except ImportError:
        raise InvalidInput(
            "QuTiP is not installed: run pip install qutip, or use method exact"
        ) from None
    return qutip


_SETTINGS = threading.Lock()


@contextmanager
def every_element_kept() -> Iterator[ModuleType]:
    """QuTiP, set to keep elements below 1e-14 in sparse sums and products.

    By default it drops them, and with them the absorption of a cold bath, γ↑ = Γ₀ exp(−E/T).  The
    setting belongs to the whole process: one thread at a time changes it and changes it back.
    """
    qutip = loaded_qutip()
    with _SETTINGS, qutip.CoreOptions(auto_tidyup=False):
        yield qutip


@dataclass(frozen=True, eq=False)
class QutipModel:
    """An engine as QuTiP objects in the product basis spin 1 ⊗ spin 2 (ħ = 1).

    The basis of each spin is that of ``qutip.jmat``: m = +S first.

    Attributes
    ----------
    H : Qobj
        Drive (ω₀/2)(S₁⁺S₂⁻ + S₁⁻S₂⁺) − δ S₂ᶻ in the rotating frame (Eq. 5).
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
        If QuTiP is not installed, or the engine has local noise.

    Examples
    --------
    >>> model = to_qutip(Engine(N=2, E_1=1, delta_E=1, T_mean=3, delta_T=2, omega_0=1, Gamma_0=1))
    >>> model.H.dims, len(model.c_ops), model.power.isherm
    ([[3, 3], [3, 3]], 4, True)
    """
    with every_element_kept() as qutip:
        return model_with(qutip, engine)


def model_with(qutip: ModuleType, engine: Engine) -> QutipModel:
    """The same, inside of `every_element_kept`, which yields ``qutip``."""
    engine.require_collective("the QuTiP model", detuned=True)
    up_1, up_2 = (qutip.jmat(level / 2, "+") for level in engine.levels)
    up_1, up_2 = (
        qutip.tensor(up_1, qutip.qeye_like(up_2)),
        qutip.tensor(qutip.qeye_like(up_1), up_2),
    )
    hop = up_1 @ up_2.dag()
    z_2 = (up_2 @ up_2.dag() - up_2.dag() @ up_2) / 2  # [S⁺, S⁻] = 2 Sᶻ
    return QutipModel(
        H=engine.drive / 2 * (hop + hop.dag()) - engine.detuning * z_2,
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

    The phases of the sector's real gauge, powers of i, are removed.

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
    qutip = loaded_qutip()
    n_1, n_2 = state.engine.levels
    sector, rho = state.sector.real, state.sector.complex_elements(state.rho)

    def position(k_1: IntArray, k_2: IntArray) -> IntArray:
        return (n_1 - k_1) * (n_2 + 1) + (n_2 - k_2)

    ket, bra = (
        position(sector.k_1, sector.k_2),
        position(sector.k_1 + sector.q, sector.k_2 - sector.q),
    )
    # i^{k₁} of the ket times the conjugate of i^{k₁+q} of the bra; exact, where (−i)**q is not.
    elements = np.array([1, -1j, -1, 1j])[sector.q % 4] * rho
    size = (n_1 + 1) * (n_2 + 1)
    upper = sparse.coo_array((elements, (ket, bra)), shape=(size, size)).tocsr()
    off = sector.q > 0
    lower = sparse.coo_array((elements[off].conj(), (bra[off], ket[off])), shape=(size, size))
    dims = [[n_1 + 1, n_2 + 1], [n_1 + 1, n_2 + 1]]
    return qutip.Qobj(sparse.csr_matrix(upper + lower.tocsr()), dims=dims)
