"""The paper's claims, each with a check and a verdict that is computed from the check's numbers.

A claim is a measurement (``measure`` computes numbers by name) and a rule (``judge`` gives a
verdict from these numbers alone).  Thresholds stand beside the rules with their reason: certified
residuals, the printed digits, the width of a line in print, a deviation as 1/N at finite N.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from heatcat.claims import (
    carnot,
    closure,
    collective_gain,
    constancy,
    dissipative,
    engine_gap,
    finite_size,
    fluctuations,
    information,
    local_noise,
    macroscopic,
    model,
    relaxation,
    scaling,
    simultaneous,
    transient,
)
from heatcat.claims.ledger import Claim, Finding, Judgement, Verdict, check, select

CLAIMS: tuple[Claim, ...] = (
    *model.CLAIMS,
    *carnot.CLAIMS,
    *finite_size.CLAIMS,
    *fluctuations.CLAIMS,
    *scaling.CLAIMS,
    *dissipative.CLAIMS,
    *relaxation.CLAIMS,
    *transient.CLAIMS,
    *engine_gap.CLAIMS,
    *macroscopic.CLAIMS,
    *collective_gain.CLAIMS,
    *constancy.CLAIMS,
    *closure.CLAIMS,
    *information.CLAIMS,
    *simultaneous.CLAIMS,
    *local_noise.CLAIMS,
)
"""All claims, in the order of the paper's sections."""


def run(
    only: Iterable[str] | None = None,
    *,
    on_claim: Callable[[int, int, Claim], None] = lambda done, of, claim: None,
) -> list[Finding]:
    """Check claims, all of them by default.

    Parameters
    ----------
    only : iterable of str, optional
        Ids; the ledger's order is kept.
    on_claim : callable
        Called before each check with the number done, the number to do and the claim.

    Returns
    -------
    list of Finding
        One for each claim; a check that raises gives a finding with an error, and the others go on.

    Raises
    ------
    InvalidInput
        If an id is unknown.

    Examples
    --------
    >>> [finding] = run(["eq-12-sign"])
    >>> finding.verdict, round(finding.numbers["as_printed"], 9)
    ('misprint', 2.0)
    """
    chosen = select(CLAIMS, only)
    findings = []
    for done, item in enumerate(chosen):
        on_claim(done, len(chosen), item)
        findings.append(check(item))
    return findings


__all__ = ["CLAIMS", "Claim", "Finding", "Judgement", "Verdict", "check", "run", "select"]
