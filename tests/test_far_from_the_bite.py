"""Mistakes that bite in one place and are made in another: each beside the same program without the mistake."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
import torch

from fxaudit.program.spelling import means_the_same
from fxaudit.program.tainted import may_flow, may_leave
from tests.scripts import LOOP, judged, left_alone, line_of

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""
CODEBOOK = """
class Codes(nn.Module):
    def __init__(self, threshold):
        super().__init__()
        self.threshold = threshold
        self.encode = nn.Linear(3, 3)
        self.book = nn.Parameter(torch.randn(4, 3))
        self.register_buffer("usage", torch.full((4,), 0.25))

    @torch.no_grad()
    def restart(self, flat):
        dead = self.usage < self.threshold  # blamed
        count = int(dead.sum())
        self.book.data[dead] = flat[torch.randint(0, len(flat), (count,))]

    def forward(self, x):
        flat = self.encode(x)
        self.restart(flat)
        index = torch.cdist(flat, self.book).argmin(1)
        with torch.no_grad():
            self.usage.mul_(0.9).add_(torch.bincount(index, minlength=4) / len(index), alpha=0.1)
        codes = self.book[index]
        return (codes - flat.detach()).square().mean() + (flat - codes.detach()).square().mean()


net = Codes(THRESHOLD)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(32, 3))
"""
SLICED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.project, self.head = nn.Linear(4, 4, bias=False), nn.Linear(4, 1)

    def forward(self, x):
        self.project.weight.dataSLICE = torch.eye(4)[0]  # blamed
        return self.head(self.project(x))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
RECURSIVE = """
def cast(inputs, kind):
    if isinstance(inputs, torch.Tensor):
        return inputsDATA.to(kind)  # blamed
    return type(inputs)(cast(part, kind) for part in inputs)


body, head = nn.Linear(4, 4), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)


def compute():
    first, last = cast((body(torch.randn(8, 4)), body(torch.randn(8, 4))), torch.float32)
    return head(last).square().mean()
"""
LAYERED = """
def grouped(net, decay=DECAY):  # blamed
    scales = [decay ** (3 - number) for number in range(4)]
    groups = {}
    for name, p in net.named_parameters():
        index = int(name[0])
        key = (index, p.ndim)
        if key not in groups:
            groups[key] = {"params": [], "scale": scales[index]}
        groups[key]["params"].append(p)
    return list(groups.values())


net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(4)))
optimizer = torch.optim.SGD(grouped(net), lr=0.1)
step = 0


def compute():
    global step
    rate = 0.1 * step / 4
    for group in optimizer.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)
    step += 1
    return net(torch.randn(8, 4)).square().mean()
"""
GENERATOR = """
def split(net):
    return {
        "body": OPEN p for n, p in net.named_parameters() if n.startswith("0") CLOSE,  # blamed
        "head": [p for n, p in net.named_parameters() if n[0] != "0"],
    }


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
groups = split(net)
print(sum(p.numel() for p in groups["body"]))
optimizer = torch.optim.SGD([{"params": params, "name": name} for name, params in groups.items()], lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
CACHED = """
from functools import cached_property


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        LATE

    DECORATED  # blamed
    def CALLED(self):
        return nn.Linear(4, 1)

    def forward(self, x):
        return self.score(self.body(x))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
RECOMPUTED = """
class Recompute(torch.autograd.Function):
    @staticmethod
    def forward(ctx, block, x):
        ctx.block = block
        ctx.save_for_backward(x)
        with torch.no_grad():
            return block(x)

    @staticmethod
    def backward(ctx, grad):
        x = ctx.saved_tensors[0].detach().requires_grad_(True)
        with torch.enable_grad():
            out = ctx.block(x)
        ASK
        return None, found


stem, block = nn.Linear(4, 4), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*stem.parameters(), *block.parameters()], lr=0.1)


def compute():
    loss = Recompute.apply(block, stem(torch.randn(8, 4))).square().mean()
    print(f"loss {loss.item():.3f}")
    return loss
