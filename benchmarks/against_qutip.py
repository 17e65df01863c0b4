"""Time the exact method against QuTiP on one engine, in one run.

    python benchmarks/against_qutip.py --N 20

QuTiP: ``steadystate(method="direct")`` computes the state.  The power variance (Eq. 11) is a sparse
solve with QuTiP's Liouvillian, one LU and one substitution, because QuTiP's own pseudo-inverse is
dense or far slower.  The exact method computes state and variance with every self-check (three
noise solves); its first call is timed apart, then the best of three.  The time of both includes
building the generator.

BLAS is held to one thread for both sides (``--threads``), which suits QuTiP best: SuperLU calls it
on many small blocks.  With two cores a second thread brought QuTiP nothing when the other core was
idle (N = 14: 0.8 s, one thread 0.7 s) and made it 80 times slower when another job kept it busy
(56 s): such a ratio would say nothing about the methods.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import resource
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import qutip
import scipy
from scipy.sparse import linalg
from threadpoolctl import threadpool_info, threadpool_limits

from ensemble import Engine, Exact

T = TypeVar("T")
VARIABLES = ("power", "power_variance")


def timed(call: Callable[[], T]) -> tuple[float, T]:
    """Wall time in seconds, and the result."""
    start = time.perf_counter()
    result = call()
    return time.perf_counter() - start, result


def by_qutip(
    engine: Engine,
) -> tuple[Callable[[], tuple[qutip.Qobj, float]], Callable[[qutip.Qobj], float]]:
    """Two calls to time: the stationary state, and the power variance that follows from it."""

    def model() -> tuple[qutip.Qobj, qutip.Qobj, list[qutip.Qobj]]:
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

    def state() -> tuple[qutip.Qobj, float]:
        hamiltonian, power, jumps = model()
        rho = qutip.steadystate(hamiltonian, jumps, method="direct")
        return rho, qutip.expect(power, rho)

    def variance(rho: qutip.Qobj) -> float:
        hamiltonian, power, jumps = model()
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

    return state, variance


def main() -> None:
    """Read the command line and run the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, default=20, help="spin pairs (default: 20)")
    parser.add_argument("--threads", type=int, default=1, help="BLAS threads (default: 1)")
    arguments = parser.parse_args()
    with threadpool_limits(arguments.threads):
        compare(arguments.N)


def compare(N: int) -> None:
    """Time both sides at N pairs and print the result."""
    engine = Engine(N=N, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)

    def solve() -> dict[str, float]:
        return dict(Exact().solve(engine, VARIABLES).values)

    cold, ours = timed(solve)
    warm = min(timed(solve)[0] for _ in range(3))
    own_memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    state, variance = by_qutip(engine)
    state_time, (rho, power) = timed(state)
    variance_time, power_variance = timed(lambda: variance(rho))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    threads = {f"{pool['internal_api']} {pool['num_threads']}" for pool in threadpool_info()}
    print(f"engine      {engine}")
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"threads: {', '.join(sorted(threads))}"
    )
    print(
        f"versions    Python {platform.python_version()}, NumPy {np.__version__}, "
        f"SciPy {scipy.__version__}, QuTiP {qutip.__version__} "
        f"(with MKL: {qutip.settings.has_mkl})"
    )
    print(f"QuTiP       state {state_time:.3f} s, variance {variance_time:.3f} s more")
    print(f"exact       state and variance {cold:.3f} s cold, {warm:.4f} s warm (best of 3)")
    print(
        f"ratio       state alone by QuTiP over all of ours: {state_time / warm:.0f} warm, ", end=""
    )
    print(f"{state_time / cold:.0f} cold; with its variance: ", end="")
    print(f"{(state_time + variance_time) / warm:.0f} warm")
    print(
        f"memory      peak {own_memory / 2**20:.2f} GB before QuTiP ran, {memory / 2**20:.2f} after"
    )
    print(
        f"difference  power {abs(power / ours['power'] - 1):.1e}, "
        f"variance {abs(power_variance / ours['power_variance'] - 1):.1e} (relative)"
    )


if __name__ == "__main__":
    main()
