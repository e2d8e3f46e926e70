"""Where all targets are left out by the loss: what made them so."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

SCRIPT = """
from dataclasses import dataclass

import torch
from torch import nn

torch.manual_seed(0)
IGNORED = -100


@dataclass
class Arguments:
    max_length: int = {length}  # blamed
    prompts: int = 16


def examples(args):
    rows = []
    for number in range(args.prompts):
        prompt, answer = [number % 5 + 1] * 12, [2, 3, 4]
        ids, labels = prompt + answer, [IGNORED] * len(prompt) + answer
        rows.append((ids[: args.max_length], labels[: args.max_length]))
    return rows


rows = examples(Arguments())
ids, labels = (torch.tensor([row[part] for row in rows]) for part in (0, 1))
net = nn.Sequential(nn.Embedding(8, 6), nn.Linear(6, 8))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    loss = nn.functional.cross_entropy(net(ids).flatten(0, 1), labels.flatten(), reduction="sum")
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_the_length_by_which_all_answers_are_cut_off_is_blamed(tmp_path: Path) -> None:
    finding = judged(tmp_path, SCRIPT.replace("{length}", "10")).findings[0]
    assert finding.code == "FXA501"
    assert line_of(finding).endswith("# blamed")
    assert "what is longer is cut off here" in [related.role for related in finding.related]


def test_where_some_of_the_answer_is_left_nothing_is_blamed(tmp_path: Path) -> None:
    assert "FXA501" not in codes(judged(tmp_path, SCRIPT.replace("{length}", "14")))


@pytest.mark.parametrize("length", [15, 100])
def test_a_length_that_cuts_nothing_off_is_not_blamed(length: int, tmp_path: Path) -> None:
    text = SCRIPT.replace("{length}", str(length)).replace("+ answer\n        rows", "+ [IGNORED] * 3\n        rows")
    finding = judged(tmp_path, text).findings[0]
    assert finding.code == "FXA501"
    assert "# blamed" not in line_of(finding) and not line_of(finding).startswith("IGNORED =")
