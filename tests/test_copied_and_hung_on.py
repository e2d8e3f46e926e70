"""Flags that are copied or put back too late, layers hung on what is no module, terms and turns that never come."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import contextlib
import copy
import functools
import json
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""
LOSS = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""

# -- a copy of what is frozen ------------------------------------------------------------------------------------------

COPIED = """
teacher = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
FIRST
teacher.requires_grad_(False)
net = nn.Sequential(COPY, nn.Linear(4, 1))
"""


@pytest.mark.parametrize(
    ("first", "copied", "is_frozen"),
    [
        ("pass", "copy.deepcopy(teacher[0])", True),
        ("pass", "copy.deepcopy(teacher[0]).requires_grad_(True)", False),
        ("body = copy.deepcopy(teacher[0])", "body", False),
    ],
)
def test_a_copy_of_a_frozen_module_is_frozen(first: str, copied: str, is_frozen: bool, tmp_path: Path) -> None:
    text = COPIED.replace("FIRST", first).replace("COPY", copied)
    report = judged(tmp_path, HEAD + text + LOSS + LOOP)
    assert verdicts(report)["0.weight"] == ("frozen" if is_frozen else "trained")
    assert codes(report) == (["FXA306"] if is_frozen else [])
    for finding in report.findings:
        assert finding.level == "warning" and "deepcopy" in line_of(finding)
        assert "takes the flags along" in finding.fix


def test_what_is_frozen_itself_is_not_said_to_be_copied(tmp_path: Path) -> None:
    text = "net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))\nkept = copy.deepcopy(net)\n"
    report = judged(tmp_path, HEAD + text + "net[0].requires_grad_(False)\n" + LOSS + LOOP)
    assert [(finding.code, finding.level) for finding in report.findings] == [("FXA306", "note")]


# -- flags that a generator reads when they are put back ---------------------------------------------------------------

KEPT = """
@contextlib.contextmanager
def frozen(module):
    params = [*module.parameters()]
    flags = FLAGS
    for p in params:
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p, flag in zip(params, flags):
            p.requires_grad_(flag)


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
with frozen(net[0]):
    net(torch.randn(8, 4))
"""


@pytest.mark.parametrize(
    ("flags", "found"),
    [
        ("(p.requires_grad for p in params)  # blamed", ["FXA310"]),
        ("[p.requires_grad for p in params]", []),
    ],
)
def test_flags_that_a_generator_reads_too_late(flags: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + KEPT.replace("FLAGS", flags) + LOSS + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


# -- a layer that is hung on a wrapper which is no module --------------------------------------------------------------

WRAPPED = """
class Replicated:
    def __init__(self, module):
        self.module = module

    def __call__(self, x):
        return self.module(x)

    def __getattr__(self, name):
        return getattr(self.__dict__["module"], name)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.width, self.body, self.head = 4, nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        h = self.body(x)
        return self.head(h), h


def attach(model):
    model.aux = nn.Linear(model.width, 1)  # blamed


net = Replicated(Net())
attach(GIVEN)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    out, h = net(torch.randn(8, 4))
    return (out - 1).square().mean() + net.aux(h).square().mean()
"""


@pytest.mark.parametrize(("given", "found"), [("net", ["FXA301"]), ("net.module", [])])
def test_a_layer_that_is_hung_on_a_plain_wrapper(given: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + WRAPPED.replace("GIVEN", given) + LOOP)
    assert codes(report) == found
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed") and "no `nn.Module`" in finding.fix


# -- a region that a decorator opens around another one ----------------------------------------------------------------

SERVED = """
def inference(function):
    @functools.wraps(function)
    def wrapper(self, *given):
        with torch.no_grad():
            return function(self, *given)
    return wrapper


def batched(size):
    def decorated(function):
        @functools.wraps(function)
        def wrapper(self, x):
            return torch.cat([function(self, part) for part in x.split(size)])
        return wrapper
    return decorated


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    @inference  # blamed
    @batched(4)
    def encode(self, x):
        return self.body(x)

    def forward(self, x):
        return self.head(USED)


