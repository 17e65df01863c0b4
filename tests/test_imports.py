"""Importing is quick: a package loads what it needs when it is first asked for."""

from __future__ import annotations

import ast
import importlib
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import analyses
import catalog

HEAVY = {
    *("dask", "distributed", "holoviews", "hvplot", "matplotlib", "pandas", "panel", "qutip"),
    *("scipy", "xarray", "zarr"),
}
WITH_XARRAY = HEAVY - {"pandas", "xarray"}
"""``import heatcat`` registers ``Dataset.heatcat`` with xarray, which imports pandas."""
LAZY = (analyses, catalog)


def loaded_by(code: str) -> set[str]:
    """The packages that a new process has loaded in the end."""
    end = "import sys; print(); print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\n{end}"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.splitlines()[-1].split())


def calling(*words: str) -> str:
    """Code that runs the command line."""
    return (
        f"import sys; sys.argv = ['heatcat', *{words}]\n"
        "from heatcat.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code"
    )


@pytest.mark.parametrize(
    ("code", "spared"),
    [
        ("import catalog", HEAVY),
        ("import analyses", HEAVY),
        ("import heatcat", WITH_XARRAY),
        (calling("--help"), WITH_XARRAY),
        (calling("--version"), WITH_XARRAY),
    ],
    ids=["catalog", "analyses", "heatcat", "--help", "--version"],
)
def test_importing_loads_no_heavy_package(code, spared):
    assert not loaded_by(code) & spared


def test_solving_one_engine_loads_no_store():
    engine = "solve --N 1 --E-1 1 --delta-E 9 --T-mean 13.5 --delta-T 23 --omega-0 1 --Gamma-0 1"
    assert not loaded_by(calling(*engine.split())) & (WITH_XARRAY - {"scipy"})


def test_what_a_sweep_does_not_need_is_not_loaded():
    heavy = {"distributed", "holoviews", "hvplot", "matplotlib", "panel", "qutip"}
    assert not loaded_by("from catalog import Sweep, run") & heavy
    # The guard sees what is loaded.
    assert heavy & loaded_by("import matplotlib, distributed") == {"matplotlib", "distributed"}


def test_importing_heatcat_registers_the_accessor():
    code = "import heatcat, xarray as xr; print(type(xr.Dataset().heatcat).__name__)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "HeatcatAccessor\n"


@pytest.mark.parametrize("package", LAZY, ids=lambda package: package.__name__)
class TestOfAPackage:
    """What is imported on demand is there in every other way."""

    def test_every_name_that_it_announces_is_there(self, package):
        for name in package.__all__:
            assert not isinstance(getattr(package, name), ModuleType)
        assert set(package.__all__) <= set(dir(package))
        with pytest.raises(AttributeError, match=f"module '{package.__name__}' has no .* 'nought'"):
            _ = package.nought

    def test_type_checkers_see_the_names_where_they_are_defined(self, package):
        tree = ast.parse(Path(package.__file__).read_text(encoding="utf-8"))
        (block,) = [node for node in tree.body if isinstance(node, ast.If)]
        seen = {
            alias.name: found.module
            for found in block.body
            if isinstance(found, ast.ImportFrom)
            for alias in found.names
        }
        assert sorted(seen) == sorted(package.__all__)
        for name, module in seen.items():
            assert getattr(importlib.import_module(str(module)), name) is getattr(package, name)

    def test_no_module_has_the_name_of_a_function(self, package):
        """Importing such a module would put it in the place of the function."""
        modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
        assert not modules & set(package.__all__)

    def test_its_names_can_be_sent_to_workers(self, package):
        public: dict[str, Any] = {name: getattr(package, name) for name in package.__all__}
        for value in public.values():
            assert pickle.loads(pickle.dumps(value)) is value
