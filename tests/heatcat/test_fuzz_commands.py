"""Random commands and sweep files: each ends in one line or in success, none in a traceback.

Commands that work are changed at random, by odd words, missing words and sweep files with odd
values, and run through the real ``main()`` in this process.  The solver is replaced, no cluster is
started, and the size limits are lowered, so that hundreds of commands take seconds.

``HEATCAT_FUZZ=20000 python -m pytest -m slow -s tests/heatcat/test_fuzz_commands.py`` tries many
more; ``HEATCAT_FUZZ_SEED`` chooses others.
"""

from __future__ import annotations

import math
import os
import random
import re
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import catalog
import catalog.running.executors
import catalog.sweeps.sweep
import ensemble.engine
import heatcat.claims
from catalog.heat_engine.methods import METHODS
from ensemble import InvalidInput, Solution, Status
from heatcat.cli import main
from tests.heatcat.test_cli import ENGINE, TINY

SEED = int(os.environ.get("HEATCAT_FUZZ_SEED", "1"))
FEW, MANY = 80, int(os.environ.get("HEATCAT_FUZZ", "5000"))
MOST_ENGINES = 100_000
"""Engines that one command may build: about two seconds of work."""
MOST_SOLVED = 300

LIMIT = ("--method", "macroscopic", "--scaling", "high-temperature")
COMMANDS: list[list[str]] = [
    ["solve", *ENGINE, "--json"],
    ["solve", *ENGINE, "--spin-1", "0.5", "--variables", "power,constancy"],
    ["solve", *ENGINE, "--statistics", "fermionic", "--mu-1", "0.1", "--mu-2", "-0.1"],
    ["solve", *ENGINE[2:], *LIMIT],
    ["solve", *ENGINE[2:], *LIMIT[2:], "--method", "cumulant", "--order", "3"],
    ["run", "tiny.toml", "--store", "new.zarr", "--workers", "1"],
    ["run", "tiny.toml", "--store", "s.zarr", "--workers", "1"],
    ["run", "points.toml", "--store", "new.zarr", "--workers", "1"],
    ["plan", "tiny.toml", "--json"],
    ["plan", "tiny.toml", "--store", "s.zarr"],
    ["plan", "fig2-quick"],
    ["plan", "points.toml"],
    ["status", "s.zarr", "--json"],
    ["status", "s.zip"],
    ["check", "s.zarr"],
    ["repair", "s.zarr", "--json"],
    ["log", "s.zarr", "--sweep", "tiny"],
    ["recompute", "s.zarr", "tiny", "--where", "residual > 1e-8 and ΔE < 60", "--workers", "1"],
    ["recompute", "s.zarr", "--status", "ok", "--workers", "1"],
    ["compact", "s.zarr", "tiny", "--holes", "--json"],
    ["rename", "s.zarr", "tiny", "newer"],
    ["delete", "s.zarr", "tiny", "--yes"],
    ["copy", "s.zip", "tiny", "new.zarr", "--name", "other"],
    [
        *("refine", "s.zarr", "--over", "delta_E,T_mean", "--quantity", "power", "--points", "2"),
        *("--at", "N=2", "--level", "0", "--workers", "1"),
    ],
    ["export", "s.zarr", "--to", "out.csv", "--force"],
    ["export", "s.zarr", "tiny", "--to", "out.nc", "--force", "--json"],
    ["export", "s.zarr", "--to", "out.zip", "--force"],
    ["presets"],
    ["claims", "--only", "nothing"],
    ["reproduce", "fig0", "--out", "o"],
    ["--version"],
]
READ_ONLY = {"solve", "plan", "status", "check", "log", "presets", "claims", "export"}
WORDS = [
    *("", " ", "-", "--", "-1", "0", "1", "2.5", "1e300", "1e-300", "1e308", "-1e308", "nan"),
    *("inf", "-inf", "9" * 20, "9" * 5000, "10000000", "0x10", "1_000", "١", "½", "1,5", "None"),
    *("N=4", "N=1,4", "=", "N=", "power", "powr", "N", "ΔE", "Δ" * 300, "delta_E", "x" * 5000),
    *("tiny.toml", "s.zarr", "s.zip", "cut.zip", "empty.zip", "new.zarr", "gone", ".", "..", "/"),
    *(
        "/dev/null",
        "/proc/self/mem",
        "~nouser/x",
        "~",
        "tiny.toml/s",
        "latin\udcff",
        "a\tb",
        "a\nb",
    ),
    *("x/" * 3000, "http://x/y", "ftp://x", "://", "file:///tmp", "tcp://", "tcp://:-1", "threads"),
    *("--json", "--force", "--store", "--help", "--N", "--workers", "--nonsense", "-h", "--to"),
    *("exact", "macroscopic", "cumulant", "bosonic", "qutip", "undriven", "independent-spins"),
    *("high-temperature", "fermionic", "status == 'ok'", "(" * 300, "1/0", "power > 'x'", "[b]"),
    *("[/b]", "<script>", "\x1b[31m", "𝒞", "\u202e", "ok", "failed", "fig2", "fig2-quick", "all"),
]
NUMBERS = [
    *("-1", "0", "-0.0", "1", "2", "3", "2.5", "1e3", "1e300", "1e-300", "1e308", "-1e308", "1e99"),
    *("nan", "inf", "-inf", "5e-324", "9" * 20, "9" * 5000, "10000000", "1e-99", "0.1", "750"),
]
VALUES = [
    *("", "1", "-1", "0", "2.5", "nan", "inf", "-inf", "1e308", "-1.7e308", "1e-320", "true", "''"),
    *(
        "'x'",
        "[]",
        "[[]]",
        "[1, 'x']",
        "{}",
        "[1, 1]",
        "[2, 1]",
        "[1, 2, 3]",
        "[0.1, 0.3]",
        "{a=1}",
    ),
    *("9" * 20, "9" * 5000, "-" + "9" * 5000, "0x" + "f" * 300, "0.1" + "0" * 5000, "1e99999"),
    *("[" * 5000, "[" * 300 + "]" * 300, "{a=" * 300 + "1" + "}" * 300, "a." * 2000 + "b = 1"),
    *(
        "1979-05-27",
        "07:32:00",
        "'''a\nb'''",
        '"\\u0000"',
        '"\\u202e"',
        '"[/b]"',
        "'" + "x" * 9999 + "'",
    ),
    *("{start = 1, stop = 4, num = 4}", "{start = 1, stop = 4, num = 1000000000}"),
    *("{start = 1, stop = 8, num = 4, spacing = 'geometric'}", "{start = 1, stop = 9, num = 4}"),
    *("{start = -1.7e308, stop = 1.7e308, num = 3}", "{start = 1e-320, stop = 1e308, num = 9}"),
    *("{start = 1, stop = 2, num = 1e3}", "{start = 0, stop = 1, num = 5, spacing = 'geometric'}"),
    *("{start = 50, stop = 250, num = 99999}", "{start = 50, stop = 50, num = 2}", "'points.csv'"),
    *("'gone.csv'", "'~nouser/p.csv'", "'bad.csv'", "'exact'", "{name = 'exact', tolerance = 0}"),
    *("{name = 'cumulant', order = 'x'}", "{name = []}", "'macroscopic'", "'high-temperature'"),
    *("['power']", "['gap', 'power']", "['x']", "'fermionic'", "'[dE] [meV]'"),
]
LINES = [
    *(
        "[axes]",
        "[points]",
        "[blocks]",
        "[sweep]",
        "[fixed]",
        "[[axes]]",
        "N",
        "= 1",
        "x",
        "#",
        "]",
    ),
    *(
        "mu_1",
        "mu_2",
        "spin_1",
        "spin_2",
        "E_1",
        "N",
        "points",
        "point",
        "name",
        "method",
        "blocks",
    ),
    *(
        "scaling",
        "statistics",
        "variables",
        "energy_unit",
        "description",
        "delta_E",
        '"ΔE"',
        "T_mean",
    ),
]
POINTS = TINY.replace('"tiny"', '"scattered"').replace("delta_E = [50, 125, 250]\n", "").replace(
    "T_mean = [60, 100]\n", "[points]\ndelta_E = [50, 125, 250]\nT_mean = [100, 60, 90]\n"
)  # fmt: skip


