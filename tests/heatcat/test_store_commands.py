"""The commands that look after a store: check, repair, log and recompute."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import catalog
from catalog.store.seal import sealed_json, unsealed_json
from ensemble import Exact, InvalidInput
from heatcat.cli import cli
from tests.catalog.support import AXES, finished_blocks, stored_values, tiny_sweep

SWEEP = tiny_sweep(variables=["power", "cop"])


def call(*words: object) -> Result:
    """The command's outcome; a refusal is raised."""
    return CliRunner().invoke(cli, [str(word) for word in words], catch_exceptions=False)


@pytest.fixture
def store(tmp_path) -> Path:
    location = tmp_path / "engines.zarr"
    catalog.run(SWEEP, location, scheduler="synchronous")
    return location


def test_check_says_that_a_store_is_sound(store):
    result = call("check", store)
    assert result.exit_code == 0
    chunks = len(SWEEP.arrays)  # all eight blocks are in one chunk of each array
    assert result.stdout == (
        f"8 blocks of {chunks} chunks read, 0 not computed yet, 0 leavings of killed processes\n"
        "sound\n"
    )
    report = json.loads(call("check", store, "--json").stdout)
    assert (report["sound"], report["blocks"], report["chunks"]) == (True, 8, chunks)


def test_check_names_the_damage_and_repair_mends_it(store):
    before = stored_values(store)
    (store / "tiny" / "power" / "c" / "0" / "0" / "0").write_bytes(b"nonsense")
    (store / "tiny" / "cop" / "zarr.json").unlink()
    result = call("check", store)
    assert result.exit_code == 1
    for words in ("0.0.0", "power", "chunk fails its checksum", "cop/zarr.json", "missing"):
        assert words in result.stdout
    assert result.stdout.endswith("2 damaged: run heatcat repair to mend it\n")
    assert call("check", store, "--json").exit_code == 1

    result = call("repair", store, "--json")
    assert result.exit_code == 0
    damages = json.loads(result.stdout)["damages"]
    assert [(d["what"], d["index"]) for d in damages] == [
        ("cop/zarr.json", None),
        ("power", [0, 0, 0]),
    ]
    assert call("check", store).exit_code == 0
    assert json.loads(call("status", store, "--json").stdout)["tiny"]["not computed"] == 12
    catalog.run(SWEEP, store, scheduler="synchronous")
    assert stored_values(store) == before


def test_log_shows_every_run(store):
    larger = tiny_sweep(variables=["power", "cop"], axes={**AXES, "N": [1, 2, 4]})
    catalog.dataset(larger, store).power.sel(N=4, T_mean=60).compute()
    catalog.run(larger, store, scheduler="synchronous")
    catalog.create_or_open(store, tiny_sweep(name="other"))
    runs = json.loads(call("log", store, "--json").stdout)
    assert [record["points"] for record in runs["tiny"]] == [{"ok": 12}, {}, {"ok": 3}]
    stored = [record["points_stored"] for record in runs["tiny"]]
    assert stored == [{"ok": 12}, {"ok": 3}, {"ok": 3}]
    assert [record["state"] for record in runs["tiny"]] == ["complete", "on demand", "complete"]
    assert runs["other"] == []
    assert list(json.loads(call("log", store, "--sweep", "tiny", "--json").stdout)) == ["tiny"]
    table = call("log", store).stdout
    assert table.count("complete") == 2
    assert runs["tiny"][0]["solver_hash"][:8] in table
    with pytest.raises(InvalidInput, match=r"there is no sweep 'tyni' .*: did you mean 'tiny'"):
        call("log", store, "--sweep", "tyni")


def test_log_says_of_a_killed_run_that_it_has_no_end(store):
    record = store / "tiny" / "status" / ".heatcat-runs" / "1.json"
    content = unsealed_json(record.read_bytes())
    assert content is not None
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    for process, state in [
        ({}, "at work"),
        ({"pid": dead.pid}, "killed"),
        ({"machine": "another"}, "at work or killed, on"),
    ]:
        begun = {"outcome": "begun", "finished": None, "points": {}}
        changed = {**content, **begun, "process": {**content["process"], **process}}
        record.write_bytes(sealed_json(changed))
        assert state in " ".join(call("log", store).stdout.split())
        assert (
            json.loads(call("log", store, "--json").stdout)["tiny"][0]["state"][:11] == state[:11]
        )


def test_recompute_by_condition(store, monkeypatch):
    result = call("recompute", store, "--where", "ΔE > 200 and N == 1", "--workers", "1")
    assert result.stdout == ("tiny: 2 points matched; 2 blocks of 2 points computed again: 2 ok\n")
    summary = json.loads(
        call("recompute", store, "tiny", "--status", "failed", "--workers", 1, "--json").stdout
    )
    assert summary == {"sweep": "tiny", "matched": 0, "blocks": 0, "points": 0, "now": {}}

    def broken(self: Exact, engine: object, variables: object = None) -> None:
        raise FloatingPointError("overflow")

    monkeypatch.setattr(Exact, "solve", broken)
    result = call("recompute", store, "--where", "N == 2", "--workers", "1")
    assert "6 points matched; 4 blocks of 6 points computed again: 6 failed" in result.stdout
    assert "say what still fails" in result.stdout


def test_recompute_refuses_what_it_cannot_understand_and_resets_nothing(store):
    before = finished_blocks(store)
    with pytest.raises(InvalidInput, match="recompute needs a condition"):
        call("recompute", store)
    with pytest.raises(InvalidInput, match="--scheduler and --workers exclude each other"):
        call("recompute", store, "--status", "ok", "--workers", 1, "--scheduler", "tcp://x:1")
    catalog.create_or_open(store, tiny_sweep(name="other"))
    with pytest.raises(InvalidInput, match="holds several sweeps: name one of other, tiny"):
        call("recompute", store, "--status", "ok")
    assert finished_blocks(store) == before
