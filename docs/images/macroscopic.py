"""Draws macroscopic.png: the constancy at N → ∞, exact against closed, and the certificates.

    python docs/images/macroscopic.py

It takes about a minute.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
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
from heatcat.figures.recipe import STYLE

EXACT, CLOSED = "#0072b2", "#d55e00"
SIZES = ((2, "#a6761d"), (8, "#74b87a"), (32, "#1b7837"))
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


def draw() -> Figure:
    """Four panels."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    (why, constancy), (excess, certificate) = figure.subplots(2, 2)

    times = np.linspace(0, 1500, 151)
    exact = current_correlation(classical_state(ClassicalPair(engine())), times)
    closed = closed_correlation(times)
    why.plot(1e-3 * times, exact / exact[0], color=EXACT, label="exact: falls below 0")
    why.plot(1e-3 * times, closed / closed[0], "--", color=CLOSED, label="closure: D3–D5")
    why.axhline(0, color="0.6", lw=0.8)
    why.set(xlabel=r"$\Gamma_0\tau$", ylabel=r"$c(\tau)/c(0)$")
    why.set_title(r"(a) correlation of the power: Var$(P)/N^2 = 2\Delta E^2\int c\,d\tau$")
    why.legend(frameon=False)

    drives = np.geomspace(2e-4, 0.05, 33)
    limit = [Macroscopic().solve(engine(omega_0=w), ["constancy"]).values for w in drives]
    closure = [Cumulant().solve(engine(omega_0=w), ["constancy"]).values for w in drives]
    C = np.array([values["constancy"] for values in limit])
    ratio = drives / 0.001
    constancy.plot(ratio, C, color=EXACT, label=r"$N\to\infty$, exact")
    constancy.plot(
        ratio, [values["constancy"] for values in closure], "--", color=CLOSED,
        label=r"$N\to\infty$, closure (order 3)",
    )  # fmt: skip
    excess.plot(ratio, 1e5 * (C - 1), color=EXACT, lw=2, label=r"$N\to\infty$, exact")
    for N, color in SIZES:
        found = np.array(
            [Exact().solve(engine(N, w), ["constancy"]).values["constancy"] for w in drives[::2]]
        )
        constancy.plot(ratio[::2], found, "o", ms=3, color=color, label=f"$N$ = {N}")
        excess.plot(ratio[::2], 1e5 * (found - 1), "o", ms=3, color=color, label=f"$N$ = {N}")
    constancy.axhline(1, color="black", ls=":", lw=1)
    constancy.set(xscale="log", xlabel=r"$\omega_0/\Gamma_0$", ylabel=r"constancy $C$")
    constancy.set_title("(b) the closure loses the constancy, the limit keeps it")
    constancy.legend(frameon=False)
    excess.axhline(0, color="black", ls=":", lw=1, label="TUR bound")
    excess.set(xscale="log", ylim=(-3, 6), xlabel=r"$\omega_0/\Gamma_0$", ylabel=r"$10^5\,(C - 1)$")
    excess.set_title(r"(c) $C > 1$ survives $N\to\infty$")
    excess.legend(frameon=False)

    degrees = range(2, 13)
    for (name, errors), marker in zip(harmonic_errors(degrees).items(), "os^", strict=True):
        certificate.semilogy(degrees, errors, marker, ms=4, ls="-", label=f"error of {name}")
    certificate.axhline(1.587e-5, color="0.4", ls="--", lw=1)
    certificate.text(12, 2.2e-5, r"$C - 1$", ha="right", color="0.3")
    certificate.set(xlabel=r"largest degree $l$ of the harmonics", ylabel="relative error")
    certificate.set_title("(d) certificate: exponential convergence in $l$")
    certificate.legend(frameon=False)
    return figure


if __name__ == "__main__":
    with mpl.rc_context(STYLE):
        draw().savefig(Path(__file__).with_suffix(".png"))