class Stopped(BaseException):
    """The command works, and has worked enough."""


class Result(NamedTuple):
    kind: str
    """accepted, refused, stopped, or what is wrong."""
    words: list[str]
    text: str


def odd_command(chance: random.Random) -> list[str]:
    """A command that works, with some words changed: mostly values, some by odd numbers."""
    words = list(chance.choice(COMMANDS))
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        place = chance.randrange(1, len(words) + 1)
        action = chance.random()
        if place < len(words) and not words[place].startswith("--") and action < 0.9:
            number = re.fullmatch(r"-?[0-9.e-]+", words[place]) and chance.random() < 0.8
            words[place] = chance.choice(NUMBERS if number else WORDS)
        elif place < len(words) and action < 0.1:
            del words[place]
        elif action < 0.2:
            words.insert(place, chance.choice(WORDS))
    if chance.random() < 0.02:
        words[0] = chance.choice(WORDS)
    return words


def odd_file(chance: random.Random, text: str) -> bytes:
    """A sweep file that works, with up to three lines changed, now and then a few bytes."""
    lines = text.splitlines()
    for _ in range(chance.choice((0, 1, 1, 1, 2))):
        place = chance.randrange(len(lines))
        key, equals, value = lines[place].partition(" = ")
        action = chance.random()
        if equals and action < 0.6:
            value = chance.choice(VALUES)
        elif action < 0.7:
            key = chance.choice(LINES)
        elif action < 0.9:
            lines.insert(place, f"{chance.choice(LINES)} = {chance.choice(VALUES)}")
            continue
        lines[place] = key + equals + value
    content = "\n".join(lines).encode()
    if chance.random() < 0.1:
        content = b"\xef\xbb\xbf" + content
    if chance.random() < 0.1:
        place = chance.randrange(len(content))
        content = content[:place] + chance.randbytes(3) + content[place + 1 :]
    return content


