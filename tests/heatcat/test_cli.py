"""The command line as scripts see it: output, exit codes, and one line for every error."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click
import distributed
import pytest

import catalog
import catalog.running.address
import catalog.running.block_task
import catalog.running.cluster
import catalog.store.durable
from catalog.running.complete import complete_block
from catalog.running.executors import CPUS
from catalog.store.seal import sealed_json, unsealed_json
from ensemble import Bosonic, Engine, Exact
from heatcat import __version__, figures, show
from heatcat.cli import COMMANDS, cli, main
from tests.catalog.support import finished_blocks, stored_values

TINY = """
[sweep]
name = "tiny"
description = "a small one"
energy_unit = "omega_0"

[axes]
N = [1, 2]
delta_E = [50, 125, 250]
T_mean = [60, 100]

[fixed]
omega_0 = 1
E_1 = 100
delta_T = 100
Gamma_0 = 1
"""

FIG_7 = {
    "E_1": 1.0,
    "delta_E": 9.0,
    "T_mean": 13.5,
    "delta_T": 23.0,
    "omega_0": 0.006,
    "Gamma_0": 0.001,
}


def flags(**parameters: object) -> list[str]:
    """``--E-1 1 --delta-E 9 …`` from E_1=1, delta_E=9, …"""
    return [
        word
        for name, value in parameters.items()
        for word in ("--" + name.replace("_", "-"), str(value))
    ]


ENGINE = flags(N=8, **FIG_7)


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Call = Callable[..., Outcome]


@pytest.fixture
def heatcat(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture, tmp_path: Path) -> Call:
    """Run the command in this process, in an empty directory that holds tiny.toml."""
    (tmp_path / "tiny.toml").write_text(TINY, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "160")  # tables are cut at the terminal's width

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["heatcat", *arguments])
        monkeypatch.setattr(sys.modules["__main__"], "__package__", None)  # of python -m pytest
        capsys.readouterr()
        with pytest.raises(SystemExit) as stopped:
            main()
        captured = capsys.readouterr()
        code = stopped.value.code
        return Outcome(0 if code is None else int(code), captured.out, captured.err)

    return call


def in_a_process(*arguments: str, cwd: Path) -> Outcome:
    done = subprocess.run(
        [sys.executable, "-m", "heatcat", *arguments], cwd=cwd, capture_output=True, text=True
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


def check_refused(outcome: Outcome, pattern: str) -> None:
    """One line on standard error, exit code 2, nothing else."""
    code, out, err = outcome
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"heatcat: {pattern}\n", err), err


def test_solve_prints_one_json_object(heatcat):
    code, out, err = heatcat("solve", *ENGINE, "--scaling", "high-temperature", "--json")
    found = json.loads(out)
    assert (code, err) == (0, "")
    assert set(found) == {"engine", "method", "options", "values", "diagnostics", "status"}
    expected = {"N": 8, **FIG_7, "scaling": "high-temperature", "spin_1": 4.0, "spin_2": 4.0}
    assert expected.items() <= found["engine"].items()
    others = {"mu_1", "mu_2", "statistics", "E_2", "T_1", "T_2", "Gamma_1", "Gamma_2"}
    others |= {"Gamma_local", "Gamma_dephasing", "detuning"}
    assert set(found["engine"]) - set(expected) == others
    assert (found["engine"]["T_1"], found["engine"]["T_2"]) == (2.0, 25.0)
    assert found["method"] == "exact"
    assert found["status"] == "ok"
    solution = Exact().solve(Engine(N=8, **FIG_7, scaling="high-temperature"))
    assert list(found["values"]) == list(Exact().chosen(None))
    for name, value in found["values"].items():
        assert value == (None if name == "cop" else solution.values[name])
    assert found["diagnostics"]["residual"] < 1e-10
    assert found["diagnostics"]["wall_time"] > 0
    assert set(Exact.diagnostics) <= set(found["diagnostics"])


def test_undefined_values_are_null_also_for_a_refrigerator(heatcat):
    engine = flags(N=2, **{**FIG_7, "delta_E": 20.0})
    code, out, _ = heatcat("solve", *engine, "--json", "--scaling", "high-temperature")
    values = json.loads(out)["values"]
    assert code == 0
    assert values["efficiency"] is None
    assert values["cop"] == 1 / 20
    assert values["power"] < 0
    assert "NaN" not in out


def test_solve_takes_no_size_for_a_limit(heatcat):
    code, out, _ = heatcat("solve", *flags(**FIG_7), "--method", "bosonic", "--json")
    found = json.loads(out)
    assert (code, found["method"], found["status"]) == (0, "bosonic", "ok")
    assert "N" not in found["engine"]
    expected = Bosonic().solve(Engine(N=1, **FIG_7)).values["power_per_pair"]
    assert found["values"]["power_per_pair"] == expected


@pytest.mark.parametrize("scaling", ["bare", "high-temperature"])
@pytest.mark.parametrize("N", [1, 2, 7, 24])
def test_solve_covers_both_scalings_up_to_24_pairs(scaling, N, heatcat):
    code, out, _ = heatcat("solve", *flags(N=N, **FIG_7), "--scaling", scaling, "--json")
    found = json.loads(out)
    assert (code, found["status"]) == (0, "ok")
    assert found["values"]["power"] > 0
    first_law = sum(found["values"][name] for name in ("heat_current_1", "heat_current_2"))
    assert abs(first_law - found["values"]["power"]) <= 1e-10 * found["values"]["power"]


def test_solve_takes_unequal_spins_and_chosen_variables(heatcat):
    code, out, _ = heatcat(
        *("solve", *ENGINE, "--spin-1", "0.5", "--spin-2", "1.5", "--json"),
        *("--variables", "constancy, power"),
    )
    found = json.loads(out)
    assert code == 0
    assert (found["engine"]["spin_1"], found["engine"]["spin_2"]) == (0.5, 1.5)
    assert list(found["values"]) == ["constancy", "power"]


def test_the_solution_is_readable_without_json(heatcat):
    code, out, err = heatcat("solve", *ENGINE, "--scaling", "high-temperature")
    assert (code, err) == (0, "")
    rows = {cells[2]: cells for cells in (re.split(r"\s*│\s*", line) for line in out.splitlines())
            if len(cells) == 6}  # fmt: skip
    assert rows["power"][1] == "P"
    assert rows["power"][4] == "energy^2"
    expected = Exact().solve(Engine(N=8, **FIG_7, scaling="high-temperature")).values
    assert float(rows["constancy"][3]) == pytest.approx(expected["constancy"], rel=1e-9)
    assert rows["cop"][3] == "undefined"
    assert "status: ok" in out


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["solve", *flags(N=0, **FIG_7)], "N must be a whole number ≥ 1, but is 0: use N = 1, .*"),
        (["solve", *flags(N=2.5, **FIG_7)], ".*'2.5' is not a valid integer: see .*solve --help"),
        (["solve", *flags(**FIG_7)], "method exact needs a size: give --N"),
        (
            ["solve", *ENGINE, "--method", "bosonic"],
            "method bosonic is the limit N → ∞: leave out --N",
        ),
        (["solve", "--N", "2"], "Missing option '--omega-0': see heatcat solve --help"),
        (
            ["solve", "--N", "2", "--omega-0", "1", "--Gamma-0", "1", "--E-1", "1"],
            "an engine has two independent level spacings .*, but E_1 is given: give .*",
        ),
        (
            ["solve", *ENGINE, "--T-1", "1"],
            "an engine has two independent temperatures .* T_mean, delta_T, T_1 are given: .*",
        ),
        (
            ["solve", *ENGINE, "--T-mean", "11.5"],
            r"T_mean must exceed delta_T/2 = 11\.5 \(else T_1 ≤ 0\), but is 11\.5: raise T_mean .*",
        ),
        (
            ["solve", *ENGINE, "--Gamma-0", "-1"],
            "Gamma_0 must be positive, but is -1: give Gamma_0 > 0",
        ),
        (["solve", *ENGINE, "--delta-E", "nan"], "delta_E must be a finite number, but is nan.*"),
        (["solve", *ENGINE, "--spin-1", "0.7"], "spin_1 must be a positive half-integer, .*use .*"),
        (["solve", *ENGINE, "--scaling", "hot"], "scaling must be one of bare, high-.*'hot'.*"),
        (["solve", *ENGINE, "--method", "exat"], r"unknown method 'exat': did you mean 'exact'\?"),
        (
            ["solve", *ENGINE, "--variables", "power,constanzy"],
            r"method exact does not define 'constanzy': did you mean 'constancy'\?",
        ),
        (["solve", *ENGINE, "--omega", "1"], ".*--omega.*: see heatcat solve --help"),
        ([], "Missing command: see heatcat --help"),
        (["slove"], r"No such command 'slove'.*: see heatcat --help"),
        (["presets", "now"], r"Got unexpected extra argument \(now\): see heatcat presets --help"),
        (["run", "tiny.toml"], "Missing option '--store': see heatcat run --help"),
        (["run", "fig-2", "--store", "s"], "'fig-2' is neither a preset nor .*: did you mean .*"),
        (
            ["plan", "none.toml"],
            "cannot read the sweep file none.toml: No such file or directory: check the path",
        ),
        (
            ["run", "tiny.toml", "--store", "s", "--workers", "0"],
            "Invalid value for '--workers': 0 is not in the range x>=1: see heatcat run --help",
        ),
        (
            ["run", "tiny.toml", "--store", "s", "--workers", "2", "--scheduler", "tcp://a:1"],
            "--scheduler and --workers exclude each other: keep one of them",
        ),
        (
            ["run", "tiny.toml", "--store", "ftp://a/b"],
            "cannot store at ftp://a/b: give a directory that every worker sees, or s3://bucket/…",
        ),
        (
            ["run", "tiny.toml", "--store", "tiny.toml"],
            ".*tiny.toml is a file, not a store: give a directory",
        ),
        (["run", "tiny.toml", "--store", "tiny.toml/s"], "cannot open the store .*: Not a dir.*"),
        *(
            (
                ["run", "tiny.toml", "--store", "s", "--scheduler", address],
                rf"cannot reach a scheduler at '{address}' \(.*\): start one with dask .*",
            )
            for address in ("tcp://127.0.0.1:1", "tcp://", "foo", "tcp://h:notaport", "inproc://x")
        ),
        (
            ["run", "tiny.toml", "--store", "s", "--scheduler", "tls://127.0.0.1:1"],
            "'tls://127.0.0.1:1' needs a certificate: set distributed.comm.tls.ca-file, .*",
        ),
        (
            ["run", "tiny.toml", "--store", "s", "--cluster", "gone.toml"],
            "cannot read the cluster profile gone.toml: No such file .*: check the path",
        ),
        (["cluster-script", "tiny.toml"], r"tiny.toml: unknown table 'sweep': choose from cluster"),
        (["status", "gone"], "there is no store at .*gone: check the path"),
        (["status", "."], "/.* is not a Zarr v3 store: give another directory"),
        (["reproduce", "fig11", "--out", "o"], r"unknown figure 'fig11': did you mean 'fig10'\?"),
        (
            ["reproduce", "fig2", "--out", "tiny.toml"],
            "Invalid value for '--out': Directory 'tiny.toml' is a file: see .*reproduce --help",
        ),
    ],
    ids=lambda value: " ".join(value[:1] + value[-2:]) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line_with_the_remedy_and_exit_code_2(
    arguments, complaint, heatcat, tmp_path, monkeypatch
):
    monkeypatch.setattr(catalog.running.address, "CONNECT_TIMEOUT", "0.3s")
    check_refused(heatcat(*arguments), complaint)
    assert os.listdir(tmp_path) == ["tiny.toml"]


def test_every_command_that_computes_takes_a_cluster_and_one_place_to_compute(
    heatcat, tmp_path, monkeypatch
):
    heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    before = stored_values(tmp_path / "s")
    monkeypatch.setenv("PATH", str(tmp_path))
    (tmp_path / "profile.toml").write_text('[cluster]\nkind = "slurm"\njobs = 2\nmemory = "2GB"\n')
    on_map = ["--over", "ΔE,T̄", "--quantity", "power", "--at", "N=1", "--points", "4"]
    for command in (
        ["run", "tiny.toml", "--store", "new"],
        ["recompute", "s", "--status", "ok"],
        ["refine", "s", *on_map],
        ["reproduce", "fig2", "--quick", "--out", "figures"],
    ):
        check_refused(
            heatcat(*command, "--cluster", "profile.toml"),
            "there is no command sbatch here: start the run on a login node of the SLURM cluster",
        )
        check_refused(
            heatcat(*command, "--cluster", "profile.toml", "--workers", "2"),
            "--cluster and --workers exclude each other: keep one of them",
        )
    assert stored_values(tmp_path / "s") == before
    assert sorted(os.listdir(tmp_path)) == ["profile.toml", "s", "tiny.toml"]


def test_the_help_lists_each_command_in_the_words_of_its_own_help():
    for name, (_, words) in COMMANDS.items():
        command = cli.get_command(click.Context(cli), name)
        assert isinstance(command, click.Command)
        assert (command.name, command.get_short_help_str(limit=1000)) == (name, words)


def test_a_cluster_without_sbatch_is_refused_and_no_store_begun(heatcat, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    profile = tmp_path / "profile.toml"
    profile.write_text('[cluster]\nkind = "slurm"\njobs = 2\nmemory = "2GB"\nqueue = "long"\n')
    check_refused(
        heatcat("run", "tiny.toml", "--store", "s", "--cluster", "profile.toml"),
        "there is no command sbatch here: start the run on a login node of the SLURM cluster",
    )
    assert sorted(os.listdir(tmp_path)) == ["profile.toml", "tiny.toml"]
    code, out, err = heatcat("cluster-script", "profile.toml")
    assert (code, err) == (0, "")
    assert out.startswith("#!/usr/bin/env bash\n#SBATCH -J heatcat\n#SBATCH -p long\n")
    assert out.endswith(' --local-directory "$heatcat_scratch"\n')


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("[fixed]", "[fixd]", r"unknown table 'fixd': did you mean 'fixed'\?"),
        (
            "energy_unit",
            "energy_units",
            r"unknown key in \[sweep\] .*: did you mean 'energy_unit'\?",
        ),
        ("Gamma_0 =", "Gama_0 =", r"unknown parameter 'Gama_0': did you mean 'Gamma_0'\?"),
        ("[1, 2]", "[0, 1]", "N must be a whole number ≥ 1, but is 0: use N = 1, 2, 3, …"),
        (
            "[60, 100]",
            "[50, 100]",
            "T_mean must exceed delta_T/2 = 50 .*: raise T_mean or lower .*",
        ),
        ("Gamma_0 = 1", "Gamma_0 = -1", "Gamma_0 must be positive, .*: give Gamma_0 > 0"),
        ("[1, 2]", "[1, 1]", "axis N has the label 1 twice or nearly so .*: keep one of them"),
        (
            "[60, 100]",
            "[60, 60.00000000001]",
            "axis T_mean has the label 60.0 twice or nearly so .*: keep one of them",
        ),
        ("[50, 125, 250]", "[125, 50]", "axis delta_E must be ascending, .*: sort the labels"),
        ("[1, 2]", "[]", "axis N is empty: give at least one label or remove it"),
    ],
)
def test_a_bad_sweep_file_is_one_line_and_nothing_is_written(
    old, new, complaint, heatcat, tmp_path
):
    (tmp_path / "tiny.toml").write_text(TINY.replace(old, new), encoding="utf-8")
    for command in (["run", "tiny.toml", "--store", "s"], ["plan", "tiny.toml"]):
        check_refused(heatcat(*command), rf"tiny\.toml: {complaint}")
    assert os.listdir(tmp_path) == ["tiny.toml"]


def test_errors_of_the_real_command_have_no_traceback(heatcat, tmp_path):
    check_refused(
        in_a_process("solve", *flags(N=0, **FIG_7), cwd=tmp_path),
        "N must be .*: use N = 1, 2, 3, …",
    )
    check_refused(
        in_a_process("run", "tiny.toml", cwd=tmp_path), "Missing option '--store': see .*"
    )


def test_version_and_help(heatcat):
    assert heatcat("--version") == (0, f"heatcat, version {__version__}\n", "")
    code, out, err = heatcat("--help")
    assert (code, err) == (0, "")
    for command in ("solve", "run", "plan", "status", "presets", "reproduce", "claims"):
        assert re.search(rf"^  {command} ", out, re.MULTILINE)


def test_presets_are_listed(heatcat):
    code, out, err = heatcat("presets")
    assert (code, err) == (0, "")
    for name, sweep in catalog.presets().items():
        assert re.search(rf"│ {re.escape(name)} +│ +{sweep.size} │", out)


def test_run_fills_the_store_and_its_repetition_finds_it_full(heatcat, tmp_path):
    code, out, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert (code, out) == (0, "tiny: 12 ok  ->  s\n")
    assert err.startswith("tiny: 12 points in 2 blocks, 0 points stored; about")
    before = stored_values(tmp_path / "s")
    code, out, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert (code, out) == (0, "tiny: 12 ok  ->  s\n")
    assert "12 points stored" in err
    assert stored_values(tmp_path / "s") == before


def test_run_refuses_another_kind_of_sweep_of_that_name(heatcat, tmp_path):
    heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    bare = 'energy_unit = "omega_0"'
    (tmp_path / "tiny.toml").write_text(
        TINY.replace(bare, f'{bare}\nscaling = "high-temperature"'), encoding="utf-8"
    )
    for command in ("run", "plan"):
        check_refused(
            heatcat(command, "tiny.toml", "--store", "s"),
            r".*/s holds a different sweep named 'tiny' \(scaling differ\): rename the sweep or .*",
        )


def test_a_larger_sweep_extends_the_store(heatcat, tmp_path):
    heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    (tmp_path / "tiny.toml").write_text(TINY.replace("[1, 2]", "[1, 2, 3]"), encoding="utf-8")
    plan = json.loads(heatcat("plan", "tiny.toml", "--store", "s", "--json").out)
    assert (plan["points"], plan["points_done"]) == (18, 12)
    code, out, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert (code, out) == (0, "tiny: 18 ok  ->  s\n")
    assert "12 points stored" in err
    assert catalog.open("s")["tiny"].grid.axes["N"] == (1, 2, 3)


def test_run_takes_a_scheduler_by_name(heatcat, tmp_path):
    assert heatcat("run", "tiny.toml", "--store", "s", "--scheduler", "threads").code == 0
    assert len(finished_blocks(tmp_path / "s")) == 2


def test_run_says_how_far_it_is_where_there_is_no_terminal(heatcat, monkeypatch):
    monkeypatch.setattr(show, "REPORT_EVERY", 0.0)
    _, _, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert re.search(r"^6/12 points, 0 not ok, \d+ s left$", err, re.MULTILINE)
    assert re.search(r"^12/12 points, 0 not ok, 0 s left$", err, re.MULTILINE)


def fail_for_two_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    solve = Exact.solve

    def flaky(self, engine, variables=None):
        if engine.N == 2:
            raise ZeroDivisionError("no pivot")
        return solve(self, engine, variables)

    monkeypatch.setattr(Exact, "solve", flaky)


def test_failed_points_are_in_the_summary_and_not_an_error(heatcat, monkeypatch):
    fail_for_two_pairs(monkeypatch)
    monkeypatch.setattr(show, "REPORT_EVERY", 0.0)
    code, out, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert code == 0
    assert out.startswith("tiny: 6 ok, 6 failed  ->  s\n")
    assert "status and error of the store" in out
    assert "12/12 points, 6 not ok" in err


def test_a_solver_that_fails_says_so_in_the_status(heatcat, monkeypatch):
    fail_for_two_pairs(monkeypatch)
    code, out, err = heatcat("solve", *flags(N=2, **FIG_7), "--json")
    found = json.loads(out)
    assert (code, found["status"]) == (1, "failed: ZeroDivisionError: no pivot")
    assert found["values"] == {}
    assert err == "heatcat: failed: ZeroDivisionError: no pivot\n"
    code, out, err = heatcat("solve", *flags(N=2, **FIG_7))
    assert code == 1
    assert "status: failed: ZeroDivisionError: no pivot" in out
    assert err == "heatcat: failed: ZeroDivisionError: no pivot\n"


def test_values_that_are_not_vouched_for_are_printed_with_a_note(heatcat):
    """Values and exit code 0: scripts read the status, people the note."""
    carnot = flags(N=2, E_1=1, delta_E=1, T_mean=1.5, delta_T=1, omega_0=1, Gamma_0=1)
    code, out, err = heatcat("solve", *carnot, "--method", "qutip", "--json")
    found = json.loads(out)
    assert code == 0
    assert found["status"].startswith("uncertified: rounding leaves ")
    assert found["values"]["magnetization_1"] < 0
    assert err == f"note: {found['status']}\n"


def test_an_engine_that_is_solved_leaves_standard_error_empty(heatcat):
    code, _, err = heatcat("solve", *ENGINE)
    assert (code, err) == (0, "")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("exact", "method exact takes spins of at most 1000000 levels, but N = 10000000 asks.*"),
        (
            "independent-spins",
            "method independent-spins takes up to 2000 spins an ensemble, but this .* 10000000: .*",
        ),
        ("undriven", "method undriven takes N up to 1000000, but N is 10000000: choose a .*"),
        ("qutip", "method qutip would need dimension 100000020000001, but largest is 441: .*"),
    ],
)
def test_sizes_beyond_the_memory_are_refused_at_once(method, message, heatcat):
    engine = {**FIG_7, "omega_0": 0} if method == "undriven" else FIG_7
    start = time.perf_counter()
    check_refused(heatcat("solve", *flags(N=10_000_000, **engine), "--method", method), message)
    assert time.perf_counter() - start < 5  # a machine that does much else takes its time


def test_run_and_status_note_that_the_solver_has_changed(heatcat, tmp_path):
    heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    (record,) = (tmp_path / "s").glob("tiny/status/*/1.json")
    content = unsealed_json(record.read_bytes())
    assert content is not None
    record.write_bytes(sealed_json({**content, "solver_hash": "another"}))
    code, _, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert code == 0
    assert err.startswith("note: tiny is computed with another version of the solver")
    code, _, err = heatcat("status", "s")
    assert code == 0
    assert err == (
        "note: tiny: computed with another version of the solver than this one (run 1)\n"
    )


def test_an_interrupted_run_keeps_its_blocks_and_says_so_in_one_line(
    heatcat, monkeypatch, tmp_path
):
    def interrupted(*arguments, **options):
        complete_block(*arguments, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(catalog.running.block_task, "complete_block", interrupted)
        code, out, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert (code, out) == (130, "")
    assert err.split("\n")[-2:] == [
        "heatcat: interrupted: finished blocks are stored, run the same command to go on",
        "",
    ]
    assert "Traceback" not in err
    assert len(finished_blocks(tmp_path / "s")) == 1
    assert heatcat("run", "tiny.toml", "--store", "s", "--workers", "1").out == (
        "tiny: 12 ok  ->  s\n"
    )


def test_a_full_disk_is_one_line_and_exit_code_1(heatcat, monkeypatch):
    write_file = catalog.store.durable.write_file

    def full(path: Path, content: bytes, **options: Any) -> None:
        if path.match(".heatcat-blocks/*/*"):
            raise OSError(28, "No space left on device")
        write_file(path, content, **options)

    monkeypatch.setattr(catalog.store.durable, "write_file", full)
    code, out, err = heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    assert (code, out) == (1, "")
    assert err.splitlines()[1:] == [
        "heatcat: a block could not be completed (OSError: [Errno 28] No space left on device); "
        "finished blocks are stored: remove the cause and run the same command again"
    ]


def test_a_disk_that_is_full_from_the_start_is_one_line(heatcat, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalog.store.durable, "write_file", full)
    check_refused(
        heatcat("run", "tiny.toml", "--store", "s", "--workers", "1"),
        r"cannot open the store .*/s: No space left on device: .* and the free space",
    )


def test_plan_counts_and_writes_nothing(heatcat, tmp_path):
    code, out, err = heatcat("plan", "tiny.toml", "--store", "s", "--json")
    plan = json.loads(out)
    assert (code, err) == (0, "")
    assert plan["sweep"] == "tiny"
    assert plan["dims"] == {"N": 2, "delta_E": 3, "T_mean": 2}
    assert (plan["points"], plan["points_done"]) == (12, 0)
    assert (plan["blocks"], plan["blocks_done"]) == (2, 0)
    assert plan["core_seconds"] > 0
    assert plan["peak_bytes"] > 1e7
    assert plan["measured_points"] == 0
    assert os.listdir(tmp_path) == ["tiny.toml"]


def test_plan_counts_what_the_store_holds_and_learns_from_its_timings(heatcat, tmp_path):
    sweep = catalog.read_sweep("tiny.toml")
    catalog.dataset(sweep, "s").power.sel(N=2).compute()
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    plan = json.loads(heatcat("plan", "tiny.toml", "--store", "s", "--json").out)
    assert (plan["points_done"], plan["blocks_done"], plan["measured_points"]) == (6, 1, 6)
    code, out, _ = heatcat("plan", "tiny.toml", "--store", "s")
    assert code == 0
    assert "2 N × 3 delta_E × 2 T_mean" in out
    assert "12, 6 of them stored" in out
    assert "6 stored timings" in out
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_status_counts_by_status_in_every_sweep(heatcat, monkeypatch, tmp_path):
    fail_for_two_pairs(monkeypatch)
    (tmp_path / "other.toml").write_text(TINY.replace('"tiny"', '"other"'), encoding="utf-8")
    heatcat("run", "tiny.toml", "--store", "s", "--workers", "1")
    catalog.create_or_open("s", catalog.read_sweep("other.toml"))
    code, out, err = heatcat("status", "s", "--json")
    assert (code, err) == (0, "")
    states = ("not computed", "running", "ok", "uncertified", "unphysical", "failed")
    none = dict.fromkeys(states, 0)
    assert json.loads(out) == {
        "other": {**none, "not computed": 12},
        "tiny": {**none, "ok": 6, "failed": 6},
    }
    code, out, err = heatcat("status", "s")
    assert (code, err) == (0, "")
    assert re.search(r"│ other +│ +12 │ +12 │ +0 │ +0 │ +0 │ +0 │ +0 │", out)
    assert re.search(r"│ tiny +│ +12 │ +0 │ +0 │ +6 │ +0 │ +0 │ +6 │", out)


class Recipe:
    """Stands for a figure, which has a test of its own: of two sweeps."""

    def presets(self, *, quick: bool) -> dict[str, catalog.Sweep]:
        assert quick
        finite = catalog.read_sweep("tiny.toml")
        return {"finite": finite, "doubled": finite.replace(name="doubled")}

    def require(self, panels: str) -> None:
        assert panels == ""

    def make(self, datasets, out: Path, *, width, panels, formats) -> list[Path]:
        for part in ("finite", "doubled"):
            assert datasets[part].power.sel(N=2).notnull().all()
        assert (width, panels) == (7.0, "")
        return [out / f"fig0.{ending}" for ending in formats]


def test_reproduce_runs_the_presets_and_says_where_everything_lies(heatcat, monkeypatch):
    """Its workers are started once, for all sweeps, and not at all where everything is stored."""
    started = []

    @contextmanager
    def local_client(workers: int) -> Iterator[distributed.Client]:
        started.append(workers)
        options = {"n_workers": 1, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
        with distributed.Client(processes=False, set_as_default=False, **options) as client:
            yield client

    monkeypatch.setattr(figures, "FIGURES", {"fig0": Recipe(), "fig00": Recipe()})
    monkeypatch.setattr(catalog.running.cluster, "local_client", local_client)
    said = ["tiny: 12 ok  ->  o/store.zarr", "doubled: 12 ok  ->  o/store.zarr"]
    said += ["store:   o/store.zarr"]
    said += [f"figure:  o/fig0.{ending}" for ending in ("nc", "png", "pdf", "html")]
    for name, options in (("all", ()), ("fig0", ()), ("fig0", ("--workers", "1"))):
        code, out, _ = heatcat("reproduce", name, "--quick", "--out", "o", *options)
        assert code == 0
        assert out.splitlines() == said * (2 if name == "all" else 1)
        assert started == [CPUS]
    code, out, _ = heatcat("reproduce", "fig0", "--quick", "--out", "other", "--workers", "1")
    assert code == 0
    assert started == [CPUS]


@pytest.mark.parametrize(
    ("method", "more", "expected"),
    [
        ("macroscopic", (), {"power_per_pair": 6.07793052e-5, "constancy": 1.000015874}),
        ("cumulant", ("--order", "3"), {"power_per_pair": 6.13029e-5, "constancy": 0.636121}),
    ],
)
def test_solve_knows_the_macroscopic_limit(method, more, expected, heatcat):
    """The example of Fig. 7 at ω₀ = 0.006, to the digits that are known of it."""
    scaling = ("--scaling", "high-temperature")
    code, out, err = heatcat(
        "solve", *flags(**FIG_7), *scaling, "--method", method, *more, "--json"
    )
    found = json.loads(out)
    assert (code, err, found["status"]) == (0, "", "ok")
    for name, value in expected.items():
        assert found["values"][name] == pytest.approx(value, rel=1e-6 if more else 1e-9)
    assert found["values"]["cop"] is None
    assert found["values"]["gap"] > 0
    assert "N" not in found["engine"]
    if more:
        assert found["options"]["order"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--method", "cumulant", "--order", "5"), "order must be 2, 3 or 4, but is 5"),
        (("--N", "2", "--order", "3"), "method exact has no option 'order'"),
        (("--method", "macroscopic", "--N", "4"), "is the limit N → ∞: leave out --N"),
        (("--method", "macroscopic", "--scaling", "bare"), "use scaling high-temperature"),
    ],
)
def test_wrong_requests_of_a_limit_are_one_line(arguments, message, heatcat):
    scaling = () if "--scaling" in arguments else ("--scaling", "high-temperature")
    code, out, err = heatcat("solve", *flags(**FIG_7), *scaling, *arguments, "--json")
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("failure", "code", "line"),
    [
        (KeyError("sweep"), 70, r"internal error \(KeyError: 'sweep'\): please report it with .*"),
        (AssertionError(), 70, r"internal error \(AssertionError\): please report it with .*"),
        (
            RecursionError("too deep"),
            2,
            r"the input cannot be used \(Recursion.*: make it .*",
        ),
        (MemoryError(), 2, r"the input cannot be used \(MemoryError\): make it smaller .*"),
        (zipfile.BadZipFile("cut"), 2, r"the input cannot be used \(BadZipFile: cut\): make it .*"),
    ],
)
def test_an_error_that_nobody_expected_is_one_line_and_never_silent(
    failure, code, line, heatcat, monkeypatch, tmp_path
):
    def fail() -> None:
        raise failure

    monkeypatch.setattr(catalog, "presets", fail)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    outcome = heatcat("presets")
    assert (outcome.code, outcome.out) == (code, "")
    assert re.fullmatch(f"heatcat: {line}\n", outcome.err)
    files = list(tmp_path.glob("heatcat-*.txt"))
    assert len(files) == (code == 70)
    for file in files:
        assert file.name in outcome.err
        assert "raise failure" in file.read_text(encoding="utf-8")
    monkeypatch.setenv("HEATCAT_TRACEBACK", "1")
    outcome = heatcat("presets")
    assert outcome.code == code
    assert "raise failure" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("heatcat: ")


def test_a_reader_that_stops_early_is_no_error(tmp_path):
    command = f"{sys.executable} -m heatcat presets | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    assert (done.stdout.strip() in ("0", "1"), done.stderr) == (True, "")


def test_a_terminal_without_greek_letters_is_served(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "heatcat", "solve", *ENGINE], cwd=tmp_path, capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"}, check=True,
    )  # fmt: skip
    assert b"power" in done.stdout
    assert done.stderr == b""
