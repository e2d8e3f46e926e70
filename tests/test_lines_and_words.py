"""What is said of a mistake: the rule, the line to edit, what the lines beside it are, and the words."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fxaudit.answer.finding import Finding
from fxaudit.report import Report
from tests.scripts import LOOP, codes, judged, line_of

pytestmark = pytest.mark.usefixtures("first_step_paid")

HEAD = """
import argparse
import copy
import math
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
x = torch.randn(8, 4)
"""
SGD = "optimizer = torch.optim.SGD(net.parameters(), lr=0.1)\n"
COMPUTE = """
def compute():
    return net(x).square().mean()


"""
PAIR = (
    """
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
net = nn.Sequential(body, nn.Tanh(), head)
"""
    + COMPUTE
)
CLASS = (
    """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        MADE

    def forward(self, x):
        hidden = self.body(x)
        USED
        return self.head(hidden)


net = Net()
"""
    + COMPUTE
)
AFTER = LOOP + "    after()\n"


def classed(made: str, used: str) -> str:
    return CLASS.replace("MADE", made).replace("USED", used)


@dataclass(frozen=True)
class Told:
    """What is to be said: parts of the message, the fact and the advice; by its mark, what a line beside is."""

    code: str
    words: tuple[str, ...]
    roles: dict[str, str] = field(default_factory=dict)


def said(finding: Finding) -> str:
    return f"{finding.message} {finding.fact} {finding.fix}"


def check(finding: Finding, told: Told) -> None:
    """The blamed line is marked `# blamed`, and the others with the marks in `told.roles`."""
    assert (finding.code, line_of(finding).rpartition("# ")[2]) == (told.code, "blamed")
    for words in told.words:
        assert words in said(finding)
    found = {r.source.code.rpartition("# ")[2]: r.role for r in finding.related if r.source is not None}
    assert {mark: found.get(mark) for mark in told.roles} == told.roles


# -- a backward that is refused ----------------------------------------------------------------------------------------

REFUSED: dict[str, tuple[str, Told]] = {
    "no gradient, beside another loss": (
        PAIR
        + SGD
        + """
for step in range(3):
    optimizer.zero_grad()
    compute().backward()
    penalty = x.abs().mean()  # computed
    if step == 1:
        penalty.backward()  # blamed
    optimizer.step()
""",
        Told(
            "FXA109",
            ("PyTorch refuses this `backward`: its loss carries no gradient",),
            {"computed": "the loss is computed here"},
        ),
    ),
    "computed where gradients are off": (
        PAIR
        + SGD
        + """
for step in range(3):
    optimizer.zero_grad()
    compute().backward()
    with torch.no_grad():  # blamed
        penalty = net(x).abs().mean()  # computed
    if step == 1:
        penalty.backward()  # called
    optimizer.step()
""",
        Told(
            "FXA109",
            ("as gradients are switched off here",),
            {"called": "backward is called here", "computed": "the loss is computed here"},
        ),
    ),
    "gradients switched off for good": (
        PAIR
        + SGD
        + """
def after():
    torch.set_grad_enabled(False)  # blamed
    compute()
"""
        + AFTER,
        Told("FXA109", ("as gradients are switched off here", "it switches gradients on again at its end")),
    ),
    "written over": (
        PAIR
        + SGD
        + """
def compute():
    hidden = torch.sigmoid(body(x))  # made
    hidden += 1  # blamed
    hidden[:, 0] = 0  # too
    return head(hidden).square().mean()
"""
        + LOOP,
        Told(
            "FXA402",
            ("modified by an inplace operation", "Make a new tensor here instead of writing into this one."),
            {"made": "`sigmoid` made it, and needs it for its derivative", "too": "`__setitem__` writes into it, too"},
        ),
    ),
    "stepped between two backwards": (
        PAIR
        + SGD
        + """
for step in range(3):
    out = net(x)  # forward
    optimizer.zero_grad()
    out.square().mean().backward(retain_graph=True)
    optimizer.step()  # blamed
    out.abs().mean().backward()  # refused
    optimizer.step()
""",
        Told(
            "FXA402",
            ("Step after the last backward that needs these weights",),
            {"forward": "the old weights are used from here on", "refused": "refused here"},
        ),
    ),
    "kept for the next round": (
        """
net = nn.RNNCell(4, 4)
state = torch.zeros(8, 4)
"""
        + SGD
        + """
for step in range(3):
    optimizer.zero_grad()
    state = net(x, state)  # blamed
    state.square().mean().backward()  # refused
    optimizer.step()