"""
KINDS = """
DECAYED = (nn.LinearMORE,)  # blamed
PLAIN = (nn.LayerNorm, nn.Embedding)


def groups_of(net):
    decay, plain = [], []
    for name, module in net.named_modules():
        for own, p in module.named_parameters(recurse=False):
            if own == "bias":
                plain.append(p)
            elif isinstance(module, DECAYED):
                decay.append(p)
            elif isinstance(module, PLAIN):
                plain.append(p)
    return [{"params": decay, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]


net = nn.Sequential(nn.Conv1d(4, 4, 1), nn.Flatten(), nn.LayerNorm(8), nn.Linear(8, 1))
optimizer = torch.optim.AdamW(groups_of(net), lr=0.1)


def compute():
    return net(torch.randn(8, 4, 2)).square().mean()
"""
COARSE = """
class Net(nn.Module):
    def __init__(self, kind=KIND):  # blamed
        super().__init__()
        self.scale = nn.Parameter(torch.ones(4))
        self.head = nn.Linear(4, 1)
        nn.init.zeros_(self.head.bias)
        self.to(getattr(torch, kind))

    def forward(self, x):
        return self.head(x.to(self.scale.dtype) * self.scale)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-4)


def compute():
    return net(torch.randn(8, 4)).float().square().mean()
"""
MANY_REPLACED = """
def unsplit(net):
    torch.nn.utils.remove_weight_norm(net.first)
    for layer in net.others:
        torch.nn.utils.remove_weight_norm(layer)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = torch.nn.utils.weight_norm(nn.Linear(4, 4))
        self.others = nn.ModuleList(torch.nn.utils.weight_norm(nn.Linear(4, 4)) for _ in range(2))

    def forward(self, x):
        for layer in (self.first, *self.others):
            x = layer(x).tanh()
        return x


class Trainer:
    def __init__(self, net):
        EARLY
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        LATE  # blamed


import warnings

warnings.simplefilter("ignore")
net = Net()
optimizer = Trainer(net).optimizer


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
BOTH_WAYS = """
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

rnn, head = nn.LSTM(3, 4, batch_first=True, bidirectional=True), nn.Linear(8, 1)
optimizer = torch.optim.SGD([*rnn.parameters(), *head.parameters()], lr=0.1)


def compute():
    lengths = torch.tensor([3, 5, 4])
    packed = pack_padded_sequence(torch.randn(3, 5, 3), lengths, batch_first=True, enforce_sorted=False)
    packed, (last, _) = rnn(packed)
    out, _ = pad_packed_sequence(packed, batch_first=True)
    read = READ  # blamed
    return head(read).square().mean()
"""
CLAMPED = """
import math


class Net(nn.Module):
    def __init__(self, temperature=0.07):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.scale = nn.Parameter(torch.tensor(BEGIN))  # blamed

    def forward(self, x):
        return self.body(x) * self.scale.clamp(max=math.log(100)).exp()


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=1e-6)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
SCALED = """
def distances(x):
    squares = (x.unsqueeze(0) - x.unsqueeze(1)).pow(2).sum(-1)
    return (squaresPLUS).sqrt()  # blamed


net, side = nn.Linear(4, 4, bias=False), nn.Linear(4, 1)
inner = torch.optim.SGD([*net.parameters(), *side.parameters()], lr=0.1)
scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)


class Scaled:
    def zero_grad(self):
        inner.zero_grad()

    def step(self):
        scaler.step(inner)
        scaler.update()


optimizer = Scaled()


def compute():
    x = torch.randn(8, 4)
    eye = torch.eye(8, dtype=torch.bool)
    loss = distances(net(x)).masked_fill(eye, 0.0).amax(1).mean() + side(x).square().mean()
    return scaler.scale(loss)
