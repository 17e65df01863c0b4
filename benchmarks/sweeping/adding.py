"""The cheapest model, for benchmarks of everything but the solver."""

import catalog
from catalog import Parameter, Variable


@catalog.model(
    name="sum",
    parameters=[Parameter("a", "a", "first"), Parameter("b", "b", "second")],
    variables=[Variable("y", "y", "sum")],
)
def total(a, b):
    """a + b."""
    return {"y": a + b}
