"""Finding the library that an integration is for."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

from fxaudit.errors import MissingLibraryError

__all__ = ["host"]


def host(what: str, *names: str) -> ModuleType:
    """The first of the modules `names` that is imported already, else the first that can be imported.

    Raises:
        MissingLibraryError: None of them is installed.
    """
    for name in [*(name for name in names if name in sys.modules), *names]:
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{name}.".startswith(f"{error.name}."):
                raise
    package = names[0].partition(".")[0]
    raise MissingLibraryError(f"{what} needs {package}, which is not installed here. Expected: pip install {package}.")
