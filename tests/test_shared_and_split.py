"""What was to be two is one, or what was to be all is not: a split that leaves some out, a module that two share, a
gradient that is asked for at the place of another, a method without gradients that a loss is computed by, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- a gradient that `backward` gives where another argument needs one -------------------------------------------------

SCALED = """
import torch
from torch import nn

torch.manual_seed(0)


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, GIVEN):
        ctx.save_for_backward(x, gain, bias)
        ctx.power = power
        return x * gain ** power + bias

    @staticmethod
    def backward(ctx, grad):
        x, gain, bias = ctx.saved_tensors
        slope = grad * ctx.power * gain ** (ctx.power - 1)
        grad_x = grad * gain ** ctx.power
        grad_bias = grad.sum(0)
BODY


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.gain = nn.Parameter(torch.ones(4))
        self.bias = nn.Parameter(torch.zeros(4))
        self.power = 2

    def forward(self, x):
        x = torch.tanh(self.body(x))
        return Scaled.apply(TAKEN)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
LAST, SECOND = "x, gain, bias, power", "x, power, gain, bias"
CHOICES = {
    "a choice": (
        LAST,
        "        grad_gain = (slope * x).sum(0) if ctx.needs_input_grad[3] else None\n"
        "        return grad_x, grad_gain, grad_bias, None",
        "grad_gain = (slope * x).sum(0) if ctx.needs_input_grad[3] else None",
        1,
    ),
    "the other way": (
        LAST,
        "        needs = ctx.needs_input_grad\n"
        "        grad_gain = None if not needs[3] else (slope * x).sum(0)\n"
        "        return grad_x, grad_gain, grad_bias, None",
        "grad_gain = None if not needs[3] else (slope * x).sum(0)",
        1,
    ),
    "behind a number": (
        SECOND,
        "        grad_gain: torch.Tensor | None = (slope * x).sum(0) if ctx.needs_input_grad[1] else None\n"
        "        return grad_x, None, grad_gain, grad_bias",
        "grad_gain: torch.Tensor | None = (slope * x).sum(0) if ctx.needs_input_grad[1] else None",
        2,
    ),
    "where it is returned": (
        LAST,
        "        return (\n            grad_x,\n            (slope * x).sum(0) if ctx.needs_input_grad[3] else None,\n"
        "            grad_bias,\n            None,\n        )",
        "(slope * x).sum(0) if ctx.needs_input_grad[3] else None,",
        1,
    ),
    "in a list": (
        SECOND,
        "        grads = [grad_x, None, None, grad_bias]\n"
        "        if ctx.needs_input_grad[1]:\n"
        "            grads[2] = (slope * x).sum(0)\n"
        "        return tuple(grads)",
        "if ctx.needs_input_grad[1]:",
        2,
    ),
}


def scaled(given: str, body: str) -> str:
    taken = ", ".join(name if name == "x" else f"self.{name}" for name in given.split(", "))
    return SCALED.replace("GIVEN", given).replace("TAKEN", taken).replace("BODY", body) + LOOP


def right(body: str, place: int) -> str:
    return body.replace("input_grad[3]", f"input_grad[{place}]").replace("input_grad[1]", f"input_grad[{place}]")


@pytest.mark.parametrize("choice", CHOICES)
def test_the_line_that_asks_about_another_argument_is_blamed(choice: str, tmp_path: Path) -> None:
    given, body, blamed, place = CHOICES[choice]
    report = judged(tmp_path, scaled(given, body))
    (finding,) = report.findings
    assert finding.code == "FXA111"
    assert verdicts(report) == {
        "body.weight": "trained",
        "body.bias": "trained",
        "gain": "unreachable",
        "bias": "trained",
    }
    assert line_of(finding) == blamed
    assert choice == "the other way" or f"`needs_input_grad[{place}]`" in finding.fix


@pytest.mark.parametrize("choice", CHOICES)
def test_a_backward_that_asks_about_its_own_argument_is_no_matter(choice: str, tmp_path: Path) -> None:
    given, body, _, place = CHOICES[choice]
    text = scaled(given, right(body, place).replace("needs[3]", "needs[1]"))
    assert not judged(tmp_path, text).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_what_is_asked_for_at_another_place() -> None:
    given, body, _, place = CHOICES["a choice"]
    assert left_alone(scaled(given, body)) == 1 / 4
    assert left_alone(scaled(given, right(body, place))) == 0


