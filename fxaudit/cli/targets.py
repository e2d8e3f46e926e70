"""Targets of `fxaudit check` and `fxaudit trace`: `module:callable` or `file.py:callable`.

A target is the user's own code: what goes wrong in it is told with its own traceback, as an `InvalidTargetError`.
"""

from __future__ import annotations

import difflib
import importlib
import importlib.util
import inspect
import os
import sys
import traceback
from collections.abc import Callable, Mapping
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeVar

from fxaudit.errors import InvalidTargetError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["KEYWORDS", "audit_arguments", "traced_module"]

KEYWORDS = ("model", "loss", "optimizer", "inputs", "expect", "steps", "prove", "fix", "device")
"""What a target's dict may hold: the arguments of `fxaudit.audit`."""

_EXPECTED = "a module, a tuple (model, loss, optimizer), or a dict of fxaudit.audit's arguments"

Made = TypeVar("Made")


def audit_arguments(target: str, device: str | None = None) -> dict[str, object]:
    """The keyword arguments for `fxaudit.audit` that `target` stands for. Its callable is called once; with a `device`,
    what it makes is made there.

    Raises:
        InvalidTargetError: The target cannot be found, cannot be called, fails, or returns something else.
    """
    import torch  # where it is missing, that is what is to be said, and not the target's traceback

    if device is not None:
        with torch.device(device):
            return {**_arguments(target), "device": device}
    return _arguments(target)


def _arguments(target: str) -> dict[str, object]:
    made = _made(target)
    if isinstance(made, Mapping):
        unknown = [key for key in made if key not in KEYWORDS]
        if unknown or "model" not in made:
            problem = f"the unknown key {unknown[0]!r}" if unknown else "no key 'model'"
            raise InvalidTargetError(f"{target} returned a dict with {problem}; it may hold {', '.join(KEYWORDS)}.")
        return dict(made)
    if isinstance(made, tuple):
        if not 1 <= len(made) <= 3:
            raise InvalidTargetError(
                f"{target} returned a tuple of {len(made)}; expected (model, loss, optimizer) or the first of these."
            )
        return dict(zip(KEYWORDS, made, strict=False))
    if not _is_module(made):
        raise InvalidTargetError(f"{target} returned {_described(made)}; expected {_EXPECTED}.")
    return {"model": made}


def traced_module(target: str) -> nn.Module:
    """The module that `target` stands for: what it returns (or the first of a tuple), or an instance of its class.

    Raises:
        InvalidTargetError: The target cannot be found, cannot be called, fails, or gives no module.
    """
    from torch import nn

    made = _made(target)
    if isinstance(made, Mapping):
        made = made.get("model")
    elif isinstance(made, tuple) and made:
        made = made[0]
    if not isinstance(made, nn.Module):
        raise InvalidTargetError(
            f"{target} gave {_described(made)}; expected a module, or a tuple that begins with one."
        )
    return made


def _made(target: str) -> object:
    """What the named object returns, or the object itself where it is a module already."""
    found = _named_object(target)
    if _is_module(found):
        return found
    if not callable(found):
        raise InvalidTargetError(f"{target} is {_described(found)}, nothing that can be called; expected {_EXPECTED}.")
    try:
        inspect.signature(found).bind()
    except TypeError as error:
        raise InvalidTargetError(
            f"{target} cannot be called without arguments: {error}. Name a function that makes everything itself."
        ) from None
    except ValueError:
        pass  # a builtin without a signature; calling it will tell
    return _guarded(found, f"Calling {target} failed.")


def _named_object(target: str) -> object:
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise InvalidTargetError(
            f"The target is {target!r}; expected `module:callable` or `file.py:callable`, such as `train.py:make`."
        )
    module = _from_file(Path(place)) if place.endswith(".py") or os.sep in place else _from_import(place)
    try:
        return attrgetter(name)(module)
    except AttributeError:
        near = difflib.get_close_matches(name, [known for known in vars(module) if not known.startswith("_")], n=1)
        hint = f" Did you mean {place}:{near[0]}?" if near else ""
        raise InvalidTargetError(f"{place} has no {name!r}.{hint}") from None


def _from_file(path: Path) -> ModuleType:
    """The module in the file `path`, run with its directory on `sys.path`, as Python does for a script."""
    if not path.is_file():
        raise InvalidTargetError(f"There is no file {str(path)!r}; expected a Python file before the colon.")
    sys.path.insert(0, str(path.resolve().parent))
    # A file may bear the name of something imported already, such as `random.py`; that must stay what it is.
    name = path.stem if path.stem not in sys.modules else f"{path.stem}_target"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InvalidTargetError(f"{str(path)!r} is no Python file; expected one before the colon.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    execute = spec.loader.exec_module
    try:
        _guarded(lambda: execute(module), f"Running {path} failed.")
    except InvalidTargetError:
        sys.modules.pop(name, None)  # as the import system does: what ran half must not be found by a later import
        raise
    return module


def _from_import(name: str) -> ModuleType:
    """The module called `name`, looked up from the working directory first, as `python -m` does."""
    sys.path.insert(0, os.getcwd())
    try:
        return _guarded(lambda: importlib.import_module(name), f"Importing {name} failed.")
    except InvalidTargetError as error:
        missing = error.__cause__
        if isinstance(missing, ModuleNotFoundError) and missing.name and f"{name}.".startswith(f"{missing.name}."):
            raise InvalidTargetError(
                f"There is no module {missing.name!r} on the path; expected an importable module before the colon."
            ) from None
        raise


def _guarded(call: Callable[[], Made], failure: str) -> Made:
    """What `call` returns; what the user's code raises in it becomes an `InvalidTargetError` with its traceback."""
    try:
        return call()
    except (Exception, SystemExit) as error:
        raise InvalidTargetError(f"{failure}\n{_traceback(error)}") from error


def _traceback(error: BaseException) -> str:
    """The traceback of `error` as text, without the frames of fxaudit and the import machinery above the user's."""
    shown = error.__traceback__
    while shown is not None and _is_machinery(shown.tb_frame.f_code.co_filename):
        shown = shown.tb_next
    return "".join(traceback.format_exception(type(error), error, shown)).rstrip()


def _is_machinery(file: str) -> bool:
    return file == __file__ or file.startswith("<frozen ") or Path(file).parent.name == "importlib"


def _is_module(value: object) -> bool:
    from torch import nn

    return isinstance(value, nn.Module)


def _described(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
