"""Of two arguments that both carry gradient the wrong one is detached: the call is blamed if its names are crossed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

PROGRAM = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


def closeness(FIRST, SECOND):
    SECOND = SECOND.detach()  # within
    return -F.cosine_similarity(F.normalize(FIRST, dim=-1), SECOND, dim=-1).mean()


encoder, predictor = nn.Linear(4, 4), nn.Linear(4, 4)
optimizer = torch.optim.SGD([*encoder.parameters(), *predictor.parameters()], lr=0.1)
for step in range(4):
    x = torch.randn(16, 4)
    z1, z2 = encoder(x + 0.1 * torch.randn(16, 4)), encoder(x + 0.1 * torch.randn(16, 4))
    p1, p2 = predictor(z1), predictor(z2)
    loss = GIVEN  # call
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
CROSSED, STRAIGHT = "closeness(z2, p1) + closeness(z1, p2)", "closeness(p1, z2) + closeness(p2, z1)"


@pytest.mark.parametrize(("first", "second"), [("p", "z"), ("prediction", "target"), ("predicted", "z_other")])
def test_a_call_with_crossed_names_is_blamed(tmp_path: Path, first: str, second: str) -> None:
    program = PROGRAM.replace("FIRST", first).replace("SECOND", second)
    (finding,) = judged(tmp_path, program.replace("GIVEN", CROSSED)).findings
    assert finding.code == "FXA104" and line_of(finding).endswith("# call")
    assert finding.fix == "Give the arguments in the other order: the function detaches this one."
    assert not codes(judged(tmp_path, program.replace("GIVEN", STRAIGHT)))


def test_a_function_that_detaches_the_wrong_one_is_blamed_itself(tmp_path: Path) -> None:
    program = PROGRAM.replace("FIRST", "z").replace("SECOND", "p")
    (finding,) = judged(tmp_path, program.replace("GIVEN", CROSSED)).findings
    assert finding.code == "FXA104" and line_of(finding).endswith("# within")
