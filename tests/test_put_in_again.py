"""Parameters that are put in anew behind each round, the latest when nobody records any more: they are what those were
that gradient reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of, verdicts

PROGRAM = """
import torch
from torch import nn

torch.manual_seed(0)


class Tagger(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.mix, self.tags = nn.Embedding(30, 8), nn.Linear(8, 8), nn.Linear(8, 4)

    def forward(self, ids):
        return self.tags(self.mix(self.words(ids)).tanh())


class Kept:
    def __init__(self, part):
        self.part, self.state = part, {k: v.clone() for k, v in part.state_dict().items()}

    def swapped(self, look):
        own = {k: v.clone() for k, v in self.part.state_dict().items()}
        self.put({k: v.clone() for k, v in self.state.items()})
        look()
        self.put(own)

    def put(self, state):
        self.part.load_state_dict(state, assign=ASSIGN)  # put


class Loop:
    def __init__(self, net):
        self.net, self.kept = net, Kept(net.mix)
        self.optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)

    def run(self):
        FIRST
        for _ in range(4):
            for _ in range(ROUNDS):
                ids, tags = torch.randint(0, 30, (16,)), torch.randint(0, 4, (16,))
                loss = nn.functional.cross_entropy(self.net(ids), tags)
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
            self.kept.swapped(self.look)

    @torch.no_grad()
    def look(self):
        return self.net(torch.arange(30)).argmax(-1)


Loop(Tagger()).run()
"""

UPDATE = """\
    def update(self):
        with torch.no_grad():
            for name, value in self.part.state_dict().items():
                self.state[name].lerp_(value, 0.1)

    def swapped"""


def averaged(text: str) -> str:
    """The program with an average of the part, which is updated behind each step."""
    stepped = "self.optimizer.step()\n"
    return text.replace("    def swapped", UPDATE).replace(stepped, f"{stepped}                self.kept.update()\n")


def program(assign: str, first: str, rounds: int = 9) -> str:
    return PROGRAM.replace("ASSIGN", assign).replace("FIRST", first).replace("ROUNDS", str(rounds))


@pytest.mark.parametrize(("rounds", "is_averaged"), [(2, False), (9, False), (9, True)])
def test_the_latest_is_excluded_as_those_before_it_were(tmp_path: Path, rounds: int, is_averaged: bool) -> None:
    text = program("True", "self.kept.swapped(self.look)", rounds)
    report = judged(tmp_path, averaged(text) if is_averaged else text)
    found = verdicts(report)
    assert {name: found[name] for name in ("mix.weight", "mix.bias", "words.weight")} == {
        "mix.weight": "excluded", "mix.bias": "excluded", "words.weight": "trained"
    }  # fmt: skip
    assert report["mix.weight"].gradient.state == "finite" and report["mix.weight"].reached_in > 0
    (finding,) = [f for f in report.findings if f.level == "error"]
    assert (finding.code, line_of(finding).endswith("# put")) == ("FXA204", True)
    assert "unregistered" not in found.values()


@pytest.mark.parametrize(("assign", "first"), [("False", "self.kept.swapped(self.look)"), ("False", "pass")])
def test_numbers_that_are_put_in_leave_the_parameters_alone(tmp_path: Path, assign: str, first: str) -> None:
    report = judged(tmp_path, program(assign, first))
    assert set(verdicts(report).values()) == {"trained"}
    assert [f for f in report.findings if f.level in ("error", "warning")] == []
