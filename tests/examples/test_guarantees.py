"""What the catalogue promises holds for a model of somebody else: the three-level maser.

Killed and resumed, extended, damaged and repaired, exported and read where its module is not.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import distributed
import numpy as np
import pandas as pd
import pytest
import xarray as xr

import catalog
from catalog import Status, Sweep
from catalog.running.workers import workers_of
from tests.catalog.processes import ROOT, cluster, heatcat, kill_9, wait_for
from tests.catalog.support import block_content, finished_blocks, refused, stored_values
from tests.catalog.test_kill import children_of, wait_until_gone
from tests.examples.support import BLOCKS, EXAMPLES, example

pytestmark = pytest.mark.kills

PATIENCE = 90.0
"""Seconds after which something that should happen is declared not to."""


@pytest.fixture
def store(complete, tmp_path) -> Path:
    return Path(shutil.copytree(complete, tmp_path / "store.zarr"))


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_local_cluster_killed_at_random_moments_ends_with_the_same_values(
    kills, folder, complete, tmp_path
):
    location, rng = tmp_path / "killed.zarr", random.Random(5)
    seen: dict[Any, dict[str, Any]] = {}

    def look() -> None:
        """Finished blocks are kept as they are, to the last bit."""
        for index, content in seen.items():
            assert block_content(location, index, "maser") == content, f"block {index} changed"
        for index in finished_blocks(location, "maser"):
            seen.setdefault(index, block_content(location, index, "maser"))

    words = ("run", folder / "sweep.toml", "--store", location, "--workers")
    for kill in range(kills):
        process = heatcat(*words, 2, cwd=tmp_path)
        wanted = min(len(seen) + rng.randint(1, BLOCKS // kills), BLOCKS - 1)
        deadline = time.monotonic() + PATIENCE
        while len(finished_blocks(location, "maser")) < wanted:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, "no block was finished"
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.03))
        helpers = children_of(process.pid)
        assert len(helpers) >= 2, "the workers are no processes"
        kill_9(process)
        look()
        wait_until_gone(helpers)
        process.communicate()
        # Shown if the test fails:
        print(f"kill {kill + 1}: {len(seen)} of {BLOCKS} blocks finished")
        if len(seen) == BLOCKS:
            break
    out, err = heatcat(*words, 1, cwd=tmp_path).communicate(timeout=PATIENCE)
    assert f"{BLOCKS} ok" in out, err
    look()
    assert len(seen) == BLOCKS
    assert stored_values(location, "maser") == stored_values(complete, "maser")


def test_more_labels_leave_finished_blocks_as_they_are(sweep, store):
    before = {
        index: block_content(store, index, "maser") for index in finished_blocks(store, "maser")
    }
    assert len(before) == BLOCKS
    wider = sweep.replace(axes={**sweep.axes, "omega_h": [2.0, 2.5, 3.0, 3.9, 4.1, 6.0]})
    assert catalog.run(wider, store, scheduler="synchronous")["ok"] == BLOCKS + 4
    after = {index: block_content(store, index, "maser") for index in before}
    assert after == before
    ds = catalog.open(store)["maser"].dataset().load()
    assert np.allclose(ds.efficiency.sel(omega_h=2.5), 1 - 1 / 2.5, rtol=0, atol=1e-9)
    assert ds.rates.dims == ("omega_h", "field", "mode")
    assert (ds.rates.real <= 1e-12).all()


def test_one_flipped_bit_is_found_and_repaired(sweep, store):
    assert catalog.check(store).sound
    before = stored_values(store, "maser")
    rng = random.Random(7)
    chunks = [path for path in (store / "maser" / "rates" / "c").rglob("*") if path.is_file()]
    chunk = rng.choice(chunks)
    content = bytearray(chunk.read_bytes())
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    chunk.write_bytes(content)
    (damage,) = catalog.check(store).damages
    assert damage.what == "rates"
    catalog.repair(store)
    assert catalog.check(store).sound
    assert catalog.run(sweep, store, scheduler="synchronous")["ok"] == BLOCKS
    assert stored_values(store, "maser") == before


ELSEWHERE = """
import importlib.util
import sys

import catalog

assert importlib.util.find_spec("maser") is None
location, folder = sys.argv[1:]
assert catalog.check(location).sound
entry = catalog.open(location)["maser"]
assert entry.counts()["ok"] == 20
assert entry.family.model.path == "maser:maser"
assert "three-level-maser" in entry._repr_html_()
ds = entry.dataset()
assert int(catalog.where_expression(ds, "P > 0 and λ < 1").sum()) == 6
point = entry.point({"ω_h": 3.0, "λ": 0.5})
assert abs(point.values["efficiency"] - 2 / 3) < 1e-9
assert point.values["rates"].shape == (4,)
try:
    point.reproduce()
except catalog.InvalidInput as refusal:
    print(refusal)
