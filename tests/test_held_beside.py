"""What an optimizer holds beside the model (FXA303) is blamed on a branch only where that keeps it from being used."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged

SCRIPT = """
import torch
from torch import nn

model = nn.Linear(4, 1)
extra = nn.Linear(4, 1)
optimizer = torch.optim.SGD([*model.parameters(), *extra.parameters()], lr=0.1)  # built
flag = False  # flag
for _ in range(3):
    x = torch.ones(8, 4)
    loss = model(x).square().mean()
    {use}
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("use", "mark"),
    [
        ("loss = loss + extra(x).square().mean() if flag else loss", "flag"),
        ("print(extra) if flag else None", "built"),
        ("extra = nn.Linear(4, 1) if flag else extra", "built"),
    ],
)
def test_the_branch_is_blamed_only_where_it_keeps_a_use_away(use: str, mark: str, tmp_path: Path) -> None:
    text = SCRIPT.format(use=use)
    (finding,) = [one for one in judged(tmp_path, text).findings if one.code == "FXA303"]
    assert finding.culprit is not None
    assert text.splitlines()[finding.culprit.line - 1].endswith(f"# {mark}")
    assert ("Let the loss use it" in finding.fix) == (mark == "flag")
