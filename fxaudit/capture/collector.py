"""Python's garbage collector, put off where much is made and little of it is garbage."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

__all__ = ["collector_paused", "collector_seldom"]

SELDOM = 50_000
"""So many objects more than before are made before the collector looks at them."""


@contextlib.contextmanager
def collector_paused() -> Iterator[None]:
    """No garbage collection meanwhile: a walk makes many objects and no garbage."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextlib.contextmanager
def collector_seldom() -> Iterator[None]:
    """Young objects are collected seldom and the old ones not at all: the user's code runs inside, and may leave
    garbage, while what fxaudit makes stays."""
    young, middle, old = was = gc.get_threshold()
    if young:  # else the user has put the collector off
        gc.set_threshold(max(young, SELDOM), middle, max(old, SELDOM))
    try:
        yield
    finally:
        if young and gc.get_threshold() == (max(young, SELDOM), middle, max(old, SELDOM)):
            gc.set_threshold(*was)