"""
MASTERS = """
class Masters:
    def __init__(self, net, scale):
        self.own = list(net.parameters())
        self.masters = [p.detach().clone().requires_grad_() for p in self.own]
        self.inner, self.scale = torch.optim.SGD(self.masters, lr=0.1), scale

    def zero_grad(self):
        for p in self.own:
            p.grad = None

    @torch.no_grad()
    def _put_back(self):
        for p, master in zip(self.own, self.masters):
            p.copy_(master)

    def step(self):
        for p, master in zip(self.own, self.masters):
            master.grad = p.grad.clone()
        if self.scale is None:  # blamed
            self.inner.step()
            MISSING
            return
        self._put_back()


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
optimizer = Masters(net, None)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
SCALED_RATE = """
class Options:
    lr, batch = 0.05, 64

    @property
    def scaled(self):
        return self.lr * self.batch DIVIDED 256  # blamed


def adjust(optimizer, base):
    current = base * 0.5
    for group in optimizer.param_groups:
        if not group.get("fixed"):
            group["lr"] = current


options = Options()
body, head = nn.Linear(4, 4), nn.Linear(4, 1)
groups = [{"params": body.parameters()}, {"params": head.parameters(), "lr": 0.1, "fixed": True}]
optimizer = torch.optim.SGD(groups, lr=options.scaled)


def compute():
    adjust(optimizer, options.scaled)
    return head(body(torch.randn(8, 4))).square().mean()
"""
ADOPTED = """
BEGIN = AT  # blamed


def adopted(weight, step, threshold=0, value=0.0):
    if step < threshold:
        weight = value
    return weight


body, judge = nn.Linear(4, 4), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *judge.parameters()], lr=0.1)
step = 0


def compute():
    global step
    factor = adopted(1.0, step, threshold=BEGIN)
    step += 1
    real = judge(torch.randn(8, 4)).square().mean()
    return body(torch.randn(8, 4)).square().mean() + factor * real
"""
ALIKE = """
import json


def chosen(name, prefixes):
    return any(name.startswith(prefix) for prefix in prefixes)  # blamed


net = nn.Sequential(*(nn.Linear(4, 4) for _ in range(12)))
for name, p in net.named_parameters():
    if chosen(name, json.loads(PREFIXES)):
        p.requires_grad_(False)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
REMEMBERED = """
from functools import lru_cache


REMEMBERS  # blamed
def made(width):
    return nn.Linear(4, width)


class Twin(nn.Module):
    def __init__(self):
        super().__init__()
        self.online = made(4)
        self.target = made(4)
        self.predict = nn.Linear(4, 4)
        for p in self.target.parameters():
            p.requires_grad = False

    def forward(self, x):
        with torch.no_grad():
            aim = self.target(x)
        return (self.predict(self.online(x)) - aim).square().mean()


