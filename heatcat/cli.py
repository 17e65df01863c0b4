"""The command line.  Scripts rely on its names and options, which must not change.

A command is imported when it is called, so that ``heatcat --help`` is quick.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import NoReturn, cast

import click

from heatcat import __version__, terminal

COMMANDS = {
    "browse": (
        "heatcat.browser.command",
        "Show STORE in a browser: maps, slices, single engines, live points.",
    ),
    "check": (
        "heatcat.store_commands",
        "Read all of STORE and verify its checksums; exit code 1 if anything is damaged.",
    ),
    "claims": (
        "heatcat.claims_command",
        "Recompute the paper's claims, each with numbers and a verdict.",
    ),
    "cluster-script": (
        "heatcat.run_commands",
        "Print the job script that a run makes from PROFILE, a TOML file; submits nothing.",
    ),
    "compact": (
        "heatcat.store_life_commands",
        "Merge the groups of SWEEP in STORE into one, so that every Zarr reader sees all points.",
    ),
    "copy": (
        "heatcat.store_life_commands",
        "Copy SWEEP of SOURCE_STORE to TARGET_STORE, or merge it into the sweep of that name "
        "there.",
    ),
    "delete": (
        "heatcat.store_life_commands",
        "Delete SWEEP from STORE, with its history.",
    ),
    "export": (
        "heatcat.export_command",
        "Write SWEEP of STORE to a file; computes nothing.",
    ),
    "log": (
        "heatcat.store_commands",
        "Show the runs that filled STORE: when, where, with which versions, how they ended.",
    ),
    "optimize": (
        "heatcat.optimize_command",
        "Search for engines with the most (or least) of a variable, by method exact.",
    ),
    "plan": (
        "heatcat.run_commands",
        "Predict time, memory and disk space of running SWEEP; computes and writes nothing.",
    ),
    "presets": (
        "heatcat.run_commands",
        "List the sweeps that come with the package.",
    ),
    "recompute": (
        "heatcat.store_commands",
        "Compute again the points of SWEEP in STORE that meet all given conditions.",
    ),
    "refine": (
        "heatcat.refine_command",
        "Add points to a map of SWEEP in STORE where a quantity changes fastest.",
    ),
    "rename": (
        "heatcat.store_life_commands",
        "Give the sweep OLD of STORE the name NEW.",
    ),
    "repair": (
        "heatcat.store_commands",
        "Repair STORE: restore metadata, set damaged blocks back to not computed.",
    ),
    "reproduce": (
        "heatcat.reproduce_command",
        "Compute and draw FIGURE of the paper (or all): data, PNG, PDF and interactive HTML.",
    ),
    "run": (
        "heatcat.run_commands",
        "Compute the points of SWEEP (a preset or a TOML file) that are not in the store.",
    ),
    "solve": (
        "heatcat.solve_command",
        "Solve one engine and print its currents, noise and certificates.",
    ),
    "status": (
        "heatcat.store_commands",
        "Count the points of every sweep in STORE by status.",
    ),
}
"""By name of a command, the module that has it and what it does, in the words of its own help."""


def main() -> NoReturn:
    """Run the command line; an error is one line on standard error (see `heatcat.failures`)."""
    terminal.prepare()
    try:
        code = cli.main(standalone_mode=False)
    except (Exception, KeyboardInterrupt) as error:
        from heatcat.failures import end  # imported only after an error, as it is slow

        end(error)
    sys.exit(code)


class ImportedWhenUsed(Mapping[str, click.Command]):
    """The commands by name; each is imported when it is looked up."""

    def __getitem__(self, name: str) -> click.Command:
        module, _ = COMMANDS[name]
        return getattr(importlib.import_module(module), name.replace("-", "_"))

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


class Commands(click.Group):
    """The group of all commands, which it lists without importing them."""

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.commands = cast(MutableMapping[str, click.Command], ImportedWhenUsed())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, if there is one."""
        if cmd_name not in self.commands:
            return None
        return self.commands[cmd_name]  # get() would hide a KeyError of the import

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands in the help."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in sorted(COMMANDS.items())])


@click.group(
    cls=Commands,
    no_args_is_help=False,  # a missing command gives one line, as other errors do
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="heatcat")
@click.pass_context
def cli(context: click.Context) -> None:
    """A labelled catalogue of collective quantum heat engines."""
    from heatcat.notes import notes_shown  # slow, and --help does not need it

    context.with_resource(notes_shown())
