"""The ledger for people: a page of documentation and a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from heatcat.claims.ledger import Finding, Verdict

ROUNDING = 1e-10
"""Bound on the certified residuals of the methods; smaller numbers are shown as rounding errors."""
ORDER = [*map(str, Verdict), "error"]
HEAD = """\
# The paper's claims

L. da Silva Souza, G. Manzano, R. Fazio and F. Iemini, *Collective effects on the performance and
stability of quantum heat engines*, claim by claim. `heatcat claims --markdown` writes this page: it
computes every number below, and each verdict from the numbers (about half a minute; `--only`
selects some, `--json` is for scripts). Energies and temperatures in units of E₁ unless the caption
says otherwise (Fig. 2: ω₀), ħ = k_B = 1; "limit" is the exact limit N → ∞ of the scaling of
Eq. 28, "closure" the paper's third-cumulant approximation of it.
"""


def number(value: float) -> str:
    """A number in six digits; a rounding error, which differs between machines, is shown as 0.

    >>> number(2.0), number(1.58744e-05), number(3e-15)
    ('2', '1.58744e-05', '0 to rounding')
    """
    return "0 to rounding" if 0 < abs(value) < ROUNDING else f"{value:.6g}"


def markdown(findings: Sequence[Finding]) -> str:
    """Page with the claims by their verdict, and the evidence for each."""
    counts = Counter(finding.verdict for finding in findings)
    parts = [HEAD, "| verdict | number | claims |\n| --- | --- | --- |"]
    for name in filter(counts.get, ORDER):
        ids = [finding.claim.id for finding in findings if finding.verdict == name]
        parts.append(f"| {name} | {len(ids)} | {_links(ids)} |")
    parts += [f"\n{text}" for text in _shared(findings)]
    for finding in findings:
        parts.append("\n" + _entry(finding))
    return "\n".join(parts) + "\n"


def _links(ids: Sequence[str]) -> str:
    return ", ".join(f"[{id}](#{id})" for id in ids)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{counts[name]} {name}" for name in ORDER if counts[name])


def _shared(findings: Sequence[Finding]) -> list[str]:
    """A sentence for each fact that several entries rest on."""
    entries: dict[str, list[str]] = {}
    for finding in findings:
        if finding.claim.fact:
            entries.setdefault(finding.claim.fact, []).append(finding.claim.id)
    return [
        f"**One fact behind {len(ids)} entries**, {_links(ids)}: {fact}."
        for fact, ids in entries.items()
        if len(ids) > 1
    ]


def _entry(finding: Finding) -> str:
    claim, judged = finding.claim, finding.judgement
    lines = [
        f"## {claim.id}",
        "",
        f"{claim.where}: {claim.statement}",
        "",
        f"*Check.* {claim.check}",
        "",
        f"**{finding.verdict}**" + (f": {judged.note}." if judged and judged.note else "."),
    ]
    if judged and judged.correction:
        lines += ["", f"*Should read:* {judged.correction}."]
    if finding.error:
        lines += ["", f"*Error:* {finding.error}."]
    shown = ", ".join(f"{_plain(name)} {number(x)}" for name, x in finding.numbers.items())
    return "\n".join([*lines, "", f"*Numbers.* {shown}."])


def _plain(name: str) -> str:
    """ "largest_C_1_at_10" as `largest_C_1_at_10`, so that Markdown keeps its underscores."""
    return f"`{name}`"


def table(findings: Sequence[Finding], console: Console) -> None:
    """Print verdicts with their notes."""
    grid = Table(show_lines=True)
    for heading in ("id", "where", "claim", "verdict", "finding"):
        grid.add_column(heading, overflow="fold", no_wrap=heading == "id")
    for finding in findings:
        judged = finding.judgement
        text = finding.error
        if judged:
            fix = f"should read: {judged.correction}" if judged.correction else ""
            text = "; ".join(filter(None, (fix, judged.note)))
        claim = finding.claim
        grid.add_row(claim.id, claim.where, claim.statement, finding.verdict, text)
    console.print(grid)
    console.print(_counted(Counter(finding.verdict for finding in findings)))