net = Net()
"""


@pytest.mark.parametrize(("used", "found"), [("self.encode(x)", ["FXA105"]), ("self.body(x)", [])])
def test_a_decorator_above_another_one_is_the_line(used: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SERVED.replace("USED", used) + LOSS + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


# -- a model that grows, and whose optimizer nobody tells --------------------------------------------------------------

GROWN = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def grow(self):
        new = nn.Linear(4, 2)
        self.head = new

    def forward(self, x):
        return self.head(self.body(x))


class Learner:
    def __init__(self, net):
        self.net = net
        self.opt = self.made()

    def made(self):
        return torch.optim.SGD(self.net.parameters(), lr=0.1)

    def begin(self):
        self.net.grow()  # blamed
        self.opt.state.clear()
        AFTERWARDS


net = Net()
learner = Learner(net)
learner.begin()
optimizer = learner.opt


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(("afterwards", "found"), [("pass", ["FXA204"]), ("self.opt = self.made()", [])])
def test_who_lets_a_model_grow_beside_its_optimizer_is_blamed(
    afterwards: str, found: list[str], tmp_path: Path
) -> None:
    report = judged(tmp_path, HEAD + GROWN.replace("AFTERWARDS", afterwards) + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


# -- a term that was to train what a detach in another term leaves out -------------------------------------------------

TERMS = """
class Quantizer(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.codes, self.decoder = nn.Linear(4, 4), nn.Embedding(6, 4), nn.Linear(4, 4)

    def forward(self, x):
        z = self.encoder(x)
        q = self.codes(torch.cdist(z, self.codes.weight).argmin(1))
        losses = {
            "codebook": F.mse_loss(q, z.detach()),  # blamed
            "commit": F.mse_loss(z, q.detach()),
        }
        return self.decoder(z + (q - z).detach()), losses


def summed(losses):
    total = 0.0
    for name, value in losses.items():
        if name in weights:
            total = total + weights[name] * value
    return total


net = Quantizer()
weights = {WEIGHTS}
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(16, 4)
    out, losses = net(x)
    return F.mse_loss(out, x) + summed(losses)
"""


@pytest.mark.parametrize(
    ("weights", "found"),
    [('"vq": 1.0, "commit": 0.25', ["FXA103"]), ('"codebook": 1.0, "commit": 0.25', [])],
)
def test_a_term_that_nobody_adds_comes_before_a_detach_in_another(
    weights: str, found: list[str], tmp_path: Path
) -> None:
    report = judged(tmp_path, HEAD + TERMS.replace("WEIGHTS", weights) + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


# -- a turn in a schedule that never comes -----------------------------------------------------------------------------

SCHEDULE = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.two(torch.tanh(self.one(x)))))


settings = json.loads((Path() / "settings.json").read_text())
schedule = dict(zip(settings["order"], settings["start"]))
net = Net()
for part in schedule:
    getattr(net, part).requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    for part, start in schedule.items():
        if epoch == start:
            getattr(net, part).requires_grad_(True)
    optimizer.zero_grad()
    (net(torch.randn(8, 4)) - 1).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("last", "found"), [(7, ["FXA306"]), (2, [])])
def test_a_turn_that_comes_after_the_end(last: int, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text(
        f'{{\n "order": ["two", "one"],\n "start": [1, {last}]\n}}\n', encoding="utf-8"
    )
    report = judged(tmp_path, HEAD + SCHEDULE)
    assert codes(report) == found
    for finding in report.findings:
        assert f'"start": [1, {last}]' in line_of(finding)
        assert f"`start` is {last}" in finding.message


MISTAKES = {
    "copied": (COPIED.replace("FIRST", "") + LOSS, ("COPY", "copy.deepcopy(teacher[0])", "nn.Linear(4, 4)")),
    "flags": (KEPT + LOSS, ("FLAGS", "(p.requires_grad for p in params)", "[p.requires_grad for p in params]")),
    "hung on": (WRAPPED, ("GIVEN", "net", "net.module")),
    "served": (SERVED + LOSS, ("USED", "self.encode(x)", "self.body(x)")),
    "grown": (GROWN, ("AFTERWARDS", "pass", "self.opt = self.made()")),
    "terms": (TERMS, ("WEIGHTS", '"commit": 0.25', '"codebook": 1.0, "commit": 0.25')),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_plain_training_leaves_more_alone_with_the_mistake(name: str) -> None:
    text, (place, wrong, right) = MISTAKES[name]
    with_it, without = (left_alone(HEAD + text.replace(place, given) + LOOP) for given in (wrong, right))
    assert with_it > without
