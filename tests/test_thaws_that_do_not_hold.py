"""What stays frozen because a thaw never runs, or is undone at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
"""
NEVER = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=4)
parser.add_argument("--unfreeze-at", type=int, default=10)  # blamed
args = parser.parse_args([])


class Unfreeze:
    def __init__(self, part, at):
        self.part, self.at = part, at

    def on_epoch(self, epoch):
        if epoch == self.at:
            for p in self.part.parameters():
                p.requires_grad = True


net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
for p in net[0].parameters():
    p.requires_grad = False
callbacks = [Unfreeze(net[0], args.unfreeze_at)]
opt = torch.optim.SGD(net.parameters(), lr=.1)
for epoch in range(args.epochs):
    for c in callbacks:
        c.on_epoch(epoch)
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
COUNTED = """
class Unfreeze:
    def __init__(self, part, at):
        self.part, self.at = part, at

    def on_epoch(self, epoch):
        for p in self.part.parameters():
            p.requires_grad_(epoch >= self.at)


net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
hook = Unfreeze(net[0], at=10)  # blamed
opt = torch.optim.SGD(net.parameters(), lr=.1)
for epoch in range(4):
    hook.on_epoch(epoch)
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
TOO_LATE = """
net = nn.ModuleDict({"first": nn.Linear(4, 1), "then": nn.Linear(4, 1)})
net.requires_grad_(False)
net["then"].requires_grad_(True)
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(6):
    if step == 2:
        net.requires_grad_(True)  # blamed
    out = net["first"](torch.randn(8, 4)) if step < 2 else 0
    loss = (out + net["then"](torch.randn(8, 4))).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""
UNDONE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 8)
        self.head = nn.Linear(8, 1)
        self.frozen = True
        self.freeze()

    def freeze(self):
        if self.frozen:
            for p in self.stem.parameters():
                p.requires_grad = False

    def train(self, mode=True):
        super().train(mode)
        self.freeze()
        return self

    def forward(self, x):
        return self.head(F.relu(self.stem(x)))


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    if epoch == 1:
        for p in net.parameters():
            p.requires_grad = True  # blamed
    net.train()
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
SWALLOWED = """
class Encoder(nn.Module):
    def __init__(self, dim, **kwargs):
        super().__init__()
        self.proj = nn.Linear(4, dim)
        if not kwargs.get("trainable", False):
            self.proj.requires_grad_(False)

    def forward(self, x):
        return F.relu(self.proj(x))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder(8, train=True)  # blamed
        self.head = nn.Linear(8, 1)

    def forward(self, x):
        return self.head(self.encoder(x))


net = Net()
opt = torch.optim.SGD(net.parameters(), lr=.1)
for _ in range(4):
    loss = net(torch.randn(8, 4)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        pytest.param(NEVER, "FXA306", id="an epoch that never comes"),
        pytest.param(UNDONE, "FXA306", id="frozen again"),
        pytest.param(TOO_LATE, "FXA102", id="after the last use"),
        pytest.param(SWALLOWED, "FXA309", id="a keyword that nobody reads"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str) -> None:
    finding = next(one for one in judged(tmp_path, HEAD + program).findings if one.level != "note")
    assert finding.code == code
    assert "# blamed" in line_of(finding)


def test_a_thaw_in_time_has_no_finding(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + NEVER.replace("default=10", "default=2"))
    assert [finding for finding in report.findings if finding.level != "note"] == []
    assert {parameter.verdict for parameter in report.parameters.values()} == {"trained"}


def test_a_helper_that_nobody_calls_is_no_alarm(tmp_path: Path) -> None:
    helper = "def unfreeze(part):\n    for p in part.parameters():\n        p.requires_grad = True\n\n\n"
    frozen = UNDONE.replace(
        "    if epoch == 1:\n        for p in net.parameters():\n            p.requires_grad = True  # blamed\n", ""
    )
    report = judged(tmp_path, HEAD + helper + frozen)
    assert [finding for finding in report.findings if finding.level != "note"] == []


def test_a_part_that_is_frozen_again_after_it_was_trained_is_no_alarm(tmp_path: Path) -> None:
    program = UNDONE.replace("        self.freeze()\n        return self", "        return self")
    program += "    if epoch == 2:\n        for p in net.stem.parameters():\n            p.requires_grad = False\n"
    report = judged(tmp_path, HEAD + program)
    assert [finding for finding in report.findings if finding.level != "note"] == []


def test_the_help_is_about_the_thaw(tmp_path: Path) -> None:
    finding = judged(tmp_path, HEAD + NEVER).findings[0]
    assert finding.fix.startswith("Change what keeps the line that unfreezes from running")


def test_a_counter_that_never_comes_so_far(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + COUNTED).findings
    assert (finding.code, finding.level) == ("FXA306", "warning")
    assert line_of(finding).endswith("# blamed")
    assert "`epoch >= self.at` was never true; `self.at` is 10" in finding.message
    in_time = judged(tmp_path, HEAD + COUNTED.replace("at=10", "at=2"))
    assert [one for one in in_time.findings if one.level != "note"] == []


TOGGLED = """
def switch(nets, flag):
    for net in nets:
        for p in net.parameters():
            p.requires_grad = flag