net = Twin()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4))
"""
RESIZED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.place, self.out = nn.Parameter(torch.zeros(2, 4)), nn.Linear(4, 1)

    @torch.no_grad()
    def resize(self, length):
        self.place = nn.Parameter(self.place.repeat(length, 1)[:length])

    def forward(self, x):
        return self.out((x + self.place).tanh())


def load(net, length):
    net.load_state_dict(net.state_dict())
    net.resize(length)


def build(net):
    return torch.optim.SGD(net.parameters(), lr=0.1)


def main():
    net = Net()
    EARLY
    optimizer = build(net)
    LATE  # blamed
    return net, optimizer


net, optimizer = main()


def compute():
    return (net(torch.randn(8, 3, 4)) - 1).square().mean()
"""
CASES = {
    "scaled_rate": (SCALED_RATE, "FXA304", {"DIVIDED": "//"}, {"DIVIDED": "/"}),
    "adopted": (ADOPTED, "FXA501", {"AT": "2001"}, {"AT": "1"}),
    "remembered": (
        REMEMBERED,
        "FXA306",
        {"REMEMBERS": "@lru_cache(maxsize=None)"},
        {"REMEMBERS": "@staticmethod"},
    ),
    "resized": (
        RESIZED,
        "FXA204",
        {"EARLY": "pass", "LATE": "load(net, 3)"},
        {"EARLY": "load(net, 3)", "LATE": "pass"},
    ),
    "alike": (ALIKE, "FXA310", {"PREFIXES": '\'["1", "0."]\''}, {"PREFIXES": '\'["0.", "1."]\''}),
    "masters": (MASTERS, "FXA303", {"MISSING": "pass"}, {"MISSING": "self._put_back()"}),
    "codebook": (CODEBOOK, "FXA202", {"THRESHOLD": "2.0"}, {"THRESHOLD": "-1.0"}),
    "sliced": (SLICED, "FXA202", {"SLICE": "[:]"}, {"SLICE": "[0]"}),
    "recursive": (RECURSIVE, "FXA104", {"DATA": ".data"}, {"DATA": ""}),
    "layered": (LAYERED, "FXA304", {"DECAY": "0.0"}, {"DECAY": "0.5"}),
    "generator": (GENERATOR, "FXA301", {"OPEN": "(", "CLOSE": ")"}, {"OPEN": "[", "CLOSE": "]"}),
    "cached": (
        CACHED,
        "FXA205",
        {"LATE": "pass", "DECORATED": "@cached_property", "CALLED": "score"},
        {"LATE": "self.score = self.made", "DECORATED": "@cached_property", "CALLED": "made"},
    ),
    "recomputed": (
        RECOMPUTED,
        "FXA111",
        {"ASK": "(found,) = torch.autograd.grad(out, x, grad)  # blamed"},
        {"ASK": "torch.autograd.backward(out, grad)\n        found = x.grad"},
    ),
    "kinds": (KINDS, "FXA301", {"MORE": ""}, {"MORE": ", nn.Conv1d"}),
    "coarse": (COARSE, "FXA503", {"KIND": '"bfloat16"'}, {"KIND": '"float32"'}),
    "many_replaced": (
        MANY_REPLACED,
        "FXA204",
        {"EARLY": "pass", "LATE": "unsplit(net)"},
        {"EARLY": "unsplit(net)", "LATE": "pass"},
    ),
    "both_ways": (
        BOTH_WAYS,
        "FXA501",
        {"READ": "out[torch.arange(3), lengths - 1]"},
        {"READ": "torch.cat([last[0], last[1]], -1)"},
    ),
    "clamped": (CLAMPED, "FXA501", {"BEGIN": "1 / temperature"}, {"BEGIN": "math.log(1 / temperature)"}),
    "scaled": (SCALED, "FXA502", {"PLUS": ""}, {"PLUS": " + 1e-6"}),
}


def filled(name: str, *, is_right: bool) -> str:
    text, _, wrong, right = CASES[name]
    loop = LOOP.replace("range(4)", "range(24)") if name == "codebook" else LOOP  # a mask may be another one later
    for word, meant in (right if is_right else wrong).items():
        text = text.replace(word, meant)
    return HEAD + text + loop


@pytest.mark.parametrize("name", CASES)
def test_the_line_to_edit_is_named(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, filled(name, is_right=False))
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert [finding.code for finding in loud] == [CASES[name][1]]
    assert line_of(loud[0]).endswith("# blamed"), (str(loud[0].culprit), loud[0].message)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in CASES if name not in ("codebook", "sliced")])
def test_plain_training_leaves_more_alone_with_the_mistake(name: str) -> None:
    assert left_alone(filled(name, is_right=False)) > left_alone(filled(name, is_right=True))


def test_plain_training_keeps_nothing_of_what_forward_overwrites() -> None:
    program: dict[str, Any] = {"__name__": "script"}
    exec(filled("sliced", is_right=False), program)
    program["compute"]()
    assert torch.equal(program["net"].project.weight, torch.eye(4)[0].expand(4, 4))
    exec(filled("codebook", is_right=False), program)
    assert bool((program["net"].usage < program["net"].threshold).all())


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("codebook", "forward assigns to all of `book` each time it runs: the mask is true everywhere"),
        ("sliced", "forward assigns to all of `project.weight` each time it runs"),
        ("layered", "the rate of these groups is multiplied by what it gives, and that is 0"),
        ("adopted", "`step < threshold` chooses it"),
    ],
)
def test_why_that_line_is_told(name: str, words: str, tmp_path: Path) -> None:
    (finding,) = (f for f in judged(tmp_path, filled(name, is_right=False)).findings if f.level != "note")
    assert words in " ".join((finding.message, finding.fix, *(beside.role for beside in finding.related)))


