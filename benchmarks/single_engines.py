"""CPU time of one engine that costs more than its state and noise: gap, local noise, detuning.

    python benchmarks/single_engines.py --N 8 16 24

The gap is that of Fig. 7's engine, and of Fig. 2's at a drive of 50 Γ₀; local noise and detuning
act on Fig. 2's engine, with all default variables.  A question is asked of two pairs
first, so that imports are not counted.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from dataclasses import replace

from threadpoolctl import threadpool_limits

from ensemble import Engine, Exact

FIG_2 = Engine(N=2, E_1=100, delta_E=125, T_mean=150, delta_T=100, omega_0=1, Gamma_0=1)
FIG_7 = Engine(
    N=2, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006, Gamma_0=0.001,
    scaling="high-temperature",
)  # fmt: skip

QUESTIONS: dict[str, tuple[Engine, list[str] | None]] = {
    "gap, Fig. 7": (FIG_7, ["gap"]),
    "gap, 50 Γ₀": (replace(FIG_2, omega_0=50), ["gap"]),
    "Gamma_local = Γ₀": (replace(FIG_2, Gamma_local=1), None),
    "detuning = Γ₀": (replace(FIG_2, detuning=1), None),
}
"""An engine and the variables that are asked for; None stands for all default ones."""


def seconds(engine: Engine, variables: list[str] | None) -> float:
    """CPU time of one solution; it must be certified."""
    start = time.process_time()
    solution = Exact().solve(engine, variables)
    spent = time.process_time() - start
    if solution.status.label != "ok":
        raise SystemExit(f"{engine}: {solution.status.label}, {solution.message}")
    return spent


def main() -> None:
    """Read the command line, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--N", type=int, nargs="+", default=[8, 16, 24], help="spin pairs")
    parser.add_argument("--rounds", type=int, default=1, help="the fastest counts (default: 1)")
    options = parser.parse_args()
    print(
        f"conditions  {os.cpu_count()} CPUs ({platform.machine()}), load {os.getloadavg()[0]:.1f}, "
        f"Python {platform.python_version()}, one BLAS thread; CPU time in s"
    )
    print(f"{'N':24s}{''.join(f'{N:>10d}' for N in options.N)}")
    with threadpool_limits(1):
        for name, (engine, variables) in QUESTIONS.items():
            seconds(engine, variables)
            times = [
                min(seconds(replace(engine, N=N), variables) for _ in range(options.rounds))
                for N in options.N
            ]
            print(f"{name:24s}{''.join(f'{spent:10.3f}' for spent in times)}", flush=True)


if __name__ == "__main__":
    main()