""",
        Told(
            "FXA402",
            ("backward through the graph a second time", "`kept = kept.detach()`"),
            {"refused": "refused here"},
        ),
    ),
    "several elements": (
        "net = nn.Linear(4, 1)\n\n\ndef compute():\n    return net(x).square()  # blamed\n\n\n" + SGD + LOOP,
        Told("FXA402", ("only for scalar outputs", "Take the mean, or the sum, of the losses before `backward`.")),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_backward_leads_to_what_is_behind_it(case: str, tmp_path: Path) -> None:
    text, told = REFUSED[case]
    check(judged(tmp_path, HEAD + text).findings[0], told)


# -- what the optimizer does not get -----------------------------------------------------------------------------------

LEFT_OUT: dict[str, tuple[str, Told]] = {
    "it gets a copy": (
        PAIR
        + """
def trainable(model):
    return copy.deepcopy(model).parameters()  # blamed


optimizer = torch.optim.SGD(trainable(net), lr=0.1)  # built
"""
        + LOOP,
        Told("FXA301", ("here it gets the parameters of a copy",), {"built": "the optimizer `SGD` is built here"}),
    ),
    "a list of names is passed by": (
        PAIR
        + """
SKIPPED = ("0.weight", "0.bias")  # blamed
groups = []
for name, p in net.named_parameters():
    if name in SKIPPED:  # test
        continue
    groups.append({"params": [p]})
optimizer = torch.optim.SGD(groups, lr=0.1)
"""
        + LOOP,
        Told("FXA301", ("Take the name off what the test looks in",), {"test": "this test passes it by"}),
    ),
    "a test passes names by": (
        PAIR
        + """
groups = []
for name, p in net.named_parameters():
    if name.startswith("0"):  # blamed
        continue
    groups.append({"params": [p]})
optimizer = torch.optim.SGD(groups, lr=0.1)
"""
        + LOOP,
        Told("FXA301", ("`SGD` does not hold `0.*`", "or let the loop go on with it")),
    ),
    "kinds that are asked for": (
        """
net = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 1))
"""
        + COMPUTE
        + """
KINDS = (nn.Linear, nn.Conv2d)  # blamed
params = []
for name, module in net.named_modules():
    if isinstance(module, KINDS):  # asked
        params += module.parameters(recurse=False)
optimizer = torch.optim.SGD(params, lr=0.1)
"""
        + LOOP,
        Told(
            "FXA301",
            ("Add the kind of module to those that are asked for.",),
            {"asked": "asked here, and `LayerNorm` is none of these"},
        ),
    ),
    "kinds that a helper asks for": (
        """
class Marked(nn.Module):
    def __init__(self):
        super().__init__()
        self.mark, self.linear = nn.Parameter(torch.zeros(4)), nn.Linear(4, 1)

    def forward(self, x):
        return self.linear(x + self.mark)


net = nn.Sequential(nn.LayerNorm(4), Marked())
"""
        + COMPUTE
        + """
def grouped(model):
    decay, rest = [], []
    for module in model.modules():
        if isinstance(module, nn.Linear):
            decay.append(module.weight)
            rest.append(module.bias)
        elif isinstance(module, nn.LayerNorm):  # blamed
            rest.extend(module.parameters())
    return [{"params": decay}, {"params": rest}]


class Trainer:
    def __init__(self, model):
        self.optimizer = torch.optim.SGD(grouped(model), lr=0.1)


optimizer = Trainer(net).optimizer
"""
        + LOOP,
        Told("FXA301", ("`SGD` does not hold `1.mark`", "Add the kind of module to those that are asked for.")),
    ),
    "a default that remembers": (
        PAIR
        + """
def parameters_of(module, seen=set()):  # blamed
    found = []
    for p in module.parameters():
        if p not in seen:
            seen.add(p)
            found.append(p)
    return found


print(sum(p.numel() for p in parameters_of(net)))  # called
optimizer = torch.optim.SGD([*parameters_of(net), nn.Parameter(torch.zeros(1))], lr=0.1)
"""
        + LOOP,
        Told(
            "FXA301",
            ("let its default be None, and make it in the function",),
            {"called": "called here, with the same container"},
        ),
    ),
    "the variable of another loop": (
        PAIR
        + """
for part in (body, head):
    print(part)
optimizers = []
for number in range(2):
    optimizers.append(torch.optim.SGD(part.parameters(), lr=0.1))  # blamed
optimizer = optimizers[0]
"""
        + LOOP,
        Told("FXA301", ("the other loop has left its last value behind",)),
    ),
    "frozen when it was built": (
        PAIR
        + """
