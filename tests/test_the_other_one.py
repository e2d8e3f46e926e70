"""One thing stands where the other was to be: the former module, the last value, the swapped argument, the copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import copy

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""

# -- a new module in one place of two ----------------------------------------------------------------------------------

RESIZED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Embedding(6, 4, padding_idx=0)
        self.encoder = nn.ModuleDict({"tokens": self.shared, "out": nn.Linear(4, 4)})

    def forward(self, ids):
        return self.encoder["out"](self.encoder["tokens"](ids))

    def resize(self, count):
        new = nn.Embedding(count, 4, padding_idx=0)
        with torch.no_grad():
            new.weight[:6] = self.shared.weight
        self.shared = new  # blamed
        REST


net = Net()
net.resize(8)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randint(0, 6, (8, 3))) - 1).square().mean()
"""

# -- a term that takes the place of the other --------------------------------------------------------------------------

TERMS = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "kind": nn.Linear(4, 3), "slot": nn.Linear(4, 3)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    h, total = torch.tanh(net["body"](torch.randn(8, 4))), 0.0
    if "kind" in net:
        total = F.cross_entropy(net["kind"](h), torch.randint(3, (8,)))
    if "slot" in net:
        part = F.cross_entropy(net["slot"](h), torch.randint(3, (8,)))
        total GIVEN 0.5 * part  # blamed
    return total
"""
ROUNDS = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "heads": nn.ModuleList(nn.Linear(4, 1) for _ in range(3))})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def losses(h):
    total = torch.zeros(())
    for head in net["heads"]:
        value = (head(h) - 1).square().mean()
        total GIVEN value / 3  # blamed
    return total, len(net["heads"])


def compute():
    total, _ = losses(torch.tanh(net["body"](torch.randn(8, 4))))
    return total
"""

# -- arguments in each other's place -----------------------------------------------------------------------------------

SIAMESE = """
class Distance(nn.Module):
    def forward(self, p, z):
        return -F.cosine_similarity(p, z.detach(), dim=-1).mean()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.predictor, self.distance = nn.Linear(4, 4), nn.Linear(4, 4), Distance()

    def forward(self, one, two):
        z1, z2 = self.encoder(one), self.encoder(two)
        p1, p2 = self.predictor(z1), self.predictor(z2)
        return 0.5 * (self.distance(GIVEN) + self.distance(ALSO))  # blamed


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    return net(x + 0.1, x - 0.1)
"""
SYNCED = """
@torch.no_grad()
def copy_weights(source, destination, tau=1.0):
    for old, new in zip(source.parameters(), destination.parameters()):
        new.copy_(tau * old + (1.0 - tau) * new)  # copied


net = nn.Linear(4, 1)
target = copy.deepcopy(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def step():
    loss = (net(torch.randn(8, 4)) - target(torch.randn(8, 4)).detach() - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def train():
    for number in range(24):
        step()
        if number % 4 == 3:
            copy_weights(GIVEN)  # blamed


train()
"""

# -- what was put aside is read in the place of the value --------------------------------------------------------------

BANK = """
class Bank(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("rows", torch.randn(6, 4))

    def push(self, index, rows):
        self.rows[index] = rows.detach()  # put aside
        return RETURNED  # blamed


net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
bank = Bank()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    index = torch.randperm(6)[:3]
    rows = bank.push(index, torch.tanh(net["body"](torch.randn(3, 4))))
    return (net["head"](rows) - 1).square().mean()
"""
OWN_COPY = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    index, rows = torch.randperm(6)[:3], torch.zeros(6, 4)
    rows[index] = torch.tanh(net["body"](torch.randn(3, 4))).detach()  # blamed
    return (net["head"](rows[index]) - 1).square().mean()
