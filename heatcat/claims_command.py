"""``heatcat claims``: the ledger on the command line."""

from __future__ import annotations

import sys

import click
from rich.text import Text

from heatcat import terminal


@click.command()
@click.option("--only", help="Comma-separated ids of claims; all of them by default.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list, one object a claim.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print docs/claims.md.")
def claims(only: str | None, as_json: bool, as_markdown: bool) -> None:
    """Recompute the paper's claims, each with numbers and a verdict."""
    # Slow to import: only where claims are checked.
    from heatcat.claims import run
    from heatcat.claims.report import markdown, table

    if as_json and as_markdown:
        raise click.UsageError("--json and --markdown exclude each other: leave one out")
    names = [name.strip() for name in only.split(",") if name.strip()] if only is not None else None
    if names == []:
        raise click.UsageError("--only names no claim: leave it out to run all")
    progress = terminal.stderr()
    with progress.status("") as line:
        findings = run(
            names, on_claim=lambda done, of, item: line.update(Text(f"{done}/{of} {item.id}"))
        )
    if as_json:
        terminal.echo_json([finding.as_json() for finding in findings])
    elif as_markdown:
        click.echo(markdown(findings), nl=False)
    else:
        table(findings, terminal.stdout())
    errors = [finding.claim.id for finding in findings if finding.error]
    if errors:
        terminal.echo(f"heatcat: checks that failed: {', '.join(errors)}", err=True)
        sys.exit(1)
