"""House rules that a reader relies on: who imports whom, and files that change together."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from catalog.heat_engine.terms import TERMS as PHYSICS

ROOT = Path(__file__).parents[1]

MAY_IMPORT = {
    "ensemble": {"ensemble"},
    "catalog": {"catalog", "ensemble"},
    "analyses": {"analyses", "catalog", "ensemble"},
    "heatcat": {"heatcat", "analyses", "catalog", "ensemble"},
}
"""heatcat → analyses, catalog → ensemble: imports run one way."""

ROOMS = {
    "ensemble": (
        *("arrays", "errors", "checks", "parameters", "engine", "solution", "method"),
        *("units", "variables", "laws"),
        *("generator", "closed_forms", "steady", "counting", "correlations"),
        *("local_noise", "detuned", "sensitivities", "bounds", "optima", "together", "basis"),
        *("evolution", "spectrum", "limits", "closure", "methods", "__init__"),
    ),
    "catalog": (
        *("arguments", "names", "models", "heat_engine", "sweeps", "cost", "store"),
        *("running", "reading", "refining", "catalogue", "__init__"),
    ),
    "heatcat/browser": (
        *("shown", "drawn", "state", "panels", "sections"),
        *("page", "access", "server", "plots", "command", "__init__"),
    ),
}
"""Folders of a package, and files beside them.  Each imports only itself and those before it."""

CONTRACT = {
    ("ensemble", "InvalidInput"),
    ("ensemble", "Solution"),
    ("ensemble", "Status"),
    ("ensemble.solution", "failed"),
}
"""What any file of catalog takes from ensemble: how a model answers and refuses, no physics."""
BESIDE_CONTRACT = {
    "catalog/arguments.py": {("ensemble.checks", n) for n in ("as_number", "is_finite", "shown")},
}

PHYSICS_LIBRARIES = {"numpy", "scipy"}
OPTIONAL_LIBRARIES = {
    "qutip_model.py": {"qutip"},
    "qutip_reference.py": {"qutip"},
    "factorization.py": {"pypardiso"},
}
"""What one file of ensemble may import besides, where it is used and not before."""
FILES_AND_CLOCKS = {"datetime", "glob", "io", "os", "pathlib", "shutil", "tempfile", "time"}

FOR_ANALYSES = {
    ("catalog.heat_engine.energy_term", None),
    ("catalog.heat_engine.terms", None),
    ("catalog.names.status", None),
    ("catalog.names.suggestion", None),
    ("ensemble", "InvalidInput"),
    ("ensemble", "Engine"),
    ("ensemble.closed_forms.single_pair", None),
}
"""Modules, or names of a module, from the other packages: the vocabulary and closed forms."""

CONDA_NAMES = {"matplotlib": "matplotlib-base"}
"""Packages that conda-forge calls otherwise; matplotlib itself would bring Qt there."""


class Import(NamedTuple):
    """One imported name: from the top of a module, or only where it is used."""

    module: str
    name: str | None
    deferred: bool

    @property
    def package(self) -> str:
        return self.module.partition(".")[0]


def sources(package: str) -> list[Path]:
    found = sorted((ROOT / package).rglob("*.py"))
    assert found, f"no sources of {package} in {ROOT}"
    return found


def imports(tree: ast.AST, *, deferred: bool = False) -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        inside = deferred or isinstance(node, ast.FunctionDef) or _type_checking(node)
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, deferred) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative imports hide the package"
            assert node.module is not None
            yield from (Import(node.module, alias.name, deferred) for alias in node.names)
        else:
            yield from imports(node, deferred=inside)


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_run_one_way(package):
    wrong = [
        f"{path.relative_to(ROOT)} imports {found.module}"
        for path in sources(package)
        for found in imports(parsed(path))
        if found.package in MAY_IMPORT and found.package not in MAY_IMPORT[package]
    ]
    assert not wrong


class Arrow(NamedTuple):
    """One file of a package that imports another, at its top or only where it is used."""

    file: str
    imported: str


def arrows(package: str) -> list[Arrow]:
    """All imports between the files of a package, as paths below it without their suffix."""
    files = {
        path.relative_to(ROOT / package).with_suffix("").as_posix() for path in sources(package)
    }
    found = []
    for file in sorted(files):
        for item in imports(parsed(ROOT / package / f"{file}.py")):
            path = item.module.replace(".", "/") + "/"
            if path.startswith(f"{package}/"):
                module = path.removeprefix(f"{package}/").strip("/")
                places = (f"{module}/{item.name}", module, f"{module}/__init__")
                plain = (place.strip("/") for place in places)
                found.append(Arrow(file, next(place for place in plain if place in files)))
    return found


def room_of(file: str) -> str:
    return file.partition("/")[0]


def upward(found: list[Arrow], rooms: tuple[str, ...]) -> list[str]:
    """Imports from a later room than the file's own."""
    return [
        f"{file} imports {imported}, but {room_of(imported)} comes after {room_of(file)}"
        for file, imported in found
        if rooms.index(room_of(imported)) > rooms.index(room_of(file))
    ]