class Bench:
    """A folder with a store and sweep files, and what one command did there."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.folder, self.monkeypatch, self.capsys = folder, monkeypatch, capsys
        self.engines = self.solved = 0
        self.touched = True
        monkeypatch.chdir(folder)
        (folder / "tiny.toml").write_text(TINY, encoding="utf-8")
        catalog.run(catalog.read_sweep("tiny.toml"), "kept.zarr", scheduler="synchronous")
        catalog.zip_store("kept.zarr", "s.zip")
        whole = (folder / "s.zip").read_bytes()
        (folder / "cut.zip").write_bytes(whole[: len(whole) // 2])
        (folder / "empty.zip").write_bytes(b"")
        (folder / "points.csv").write_text("delta_E,T_mean\n50,100\n125,60\n", encoding="utf-8")
        (folder / "bad.csv").write_text("delta_E;T_mean\n50;100\n", encoding="utf-8")
        self._count_and_replace()

    def _count_and_replace(self) -> None:
        build = ensemble.engine.Engine.__post_init__

        def counted(engine: Any) -> None:
            self.engines += 1
            if self.engines > MOST_ENGINES:
                raise Stopped("too many engines")
            build(engine)

        def solve(method: Any, engine: Any, variables: Any = None) -> Solution:
            self.solved += 1
            if self.solved > MOST_SOLVED:
                raise Stopped
            values = dict.fromkeys(method.chosen(variables), 1.0)
            return Solution(values=values, status=Status.OK, diagnostics={})

        def no_cluster(*_: object, **__: object) -> Any:
            raise InvalidInput("no cluster is started here: compute in this process")

        self.monkeypatch.setattr(ensemble.engine.Engine, "__post_init__", counted)
        for method in METHODS.values():
            self.monkeypatch.setattr(method, "solve", solve)
        self.monkeypatch.setattr(catalog.running.executors, "connected", no_cluster)
        self.monkeypatch.setattr(catalog.sweeps.sweep, "MOST_POINTS", 60_000)
        self.monkeypatch.setattr(heatcat.claims, "run", lambda *_, **__: [])

    def call(self, words: list[str], files: dict[str, bytes]) -> Result:
        """One command, in a folder as it was."""
        for name, content in files.items():
            (self.folder / name).write_bytes(content)
        if self.touched:
            for name in ("s.zarr", "new.zarr"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
            shutil.copytree(self.folder / "kept.zarr", self.folder / "s.zarr")
        self.touched = not READ_ONLY & {*words[:1]}
        self.engines = self.solved = 0
        self.monkeypatch.setattr(sys, "argv", ["heatcat", *words])
        self.capsys.readouterr()
        try:
            main()
        except SystemExit as end:
            code = end.code or 0
        except Stopped as end:
            return Result("stopped" if not str(end) else "too much work", words, str(end))
        except BaseException as failure:
            return Result("traceback", words, repr(failure)[:300])
        out, err = self.capsys.readouterr()
        return Result(_judged(code, out, err), words, f"exit code {code}: {err[-600:]}")


def _judged(code: Any, out: str, err: str) -> str:
    if "Traceback" in err:
        return "traceback"
    if code == 0:
        return "accepted"
    if code == 1 and re.search("damaged|could not be completed|checks that failed", out + err):
        return "accepted"  # of check, or of a run that a file stopped
    lines = err.splitlines()
    if code != 2 or not lines or not lines[-1].startswith("heatcat: "):
        return "neither success nor one line"
    if any(line.startswith("heatcat: ") for line in lines[:-1]) or len(lines[-1]) > 1100:
        return "more than one line"
    if ": " not in lines[-1].removeprefix("heatcat: "):
        return "no remedy"
    return "refused"


@pytest.fixture
def bench(tmp_path, monkeypatch, capsys) -> Iterator[Bench]:
    return Bench(tmp_path, monkeypatch, capsys)


def try_commands(bench: Bench, number: int, capsys: Any) -> None:
    chance = random.Random(SEED)
    counts: Counter[str] = Counter()
    wrong = []
    for _ in range(number):
        files = {"tiny.toml": odd_file(chance, TINY), "points.toml": odd_file(chance, POINTS)}
        words = odd_command(chance)
        if not any(word in ("tiny.toml", "points.toml") for word in words):
            files = {"tiny.toml": TINY.encode(), "points.toml": POINTS.encode()}
        result = bench.call(words, files)
        counts[result.kind] += 1
        if os.environ.get("HEATCAT_FUZZ_SHOW"):
            with capsys.disabled():
                print(result.kind, [word[:40] for word in result.words[:9]], result.text[-200:])
        if result.kind not in ("accepted", "refused", "stopped"):
            file = next((files[word] for word in words if word in files), b"")
            wrong.append(f"{result.kind}: {result.words} -> {result.text}\n{file[:900]!r}")
    with capsys.disabled():
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
        print(f"\n{number} commands (seed {SEED}): {shown}; {len(wrong)} wrong")
    assert not wrong, "\n\n".join(wrong[:20])
    assert counts["refused"] > number / 3
    assert counts["accepted"] > number / 10


def test_some_random_commands(bench, capsys):
    try_commands(bench, FEW, capsys)


@pytest.mark.slow
def test_many_random_commands(bench, capsys):
    try_commands(bench, MANY, capsys)


def test_the_commands_that_are_changed_work(bench):
    for words in COMMANDS:
        if words[0] in ("reproduce", "claims"):
            continue
        files = {"tiny.toml": TINY.encode(), "points.toml": POINTS.encode()}
        result = bench.call(words, files)
        assert result.kind == "accepted", result
        assert math.isfinite(bench.engines)