"""

# -- a test that lets in one too many ----------------------------------------------------------------------------------

UNIT_NORM = """
net = nn.ModuleDict({"relation": nn.Embedding(5, 4), "relation_scale": nn.Embedding(5, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
PARTS = GIVEN


def project():
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if name.startswith(PARTS):  # blamed
                parameter.copy_(F.normalize(parameter, dim=-1))


def compute():
    project()
    rows = torch.randint(5, (8,))
    return (net["relation"](rows) * net["relation_scale"](rows) - 1).square().mean()
"""

# -- parameters that are gone through before the optimizer gets them ---------------------------------------------------

COUNTED = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "crf": nn.Linear(4, 1)})


def count(parameters):
    return sum(p.numel() for p in parameters)


def build():
    crf = GIVEN
    print(count(net["body"].parameters()), count(crf))  # blamed
    return torch.optim.SGD([{"params": net["body"].parameters()}, {"params": crf, "lr": 0.2}], lr=0.1)


optimizer = build()


def compute():
    return (net["crf"](torch.tanh(net["body"](torch.randn(8, 4)))) - 1).square().mean()
"""

# -- a length that is divided twice ------------------------------------------------------------------------------------

DIVIDED = """
FACTOR = 4
net = nn.ModuleDict({"front": nn.Linear(16, 6), "out": nn.Linear(6, 5)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def collate(items):
    lengths = torch.tensor([len(item) DIVISION for item in items])
    return torch.stack(items), lengths


def encode(x, lengths):
    stacked = x.reshape(2, 8, 16)
    return net["front"](stacked), torch.div(lengths, FACTOR, rounding_mode="floor")  # blamed


def compute():
    x, lengths = collate([torch.randn(32, 4) for _ in range(2)])
    h, lengths = encode(x, lengths)
    scores = net["out"](h).log_softmax(-1).transpose(0, 1)
    targets, counts = torch.randint(1, 5, (2, 3)), torch.tensor([3, 3])
    ctc = F.ctc_loss(scores, targets, lengths, counts, zero_infinity=True)
    return ctc
"""

# -- a teacher that is the student -------------------------------------------------------------------------------------

TEACHER = """
class Distiller:
    def __init__(self, model):
        self.model = model
        self.teacher = GIVEN  # blamed
        for parameter in self.teacher.parameters():
            parameter.requires_grad_(False)

    def loss(self, x):
        with torch.no_grad():
            wanted = self.teacher(x)
        return F.mse_loss(self.model(x), wanted)


net, head = nn.Linear(4, 4), nn.Linear(4, 1)
distiller = Distiller(net)
optimizer = torch.optim.SGD([p for p in [*net.parameters(), *head.parameters()] if p.requires_grad], lr=0.1)


def compute():
    x = torch.randn(8, 4)
    return (head(torch.tanh(net(x))) - 1).square().mean() + distiller.loss(x)
"""
FIXED = """
net, head = nn.Linear(4, 4), nn.Linear(4, 1)
backbone = net
for parameter in backbone.parameters():
    parameter.requires_grad_(False)
with torch.no_grad():
    kept = backbone(torch.randn(8, 4))
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)


def compute():
    return (head(torch.tanh(net(torch.randn(8, 4)))) - 1).square().mean()
"""

# -- a class without a second derivative -------------------------------------------------------------------------------

EQUATION = """
ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}
CONFIG = {
    "width": 8,
    "activation": "GIVEN",  # blamed
}


class Net(nn.Module):
    def __init__(self, width, activation):
        super().__init__()
        act = ACTIVATIONS[activation]
        self.layers = nn.Sequential(nn.Linear(1, width), act(), nn.Linear(width, 1))

    def forward(self, x):
        return self.layers(x)


net, rate = Net(CONFIG["width"], CONFIG["activation"]), nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([*net.parameters(), rate], lr=0.01)


def slope(y, x):
    return torch.autograd.grad(y.sum(), x, create_graph=True)[0]


def compute():
    x = torch.randn(8, 1, requires_grad=True)
    y = net(x)
    return (slope(y, x) - rate * slope(slope(y, x), x)).square().mean() + (y - 1).square().mean()
"""
CASES = {
    "resized": (RESIZED, ("REST", "pass"), ("REST", 'self.encoder["tokens"] = new'), "FXA101"),
    "terms": (TERMS, ("GIVEN", "="), ("GIVEN", "+="), "FXA103"),
    "rounds": (ROUNDS, ("GIVEN", "="), ("GIVEN", "+="), "FXA103"),
    "siamese": (SIAMESE.replace("ALSO", "z1, p2"), ("GIVEN", "z2, p1"), ("GIVEN", "p1, z2"), "FXA104"),
    "bank": (BANK, ("RETURNED", "self.rows[index]"), ("RETURNED", "rows"), "FXA104"),
    "own copy": (OWN_COPY, ("", ""), (".detach()", ""), "FXA104"),
    "unit norm": (UNIT_NORM, ("GIVEN", '"relation"'), ("GIVEN", '"relation."'), "FXA408"),
    "counted": (COUNTED, ("GIVEN", 'net["crf"].parameters()'), ("GIVEN", 'list(net["crf"].parameters())'), "FXA301"),
    "teacher": (TEACHER, ("GIVEN", "model"), ("GIVEN", "copy.deepcopy(model)"), "FXA306"),
    "equation": (EQUATION, ("GIVEN", "relu"), ("GIVEN", "tanh"), "FXA501"),
    "divided": (DIVIDED, ("DIVISION", "// FACTOR"), ("DIVISION", ""), "FXA501"),
}


def _text(kind: str, sound: bool) -> str:
    program, wrong, right, _ = CASES[kind]
    text = program.replace(*right if sound else wrong)
    if sound and kind == "siamese":
        text = text.replace("z1, p2", "p2, z1")
    return HEAD + text + LOOP


@pytest.mark.parametrize("kind", CASES)
def test_the_line_that_took_the_other(kind: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _text(kind, sound=False))
    assert codes(report) == [CASES[kind][-1]]
    assert line_of(report.findings[0]).endswith("# blamed")


@pytest.mark.parametrize("kind", CASES)
def test_nothing_is_said_of_the_right_one(kind: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _text(kind, sound=True))
    assert set(verdicts(report).values()) - {"frozen"} == {"trained"}
    assert codes(report) == []


def test_what_is_frozen_by_another_name_and_not_compared_with_itself(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + FIXED + LOOP)
    assert verdicts(report)["net.weight"] == "frozen"
    assert codes(report) == []


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in CASES if kind not in ("unit norm", "divided", "teacher")])
def test_plain_training_says_the_same(kind: str) -> None:
    assert left_alone(_text(kind, sound=False)) > 0
    assert left_alone(_text(kind, sound=True)) == 0


CLIPPED = """
class Rollback:
    def __init__(self, monitor, mode="min", patience=1):
        self.monitor, self.patience = monitor, patience
        self.sign = 1.0 if mode == "min" else -1.0
        self.best, self.bad, self.kept = float("inf"), 0, None

    def after(self, metrics):
        score = self.sign * metrics[self.monitor]
        if score < self.best:
            self.best, self.bad = score, 0
            self.kept = copy.deepcopy(net.state_dict())
            return
        self.bad += 1
        if self.bad >= self.patience:
            net.load_state_dict(self.kept)
            self.bad = 0


def build(given):
    return Rollback(**{key: value for key, value in given.items() if key != "name"})


net, x = nn.Linear(4, 1), torch.randn(16, 4)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
with open("run.json") as file:
    callback = build(json.load(file))
for epoch in range(12):
    for _ in range(2):
        optimizer.zero_grad()
        (net(x) - 1).square().mean().backward()
        optimizer.step()
    callback.after({"error": (net(x) - 1).square().mean().item()})
"""


@pytest.mark.parametrize(("mode", "found"), [("max", ["FXA408"]), ("min", [])])
def test_a_direction_behind_an_early_return_and_a_filter(mode: str, found: list[str], tmp_path: Path) -> None:
    text = f'{{\n  "name": "rollback",\n  "monitor": "error",\n  "mode": "{mode}"\n}}\n'
    (tmp_path / "run.json").write_text(text, encoding="utf-8")
    report = judged(tmp_path, HEAD.replace("import copy", "import copy\nimport json") + CLIPPED)
    assert codes(report) == found
    assert all(line_of(finding) == '"mode": "max"' for finding in report.findings)


DEFAULT = """
def masked_softmax(scores, mask, dim=-1):
    return torch.softmax(scores.masked_fill(~mask, -1e9), dim=dim)


net = nn.ModuleDict({"score": nn.Linear(4, 1), "out": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    h, mask = torch.randn(8, 5, 4), torch.ones(8, 5, 1, dtype=torch.bool)
    weights = masked_softmax(net["score"](h), maskGIVEN)  # blamed
    return (net["out"]((weights * h).sum(1)) - 1).square().mean()
"""


@pytest.mark.parametrize(("given", "found"), [("", ["FXA501"]), (", dim=1", [])])
def test_a_call_that_leaves_the_dimension_to_the_default(given: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + DEFAULT.replace("GIVEN", given) + LOOP)
    loud = [finding for finding in report.findings if "score.weight" in finding.parameters]
    assert [finding.code for finding in loud] == found
    assert all(line_of(finding).endswith("# blamed") for finding in loud)


CONSTANT = """
net = nn.Linear(4, 1)
first = net.weight.detach().clone()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(8):
    loss = (net(torch.randn(8, 4)) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    with torch.no_grad():
        if WHEN:
            net.weight.copy_(first * 0.5)  # blamed
"""


@pytest.mark.parametrize(("when", "verdict"), [("True", "replaced"), ("epoch in (0, 1)", "trained")])
def test_a_constant_that_is_written_after_each_step(when: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + CONSTANT.replace("WHEN", when))
    assert verdicts(report) == {"weight": verdict, "bias": "trained"}
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)
    assert codes(report) == (["FXA408"] if verdict == "replaced" else [])


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(("given", "found"), [("target, net", ["FXA408"]), ("net, target", [])])
def test_a_copy_the_wrong_way_round_is_to_turn_where_it_is_asked_for(
    given: str, found: list[str], begun: bool, tmp_path: Path
) -> None:
    text = SYNCED.replace("GIVEN", given)
    if begun:  # the helper ran before, the right way round
        text = text.replace("target = copy.deepcopy(net)", "target = nn.Linear(4, 1)\ncopy_weights(net, target)")
    report = judged(tmp_path, HEAD + text)
    assert [finding.code for finding in report.findings if finding.level == "error"] == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings if finding.level == "error")