body.requires_grad_(False)
chosen = [p for p in net.parameters() if p.requires_grad]  # blamed
optimizer = torch.optim.SGD(chosen, lr=0.1)  # built
body.requires_grad_(True)  # thawed
"""
        + LOOP,
        Told(
            "FXA301",
            ("`SGD` does not hold `0.*`, frozen when it was built",),
            {"thawed": "unfrozen here, too late", "built": "the optimizer `SGD` is built here"},
        ),
    ),
    "made after the base class has built it": (
        """
class Base:
    def __init__(self):
        self.net = nn.Linear(4, 1)
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)  # blamed


class Own(Base):
    def __init__(self):
        super().__init__()  # base
        self.aux = nn.Linear(4, 1)  # made


own = Own()
optimizer = own.optimizer


def compute():
    return own.net(x).square().mean() + own.aux(x).square().mean()


"""
        + LOOP,
        Told(
            "FXA301",
            ("`SGD` does not hold `own.aux.*`",),
            {
                "made": "made from here, after the optimizer",
                "base": "the base class builds the optimizer in this call",
            },
        ),
    ),
    "an update by hand that is written nowhere": (
        PAIR
        + """
for step in range(4):
    net.zero_grad()
    compute().backward()  # backward
    for p in net.parameters():
        p = p - 0.1 * p.grad  # blamed
""",
        Told(
            "FXA301",
            ("the update by hand computes a new value for `{0,2}.*`, and writes it nowhere",),
            {"backward": "the gradient comes from here"},
        ),
    ),
    "no optimizer at all": (
        PAIR + "for step in range(4):\n    net.zero_grad()\n    compute().backward()  # blamed\n",
        Told("FXA301", ("no optimizer was built for `{0,2}.*`",)),
    ),
    "all is frozen": (
        PAIR
        + """
for p in net.parameters():
    p.requires_grad = False  # blamed
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)  # built
"""
        + LOOP,
        Told(
            "FXA302",
            ("`SGD` is built without any parameter, and PyTorch refuses it: all are frozen",),
            {"built": "the optimizer is built here"},
        ),
    ),
    "all is frozen, by a name that is nearly right": (
        """
net = nn.Sequential()
net.encoder, net.adapter = nn.Linear(4, 4), nn.Linear(4, 1)
for name, p in net.named_parameters():
    p.requires_grad = "adaptor" in name  # blamed
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)  # built
"""
        + COMPUTE
        + LOOP,
        Told(
            "FXA302",
            ("all are frozen, and no name contains `adaptor`; `adapter` is one letter away",),
            {"built": "the optimizer is built here"},
        ),
    ),
    "all is in a list": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [nn.Linear(4, 4), nn.Linear(4, 1)]  # blamed

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)  # built
"""
        + COMPUTE
        + LOOP,
        Told(
            "FXA205",
            ("`layers[{0,1}].*` are kept in the Python list `layers`",),
            {"built": "so this optimizer gets no parameter"},
        ),
    ),
    "added to a list and a dict": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.head, self.table = nn.Linear(4, 1), {}
        self.table["first"] = nn.Linear(4, 4)  # filled
        self.table: dict = {**self.table}  # blamed

    def forward(self, x):
        return self.head(self.table["first"](x))


net = Net()
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA205",
            ("`table.*` are kept in the Python dict `table`",),
            {"filled": "filled here"},
        ),
    ),
    "a filter that lets nothing through": (
        PAIR
        + """
chosen = [p for p in net.parameters()]
ids = {id(p) for p in chosen}  # blamed
rest = [p for p in net.parameters() if id(p) not in ids]  # filter
groups = [{"params": head.parameters()}, {"params": rest}]  # groups
optimizer = torch.optim.SGD(groups, lr=0.1)
"""
        + LOOP,
        Told(
            "FXA301",
            ("`SGD` does not hold `0.*`", "Put fewer in what the filter looks in"),
            {"filter": "all are left out here"},
        ),
    ),
    "a generator that was gone through": (
        PAIR
        + """
chosen = (p for p in net.parameters() if p.requires_grad)  # blamed
print(sum(p.numel() for p in chosen))  # used up
optimizer = torch.optim.SGD([{"params": chosen}, {"params": [nn.Parameter(torch.zeros(1))]}], lr=0.1)
"""
        + LOOP,
        Told("FXA301", ("`SGD` does not hold `{0,2}.*`",), {"used up": "`chosen` gives its items once, and here"}),
    ),
}


