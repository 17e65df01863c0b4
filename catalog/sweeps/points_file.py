"""Scattered points from a CSV file: one column a parameter, one row a point."""

from __future__ import annotations

import csv
from pathlib import Path

from catalog.arguments import shown
from catalog.names.labels import MOST_LABELS
from ensemble import InvalidInput


def read_points(path: Path) -> dict[str, list[int | float]]:
    """The columns of a CSV file by their headings.

    Numbers are read to the last bit.  Empty lines, and lines that begin with ``#``, do not count.

    Raises
    ------
    InvalidInput
        In one line that names the file, the line and the remedy.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _columns(path, file)
    except OSError as failure:
        raise InvalidInput(
            f"cannot read the points {path}: {failure.strerror or failure}: check the path"
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} is not UTF-8 text: save it as UTF-8") from None
    except csv.Error as failure:
        raise InvalidInput(f"{path} is not a CSV file ({failure}): save it as CSV") from None


def _columns(path: Path, file: object) -> dict[str, list[int | float]]:
    reader = csv.reader(file, skipinitialspace=True)  # type: ignore[arg-type]
    heading: list[str] | None = None
    columns: dict[str, list[int | float]] = {}
    for row in reader:
        if not any(cell.strip() for cell in row) or row[0].lstrip().startswith("#"):
            continue
        where = f"line {reader.line_num} of {path}"
        if heading is None:
            heading = [cell.strip() for cell in row]
            if len(heading) == 1 and any(mark in heading[0] for mark in ";\t"):
                raise InvalidInput(f"{where} has one column {shown(row[0])}: separate by commas")
            if "" in heading:
                raise InvalidInput(
                    f"{where}: column {heading.index('') + 1} has no name: name its parameter, or "
                    "remove it"
                )
            columns = {name: [] for name in heading}
            if len(columns) < len(heading):
                raise InvalidInput(f"{where} names a column twice: keep one of them")
            continue
        if len(row) != len(heading):
            raise InvalidInput(
                f"{where} has {len(row)} values for {len(heading)} columns: give one a column"
            )
        for name, cell in zip(heading, row, strict=True):
            columns[name].append(_number(where, name, cell))
        if len(columns[heading[0]]) > MOST_LABELS:
            raise InvalidInput(f"{path} has more than {MOST_LABELS} points: make several sweeps")
    if heading is None:
        raise InvalidInput(f"{path} is empty: write a line of names, then one line a point")
    return columns


def _number(where: str, name: str, text: str) -> int | float:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    raise InvalidInput(f"{where}: {name} must be a number, but is {shown(text)}: correct it")
