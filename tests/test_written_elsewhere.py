"""The line that somebody wrote is blamed, though the mistake bites far from it."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from fxaudit.program.births import Births
from fxaudit.program.config_files import entry_of_texts, replaced_blocks
from fxaudit.program.course import Course, Entered, Seen, Sight
from tests.scripts import LOOP, judged, line_of

HEAD = """
import argparse
import configparser

import torch
from torch import nn

torch.manual_seed(0)
"""
CLOSURE = """
def slower(module, ratio):
    factor = 1 // ratio  # blamed
    for p in module.parameters():
        p.register_hook(lambda g: g.mul(factor))


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
slower(net[0], 4)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
UNPACKED = """
BOUNDS = (2.0, -5.0)  # blamed
net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    low, high = BOUNDS
    return net[0](torch.randn(8, 4)).square().mean() + net[1](torch.randn(8, 4)).clamp(low, high).exp().mean()
"""
DERIVED = """
class Freezing:
    freeze_encoder = True

    def freeze(self):
        if self.freeze_encoder:
            self.encoder.requires_grad_(False)


class Net(Freezing, nn.Module):
    freeze_encoders = False  # blamed

    def __init__(self):
        super().__init__()
        self.encoder, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.freeze()


net = Net()
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return net.head(net.encoder(torch.randn(8, 4))).square().mean()
"""
TEXT_FLAG = """
SWITCHES = {"stop_gradient": "off"}  # blamed
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)


def compute():
    h = body(torch.randn(8, 4))
    if SWITCHES["stop_gradient"]:
        h = h.detach()
    return head(h).square().mean()
"""
EMA = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 4)})
average = nn.Linear(4, 4).requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def follow():
    for a, p in zip(average.parameters(), net["head"].parameters()):
        a.mul_(0.9).add_(p, alpha=0.1)


def compute():
    feature = net["body"](torch.randn(8, 4))
    projected = net["head"](feature)
    query = torch.tanh(feature)  # blamed
    follow()
    return (query * average(torch.randn(8, 4))).sum(1).mean()
