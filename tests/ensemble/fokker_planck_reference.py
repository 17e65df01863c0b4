"""Reference for N → ∞ in the high-temperature scaling: 𝓛 on plain spherical harmonics.

With unit vectors m₁, m₂ and R_a m_b = ε_abc m_c, averages obey d⟨f⟩/dt = ⟨𝓛f⟩,

    𝓛f = Σᵢ [Γ₀yᵢ (R_{ix}² + R_{iy}²) − (Γ₀νᵢ/2)(mᵢˣR_{iy} − mᵢʸR_{ix})] f
         − (ω₀/2)[ν₂(m₂ˣR₁ₓ + m₂ʸR₁ᵧ) + ν₁(m₁ˣR₂ₓ + m₁ʸR₂ᵧ)] f,    yᵢ = Tᵢ/Eᵢ,  νᵢ = 2Sᵢ/N.

The unknowns are coefficients of functions, complex, at both signs of μ: no density, no thermal
reference, no gauge and no parity.
"""

from __future__ import annotations

from functools import cached_property

import mpmath
import numpy as np
from scipy.linalg import eigvals
from scipy.sparse import csc_array
from scipy.sparse.linalg import eigs, splu

from ensemble import Engine

EPS = np.finfo(float).eps

# An operator on √(4π) Y_n^μ is a list of moves (Δn, Δμ, factor, radicand): arrays of integers,
# the radicand as numerator and denominator.


def identity(n, mu):
    return [(0, 0, 1 + 0 * n, (1 + 0 * n, 1 + 0 * n))]


def m_z(n, mu):
    return [
        (1, 0, 1 + 0 * n, ((n + 1) ** 2 - mu**2, (2 * n + 1) * (2 * n + 3))),
        (-1, 0, 1 + 0 * n, (n**2 - mu**2, (2 * n - 1) * (2 * n + 1))),
    ]


def m_plus(n, mu):
    """mˣ + i mʸ."""
    return [
        (1, 1, -1 + 0 * n, ((n + mu + 1) * (n + mu + 2), (2 * n + 1) * (2 * n + 3))),
        (-1, 1, 1 + 0 * n, ((n - mu) * (n - mu - 1), (2 * n - 1) * (2 * n + 1))),
    ]


def m_minus(n, mu):
    """mˣ − i mʸ, which takes μ to μ − 1 as its complex conjugate takes −μ to −μ + 1."""
    return [(dl, -1, -sign, radicand) for dl, _, sign, radicand in m_plus(n, -mu)]


def L_plus(n, mu):
    return [(0, 1, 1 + 0 * n, ((n - mu) * (n + mu + 1), 1 + 0 * n))]


def L_minus(n, mu):
    return [(0, -1, 1 + 0 * n, ((n + mu) * (n - mu + 1), 1 + 0 * n))]


def diffusion(n, mu):
    """Rₓ² + R_y² = L_z² − L², from R = −iL."""
    return [(0, 0, mu**2 - n * (n + 1), (1 + 0 * n, 1 + 0 * n))]


def fall(n, mu):
    """−(mˣR_y − mʸRₓ) = sinθ ∂_θ."""
    (up, _, _, above), (down, _, _, below) = m_z(n, mu)
    return [(up, 0, n, above), (down, 0, -(n + 1), below)]