@pytest.mark.parametrize("case", LEFT_OUT)
def test_what_an_optimizer_does_not_hold_leads_to_what_left_it_out(case: str, tmp_path: Path) -> None:
    text, told = LEFT_OUT[case]
    check(judged(tmp_path, HEAD + text).findings[0], told)


# -- what is frozen ----------------------------------------------------------------------------------------------------

ITS_BODY_FROZEN = PAIR + "body.requires_grad_(False)  # frozen\n"
FROZEN: dict[str, tuple[str, Told]] = {
    "letters for names": (
        PAIR
        + """
PREFIXES = "0a"  # blamed
for name, p in net.named_parameters():
    for prefix in PREFIXES:
        if name.startswith(prefix):
            p.requires_grad_(False)  # frozen
"""
        + SGD
        + LOOP,
        Told(
            "FXA310",
            ("`PREFIXES` is the text '0a', and is gone through letter by letter", "Write a list, if only of one text."),
            {"frozen": "frozen here"},
        ),
    ),
    "a number that goes on": (
        "net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(12)))\n"
        + COMPUTE
        + """
prefix = "1"
for name, p in net.named_parameters():
    if name.startswith(prefix):  # blamed
        p.requires_grad_(False)
"""
        + SGD
        + LOOP,
        Told(
            "FXA310",
            (
                "`{10,11}.*` are frozen",
                "`name.startswith(prefix)` holds of `10.weight`, too, where `1` is asked for",
                'name.startswith("1.")',
            ),
        ),
    ),
    "an option that is on unless it is given": (
        PAIR
        + """
parser = argparse.ArgumentParser()
parser.add_argument("--freeze", action="store_false")  # blamed
options = parser.parse_args([])
if options.freeze:
    body.requires_grad_(False)
"""
        + SGD
        + LOOP,
        Told("FXA310", ("`--freeze` is on unless it is given", 'Write `action="store_true"`')),
    ),
    "a key that nobody reads": (
        PAIR
        + """
config = {"unfreez": True}  # blamed
if not config.get("unfreeze", False):  # asked
    body.requires_grad_(False)  # frozen
"""
        + SGD
        + LOOP,
        Told(
            "FXA309",
            ("`config.get('unfreeze', False)` is False by default, and nobody reads `'unfreez': True`",),
            {"asked": "asked here", "frozen": "frozen here"},
        ),
    ),
    "a text for a flag": (
        PAIR
        + """
config = {"freeze": "off"}  # blamed
if config["freeze"]:
    body.requires_grad_(False)  # frozen
"""
        + SGD
        + LOOP,
        Told("FXA310", ("the text `'off'` is taken for a flag, and is true",), {"frozen": "frozen here"}),
    ),
    "the same module, and not a copy": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.student, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.teacher = self.student  # blamed
        self.teacher.requires_grad_(False)  # frozen

    def forward(self, x):
        return self.head(self.student(x)) + self.teacher(x).mean()


net = Net()
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA306",
            ("`student.*` are frozen too: `self.teacher` is the same module, not a copy", "copy.deepcopy"),
            {"frozen": "frozen here"},
        ),
    ),
    "a thaw that nobody chose": (
        "THAWS = False  # blamed\n"
        + ITS_BODY_FROZEN
        + SGD
        + """
if THAWS:  # test
    body.requires_grad_(True)  # thaw
"""
        + LOOP,
        Told(
            "FXA306",
            ("`0.*` stay frozen: what unfreezes is not chosen, as `THAWS` is False", "Choose it"),
            {"test": "`THAWS` is never true", "thaw": "would unfreeze it"},
        ),
    ),
    "a flag that is set anew in each round": (
        "first = 10  # blamed\n"
        + PAIR
        + SGD
        + LOOP.replace("    loss =", "    body.requires_grad_(epoch >= first)  # each\n    loss ="),
        Told(
            "FXA306",
            ("`0.*` stay frozen: `epoch >= first` was never true; `first` is 10", "Let it begin earlier"),
            {"each": "frozen here each time"},
        ),
    ),
    "a misspelt flag": (
        ITS_BODY_FROZEN + "for p in body.parameters():\n    p.require_grad = True  # blamed\n" + SGD + LOOP,
        Told("FXA308", ("`require_grad = True` unfreezes nothing of `0.*`", "Write `requires_grad = True`")),
    ),
    "a misspelt flag that is yet to come": (
        ITS_BODY_FROZEN
        + SGD
        + LOOP
        + """
    if epoch > 10:
        for p in body.parameters():
            p.require_grad = True  # blamed
""",
        Told("FXA308", ("`require_grad = True` would unfreeze nothing of `0.*`",)),
    ),
}


