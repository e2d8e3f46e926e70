"""What is handed on is not what was meant: a part for the whole, a list of before, the same module for a copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import contextlib
import copy
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""

# -- a part of the model for all of it ---------------------------------------------------------------------------------

PART = """
class System(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * self.net(x)


def split(module):
    decay, plain = [], []
    for parameter in module.parameters():
        (decay if parameter.ndim > 1 else plain).append(parameter)
    return [{"params": decay}, {"params": plain, "weight_decay": 0.0}]


def build(rate, module):
    GROUPS
    return torch.optim.SGD(groups, lr=rate)


system = System()
BUILT


def compute():
    return system(torch.randn(8, 4)).square().mean()
"""
SPLITS = {
    "a helper": "groups = split(module)",
    "two lists": "decay = [p for p in module.parameters() if p.ndim > 1]\n"
    "    groups = [{'params': decay}, {'params': [p for p in module.parameters() if p.ndim <= 1]}]",
    "what trains": "groups = [p for p in module.parameters() if p.requires_grad]",
}
IN_A_HELPER = "optimizer = build(0.1, system.net)"


def part(groups: str, built: str) -> str:
    return HEAD + PART.replace("GROUPS", SPLITS[groups]).replace("BUILT", built) + LOOP


@pytest.mark.parametrize("groups", SPLITS)
@pytest.mark.parametrize("given", ["system.net", "module=system.net"])
def test_the_call_that_hands_over_a_part_is_blamed(groups: str, given: str, tmp_path: Path) -> None:
    report = judged(tmp_path, part(groups, f"optimizer = build(0.1, {given})"))
    (finding,) = report.findings
    assert finding.code == "FXA301"
    assert verdicts(report)["scale"] == "excluded"
    assert line_of(finding) == f"optimizer = build(0.1, {given})"


def test_the_groups_of_a_part_are_blamed_where_they_are_made(tmp_path: Path) -> None:
    built = "groups = split(system.net)\noptimizer = torch.optim.SGD(groups, lr=0.1)"
    (finding,) = judged(tmp_path, part("a helper", built)).findings
    assert line_of(finding) == "groups = split(system.net)"


@pytest.mark.parametrize("groups", SPLITS)
def test_all_of_the_model_is_no_matter(groups: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, part(groups, "optimizer = build(0.1, system)")).findings


def test_what_a_filter_leaves_out_of_all_is_the_matter_of_the_filter(tmp_path: Path) -> None:
    groups = "groups = [p for n, p in module.named_parameters() if 'net' in n]"
    text = part("a helper", "optimizer = build(0.1, system)").replace("groups = split(module)", groups)
    (finding,) = judged(tmp_path, text).findings
    assert line_of(finding) == groups


@pytest.mark.slow
def test_what_is_no_part_of_the_part_stands_still() -> None:
    assert left_alone(part("a helper", IN_A_HELPER)) == 1 / 5
    assert left_alone(part("a helper", "optimizer = build(0.1, system)")) == 0


# -- a list that was made before one of its parameters -----------------------------------------------------------------

LISTED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.head = nn.Linear(4, 1)
        self.alpha = nn.Parameter(torch.ones(4))
        self.listed = [self.alpha, *self.head.parameters()]

    def chosen(self):
        return CHOSEN

    def reset(self):
        self.alpha = nn.Parameter(0.5 * torch.ones(4))

    def swap(self):
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.body(x)) * self.alpha)


net = Net()
GIVEN


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
BUILT = "optimizer = torch.optim.SGD([*net.body.parameters(), *net.chosen()], lr=0.1)"
REPLACED = {
    "a parameter": (f"net.reset()\n{BUILT}", "self.alpha = nn.Parameter(0.5 * torch.ones(4))"),
    "a module": (f"net.swap()\n{BUILT}", "self.head = nn.Linear(4, 1)"),
    "too late": ("given = list(net.parameters())\nnet.swap()\noptimizer = torch.optim.SGD(given, 0.1)", "net.swap()"),
}


def listed(given: str, chosen: str = "self.listed") -> str:
    return HEAD + LISTED.replace("GIVEN", given).replace("CHOSEN", chosen) + LOOP


@pytest.mark.parametrize("replaced", REPLACED)
def test_what_takes_the_place_of_what_is_listed_is_blamed(replaced: str, tmp_path: Path) -> None:
    given, line = REPLACED[replaced]
    report = judged(tmp_path, listed(given))
    (finding,) = report.findings
    assert finding.code == "FXA204"
    assert "excluded" in verdicts(report).values()
    assert line_of(finding) == line


@pytest.mark.parametrize("given", [BUILT, f"net.reset()\n{BUILT}"])
def test_a_list_that_is_made_when_it_is_asked_for_is_no_matter(given: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, listed(given, "[self.alpha, *self.head.parameters()]")).findings


def test_what_was_never_listed_is_left_out_by_the_optimizer(tmp_path: Path) -> None:
    given = "net.reset()\noptimizer = torch.optim.SGD(net.body.parameters(), lr=0.1)"
    assert codes(judged(tmp_path, listed(given))) == ["FXA301"]


@pytest.mark.slow
def test_what_took_the_place_stands_still() -> None:
    assert left_alone(listed(f"net.swap()\n{BUILT}")) == 4 / 7  # the new head, and the old one, which nothing reads
    assert left_alone(listed(BUILT)) == 0


# -- a value that a module in between does not hand on -----------------------------------------------------------------

PASSED = """
class Aware(nn.Module):
    def __init__(self):
        super().__init__()
        self.step = 0

    def set_step(self, step):
        self.step = step
        for child in self.children():
            if isinstance(child, Aware):
                child.set_step(step)


class Body(Aware):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 4)

    def forward(self, x):
        FORWARD