class Reference:
    """One engine on Y_{l₁}^{μ₁} Y_{l₂}^{d−μ₁} with lᵢ ≤ l_max and |μᵢ| ≤ mu_max.

    Parameters
    ----------
    engine : Engine
        Its N counts only in the ratios 2Sᵢ/N.
    l_max, mu_max : int
    difference : int
        d; averages and noise are in d = 0.
    digits : int, optional
        Decimal digits of mpmath; double precision by default.
    """

    def __init__(self, engine: Engine, l_max, *, mu_max=None, difference=0, digits=None):
        self.context = None
        number = float
        if digits is not None:
            self.context = mpmath.mp.clone()
            self.context.dps = digits
            number = self.context.mpf
        self.number = number
        half = number(engine.delta_T) / 2
        temperatures = number(engine.T_mean) - half, number(engine.T_mean) + half
        energies = number(engine.E_1), number(engine.E_1) + number(engine.delta_E)
        self.y = [T / E for T, E in zip(temperatures, energies, strict=True)]
        self.nu = [number(level) / engine.N for level in engine.levels]
        self.affinity = 1 / self.y[0] - 1 / self.y[1]
        self.drive = number(engine.omega_0)
        self.rates = [number(rate) for rate in engine.rates]
        self._index(l_max, l_max if mu_max is None else mu_max, difference)
        self.generator = self._generator()

    def _index(self, l_max, mu_max, difference):
        where = -np.ones((l_max + 1, l_max + 1, 2 * mu_max + 1), dtype=int)
        l_1, l_2, mu_1 = np.indices(where.shape)
        mu_1 = mu_1 - mu_max
        mu_2 = difference - mu_1
        inside = (abs(mu_1) <= l_1) & (abs(mu_2) <= l_2) & (abs(mu_2) <= mu_max)
        where[inside] = np.arange(inside.sum())
        self.where, self.mu_max, self.l_max = where, mu_max, l_max
        self.l_1, self.l_2 = l_1[inside], l_2[inside]
        self.mu_1, self.mu_2 = mu_1[inside], mu_2[inside]
        self.size = int(inside.sum())
        self.difference = difference

    def _root(self, radicand):
        numerator, denominator = radicand
        if self.context is None:
            return np.sqrt(numerator / denominator)
        sqrt, mpf = self.context.sqrt, self.context.mpf
        known = {}
        return np.array(
            [
                known.setdefault((p, q), sqrt(mpf(p) / q)) if (p, q) not in known else known[p, q]
                for p, q in zip(numerator.tolist(), denominator.tolist(), strict=True)
            ],
            dtype=object,
        )

    def product(self, first, second):
        """Rows, columns and values of an operator on m₁ times one on m₂."""
        parts = []
        for step_1, turn_1, factor_1, radicand_1 in first(self.l_1, self.mu_1):
            for step_2, _, factor_2, radicand_2 in second(self.l_2, self.mu_2):
                to_1, to_2 = self.l_1 + step_1, self.l_2 + step_2
                mu = self.mu_1 + turn_1 + self.mu_max
                inside = (to_1 >= 0) & (to_1 <= self.l_max) & (to_2 >= 0) & (to_2 <= self.l_max)
                inside &= (mu >= 0) & (mu <= 2 * self.mu_max)
                columns = np.flatnonzero(inside)
                rows = self.where[to_1[columns], to_2[columns], mu[columns]]
                columns, rows = columns[rows >= 0], rows[rows >= 0]
                values = factor_1[columns] * factor_2[columns]
                values = values * self._root(tuple(x[columns] for x in radicand_1))
                values = values * self._root(tuple(x[columns] for x in radicand_2))
                parts.append((rows, columns, values))
        return tuple(np.concatenate(column) for column in zip(*parts, strict=True))

    @staticmethod
    def total(*terms):
        """Sum of coefficient × operator."""
        rows, columns, values = zip(
            *((r, c, coefficient * v) for coefficient, (r, c, v) in terms), strict=True
        )
        return np.concatenate(rows), np.concatenate(columns), np.concatenate(values)

    def _generator(self):
        (y_1, y_2), (nu_1, nu_2), (rate_1, rate_2) = self.y, self.nu, self.rates
        terms = [
            (rate_1 * y_1, self.product(diffusion, identity)),
            (rate_2 * y_2, self.product(identity, diffusion)),
            (rate_1 * nu_1 / 2, self.product(fall, identity)),
            (rate_2 * nu_2 / 2, self.product(identity, fall)),
        ]
        # m₂ˣR₁ₓ + m₂ʸR₁ᵧ = (m₂⁺R₁⁻ + m₂⁻R₁⁺)/2 and R = −iL.
        turn = 1j * self.drive / 4
        terms += [
            (turn * nu_2, self.product(L_minus, m_plus)),
            (turn * nu_2, self.product(L_plus, m_minus)),
            (turn * nu_1, self.product(m_plus, L_minus)),
            (turn * nu_1, self.product(m_minus, L_plus)),
        ]
        return self.total(*terms)

    @cached_property
    def current(self):
        """p = (ω₀ν₁ν₂/4) Im(m₁⁺m₂⁻), the quanta current per N, as a factor."""
        flux = self.drive * self.nu[0] * self.nu[1] / 4
        return self.total(
            (flux / 2j, self.product(m_plus, m_minus)), (-flux / 2j, self.product(m_minus, m_plus))
        )

    def apply(self, operator, f, *, transposed=False):
        rows, columns, values = operator
        if transposed:
            rows, columns = columns, rows
        image = np.zeros(self.size, dtype=complex if self.context is None else object)
        np.add.at(image, rows, values * f[columns])
        return image

    @cached_property
    def one(self):
        """The function 1."""
        f = np.zeros(self.size, dtype=complex if self.context is None else object)
        f[self.where[0, 0, self.mu_max]] = 1
        return f

    @property
    def matrix(self):
        rows, columns, values = self.generator
        return csc_array((values.astype(complex), (rows, columns)), shape=(self.size, self.size))

    @cached_property
    def rest(self):
        """All functions but 1."""
        return np.delete(np.arange(self.size), self.where[0, 0, self.mu_max])

    @cached_property
    def _factors(self):
        return splu(self.matrix[self.rest][:, self.rest].tocsc(), permc_spec="MMD_AT_PLUS_A")

    def _solve(self, right, *, transposed):
        """x with x = 0 along 1 and 𝓛x = right elsewhere; refined in the working precision."""
        x = np.zeros(self.size, dtype=right.dtype)
        smallest = EPS if self.context is None else self.context.eps
        while True:
            defect = (right - self.apply(self.generator, x, transposed=transposed))[self.rest]
            scale = max(abs(defect))
            if scale <= 64 * smallest * max(abs(right)):
                break
            step = self._factors.solve(
                (defect / scale).astype(complex), trans="T" if transposed else "N"
            )
            x[self.rest] += scale * step
        return x

    @cached_property
    def moments(self):
        """⟨Y⟩ of all functions: ⟨𝓛f⟩ = 0 for every f, and ⟨1⟩ = 1."""
        first = self.apply(self.generator, self.one, transposed=True)
        return self.one + self._solve(-first, transposed=True)

    def average(self, *operators):
        """⟨O₁O₂…1⟩."""
        f = self.one
        for operator in reversed(operators):
            f = self.apply(operator, f)
        return self.real(self.moments @ f)

    def real(self, value):
        if self.context is None:
            return float(value.real)
        return self.context.mpc(value).real

    @cached_property
    def J(self):
        """J/N."""
        return self.average(self.current)

    @cached_property
    def D(self):
        """D/N² = 2⟨p h⟩ with 𝓛h = −(p − ⟨p⟩) and ⟨h⟩ = 0."""
        p = self.apply(self.current, self.one)
        h = self._solve(self.J * self.one - p, transposed=False)
        h = h - (self.moments @ h) * self.one
        return 2 * self.real(self.moments @ self.apply(self.current, h))

    def values(self):
        """By the names of the solver's variables."""
        z_1, z_2 = self.product(m_z, identity), self.product(identity, m_z)
        # m₁⁺m₂⁻ = … + i(m₁ʸm₂ˣ − m₁ˣm₂ʸ), and the U(1) symmetry makes the two equal but for sign.
        plus_minus = self.product(m_plus, m_minus)
        plus_minus = plus_minus[0], plus_minus[1], plus_minus[2] * 1j
        return {
            "quanta_current_per_pair": self.J,
            "quanta_current_per_pair_noise": self.D,
            "magnetization_1": self.average(z_1),
            "magnetization_2": self.average(z_2),
            "magnetization_1_squared": self.average(z_1, z_1),
            "magnetization_2_squared": self.average(z_2, z_2),
            "spin_correlation_zz": self.average(z_1, z_2),
            "spin_correlation_xy": self.average(plus_minus) / 2,
        }

    @property
    def constancy(self):
        return 2 * self.J / (self.affinity * self.D)

    def eigenvalues(self):
        """All eigenvalues of the truncated sector but the 0 of the function 1, slowest first."""
        matrix = self.matrix.toarray()
        if self.difference == 0:
            matrix = matrix[self.rest][:, self.rest]
        values = eigvals(matrix)
        return values[np.argsort(-values.real)]

    def slow_eigenvalues(self, count=8):
        """The eigenvalues next to 0 by Arnoldi iteration on the inverse, slowest first."""
        matrix = self.matrix
        if self.difference == 0:
            matrix = matrix[self.rest][:, self.rest]
        start = np.ones(matrix.shape[0])
        values = eigs(matrix.tocsc(), k=count, sigma=0, v0=start, return_eigenvectors=False)
        return values[np.argsort(-values.real)]


def bath_rates(y, nu, mu, l_max):
    """Decay rates of order μ of one spin and its bath, slowest first, in units of Γ₀."""
    degree = np.arange(abs(mu), l_max + 1)
    order = np.full_like(degree, mu)
    size = degree.size
    matrix = np.zeros((size, size))
    for coefficient, operator in ((y, diffusion), (nu / 2, fall)):
        for step, _, factor, (numerator, denominator) in operator(degree, order):
            rows = np.arange(size) + step
            inside = (rows >= 0) & (rows < size)
            values = coefficient * factor * np.sqrt(numerator / denominator)
            matrix[rows[inside], np.flatnonzero(inside)] += values[inside]
    return np.sort(-eigvals(matrix).real)
