"""The reference method: QuTiP, which makes no use of symmetries or of the deviation form."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from ensemble.engine import Engine
from ensemble.errors import InvalidInput
from ensemble.method import Method
from ensemble.methods.qutip_reference import QutipReference
from ensemble.solution import Solution, Status
from ensemble.units import in_natural_units
from ensemble.variables import CURRENTS_AND_NOISE, FROM_NOISE


@dataclass(frozen=True)
class Qutip(Method):
    r"""The reference: QuTiP's direct steady state, and Eq. 11 with QuTiP's Liouvillian.

    It uses neither the symmetry nor the deviation form.  So the current loses precision towards the
    Carnot point, and an engine beyond N = 20 takes minutes.

    The certificate is of every value that is returned, not of the residual of the equations.  The
    state is refined with an LU factorisation of QuTiP's Liouvillian L.  An error bound of a value
    f·ρ then follows from the adjoint w, Lᵀw = f − (f·ρ) trace:

    .. math:: |f\cdot\delta\rho| \le |w|\cdot\left(|L\rho|
              + \epsilon\,|L|\,|\rho|\right)

    with ε the rounding of the elements of L and of the products with them.  The status is "ok" if
    the bound of every value that was asked for is within the tolerance, relative to the value (for
    magnetisations: to 1), and if the quanta counted at the drive and at both baths, and −ΣQᵢ/Tᵢ
    and aJ, agree within their bounds.  Where a current is a small difference of large flows, the
    status is "uncertified" and the message says how many digits are left.

    Parameters
    ----------
    tolerance : float
        Largest relative error bound that still counts as certified.
    largest : int
        Largest dimension (2S₁+1)(2S₂+1) that is attempted; 441 (N = 20) needs some 20 s and
        1.5 GB, and both grow as its third power.

    Examples
    --------
    >>> engine = Engine(N=2, E_1=1, delta_E=9, T_mean=13.5, delta_T=23, omega_0=0.006,
    ...                 Gamma_0=0.001, scaling="high-temperature")
    >>> solution = Qutip().solve(engine, ["constancy"])
    >>> solution.status.label, f"{solution.values['constancy']:.8f}"
    ('ok', '1.00004932')
    """

    largest: int = 441

    name: ClassVar[str] = "qutip"
    detuned: ClassVar[bool] = True
    variables: ClassVar[tuple[str, ...]] = (
        *CURRENTS_AND_NOISE,
        "weak_coupling_1",
        "weak_coupling_2",
    )
    diagnostics: ClassVar[tuple[str, ...]] = ("residual", "self_check", "affinity_rounding")

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.largest >= 4:
            raise InvalidInput(f"largest must be at least 4, but is {self.largest!r}: try 441")

    def accept(self, engine: Engine) -> None:
        """Refuse an engine whose Hilbert space is larger than ``largest``."""
        super().accept(engine)
        size = math.prod(level + 1 for level in engine.levels)
        if size > self.largest:
            raise InvalidInput(
                f"method qutip would need dimension {size}, but largest is {self.largest}: "
                "use method exact, or raise largest if time and memory allow"
            )

    @in_natural_units
    def solve(self, engine: Engine, variables: Iterable[str] | None = None) -> Solution:
        """Solve one engine.

        Parameters
        ----------
        engine : Engine
        variables : iterable of str, optional
            Names to return; all of ``Qutip.variables`` by default.  The noise is computed only if
            one of them needs it.

        Returns
        -------
        Solution
            Its diagnostics are ``residual`` (‖Lx − b‖₁/(‖|L||x|‖₁ + ‖b‖₁), the largest of the
            solves), ``self_check`` (the largest relative error bound of the values returned;
            1 if no digit of one of them is certain) and ``affinity_rounding`` (see `Engine`).

        Raises
        ------
        InvalidInput
            If a name is unknown, the engine is too large or QuTiP is not installed.
        Unsolvable
            If double precision does not hold the equations.
        """
        names = self.chosen(variables)
        reference = QutipReference(engine)
        bounded = reference.averages()
        if FROM_NOISE.intersection(names):
            bounded |= reference.fluctuations()
        status, message = Status.OK, ""
        errors = {name: bounded[name].relative for name in names}
        worst = max(names, key=lambda name: errors[name], default="")
        if worst and not errors[worst] <= self.tolerance:
            status = Status.UNCERTIFIED
            certain = f"to {errors[worst]:.1e} (relative)" if errors[worst] < 1 else "to no digit"
            message = (
                f"rounding leaves {worst} certain {certain}, which exceeds {self.tolerance:.1e}: "
                "use method exact"
            )
        elif reference.disagreement > 1:
            status = Status.UNPHYSICAL
            message = (
                "the quanta counted at the drive and at the baths, or −ΣQᵢ/Tᵢ and aJ, differ by "
                f"{reference.disagreement:.1e} times their error bounds"
            )
        return Solution(
            values={name: bounded[name].value for name in names},
            status=status,
            message=message,
            diagnostics={
                "residual": reference.residual,
                "self_check": max(errors.values(), default=0.0),
                "affinity_rounding": engine.affinity_rounding,
            },
        )