@pytest.mark.parametrize("case", FROZEN)
def test_what_is_frozen_leads_to_why_it_is(case: str, tmp_path: Path) -> None:
    text, told = FROZEN[case]
    check(judged(tmp_path, HEAD + text).findings[0], told)


def test_each_write_that_has_no_effect_is_told_at_its_line(tmp_path: Path) -> None:
    report = judged(
        tmp_path,
        HEAD
        + PAIR
        + """
teacher = nn.Linear(4, 4).requires_grad_(False)


def compute():
    return net(x).square().mean() + (body(x) - teacher(x)).square().mean()


def after():
    for t, p in zip(teacher.parameters(), body.parameters()):
        t = 0.9 * t + 0.1 * p.detach()  # rebound


"""
        + SGD
        + """
for group in optimizer.param_groups:
    group["learning_rate"] = 0.01  # misspelt
optimizer.lr = 0.01  # attribute
net.state_dict()["0.weight"] = torch.zeros(4, 4)  # copied
"""
        + AFTER,
    )
    assert {line_of(f).rpartition("# ")[2]: (f.code, f.message) for f in report.findings} == {
        "rebound": (
            "FXA308",
            "`t = …` only rebinds the variable of the loop: no parameter is written, so `teacher.*` keep their values",
        ),
        "misspelt": ("FXA308", "`SGD` reads `lr`; `learning_rate` in its param group changes no rate"),
        "attribute": ("FXA308", "`lr` is written into an attribute of `SGD`, which no optimizer reads"),
        "copied": ("FXA308", "what is written into `net.state_dict()` here changes no parameter, only that mapping"),
    }


# -- where gradient ends -----------------------------------------------------------------------------------------------

