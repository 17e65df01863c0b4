"""Time the exact method against QuTiP on one engine of each size, in one run.

    python benchmarks/against_qutip.py --N 4 8 12 16 20

QuTiP: ``steadystate(method="direct")`` computes the state, both ensembles in their symmetric
subspaces of N + 1 levels.  Up to N = ``--try-all`` it is called in each of its `WAYS`, orderings of
the sparse LU among them, and the fastest counts; the way that won there is used for larger N.  The
power variance (Eq. 11) is a sparse solve with QuTiP's Liouvillian, one LU and one substitution,
because QuTiP's own pseudo-inverse is dense or far slower.  The exact method computes state and
variance with every self-check (three noise solves).  Both build their generator within the time.
In a block: what one engine takes among ``--block`` engines that differ in ΔE and are given to
``HeatEngine.solve`` at once, as a sweep does, with all default variables.
Of both sides the first call is not counted, then the fastest of several counts (of QuTiP's calls
that take more than 3 s, one).

Times are CPU times of this process: with one BLAS thread (``--threads``) they are the wall times of
an idle core, and other work of the machine changes them little.  One thread suits QuTiP best:
SuperLU calls BLAS on many small blocks.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import resource
import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

import numpy as np
import qutip
import scipy
from scipy.sparse import linalg
from threadpoolctl import threadpool_info, threadpool_limits

from catalog.heat_engine.model import HeatEngine
from ensemble import Engine, Exact

T = TypeVar("T")
VARIABLES = ("power", "power_variance")
WAYS: dict[str, dict[str, Any]] = {
    "default": {},
    "MMD_AT_PLUS_A": {"permc_spec": "MMD_AT_PLUS_A"},
    "MMD_ATA": {"permc_spec": "MMD_ATA"},
    "RCM": {"use_rcm": True, "permc_spec": "NATURAL"},
}
"""Options of ``steadystate(method="direct")``; permc_spec goes to SciPy's ``spsolve``."""
LONG = 3.0
"""Seconds beyond which a call of QuTiP is made once."""
ROUNDS = 3


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """CPU time in seconds, and the result."""
    start = time.process_time()
    result = call()
    return time.process_time() - start, result


def fastest(call: Callable[[], T]) -> tuple[float, T]:
    """The fastest of several calls; one call if it is long."""
    best, result = timed(call)
    for _ in range(ROUNDS if best < LONG else 0):
        best = min(best, timed(call)[0])
    return best, result


def model(engine: Engine) -> tuple[qutip.Qobj, qutip.Qobj, list[qutip.Qobj]]:
    """Hamiltonian, power and jump operators of an engine."""
    spins = [qutip.jmat(spin, "+") for spin in (n / 2 for n in engine.levels)]
    ones = [qutip.qeye_like(spin) for spin in spins]
    up_1, up_2 = qutip.tensor(spins[0], ones[1]), qutip.tensor(ones[0], spins[1])
    hop = up_1 * up_2.dag()
    hamiltonian = engine.drive / 2 * (hop + hop.dag())
    power = -0.5j * engine.drive * engine.delta_E * (hop - hop.dag())
    jumps = [
        math.sqrt(rate) * jump
        for bath, up in ((engine.cold, up_1), (engine.hot, up_2))
        for rate, jump in ((bath.gamma_down, up.dag()), (bath.gamma_up, up))
    ]
    return hamiltonian, power, jumps


def qutip_state(engine: Engine, options: dict[str, Any]) -> tuple[qutip.Qobj, float]:
    """The stationary state and its power."""
    hamiltonian, power, jumps = model(engine)
    rho = qutip.steadystate(hamiltonian, jumps, method="direct", **options)
    return rho, qutip.expect(power, rho)