@pytest.mark.parametrize("name", CASES)
def test_without_the_mistake_nothing_is_said(name: str, tmp_path: Path) -> None:
    report = judged(tmp_path, filled(name, is_right=True))
    assert [finding.message for finding in report.findings if finding.level != "note"] == []
    assert set(report.verdicts()) <= {"trained", "frozen"}


@pytest.mark.parametrize(
    ("threshold", "rounds", "verdict"), [("2.0", 24, "replaced"), ("2.0", 6, "unknown"), ("0.1", 60, "trained")]
)
def test_codes_that_all_begin_anew_at_first_may_train_later(
    threshold: str, rounds: int, verdict: str, tmp_path: Path
) -> None:
    text = CODEBOOK.replace("THRESHOLD", threshold).replace("0.25)", "0.0)").replace("0.9)", "0.98)")
    report = judged(
        tmp_path, HEAD + text.replace("alpha=0.1", "alpha=0.02") + LOOP.replace("range(4)", f"range({rounds})")
    )
    assert report["book"].verdict == verdict, report["book"].reason
    assert [finding.code for finding in report.findings] == (["FXA202"] if verdict == "replaced" else [])


@pytest.mark.parametrize("kept", ["float()", "double()", "clamp(-1, 1)", "mul(0.99)"])
def test_an_assignment_to_all_of_it_that_keeps_its_numbers_is_no_overwriting(kept: str, tmp_path: Path) -> None:
    text = SLICED.replace("SLICE", "[:]").replace("torch.eye(4)[0]", f"self.project.weight.data.{kept}")
    assert judged(tmp_path, HEAD + text + LOOP).verdicts() == {"trained": 3}


GATES = """
import torch
from torch import nn
from table import register


@register("hard")
class Straight(nn.Module):
    def __init__(self):
        super().__init__()
        self.score = nn.Linear(4, 2)

    def forward(self, x):
        return nn.functional.gumbel_softmax(self.score(x), hard=True)
"""
EXPORTED = """
import torch
from gates import Straight
from table import register


@register(NAME)  # blamed
class Exported(Straight):
    def forward(self, x):
        return nn_one_hot(self.score(x).argmax(-1))


def nn_one_hot(chosen):
    return torch.nn.functional.one_hot(chosen, 2).float()
"""
TABLE = """
TABLE = {}


def register(name):
    def keep(cls):
        STORE
        return cls

    return keep
"""
USED = """
import exported
import gates
import table

net = nn.ModuleDict({"gate": CHOSEN(), "head": nn.Linear(2, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net["head"](net["gate"](torch.randn(8, 4))).square().mean()
"""


@pytest.mark.parametrize(
    ("name", "store", "chosen", "is_named"),
    [
        pytest.param("hard", "TABLE[name] = cls", "table.TABLE['hard']", True, id="another took its place"),
        pytest.param("hard", "TABLE.setdefault(name, []).append(cls)", "table.TABLE['hard'][1]", False, id="a list"),
        pytest.param("export", "TABLE[name] = cls", "table.TABLE['export']", False, id="another name"),
    ],
)
def test_a_class_that_was_registered_under_the_name_of_another(
    name: str, store: str, chosen: str, is_named: bool, tmp_path: Path
) -> None:
    (tmp_path / "gates.py").write_text(GATES)
    (tmp_path / "exported.py").write_text(EXPORTED.replace("NAME", repr(name)))
    (tmp_path / "table.py").write_text(TABLE.replace("STORE", store))
    (finding,) = (
        f for f in judged(tmp_path, HEAD + USED.replace("CHOSEN", chosen) + LOOP).findings if f.level != "note"
    )
    assert finding.code == "FXA108"
    assert line_of(finding).endswith("# blamed") == is_named
    assert ("`Exported` takes the place of `Straight`" in finding.message) == is_named