# -- a split whose second part was to take the rest --------------------------------------------------------------------

SPLIT = """
import torch
from torch import nn

torch.manual_seed(0)


class Turned(torch.optim.SGD):
    pass


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 4, 1, bias=False)
        self.embed = nn.Linear(4, 4)
        self.norm = nn.LayerNorm(4)
        self.head = nn.Linear(4, 2)
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        h = self.conv(x.unsqueeze(2)).squeeze(2)
        return self.head(self.norm(torch.tanh(self.embed(h)))) * self.scale


net = Net()


def split(model):
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
FILTERS
    return first, rest


first, rest = split(net)
BUILT


def compute():
    return net(torch.randn(8, 4)).square().mean()


for epoch in range(4):
    loss = compute()
    net.zero_grad()
    loss.backward()
    for optimizer in optimizers:
        optimizer.step()
"""
TWO = "optimizers = [Turned(first, lr=0.1), torch.optim.SGD(rest, lr=0.1)]"
GROUPS = 'optimizers = [torch.optim.SGD([{"params": first}, {"params": rest, "weight_decay": 0.0}], lr=0.1)]'
COMPREHENSIONS = """
    first = [p for n, p in named if FIRST]
    rest = [p for n, p in named if REST]
"""
BRANCHES = """
    first, rest = [], []
    for n, p in model.named_parameters():
        if FIRST:
            first.append(p)
        if REST:
            rest.append(p)
"""
OWN_NAMES = """
    rest = [q for q in model.parameters() if REST]
    first = [weight for _, weight in model.named_parameters() if FIRST]
"""
SPLITS = {
    # (how, first, rest, the right one, how the optimizers are built, what is left out)
    "a range and a name": (
        COMPREHENSIONS,
        'p.ndim == 2 and not n.startswith("head")',
        'p.ndim < 2 or n.startswith("head")',
        'p.ndim != 2 or n.startswith("head")',
        TWO,
        {"conv.weight"},
    ),
    "a range in branches": (
        BRANCHES,
        'p.dim() == 2 and "head" not in n',
        'p.dim() <= 1 or "head" in n',
        'p.dim() != 2 or "head" in n',
        TWO,
        {"conv.weight"},
    ),
    "and for or": (
        COMPREHENSIONS,
        'p.ndim >= 2 and "embed" not in n',
        'p.ndim < 2 and "embed" in n',
        'p.ndim < 2 or "embed" in n',
        GROUPS,
        {"embed.weight", "norm.weight", "norm.bias", "head.bias", "scale"},
    ),
    "one number and those below": (
        OWN_NAMES,
        "len(weight.shape) == 2",
        "q.ndim < 2",
        "q.ndim != 2",
        TWO,
        {"conv.weight"},
    ),
    "nobody takes a scalar": (COMPREHENSIONS, "p.ndim > 1", "p.ndim == 1", "p.ndim <= 1", GROUPS, {"scale"}),
}


def split(kind: str, *, is_right: bool = False) -> str:
    how, first, rest, right, built, _ = SPLITS[kind]
    filters = how.replace("FIRST", first).replace("REST", right if is_right else rest)
    return SPLIT.replace("FILTERS", filters).replace("BUILT", built)


@pytest.mark.parametrize("kind", SPLITS)
def test_the_filter_that_was_to_take_the_rest_is_blamed(kind: str, tmp_path: Path) -> None:
    report = judged(tmp_path, split(kind))
    (finding,) = report.findings
    assert finding.code == "FXA301"
    assert {name for name, verdict in verdicts(report).items() if verdict == "excluded"} == SPLITS[kind][-1]
    assert SPLITS[kind][2] in line_of(finding)


@pytest.mark.parametrize("kind", SPLITS)
def test_a_filter_that_takes_the_rest_is_no_matter(kind: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, split(kind, is_right=True)).findings