maker = nn.Linear(4, 4)
one, two = nn.Linear(4, 1), nn.Linear(4, 1)
opt_maker = torch.optim.SGD(maker.parameters(), lr=.1)
opt_judges = torch.optim.SGD([*one.parameters(), *two.parameters()], lr=.1)
for _ in range(6):
    switch([one, two], False)
    fake = maker(torch.randn(8, 4))
    opt_maker.zero_grad(); (one(fake) + two(fake)).mean().backward(); opt_maker.step()
    switch([one, THAWED], True)  # blamed
    real, fake = torch.randn(8, 4), fake.detach()
    opt_judges.zero_grad()
    (one(real).square().mean() + one(fake).mean() + two(real).square().mean() + two(fake).mean()).backward()
    opt_judges.step()
"""


def test_what_is_frozen_with_others_and_not_unfrozen_with_them(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + TOGGLED.replace("THAWED", "one")).findings
    assert (finding.code, finding.level) == ("FXA306", "warning")
    assert line_of(finding).endswith("# blamed")
    assert finding.message == "`two.*` stay frozen: frozen with `one.*`, which are unfrozen again"
    assert judged(tmp_path, HEAD + TOGGLED.replace("THAWED", "two")).findings == ()


ALIASED = """
import copy


class Teacher:
    def __init__(self, network):
        self.network = GIVEN  # blamed
        for p in self.network.parameters():
            p.requires_grad_(False)

    @torch.no_grad()
    def __call__(self, x):
        return self.network(x)


body, head = nn.Linear(4, 4), nn.Linear(4, 4)
teacher = Teacher(body)
opt = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=.1)
for _ in range(4):
    x = torch.randn(8, 4)
    loss = (head(body(x)) - teacher(x)).square().mean()
    opt.zero_grad(); loss.backward(); opt.step()
"""


def test_a_teacher_that_is_no_copy(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + ALIASED.replace("GIVEN", "network")).findings
    assert (finding.code, finding.level) == ("FXA306", "warning")
    assert line_of(finding).endswith("# blamed") and finding.fix.startswith("Copy it")
    assert judged(tmp_path, HEAD + ALIASED.replace("GIVEN", "copy.deepcopy(network)")).findings == ()


def test_a_part_that_is_frozen_by_another_name_on_purpose(tmp_path: Path) -> None:
    program = HEAD + ALIASED.replace("GIVEN", "network").replace("Teacher", "Frozen").replace("teacher", "fixed")
    assert [one for one in judged(tmp_path, program).findings if one.level != "note"] == []


def test_what_is_read_only_while_frozen_is_not_said_to_have_no_gradient(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + TOO_LATE).findings
    assert finding.message == "nothing reads `first.*` once they are unfrozen"
    (read,) = finding.related
    assert (read.role, "step < 2" in read.source.code) == ("read here last, while frozen", True)
    assert finding.level == "warning"
    at_the_end = TOO_LATE.replace("    if step == 2:\n        net.req", "    if step == 6:\n        net.req")
    (finding,) = judged(tmp_path, HEAD + at_the_end + "net.requires_grad_(True)\n").findings
    assert finding.level == "note"
    used = TOO_LATE.replace("if step < 2 else 0", "if step < 4 else 0")
    assert [one for one in judged(tmp_path, HEAD + used).findings if one.level != "note"] == []


CHOSEN = """
CONFIG = {"bias": CHOICE}


def mark_adapters(net, bias):
    for name, p in net.named_parameters():
        p.requires_grad = "adapter" in name
    if bias == "all":  # decides
        for name, p in net.named_parameters():
            if name.endswith("bias"):
                p.requires_grad = True


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.base, self.adapter = nn.Linear(4, 4), nn.Linear(4, 1, bias=False)

    def forward(self, x):
        return self.adapter(self.base(x))


net = Net()
mark_adapters(net, CONFIG["bias"])
opt = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=.1)
for _ in range(4):
    opt.zero_grad(); net(torch.randn(8, 4)).square().mean().backward(); opt.step()
"""


@pytest.mark.parametrize(("choice", "level"), [("none", "note"), ("All", "warning")])
def test_a_setting_that_does_not_ask_for_a_thaw_is_no_mistake(tmp_path: Path, choice: str, level: str) -> None:
    (finding,) = judged(tmp_path, HEAD + CHOSEN.replace("CHOICE", repr(choice))).findings
    assert (finding.code, finding.level) == ("FXA306", level)
    named = [line_of(finding), *(related.source.code for related in finding.related)]
    assert any(line.endswith("# decides") for line in named)
    if level == "note":
        assert finding.parameters == ("base.bias",)
        assert finding.message == "`base.bias` stays frozen: what unfreezes is not chosen, as `bias` is 'none'"


def test_a_setting_by_which_a_function_returns_before_its_thaw_is_no_mistake(tmp_path: Path) -> None:
    early = CHOSEN.replace('if bias == "all":  # decides', 'if bias == "none":\n        return\n    if bias == "all":')
    (finding,) = judged(tmp_path, HEAD + early.replace("CHOICE", "'none'")).findings
    assert (finding.code, finding.level) == ("FXA306", "note")
