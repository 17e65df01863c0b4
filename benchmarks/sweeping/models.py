"""The functions of `swept` as models of the catalogue."""

from __future__ import annotations

import catalog
from catalog import Parameter, Variable
from sweeping import swept

AXES = [Parameter(name, name, f"axis {name}", dtype="int64") for name in ("a", "b")]
NUMBER = [Variable("y", "y", "result", unit="J")]
ARRAY = [Variable("y", "y", "result", dims={"mode": swept.MODES})]


@catalog.model(name="nothing", parameters=AXES, variables=NUMBER, modules=["sweeping.swept"])
def nothing(a, b):
    return {"y": swept.nothing(a, b)}


@catalog.model(name="spinning", parameters=AXES, variables=NUMBER, modules=["sweeping.swept"])
def spinning(a, b):
    return {"y": swept.spinning(a, b)}


@catalog.model(name="logged", parameters=AXES, variables=NUMBER, modules=["sweeping.swept"])
def logged(a, b):
    return {"y": swept.logged(a, b)}


@catalog.model(name="failing", parameters=AXES, variables=NUMBER, modules=["sweeping.swept"])
def failing(a, b):
    return {"y": swept.failing(a, b)}


@catalog.model(name="spectrum", parameters=AXES, variables=ARRAY, modules=["sweeping.swept"])
def spectrum(a, b):
    return {"y": swept.spectrum(a, b)}
