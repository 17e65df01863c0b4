"""Commands for the life of a store: compact, rename, delete and copy sweeps."""

from __future__ import annotations

import sys
from dataclasses import asdict

import click

import catalog
from catalog.store.compact import Compaction, plan_compaction
from catalog.store.compact import compact as compact_sweep
from catalog.store.copy_sweep import copy as copy_sweep
from catalog.store.delete import delete as delete_sweep
from catalog.store.rename import rename as rename_sweep
from ensemble import InvalidInput
from heatcat import terminal
from heatcat.store_commands import JSON, STORE, find_entry


@click.command("compact")
@STORE
@click.argument("sweep", required=False)
@click.option("--holes", is_flag=True, help="Accept a grid with points that nobody asked for.")
@JSON
def compact(store: str, sweep: str | None, holes: bool, as_json: bool) -> None:
    """Merge the groups of SWEEP in STORE into one, so that every Zarr reader sees all points.

    SWEEP may be left out if the store holds just one.  Points, history and arrays that you have
    added are kept, and compared before the old groups are deleted.
    """
    name = find_entry(catalog.open(store), sweep).name
    plan = plan_compaction(store, name)
    if not as_json:
        terminal.echo(_in_words(plan))
    done = compact_sweep(store, name, holes=holes)
    if as_json:
        terminal.echo_json({**asdict(done), "compacted": done.needed})
    elif done.needed:
        terminal.echo(f"{name}: done, {done.computed} computed points are in {done.group}")


def _in_words(plan: Compaction) -> str:
    if not plan.needed:
        return f"{plan.name} is one grid already: nothing to do"
    shape = " × ".join(f"{length} {name}" for name, length in plan.shape.items())
    words = f"{plan.name}: {', '.join(plan.groups)} become one grid of {shape}"
    if plan.holes:
        words += (
            f"; {plan.holes} of its points were never asked for, and heatcat status will count "
            f"{plan.holes + plan.points - plan.computed} points as not computed"
        )
    if plan.apart:
        words += f"; {', '.join(plan.apart)} of scattered points stay apart"
    return words


@click.command("rename")
@STORE
@click.argument("old")
@click.argument("new")
@JSON
def rename(store: str, old: str, new: str, as_json: bool) -> None:
    """Give the sweep OLD of STORE the name NEW."""
    rename_sweep(store, old, new)
    if as_json:
        terminal.echo_json({"old": old, "new": new})
    else:
        terminal.echo(f"{old} is now {new}")


@click.command("delete")
@STORE
@click.argument("sweep")
@click.option("--yes", is_flag=True, help="Delete without asking.")
@JSON
def delete(store: str, sweep: str, yes: bool, as_json: bool) -> None:
    """Delete SWEEP from STORE, with its history.

    It asks first.  Without a terminal it needs --yes.
    """
    entry = find_entry(catalog.open(store), sweep)
    points = sum(entry.counts().values())
    if not yes:
        if not sys.stdin.isatty():
            raise InvalidInput(
                f"{entry.name} of {points} points would be deleted, and there is no terminal to "
                "ask on: add --yes"
            )
        question = f"Delete {entry.name} of {points} points from {entry.location}?"
        if not click.confirm(terminal.visible(question), err=True):
            terminal.echo("nothing deleted", err=True)
            sys.exit(1)
    delete_sweep(store, entry.name)
    if as_json:
        terminal.echo_json({"sweep": entry.name, "points": points})
    else:
        terminal.echo(f"{entry.name} of {points} points deleted")


@click.command("copy")
@click.argument("source", metavar="SOURCE_STORE", type=click.Path())
@click.argument("sweep")
@click.argument("target", metavar="TARGET_STORE", type=click.Path())
@click.option("--name", help="Name in the target; the same name by default.")
@JSON
def copy(source: str, sweep: str, target: str, name: str | None, as_json: bool) -> None:
    """Copy SWEEP of SOURCE_STORE to TARGET_STORE, or merge it into the sweep of that name there.

    Points that both have computed must be equal; the target keeps its own.
    """
    done = copy_sweep(source, sweep, target, new=name)
    if as_json:
        terminal.echo_json(asdict(done))
        return
    words = f"{done.points} computed points of {sweep} {'merged' if done.merged else 'copied'}"
    if done.merged:
        words += f", {done.known} were there already"
    terminal.echo(f"{words}  ->  {done.name} in {target}")
