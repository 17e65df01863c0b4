r"""One ensemble of n spins ½ in a permutation-invariant state, and how its baths act on it.

Such a state is a mixture of |J, k⟩⟨J, k'| averaged over the d_J ways in which n spins ½ make a
total spin J.  Local jumps change J by −1, 0 or 1, with coefficients that depend on J and k only
(Chase and Geremia, PRA 78, 052101 (2008); Shammah et al., PRA 98, 063815 (2018);
docs/theory/local-noise.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse, special

from ensemble.arrays import FloatArray, IntArray
from ensemble.errors import InvalidInput
from ensemble.generator.sector import ladder


@dataclass(frozen=True)
class SpinBasis:
    r"""Elements |J, low⟩⟨J, low + q| of n spins ½, from J = n/2 down.

    ``low`` and low + q are numbers of excited spins, (n/2) − J ≤ low and low + q ≤ (n/2) + J.  An
    element stands for the sum over the d_J copies of J divided by d_J, so that the trace of a state
    is the sum of its elements at q = 0.

    Parameters
    ----------
    n : int
        Number of spins ½.
    q : int
        Order of coherence, 0 ≤ q ≤ n.

    Attributes
    ----------
    j : ndarray of int, shape (size,)
        2J of each element.
    low : ndarray of int, shape (size,)
        The smaller number of excited spins.

    Examples
    --------
    Two spins have a triplet and a singlet:

    >>> basis = SpinBasis(2, 0)
    >>> basis.j.tolist(), basis.low.tolist()
    ([2, 2, 2, 0], [0, 1, 2, 1])
    """

    n: int
    q: int
    j: IntArray = field(init=False, repr=False, compare=False)
    low: IntArray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        spins = np.arange(self.n, self.q - 1, -2)
        ranges = [np.arange((self.n - j) // 2, (self.n + j) // 2 + 1 - self.q) for j in spins]
        # The instance is frozen.
        object.__setattr__(self, "j", np.repeat(spins, [item.size for item in ranges]))
        object.__setattr__(self, "low", np.concatenate(ranges))

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.j.size

    @property
    def step(self) -> IntArray:
        """J + M of the smaller number: its distance to the lowest level of its J."""
        return self.low - (self.n - self.j) // 2

    def index(self, j: IntArray, low: IntArray) -> IntArray:
        """Positions of elements, all of which must exist."""
        above = (self.n - j) // 2  # total spins larger than J; Σ (j' + 1 − q) over them
        start = above * (self.n + 1 - self.q) - above * (above - 1)
        return start + low - (self.n - j) // 2

    def contains(self, j: IntArray, low: IntArray) -> NDArray[np.bool_]:
        """Whether there are elements with these numbers."""
        bottom = (self.n - j) // 2
        valid = (j <= self.n) & (j >= self.q) & (low >= bottom)
        return valid & (low + self.q <= bottom + j)

    @property
    def log_multiplicity(self) -> FloatArray:
        """ln d_J of each element."""
        return log_multiplicity(self.n, self.j)


def log_multiplicity(n: int, j: IntArray) -> FloatArray:
    r"""Logarithm of the number of ways in which n spins ½ make the total spin J = j/2.

    .. math:: d_J = \binom{n}{n/2 - J} \frac{2J + 1}{n/2 + J + 1}

    Examples
    --------
    >>> np.exp(log_multiplicity(4, np.array([4, 2, 0]))).round(12).tolist()
    [1.0, 3.0, 2.0]
    """
    paired = (n - np.asarray(j)) / 2
    binomial = special.gammaln(n + 1) - special.gammaln(paired + 1)
    binomial -= special.gammaln(n - paired + 1)
    return np.asarray(binomial + np.log((j + 1) / (n - paired + 1)))


def spin_weights(N: int, log_ratio: float) -> tuple[FloatArray, FloatArray]:
    r"""Distribution of the total spin of N independent spins ½ in a thermal state.

    .. math:: w(S) = d_S
              \frac{\sum_{m=-S}^{S} e^{-\ell m}}{(e^{\ell/2} + e^{-\ell/2})^N}

    with d_S the number of ways of `log_multiplicity`.

    Parameters
    ----------
    N : int
    log_ratio : float
        ℓ = E/T.

    Returns
    -------
    spins, weights : ndarray, shape (N // 2 + 1,)
        S = N/2, N/2 − 1, …, and its probability.

    Examples
    --------
    Two hot spins: a triplet three times out of four.

    >>> spin_weights(2, 0.0)[1].round(12)
    array([0.75, 0.25])
    """
    if N < 1:
        raise InvalidInput(f"N must be at least 1, but is {N}: use N = 1, 2, 3, …")
    j = np.arange(N, -1, -2)
    spins = j / 2
    partition = np.array(
        [special.logsumexp(-log_ratio * np.arange(-spin, spin + 1)) for spin in spins]
    )
    one = np.logaddexp(log_ratio / 2, -log_ratio / 2)
    weights: FloatArray = np.exp(log_multiplicity(N, j) + partition - N * one)
    return spins, weights


@dataclass(frozen=True, eq=False)
class SpinParts:
    """Baths and dephasing of one ensemble at one coherence order, matrices per unit of each rate.

    Attributes
    ----------
    basis : SpinBasis
    down, up : csr_array
        Jump terms of the collective bath, ρ → S⁻ρS⁺ and S⁺ρS⁻.
    local_down, local_up : csr_array
        Jump terms of the local baths, ρ → Σ σ⁻ρσ⁺ and Σ σ⁺ρσ⁻.
    local_z : csr_array
        ρ → Σ σᶻρσᶻ.
    down_loss, up_loss, local_down_loss, local_up_loss : ndarray, shape (size,)
        Half the anticommutators, ½{S⁺S⁻, ρ} and so on; that of σᶻ is n.
    """

    basis: SpinBasis
    down: sparse.csr_array
    up: sparse.csr_array
    local_down: sparse.csr_array
    local_up: sparse.csr_array
    local_z: sparse.csr_array
    down_loss: FloatArray
    up_loss: FloatArray
    local_down_loss: FloatArray
    local_up_loss: FloatArray


@lru_cache(maxsize=512)
def spin_parts(n: int, q: int) -> SpinParts:
    r"""The parts for n spins ½ at coherence order q.

    With m = J + M the steps above the lowest level of J, a local jump takes |J, M⟩⟨J, M'| to

    .. math:: \frac{n/2 + 1}{2J(J+1)} A A' \ (J), \quad
              \frac{n/2 + J + 1}{2J(2J+1)} B B' \ (J - 1), \quad
              \frac{n/2 - J}{2(J+1)(2J+1)} D D' \ (J + 1),

    A the amplitudes of the collective operator and B, D those to the neighbouring spins.
    """
    basis = SpinBasis(n, q)
    j, m = basis.j, basis.step
    top = m + q  # J + M of the larger number

    def both(square: ArrayLike, square_top: ArrayLike) -> FloatArray:
        """Amplitude of the ket times that of the bra; squares are negative outside of J."""
        squares = (np.maximum(item, 0.0) for item in (square, square_top))
        return np.asarray(math.prod(np.sqrt(item) for item in squares))

    def jumps(*entries: tuple[int, int, FloatArray]) -> sparse.csr_array:
        """Matrix that takes each element to (j + change, low + move) with some weight."""
        rows, columns, values = [], [], []
        for change, move, weight in entries:
            to_j, to_low = j + change, basis.low + move
            kept = basis.contains(to_j, to_low) & (weight != 0)
            rows.append(basis.index(to_j[kept], to_low[kept]))
            columns.append(np.flatnonzero(kept))
            values.append(weight[kept])
        shape = (basis.size, basis.size)
        where = (np.concatenate(rows), np.concatenate(columns))
        return sparse.csr_array(sparse.coo_array((np.concatenate(values), where), shape=shape))

    same, lower, higher = jump_shares(n, j)
    fall = ladder(m, j) * ladder(top, j)
    rise = ladder(m + 1, j) * ladder(top + 1, j)
    magnetisation = (2.0 * m - j) * (2.0 * top - j)  # 4 M M'
    return SpinParts(
        basis=basis,
        down=jumps((0, -1, fall)),
        up=jumps((0, 1, rise)),
        local_down=jumps(
            (0, -1, same * fall),
            (-2, -1, lower * both(m * (m - 1.0), top * (top - 1.0))),
            (2, -1, higher * both((j - m + 1.0) * (j - m + 2), (j - top + 1.0) * (j - top + 2))),
        ),
        local_up=jumps(
            (0, 1, same * rise),
            (-2, 1, lower * both((j - m) * (j - m - 1.0), (j - top) * (j - top - 1.0))),
            (2, 1, higher * both((m + 1.0) * (m + 2), (top + 1.0) * (top + 2))),
        ),
        local_z=jumps(
            (0, 0, same * magnetisation),
            (-2, 0, 4 * lower * both(m * (j - m + 0.0), top * (j - top + 0.0))),
            (2, 0, 4 * higher * both((m + 1.0) * (j - m + 1), (top + 1.0) * (j - top + 1))),
        ),
        down_loss=(ladder(m, j) ** 2 + ladder(top, j) ** 2) / 2,
        up_loss=(ladder(m + 1, j) ** 2 + ladder(top + 1, j) ** 2) / 2,
        local_down_loss=np.asarray(basis.low + q / 2),
        local_up_loss=np.asarray(n - basis.low - q / 2),
    )


def jump_shares(n: int, j: IntArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Factors of a local jump that keeps J = j/2, lowers and raises it; 0 where J is 0."""
    j = np.asarray(j, dtype=float)
    positive = np.where(j > 0, j, np.inf)
    same = (n + 2) / (positive * (j + 2))
    lower = (n + j + 2) / (2 * positive * (j + 1))
    higher = (n - j) / (2 * (j + 2) * (j + 1))
    return same, lower, higher
