"""Find a model by its path, ``module:object``: of a sweep file, or of a user who asks to run."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from catalog.arguments import shown
from catalog.models.contract import Model
from ensemble import InvalidInput

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*", re.ASCII)


def find_model(
    path: str, options: Mapping[str, Any] | None = None, *, folder: Path | None = None
) -> Model:
    """Import a model.

    Parameters
    ----------
    path : str
        ``module:object``: a model, or a subclass of `catalog.Model`, which is called with the
        options.
    options : mapping, optional
    folder : Path, optional
        Where to look for the module first.

    Raises
    ------
    InvalidInput
        If there is no such module or object, or it is no model.
    """
    if not isinstance(path, str) or not PATH.fullmatch(path):
        raise InvalidInput(
            f"a model is named by module:object, not {shown(path)}: write e.g. otto:otto"
        )
    module_name, _, name = path.partition(":")
    found: Any = _imported(module_name, folder)
    for part in name.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise InvalidInput(
                f"the module {module_name} ({found_at(module_name)}) has no {name!r}: correct the "
                f"model {path!r}"
            ) from None
    if isinstance(found, type) and issubclass(found, Model):
        return as_model(found.from_options(options or {}))
    if options:
        if isinstance(found, Model) and found.options() == options:
            return as_model(found)
        raise InvalidInput(
            f"{path} takes no options: leave them out, or name a subclass of catalog.Model"
        )
    return as_model(found)


def as_model(given: Any) -> Model:
    """The model that is given, or is made from its class without options.

    Raises
    ------
    InvalidInput
        If it is no model, or one that does not keep the contract.
    """
    if isinstance(given, type) and issubclass(given, Model):
        given = given.from_options({})
    if not isinstance(given, Model):
        raise InvalidInput(
            f"model must be a model, but is {shown(given)}: decorate a function with "
            "@catalog.model(…), or derive a class from catalog.Model"
        )
    given.require_sound()
    return given


def found_at(module: str) -> str:
    """The file of an imported module."""
    return str(getattr(sys.modules.get(module), "__file__", None) or "built in")


def _imported(module: str, folder: Path | None) -> Any:
    """The module; if it is in the folder, that one."""
    first = str(folder.resolve()) if folder is not None else None
    try:
        if first is not None:
            sys.path.insert(0, first)
        importlib.invalidate_caches()
        found = importlib.import_module(module)
    except ModuleNotFoundError as failure:
        if failure.name is not None and module.startswith(failure.name):
            where = f"in {first} or " if first is not None else ""
            raise InvalidInput(
                f"there is no module {failure.name!r} {where}where Python looks for modules: put "
                "its file there, or install it"
            ) from None
        raise InvalidInput(
            f"the module {module} cannot be imported ({failure}): install what it needs"
        ) from None
    except InvalidInput:
        raise
    except Exception as failure:
        raise InvalidInput(
            f"the module {module} cannot be imported ({type(failure).__name__}: {failure}): "
            "correct it"
        ) from failure
    finally:
        if first is not None:
            sys.path.remove(first)
    if first is not None and _lies_in(found, first) and first not in sys.path:
        # At the end of the path, where it hides no module of Python; worker processes find it, too.
        sys.path.append(first)
    if first is not None and not _lies_in(found, first) and _is_there(module, first):
        raise InvalidInput(
            f"another module {module} is imported already, from {found_at(module)}: rename the one "
            f"in {folder}"
        )
    return found


def _lies_in(module: Any, folder: str) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(folder) in Path(file).resolve().parents


def _is_there(module: str, folder: str) -> bool:
    path = Path(folder, *module.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()