OPTIONS = """
import json

with open("settings.json") as file:
    settings = json.load(file)


def made(width, frozen=True, **_):
    net = nn.Linear(4, width)
    if frozen:
        net.requires_grad_(False)
    return net


body, head = made(**settings), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters()], lr=0.1)


def compute():
    return head(body(torch.randn(8, 4))).square().mean()
"""


def test_an_option_that_is_given_in_another_form_of_its_word(tmp_path: Path) -> None:
    (tmp_path / "settings.json").write_text('{\n  "width": 4,\n  "freeze": false\n}\n')
    (finding,) = judged(tmp_path, HEAD + OPTIONS + LOOP).findings
    assert finding.culprit is not None
    assert (finding.level, finding.culprit.file, finding.culprit.line) == ("warning", "settings.json", 3)
    (tmp_path / "settings.json").write_text('{\n  "width": 4,\n  "frozen": false\n}\n')
    assert judged(tmp_path, HEAD + OPTIONS + LOOP).findings == ()


@pytest.mark.parametrize(
    ("one", "other", "are_the_same"),
    [
        ("frozen", "freeze", True),
        ("freeze_encoder", "encoder_frozen", True),
        ("lr", "learning_rate", True),
        ("head_lr", "head_learning_rate", True),
        ("unfrozen", "freeze", False),
        ("frozen", "frozen", False),
        ("freeze_encoder", "freeze_decoder", False),
        ("head_lr", "body_learning_rate", False),
    ],
)
def test_names_that_mean_the_same_setting(one: str, other: str, are_the_same: bool) -> None:
    assert means_the_same(one, other) == means_the_same(other, one) == are_the_same


ADAPTED = """
class Adapted(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base, self.adapter = base, nn.Linear(4, 4, bias=False)
        nn.init.zeros_(self.adapter.weight)

    def forward(self, x):
        return self.base(x) + self.adapter(x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head = Adapted(nn.Linear(4, 4)), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.body(x))


net = Net()
LOADED
for name, p in net.named_parameters():
    p.requires_grad = "adapter" in name  # blamed
THAWED
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


def test_a_head_that_is_frozen_as_it_was_drawn_is_worth_a_note(tmp_path: Path) -> None:
    text = HEAD + ADAPTED + LOOP
    (note,) = judged(tmp_path, text.replace("LOADED", "").replace("THAWED", "")).findings
    assert (note.code, note.level, note.parameters) == ("FXA306", "note", ("head.weight", "head.bias"))
    assert line_of(note).endswith("# blamed") and "as it was drawn" in note.message
    thawed = text.replace("LOADED", "").replace("THAWED", "net.head.requires_grad_(True)")
    assert judged(tmp_path, thawed).findings == ()
    for how in ("", ", assign=True"):
        loaded = "net.load_state_dict({name: torch.randn_like(p) for name, p in net.state_dict().items()}" + how + ")"
        assert judged(tmp_path, text.replace("LOADED", loaded).replace("THAWED", "")).findings == ()


PATTERNS = """
import json
import re

with open("settings.json") as file:
    specs = json.load(file)["groups"]
