"""Whether a solved engine can be trusted: its status, a message and its self-check."""

from __future__ import annotations

from ensemble.counting.agreement import allowed_disagreement, is_well_read
from ensemble.counting.currents import Currents
from ensemble.counting.noise import Noise
from ensemble.method import AGREEMENT, ROUNDING
from ensemble.solution import Status
from ensemble.steady.state import Stationary


def verdict(
    state: Stationary,
    flow: Currents,
    fluctuations: Noise | None,
    residual: float,
    *,
    tolerance: float,
) -> tuple[Status, str, float]:
    """Status, message and self-check of a solved point.

    Parameters
    ----------
    state : Stationary
    flow : Currents
    fluctuations : Noise, optional
        None if the noise was not asked for.
    residual : float
        The largest of all solves.
    tolerance : float
        Largest residual that counts as certified.
    """
    laws = (("first law", flow.first_law_error), ("−ΣQᵢ/Tᵢ = aJ", flow.second_law_error))
    self_check = max(flow.first_law_error, flow.second_law_error)
    if fluctuations is not None:
        self_check = max(self_check, fluctuations.disagreement)
    if not residual <= tolerance:
        message = f"relative residual {residual:.1e} exceeds {tolerance:.1e}"
        return Status.UNCERTIFIED, message, self_check
    for law, violation in laws:
        if violation <= AGREEMENT:
            continue
        if violation <= ROUNDING * flow.cancellation:
            message = (
                f"{law} holds to {violation:.1e} (relative) only: the heat "
                f"currents are 1/{flow.cancellation:.0e} of the flows whose difference they are"
            )
            return Status.UNCERTIFIED, message, self_check
        message = f"{law} violated by {violation:.1e} (relative)"
        return Status.UNPHYSICAL, message, self_check
    if fluctuations is not None:
        allowed = allowed_disagreement(fluctuations.cancellation)
        if not fluctuations.disagreement <= allowed:
            message = (
                f"power variance and counting differ by {fluctuations.disagreement:.1e} "
                f"(relative; {allowed:.1e} allowed)"
            )
            return Status.UNPHYSICAL, message, self_check
        if not is_well_read(fluctuations.disagreement, fluctuations.reach):
            message = (
                f"power variance and counting agree to {fluctuations.disagreement:.1e} "
                "(relative) only: the variance is read from elements that are "
                f"1/{fluctuations.reach:.0e} of the response"
            )
            return Status.UNCERTIFIED, message, self_check
    if not flow.per_affinity >= 0:
        message = f"entropy production is negative: J/a = {flow.per_affinity:.1e}"
        return Status.UNPHYSICAL, message, self_check
    populations = state.rho[state.generator.sector.q == 0]
    if not populations.min() >= -AGREEMENT:
        message = f"a population is negative: {populations.min():.1e}"
        return Status.UNPHYSICAL, message, self_check
    return Status.OK, "", self_check
