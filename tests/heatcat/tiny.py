"""Figures from a few points of their quick presets."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import catalog
from heatcat.figures import Recipe

SIGNATURES = {
    ".png": b"\x89PNG",
    ".pdf": b"%PDF",
    ".html": b"<!DOCTYPE html>",
    ".nc": b"\x89HDF",
}
Axes = Mapping[str, Sequence[float]]


def tiny_sweep(name: str, preset: catalog.Sweep, axes: Axes) -> catalog.Sweep:
    """A preset on other labels of its axes."""
    assert set(axes) == set(preset.axes)
    return catalog.Sweep(
        name=name,
        axes=axes,
        fixed=preset.fixed,
        model=preset.model,
        variables=preset.variables,
    )


def tiny_figure(recipe: Recipe, axes: Mapping[str, Axes], out: Path) -> dict[str, Path]:
    """Files of a figure by suffix; ``axes`` are the labels of each part."""
    datasets = {
        part: catalog.dataset(tiny_sweep(f"tiny-{part}", preset, axes[part])).compute()
        for part, preset in recipe.presets(quick=True).items()
    }
    files = {path.suffix: path for path in recipe.make(datasets, out)}
    page = files[".html"].read_text(encoding="utf-8")
    assert "".join(re.findall(r"<figcaption>\((\w)\) ", page)) == recipe.letters
    return files


def assert_four_files(paths: Mapping[str, Path]) -> None:
    """Data, PNG, PDF and a page that needs no network, none of them nearly empty."""
    assert set(paths) == set(SIGNATURES)
    for suffix, signature in SIGNATURES.items():
        content = paths[suffix].read_bytes()
        assert content.lstrip().startswith(signature)
        assert len(content) > 5000
    assert "http" + "://cdn" not in paths[".html"].read_text(encoding="utf-8")