net = nn.ModuleDict({"body": nn.Linear(4, 4), "neck": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
groups = [{"params": [], "lr": spec["lr"]} for spec in specs]
for name, p in net.named_parameters():
    for spec, group in zip(specs, groups):
        if re.search(spec["pattern"], name):
            group["params"].append(p)
            break
optimizer = torch.optim.SGD(groups)


def compute():
    return net["head"](net["neck"](net["body"](torch.randn(8, 4)))).square().mean()
"""


def test_a_pattern_of_a_file_that_asks_for_a_name_that_nobody_has(tmp_path: Path) -> None:
    text = '{"groups": [\n  {"pattern": "^body", "lr": 0.01},\n  {"pattern": "^(NAME|head)", "lr": 0.1}\n]}\n'
    (tmp_path / "settings.json").write_text(text.replace("NAME", "tail"))
    (finding,) = judged(tmp_path, HEAD + PATTERNS + LOOP).findings
    assert finding.culprit is not None and finding.code == "FXA301"
    assert str(finding.culprit) == "settings.json:3"
    (tmp_path / "settings.json").write_text(text.replace("NAME", "neck"))
    assert judged(tmp_path, HEAD + PATTERNS + LOOP).findings == ()


def test_a_setting_that_names_something_else_is_no_pattern(tmp_path: Path) -> None:
    """The name of the optimizer's class is in no name of a parameter, and was not to be."""
    (tmp_path / "settings.json").write_text('{\n  "model": {"name": "body"},\n  "optimizer": {"name": "adam"}\n}\n')
    chosen = """
    import json

    with open("settings.json") as file:
        settings = json.load(file)
    net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
    optimizer = torch.optim.SGD(net[settings["model"]["name"]].parameters(), lr=0.1)


    def compute():
        return net["head"](net["body"](torch.randn(8, 4))).square().mean()
    """
    (finding,) = judged(tmp_path, HEAD + textwrap.dedent(chosen) + LOOP).findings
    assert finding.culprit is not None
    assert (finding.code, finding.culprit.file) == ("FXA301", "script.py")


def test_a_generator_that_lets_nothing_through_was_not_used_up(tmp_path: Path) -> None:
    text = GENERATOR.replace("OPEN", "(").replace("CLOSE", ")").replace('n.startswith("0")', "p.ndim > 5")
    (finding,) = judged(tmp_path, HEAD + text + LOOP).findings
    assert finding.code == "FXA301" and "gives its items once" not in finding.fix


LOGGED = """
class Routed(nn.Module):
    def __init__(self):
        super().__init__()
        self.router, self.experts = nn.Linear(4, 2), nn.ModuleList(nn.Linear(4, 4) for _ in range(2))
        self.confidence = 0.0

    def forward(self, x):
        gate, choice = self.router(x).softmax(-1).max(-1)
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            picked = (choice == number).nonzero()[:, 0]
            out = out.index_add(0, picked, expert(x[picked]))
        self.confidence = gate.mean().item()
        return out * 0.5


net = Routed()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean() + 1
"""


def test_a_number_that_is_only_logged_cuts_nothing(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + LOGGED + LOOP).findings
    assert finding.code == "FXA108" and "`max` has no gradient" in finding.message


@pytest.mark.parametrize(
    ("text", "flows"),
    [
        ("a = t.item()\nb = a * 2\nloss = x * b", True),
        ("a = t.item()\nb = 2\nloss = x * b", False),
        ("print(t.item())\nb = 2\nloss = x * b", False),
        ("kept.append(t.item())\nb = sum(kept)\nloss = x * b", True),
        ("total += t.item()\nb = total\nloss = x * b", True),
        ("obj.a = t.item()\nb = 1\nloss = x * other.a", True),
        ("if t.item() > 1:\n    b = 1\nloss = x * b", False),
        ("if (b := t.item()) > 1:\n    loss = x * b", True),
    ],
)
def test_what_may_go_from_one_statement_to_another(text: str, flows: bool, tmp_path: Path) -> None:
    file = tmp_path / "text.py"
    lines = ["def f(t, x, kept, total, obj, other):", *(f"    {line}" for line in text.split("\n")), "    return loss"]
    file.write_text("\n".join(lines))
    assert may_flow(str(file), 2, len(lines) - 1) == flows


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ("return t.item()", True),
        ("a = t.item()\nreturn a * 2", True),
        ("a = t.item()\nreturn t", False),
        ("print(t.item())\nreturn t", False),
        ("a = [p.item() for p in t]\nreturn t", True),
    ],
)
def test_what_may_leave_a_function(text: str, leaves: bool, tmp_path: Path) -> None:
    file = tmp_path / "text.py"
    file.write_text("\n".join(["def f(t):", *(f"    {line}" for line in text.split("\n"))]))
    assert may_leave(str(file), 2) == leaves