catalog.export(ds, f"{folder}/maser.nc")
catalog.export(ds, f"{folder}/maser.parquet")
assert len(catalog.table(ds)) == 20
assert "maser" not in sys.modules
assert "qutip" not in sys.modules
"""


def test_results_are_read_and_exported_where_the_module_is_not(complete, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, str(complete), str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (
        "the sweep was computed by model three-level-maser of maser:maser, which a store does not "
        "make a process import: name it yourself, --model maser:maser (in Python model=…)\n"
    )
    ds = catalog.open(complete)["maser"].dataset().load()
    with xr.open_dataset(tmp_path / "maser.nc", engine="h5netcdf") as read:
        assert np.array_equal(read.power, ds.power)
        assert np.array_equal(read.rates_real + 1j * read.rates_imag, ds.rates)
        assert read.mode.attrs["long_name"] == "eigenvalue, from the slowest"
    frame = pd.read_parquet(tmp_path / "maser.parquet")
    assert len(frame) == BLOCKS
    (row,) = frame[(frame.omega_h == 3.0) & (frame.field == 0.5)].itertuples()
    assert np.array_equal(row.rates_imag, ds.rates.sel(omega_h=3.0, field=0.5).imag)


def test_failed_points_are_kept_with_their_traceback(sweep, tmp_path):
    """Two frozen baths have no current between the levels, and no unique steady state."""
    cold = Sweep(
        name="cold",
        model=sweep.model,
        axes={"T_h": [0.01, 4.0]},
        fixed={"omega_h": 3.0, "omega_c": 1.0, "T_c": 0.01, "field": 1.0},
    )
    counts = catalog.run(cold, tmp_path / "cold.zarr", scheduler="synchronous")
    assert (counts["ok"], counts["failed"]) == (1, 1)
    entry = catalog.open(tmp_path / "cold.zarr")["cold"]
    failed, good = entry.point(T_h=0.01), entry.point(T_h=4.0)
    assert failed.status == Status.FAILED
    assert failed.error == "ValueError: Matrix is singular"
    assert "maser.py" in failed.traceback
    assert "steadystate" in failed.traceback
    assert np.isnan(failed.values["rates"]).all()
    assert good.status == Status.OK
    assert good.values["efficiency"] == pytest.approx(2 / 3, rel=1e-9)
    with pytest.raises(ValueError, match="singular"):
        failed.reproduce(sweep.model)


@pytest.fixture(scope="module")
def places(folder, tmp_path_factory) -> dict[str, Path]:
    """What workers have on their PYTHONPATH, beside heatcat: nothing, another source, the same."""
    other = tmp_path_factory.mktemp("other")
    source = (folder / "maser.py").read_text(encoding="utf-8")
    changed = source.replace("MODES = 4", "MODES = 4 + 0")
    assert changed != source
    (other / "maser.py").write_text(changed, encoding="utf-8")
    found = {"without": [ROOT], "other": [ROOT, other], "same": [ROOT, folder]}
    return {name: Path(os.pathsep.join(map(str, paths))) for name, paths in found.items()}


def test_workers_without_the_module_or_with_another_source_are_refused(sweep, places, tmp_path):
    location = tmp_path / "clustered.zarr"
    (tmp_path / "here").mkdir()
    with (
        cluster(tmp_path / "here") as running,
        distributed.Client(running.address, set_as_default=False) as client,
    ):

        def run() -> dict[str, int]:
            return catalog.run(sweep, location, scheduler=running.address)

        def workers(number: int) -> bool:
            return len(workers_of(client)) == number

        for place, message in (
            (
                "without",
                r"1 of 1 workers cannot import model three-level-maser of maser:maser "
                r"\(.*No module named 'maser'\): put its module where they find it, e.g. on .*",
            ),
            (
                "other",
                "1 of 1 workers have another version of model three-level-maser than this process: "
                "install the same version there and restart them",
            ),
        ):
            worker = running.start_worker("--nthreads", "1", root=places[place])
            wait_for(lambda: workers(1), "the worker")
            with refused(message):
                run()
            assert not location.exists()
            kill_9(worker)
            wait_for(lambda: workers(0), "the end of the worker")
        running.start_worker("--nthreads", "1", root=places["same"])
        wait_for(lambda: workers(1), "the worker")
        assert run()["ok"] == BLOCKS


def test_a_block_that_costs_too_much_memory_is_refused_before_anything_is_written(tmp_path):
    """The model's `cost` says so: superradiance of 2000 systems would take a petabyte."""
    large = Sweep(
        name="large",
        model=example("superradiance:Superradiance", equations="liouvillian"),
        axes={"N": [2, 2000]},
        fixed={"pump": 1.0},
    )
    assert catalog.plan(large).peak_bytes > 1e15
    with refused(r"needs about 1.6e\+06 GiB, but .*: give workers more memory, or leave .*"):
        catalog.run(large, tmp_path / "large.zarr", scheduler="synchronous")
    assert not (tmp_path / "large.zarr").exists()


def test_sweep_files_of_the_examples_are_whole():
    """Each is read and planned, and beside its model."""
    files = sorted(EXAMPLES.glob("*.toml"))
    assert {path.stem for path in files} == {path.stem for path in EXAMPLES.glob("*.py")}
    for path in files:
        sweep = catalog.read_sweep(path)
        assert re.fullmatch(rf"{path.stem}:\w+", sweep.model.path)
        assert catalog.plan(sweep).points == sweep.size