CUT: dict[str, tuple[str, Told]] = {
    "a text for a flag": (
        """
CONFIG = {"cut": "no"}  # blamed
"""
        + classed("pass", 'if CONFIG["cut"]:  # test\n            hidden = hidden.detach()  # cut')
        + SGD
        + LOOP,
        Told(
            "FXA104",
            ("is the text 'no', and every text but the empty one is true", "compare the text"),
            {"test": "taken for a flag here", "cut": "this runs because of it"},
        ),
    ),
    "a default that nobody changes": (
        """
class Net(nn.Module):
    def __init__(self, trains_body=False):  # blamed
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.trains_body = trains_body  # kept

    def forward(self, x):
        if self.trains_body:  # test
            hidden = self.body(x)  # call
        else:
            with torch.no_grad():
                hidden = self.body(x)
        return self.head(hidden)


net = Net()
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA105",
            ("Make the call run that carries gradient",),
            {"test": "`self.trains_body` is never true", "call": "this call never runs"},
        ),
    ),
    "a call that is never taken back": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.frozen = False

    def freeze(self):
        self.frozen = True  # set

    def unfreeze(self):
        self.frozen = False  # other

    def forward(self, x):
        if not self.frozen:
            hidden = self.body(x)
        else:
            with torch.no_grad():
                hidden = self.body(x)
        return self.head(hidden)


net = Net()
net.freeze()  # blamed
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA105",
            ("this line keeps it from running",),
            {"other": "`frozen` would get another value here", "set": "`self.frozen` is True, from here"},
        ),
    ),
    "kept from a call without gradients": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.kept = nn.Linear(4, 4), nn.Linear(4, 1), None

    def features(self, x):
        if self.kept is None:  # blamed
            self.kept = self.body(x)  # made
        return self.kept

    def forward(self, x):
        return self.head(self.features(x))


net = Net()
with torch.no_grad():  # region
    net(x)
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA105",
            ("`body.*` are used only where gradients are switched off", "Compute it anew in each call that trains"),
            {"region": "the region is opened here", "made": "`linear` runs inside it"},
        ),
    ),
    "not handed on": (
        """
class Attend(nn.Module):
    def __init__(self):
        super().__init__()
        self.project = nn.Linear(4, 4)

    def forward(self, x, memory=None):
        return self.project(x if memory is None else x + memory)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attend = Attend()

    def forward(self, x, memory=None):
        return self.attend(x)  # blamed


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.block, self.head = nn.Linear(4, 4), Block(), nn.Linear(4, 1)

    def forward(self, x):
        memory = self.encoder(x)  # made
        return self.head(self.block(x, memory))  # given


net = Net()
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA103",
            ("`encoder.*`: what `linear` makes of them is not used by the loss",),
            {
                "given": "given here as `memory`, which `forward` never reads",
                "made": "the value that nobody reads",
            },
        ),
    ),
    "a name that is nearly right": (
        """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.adapter, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        for name in ("encoder", "adaptor"):  # blamed
            if hasattr(self, name):
                x = getattr(self, name)(x)  # asked
        return self.head(x)


net = Net()
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA101",
            ("`adapter` is never called", "no name contains `adaptor`; `adapter` is one letter away"),
            {"asked": "nobody asks for what is made here"},
        ),
    ),
    "a loss of the target alone": (
        PAIR
        + """
def compute():
    out = net(x)  # end
    return F.mse_loss(x, x)  # blamed


"""
        + SGD
        + LOOP,
        Told(
            "FXA109",
            ("the loss depends on no parameter, so `{0,2}.*` receive nothing",),
            {"end": "what the parameters are used for ends here"},
        ),
    ),
    "an array that is asked for an object": (
        """
import numpy as np


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.used = np.array([True, False])

    def forward(self, x):
        if self.used[0] is True:  # blamed
            x = self.first(x)  # idle
        return self.head(x)


net = Net()
"""
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA101",
            (
                "`first` is never called",
                "`self.used[0]` is an array or a tensor, and never the object `True` itself",
                "Ask for the truth, and not for the object: `bool(self.used[0])`.",
            ),
            {"idle": "the call that never runs"},
        ),
    ),
    "a statement of its own": (
        PAIR
        + """
aux = nn.Linear(4, 1)


def compute():
    loss = net(x).square().mean()
    + 0.5 * aux(x).square().mean()  # blamed
    return loss  # returned


optimizer = torch.optim.SGD([*net.parameters(), *aux.parameters()], lr=0.1)
"""
        + LOOP,
        Told("FXA103", ("`aux.*`: what `mul` makes of them is not used by the loss",)),
    ),
    "another value under the name": (
        PAIR
        + """
aux = nn.Linear(4, 1)


def compute():
    loss = aux(x).square().mean()  # lost
    loss = net(x).square().mean()  # blamed
    return loss


optimizer = torch.optim.SGD([*net.parameters(), *aux.parameters()], lr=0.1)
"""
        + LOOP,
        Told("FXA103", ("`aux.*`: what `mean` makes of them",), {"lost": "the value that is thrown away"}),
    ),
    "backward of a part": (
        PAIR
        + """
aux = nn.Linear(4, 1)
optimizer = torch.optim.SGD([*net.parameters(), *aux.parameters()], lr=0.1)
for step in range(4):
    optimizer.zero_grad()
    part = net(x).square().mean()
    total = part + aux(x).square().mean()  # whole
    part.backward()  # blamed
    optimizer.step()
""",
        Told("FXA103", ("`aux.*`: what `add` makes of them",), {"whole": "the whole loss is computed here"}),
    ),
}


@pytest.mark.parametrize("case", CUT)
def test_what_gets_no_gradient_leads_to_the_line_that_takes_it_away(case: str, tmp_path: Path) -> None:
    text, told = CUT[case]
    check(judged(tmp_path, HEAD + text).findings[0], told)


INERT = {
    "a number": ("penalty = math.sqrt(head.weight.square().sum().item())  # blamed", "`.item()` cuts it off"),
    "detached": ("penalty = head.weight.square().sum().detach()  # blamed", "`.detach()` cuts it off"),
    "without gradients": (
        "with torch.no_grad():  # blamed\n        penalty = head.weight.square().sum()",
        "it is computed where grad mode is off",
    ),
}


@pytest.mark.parametrize("case", INERT)
def test_a_term_of_the_loss_that_brings_no_gradient_is_told_with_what_ends_it(case: str, tmp_path: Path) -> None:
    penalty, why = INERT[case]
    text = f"""
def compute():
    error = net(x).square().mean()
    {penalty}
    return error + 0.1 * penalty  # sum


"""
    report = judged(tmp_path, HEAD + PAIR + text + SGD + LOOP)
    told = Told("FXA113", (f"a term of the loss brings no gradient: {why}",), {"sum": "it is added to the loss here"})
    assert codes(report) == ["FXA113"]
    check(report.findings[0], told)


# -- gradients of zero, and what is not finite -------------------------------------------------------------------------

ZERO: dict[str, tuple[str, Told]] = {
    "a module drops everything": (
        classed("self.drop = nn.Dropout(1.0)  # blamed", "hidden = self.drop(hidden)  # dropped"),
        Told(
            "FXA501",
            ("dropout drops everything", "the share that is dropped"),
            {"dropped": "everything is dropped here"},
        ),
    ),
    "a module lends its share": (
        classed("self.drop = nn.Dropout(1.0)  # blamed", "hidden = F.dropout(hidden, self.drop.p)  # dropped"),
        Told("FXA501", ("dropout drops everything",), {"dropped": "everything is dropped here"}),
    ),
    "a bound of 0": (
        classed(
            "self.limit = 0.0  # blamed",
            "gate = torch.ones(4).clamp(max=self.limit)  # left\n        hidden = hidden * gate",
        ),
        Told("FXA501", ("it is multiplied by 0",), {"left": "zeros are left here"}),
    ),
    "a backward with a share of 0": (
        """
class Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, share):
        ctx.share = share
        return x.view_as(x)

    @staticmethod
    def backward(ctx, grad):
        return -ctx.share * grad, None  # multiplied


