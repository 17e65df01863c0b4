"""Otto cycle of one qubit: a model in a few lines of NumPy.

A qubit of gap ω_c is in equilibrium with the cold bath.  Its gap is changed to ω_h without a change
of populations, it comes to equilibrium with the hot bath, and its gap is changed back.  With the
excited populations p_x = 1/(1 + exp(ω_x/T_x)), x = c, h, one cycle gives on average

    work               W   = (ω_h − ω_c) (p_h − p_c)
    heat               Q_h = ω_h (p_h − p_c)
    efficiency         η   = W/Q_h = 1 − ω_c/ω_h
    variance of work   ⟨⟨W²⟩⟩ = (ω_h − ω_c)² [p_h (1 − p_h) + p_c (1 − p_c)].

ħ = k_B = 1; W > 0 is work that the cycle gives, Q_h > 0 heat that it takes from the hot bath.

Sources: T. D. Kieu, Phys. Rev. Lett. 93, 140403 (2004); for the variance, in which the energy is
measured before and after each change of the gap, M. Campisi, J. Pekola and R. Fazio, New J. Phys.
17, 035012 (2015).
"""

import numpy as np

from catalog import Parameter, Variable, model


@model(
    name="qubit-otto",
    version="1",
    parameters=[
        Parameter("omega_c", "ω_c", "gap at the cold bath", unit="T_c"),
        Parameter("omega_h", "ω_h", "gap at the hot bath", unit="T_c"),
        Parameter("T_h", "T_h", "temperature of the hot bath", unit="T_c"),
        Parameter("T_c", "T_c", "temperature of the cold bath", unit="T_c"),
    ],
    variables=[
        Variable("work", "W", "mean work of a cycle", unit="T_c"),
        Variable("heat", "Q_h", "mean heat from the hot bath in a cycle", unit="T_c"),
        Variable("efficiency", "η", "work over heat, of an engine"),
        Variable("work_variance", "⟨⟨W²⟩⟩", "variance of the work of a cycle", unit="T_c^2"),
    ],
)
def otto(omega_c, omega_h, T_h, T_c=1.0):
    """Work and heat of a cycle at one point."""
    p_c, p_h = (1 / (1 + np.exp(w / T)) for w, T in ((omega_c, T_c), (omega_h, T_h)))
    work, heat = (omega_h - omega_c) * (p_h - p_c), omega_h * (p_h - p_c)
    return {
        "work": work,
        "heat": heat,
        "efficiency": work / heat if work > 0 else np.nan,
        "work_variance": (omega_h - omega_c) ** 2 * (p_h * (1 - p_h) + p_c * (1 - p_c)),
    }
