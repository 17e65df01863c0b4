"""One engine in arithmetic of any number of digits: what every other solver is measured against."""

from __future__ import annotations

import itertools

import mpmath

from ensemble import Engine

DIGITS = 60


class Reference:
    """J and D of one engine at ``digits`` digits, from operators in the product basis.

    Unknowns are the elements ⟨k₁k₂|ρ|k₁'k₂'⟩ with k₁+k₂ = k₁'+k₂'; no gauge, no symmetry of ρ, no
    deviation form.  Parameters are the engine's floats, taken as exact; the scaling is applied.
    """

    def __init__(self, engine: Engine, digits: int = DIGITS) -> None:
        self.mp = mpmath.mp.clone()
        self.mp.dps = digits
        mpf = self.mp.mpf
        size = engine.N if engine.scaling == "high-temperature" else 1
        half = mpf(engine.delta_T) / 2
        energies = mpf(engine.E_1), mpf(engine.E_1) + mpf(engine.delta_E)
        spontaneous = [mpf(rate) / size for rate in engine.rates]
        temperatures = mpf(engine.T_mean) - half, mpf(engine.T_mean) + half
        ratios = [
            (energy - mpf(mu)) / (temperature * size)
            for energy, mu, temperature in zip(
                energies, (engine.mu_1, engine.mu_2), temperatures, strict=True
            )
        ]
        self.affinity = ratios[0] - ratios[1]
        self.rates = []
        for rate, ratio in zip(spontaneous, ratios, strict=True):
            sign = 1 if engine.statistics == "fermionic" else -1
            down = rate / (1 + sign * self.mp.exp(-ratio))
            self.rates.append((down, down * self.mp.exp(-ratio)))
        self.drive = mpf(engine.omega_0) / size
        self.tops = engine.levels
        kets = list(itertools.product(*(range(top + 1) for top in self.tops)))
        self.basis = [(ket, bra) for ket in kets for bra in kets if sum(ket) == sum(bra)]
        self.where = {element: i for i, element in enumerate(self.basis)}

    def ladder(self, spin: int, k: int):
        """⟨k−1|S⁻|k⟩."""
        return self.mp.sqrt(k * (self.tops[spin] + 1 - k)) if 0 < k <= self.tops[spin] else 0

    def moved(self, ket, spin, step):
        """S⁺ (step 1) or S⁻ (step −1) on a ket: amplitude and result."""
        k = ket[spin]
        amplitude = self.ladder(spin, k + 1 if step > 0 else k)
        return amplitude, tuple(n + step * (i == spin) for i, n in enumerate(ket))

    def generator(self):
        """Matrix of L, and of the current operator ½{Ĵ, ·} and the functional Tr Ĵ ·."""
        size, mp = len(self.basis), self.mp
        L, half_J = mp.zeros(size), mp.zeros(size)
        trace_J = mp.zeros(1, size)
        for (ket, bra), column in self.where.items():
            for spin, rates in enumerate(self.rates):
                for step, rate in zip((-1, 1), rates, strict=True):
                    (a, to_ket), (b, to_bra) = (
                        self.moved(ket, spin, step),
                        self.moved(bra, spin, step),
                    )
                    if a and b:
                        L[self.where[to_ket, to_bra], column] += rate * a * b
                    L[column, column] -= rate * (a**2 + b**2) / 2
            # H = (ω₀/2)(S₁⁺S₂⁻ + h.c.), Ĵ = −(iω₀/2)(S₁⁺S₂⁻ − h.c.): P = ΔE J of Eq. 10.
            for first, sign in ((1, 1), (-1, -1)):
                for side, start in ((0, ket), (1, bra)):
                    a, middle = self.moved(start, 0, first)
                    b, end = self.moved(middle, 1, -first) if a else (0, start)
                    if not (a and b):
                        continue
                    hop = self.drive / 2 * a * b
                    to = (end, bra) if side == 0 else (ket, end)
                    L[self.where[to], column] += (-1j if side == 0 else 1j) * hop
                    # ⟨·|Ĵ|start⟩ on a ket; on a bra the conjugate matrix element.
                    current = (-1j if side == 0 else 1j) * sign * hop
                    half_J[self.where[to], column] += current / 2
                    if side == 0 and end == bra:
                        trace_J[0, column] += current
        return L, half_J, trace_J

    def solve(self):
        """(J, D)."""
        mp = self.mp
        L, half_J, trace_J = self.generator()
        trace = [int(ket == bra) for ket, bra in self.basis]
        size = len(trace)
        for column in range(size):  # the row of the first population becomes the trace
            L[0, column] = trace[column]
        right = mp.zeros(size, 1)
        right[0] = 1
        rho = mp.lu_solve(L, right)
        J = (trace_J * rho)[0]
        source = half_J * rho - J * rho
        source[0] = 0
        D = -2 * (trace_J * mp.lu_solve(L, source))[0]
        return mp.re(J), mp.re(D)