"""
        + classed("self.share = 0.0  # blamed", "hidden = Reverse.apply(hidden, self.share)  # applied"),
        Told(
            "FXA501",
            ("a backward multiplies it by 0",),
            {"multiplied": "multiplied by it here", "applied": "applied here"},
        ),
    ),
    "what a table has for a setting": (
        """
parser = argparse.ArgumentParser()
parser.add_argument("--init", default="zeros")  # blamed
options = parser.parse_args([])
FILLS = {"zeros": nn.init.zeros_, "ones": nn.init.ones_}
"""
        + PAIR
        + """
for p in (body.weight, body.bias, head.bias):
    nn.init.zeros_(p)
FILLS[options.init](head.weight)  # asked
""",
        Told(
            "FXA501",
            ("is exactly zero", "set another one than `zeros` here"),
            {"asked": "`FILLS` is asked for `zeros` here"},
        ),
    ),
}


@pytest.mark.parametrize("case", ZERO)
def test_a_gradient_of_zero_leads_to_the_line_that_makes_it_zero(case: str, tmp_path: Path) -> None:
    text, told = ZERO[case]
    check(judged(tmp_path, HEAD + text + SGD + LOOP).findings[0], told)


OWN_STEP = (
    PAIR
    + """
class Own(torch.optim.Optimizer):
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    @torch.no_grad()
    def step(self):  # step
        for group in self.param_groups:
            for p in group["params"]:
                BODY


optimizer = Own(net.parameters(), lr=0.1)
"""
    + LOOP
)
TOKENS = """
table, head = nn.Embedding(6, 4), nn.Linear(4, 1)
net = nn.Sequential(table, head)
x, mask = torch.tensor([0, 1, 5]), torch.zeros(6, 1)
NEW
mask[new] = 1.0  # write
table.weight.register_hook(lambda grad: grad * mask)  # hook
"""
UNDONE = (
    PAIR
    + SGD
    + """
def perturb():
    old = [p.detach().clone() for p in net.parameters()]
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.01)
    return old


def restore(old):
    with torch.no_grad():
        for p, before in zip(net.parameters(), old):
            p.copy_(before)  # back


for step in range(4):
    optimizer.zero_grad()
    old = perturb()
    compute().backward()
    optimizer.step()  # step
    restore(old)  # blamed
"""
)
VALUES: dict[str, tuple[str, Told]] = {
    "a step that binds a name": (
        OWN_STEP.replace("BODY", 'p = p - group["lr"] * p.grad  # blamed'),
        Told(
            "FXA407", ("the step computes a new value for `{0,2}.*`, and writes it nowhere", "Write into the parameter")
        ),
    ),
    "a step whose test is never true": (
        OWN_STEP.replace("BODY", "if p.ndim > 2:  # blamed\n                    p.sub_(p.grad)  # write"),
        Told(
            "FXA407",
            ("the step never comes to what writes into `{0,2}.*`: `p.ndim > 2` is never true",),
            {"write": "the write that never runs"},
        ),
    ),
    "a step that is left": (
        OWN_STEP.replace(
            "BODY",
            "if p.ndim == 1:  # asked\n                    return  # blamed\n                p.sub_(p.grad)  # write",
        ),
        Told(
            "FXA407",
            ("it is left where `p.ndim == 1`", "Pass over what has no gradient with `continue`"),
            {"asked": "asked here", "write": "the write that never runs"},
        ),
    ),
    "a step that writes nothing": (
        OWN_STEP.replace("# step", "# blamed").replace("BODY", "print(p.grad.norm())"),
        Told("FXA407", ("the step leaves `{0,2}.*` unchanged, in spite of a gradient",)),
    ),
    "a hook whose mask begins at a size that is read late": (
        TOKENS.replace("NEW", "old = table.num_embeddings  # blamed\nnew = torch.arange(old, 6)  # empty")
        + COMPUTE
        + SGD
        + LOOP,
        Told(
            "FXA504",
            ("a hook replaces the gradient of `0.weight` by zeros", "Read this size before the line that changes it."),
            {"hook": "the hook multiplies here", "empty": "what is selected is made here, and empty"},
        ),
    ),
    "a hook whose mask selects nothing": (
        TOKENS.replace("NEW", "new = torch.tensor([], dtype=torch.long)  # blamed") + COMPUTE + SGD + LOOP,
        Told(
            "FXA504",
            ("Give the write something to select, or leave the hook out.",),
            {"write": "nothing is selected here, and all of it stays 0"},
        ),
    ),
    "a step before what was perturbed is put back": (
        UNDONE,
        Told(
            "FXA408",
            ("first undo the perturbation, then step",),
            {"back": "the value from before comes back here", "step": "the step whose change is lost"},
        ),
    ),
    "a clip by an infinite norm": (
        PAIR
        + SGD
        + """
