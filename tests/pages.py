"""Runs the code blocks of a Markdown page, top to bottom, in one directory and one namespace.

What a fence may be, by its first line:

- ```` ```python ````: executed; with prompts (``>>>``) a doctest, whose numbers are compared.
- ```` ```sh ````: run by bash, every command must succeed; what it exports, later blocks see.
- ```` ```text output ```` (or ``json``): what the ``sh`` block before it prints; ``...`` stands for
  anything.
- ```` ```sh background ````: each line is a server that runs until the page ends.
- ```` ```toml ````: a sweep, saved under the name in its first line (``# name.toml``) and read.
- ```` ```sh checked-by=NAME ```` (any language): not run here but looked at by the check NAME.
- ```` ```{literalinclude} FILE ````: a file that the page shows; the directory gets a copy.
- ```` ```text ````, ```` ``` ````: words, not code.  ```` ```math ````: an equation in LaTeX.
- ```` ```{name} ````: a directive.
"""

from __future__ import annotations

import contextlib
import doctest
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import click

import catalog
from catalog.running.profile_file import profile_from_toml
from heatcat.cli import cli

ROOT = Path(__file__).parents[1]
DOCTEST_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WORDS = ("", "text", "math")
INCLUDE = "{literalinclude}"
COMMAND_SECONDS = 120
SHELL = ("_", "SHLVL", "PWD", "OLDPWD")
"""Variables that bash sets by itself."""

Check = Callable[[str], None]


def takes_minutes(code: str) -> None:
    """Installation and long runs: targets, commands and options must be there."""
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)
    for line in code.splitlines():
        match shlex.split(line, comments=True):
            case ["make", target]:
                assert target in targets, f"the Makefile has no target {target!r}"
            case ["heatcat", *words]:
                name, command, rest = cli.resolve_command(click.Context(cli), words)
                assert name
                assert command
                command.make_context(name, rest)
            case words:
                assert words == ["source", ".venv/bin/activate"], (
                    f"neither make nor heatcat: {line}"
                )


def cluster_profile(code: str) -> None:
    """A profile of a cluster, which the tests have not got: it must be one."""
    profile_from_toml(code)


def cluster_command(code: str) -> None:
    """Commands that need that cluster: their words must be there, and one names a profile."""
    takes_minutes(code)
    assert "--cluster" in code, "no command takes a profile: use --cluster profile.toml"


CHECKS: dict[str, Check] = {
    check.__name__: check for check in (takes_minutes, cluster_profile, cluster_command)
}
"""By name, for blocks marked ``checked-by=``: those that cannot run here."""


