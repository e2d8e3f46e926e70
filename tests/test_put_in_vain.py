"""Adapters that are put into a model by the names of its modules, and names that no module has: nothing is put in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

SCRIPT = """
import torch
from torch import nn


class Adapted(nn.Module):
    def __init__(self, base, rank=2):
        super().__init__()
        self.base, self.low_rank_in = base, nn.Parameter(torch.randn(rank, base.in_features))
        self.low_rank_out = nn.Parameter(torch.randn(base.out_features, rank))

    def forward(self, x):
        return self.base(x) + x @ self.low_rank_in.T @ self.low_rank_out.T


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.query, self.value = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return self.query(x).tanh() * self.value(x)


INJECT


net = nn.Sequential(Block(), Block(), nn.Linear(4, 1))
wanted = WANTED  # blamed
inject(net, wanted)
for name, p in net.named_parameters():
    p.requires_grad = "low_rank" in name OR
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.01)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""
BY_LEAF = """
def inject(model, targets):
    for name, part in list(model.named_modules()):
        owner, _, leaf = name.rpartition(".")
        if isinstance(part, nn.Linear) and leaf in targets:
            setattr(model.get_submodule(owner), leaf, Adapted(part))
"""
CHOSEN_FIRST = """
def inject(model, targets):
    chosen = []
    for name, part in model.named_modules():
        if isinstance(part, nn.Linear) and any(name.endswith(target) for target in targets):
            chosen.append((name, part))
    for name, part in chosen:
        owner, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(owner), leaf, Adapted(part))
"""
DOWNWARDS = """
def inject(model, targets):
    for name, part in list(model.named_children()):
        if name in targets:
            model._modules[name] = Adapted(part)
        else:
            inject(part, targets)
"""


def program(inject: str, wanted: str, *, head: bool) -> str:
    other = 'or name.startswith("2.")' if head else ""
    return SCRIPT.replace("INJECT", inject.strip()).replace("WANTED", wanted).replace("OR", other)


@pytest.mark.parametrize("inject", [BY_LEAF, CHOSEN_FIRST, DOWNWARDS], ids=["by leaf", "chosen first", "downwards"])
def test_the_names_are_blamed(tmp_path: Path, inject: str) -> None:
    report = judged(tmp_path, program(inject, '("q_proj", "v_proj")', head=True))
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("FXA309", "warning")
    assert line_of(finding).endswith("# blamed")
    assert finding.fact == "no module is named `q_proj` or `v_proj`, so nothing is replaced or added"
    assert "there are `query`, `value`" in finding.fix
    assert {name for name, verdict in verdicts(report).items() if verdict == "frozen"} == set(finding.parameters)


def test_an_optimizer_that_gets_nothing_for_it_has_one_finding(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, program(BY_LEAF, '("q_proj", "v_proj")', head=False)).findings
    assert finding.code == "FXA302" and line_of(finding).endswith("# blamed")
    assert finding.message.endswith("no module is named `q_proj` or `v_proj`, so nothing is replaced or added")


@pytest.mark.parametrize("wanted", ['("query", "value")', '("query", "v_proj")'])
def test_names_of_which_one_is_there(tmp_path: Path, wanted: str) -> None:
    report = judged(tmp_path, program(BY_LEAF, wanted, head=True))
    assert codes(report) == []
    assert verdicts(report)["0.query.low_rank_in"] == "trained"


def test_a_list_in_a_configuration_file(tmp_path: Path) -> None:
    (tmp_path / "adapters.yaml").write_text("rank: 2\ntargets:\n  - q_proj  # blamed\n  - v_proj\n", encoding="utf-8")
    text = program(BY_LEAF, "[w[2:] for w in map(str.strip, open('adapters.yaml')) if w[0] == '-']", head=True)
    text = text.replace("w[2:]", "w[2:].split()[0]")
    (finding,) = judged(tmp_path, text).findings
    assert finding.culprit is not None
    assert (Path(finding.culprit.file).name, finding.culprit.line) == ("adapters.yaml", 3)


OTHER_TESTS = {
    "a setting": 'for name, part in net.named_modules():\n    if mode in ("lora", "ia3"):\n        seen.append(part)\n',
    "layers to look at": (
        'for name, part in net.named_modules():\n    if name in ("layer4", "pool"):\n        seen.append(part)\n'
    ),
    "a module without parameters": (
        "for name, part in list(net.named_children()):\n"
        '    if name == "1" and isinstance(part, nn.ReLU):\n        setattr(net, name, nn.GELU())\n'
    ),
}
FROZEN = """
import torch
from torch import nn

net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 1))
mode, seen = "plain", []
LOOP
net[0].requires_grad_(False)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    net(torch.randn(8, 4)).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize("loop", OTHER_TESTS.values(), ids=OTHER_TESTS)
def test_what_is_frozen_on_purpose_beside_another_test(tmp_path: Path, loop: str) -> None:
    assert codes(judged(tmp_path, FROZEN.replace("LOOP", loop))) == []
