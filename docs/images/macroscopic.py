"""Draws macroscopic.png: the constancy at N → ∞, exact against closed, and the certificates.

    python docs/images/macroscopic.py

It takes about a minute.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from scipy.linalg import expm

from ensemble import Cumulant, Engine, Exact, Macroscopic
from ensemble.closure.fixed_point import fixed_point
from ensemble.closure.hierarchy import monomial
from ensemble.closure.regression import TRANSVERSE, current_form, regression_matrix
from ensemble.limits.bath_modes import BathModes
from ensemble.limits.block_tridiagonal import BlockTridiagonal
from ensemble.limits.classical_dynamics import current_correlation
from ensemble.limits.classical_pair import ClassicalPair
from ensemble.limits.mode_selection import classical_state
from ensemble.limits.pair_sector import PairSector
from heatcat.figures.maps import CLOSURE, EXACT, LIMIT, size_color
from heatcat.figures.panels import Axis, Drawing, Layer, Line, Note, Panel, Rule
from heatcat.figures.printed import draw, save

SIZES = (2, 8, 32)
CLOSED = r"$N \to \infty$, closure"
ROUNDING = 1e-16
"""Where errors are drawn that are smaller."""


def engine(N: int = 1, omega_0: float = 0.006) -> Engine:
    """Fig. 7's engine."""
    return Engine(
        N=N, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=omega_0, Gamma_0=0.001,
        scaling="high-temperature",
    )  # fmt: skip


def closed_correlation(times: np.ndarray) -> np.ndarray:
    """c(τ) of D3–D5."""
    point, pair = fixed_point(engine()), ClassicalPair(engine())
    V = point.covariance[np.ix_(TRANSVERSE, TRANSVERSE)]
    z_1, z_2 = (point.moments[monomial(text)] for text in ("z1", "z2"))
    M, Q = regression_matrix(z_1, z_2, point.rates), current_form(pair.flux)
    waiting = [expm(M * time) @ V for time in times]
    return np.array([2 * np.trace(Q @ K @ Q @ K.T) for K in waiting])


def harmonic_errors(degrees: range) -> dict[str, list[float]]:
    """Relative errors of J/N and D/N², and error of C, with spherical harmonics up to a degree."""
    pair, best = ClassicalPair(engine()), classical_state(ClassicalPair(engine()), tolerance=1e-14)
    exact = best.current, best.noise, 2 * best.current_per_affinity / best.noise
    errors: dict[str, list[float]] = {"J/N": [], "D/N²": [], "C": []}
    for l_max in degrees:
        modes = BathModes.of(0.0, modes=l_max + 1, orders=l_max)  # the harmonics themselves
        sector = PairSector.of(pair, (modes, modes))
        mu, k_1, k_2 = np.indices(sector.shape)
        selection = (mu + k_1 <= l_max) & (mu + k_2 <= l_max)
        selection[0, 0, 0] = False
        solver = BlockTridiagonal.of(sector, selection)
        x = np.zeros(sector.shape)
        x[0, 0, 0] = 1.0
        x += solver.solve(-sector.apply(x))[0]
        flow = sector.current(x)
        current = flow[0, 0, 0]
        response = solver.solve(current * x - flow)[0]
        noise = 2 * sector.current(response)[0, 0, 0]
        found = current, noise, 2 * current / (pair.affinity * noise)
        for name, value, reference in zip(errors, found, exact, strict=True):
            errors[name].append(max(abs(value / reference - 1), ROUNDING))
    return errors


def drawing() -> Drawing:
    """Four panels."""
    times = np.linspace(0, 1500, 151)
    exact = current_correlation(classical_state(ClassicalPair(engine())), times)
    closed = closed_correlation(times)
    why: list[Layer] = [
        Line(1e-3 * times, exact / exact[0], LIMIT, EXACT),
        Line(1e-3 * times, closed / closed[0], CLOSED, CLOSURE, "--"),
        Rule(0.0),
    ]
    drives = np.geomspace(2e-4, 0.05, 33)
    limit, closure = (
        np.array(
            [method.solve(engine(omega_0=w), ["constancy"]).values["constancy"] for w in drives]
        )
        for method in (Macroscopic(), Cumulant())
    )
    ratio = drives / 0.001
    constancy: list[Layer] = [
        Line(ratio, limit, LIMIT, EXACT),
        Line(ratio, closure, CLOSED, CLOSURE, "--"),
    ]
    excess: list[Layer] = [Line(ratio, 1e5 * (limit - 1), LIMIT, EXACT)]
    for N in SIZES:
        found = np.array(
            [Exact().solve(engine(N, w), ["constancy"]).values["constancy"] for w in drives[::2]]
        )
        for layers, values in ((constancy, found), (excess, 1e5 * (found - 1))):
            layers.append(Line(ratio[::2], values, f"$N$ = {N}", size_color(N), "", marker="o"))
    degrees = np.arange(2, 13)
    certificate: list[Layer] = [
        Line(degrees, errors, f"error of {name}", color, marker=marker)
        for (name, errors), marker, color in zip(
            harmonic_errors(range(2, 13)).items(), "os^", (EXACT, "#0072B2", CLOSURE), strict=True
        )
    ]
    certificate += [Rule(1.587e-5, color="#555555", dash="--"), Note(11, 1.587e-5, "$C - 1$")]
    drive = Axis(r"$\omega_0/\Gamma_0$", log=True)
    return Drawing(
        "Constancy at N → ∞: exact, closed, and certified",
        [
            [
                Panel(
                    "correlation of the power",
                    Axis(r"$\Gamma_0 \tau$"),
                    Axis(r"$c(\tau)/c(0)$"),
                    why,
                ),
                Panel("constancy", drive, Axis("$C$"), [*constancy, Rule(1.0, label="TUR bound")]),
            ],
            [
                Panel(
                    *("beside the bound", drive, Axis(r"$10^5\,(C - 1)$", limits=(-3, 6))),
                    [*excess, Rule(0.0, label="TUR bound")],
                ),
                Panel(
                    "convergence",
                    Axis("largest degree $l$ of the harmonics", ticks=range(2, 13, 2)),
                    Axis("relative error", log=True),
                    certificate,
                ),
            ],
        ],
    )


if __name__ == "__main__":
    save(draw(drawing()), Path(__file__).with_suffix(".png"))
