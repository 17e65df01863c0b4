"""Physics of the collective heat engine: NumPy and SciPy only.

``Engine`` holds the model's parameters; a method such as ``Exact`` turns an engine into a
``Solution`` with values, a status and the certificates behind it.
"""

from ensemble.engine import Bath, Engine
from ensemble.errors import InvalidInput
from ensemble.exact import Exact
from ensemble.interop import Qutip
from ensemble.limits.bosonic import Bosonic
from ensemble.limits.cumulant import Cumulant
from ensemble.limits.macroscopic import Macroscopic
from ensemble.multiplicity import IndependentSpins
from ensemble.solution import Solution, Status
from ensemble.undriven import Undriven

__all__ = [
    "Bath",
    "Bosonic",
    "Cumulant",
    "Engine",
    "Exact",
    "IndependentSpins",
    "InvalidInput",
    "Macroscopic",
    "Qutip",
    "Solution",
    "Status",
    "Undriven",
]