def test_of_two_groups_of_one_optimizer_nobody_knows_which_was_to_take_more(tmp_path: Path) -> None:
    text = SPLIT.replace("FILTERS", COMPREHENSIONS.replace("FIRST", "p.ndim == 2").replace("REST", "p.ndim < 2"))
    (finding,) = judged(tmp_path, text.replace("BUILT", GROUPS)).findings
    assert "p.ndim == 2" in line_of(finding)


@pytest.mark.slow
@pytest.mark.parametrize("kind", SPLITS)
def test_plain_training_leaves_alone_what_neither_filter_takes(kind: str) -> None:
    assert left_alone(split(kind)) == len(SPLITS[kind][-1]) / 8
    assert left_alone(split(kind, is_right=True)) == 0


# -- a part that two models share, and that is frozen with one of them -------------------------------------------------

SHARED = """
import functools
import torch
from torch import nn

torch.manual_seed(0)


class Front(nn.Linear):
    def __init__(self, size):
        super().__init__(size, size)


PARTS


class Net(nn.Module):
    OWNDEF
        super().__init__()
        self.front = FRONT
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(torch.tanh(self.front(x)))


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.student, self.teacher = Net(), Net()


MADE
for p in teacher.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    return (student(x) - teacher(x).detach()).square().mean() + student(x).square().mean()
"""
APART = "student, teacher = Net(), Net()"
TOGETHER = "both = Both()\nstudent, teacher = both.student, both.teacher"
PLAIN = "def __init__(self):"
PARTS = {
    # (what makes the part, how the model begins, what it takes, how the two are made), the line, the same one right
    "a function that remembers": (
        ("@functools.lru_cache(maxsize=8)\ndef front(size):\n    return Front(size)", PLAIN, "front(4)", APART),
        "@functools.lru_cache(maxsize=8)",
        ("def front(size):\n    return Front(size)", PLAIN, "front(4)", APART),
    ),
    "in one model": (
        ("@functools.cache\ndef front(size):\n    return Front(size)", PLAIN, "front(4)", TOGETHER),
        "@functools.cache",
        ("def front(size):\n    return Front(size)", PLAIN, "front(4)", TOGETHER),
    ),
    "a dictionary": (
        (
            "KNOWN = {}\n\n\ndef front(size):\n    if size not in KNOWN:\n        KNOWN[size] = Front(size)\n"
            "    return KNOWN[size]",
            PLAIN,
            "front(4)",
            APART,
        ),
        "if size not in KNOWN:",
        ("def front(size):\n    return Front(size)", PLAIN, "front(4)", APART),
    ),
    "a default": (
        ("", "def __init__(self, front=Front(4)):", "front", APART),
        "def __init__(self, front=Front(4)):",
        ("", "def __init__(self, front=None):", "front or Front(4)", APART),
    ),
    "a class": (
        ("", f"part = Front(4)\n\n    {PLAIN}", "self.part", APART),
        "part = Front(4)",
        ("", f"part = Front\n\n    {PLAIN}", "self.part(4)", APART),
    ),
}


def shared(parts: str, begins: str, front: str, made: str) -> str:
    text = SHARED.replace("PARTS", parts).replace("OWNDEF", begins).replace("FRONT", front).replace("MADE", made)
    return text + LOOP


@pytest.mark.parametrize("kind", PARTS)
def test_what_makes_one_part_for_two_models_is_blamed(kind: str, tmp_path: Path) -> None:
    wrong, blamed, _ = PARTS[kind]
    report = judged(tmp_path, shared(*wrong))
    (finding,) = [finding for finding in report.findings if finding.level != "note"]
    assert finding.code == "FXA306"
    assert line_of(finding) == blamed
    assert len(finding.parameters) == 2
    assert "teacher.front` is the same module as" in finding.message


@pytest.mark.parametrize("kind", PARTS)
def test_a_part_for_each_model_is_no_matter(kind: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, shared(*PARTS[kind][2])).findings


def test_a_shared_part_that_is_frozen_where_it_is_made_is_meant(tmp_path: Path) -> None:
    (_, begins, front, made), _, _ = PARTS["a function that remembers"]
    parts = "@functools.cache\ndef front(size):\n    return Front(size).requires_grad_(False)"
    report = judged(tmp_path, shared(parts, begins, front, made))
    assert [finding.level for finding in report.findings] == ["note"]
    assert verdicts(report)["student.front.weight"] == "frozen"


