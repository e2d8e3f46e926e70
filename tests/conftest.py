"""What holds for all tests."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from fxaudit.attempts import STRICT

# A part that fails is left out of a user's report; in the tests it is a defect, and raises.
os.environ.setdefault(STRICT, "1")

# The same examples in every run: a change is judged by what it changes, not by the dice. `make explore` draws new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.register_profile("explore", max_examples=20_000, deadline=None, print_blob=True)
settings.load_profile("repeatable")

# Programs to audit, not modules with examples in their docstrings; some import libraries that need not be there.
collect_ignore_glob = ["programs/*", "projects/*", "trainers/*"]


@pytest.fixture(scope="session")
def first_step_paid() -> None:
    """Copies that are forked from here on need not pay for the first step of an optimizer."""
    from tests.warming import pay_for_the_first_step

    pay_for_the_first_step()
