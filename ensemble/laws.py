"""Conservation of quanta and the two laws in the stationary state: checks of computed currents."""

from __future__ import annotations

from ensemble.engine import Engine


def quanta_error(quanta: float, taken_1: float, taken_2: float) -> float:
    r"""Relative violation of :math:`J = -\dot n_1 = \dot n_2`: no quanta pile up in an ensemble.

    For each ensemble this is the first law.  The first law of the whole engine does not show an
    error of the smaller heat current if the level spacings differ by many orders of magnitude.

    Parameters
    ----------
    quanta : float
        J, from the hot ensemble to the cold one, seen at the drive.
    taken_1, taken_2 : float
        Net quanta per time that the ensembles take from their baths.

    Returns
    -------
    float
        Relative to the largest of the three; 0 if all vanish.
    """
    scale = max(abs(quanta), abs(taken_1), abs(taken_2))
    return max(abs(quanta + taken_1), abs(quanta - taken_2)) / scale if scale else 0.0


def first_law_error(power: float, chemical_power: float, heat_1: float, heat_2: float) -> float:
    r"""Relative violation of :math:`P + P_\mathrm{chem} = Q_1 + Q_2` (Eq. 13).

    Parameters
    ----------
    power, chemical_power : float
        P and P_chem = (μ₁ − μ₂) J, which is 0 without chemical potentials.
    heat_1, heat_2 : float
        Heat currents into the engine.

    Returns
    -------
    float
        Relative to the largest of the four; 0 if all vanish.
    """
    terms = (power, chemical_power, -heat_1, -heat_2)
    scale = max(abs(term) for term in terms)
    return abs(sum(terms)) / scale if scale else 0.0


def second_law_error(
    engine: Engine,
    heat_1: float,
    heat_2: float,
    entropy_production: float,
    *,
    per_pair: bool = False,
) -> float:
    r"""Relative violation of :math:`-Q_1/T_1 - Q_2/T_2 = \sigma = aJ` (Eq. 15).

    The left side is the entropy that the baths gain per time; the right side counts a nats for each
    quantum.  They agree only if each quantum carries the heat E − μ that its rates imply.

    Parameters
    ----------
    engine : Engine
    heat_1, heat_2 : float
        Heat currents into the engine.
    entropy_production : float
        a J.
    per_pair : bool
        Whether these are the limits of Q/N and of aN · J/N in the high-temperature scaling, to
        which the temperatures before the scaling belong.

    Returns
    -------
    float
        Relative to the larger of the two heats over their temperatures; 0 if both vanish.
    """
    T_1, T_2 = (engine.T_1, engine.T_2) if per_pair else engine.scaled_temperatures
    gained = -heat_1 / T_1, -heat_2 / T_2
    scale = max(abs(gain) for gain in gained)
    return abs(sum(gained) - entropy_production) / scale if scale else 0.0
