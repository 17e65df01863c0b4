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
    """Compute what a store lacks of SWEEP, a preset's name or a TOML file.

    It may be killed at any moment and repeated: finished blocks are kept.
    """
    sweep = catalog.find_sweep(sweep_name)
    show.run(sweep, store, scheduler=scheduler, workers=workers)


@click.command("cluster-script")
@click.argument("profile", type=click.Path())
def cluster_script(profile: str) -> None:
    """Print the job script that PROFILE, a TOML file, leads to; submits nothing.

    Words in capitals stand for what is known once a run has begun.
    """
    click.echo(job_script(catalog.read_profile(profile)), nl=False)


@click.command()
@click.argument("sweep_name", metavar="SWEEP")
@click.option("--store", type=click.Path(), help="Subtract the points that this store already has.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def plan(sweep_name: str, store: str | None, as_json: bool) -> None:
    """Say what running SWEEP would take; computes and writes nothing."""
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
