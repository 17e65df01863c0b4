"""The benchmark scripts run, at sizes that take a moment; what they measure is not tested."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
SMALL = ["--rounds", "1", "--workers", "0", "--checks", "arrays"]
SMALL += ["--only", "loop and np.save", "heatcat"]
"""Of the other sweep tools, none: they need not be installed."""


@pytest.mark.pages
@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (["against_qutip.py", "--N", "3"], "ratio"),
        (["large_N.py", "--sizes", "4", "8"], "time ~ N^"),
        (["block_overhead.py", "--N", "1", "--points", "4", "--rounds", "1"], "overhead"),
        (["blocks_together.py", "--N", "1", "2", "--points", "8"], "8 of 8"),
        (["whole_sweep.py", "--points", "1000", "--rounds", "1"], "files"),
        (["import_time.py", "--rounds", "1"], "import catalog"),
        (
            ["against_sweep_tools.py", "--points", "4", "--busy", "4", *SMALL],
            "heatcat              a dimension of the result, with its labels",
        ),
    ],
)
def test_benchmark_runs(command, answer):
    script, *options = command
    result = subprocess.run(
        [sys.executable, BENCHMARKS / script, *options], capture_output=True, text=True, timeout=120
    )
    assert result.returncode == 0, result.stderr
    assert answer in result.stdout