# -- the input of a loss is detached, not its target -------------------------------------------------------------------

CODEBOOK = """
class Codes(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.codes, self.decoder = nn.Linear(4, 4), nn.Embedding(6, 4), nn.Linear(4, 4)

    def forward(self, x):
        z = self.encoder(x)
        with torch.no_grad():
            nearest = torch.cdist(z, self.codes.weight).argmin(1)
        q = self.codes(nearest)
        pulled = F.mse_loss(z, q.detach())
        moved = F.mse_loss(MOVED)  # blamed
        return self.decoder(z + (q - z).detach()), moved + 0.25 * pulled


net = Codes()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    out, beside = net(x)
    return F.mse_loss(out, x) + beside
"""


@pytest.mark.parametrize(("moved", "verdict"), [("q.detach(), z", "unreachable"), ("q, z.detach()", "trained")])
def test_the_detached_input_of_a_loss_is_blamed_before_a_detached_target(
    moved: str, verdict: str, tmp_path: Path
) -> None:
    report = judged(tmp_path, HEAD + CODEBOOK.replace("MOVED", moved) + LOOP)
    assert verdicts(report)["codes.weight"] == verdict
    blamed = [line_of(finding) for finding in report.findings if finding.level != "note"]
    assert blamed == (["moved = F.mse_loss(q.detach(), z)  # blamed"] if verdict == "unreachable" else [])
