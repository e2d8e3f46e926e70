"""How large the numbers are that a line makes: told truly, looked at once, and unseen by whoever counts torch calls."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

import fxaudit
from fxaudit.answer.document import from_text, to_text
from fxaudit.capture import sizes
from fxaudit.report import Report
from tests.scripts import judged

Size = tuple[float | None, float | None, float | None]


def told(report: Report) -> dict[str, Size]:
    """Operation → size, of those that have one."""
    return {n.label: n.size for n in from_text(to_text(report)).graph_data.nodes if n.size is not None}


def audited(forward: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor) -> dict[str, Size]:
    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(()))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return forward(self.weight * x)

    net = Net()
    return told(fxaudit.audit(net, lambda: net(x), torch.optim.SGD(net.parameters(), lr=0.1)))


def test_the_smallest_the_mean_and_the_largest() -> None:
    found = audited(lambda x: x.tanh().sum(), torch.tensor([-3.0, 0.0, 1.0, 4.0]))
    assert found["mul"] == (-3.0, 0.5, 4.0)
    assert found["sum"] == (0.766, 0.766, 0.766)


def test_a_mean_that_is_zero_but_for_rounding_is_zero() -> None:
    found = audited(lambda x: (x - x.mean()).square().sum(), torch.tensor([0.1, 0.2, 0.3, 0.7]))
    assert found["sub"][1] == 0.0


@pytest.mark.parametrize(
    ("number", "size"),
    [(math.inf, (-1.0, None, None)), (-math.inf, (None, None, 2.0)), (math.nan, (None, None, None))],
)
def test_what_is_not_finite_is_not_told_as_a_number(number: float, size: Size) -> None:
    assert audited(lambda x: x.nan_to_num().sum(), torch.tensor([-1.0, number, 2.0]))["mul"] == size


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int64])
def test_other_dtypes_have_numbers_too(dtype: torch.dtype) -> None:
    assert sizes._size(torch.tensor([-2, 0, 5], dtype=dtype)) == (-2.0, 1.0, 5.0)


LOOP = """
import torch

model = torch.nn.Linear(1, 1, bias=False)
torch.nn.init.ones_(model.weight)
optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
for step in range(1, 4):
    x = torch.full((2, 1), float(step))
    loss = model(x).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_of_a_loop_the_first_time_is_told(tmp_path: Path) -> None:
    assert told(judged(tmp_path, LOOP, to_end=True))["linear"] == (1.0, 1.0, 1.0)


def test_a_line_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []
    read = sizes._size
    monkeypatch.setattr(sizes, "_size", lambda tensor: (looks.append(tuple(tensor.shape)), read(tensor))[1])

    def forward(x: torch.Tensor) -> torch.Tensor:
        for _ in range(5):
            x = x.tanh()
        return x.sum()

    audited(forward, torch.ones(3))
    assert sorted(looks) == [(), (3,), (3,)]


class Counting(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_who_counts_what_torch_does_counts_no_looks() -> None:
    counting = Counting()

    def forward(x: torch.Tensor) -> torch.Tensor:
        with counting:
            return x.tanh().sum()

    assert "tanh" not in audited(forward, torch.ones(3))
    assert not [name for name in counting.seen if "aminmax" in name or "mean" in name]


@pytest.mark.parametrize(
    "tensor",
    [
        torch.ones(3, device="meta"),
        torch.ones(0),
        torch.ones(3, dtype=torch.bool),
        torch.ones(3, dtype=torch.complex64),
        torch.eye(3).to_sparse(),
        torch.ones(3).as_subclass(type("Own", (torch.Tensor,), {})),
    ],
)
def test_what_has_no_numbers_of_its_own_is_not_read(tensor: torch.Tensor) -> None:
    assert not sizes._may_be_read(tensor)
    assert sizes._may_be_read(torch.ones(3))


def test_in_a_trace_or_a_transformation_nothing_is_read() -> None:
    asked = []

    def forward(x: torch.Tensor) -> torch.Tensor:
        asked.append(sizes._may_be_read(torch.ones(3)))
        return x * 2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(forward, torch.ones(3), check_trace=False)
    torch.func.vmap(forward)(torch.ones(2, 3))
    assert asked == [False, False]


def test_there_is_an_end_to_looking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_LOOKS", 1)
    assert len(audited(lambda x: x.tanh().sum(), torch.ones(3))) == 1


def test_a_tensor_that_is_too_large_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "MOST_ELEMENTS", 2)
    assert list(audited(lambda x: x.sum(), torch.ones(3))) == ["sum"]