for step in range(4):
    optimizer.zero_grad()
    (net(x) * 1e25).sum().backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)  # blamed
    optimizer.step()  # step
""",
        Told(
            "FXA407",
            (
                "`clip_grad_norm_(1.0)` divides the gradient of",
                "by inf, which leaves nothing of it",
                "`error_if_nonfinite=True`",
            ),
            {"step": "the step that has no effect"},
        ),
    ),
    "a hook that multiplies by 0": (
        PAIR
        + """
SHARE = 0.0  # blamed
body.weight.register_hook(lambda grad: grad * SHARE)  # hook
"""
        + SGD
        + LOOP,
        Told(
            "FXA504",
            (
                "a hook replaces the gradient of `0.weight` by zeros",
                "Give what the hook multiplies the gradient by another",
            ),
            {"hook": "the hook multiplies here"},
        ),
    ),
    "an epsilon of 0": (
        """
EPS = 0.0  # blamed
net, x = nn.Linear(4, 3, bias=False), torch.zeros(8, 4)


def compute():
    made = net(x)
    return (made / (made.norm(dim=-1, keepdim=True) + EPS)).mean()  # added


"""
        + SGD
        + LOOP,
        Told(
            "FXA502",
            ("the gradient of `weight` is not finite: a division by 0 at all 8 elements",),
            {"added": "this 0 is added here, and keeps nothing away from it"},
        ),
    ),
    "a scheduler that never steps": (
        PAIR
        + """
EVERY = 0  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
warm_up = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: min(1.0, epoch / 10))  # built
"""
        + LOOP
        + """
    if EVERY:  # test
        warm_up.step()  # call
""",
        Told(
            "FXA304",
            ("`SGD` steps `{0,2}.*` with learning rate 0",),
            {
                "test": "`EVERY` is never true",
                "call": "the call that never runs",
                "built": "the LambdaLR is built here",
            },
        ),
    ),
}


@pytest.mark.parametrize("case", VALUES)
def test_numbers_that_spoil_a_step_lead_to_where_they_come_from(case: str, tmp_path: Path) -> None:
    text, told = VALUES[case]
    check(judged(tmp_path, HEAD + text).findings[0], told)


def test_a_script_that_trains_nothing_is_told_what_was_not_seen(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + "print(x.sum())\n")
    assert [(f.code, f.level, f.message) for f in report.findings] == [
        ("FXA902", "note", "no `forward`, no `backward` and no optimizer was seen")
    ]
    assert report.exit_code == 3


def test_a_step_in_half_precision_that_makes_nan_is_told_with_the_optimizer(tmp_path: Path) -> None:
    text = """
net = nn.Linear(4, 1).half()
x = x.half()
x[:, 0] = 0
optimizer = torch.optim.Adam(net.parameters(), lr=0.1)  # blamed
"""
    report: Report = judged(tmp_path, HEAD + text + COMPUTE + LOOP.replace(".step()", ".step()  # stepped"))
    words = ("a step of `Adam` makes NaN of `{weight,bias}`, though the gradients are finite", "in float16 an `eps`")
    check(report.findings[0], Told("FXA502", words, {"stepped": "stepped here"}))
    assert {(p.verdict, p.reason) for p in report} == {("blocked", "a step made its value NaN, and it stays so")}
