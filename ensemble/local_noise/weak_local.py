r"""The limit Γ_loc → 0⁺: collective engines of all total spins, and slow switching between them.

Local noise, however slow, moves the engine between the pairs s = (J₁, J₂) of total spins until
their weights w are stationary.  In the limit the engine is at each time in the stationary state of
a pair, which the collective baths and the drive alone determine, and it switches between pairs with
rates Γ_loc K:

.. math:: K w = 0, \qquad \bar J = \sum_s w_s J_s, \qquad
          \Gamma_{\mathrm{loc}} D \to 2 \sum_s w_s (J_s - \bar J)\, g_s, \qquad
          K^T g = -(J - \bar J), \quad \sum_s w_s g_s = 0.

The derivation is in docs/theory/local-noise.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from scipy import sparse, special
from scipy.sparse.linalg import SuperLU

from ensemble.arrays import FloatArray, IntArray
from ensemble.counting.currents import Currents, currents
from ensemble.engine import Engine
from ensemble.errors import InvalidInput, Unsolvable
from ensemble.local_noise.spins import jump_shares, spin_weights
from ensemble.parameters.bath import Bath
from ensemble.steady.factorization import superlu
from ensemble.steady.stationary import stationary

MOST_SPINS = 400
"""Spins ½ of an ensemble."""
MOST_PAIRS = 10_000
"""Pairs of total spins that may be solved for one engine (N = 196 if none is left out)."""
MARGIN = 0.1
"""A pair is solved if its weight may exceed a bound; while too much weight is left out, the bound
is multiplied by this factor."""
STEPS = ((-2, 0), (2, 0), (0, -2), (0, 2))
"""Changes of (2J₁, 2J₂) by a local jump that changes a total spin."""

NOTHING = Currents(
    **{**dict.fromkeys((item.name for item in fields(Currents)), 0.0), "cancellation": 1.0}
)
"""Currents of a pair in which an ensemble has J = 0."""


@dataclass(frozen=True)
class Pair:
    """The collective engine of one pair of total spins.

    Attributes
    ----------
    flow : Currents
        Its currents, 0 where an ensemble has J = 0.
    rates : tuple of float
        Rates per unit of Γ_loc of the four ``STEPS``.
    excited : tuple of float
        Mean numbers of excited spins ½ in the two ensembles.
    residual : float
        Of its stationary state.
    """

    flow: Currents
    rates: tuple[float, ...]
    excited: tuple[float, ...]
    residual: float


@dataclass(frozen=True, eq=False)
class Switching:
    r"""Pairs of total spins, and the slow process between them.

    Attributes
    ----------
    engine : Engine
    labels : ndarray of int, shape (pairs, 2)
        (2J₁, 2J₂), the symmetric pair first if it was kept.
    pairs : list of Pair
    weights : ndarray, shape (pairs,)
        Stationary weights w.
    generator : csc_array
        K per unit of Γ_loc; column s has the rates out of pair s.
    neglected : float
        Estimated weight of the pairs that were left out.
    """

    engine: Engine
    labels: IntArray
    pairs: list[Pair]
    weights: FloatArray
    generator: sparse.csc_array
    neglected: float

    def values(self, of_pair: Callable[[Pair], float]) -> FloatArray:
        """A number of each pair."""
        return np.array([of_pair(pair) for pair in self.pairs])

    def average(self, of_pair: Callable[[Pair], float]) -> float:
        """Average over the stationary weights."""
        return float(self.weights @ self.values(of_pair))

    def total_spin(self, ensemble: int) -> float:
        """⟨Jᵢ²⟩ over its largest value, i = ensemble + 1."""
        n, j = self.engine.levels[ensemble], self.labels[:, ensemble]
        return float(self.weights @ (j * (j + 2))) / (n * (n + 2))

    @cached_property
    def _excess(self) -> FloatArray:
        """J/a of each pair less its average."""
        per_affinity = self.values(lambda pair: pair.flow.per_affinity)
        return np.asarray(per_affinity - self.weights @ per_affinity)

    @cached_property
    def _factors(self) -> tuple[IntArray, SuperLU | None]:
        """All pairs but the heaviest, and the factors of K between them."""
        return _grounded(self.generator, int(self.weights.argmax()))

    @cached_property
    def memory(self) -> FloatArray:
        r"""g/a = ∫₀^∞ (mean of J/a at time t, if s is the pair at 0, less its average) Γ_loc dt."""
        memory = np.zeros(self.weights.size)
        moved, factors = self._factors
        if factors is not None:
            memory[moved] = factors.solve(-self._excess[moved], trans="T")
        return np.asarray(memory - self.weights @ memory)

    @property
    def noise(self) -> float:
        """Γ_loc D/a² for Γ_loc → 0."""
        return 2 * float((self.weights * self._excess) @ self.memory)

    @property
    def noise_forward(self) -> float:
        """The same from K h = −(J − J̄) w instead of its transpose, as a check."""
        response = np.zeros(self.weights.size)
        moved, factors = self._factors
        if factors is not None:
            response[moved] = factors.solve(-(self._excess * self.weights)[moved])
        return 2 * float(self._excess @ (response - response.sum() * self.weights))

    @property
    def switching_time(self) -> float:
        r"""Γ_loc times the time for which the symmetric pair's current lasts.

        .. math:: \tau = \int_0^\infty \frac{J(t) - \bar J}{J(0) - \bar J}\, \Gamma_{loc}\, dt

        with J(t) the mean current of engines that start in J₁ = n₁/2, J₂ = n₂/2.  NaN if the
        symmetric pair was left out or carries the average current.
        """
        if tuple(self.labels[0]) != self.engine.levels:
            return np.nan
        excess = float(self._excess[0])
        return float(self.memory[0]) / excess if excess else np.nan

    @property
    def residual(self) -> float:
        """The largest residual of the pairs and of the balance of their weights."""
        net = np.abs(self.generator @ self.weights).sum()
        gross = (abs(self.generator) @ self.weights).sum()
        return max(float(net / gross) if gross else 0.0, *(p.residual for p in self.pairs))


def switching(engine: Engine, *, neglect: float, tolerance: float) -> Switching:
    """Solve the collective engines of all pairs of total spins that matter.

    Parameters
    ----------
    engine : Engine
        Only the ratio of its ``Gamma_dephasing`` to its ``Gamma_local`` enters.
    neglect : float
        Stationary weight of pairs that may be left out; 0: none is left out.
    tolerance : float
        Residual of each stationary state to reach.

    Raises
    ------
    InvalidInput
        If there are more than ``MOST_PAIRS``.
    """
    solved: dict[tuple[int, int], Pair] = {}
    likely = _likeliest(engine)
    bound = neglect
    while True:
        rows, columns = np.nonzero(likely >= bound)
        n_1, n_2 = engine.levels
        labels = np.stack([n_1 - 2 * rows, n_2 - 2 * columns], axis=1)
        require_few(labels.shape[0])
        for j_1, j_2 in labels.tolist():
            if (j_1, j_2) not in solved:
                solved[j_1, j_2] = _solve_pair(engine, j_1, j_2, tolerance)
        found = _connected(engine, labels, [solved[j_1, j_2] for j_1, j_2 in labels.tolist()])
        if found.neglected <= neglect or labels.shape[0] == likely.size:
            return found
        bound *= MARGIN


def require_few(pairs: int) -> None:
    """Raise ``InvalidInput`` for more than ``MOST_PAIRS`` pairs of total spins."""
    if pairs > MOST_PAIRS:
        raise InvalidInput(
            f"method weak-local solves at most {MOST_PAIRS} pairs of total spins, but {pairs} "
            "matter: choose a smaller N, or raise neglect to leave out unlikely ones"
        )


def pairs_kept(engine: Engine, neglect: float) -> int:
    """Number of pairs that are solved in the first round."""
    likely = _likeliest(engine)
    return int((likely >= neglect).sum())


def _likeliest(engine: Engine) -> FloatArray:
    """Largest weight of each pair, by multiples of J₁ and J₂ from the top.

    The drive brings each ensemble to a state between those of the two baths.  So this is the
    largest weight among the product states with either temperature in either ensemble.
    """
    weights = [
        np.maximum(*(spin_weights(n, bath.log_ratio)[1] for bath in (engine.cold, engine.hot)))
        for n in engine.levels
    ]
    return np.outer(*weights)


def _solve_pair(engine: Engine, j_1: int, j_2: int, tolerance: float) -> Pair:
    """The collective engine with spins j₁/2 and j₂/2, or two undriven ensembles if one is 0."""
    flow, residual = NOTHING, 0.0
    if j_1 and j_2:
        single = engine.collective(j_1 / 2, j_2 / 2)
        state = stationary(single, tolerance=tolerance)
        flow, residual = currents(state), state.residual
        populations = state.sector.block(state.rho, 0)
        levels = populations.sum(axis=1), populations.sum(axis=0)
    else:
        levels = _thermal_levels(engine.cold, j_1), _thermal_levels(engine.hot, j_2)
    rates: list[float] = []
    excited: list[float] = []
    for i, (n, j, p) in enumerate(zip(engine.levels, (j_1, j_2), levels, strict=True)):
        rates += _rates(engine, i, n, j, p)
        excited.append((n - j) / 2 + float(np.arange(p.size) @ p))
    return Pair(flow, tuple(rates), tuple(excited), residual)


def _thermal_levels(bath: Bath, j: int) -> FloatArray:
    """Populations of the levels of a spin j/2 in the thermal state of its bath."""
    exponent = -bath.log_ratio * np.arange(j + 1)
    return np.asarray(np.exp(exponent - special.logsumexp(exponent)))


def _rates(engine: Engine, i: int, n: int, j: int, p: FloatArray) -> tuple[float, float]:
    """Rates per Γ_loc at which local jumps lower and raise J = j/2, for populations p."""
    m = np.arange(p.size, dtype=float)
    bath, unit = (engine.cold, engine.hot)[i], engine.rates[i]
    down, up = bath.gamma_down / unit, bath.gamma_up / unit
    dephasing = engine.dephasing / engine.Gamma_local / 2 if engine.Gamma_local > 0 else 0.0
    _, lower, higher = (float(share) for share in jump_shares(n, np.asarray(j)))
    fall = down * m * (m - 1) + up * (j - m) * (j - m - 1) + 4 * dephasing * m * (j - m)
    rise = down * (j - m + 1) * (j - m + 2) + up * (m + 1) * (m + 2)
    rise += 4 * dephasing * (m + 1) * (j - m + 1)
    return lower * float(fall @ p), higher * float(rise @ p)


def _connected(engine: Engine, labels: IntArray, pairs: list[Pair]) -> Switching:
    """Weights and rates of pairs, transitions to those that were left out not allowed."""
    place = {label: index for index, label in enumerate(map(tuple, labels.tolist()))}
    rows, columns, values = [], [], []
    edges: list[tuple[int, float, float]] = []  # pair, rate out, rate back
    top = engine.levels
    for index, ((j_1, j_2), pair) in enumerate(zip(labels.tolist(), pairs, strict=True)):
        for number, (step, rate) in enumerate(zip(STEPS, pair.rates, strict=True)):
            target = (j_1 + step[0], j_2 + step[1])
            if target in place:
                rows += [place[target], index]
                columns += [index, index]
                values += [rate, -rate]
            elif all(0 <= j <= n for j, n in zip(target, top, strict=True)):
                edges.append((index, rate, pair.rates[number ^ 1]))
    size = len(pairs)
    generator = sparse.csc_array(sparse.coo_array((values, (rows, columns)), shape=(size, size)))
    weights = np.zeros(size)
    ground = int(_likeliest(engine)[tuple((np.array(top) - labels).T // 2)].argmax())
    weights[ground] = 1.0
    moved, factors = _grounded(generator, ground)
    if factors is not None:
        inflow = generator[:, [ground]].toarray().ravel()
        weights[moved] = factors.solve(-inflow[moved])
    weights /= weights.sum()
    neglected = 0.0
    for index, out, back in edges:  # a geometric tail beyond each edge
        tail = out / (back - out) if back > out else np.inf
        neglected += weights[index] * tail if out > 0 else 0.0
    return Switching(engine, labels, pairs, weights, generator, float(neglected))


def _grounded(generator: sparse.csc_array, ground: int) -> tuple[IntArray, SuperLU | None]:
    """All pairs but one, and the factors of the rates between them (None if there are none)."""
    moved = np.delete(np.arange(generator.shape[0]), ground)
    if not moved.size:
        return moved, None
    try:
        return moved, superlu(sparse.csc_array(generator[moved][:, moved]))
    except RuntimeError as failure:  # "Factor is exactly singular"
        raise Unsolvable(
            "a rate between total spins vanishes in double precision: bring the baths' E/T nearer "
            "to 1"
        ) from failure