"""
ROLLOUT = """
net = nn.ModuleDict({"policy": nn.Linear(4, 2), "value": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def rollout():
    x = torch.randn(8, 4)
    return {"x": x, "value": net["value"](x)}


def compute():
    stored = rollout()
    action, value = net["policy"](stored["x"]), net["value"](stored["x"])
    error = (stored["value"] - 1).square().mean()  # blamed
    return action.square().mean() + 0.5 * error
"""
SWAPPED = """
student, teacher = nn.ModuleDict({"a": nn.Linear(4, 4), "b": nn.Linear(4, 1)}), nn.Linear(4, 4).requires_grad_(False)
optimizer = torch.optim.SGD(student.parameters(), lr=0.1)


def consistency(predicted, reference):
    return (predicted - reference.detach()).square().mean()


def compute():
    x = torch.randn(8, 4)
    both = consistency(teacher(x), student["a"](x))  # blamed
    return student["b"](x).square().mean() + both
"""
BOTH_ZERO = """
down, up = nn.Parameter(torch.empty(4, 2)), nn.Parameter(torch.empty(2, 4))
net = nn.ParameterDict({"down": down, "up": up, "bias": nn.Parameter(torch.randn(4))})
nn.init.zeros_(up)
nn.init.zeros_(down)  # blamed
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (torch.randn(8, 4) @ net["down"] @ net["up"] + net["bias"]).square().mean()
"""
CURRICULUM = """
PLAN = {
    "start": 1,
    "every": 10,  # blamed
}
net = nn.ModuleDict({"blocks": nn.ModuleList(nn.Linear(4, 4) for _ in range(3))})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def depth(epoch):
    return PLAN["start"] + epoch // PLAN["every"]


def compute():
    h, many = torch.randn(8, 4), depth(epoch)
    for block in net["blocks"][:many]:
        h = block(h)
    return h.square().mean()
"""
LAST_FILTER = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "norm": nn.LayerNorm(4)})
weights = [p for n, p in net.named_parameters() if n.endswith("weight") and "norm" not in n]
biases = [p for n, p in net.named_parameters() if n.endswith("bias") and "norm" not in n]  # blamed
optimizer = torch.optim.SGD([{"params": weights}, {"params": biases}], lr=0.1)


def compute():
    return net["norm"](net["body"](torch.randn(8, 4))).square().sum(0).sin().sum()
"""
IGNORED = """
KNOWN = {"0": 0, "1": 1}
net = nn.ModuleDict({"fine": nn.Linear(4, 2), "coarse": nn.Linear(4, 2)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def label(number):
    return KNOWN.get(number, -100)  # blamed


def compute():
    x, fine = torch.randn(8, 4), [0, 1] * 4
    coarse = torch.tensor([label(number) for number in fine])
    first = nn.functional.cross_entropy(net["fine"](x), torch.tensor(fine))
    return first + nn.functional.cross_entropy(net["coarse"](x), coarse, reduction="sum")
"""
INVERTED = """
parser = argparse.ArgumentParser()
parser.add_argument("--static-words", action="store_false")  # blamed
options = parser.parse_args([])
net = nn.ModuleDict({"words": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["words"].weight.requires_grad = not options.static_words
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return net["head"](net["words"](torch.randn(8, 4))).square().mean()
"""
READ_LATE = """
import contextlib


@contextlib.contextmanager
def frozen(module):
    for p in module.parameters():
        p.requires_grad_(False)
    flags = [p.requires_grad for p in module.parameters()]  # blamed
    yield
    for p, flag in zip(module.parameters(), flags):
        p.requires_grad_(flag)


net = nn.ModuleDict({"critic": nn.Linear(4, 1), "maker": nn.Linear(4, 4)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    with frozen(net["critic"]):
        return net["critic"](net["maker"](torch.randn(8, 4))).square().mean()
"""
UNREAD_HOOK = """
class Callback:
    def on_epoch_begin(self, number):
        pass


class Thaw(Callback):
    def on_epoch_start(self, number):  # blamed
        if number == 1:
            net["body"].requires_grad_(True)


net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["body"].requires_grad_(False)
callback = Thaw()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    callback.on_epoch_begin(epoch)
    return net["head"](net["body"](torch.randn(8, 4))).square().mean()
"""
EARLY_RETURN = """
class Settings:
    weight = 0.0  # blamed


settings = Settings()
net = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    first, second = net["a"](x).square().mean(), net["b"](x).square().mean()
    if not settings.weight:
        return first
    return first + settings.weight * second
"""
LETTERS = """
CHOSEN = {"freeze": "norm.stem"}  # blamed
net = nn.ModuleDict({"embed": nn.Linear(4, 4), "mix": nn.Linear(4, 4), "final": nn.Linear(4, 1)})


def freeze(prefixes):
    for name, p in net.named_parameters():
        if any(name.startswith(prefix) for prefix in prefixes):
            p.requires_grad_(False)


freeze(CHOSEN["freeze"])
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return sum(part(torch.randn(8, 4)).square().mean() for part in net.values())
"""
TAKEN_TWICE = """
TERMS = {}


def term(name):
    def keep(function):
        TERMS[name] = function
        return function

    return keep


net = nn.ModuleDict({"arm": nn.Linear(4, 1), "grip": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@term("arm")
def arm_term(out):
    return out["arm"].square().mean()


@term("arm")  # blamed
def grip_term(out):
    return out["grip"].square().mean()


def compute():
    x = torch.randn(8, 4)
    out = {name: part(x) for name, part in net.items()}
    return sum(function(out) for function in TERMS.values())
"""
NEVER_TOLD = """
class Bus:
    def __init__(self):
        self.handlers = {}

    def on(self, event, handler):
        self.handlers.setdefault(event, []).append(handler)

    def tell(self, event):
        for handler in self.handlers.get(event, []):
            handler()


class Game:
    def __init__(self):
        self.net = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})
        self.weight = 0.0

    def raise_weight(self):
        self.weight = 0.5

    def loss(self):
        x = torch.randn(8, 4)
        first, second = self.net["a"](x).square().mean(), self.net["b"](x).square().mean()
        if self.weight > 0:
            return first + self.weight * second
        return first


bus, game = Bus(), Game()
bus.on("round_start", game.raise_weight)  # blamed
optimizer = torch.optim.SGD(game.net.parameters(), lr=0.1)


def compute():
    bus.tell("round_begin")
    return game.loss()
"""
OVERRIDDEN = """
class Base:
    def outputs(self, x):
        return {"first": net["first"](x)}

    def terms(self, out):
        return {"first": out["first"].square().mean()}


class Second:
    def outputs(self, x):
        out = super().outputs(x)
        out["second"] = net["second"](x)
        return out

    def terms(self, out):
        terms = {}  # blamed
        terms["second"] = out["second"].square().mean()
        return terms


class Both(Second, Base):
    pass


net = nn.ModuleDict({"first": nn.Linear(4, 1), "second": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    task = Both()
    return sum(task.terms(task.outputs(torch.randn(8, 4))).values())
"""
COPIED = """
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.0)


def set_rate(step):
    rate = 0.1 / (step + 1)
    for group in optimizer.state_dict()["param_groups"]:  # blamed
        group["lr"] = rate


def compute():
    set_rate(1)
    return net(torch.randn(8, 4)).square().mean()
"""
NEVER_GIVEN = """
net = nn.ModuleDict({"there": nn.Linear(4, 1), "back": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
TWO_WAYS = False  # blamed


def loss_of(x, back=False):
    part = net["back"] if back else net["there"]
    return part(x).square().mean()


def compute():
    x = torch.randn(8, 4)
    loss = loss_of(x)
    if TWO_WAYS:
        loss = loss + loss_of(x, back=True)
    return loss
"""
BORROWED = """
net = nn.ModuleDict({"maker": nn.Linear(4, 4), "critic": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net["maker"].parameters(), lr=0.1)
critic_optimizer = torch.optim.SGD(net["critic"].parameters(), lr=0.1)


class Game:
    def critic_step(self):
        with torch.no_grad():
            self.sample = net["maker"](torch.randn(8, 4))
        loss = net["critic"](self.sample).mean() - net["critic"](torch.randn(8, 4)).mean()
        critic_optimizer.zero_grad()
        loss.backward()
        critic_optimizer.step()

    def maker_loss(self):
        return -net["critic"](self.sample).mean()  # blamed


game = Game()


def compute():
    game.critic_step()
    return game.maker_loss()
"""
LEFT_EARLY = """
class Solver:
    def __init__(self, params):
        self.params = list(params)

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for p in self.params:
            if p.grad is None:
                return  # blamed
            p.sub_(0.1 * p.grad)


net = nn.ModuleDict({"first": nn.Linear(4, 4), "fixed": nn.Linear(4, 4), "last": nn.Linear(4, 1)})
net["fixed"].requires_grad_(False)
optimizer = Solver(net.parameters())


def compute():
    return net["last"](net["fixed"](net["first"](torch.randn(8, 4)))).square().mean()
"""
GIVEN_TO_A_STAND_IN = """
def watched(prediction, target):
    return torch.zeros(())


def huber(prediction, target):
    return nn.functional.huber_loss(prediction, target)


LOSSES = {"huber": huber}
WANTED = {"first": "huber", "second": "smooth"}  # blamed
net = nn.ModuleDict({"first": nn.Linear(4, 1), "second": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    total = torch.zeros(())
    for task in ("first", "second"):
        prediction = net[task](torch.randn(8, 4))
        criterion = LOSSES.get(WANTED[task], watched)
        total = total + criterion(prediction, torch.zeros(8, 1))
    return total
"""
RESPELT = """
class Data:
    def __init__(self):
        self.index = {name: i + 1 for i, name in enumerate(("RED", "BLUE"))}
        self.labels = ["RED", "BLUE", "RED", "RED"]

    def number(self, label):
        key = label.strip().lower()  # blamed
        return self.index.get(key, 0)

    def batch(self):
        return torch.tensor([self.number(label) for label in self.labels])


data = Data()
net = nn.ModuleDict({"table": nn.Embedding(3, 4, padding_idx=0), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    numbers = data.batch()
    return net["head"](net["table"](numbers)).square().mean()
"""
KEYS_OF_TORCH = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 1)
        self.scales = nn.ParameterDict({"body__weight": nn.Parameter(torch.ones(()))})

    def scale_of(self, name):
        key = name.replace(".", "_")  # blamed
        if key in self.scales:
            return self.scales[key]
        return 1.0

    def forward(self, x):
        return self.body(x) * self.scale_of("body.weight")


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
SHORT_ZIP = """
ORDER = ("first", "second", "third")
net = nn.ModuleDict({name: nn.Linear(4, 4) for name in ORDER})


def groups(rates):
    found = []
    for prefix, rate in zip(ORDER, rates):  # blamed
        params = [p for name, p in net.named_parameters() if name.startswith(prefix + ".")]
        found.append({"params": params, "lr": rate})
    return found


optimizer = torch.optim.SGD(groups([0.1 * 0.5**i for i in range(2)]), lr=0.1)


def compute():
    h = torch.randn(8, 4)
    for name in ORDER:
        h = net[name](h)
    return h.square().mean()
"""
HOOK = """
kept = {}


def keep(module, inputs, output):
    kept["h"] = output.detach()  # blamed


net = nn.ModuleDict({"side": nn.Linear(4, 4), "main": nn.Linear(4, 1)})
net["side"].register_forward_hook(keep)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    net["side"](net["main"](x).expand(8, 4))
    return (net["main"](x) - kept["h"].square()).mean()
"""
SCRIPTS = {
    name.lower(): text
    for name, text in list(globals().items())
    if isinstance(text, str) and "# blamed" in text and name.isupper()
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_line_that_was_written_is_blamed(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SCRIPTS[name] + LOOP)
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert [line_of(finding)[-8:] for finding in loud[:1]] == ["# blamed"], [str(f.culprit) for f in loud]


SECTIONS = """
parser = configparser.ConfigParser()
parser.read("settings.ini")
rate = parser.getfloat("optimizer", "slow_rate", fallback=0.0)
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
groups = [{"params": net["body"].parameters(), "lr": rate}, {"params": net["head"].parameters()}]
optimizer = torch.optim.SGD(groups, lr=0.1)


def compute():
    return net["head"](net["body"](torch.randn(8, 4))).square().mean()
"""


def test_a_key_in_another_section_is_blamed(tmp_path: Path) -> None:
    (tmp_path / "settings.ini").write_text("[optimizer]\nrate = 0.1\n\n[training]\nslow_rate = 0.01\n")
    (finding,) = judged(tmp_path, HEAD + SECTIONS + LOOP).findings
    assert finding.culprit is not None and (finding.culprit.file, finding.culprit.line) == ("settings.ini", 5)
    assert "another place" in finding.fix


REGIONS = """
import json

with open("settings.json") as file:
    settings = json.load(file)
SITES = ("marsh", "heath")
known = {name: i + 1 for i, name in enumerate(settings["regions"])}
net = nn.ModuleDict({"table": nn.Embedding(3, 4, padding_idx=0), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    numbers = torch.tensor([known.get(site, 0) for site in SITES])
    return net["head"](net["table"](numbers)).square().mean()
"""


def test_what_is_set_is_blamed_rather_than_the_program(tmp_path: Path) -> None:
    """Both spell a key, each in its own way."""
    (tmp_path / "settings.json").write_text('{\n  "width": 4,\n  "regions": ["Marsh", "Heath"]\n}\n')
    (finding,) = judged(tmp_path, HEAD + REGIONS + LOOP).findings
    assert finding.culprit is not None and (finding.culprit.file, finding.culprit.line) == ("settings.json", 3)
    assert "only `Marsh`, `Heath`" in (finding.fact or "")


SHARED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.stem(x)))