class Middle(KIND):
    def __init__(self):
        super().__init__()
        self.body = Body()
        self.last = nn.Linear(4, 4)

    def forward(self, x):
        return self.last(self.body(x))

    METHOD


class Net(Aware):
    def __init__(self):
        super().__init__()
        self.middle = Middle()
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.middle(x)))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
count = 0


def compute():
    global count
    net.set_step(count)
    count += 1
    return net(torch.randn(8, 4)).square().mean()
"""
WAYS = {
    "a region": "with contextlib.nullcontext() if self.step >= 2 else torch.no_grad():\n"
    "            return self.first(x)",
    "a detach": "h = self.first(x)\n        return h if self.step >= 2 else h.detach()",
    "a branch": "if self.step >= 2:\n            return self.first(x)\n        return x",
}
KEEPS = "def set_step(self, step):\n        self.step = step"


def passed(way: str, kind: str, method: str = "pass") -> str:
    text = PASSED.replace("FORWARD", WAYS[way]).replace("KIND", kind).replace("METHOD", method)
    return HEAD + text + LOOP


@pytest.mark.parametrize("way", WAYS)
def test_the_loop_that_passes_over_the_module_in_between_is_blamed(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, passed(way, "nn.Module"))
    (finding,) = report.findings
    assert verdicts(report)["middle.body.first.weight"] == "unreachable"
    assert line_of(finding) == "for child in self.children():"


def test_a_method_that_keeps_the_value_for_itself_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, passed("a region", "Aware", KEEPS)).findings
    assert line_of(finding) == "def set_step(self, step):"


@pytest.mark.parametrize("way", WAYS)
def test_a_module_in_between_that_hands_it_on_is_no_matter(way: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, passed(way, "Aware")).findings


def test_a_value_that_would_change_nothing_is_no_matter(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, passed("a region", "nn.Module").replace("step >= 2", "step >= 99")).findings
    assert line_of(finding).startswith("with contextlib")


@pytest.mark.slow
def test_what_is_not_told_stands_still() -> None:
    assert left_alone(passed("a region", "nn.Module")) == 2 / 6
    assert left_alone(passed("a region", "Aware")) == 0


# -- a part for a copy of it -------------------------------------------------------------------------------------------

TAKEN = """
class Net(nn.Module):
    def __init__(self, depth):
        super().__init__()
        self.embed = nn.Embedding(6, 4)
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(depth))
        self.out = nn.Linear(4, 2)

    def forward(self, x):
        h = self.embed(x)
        for layer in self.layers:
            h = torch.tanh(layer(h))
        return self.out(h)


def take_over(student, teacher):
    TAKE


teacher, student = Net(4), Net(2)
teacher.load_state_dict(copy.deepcopy(teacher.state_dict()))
ORDER
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)


