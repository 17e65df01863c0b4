"""Points by label, failures that can be seen again, and recomputation by condition."""

from __future__ import annotations

import json
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import catalog
import catalog.running.complete
from catalog import run
from catalog.running.solve import solve_block
from catalog.store.leases import FOLDER, Leases
from catalog.store.seal import sealed_json, unsealed_json
from ensemble import Engine, Exact, Status
from tests.catalog.support import AXES, FIXED, finished_blocks, refused, stored_values, tiny_sweep

SWEEP = tiny_sweep(method=Exact(solver="superlu"), variables=["power", "cop"])


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The solver fails at N = 2, ΔE = 125; undone by ``flaky.undo()``."""
    solve = Exact.solve

    def failing(self, engine, variables=None):
        if engine.N == 2 and engine.delta_E == 125:
            raise ZeroDivisionError("no pivot")
        return solve(self, engine, variables)

    monkeypatch.setattr(Exact, "solve", failing)
    return monkeypatch


@pytest.fixture
def failed(flaky, tmp_path) -> Path:
    """A store in which the points at N = 2, ΔE = 125 failed; the solver is mended since."""
    run(SWEEP, tmp_path, scheduler="synchronous")
    flaky.undo()
    return tmp_path


def test_a_point_is_found_by_names_symbols_and_near_labels(tmp_path):
    run(SWEEP, tmp_path, scheduler="synchronous")
    entry = catalog.open(tmp_path)["tiny"]
    point = entry.point(N=2, delta_E=50, T_mean=60)
    assert point.status == Status.OK
    assert point.engine == Engine(N=2, delta_E=50, T_mean=60, **FIXED)
    assert point.values["power"] == Exact().solve(point.engine, ["power"]).values["power"]
    same = entry.point({"N": 2, "ΔE": 50.00000000001, "T̄": 60})
    assert (same.labels, same.values["power"]) == (point.labels, point.values["power"])
    near = entry.point(N=2, delta_E=60, T_mean=62, method="nearest", tolerance=15)
    assert near.labels == point.labels
    assert repr(point) == (
        "<Point N=2, delta_E=50.0, T_mean=60.0, omega_0=1.0, E_1=100.0, delta_T=100.0, "
        "Gamma_0=1.0, method exact: ok>"
    )
    with refused(r"more than one point is left along T_mean: give a label of each"):
        entry.point(N=2, delta_E=50)
    with refused(r"there is no delta_E = 51 \(nearest: 50 and 125\): choose a label or add .*"):
        entry.point(N=2, delta_E=51, T_mean=60)


def test_a_failure_keeps_message_traceback_and_input_and_can_be_seen_again(flaky, tmp_path):
    run(SWEEP, tmp_path, scheduler="synchronous")
    point = catalog.open(tmp_path)["tiny"].point(N=2, ΔE=125, T_mean=60)
    assert point.status == Status.FAILED
    assert point.error == "ZeroDivisionError: no pivot"
    assert 'raise ZeroDivisionError("no pivot")' in point.traceback
    assert point.failure is not None
    assert point.model.engine(point.failure["point"]) == point.engine
    options = point.failure["model"]["options"]
    assert catalog.HeatEngine.from_options(options) == point.model
    assert point.failure["variables"] == ["power", "cop"]
    assert np.isnan(point.values["power"])
    with pytest.raises(ZeroDivisionError, match="no pivot"):
        point.reproduce()
    flaky.undo()
    assert point.reproduce().values == Exact().solve(point.engine, ["power", "cop"]).values
    assert catalog.open(tmp_path)["tiny"].point(N=2, ΔE=125, T_mean=60).status == Status.FAILED


def test_a_point_that_is_not_computed_says_so(tmp_path):
    catalog.create_or_open(tmp_path, SWEEP)
    point = catalog.open(tmp_path)["tiny"].point(N=2, ΔE=125, T_mean=60)
    assert point.status == Status.NOT_COMPUTED
    assert (point.error, point.failure, point.traceback) == ("", None, "")


def test_failed_points_are_recomputed_by_status(failed, solved):
    before = stored_values(failed)
    entry = catalog.open(failed)["tiny"]
    done = entry.recompute(status="failed", scheduler="synchronous")
    # The block of ΔE = 50 and 125, at each T̄.
    assert (done.matched, done.blocks, done.points) == (2, 2, 4)
    assert sorted(solved) == [(1, 0, 0), (1, 0, 1)]
    assert entry.counts()["ok"] == SWEEP.size
    assert before != stored_values(failed) == stored_values_of_a_sound_run(failed)
    assert entry.recompute(status="failed").matched == 0
    assert [record["run"] for record in entry.history()] == [1, 2]
    assert set(entry.values("run").ravel().tolist()) == {1, 2}


def stored_values_of_a_sound_run(folder: Path) -> dict:
    run(SWEEP, folder / "sound", scheduler="synchronous")
    return stored_values(folder / "sound")


def test_points_are_recomputed_by_predicate(tmp_path, solved):
    run(SWEEP, tmp_path, scheduler="synchronous")
    entry = catalog.open(tmp_path)["tiny"]
    solved.clear()
    done = entry.recompute("residual >= 0 and ΔE > 200 and N == 1", scheduler="synchronous")
    assert (done.matched, done.blocks) == (2, 2)
    assert sorted(solved) == [(0, 1, 0), (0, 1, 1)]
    assert entry.recompute("residual > 1e-8", scheduler="synchronous").matched == 0
    solved.clear()
    both = entry.recompute("N == 2", status="failed", scheduler="synchronous")
    assert (both.matched, solved) == (0, [])


def test_what_an_older_solver_computed_is_noted_and_recomputed(tmp_path, solved):
    half = SWEEP.replace(axes={**AXES, "N": [1]})
    run(half, tmp_path, scheduler="synchronous")
    (record,) = tmp_path.glob("tiny/status/.heatcat-runs/1.json")
    content = unsealed_json(record.read_bytes())
    assert content is not None
    record.write_bytes(sealed_json({**content, "solver_hash": "older"}))
    with pytest.warns(catalog.OlderSolver, match=r"computed with another version .*\(run 1\)"):
        catalog.open(tmp_path)
    run(SWEEP, tmp_path, scheduler="synchronous")
    with pytest.warns(catalog.OlderSolver, match="tiny: mixed: run 1 had another version"):
        entry = catalog.open(tmp_path)["tiny"]
    solved.clear()
    done = entry.recompute(older_solver=True, scheduler="synchronous")
    assert done.matched == half.size
    assert len(solved) == done.blocks == 4
    assert set(entry.values("run").ravel().tolist()) == {2, 3}


def test_recomputing_needs_a_condition_that_makes_sense(failed):
    entry = catalog.open(failed)["tiny"]
    before = finished_blocks(failed)
    with refused('needs a condition: give where, status or older_solver, .*"residual > 1e-8"'):
        entry.recompute()
    with refused("unknown status 'fialed': choose from ok, uncertified, unphysical, failed"):
        entry.recompute(status="fialed")
    with refused(".*resdiual.*: did you mean 'residual'.*"):
        entry.recompute("resdiual > 1e-8")
    assert finished_blocks(failed) == before


def test_a_recomputation_that_is_stopped_keeps_the_old_values_of_what_is_left(failed, solved):
    entry = catalog.open(failed)["tiny"]

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        entry.recompute(status="failed", scheduler="synchronous", on_block=stop)
    counts = entry.counts()
    assert (counts["not computed"], counts["failed"], counts["ok"]) == (0, 1, 11)
    assert entry.history()[-1]["outcome"] == "stopped"
    solved.clear()
    assert run(SWEEP, failed, scheduler="synchronous")["failed"] == 1  # nothing is missing
    assert solved == []
    assert entry.recompute(status="failed", scheduler="synchronous").matched == 1
    assert entry.counts()["ok"] == SWEEP.size


def test_a_refused_recomputation_destroys_nothing(failed, solved):
    before = stored_values(failed)
    entry = catalog.open(failed)["tiny"]
    solved.clear()
    with refused("cannot reach a scheduler at 'tcp://127.0.0.1:1' .*"):
        entry.recompute(status="ok", scheduler="tcp://127.0.0.1:1")
    assert solved == []
    assert stored_values(failed) == before
    assert entry.counts()["ok"] == 10


def test_old_values_are_read_until_all_new_ones_replace_them_at_once(tmp_path, monkeypatch):
    run(SWEEP, tmp_path, scheduler="synchronous")
    entry = catalog.open(tmp_path)["tiny"]
    seen = []

    def looking(grid, index, model):
        ds = catalog.open(tmp_path)["tiny"].dataset()
        seen.append((ds.status.values.tolist(), ds.power.values.tobytes()))
        return solve_block(grid, index, model)

    monkeypatch.setattr(catalog.running.complete, "solve_block", looking)
    before = entry.dataset().load()
    entry.recompute(status="ok", scheduler="synchronous")
    assert seen == [(before.status.values.tolist(), before.power.values.tobytes())] * 8
    assert entry.dataset().power.values.tobytes() == before.power.values.tobytes()


def test_points_in_work_are_counted_as_running_until_the_lease_expires(tmp_path):
    stored = catalog.create_or_open(tmp_path, SWEEP)
    part = stored.parts[0]
    with part.leases.hold(part.claim((0, 0, 1)), wait=False):
        counts = stored.counts()
        assert (counts["running"], counts["not computed"]) == (2, 10)
        assert catalog.plan(SWEEP, stored).points_done == 0
    assert stored.counts()["running"] == 0
    lease = tmp_path / "tiny" / "status" / FOLDER / "0.0.1.1"
    far = {"machine": "far", "host": "far", "pid": 1, "started": 0, "nonce": ""}
    lease.write_text(json.dumps({**far, "expires": time.time() + 60}))
    assert stored.counts()["running"] == 2
    lease.write_text(json.dumps({**far, "expires": time.time() - 60}))
    assert stored.counts()["running"] == 0
    assert Leases(stored.storage, "tiny").stale() != []


def test_the_history_says_who_when_and_how(tmp_path):
    catalog.dataset(SWEEP, tmp_path).power.sel(N=1).compute()
    run(SWEEP, tmp_path, scheduler="threads", workers=2)
    run(SWEEP, tmp_path, scheduler="synchronous")  # nothing to do: no entry
    first, second = catalog.open(tmp_path)["tiny"].history()
    assert (first["run"], second["run"]) == (1, 2)
    assert (first["outcome"], first["finished"]) == ("on demand", None)
    assert (second["outcome"], second["points"]) == ("complete", {"ok": 6})
    assert second["sweep"] == SWEEP.definition()
    assert second["command"].endswith(shlex.join(sys.argv[1:]))
    assert second["started"] <= second["finished"]
    assert second["git"] is None or len(second["git"]["commit"]) == 40
    assert {"host", "machine", "python", "packages", "solver_hash"} <= set(second)


def test_a_catalogue_is_a_mapping_and_a_tree(tmp_path):
    run(SWEEP, tmp_path, scheduler="synchronous")
    other = tiny_sweep(name="other", variables=["power"], axes={**AXES, "N": [4]})
    catalog.create_or_open(tmp_path, other)
    entries = catalog.open(tmp_path)
    assert list(entries) == ["other", "tiny"]
    assert "tiny: 12 points" in repr(entries)
    tree = entries.tree()
    assert isinstance(tree, xr.DataTree)
    assert set(tree.children) == {"other", "tiny"}
    assert tree["tiny/power"].chunks is not None
    assert (tree["other/status"] == Status.NOT_COMPUTED).all()
    found = tree["tiny"].to_dataset().power.sel(N=1).compute()
    assert found.values.tobytes() == entries["tiny"].values("power")[0].tobytes()
    html = entries._repr_html_()
    assert "tiny" in html
    assert "other" in html
