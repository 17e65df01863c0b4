"""A plain Python function as a model: the decorator `catalog.model`."""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from numpy.typing import ArrayLike

from catalog.arguments import shown
from catalog.models.contract import Columns, Cost, Model, Point, path_of
from catalog.models.source_code import modules_hash, object_hash
from catalog.names.term import Term
from ensemble import InvalidInput, Solution

Function = Callable[..., Solution | Mapping[str, ArrayLike]]


def model(
    *,
    name: str,
    version: str = "1",
    parameters: Iterable[Term],
    variables: Iterable[Term],
    diagnostics: Iterable[Term] = (),
    indices: Iterable[Term] = (),
    on_request: Sequence[str] = (),
    split_by: Sequence[str] = (),
    modules: Sequence[str] = (),
    check: Callable[..., None] | None = None,
    cost: Callable[..., Cost] | None = None,
) -> Callable[[Function], FunctionModel]:
    """Decorator: a function of one point as a model that a sweep can name.

    The function takes the parameters by name and returns a mapping of variables (and diagnostics)
    to numbers or arrays, or an `ensemble.Solution`.  If it raises an error, the point fails.  A
    parameter with a default may be left out of a sweep.  If the function has an argument
    ``variables``, it gets the names that are asked for.

    Parameters
    ----------
    name, version, parameters, variables, diagnostics, indices, on_request, split_by, modules
        As the attributes of `Model`.
    check : callable, optional
        Called with the parameters of a point by name; raises `ensemble.InvalidInput` if there is no
        such point.
    cost : callable, optional
        Called with arrays of parameters by name; returns a `Cost`.

    Raises
    ------
    InvalidInput
        If the function does not take the parameters, or a term is wrong.

    Examples
    --------
    >>> from catalog.names.term import Parameter, Variable
    >>> @model(name="falling-stone", parameters=[Parameter("time", "t", "time", unit="s")],
    ...        variables=[Variable("depth", "z", "distance fallen", unit="m")])
    ... def stone(time):
    ...     return {"depth": 9.81 * time**2 / 2}
    >>> stone(2.0)["depth"], stone.required
    (19.62, ('time',))
    """

    def decorate(function: Function) -> FunctionModel:
        return FunctionModel(
            function,
            name=name,
            version=version,
            parameters=tuple(parameters),
            variables=tuple(variables),
            diagnostics=tuple(diagnostics),
            indices=tuple(indices),
            on_request=tuple(on_request),
            split_by=tuple(split_by),
            modules=tuple(modules),
            check=check,
            cost=cost,
        )

    return decorate


class FunctionModel(Model):
    """What `catalog.model` makes of a function; calling it calls the function."""

    def __init__(
        self,
        function: Function,
        *,
        check: Callable[..., None] | None,
        cost: Callable[..., Cost] | None,
        **attributes: Any,
    ) -> None:
        if not callable(function) or isinstance(function, type):
            raise InvalidInput(
                f"catalog.model decorates a function, not {shown(function)}: write def below it"
            )
        vars(self).update(attributes)
        self.function, self._check, self._cost = function, check, cost
        functools.update_wrapper(self, function)
        self.require_sound()
        taken = inspect.signature(function).parameters
        named = [term.name for term in self.parameters]
        everything = any(item.kind is item.VAR_KEYWORD for item in taken.values())
        for name in named:
            if name not in taken and not everything:
                raise InvalidInput(
                    f"{self.title} has the parameter {name}, which its function does not take: add "
                    "it to def"
                )
        self._wants_variables = "variables" in taken and "variables" not in named
        for item in taken.values():
            if item.kind in (item.VAR_KEYWORD, item.VAR_POSITIONAL) or item.name == "variables":
                continue
            if item.kind is item.POSITIONAL_ONLY or (
                item.name not in named and item.default is item.empty
            ):
                raise InvalidInput(
                    f"the function of {self.title} takes {item.name}, which is no parameter that a "
                    "sweep could give by name: declare it, or give it a default"
                )
        self.optional = tuple(
            name
            for name in named
            if name in taken and taken[name].default is not inspect.Parameter.empty
        )
        self._hash = ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def check(self, point: Point) -> None:
        """Whatever the argument ``check`` of the decorator refuses."""
        if self._check is not None:
            self._check(**point)

    def cost(self, points: Columns, variables: Sequence[str]) -> Cost | None:
        """What the argument ``cost`` of the decorator predicts."""
        return None if self._cost is None else self._cost(**points)

    def solve_point(
        self, point: Point, variables: Sequence[str]
    ) -> Solution | Mapping[str, ArrayLike]:
        """Call the function."""
        more = {"variables": tuple(variables)} if self._wants_variables else {}
        return self.function(**point, **more)

    def options(self) -> dict[str, Any]:
        """None: a function has no options."""
        return {}

    @property
    def path(self) -> str:
        """Where the function is defined, ``module:function``."""
        return path_of(self.function)

    @property
    def by_value(self) -> bool:
        """Whether the function was defined in an interactive session or in a script."""
        module = self.function.__module__
        return module == "__main__" or not _is_at(module, self.function.__qualname__, self)

    def source_hash(self) -> str:
        """SHA-256 of the file that defines the function, and of ``modules``."""
        if not self._hash:
            found = object_hash(self.function)
            self._hash = modules_hash(self.modules, found) if self.modules else found
        return self._hash

    def __reduce__(self) -> Any:
        """Pickle by name, so that a worker imports its own copy; what was typed in, by value."""
        if self.by_value:
            self.source_hash()  # kept, since the receiver may have no source
            return _rebuilt, (dict(vars(self)),)
        return _at, (self.function.__module__, self.function.__qualname__)

    def __repr__(self) -> str:
        return f"<{self.title} {self.version}, {self.path}>"


def _rebuilt(state: dict[str, Any]) -> FunctionModel:
    found = FunctionModel.__new__(FunctionModel)
    vars(found).update(state)
    return found


def _at(module: str, name: str) -> Any:
    return functools.reduce(getattr, name.split("."), importlib.import_module(module))


def _is_at(module: str, name: str, thing: Any) -> bool:
    try:
        return _at(module, name) is thing
    except (ImportError, AttributeError):
        return False
