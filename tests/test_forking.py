"""A forked copy goes on from where this process stands."""

from __future__ import annotations

import random

import numpy
import torch

from fxaudit.run.copy import in_copy


def draws() -> str:
    return f"{random.random()} {torch.rand(1).item()} {numpy.random.rand()}"


def test_a_copy_draws_the_numbers_that_this_process_would_draw() -> None:
    random.seed(3)
    numpy.random.seed(4)
    answer, why = in_copy(draws)
    assert why == ""
    assert answer == draws()