def compute():
    x = torch.arange(12) % 6
    with torch.no_grad():
        wanted = teacher(x)
    return (student(x) - wanted).square().mean()
"""
ORDER = "take_over(student, teacher)\nteacher.requires_grad_(False)"
LAYERS = "for one, other in zip(student.layers, teacher.layers):\n        one.load_state_dict(other.state_dict())\n    "
OUT = "student.out.load_state_dict(teacher.out.state_dict())\n    "
TAKES = {
    "a module": (f"{LAYERS}{OUT}student.embed = teacher.embed", "student.embed = teacher.embed"),
    "members": (
        f"{OUT}for i in range(2):\n        student.layers[i] = teacher.layers[2 * i]",
        "student.layers[i] = teacher.layers[2 * i]",
    ),
}
COPIED = f"{LAYERS}{OUT}student.embed = copy.deepcopy(teacher.embed)"


def taken(take: str, order: str = ORDER) -> str:
    return HEAD + TAKEN.replace("TAKE", take).replace("ORDER", order) + LOOP


@pytest.mark.parametrize("kind", TAKES)
def test_the_line_that_takes_over_what_is_frozen_later_is_blamed(kind: str, tmp_path: Path) -> None:
    take, line = TAKES[kind]
    (finding,) = judged(tmp_path, taken(take)).findings
    assert (finding.code, finding.level) == ("FXA306", "warning")
    assert line_of(finding) == line


def test_a_copy_is_no_matter(tmp_path: Path) -> None:
    assert not judged(tmp_path, taken(COPIED)).findings


@pytest.mark.parametrize(
    ("take", "order"),
    [
        ("student.embed = teacher.embed", ORDER),
        (TAKES["a module"][0], "teacher.requires_grad_(False)\ntake_over(student, teacher)"),
    ],
)
def test_what_may_be_shared_on_purpose_is_a_note(take: str, order: str, tmp_path: Path) -> None:
    assert [finding.level for finding in judged(tmp_path, taken(take, order)).findings] == ["note"]


@pytest.mark.slow
def test_what_is_frozen_with_the_other_model_stands_still() -> None:
    assert left_alone(taken(TAKES["a module"][0])) > left_alone(taken(COPIED))


# -- a copy that was to stand in for a while ---------------------------------------------------------------------------

FUSED = """
class Fused(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 4, bias=False)
        self.two = nn.Linear(4, 4, bias=False)
        self.fused = None

    def fuse(self):
        BODY

    def unfuse(self):
        self.fused = None

    def forward(self, x):
        if self.fused is not None:
            return F.linear(x, self.fused).sum(-1)
        return torch.cat([self.one(x), self.two(x)], -1).sum(-1)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(4, 4)
        self.block = Fused()

    def fuse_all(self):
        self.block.fuse()

    def unfuse_all(self):
        self.block.unfuse()

    def forward(self, x):
        return self.block(torch.tanh(self.stem(x)))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def preview():
    net.eval()
    CALL
    with torch.no_grad():
        net(torch.randn(2, 4))
    BACK
    net.train()


preview()


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
BODIES = {
    "a region": "with torch.no_grad():\n            self.fused = torch.cat([self.one.weight, self.two.weight])",
    "a detach": "self.fused = torch.cat([self.one.weight.detach(), self.two.weight.detach()])",
}


def fused(body: str, call: str = "net.fuse_all()", back: str = "pass") -> str:
    return HEAD + FUSED.replace("BODY", BODIES[body]).replace("CALL", call).replace("BACK", back) + LOOP


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("call", ["net.fuse_all()", "net.block.fuse()"])
def test_the_call_that_nobody_takes_back_is_blamed(body: str, call: str, tmp_path: Path) -> None:
    report = judged(tmp_path, fused(body, call))
    (finding,) = report.findings
    assert verdicts(report)["block.one.weight"] == "unreachable"
    assert line_of(finding) == call


@pytest.mark.parametrize("body", BODIES)
def test_what_is_taken_back_is_no_matter(body: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, fused(body, back="net.unfuse_all()")).findings


@pytest.mark.slow
def test_what_the_copy_stands_in_for_stands_still() -> None:
    assert left_alone(fused("a region")) == 2 / 4
    assert left_alone(fused("a region", back="net.unfuse_all()")) == 0