def circle(found: list[Arrow]) -> list[str]:
    """Files that import each other in a circle, the first one repeated at the end; [] if none."""
    graph: dict[str, set[str]] = {}
    for file, imported in found:
        graph.setdefault(file, set()).add(imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as failure:
        return list(failure.args[1])
    return []


@pytest.mark.parametrize("package", ROOMS)
def test_every_room_of_a_package_has_a_place_in_its_order(package):
    files = (path.relative_to(ROOT / package) for path in sources(package))
    assert {room_of(file.with_suffix("").as_posix()) for file in files} == set(ROOMS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_a_room_imports_only_rooms_before_it(package):
    assert not upward(arrows(package), ROOMS[package])


@pytest.mark.parametrize("package", ROOMS)
def test_no_files_import_each_other_in_a_circle(package):
    assert not circle(arrows(package))


def test_a_wrong_arrow_and_a_circle_are_found():
    down, up = Arrow("steady/state", "engine"), Arrow("engine", "steady/state")
    assert not upward([down], ("engine", "steady"))
    assert not circle([down])
    assert upward([down, up], ("engine", "steady")) == [
        "engine imports steady/state, but steady comes after engine"
    ]
    assert set(circle([down, up])) == {"engine", "steady/state"}
    within = [Arrow("steady/a", "steady/b"), Arrow("steady/b", "steady/c")]
    assert not circle(within)
    assert circle([*within, Arrow("steady/c", "steady/a")])


def spoken(tree: ast.AST) -> Iterator[str]:
    """Identifiers and texts of a file, its docstrings left out."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            node.body[0].value = ast.Constant(value=None)  # type: ignore[attr-defined]
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_nothing_in_the_catalogue_but_the_heat_engine_knows_its_parameters():
    parameters = [term for term in PHYSICS if term.kind == "parameter" and term.name != "N"]
    words = {word for term in parameters for word in (term.name, term.symbol)}
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in sorted(words)))
    wrong = [
        f"{path.relative_to(ROOT)}: {text!r}"
        for path in sources("catalog")
        if "heat_engine" not in path.parts
        for text in spoken(parsed(path))
        if pattern.search(text)
    ]
    assert not wrong


def test_the_catalogue_knows_only_the_contract_of_ensemble_outside_of_the_heat_engine():
    found = {
        (path.relative_to(ROOT).as_posix(), item.module, item.name)
        for path in sources("catalog")
        if "heat_engine" not in path.parts
        for item in imports(parsed(path))
        if item.package == "ensemble"
    }
    beside = {(file, *what) for file, names in BESIDE_CONTRACT.items() for what in names}
    assert {what for what in found if what[1:] not in CONTRACT} == beside


def test_ensemble_is_numpy_and_scipy_without_files_or_clocks():
    wrong = []
    for path in sources("ensemble"):
        optional = OPTIONAL_LIBRARIES.get(path.name, set())
        for found in imports(parsed(path)):
            allowed = (
                found.package in PHYSICS_LIBRARIES | {"ensemble"}
                or (found.package in sys.stdlib_module_names - FILES_AND_CLOCKS)
                or (found.package in optional and found.deferred)
            )
            if not allowed:
                wrong.append(f"{path.relative_to(ROOT)} imports {found.module}")
        for node in ast.walk(parsed(path)):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "open":
                wrong.append(f"{path.relative_to(ROOT)}:{node.lineno} opens a file")
    assert not wrong


def test_analyses_take_the_vocabulary_and_closed_forms_never_a_store_or_a_solver():
    wrong = [
        f"{path.relative_to(ROOT)} imports {found.name} from {found.module}"
        for path in sources("analyses")
        for found in imports(parsed(path))
        if found.package in {"catalog", "ensemble"}
        and not {(found.module, None), (found.module, found.name)} & FOR_ANALYSES
    ]
    assert not wrong


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_every_file_says_in_one_line_what_it_is(package):
    for path in sources(package):
        docstring = ast.get_docstring(parsed(path))
        assert docstring, f"{path.relative_to(ROOT)} has no docstring"
        first = docstring.splitlines()[0]
        assert first.endswith((".", "?", "!", '"')), f"{path.relative_to(ROOT)}: {first}"


def test_conda_environment_and_project_ask_for_the_same_packages_and_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["test"], *extras["docs"]]
    expected = {conda_name(requirement) for requirement in wanted}
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    listed = [item for item in environment["dependencies"] if isinstance(item, str)]
    python = {item.replace(" ", "") for item in listed if item.startswith("python")}
    assert python == {"python" + project["requires-python"]}
    assert {item.replace(" ", "") for item in listed} - python - {"pip"} == expected
    assert environment["channels"] == ["conda-forge"]


def conda_name(requirement: str) -> str:
    plain = requirement.partition(";")[0]  # conda knows no markers: the environment is Linux's
    match = re.fullmatch(r"([A-Za-z0-9_.-]+?)\s*(>=\s*[0-9.]+)\s*", plain)
    assert match, f"{requirement!r} has no plain lower bound"
    name, bound = match.groups()
    return CONDA_NAMES.get(name, name) + bound.replace(" ", "")


def test_nothing_is_left_to_do_in_the_sources():
    marks = re.compile("|".join(("TO" + "DO", "FIX" + "ME")))  # in pieces: this is a source, too
    listed = [
        ROOT / name for name in ("README.md", "Makefile", "pyproject.toml", "CONTRIBUTING.md")
    ]
    for folder in (*MAY_IMPORT, "tests", "docs", "benchmarks"):
        listed += [
            path
            for path in sorted((ROOT / folder).rglob("*"))
            if path.suffix in {".py", ".md", ".toml", ".yml"}
        ]
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in listed
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if marks.search(line)
    ]
    assert not found
