"""The kinds of engines that method exact solves: collective, detuned, and with local noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from ensemble.correlations.pair import PairState, pair_state
from ensemble.counting.currents import Currents, currents
from ensemble.counting.validity import Validity, validity
from ensemble.detuned.stationary import detuned_stationary, require_solvable
from ensemble.engine import Engine
from ensemble.local_noise import stationary as local_noise
from ensemble.local_noise.observables import (
    noisy_pair_state,
    noisy_validity,
    spin_sector_of,
    total_spins,
)
from ensemble.steady.state import Stationary
from ensemble.steady.stationary import SolverName, stationary
from ensemble.steady.truncation import require_size
from ensemble.variables import QUANTUM_BOUNDS


@dataclass(frozen=True)
class SolverOptions:
    """Options of method exact that decide how a stationary state is found.

    Attributes
    ----------
    tolerance, solver, coherence_order
        As of `ensemble.methods.exact.Exact`.
    """

    tolerance: float
    solver: SolverName
    coherence_order: int | None


@dataclass(frozen=True)
class Kind:
    """How engines of one kind are solved, and how values follow from their stationary state.

    Attributes
    ----------
    accept : callable
        Raises ``InvalidInput`` for an engine that is too large or an option that it cannot have.
    stationary : callable
        The stationary state of an engine.
    currents, pair_state, total_spins : callable
        Of a stationary state.
    validity : callable
        Of a stationary state and of the engine whose parameters count.
    undefined : tuple of str
        Variables that are not found for engines of this kind.
    """

    accept: Callable[[Engine, SolverOptions], None]
    stationary: Callable[[Engine, SolverOptions], Stationary]
    currents: Callable[[Stationary], Currents]
    pair_state: Callable[[Stationary], PairState]
    total_spins: Callable[[Stationary], tuple[float, float]]
    validity: Callable[[Stationary, Engine], Validity]
    undefined: tuple[str, ...] = ()


def kind_of(engine: Engine) -> Kind:
    """The kind of an engine."""
    if engine.detuning:
        return DETUNED
    return LOCAL_NOISE if engine.has_local_noise else COLLECTIVE


def _collective_state(engine: Engine, options: SolverOptions) -> Stationary:
    return stationary(
        engine,
        tolerance=options.tolerance,
        solver=options.solver,
        coherence_order=options.coherence_order,
    )


def _accept_detuned(engine: Engine, options: SolverOptions) -> None:
    require_solvable(engine, solver=options.solver, coherence_order=options.coherence_order)


def _detuned_state(engine: Engine, options: SolverOptions) -> Stationary:
    return detuned_stationary(engine, tolerance=options.tolerance, solver=options.solver)


def _noisy_state(engine: Engine, options: SolverOptions) -> Stationary:
    return local_noise.noisy_stationary(
        engine, solver=options.solver, coherence_order=options.coherence_order
    )


def _noisy_currents(state: Stationary) -> Currents:
    """Currents, those through local contacts with the baths included."""
    return currents(state, flows=local_noise.absorptions(state.engine, spin_sector_of(state)))


COLLECTIVE = Kind(
    accept=lambda engine, _: require_size(engine),
    stationary=_collective_state,
    currents=currents,
    pair_state=pair_state,
    total_spins=lambda _: (1.0, 1.0),
    validity=validity,
)
DETUNED = replace(
    COLLECTIVE,
    accept=_accept_detuned,
    stationary=_detuned_state,
    undefined=("gap", *QUANTUM_BOUNDS),
)
LOCAL_NOISE = Kind(
    accept=lambda engine, _: local_noise.require_size(engine),
    stationary=_noisy_state,
    currents=_noisy_currents,
    pair_state=noisy_pair_state,
    total_spins=total_spins,
    validity=noisy_validity,
    undefined=("gap", *QUANTUM_BOUNDS),
)
