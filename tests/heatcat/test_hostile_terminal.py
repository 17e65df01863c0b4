"""Whatever a store or a sweep file says, the terminal shows it as text and nothing breaks."""

from __future__ import annotations

import io
import itertools
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table

import catalog
from heatcat import cli, show, terminal
from heatcat.terminal import PlainConsole, visible
from tests.heatcat.hostile import ALL, NAME, PAYLOADS, SEEN, computed

pytestmark = pytest.mark.kills

TEXTS = st.text() | st.sampled_from(PAYLOADS) | st.lists(st.sampled_from(PAYLOADS)).map("".join)
HARMLESS = "\u200c\u200d"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return computed(tmp_path_factory.mktemp("hostile"))


def run(*words: object, encoding: str = "utf-8") -> subprocess.CompletedProcess[str]:
    """The command as a process, with standard streams of an encoding."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-m", "heatcat", *map(str, words)],
        capture_output=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr.decode(errors="replace")
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    return subprocess.CompletedProcess(words, done.returncode, out, err)


def acting(text: str) -> set[str]:
    """Characters of a text that act on a terminal, but line ends and joiners."""
    acts = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")}
    return acts - {"\n", *HARMLESS}


def squeezed(text: str) -> str:
    return re.sub(r"\s", "", text)


def shows(text: str, *pieces: str) -> None:
    """A text outside of tables, or a column of a table, shows these pieces, folded or not."""
    rows = [line.split("│")[1:-1] for line in text.splitlines() if line.count("│") > 1]
    columns = ["".join(cells) for cells in itertools.zip_longest(*rows, fillvalue="")]
    for piece in pieces:
        assert any(squeezed(piece) in squeezed(one) for one in (text, *columns)), piece


@given(TEXTS)
def test_visible_text_acts_on_nothing_and_fits_a_line(text):
    seen = visible(text)
    assert not acting(seen)
    assert "\n" not in seen
    assert visible(seen) == seen


@given(TEXTS, TEXTS, st.sampled_from(["utf-8", "ascii", "latin-1"]))
def test_a_table_shows_every_text_literally(cell, title, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = PlainConsole(file=stream, width=10_000, legacy_windows=False)
    table = Table(title=title, title_justify="left")
    table.add_column(cell)
    table.add_row(cell)
    console.print(table)
    console.print(cell)
    stream.flush()
    shown = stream.buffer.getvalue().decode(encoding)  # type: ignore[attr-defined]
    assert not acting(shown)
    expected = visible(cell).encode(encoding, "backslashreplace").decode(encoding)
    assert shown.count(expected.strip()) >= 3 or not expected.strip()
    stream.close()


def test_an_ordinary_text_is_shown_unchanged():
    for text in ("ΔE, T̄ and ω₀²: “dE [meV]”", "日本語", "café [1] :smile:"):
        assert visible(text) == text


def test_the_commands_show_what_the_store_says(store):
    for words in (("status", store), ("log", store)):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        assert not acting(done.stdout)
        shows(done.stdout, *SEEN)
    for words in (("check", store), ("status", store, "--json"), ("log", store, "--json")):
        done = run(*words)
        assert done.returncode == 0, done.stderr
        assert not acting(done.stdout)
    (record,) = json.loads(run("log", store, "--json").stdout)["hostile"]
    assert record["host"] == ALL


@pytest.mark.parametrize("encoding", ["utf-8", "ascii", "latin-1"])
def test_a_plan_shows_the_words_of_a_sweep_file(encoding, tmp_path):
    file = tmp_path / "[b] ü.toml"
    words = json.dumps("[/b] dE [meV] Δ \u001b[2J \\u00b5")
    file.write_text(
        f'[sweep]\nname = "tiny"\ndescription = {words}\nenergy_unit = "dE [meV]"\n'
        "[axes]\nN = [1]\n"
        "[fixed]\ndelta_E = 50\nT_mean = 60\nomega_0 = 1\nE_1 = 100\ndelta_T = 100\nGamma_0 = 1\n",
        encoding="utf-8",
    )
    done = run("plan", file, encoding=encoding)
    assert done.returncode == 0, done.stderr
    assert not acting(done.stdout)
    delta = "Δ" if encoding == "utf-8" else r"\u0394"
    shows(done.stdout, rf"[/b] dE [meV] {delta} \x1b[2J \u00b5")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_every_encoding_will_do(encoding, store):
    engine = "--N 2 --E-1 100 --delta-E 50 --T-mean 60 --delta-T 100 --omega-0 1 --Gamma-0 1"
    for words in (
        ("solve", *engine.split()),
        ("solve", "--method", "macroscopic", "--scaling", "high-temperature", *engine.split()[2:]),
        ("presets",),
        ("plan", "fig2"),
        ("status", store),
        ("log", store),
    ):
        done = run(*words, encoding=encoding)
        assert done.returncode == 0, done.stderr
    lines = run("solve", *engine.split(), encoding="ascii").stdout.splitlines()
    assert any(r"\u0394" in line or r"\u03b7" in line for line in lines)
    rows = [line for line in lines if line.startswith(("|", "+"))]
    assert len(rows) > 10
    assert len({len(row) for row in rows}) == 1  # the frame stays straight


@pytest.mark.parametrize("text", PAYLOADS)
def test_an_error_is_one_line_that_acts_on_nothing(text, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["heatcat", "status", "no/" + text.replace("\0", "")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    captured = capsys.readouterr()
    assert ended.value.code == 2
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert not acting(captured.err)


def test_a_reader_that_leaves_is_no_error(store, tmp_path):
    for words in (("log", store), ("log", store, "--json"), ("presets",), ("status", store)):
        command = [sys.executable, "-m", "heatcat", *map(str, words)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.close()  # before a word is written
        assert process.stderr is not None
        errors = process.stderr.read().decode()
        process.stderr.close()
        process.wait(timeout=60)
        assert errors == ""


def test_progress_and_summaries_take_names_literally(tmp_path, capsys):
    location = tmp_path / NAME
    sweep = catalog.Sweep(
        name="tiny",
        axes={"N": [1]},
        fixed={"omega_0": 1, "E_1": 100, "delta_T": 100, "Gamma_0": 1, "delta_E": 50, "T_mean": 60},
        description=ALL,
    )
    show.run(sweep, str(location), scheduler="synchronous", workers=None)
    shows(capsys.readouterr().out, NAME)
    show.presets({"tiny": sweep})
    shows(capsys.readouterr().out, *SEEN)
    terminal.echo(ALL)
    assert not acting(capsys.readouterr().out)
