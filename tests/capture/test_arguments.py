"""What a torch call was given, and what it writes of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from fxaudit.capture.arguments import takes_all

EVERY, SOME = torch.ones(3, dtype=torch.bool), torch.tensor([True, False, True])


@pytest.mark.parametrize(
    ("key", "is_all"),
    [
        (..., True),
        (slice(None), True),
        ((slice(None), slice(None)), True),
        (slice(0, 3), True),
        (slice(0, 9), True),
        (slice(0, -1), False),
        (slice(None, None, 2), False),
        ((slice(None), slice(1, 2)), False),
        (EVERY, True),
        (EVERY.to("meta"), False),
        (SOME, False),
        (torch.ones(3, 2, dtype=torch.bool), True),
        (torch.tensor([0, 1, 2]), False),
        ((slice(None), EVERY[:2]), False),
        (0, False),
        (None, False),
    ],
)
def test_an_index_that_takes_all(key: Any, is_all: bool) -> None:
    assert takes_all(torch.zeros(3, 2), key) == is_all
