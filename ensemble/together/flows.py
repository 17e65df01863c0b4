"""Currents, noise and validity of many engines: as `ensemble.counting`, for arrays over points."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ensemble.arrays import FloatArray, IntArray
from ensemble.together.baths import Baths
from ensemble.together.certified import applied, ratio, total
from ensemble.together.layout import Layout
from ensemble.together.state import Solved, States


class Currents(NamedTuple):
    """As `ensemble.counting.currents.Currents`, each an array over points."""

    quanta: FloatArray
    per_affinity: FloatArray
    power: FloatArray
    chemical_power: FloatArray
    heat_1: FloatArray
    heat_2: FloatArray
    energy_1: FloatArray
    energy_2: FloatArray
    first_law_error: FloatArray
    second_law_error: FloatArray


def currents(states: States) -> Currents:
    """Quanta current, power and heat currents (Eqs. 10, 12, 13)."""
    engines, place = states.engines, states.layout
    seen = total(-engines.drive * place.hop * states.delta)
    quanta = states.contrast * seen
    among = place.populations
    delta = states.delta[among]
    taken = [
        states.contrast * total(absorption(bath, k[among], top) * delta)
        for bath, k, top in (
            (states.cold, place.k_1, place.n_1),
            (states.hot, place.k_2, place.n_2),
        )
    ]
    heat_1, heat_2 = (heat * n for heat, n in zip(engines.quantum_heats, taken, strict=True))
    power, chemical = engines.delta_E * quanta, (engines.mu_1 - engines.mu_2) * quanta
    T_1, T_2 = engines.temperatures
    lost = np.stack([power, chemical, -heat_1, -heat_2])
    piled_up, passed = np.stack([quanta + taken[0], quanta - taken[1]]), np.stack([quanta, *taken])
    gained = np.stack([-heat_1 / T_1, -heat_2 / T_2])
    produced = engines.affinity * quanta
    return Currents(
        quanta=quanta,
        per_affinity=states.contrast_per_affinity * seen,
        power=power,
        chemical_power=chemical,
        heat_1=heat_1,
        heat_2=heat_2,
        energy_1=engines.E_1.high * taken[0],
        energy_2=engines.E_2.high * taken[1],
        first_law_error=np.maximum(
            ratio(np.abs(total(lost)), np.abs(lost).max(axis=0)),
            ratio(np.abs(piled_up).max(axis=0), np.abs(passed).max(axis=0)),
        ),
        second_law_error=ratio(np.abs(total(gained) - produced), np.abs(gained).max(axis=0)),
    )


def absorption(bath: Baths, k: IntArray, top: int) -> FloatArray:
    """Net quanta per time that a spin with k excitations takes, shape (elements, points)."""
    up, down = jumps(bath, k, top)
    return up - down


def jumps(bath: Baths, k: IntArray, top: int) -> tuple[FloatArray, FloatArray]:
    """Jumps up and down per time of a spin with k excitations, each of shape (elements, points)."""
    return bath.gamma_up * ((k + 1) * (top - k)), bath.gamma_down * (k * (top + 1 - k))


def source_at_drive(states: States, mean: FloatArray) -> FloatArray:
    """(L⁽¹⁾ − J) ρ of counting at the drive, J the mean current, shape (rows, points)."""
    place, drive = states.layout, states.engines.drive
    moved = -drive * applied(place.anticommutator, states.rho)
    return np.asarray(moved - mean * states.rho[: place.known])


class Noise(NamedTuple):
    """As `ensemble.counting.noise.Noise`, each an array over points."""

    at_drive: FloatArray
    disagreement: FloatArray
    cancellation: FloatArray
    reach: FloatArray
    residual: FloatArray


def noise(states: Solved, response: FloatArray | None = None) -> Noise:
    r"""Noise of the quanta current by Eq. 11 and by counting at both baths.

    The generators tilted at the drive and at a bath differ by a similarity,
    :math:`L_b(\chi) = e^{\chi\kappa} L_d(\chi) e^{-\chi\kappa}`, with κ = k₂ − q/2 at the hot bath
    and κ = −k₁ − q/2 at the cold one.  So the responses differ by −κρ.  Where a solver does not
    refine its solutions, this gives those at the baths, each with the residual of its own equation.

    Parameters
    ----------
    states : Solved
    response : ndarray, shape (size, points), optional
        The response at the drive, if it is known.
    """
    place, rho = states.layout, states.rho
    drive = states.engines.drive
    mean = states.current(-drive * place.hop)
    source = -drive * applied(place.anticommutator, rho)
    hot, exchanged_hot = _counted(states, rho, "hot")
    cold, exchanged_cold = _counted(states, rho, "cold")
    tilted = np.stack([source, hot, cold], axis=1)
    magnitude = total(np.abs(tilted)) + np.abs(mean) * total(np.abs(rho))
    magnitude[0] = 0.0
    sources = tilted - mean * rho[:, np.newaxis]
    if states.solver.corrector.final:
        if response is None:
            response = states.respond(sources[:, :1], name="noise")[0][:, 0]
        shifted = response[:, np.newaxis] - shifts(place) * rho[:, np.newaxis]
        responses = states.traceless(shifted)
        residual = states.solver.residual(responses, sources, magnitude)
    else:
        responses, residual = states.respond(sources, magnitude, name="noise")

    at_drive = 2 * drive * total(place.hop * responses[:, 0])
    seen = 2 * drive * np.abs(place.hop).max() * total(np.abs(responses[:, 0]))
    activities = np.stack([total(place.trace * x) for x in (exchanged_hot, exchanged_cold)])
    at_hot = activities[0] - 2 * total(place.trace * _counted(states, responses[:, 1], "hot")[0])
    at_cold = activities[1] - 2 * total(place.trace * _counted(states, responses[:, 2], "cold")[0])
    return compared(at_drive, at_hot, at_cold, activities, seen, residual.max(axis=0))


def compared(
    at_drive: FloatArray,
    at_hot: FloatArray,
    at_cold: FloatArray,
    activities: FloatArray,
    seen: FloatArray,
    residual: FloatArray,
) -> Noise:
    """The noise by three routes, with how well they agree.

    Parameters
    ----------
    at_drive, at_hot, at_cold : ndarray, shape (points,)
    activities : ndarray, shape (2, points)
        Quanta per time that the baths exchange in both directions.
    seen : ndarray, shape (points,)
        Size of the terms whose sum is the noise at the drive.
    residual : ndarray, shape (points,)
        The worst of the three.
    """
    routes = np.stack([at_drive, at_hot, at_cold])
    scale = np.abs(routes).max(axis=0)
    return Noise(
        at_drive=at_drive,
        disagreement=ratio(routes.max(axis=0) - routes.min(axis=0), scale),
        cancellation=ratio(activities.max(axis=0), scale),
        reach=ratio(seen, scale),
        residual=residual,
    )


def shifts(place: Layout) -> FloatArray:
    """κ of counting at the drive, at the hot and at the cold bath, shape (size, 3, 1)."""
    return np.stack([0 * place.k_2, place.k_2 - place.q / 2, -(place.k_1 + place.q / 2)], axis=1)


def _counted(states: States, x: FloatArray, bath: str) -> tuple[FloatArray, FloatArray]:
    """L⁽¹⁾x and L⁽²⁾x of the generator tilted at a bath, see `ensemble.counting.tilting`."""
    place, hot = states.layout, bath == "hot"
    rates = states.hot if hot else states.cold
    absorbed = rates.gamma_up * applied(place.up_2 if hot else place.up_1, x)
    emitted = rates.gamma_down * applied(place.down_2 if hot else place.down_1, x)
    return (absorbed - emitted if hot else emitted - absorbed), absorbed + emitted


def validity(states: States) -> dict[str, FloatArray]:
    """App. A's ratios, as `ensemble.counting.validity.validity`."""
    engines, place = states.engines, states.layout
    among = place.populations
    populations = states.rho[among]
    size = math.sqrt(place.n_1) * math.sqrt(place.n_2)
    cold, hot = engines.own_baths
    spontaneous = np.sqrt(cold.Gamma_0) * np.sqrt(hot.Gamma_0)
    drive, delta_E = engines.drive, engines.delta_E
    found = {
        "rotating_wave": _quotient(size * drive, delta_E),
        "linewidth_over_drive": _quotient(size * spontaneous, drive),
    }
    for number, bath, k, top, energy in (
        (1, states.cold, place.k_1[among], place.n_1, engines.E_1.high),
        (2, states.hot, place.k_2[among], place.n_2, engines.E_2.high),
    ):
        found[f"weak_coupling_{number}"] = total(sum(jumps(bath, k, top)) * populations) / energy
        emission = k * (top + 1.0 - k) * populations
        change = bath.gamma_down - (bath.gamma_down - bath.gamma_up) * (k - top / 2)
        found[f"linewidth_{number}"] = _quotient(2 * total(change * emission), total(emission))
    return found


def _quotient(x: FloatArray, y: FloatArray) -> FloatArray:
    """x/y, NaN where y is not positive."""
    return np.where(y > 0, x / np.where(y > 0, y, 1.0), np.nan)
