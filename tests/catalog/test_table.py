"""Tables: every computed point once, in pieces that read no more than they must."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from catalog.heat_engine.terms import NAMES
from catalog.reading.table import columns, empty_table, iter_tables, table
from ensemble import Status
from tests.catalog.samples import MESSAGE, sample
from tests.catalog.support import refused


@pytest.mark.parametrize("lazy", [False, True])
def test_each_computed_point_is_one_row(lazy):
    ds = sample(lazy=lazy)
    frame = table(ds)
    assert len(frame) == 10
    for row in frame.to_dict("records"):
        point = ds.sel({dim: row[dim] for dim in ds.dims})
        for name in ("power", "residual", "coherence_order", "solver", "error"):
            expected = point[name].values.item()
            assert row[name] == expected or (row[name] != row[name] and expected != expected)
        assert Status(int(point.status)).label == row["status"]
        assert row["E_1"] == 100
    assert frame.status.value_counts().to_dict() == {"ok": 8, "uncertified": 1, "failed": 1}
    assert frame.loc[frame.status == "failed", "error"].tolist() == [MESSAGE]


def test_all_points_on_request():
    frame = table(sample(lazy=True), computed_only=False)
    assert len(frame) == 12
    assert (frame.status == "not computed").sum() == 2


def test_columns_come_in_the_order_of_the_vocabulary():
    ds = sample()
    ds["surplus"] = 2 * ds.power
    found = columns(ds)
    assert found[:3] == ["N", "delta_E", "T_mean"]
    assert found[3:7] == ["omega_0", "E_1", "delta_T", "Gamma_0"]
    variables = [name for name in NAMES.names("variable") if name in ds]
    diagnostics = [name for name in NAMES.names("diagnostic") if name in ds]
    assert found[7:] == [*variables, "surplus", *diagnostics]
    assert found[-1] == "status"
    assert table(ds).columns.tolist() == found


@pytest.mark.parametrize(("rows", "largest"), [(1, 2), (3, 3), (4, 4), (6, 6), (11, 6), (12, 12)])
def test_pieces_are_whole_blocks_up_to_a_size_and_make_the_whole(rows, largest):
    """A block has 2 × 1 points or 1 × 1, and each N 3 × 2."""
    ds = sample(lazy=True)
    pieces = list(iter_tables(ds, computed_only=False, rows=rows))
    assert max(len(piece) for piece in pieces) == largest
    together = pd.concat(pieces, ignore_index=True)
    pd.testing.assert_frame_equal(
        together.sort_values(["N", "delta_E", "T_mean"], ignore_index=True),
        table(ds.compute(), computed_only=False),
    )


def test_of_blocks_without_a_computed_point_only_the_status_is_read():
    status = np.array([1, 1, 0, 0, 0, 0], dtype="u1")
    read = []

    def power(block_id):
        read.append(block_id)
        return np.ones(2)

    ds = xr.Dataset(
        {
            "power": (
                "delta_E",
                da.map_blocks(power, chunks=((2, 2, 2),), dtype=float, meta=np.ones(0)),
            ),
            "status": ("delta_E", da.from_array(status, chunks=2)),
        },
        {"delta_E": np.arange(6.0)},
    )
    assert sum(len(frame) for frame in iter_tables(ds, rows=2)) == 2
    assert read == [(0,)]


def test_scattered_points_have_their_coordinates_as_columns():
    ds = xr.Dataset(
        {"power": ("point", [1.0, 2.0, 3.0]), "status": ("point", np.array([1, 0, 1], "u1"))},
        {"delta_E": ("point", [5.0, 1.0, 3.0]), "T_mean": ("point", [1.0, 2.0, 3.0]), "N": 4},
    ).chunk({"point": 1})
    frame = pd.concat(iter_tables(ds, rows=1), ignore_index=True)
    assert frame.point.tolist() == [0, 2]
    assert frame.delta_E.tolist() == [5.0, 3.0]
    assert frame.N.tolist() == [4, 4]


def test_a_single_point_is_one_row():
    assert len(table(sample().isel(N=0, delta_E=0, T_mean=0))) == 1


def test_without_a_computed_point_the_columns_remain():
    ds = sample()
    ds["status"] = ds.status * 0
    frame = table(ds)
    assert len(frame) == 0
    assert frame.dtypes.equals(empty_table(sample()).dtypes)
    assert frame.columns.tolist() == columns(ds)


def test_an_empty_dataset_is_an_empty_table():
    assert len(table(sample(lazy=True).isel(delta_E=slice(0)))) == 0


def test_without_status_there_is_no_telling():
    with refused("leave out computed_only"):
        table(sample().drop_vars("status"), computed_only=True)
