"""``heatcat run`` and the commands used before it: plan, presets, the script of a batch job."""

from __future__ import annotations

import click

import catalog
from catalog.running.job_script import job_script
from heatcat import show, terminal
from heatcat.computing_options import computing_options


@click.command()
@click.argument("sweep_name", metavar="SWEEP")
@click.option("--store", type=click.Path(), required=True, help="Zarr store directory.")
@computing_options
def run(sweep_name: str, store: str, scheduler: str | catalog.Profile, workers: int | None) -> None:
    """Compute the points of SWEEP (a preset or a TOML file) that are not in the store.

    You may kill it at any moment and repeat it: finished blocks are kept.
    """
    sweep = catalog.find_sweep(sweep_name)
    show.run(sweep, store, scheduler=scheduler, workers=workers)


@click.command("cluster-script")
@click.argument("profile", type=click.Path())
def cluster_script(profile: str) -> None:
    """Print the job script that a run makes from PROFILE, a TOML file; submits nothing.

    Words in capitals are placeholders for values that a run fills in.
    """
    click.echo(job_script(catalog.read_profile(profile)), nl=False)


@click.command()
@click.argument("sweep_name", metavar="SWEEP")
@click.option("--store", type=click.Path(), help="Subtract the points that this store already has.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plan(sweep_name: str, store: str | None, as_json: bool) -> None:
    """Predict time, memory and disk space of running SWEEP; computes and writes nothing."""
    sweep = catalog.find_sweep(sweep_name)
    stored = catalog.find_stored(store, sweep) if store is not None else None
    forecast = catalog.plan(sweep, stored)
    if as_json:
        terminal.echo_json(show.plan_json(sweep, forecast))
    else:
        show.plan(sweep, forecast)


@click.command()
def presets() -> None:
    """List the sweeps that come with the package."""
    show.presets(catalog.presets())