def student_of(teacher):
    net = Net()
    net.stem = teacher.stem  # blamed
    return net


teacher = Net()
pair = nn.ModuleDict({"student": student_of(teacher), "teacher": teacher})
teacher.requires_grad_(False)
optimizer = torch.optim.SGD(pair["student"].parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    return (pair["student"](x) - pair["teacher"](x)).square().mean()
"""


def test_a_part_that_is_shared_with_a_frozen_model_is_blamed_where_it_is_shared(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SHARED + LOOP)
    (finding,) = [f for f in report.findings if f.code == "FXA306"]
    assert line_of(finding).endswith("# blamed") and finding.level == "note"
    assert [related.role for related in finding.related][:1] == ["frozen here, as a part of the other"]


def test_a_phase_that_comes_later_is_waited_for(tmp_path: Path) -> None:
    """A part runs without gradients at first, and is called with them where a test lets it, one epoch later."""
    text = """
    net = nn.ModuleDict({"body": nn.Linear(4, 4), "refine": nn.Linear(4, 4)})
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    class Game:
        def __init__(self):
            self.refine, self.weight = net["refine"], 0.0
        def loss(self):
            base = net["body"](torch.randn(8, 4))
            with torch.no_grad():
                sample = self.refine(base)
            total = (base - sample).square().mean()
            if self.weight > 0:
                total = total + self.weight * self.refine(base.detach()).square().mean()
            return total
    game = Game()
    for epoch in range(3):
        game.weight = 0.1 * epoch
        for _ in range(15):
            loss = game.loss()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    """
    report = judged(tmp_path, HEAD + textwrap.dedent(text))
    assert report["refine.weight"].verdict == "trained"
    assert [finding.code for finding in report.findings if finding.level != "note"] == []


def test_the_blocks_of_a_file_that_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text("loss:\n  a: 1.0\n  b: 0.5\nrate: 0.1\nlist:\n  - a: 1\n  - a: 2\nloss:\n  a: 2.0\n")
    (block,) = replaced_blocks(str(file))
    assert (block.key, block.first, block.last, block.again) == ("loss", 1, 3, 8)


def test_an_entry_of_a_text_within_the_program(tmp_path: Path) -> None:
    file = tmp_path / "script.py"
    file.write_text('"""A page.\n\nrate: 3\n"""\nCONFIG = load("""\nmodel:\n  rate: 3\n""")\n')
    assert list(entry_of_texts(str(file), "rate", 3)) == [(7, "rate: 3")]


def test_a_division_of_what_does_not_change_is_blamed_itself(tmp_path: Path) -> None:
    """Only a counter that never comes so far points at its divisor."""
    file = tmp_path / "script.py"
    file.write_text("every = 10\nvalue = 3 // every\n")
    one = Sight(0, 1, 0, bound={"every": Seen("plain", 10)}, index=0)
    two = Sight(0, 2, 0, read={"every": Seen("plain", 10)}, bound={"value": Seen("plain", 0)}, index=1)
    course = Course([Entered(str(file), "<module>", 1, -1, 0, 0)], [one, two])
    birth = Births(course).of_part("value", 0) or Births(course).back(two, _value(file), 0)
    assert birth is not None and (birth.line, birth.kind) == (2, "computed")


def _value(file: Path) -> ast.expr:
    """What the second statement assigns."""
    statement = ast.parse(file.read_text()).body[1]
    assert isinstance(statement, ast.Assign)
    return statement.value