@dataclass(frozen=True)
class Block:
    """One fenced block: ``language mark`` on its fence, its code, and the line of that fence."""

    language: str
    mark: str
    code: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether there is anything to run or check."""
        return self.language not in WORDS or bool(self.mark)


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page, in order; of MyST directives only files that are shown."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in re.finditer(r"^(`{3,})([^\n`]*)\n(.*?)^\1$", text, re.DOTALL | re.MULTILINE):
        language, _, mark = match[2].strip().partition(" ")
        if language == INCLUDE or not language.startswith("{"):
            found.append(Block(language, mark, match[3], text[: match.start()].count("\n") + 1))
    return found


def run_page(page: Path, folder: Path) -> dict[str, Any]:
    """Run a page in an empty folder, the current directory; returns its Python namespace."""
    path = [str(folder), *sys.path]  # as in a session that was started there
    with (
        mock.patch.dict(os.environ),
        mock.patch.object(sys, "path", path),
        contextlib.ExitStack() as servers,
    ):
        run = _Run(page, folder, servers)
        for block in blocks(page):
            try:
                run.step(block)
            except Exception as failure:
                raise AssertionError(f"{page.name}:{block.line}: {failure}") from failure
        return run.namespace


@dataclass
class _Run:
    page: Path
    folder: Path
    servers: contextlib.ExitStack
    namespace: dict[str, Any] = field(default_factory=lambda: {"__name__": "__page__"})
    printed: str | None = None
    """By the ``sh`` block before, until its output is compared."""

    def step(self, block: Block) -> None:
        language, mark = block.language, block.mark
        if language == INCLUDE:
            shutil.copy(self.page.parent / mark, self.folder)
            self.servers.enter_context(_imported_anew(Path(mark).stem))
        elif mark.startswith("checked-by="):
            name = mark.removeprefix("checked-by=")
            assert name in CHECKS, f"there is no check {name!r}: {', '.join(CHECKS)}"
            CHECKS[name](block.code)
        elif mark == "output":
            self.compare(block.code)
        elif (language, mark) == ("sh", "background"):
            for line in block.code.splitlines():
                self.servers.enter_context(_server(line, self.folder))
        elif mark:
            raise AssertionError(f"unknown mark {mark!r} on a fence: see tests/pages.py")
        elif language == "python":
            self.python(block)
        elif language == "sh":
            self.printed = _bash(block.code, self.folder)
        elif language == "toml":
            self.sweep_file(block.code)
        elif language not in WORDS:
            raise AssertionError(
                f"no way to run {language!r}: use python, sh, toml, text or a mark"
            )

    def python(self, block: Block) -> None:
        if not block.code.startswith(">>> "):
            source = "\n" * block.line + block.code  # a traceback names the page's own line
            exec(compile(source, str(self.page), "exec"), self.namespace)
            return
        test = doctest.DocTestParser().get_doctest(
            block.code, self.namespace, str(self.page), str(self.page), block.line
        )
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=DOCTEST_FLAGS)
        failed = runner.run(test, out=report.append, clear_globs=False).failed
        assert not failed, "".join(report)
        self.namespace.update(test.globs)

    def sweep_file(self, code: str) -> None:
        name = re.match(r"# (\S+\.toml)\n", code)
        assert name, "a sweep file begins with its name: # name.toml"
        path = self.folder / name[1]
        path.write_text(code, encoding="utf-8")
        catalog.read_sweep(path)

    def compare(self, wanted: str) -> None:
        assert self.printed is not None, "output without a sh block before it"
        same = doctest.OutputChecker().check_output(wanted, self.printed, DOCTEST_FLAGS)
        assert same, f"the page says\n{wanted}\nbut this is printed:\n{self.printed}"
        self.printed = None


def _environment() -> dict[str, str]:
    """Commands of this Python first, this repository's packages, and plain text 80 wide."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    return os.environ | {"PATH": path, "PYTHONPATH": str(ROOT), "COLUMNS": "80", "NO_COLOR": "1"}


def _bash(code: str, folder: Path) -> str:
    """Run a block; what it prints on standard output.  Its exports outlive it, as in a terminal."""
    before = _environment()
    exports = folder / ".exports"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"{code}\nenv -0 > {shlex.quote(str(exports))}"],
        cwd=folder,
        env=before,
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"exit code {done.returncode}: {done.stderr}"
    entries = (entry.partition("=") for entry in exports.read_text().split("\0") if entry)
    after = {name: value for name, _, value in entries if name not in SHELL}
    os.environ.update({name: value for name, value in after.items() if before.get(name) != value})
    return done.stdout


@contextlib.contextmanager
def _imported_anew(module: str) -> Iterator[None]:
    """A module that was imported from elsewhere, or will be from here, is not met by the others."""
    before = sys.modules.pop(module, None)
    try:
        yield
    finally:
        sys.modules.pop(module, None)
        if before is not None:
            sys.modules[module] = before


@contextlib.contextmanager
def _server(line: str, folder: Path) -> Iterator[None]:
    """A command that runs until the page ends, with all that it has started."""
    log = folder / "servers.log"
    with log.open("a") as out:
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=folder,
            env=_environment(),
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield
        assert process.poll() is None, f"{line} ended by itself: {log.read_text()}"
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=30)
