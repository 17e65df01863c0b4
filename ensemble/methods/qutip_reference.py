"""One engine solved by QuTiP, each value with a bound on its rounding error.

A value is f·ρ.  With w from the adjoint equation Lᵀw = f − (f·ρ) trace, an error of ρ changes it by
no more than |w|·(|Lρ| + ε|L||ρ|), ε the rounding of the elements of L and of products with them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse
from scipy.sparse import linalg

from ensemble.arrays import ComplexArray
from ensemble.engine import Engine
from ensemble.errors import Unsolvable
from ensemble.methods.qutip_model import (
    QutipModel,
    every_element_kept,
    loaded_qutip,
    model_with,
)

if TYPE_CHECKING:
    from qutip import Qobj

EPS = float(np.finfo(float).eps)
SMALLEST = float(np.finfo(float).tiny) / EPS
"""Below this number the product of a value and a rounding error has no full precision.
"""
REFINEMENTS = 2
"""Steps of iterative refinement, of QuTiP's state and of the response."""


class Bounded(NamedTuple):
    """A value and a bound on its error, relative to ``scale``, which is the value by default."""

    value: float
    bound: float = 0.0
    scale: float | None = None

    def times(self, factor: float) -> Bounded:
        return Bounded(factor * self.value, abs(factor) * self.bound)

    @property
    def relative(self) -> float:
        """Bound over scale, at most 1; 0 where the bound is."""
        scale = abs(self.value) if self.scale is None else self.scale
        # Undefined values (NaN) have the bound 0; a bound that is NaN certifies nothing.
        return 0.0 if self.bound == 0 else 1.0 if not self.bound < scale else self.bound / scale


class QutipReference:
    """One engine by QuTiP: operators, the refined state, averages, noise and their error bounds."""

    def __init__(self, engine: Engine) -> None:
        with every_element_kept() as qutip:
            model = model_with(qutip, engine)
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

    def _average(self, name: str, scale: float | None = None) -> Bounded:
        """The expectation value of an operator of ``_rows``, with its bound."""
        row = self.rows[name]
        gross = float(np.abs(row) @ np.abs(self.rho))
        bound = float(np.abs(self._adjoint(row)) @ self.doubt) + self.slack * gross
        return Bounded(float((row @ self.rho).real), bound, scale)

    def averages(self) -> dict[str, Bounded]:
        """First moments by variable."""
        engine = self.engine
        quanta, power = self._average("current"), self._average("power")
        taken = [self._average("taken_1"), self._average("taken_2")]
        pairs = ((quanta, taken[1], -1), (quanta, taken[0], 1), (taken[0], taken[1], 1))
        for one, other, sign in pairs:
            allowed = one.bound + other.bound
            if (apart := abs(one.value + sign * other.value)) > 0:
                self.disagreement = max(self.disagreement, apart / allowed)
        heats = [n.times(heat) for n, heat in zip(taken, engine.quantum_heats, strict=True)]
        entropy = quanta.times(engine.affinity)
        gained = [
            heat.times(-1 / T) for heat, T in zip(heats, engine.scaled_temperatures, strict=True)
        ]
        allowed = entropy.bound + sum(gain.bound + self.slack * abs(gain.value) for gain in gained)
        if (apart := abs(gained[0].value + gained[1].value - entropy.value)) > 0:
            self.disagreement = max(self.disagreement, apart / allowed)
        return {
            "power": power,
            "heat_current_1": heats[0],
            "heat_current_2": heats[1],
            "chemical_power": quanta.times(engine.mu_1 - engine.mu_2),
            "energy_current_1": taken[0].times(engine.E_1),
            "energy_current_2": taken[1].times(engine.E_2),
            "quanta_current": quanta,
            "efficiency": Bounded(engine.efficiency),
            "cop": Bounded(engine.cop),
            "entropy_production": entropy,
            "affinity": Bounded(engine.affinity),
            "magnetization_1": self._average("magnetization_1", scale=1.0),
            "magnetization_2": self._average("magnetization_2", scale=1.0),
            "power_per_pair": power.times(1 / engine.N),
            "weak_coupling_1": self._average("jumps_1").times(1 / engine.E_1),
            "weak_coupling_2": self._average("jumps_2").times(1 / engine.E_2),
        }

    def fluctuations(self) -> dict[str, Bounded]:
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
        noise = Bounded(-2 * float(centred.real), 2 * bound)
        current = self._average("current")
        if engine.drive == 0:  # undefined
            constancy = Bounded(math.nan)
        elif engine.affinity == 0 or abs(noise.value) < SMALLEST:  # defined, not as this quotient
            constancy = Bounded(math.nan, math.inf)
        else:
            value = 2 * mean / engine.affinity / noise.value
            # For the current the absolute bound counts: a current of 0 has no relative one.
            bound = abs(2 * current.bound / engine.affinity / noise.value)
            constancy = Bounded(value, bound + abs(value) * noise.relative)
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
        operators[f"jumps_{i + 1}"] = bath.gamma_up * raised + bath.gamma_down * lowered
        operators[f"magnetization_{i + 1}"] = (lowered - raised) / engine.levels[i]
    # Tr Aρ = Σ conj(A) ρ for a Hermitian A.
    return {name: _vector(operator).conj() for name, operator in operators.items()}


def _vector(operator: Qobj) -> ComplexArray:
    """QuTiP's column-stacked vector of an operator."""
    return np.asarray(loaded_qutip().operator_to_vector(operator).full()).ravel()
