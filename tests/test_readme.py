"""The README's sweep file and Python run as printed."""

import re
from pathlib import Path

import xarray as xr

import catalog

README = Path(__file__).parents[1] / "README.md"


def blocks(language: str) -> list[str]:
    """Code blocks of a language, in order."""
    text = README.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def test_the_sweep_file_and_the_python_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (sweep_file,) = blocks("toml")
    Path("steadiness.toml").write_text(sweep_file, encoding="utf-8")
    for code in blocks("python"):
        exec(compile(code, str(README), "exec"), {})
    store = catalog.open("engines.zarr")["steadiness"]
    assert store.counts() == dict.fromkeys(store.counts(), 0) | {"ok": store.sweep.size}
    stored = xr.open_zarr("engines.zarr", group="steadiness", consolidated=False)
    assert stored.power.sel(N=8).notnull().all()


def test_the_commands_exist():
    """Every heatcat subcommand that the README shows is one of the command line's."""
    from heatcat.cli import cli

    shown = set(re.findall(r"^heatcat (\w+)", "\n".join(blocks("sh")), flags=re.MULTILINE))
    assert shown >= {"solve", "plan", "run", "status"}
    assert shown <= set(cli.commands)
