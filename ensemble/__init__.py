"""Physics of the collective heat engine: NumPy and SciPy only.

``Engine`` holds the model's parameters; a method such as ``Exact`` turns an engine into a
``Solution`` with values, a status and the certificates behind it, ``sensitivity`` into derivatives,
and ``optimize`` searches for the best one.
"""

from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.methods.bosonic import Bosonic
from ensemble.methods.cumulant import Cumulant
from ensemble.methods.exact import Exact
from ensemble.methods.independent_spins import IndependentSpins
from ensemble.methods.macroscopic import Macroscopic
from ensemble.methods.qutip import Qutip
from ensemble.methods.undriven import Undriven
from ensemble.methods.weak_local import WeakLocal
from ensemble.optima.search import Optimization, optimize
from ensemble.parameters.bath import Bath
from ensemble.sensitivities.sensitivity import Sensitivity, sensitivity
from ensemble.solution import Solution, Status

__all__ = [
    "Bath",
    "Bosonic",
    "Cumulant",
    "Engine",
    "Exact",
    "IndependentSpins",
    "InvalidInput",
    "Macroscopic",
    "Optimization",
    "Qutip",
    "Sensitivity",
    "Solution",
    "Status",
    "Undriven",
    "WeakLocal",
    "optimize",
    "sensitivity",
]