@pytest.mark.slow
@pytest.mark.parametrize("kind", PARTS)
def test_plain_training_leaves_alone_the_part_that_both_have(kind: str) -> None:
    wrong, _, right_one = PARTS[kind]
    assert left_alone(shared(*wrong)) == 4 / 6  # the part, and the teacher's head
    assert left_alone(shared(*right_one)) == 4 / 8  # the teacher


# -- a method without gradients, for rollouts, by which the loss is computed, too --------------------------------------

ROLLOUTS = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 2)
        self.critic = nn.Linear(4, 1)

    OVERACT
    def act(self, x):
        ACT

    OVERVALUE
    def value(self, x):
        VALUE

    def evaluate(self, x):
        return self.body(x), self.value(x)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


COLLECT


def compute():
    x = torch.randn(8, 4)
    old, before = CALLED
    returns = torch.cat([before[1:] * 0.9, torch.ones(1, 1)])
    advantage = returns - before
    LOSS
    return (logits.softmax(-1)[:, :1] * advantage).mean() + (returns - value).square().mean()
"""
OVER = "@torch.no_grad()"
ACTED = "return self.body(x).argmax(-1), self.value(x)"
EVALUATED = "logits, value = net.evaluate(x)"
TAKES = "    return net.body(x).argmax(-1), net.value(x)"
HEADS = {
    # over act, what it does, over value, what that does, who collects, how it is called, the loss, the line
    "a method": (OVER, ACTED, OVER, "return self.critic(x)", "", "net.act(x)", EVALUATED, OVER),
    "a block": (
        "",
        f"with torch.no_grad():\n            {ACTED}",
        OVER,
        "return self.critic(x)",
        "",
        "net.act(x)",
        EVALUATED,
        OVER,
    ),
    "a function": (
        "",
        ACTED,
        OVER,
        "return self.critic(x)",
        f"@torch.inference_mode()\ndef collect(net, x):\n{TAKES}",
        "(kept.clone() for kept in collect(net, x))",
        EVALUATED,
        OVER,
    ),
    "in the loss": (
        "",
        ACTED,
        OVER,
        "return self.critic(x)",
        f"@torch.no_grad()\ndef collect(net, x):\n{TAKES}",
        "collect(net, x)",
        "logits, value = net.body(x), net.value(x)",
        OVER,
    ),
    "a block in a method": (
        OVER,
        ACTED,
        "",
        "with torch.no_grad():\n            return self.critic(x)",
        "",
        "net.act(x)",
        EVALUATED,
        "with torch.no_grad():",
    ),
}


def rollouts(kind: str, *, is_right: bool = False) -> str:
    over_act, act, over_value, value, collect, called, loss, _ = HEADS[kind]
    if is_right:
        over_value, value = "", "return self.critic(x)"
    text = ROLLOUTS.replace("OVERACT", over_act).replace("OVERVALUE", over_value).replace("COLLECT", collect)
    text = text.replace("ACT", act).replace("VALUE", value).replace("CALLED", called).replace("LOSS", loss)
    return text + LOOP


@pytest.mark.parametrize("kind", HEADS)
def test_the_region_that_the_loss_is_computed_in_is_blamed(kind: str, tmp_path: Path) -> None:
    report = judged(tmp_path, rollouts(kind))
    finding = report.findings[0]
    assert finding.code == "FXA105"
    assert finding.parameters == ("critic.weight", "critic.bias")
    assert line_of(finding) == HEADS[kind][-1]
    text = (tmp_path / "script.py").read_text(encoding="utf-8").splitlines()
    assert finding.culprit is not None
    assert "critic" in "".join(text[finding.culprit.line : finding.culprit.line + 2])
    assert "rsample" not in finding.fix


@pytest.mark.parametrize("kind", HEADS)
def test_rollouts_without_gradients_are_no_matter(kind: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, rollouts(kind, is_right=True)).findings


@pytest.mark.slow
@pytest.mark.parametrize("kind", HEADS)
def test_plain_training_leaves_alone_what_has_no_gradient_in_the_loss(kind: str) -> None:
    assert left_alone(rollouts(kind)) == 2 / 4
    assert left_alone(rollouts(kind, is_right=True)) == 0
