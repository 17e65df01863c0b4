"""The benchmark scripts run, at sizes that take a moment; what they measure is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = ["--rounds", "1", "--workers", "0", "--checks", "arrays"]
SMALL += ["--only", "loop and np.save", "heatcat"]
"""Of the other sweep tools, none: they need not be installed."""
ON_PAPER = ["--measured-points", "4000", "--tasks", "10"]
MAP = ["--grid", "2", "60", "--alone", "3", "--carnot", "1"]
TWO = ["--N", "1", "--side", "4", "--rounds", "1", "--ways", "one process", "two processes"]

RUNS = [
    (["against_qutip.py", "--N", "3", "4", "--try-all", "3", "--block", "2"], "ratio"),
    (["large_N.py", "--sizes", "4", "8"], "time ~ N^"),
    (["point_overhead.py", "--points", "256", "--rounds", "1"], "overhead"),
    (["open_and_reduce.py", "--sizes", "16", "--tasks", "maximum"], "store: "),
    (["two_workers.py", *TWO], "speed-up    two processes"),
    (["on_paper.py", "--points", "1e9", *ON_PAPER], "breaks first"),
    (["solver_choice.py", "--N", "2", "3", "4", "--points", "2", "--maps", "fig2"], "warm"),
    (["blocks_together.py", "--N", "1", "2", "--points", "8"], "8 of 8"),
    (
        ["maps.py", "--N", "13", "--grid", "12", "8", "--variables", "few", "--alone", "2"],
        "difference",
    ),
    (["macroscopic_map.py", *MAP], "together 120"),
    (["whole_sweep.py", "--points", "1000", "--rounds", "1"], "files"),
    (["import_time.py", "--rounds", "1"], "import catalog"),
    (["single_engines.py", "--N", "1"], "detuning"),
    (
        ["against_sweep_tools.py", "--points", "4", "--busy", "4", *SMALL],
        "heatcat              a dimension of the result, with its labels",
    ),
]


@pytest.mark.pages
@pytest.mark.parametrize(("command", "answer"), RUNS, ids=lambda command: str(command[0]))
def test_benchmark_runs(command, answer):
    script, *options = command
    result = subprocess.run(
        [sys.executable, BENCHMARKS / script, *options], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert answer in result.stdout


def test_every_script_is_run():
    """``make bench`` runs every one; here too, so that none is broken before someone needs it."""
    scripts = {path.name for path in BENCHMARKS.glob("*.py")}
    assert scripts == {command[0] for command, _ in RUNS}