def qutip_variance(engine: Engine, rho: qutip.Qobj) -> float:
    """The power variance that follows from the state."""
    hamiltonian, power, jumps = model(engine)
    mean = qutip.expect(power, rho)
    source = qutip.operator_to_vector((power * rho + rho * power) / 2 - mean * rho)
    right = source.full().ravel()
    # Fix one population instead of a dense trace row, and restore the trace afterwards.
    keep = np.arange(1, right.size)
    matrix = qutip.liouvillian(hamiltonian, jumps).data.as_scipy().tocsc()
    factors = linalg.splu(matrix[1:, 1:], permc_spec="MMD_AT_PLUS_A")
    response = np.zeros_like(right)
    response[keep] = factors.solve(right[keep])
    y = qutip.vector_to_operator(qutip.Qobj(response, dims=source.dims))
    return -2 * qutip.expect(power, y - y.tr() * rho).real


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, nargs="+", default=[4, 8, 12, 16, 20])
    parser.add_argument("--try-all", type=int, default=12, metavar="N")
    parser.add_argument("--no-variance", action="store_true", help="QuTiP computes the state alone")
    parser.add_argument("--block", type=int, default=128, help="engines of a block (default: 128)")
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads (default: 1)")
    options = parser.parse_args()
    with threadpool_limits(options.threads):
        threads = {f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()}
        print(
            f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), "
            f"load {os.getloadavg()[0]:.1f}, threads: {', '.join(sorted(threads))}; CPU times"
        )
        print(
            f"versions    Python {platform.python_version()}, NumPy {np.__version__}, "
            f"SciPy {scipy.__version__}, QuTiP {qutip.__version__} "
            f"(with MKL: {qutip.settings.has_mkl})"
        )
        print(f"engine      {engine_of(options.N[0])}, and other N")
        print(
            "  N  QuTiP: way      state  variance  exact: first    warm  in a block  ratio of the "
            "state: first   warm  block   with variance: warm  difference"
        )
        ways = WAYS
        for N in sorted(options.N):
            winner = compare(N, ways, options.block, with_variance=not options.no_variance)
            if options.try_all <= N:
                ways = {winner: WAYS[winner]}
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"memory      peak of both {memory / 2**20:.2f} GB; load now {os.getloadavg()[0]:.1f}")


FIG_2 = {"E_1": 100.0, "T_mean": 150.0, "delta_T": 100.0, "omega_0": 1.0, "Gamma_0": 1.0}


def engine_of(N: int) -> Engine:
    """Fig. 2's engine at ΔE = 125 ω₀."""
    return Engine(N=N, delta_E=125, **FIG_2)


def in_a_block(N: int, size: int) -> float:
    """CPU time of an engine of a block, with all default variables."""
    model = HeatEngine()
    points = [{"N": N, "delta_E": E, **FIG_2} for E in np.linspace(100, 150, size).tolist()]
    names = list(model.default_variables)
    list(model.solve(points[:2], names))
    return timed(lambda: list(model.solve(points, names)))[0] / size


def compare(N: int, ways: dict[str, dict[str, Any]], block: int, *, with_variance: bool) -> str:
    """Time both sides at N pairs and print a line; the way of QuTiP that was fastest."""
    engine = engine_of(N)

    def solve() -> dict[str, float]:
        return dict(Exact().solve(engine, VARIABLES).values)

    first, ours = timed(solve)
    warm = min(timed(solve)[0] for _ in range(ROUNDS))
    together = in_a_block(N, block)
    if N < LONG * 3:  # imports and first calls of QuTiP, which take no time at larger N
        for options in ways.values():
            qutip_state(engine, options)
    tried = {way: fastest(partial(qutip_state, engine, o)) for way, o in ways.items()}
    way = min(tried, key=lambda name: tried[name][0])
    state, (rho, power) = tried[way]
    off = {"power": abs(power / ours["power"] - 1)}
    variance = math.nan
    if with_variance:
        variance, found = fastest(lambda: qutip_variance(engine, rho))
        off["variance"] = abs(found / ours["power_variance"] - 1)
    differences = ", ".join(f"{name} {value:.0e}" for name, value in off.items())
    print(
        f"{N:3d}  {way:13s}  {state:8.3f}  {variance:8.3f}  {first:12.4f}  {warm:6.4f}  "
        f"{together:10.5f}  {state / first:20.0f}  {state / warm:6.0f} {state / together:6.0f}  "
        f"{(state + variance) / warm:20.0f}  {differences}",
        flush=True,
    )
    others = [f"{name} {found[0]:.3f} s" for name, found in tried.items() if name != way]
    if others:
        print(f"     {', '.join(others)}")
    return way


if __name__ == "__main__":
    main()
