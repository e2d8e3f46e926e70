"""Work in a process of its own, where a library that keeps much to itself is imported."""

from __future__ import annotations

import importlib.util
import json
import warnings
from collections.abc import Callable
from typing import Any

import pytest

from fxaudit.run.copy import in_copy


def needs(*names: str, extra: str = "trainers") -> pytest.MarkDecorator:
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    return pytest.mark.skipif(bool(missing), reason=f"needs {' and '.join(missing)}: pip install fxaudit[{extra}]")


def apart(work: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `work` returns, as JSON has it, in a process of its own: the libraries keep much to themselves."""

    def quiet() -> str:
        warnings.simplefilter("ignore")
        return json.dumps(work())

    answer, why = in_copy(quiet, seconds=180.0)
    assert answer is not None, why
    return json.loads(answer)  # type: ignore[no-any-return]
