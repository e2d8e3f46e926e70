"""What looks as if one thing stood where another was to be, and is right, or has its mistake elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""
NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.relu(self.body(x)))


net = Net()
"""
COMPUTE = """

def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
BUILD = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
"""
FROZEN = NET + "net.body.requires_grad_(False)\n" + BUILD + COMPUTE

# -- the mistake is elsewhere ------------------------------------------------------------------------------------------

SIBLINGS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("query", "key", "gate"):
            setattr(self, name, nn.Linear(4, 4))
        self.gate = nn.Linear(4, 4, bias=False)

    def forward(self, x):
        q, k = self.query(x), self.key(x)  # blamed
        return torch.softmax(q @ k.t(), -1) @ x


net = Net()
""" + BUILD + COMPUTE  # fmt: skip
MADE_ANEW = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.ModuleList(nn.Linear(4, 4) for _ in range(2)), nn.Linear(4, 1)

    def forward(self, x):
        states, outs = torch.zeros_like(x), torch.zeros(len(x), 1)
        for number, layer in enumerate(self.embed):
            rows = (torch.arange(len(x)) % 2 == number).nonzero().squeeze(1)
            states[rows] = torch.tanh(layer(x[rows])).detach()  # blamed
            outs = outs.index_add(0, rows, self.head(states[rows]))
        return outs


net = Net()
""" + BUILD + COMPUTE  # fmt: skip
MASKED = NET + BUILD + """
masks = {"body.weight": torch.zeros(4, 4), "head.weight": torch.ones(1, 4)}
net.body.bias.data.fill_(1.0)


def compute():
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name in masks:
                parameter.mul_(masks[name])  # blamed
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""  # fmt: skip
ADAPTED = NET.replace("nn.Linear(4, 1)", "nn.Linear(4, 1)\n        self.adapter = nn.Identity()") + """
def build(verbose=False):
    extra = net.adapter.parameters()
    if COUNTS:
        print(sum(p.numel() for p in extra))
    return torch.optim.SGD([{"params": net.body.parameters()}, {"params": extra}], lr=0.1)  # blamed


optimizer = build()
""" + COMPUTE  # fmt: skip
GATHERED = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "heads": nn.ModuleList(nn.Linear(4, 1) for _ in range(3))})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    h, total = torch.tanh(net["body"](torch.randn(8, 4))), torch.zeros(())
    for head in net["heads"]:
        value = (head(h) - 1).square().mean()
    total = total + value  # blamed
    return total
"""
ELSEWHERE = {
    "siblings of one line": (SIBLINGS, "FXA101"),
    "made anew in each forward": (MADE_ANEW, "FXA104"),
    "another mask for each name": (MASKED, "FXA408"),
    "a module without parameters": (ADAPTED.replace("COUNTS", "True"), "FXA301"),
    "asked whether it is there": (ADAPTED.replace("COUNTS", "extra is None"), "FXA301"),
    "a count that never ran": (ADAPTED.replace("COUNTS", "verbose"), "FXA301"),
    "added behind the loop": (GATHERED, "FXA103"),
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_the_mistake_is_elsewhere(kind: str, tmp_path: Path) -> None:
    program, code = ELSEWHERE[kind]
    report = judged(tmp_path, HEAD + program + LOOP)
    found = [finding for finding in report.findings if finding.code == code]
    assert len(found) == 1
    assert line_of(found[0]).endswith("# blamed")


# -- nothing is wrong --------------------------------------------------------------------------------------------------

ANSWERED = """
class Scheduled(nn.Module):
    epoch = 0

    def set_epoch(self, epoch):
        self.epoch = epoch
""" + FROZEN.replace("nn.Module)", "Scheduled)").replace("    def forward", '''    def set_trainable(self):
        """For whoever wants to train all of it."""
        for parameter in self.parameters():
            parameter.requires_grad = True

    def forward''').replace("    return (net", "    net.set_epoch(1)\n    return (net")  # fmt: skip
TWICE = (
    FROZEN
    + """

def train():
    for _ in range(3):
        optimizer.zero_grad()
        compute().backward()
        optimizer.step()


net.head.requires_grad_(False)
print(compute())
net.head.requires_grad_(True)
train()
net.head.requires_grad_(True)
train()
"""
)
RESUMED = (
    FROZEN
    + """
settings = {"start_epoch": 0}


def begin():
    if settings["start_epoch"] > 3:
        net.body.requires_grad_(True)


for epoch in range(settings["start_epoch"], 4):
    begin()
    optimizer.zero_grad()
    compute().backward()
    optimizer.step()
"""
)
PADDED = """
net = nn.ModuleDict({"embed": nn.Embedding(6, 4), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


class Model(nn.Module):
    def forward(self, ids):
        with torch.no_grad():
            net["embed"].weight[0].zero_()
        return net["head"](net["embed"](ids))


model = Model()


def compute():
    return (model(torch.randint(0, 6, (8, 3))) - 1).square().mean()
"""
EXPORTED = (
    FROZEN
    + """

for epoch in range(60):
    optimizer.zero_grad()
    compute().backward()
    optimizer.step()
net.requires_grad_(True)
torch.save(net.state_dict(), "net.pt")
"""
)
EXPORTED_BY_A_HOOK = (
    FROZEN
    + """

class Export:
    def on_fit_end(self, model):
        model.requires_grad_(True)


def fire(hooks, event):
    for one in hooks:
        hook = getattr(one, "on_" + event, None)
        if callable(hook):
            hook(net)


for epoch in range(60):
    optimizer.zero_grad()
    compute().backward()
    optimizer.step()
    fire([Export()], "epoch_end")
fire([Export()], "fit_end")
"""
)
RIGHT = {
    "thawed by a hook at the end": EXPORTED_BY_A_HOOK,
    "a base class answers": ANSWERED + LOOP,
    "thawed again before each fit": TWICE,
    "a row for padding": PADDED + LOOP,
    "thawed for export": EXPORTED,
    "thawed for export early": EXPORTED.replace("60", "4"),
}


@pytest.mark.parametrize("kind", RIGHT)
def test_nothing_is_wrong(kind: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + RIGHT[kind])
    assert [finding for finding in report.findings if finding.level != "note"] == []
    assert {"trained"} <= set(verdicts(report).values())


def test_where_a_run_is_resumed_no_loop_counts(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + RESUMED).findings
    assert finding.code == "FXA306" and "range" not in line_of(finding)


def test_an_object_that_adds_a_group_already_is_not_told_to_do_so(tmp_path: Path) -> None:
    text = """
    class Trainer:
        def __init__(self, net):
            self.net = net
            self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)

        def prepare(self, names):
            for name in names:
                self.net[name] = nn.Linear(4, 1)  # made
            late = [p for name in names[1:] for p in self.net[name].parameters()]
            self.optimizer.add_param_group({"params": late})


    trainer = Trainer(nn.ModuleDict({"body": nn.Linear(4, 4)}))
    trainer.prepare(["a", "b"])
    net, optimizer = trainer.net, trainer.optimizer


    def compute():
        h = torch.tanh(net["body"](torch.randn(8, 4)))
        return (net["a"](h) - 1).square().mean() + (net["b"](h) - 1).square().mean()
    """
    report = judged(tmp_path, HEAD + "\n".join(line[4:] for line in text.splitlines()) + LOOP)
    assert codes(report) == ["FXA301"]
    assert not line_of(report.findings[0]).endswith("# made")
