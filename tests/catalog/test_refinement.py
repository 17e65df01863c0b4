"""Refining a stored map: points where it matters, kept as any others, stopped and gone on with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import catalog
from analyses import collective_gain
from analyses.carnot import carnot_delta_E
from catalog import RunStopped, Sweep, check, run, table
from catalog.catalogue import Entry
from catalog.names.labels import POINT
from catalog.refining.propose import Refined
from ensemble import Status
from tests.catalog.support import FIXED, refused

MAP = ("delta_E", "T_mean")
DELTA_E = [60.0, 110.0, 160.0, 210.0, 260.0]
T_MEAN = [90.0, 120.0, 150.0, 180.0]
HEIGHT = T_MEAN[-1] - T_MEAN[0]
SIZES = [1, 4]
COARSE = Sweep(
    name="map",
    axes={"N": SIZES, "delta_E": DELTA_E, "T_mean": T_MEAN},
    fixed=FIXED,
    energy_unit="omega_0",
    variables=["power"],
    blocks={"N": 1},
)
SIZE = COARSE.size
COARSE_STEP = DELTA_E[1] - DELTA_E[0]


@pytest.fixture(scope="module")
def coarse(tmp_path_factory) -> Path:
    """A complete coarse map; tests copy it."""
    location = tmp_path_factory.mktemp("coarse") / "store"
    run(COARSE, location, scheduler="synchronous")
    return location


@pytest.fixture
def store(coarse, tmp_path) -> Path:
    return Path(shutil.copytree(coarse, tmp_path / "store"))


def entry(store: Path) -> Entry:
    return catalog.open(store)["map"]


def refined(store: Path, quantity: Any = "power", **options: Any) -> Refined:
    """The Carnot line of N = 4, unless said otherwise."""
    arguments = {"budget": 12, "batch": 6, "level": 0.0, "N": 4, "scheduler": "synchronous"}
    return entry(store).refine(MAP, quantity, **{**arguments, **options})


def from_carnot(points: np.ndarray) -> np.ndarray:
    """Distance in ΔE from the line, on which power vanishes whatever N (Eq. 23)."""
    line = carnot_delta_E(points[:, 1], E_1=FIXED["E_1"], delta_T=FIXED["delta_T"])
    return np.abs(points[:, 0] - line)


def chunks(store: Path) -> dict[str, tuple]:
    return {
        str(path): (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes())
        for path in store.glob("map*/*/c/**/*")
        if path.is_file()
    }


def test_points_gather_at_the_carnot_line_within_the_budget(store):
    before = chunks(store)
    found = refined(store, budget=40, batch=10)
    assert found.added == 40
    assert found.points.shape == (20 + 40, 2)
    new = found.points[20:]
    assert len({tuple(point) for point in found.points.tolist()}) == 60
    assert ((new >= [60, 90]) & (new <= [260, 180])).all()
    distances = from_carnot(new)
    print(
        f"distance in ΔE from the Carnot line: median {np.median(distances):.1f}, that of the grid "
        f"{np.median(from_carnot(found.points[:20])):.1f}, its step {COARSE_STEP:.0f}"
    )
    assert np.median(distances) < COARSE_STEP / 5
    assert np.median(from_carnot(found.points[:20])) > COARSE_STEP / 2
    # Old blocks are as they were, and the new values those of the solver, sign and all.
    assert before.items() <= chunks(store).items()
    engine = COARSE.model.engine({**FIXED, "N": 4, "delta_E": new[7, 0], "T_mean": new[7, 1]})
    # Engines of a block are solved together: they agree with the engine alone within rounding.
    alone = COARSE.model.method.solve(engine).values["power"]
    assert found.values[27] == pytest.approx(alone, rel=1e-12)
    line = carnot_delta_E(new[:, 1], E_1=FIXED["E_1"], delta_T=FIXED["delta_T"])
    off = distances > 1e-3
    assert (np.sign(found.values[20:]) == np.sign(line - new[:, 0]))[off].all()


def test_batches_are_scattered_parts_beside_the_grid(store):
    found = refined(store)
    stored = entry(store)
    assert [part.grid.size for part in stored.parts] == [SIZE, 6, 6]
    for part in stored.parts[1:]:
        assert tuple(part.grid.axes) == (POINT,)
        assert set(part.grid.points) == set(MAP)
        assert part.grid.fixed["N"] == 4
        with xr.open_zarr(store, group=part.group, consolidated=False) as ds:
            assert ds.power.dims == (POINT,)
            assert ds.delta_E.dims == ds.T_mean.dims == (POINT,)
            assert (ds.status == Status.OK).all()
    assert check(store).sound
    assert stored.missing() == []
    counts = stored.counts()
    assert counts["ok"] == sum(counts.values()) == SIZE + 12
    # The grid stays as it was, and says what lies beside it.
    ds = stored.dataset()
    assert dict(ds.sizes) == {"N": 2, "delta_E": len(DELTA_E), "T_mean": len(T_MEAN)}
    assert ds.attrs["scattered_points"].startswith("12 beside this grid")
    assert (
        ds.drop_vars(["wall_time", "run"])
        .load()
        .drop_attrs()
        .equals(catalog.dataset(COARSE).drop_vars(["wall_time", "run"]).load().drop_attrs())
    )
    assert "12 scattered" in repr(stored)
    assert "12 scattered points lie beside this grid" in stored._repr_html_()
    # All points along one dimension, each once, with their parameters as coordinates.
    points = stored.points()
    assert dict(points.sizes) == {POINT: SIZE + 12}
    assert all(points[name].dims == (POINT,) for name in ("N", *MAP))
    assert points.omega_0.ndim == 0
    assert points.power.chunks is not None
    points = points.load()
    assert (points.status == Status.OK).all()
    for (delta_E, T_mean), value in zip(found.points[20:], found.values[20:], strict=True):
        there = (points.N == 4) & (points.delta_E == delta_E) & (points.T_mean == T_mean)
        assert points.power[there.values].values.tolist() == [value]
        one = stored.point(N=4, delta_E=delta_E, T_mean=T_mean)
        assert one.values["power"] == value
    on_grid = points.isel({POINT: slice(SIZE)}).power.values.reshape(ds.power.shape)
    assert on_grid.tobytes() == ds.power.values.tobytes()
    # N kept as a dimension: the new points have one of its two labels.
    kept = stored.points(keep=["N"]).load()
    assert dict(kept.sizes) == {POINT: SIZE // 2 + 12, "N": 2}
    assert kept.status.sel(N=1).values.tolist() == [1] * (SIZE // 2) + [0] * 12
    assert kept.power.sel(N=4, point=slice(SIZE // 2, None)).values.tolist() == list(
        found.values[20:]
    )
    # The grid over all labels is there on request; most of its points were not asked for.
    filled = stored.dataset(filled=True).load()
    assert filled.sizes["delta_E"] == len({*DELTA_E, *found.points[:, 0].tolist()})
    there = filled.status != Status.NOT_COMPUTED
    assert int(there.sum()) == SIZE + 12
    assert filled.power.where(~there).isnull().all()
    # A table, a tree and a file have a row for every point.
    rows = table(stored.points())
    assert len(rows) == SIZE + 12
    assert (
        rows.drop(columns="point")
        .sort_values([*MAP, "N"], ignore_index=True)
        .equals(
            table(filled)[rows.columns.drop("point")].sort_values([*MAP, "N"], ignore_index=True)
        )
    )
    tree = catalog.open(store).tree()
    assert tree["map"].to_dataset().sizes == ds.sizes
    assert tree["map~points"].to_dataset().sizes == stored.points().sizes


def test_what_asks_for_points_finds_scattered_ones(store):
    found = refined(store)
    stored = entry(store)
    beside = "delta_E == delta_E and " + " and ".join(
        f"abs(delta_E - {label}) > 1e-6" for label in DELTA_E
    )
    done = stored.recompute(beside, scheduler="synchronous")
    assert done.matched == sum(label not in DELTA_E for label in found.points[20:, 0])
    assert entry(store).recompute(status="ok", scheduler="synchronous").matched == SIZE + 12
    with refused(r"more than one point is left along N: .*"):
        stored.point(delta_E=60.0, T_mean=90.0)
    with refused(r"there is no T_mean = 91.*"):
        stored.point(N=1, delta_E=60.0, T_mean=91.0)
    with refused(r"mu_1 is no parameter of map.*"):
        stored.points(keep=["mu_1"])
    with refused(r"keep must be a list.*"):
        stored.points(keep="N")
    # A grid that is run over the labels of a scattered point has its value; the point counts once.
    label = float(found.points[-1, 0]), float(found.points[-1, 1])
    row = COARSE.replace(axes={"N": SIZES, "delta_E": [label[0]], "T_mean": [90.0, label[1]]})
    run(row, store, scheduler="synchronous")
    again = entry(store)
    assert again.counts()["ok"] == SIZE + 12 + 3
    assert again.points().sizes[POINT] == SIZE + 12 + 3
    assert again.dataset().power.sel(N=4, delta_E=label[0], T_mean=label[1]) == found.values[-1]


def test_points_that_are_run_one_by_one_do_not_fill_out_the_grid(store):
    """One new label lengthens an axis; two of them are a scattered point."""

    def one(**labels: float) -> None:
        axes = {name: [label] for name, label in labels.items()}
        run(COARSE.replace(axes=axes), store, scheduler="synchronous")

    one(N=8, delta_E=60.0, T_mean=90.0)
    assert entry(store).dataset().sizes["N"] == 3
    one(N=4, delta_E=61.0, T_mean=91.0)
    one(N=8, delta_E=62.0, T_mean=92.0)
    stored = entry(store)
    assert dict(stored.dataset().sizes) == {"N": 3, "delta_E": len(DELTA_E), "T_mean": len(T_MEAN)}
    assert stored.beside_grid == 2
    assert stored.points().sizes[POINT] == stored.counts()["ok"] == SIZE + 3
    assert stored.point(N=8, delta_E=62, T_mean=92).labels["delta_E"] == 62.0


def test_a_sweep_of_points_alone_has_them_along_a_dimension(tmp_path):
    points = {"delta_E": [60.0, 70.0, 65.0], "T_mean": [90.0, 80.0, 85.0]}
    sweep = COARSE.replace(axes={"N": SIZES}, points=points, blocks={})
    run(sweep, tmp_path, scheduler="synchronous")
    stored = entry(tmp_path).dataset()
    assert stored.power.dims == (POINT, "N")
    assert stored.delta_E.values.tolist() == points["delta_E"]
    assert np.array_equal(stored.power, catalog.dataset(sweep).power)
    assert entry(tmp_path).beside_grid == 0
    more = COARSE.replace(
        axes={"N": SIZES}, points={"delta_E": [71.0], "T_mean": [81.0]}, blocks={}
    )
    run(more, tmp_path, scheduler="synchronous")
    both = entry(tmp_path).dataset()
    assert both.delta_E.values.tolist() == [*points["delta_E"], 71.0]
    assert both.power.notnull().all()
    assert entry(tmp_path).dataset(filled=True).power.dims == ("N", *MAP)


def test_the_boundary_of_the_gain_needs_both_sizes_at_each_point(store):
    """Where four pairs together beat four alone: the gain crosses 1 on a curve of its own."""

    def gain(ds: xr.Dataset) -> xr.DataArray:
        return collective_gain(ds.power).sel(N=4)

    level = float(np.nanmedian(gain(entry(store).dataset().load()).values))
    found = refined(store, gain, level=level, N=SIZES, budget=24, batch=8)
    assert found.added == 24
    for part in entry(store).parts[1:]:
        assert part.grid.dims == (POINT, "N")
        assert part.grid.axes["N"] == tuple(SIZES)
        assert part.grid.size == 2 * 8
    assert entry(store).counts()["ok"] == SIZE + 2 * 24
    ds = entry(store).points(keep=["N"]).load()
    for (delta_E, T_mean), value in zip(found.points[20:], found.values[20:], strict=True):
        chosen = (ds.delta_E == delta_E) & (ds.T_mean == T_mean)
        there = gain(ds.isel(point=chosen.values)).item()
        assert there == value or (np.isnan(there) and np.isnan(value))
    # The points lie nearer to the level than those of the grid do.
    deviations = np.abs(found.values - level)
    assert np.nanmedian(deviations[20:]) < np.nanmedian(deviations[:20]) / 2


def test_a_quantity_that_keeps_a_dimension_is_refused(store):
    with refused(r"N is still a dimension of the map: give its label"):
        refined(store, lambda ds: ds.power, N=SIZES)
    assert len(entry(store).parts) == 1


class Stop(Exception):
    """What stands for a crash of the driver."""


@pytest.mark.parametrize("at", [1, 3])
def test_a_refinement_that_is_stopped_goes_on(at, store):
    """Stopped at a block of the first batch, or of the second: no block is solved again."""
    seen: list[Any] = []

    def stop(block: catalog.Block, counts: dict[str, int]) -> None:
        seen.append(block)
        if len(seen) == at:
            raise Stop

    with pytest.raises(Stop):
        refined(store, on_block=stop)  # two batches of two blocks
    after = chunks(store)
    stored = entry(store)
    done = stored.counts()["ok"] - SIZE
    assert stored.counts()["not computed"] == len(stored.missing()) * 2 == 2
    assert len(stored.missing()) == 1
    later: list[Any] = []
    found = refined(store, on_block=lambda block, _: later.append(block))
    assert found.added == 12  # a budget is of new points
    assert not set(later) & set(seen)
    assert after.items() <= chunks(store).items()
    assert entry(store).missing() == []
    assert entry(store).counts()["ok"] == SIZE + done + 2 + 12
    assert len(found.points) == 20 + done + 2 + 12
    assert np.median(from_carnot(found.points[-12:])) < COARSE_STEP / 2
    assert check(store).sound


def test_a_run_completes_what_a_refinement_began(store):
    def stop(*_: Any) -> None:
        raise Stop

    with pytest.raises(Stop):
        refined(store, on_block=stop)
    (left,) = entry(store).missing()
    assert run(COARSE, store, scheduler="synchronous")["ok"] == SIZE
    assert entry(store).missing() == [left]  # it was not asked for
    refined(store, budget=1)
    assert entry(store).missing() == []


def test_a_dense_run_over_labels_that_coincide_with_scattered_points(store):
    """It is a grid of its own: scattered points do not stand in its way, and agree with it."""
    found = refined(store)
    scattered = chunks(store)
    labels = {
        "delta_E": sorted({*DELTA_E, *found.points[20:26, 0].tolist()}),
        "T_mean": sorted({*T_MEAN, *found.points[20:26, 1].tolist()}),
    }
    dense = Sweep(
        name="map",
        axes={"N": SIZES, **labels},
        fixed=FIXED,
        energy_unit="omega_0",
        variables=["power"],
    )
    counts = run(dense, store, scheduler="synchronous")
    assert counts["ok"] == sum(counts.values()) == dense.size  # what is there twice counts once
    assert entry(store).counts()["ok"] == dense.size + 6
    assert scattered.items() <= chunks(store).items()
    expected = catalog.dataset(dense).power.compute()
    assert (
        catalog.dataset(dense, store).power.compute().values.tobytes() == expected.values.tobytes()
    )
    stored = entry(store)
    for point, value in zip(found.points[20:26], found.values[20:26], strict=True):
        assert stored.point(N=4, delta_E=point[0], T_mean=point[1]).values["power"] == value
    rows = table(stored.points())
    keys = list(zip(rows.N, rows.delta_E, rows.T_mean, strict=True))
    assert len(keys) == len(set(keys)) == dense.size + 6
    assert run(dense, store, scheduler="synchronous") == counts
    # And refinement goes on from all of it.
    again = refined(store, budget=2)
    assert again.added == 2
    assert len(again.points) == len(labels["delta_E"]) * len(labels["T_mean"]) + 6 + 2
    assert len({tuple(point) for point in again.points.tolist()}) == len(again.points)


def test_scattered_points_survive_a_bystander(store):
    """A run of another kind of sweep beside it, and a refinement of the other size."""
    refined(store)
    found = refined(store, N=1, budget=6)
    assert found.added == 6
    assert len(found.points) == 20 + 6  # those at N = 4 are none of N = 1
    assert entry(store).counts()["ok"] == SIZE + 12 + 6


def test_what_cannot_be_refined_is_refused_before_any_work(store):
    before = sorted(store.rglob("*"))
    stored = entry(store)

    def attempt(parameters: Any, quantity: Any = "power", **options: Any) -> None:
        stored.refine(parameters, quantity, **{"budget": 3, "N": 4, **options})

    with refused(r"unknown parameter 'delta_e'.*did you mean 'delta_E'\?"):
        attempt(("delta_e", "T_mean"))
    with refused(r"the dataset has no 'powr': did you mean 'power'\?"):
        attempt(MAP, "powr")
    with refused(r"E_1 does not vary in this sweep: choose another axis"):
        attempt(("E_1", "T_mean"), delta_E=60.0)
    with refused(r"N has several labels: give the one of the map, or a list"):
        stored.refine(MAP, "power", budget=3)
    with refused(r"N = 3 .*"):
        attempt(MAP, N=3)
    with refused(r"budget must be at least 1, but is 0: use 1, 2, …"):
        attempt(MAP, budget=0)
    with refused(r"resolution is a fraction of the map, not 2: try 0\.001"):
        attempt(MAP, resolution=2)
    with refused(r"unknown spacing 'log': use linear or geometric"):
        attempt(MAP, spacing=("log", "linear"))
    assert sorted(store.rglob("*")) == before


def test_an_archive_is_read_and_not_refined(store, tmp_path):
    refined(store)
    archive = Path(shutil.make_archive(str(tmp_path / "shipped"), "zip", store))
    shipped = archive.read_bytes()
    with refused(r"shipped\.zip is an archive: unpack it to a directory to refine it"):
        refined(archive)
    with refused(r"shipped\.zip is an archive, only to be read: unpack it to a directory"):
        run(COARSE, archive, scheduler="synchronous")
    assert entry(archive).counts() == entry(store).counts()
    assert entry(archive).dataset().load().identical(entry(store).dataset().load())
    assert check(archive).plain() == check(store).plain()
    assert archive.read_bytes() == shipped


def test_a_refinement_that_cannot_write_stops_like_a_run(store, monkeypatch):
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(catalog.store.part.Part, "write", full)
    with pytest.raises(RunStopped, match=r"No space left on device.*run the same command again"):
        refined(store)
    monkeypatch.undo()
    assert refined(store).added == 12
    assert entry(store).missing() == []


def test_a_refused_refinement_adds_no_part(store):
    before = sorted(path.name for path in store.iterdir())
    with refused("cannot reach a scheduler at 'tcp://127.0.0.1:1' .*"):
        entry(store).refine(MAP, "power", budget=4, N=4, scheduler="tcp://127.0.0.1:1")
    assert sorted(path.name for path in store.iterdir()) == before
