"""What somebody set is blamed, though it bites in another function, by way of a condition, a length or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.spelling import abbreviates, are_opposed
from tests.scripts import LOOP, codes, judged, line_of, verdicts

HEAD = """
import argparse
import json
import warnings
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

torch.manual_seed(0)
warnings.simplefilter("ignore")
"""
TWO = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
"""
OPTIMIZER = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
"""
EPSILON = """
net = nn.Linear(4, 3, bias=False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def length(x, eps=0.0):  # blamed
    return (x.square().sum(-1) + eps).sqrt()


def compute():
    x = torch.randn(8, 4)
    x[0] = 0.0
    return (length(net(x)) - 1).square().mean()
"""
REENTRANT = """
@dataclass
class Memory:
    reentrant: bool = True  # blamed


memory = Memory()
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    h = checkpoint(net["body"], torch.randn(8, 4), use_reentrant=memory.reentrant)
    return net["head"](h).square().mean()
"""
UNPACKED = """
class Net(nn.Module):
    def __init__(self, how=None):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.how = how or {"use_reentrant": True}  # blamed

    def forward(self, x):
        return self.head(checkpoint(self.body, x, **self.how))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
DROPPED = """
SHARE = 1.0  # blamed
net = nn.ModuleDict({"table": nn.Embedding(3, 4), "head": nn.Linear(4, 1)})
null = nn.Parameter(torch.zeros(4))
optimizer = torch.optim.SGD([*net.parameters(), null], lr=0.1)


def compute():
    labels = torch.randint(0, 3, (8,))
    gone = torch.rand(8, 1) < SHARE
    return (net["head"](torch.where(gone, null, net["table"](labels))) - 1).square().mean()
"""
ALONE = """
@dataclass
class Options:
    members: int = 1  # blamed


options = Options()
net = nn.Linear(4, 3)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def advantages(rewards, members):
    grouped = rewards.view(-1, members)
    return (grouped - grouped.mean(1, keepdim=True)).reshape(-1)


def compute():
    rewards = torch.rand(6)
    return -(net(torch.randn(6, 4)).log_softmax(-1)[:, 0] * advantages(rewards, options.members)).mean()
"""
TOO_SHORT = """
class Front(nn.Module):
    factor = 16  # blamed

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(4, 6, 3, stride=2, padding=1)

    def forward(self, x):
        return self.conv(x).transpose(1, 2)

    @classmethod
    def lengths(cls, n):
        return torch.div(n, cls.factor, rounding_mode="floor")


front, out = Front(), nn.Linear(6, 5)
net = nn.ModuleDict({"front": front, "out": out})
criterion = nn.CTCLoss(zero_infinity=True)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    scores = out(front(torch.randn(2, 4, 32))).log_softmax(-1).transpose(0, 1)
    lengths = front.lengths(torch.tensor([32, 32]))
    return criterion(scores, torch.randint(1, 5, (2, 6)), lengths, torch.tensor([6, 6]))
"""
NO_EDGE = """
THRESHOLD = 1.6  # blamed
x = nn.functional.normalize(torch.randn(12, 4), dim=1)
edges = ((x @ x.t()).fill_diagonal_(0.0) > THRESHOLD).nonzero().t()
net = nn.ModuleDict({"own": nn.Linear(4, 1), "near": nn.Linear(4, 1, bias=False)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    source, target = edges
    gathered = torch.zeros_like(x).index_add(0, target, x[source])
    return (net["own"](x) + net["near"](gathered)).square().mean()
"""
TABLE_OF_RATES = """
RATES = {
    "head": 1.0,
    "block": 0.5,  # blamed
}
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(self.blocks(x))


net = Net()


def rate_of(name):
    return RATES.get(name.split(".")[0], 0.0)


def groups():
    found = {}
    for name, parameter in net.named_parameters():
        found.setdefault(rate_of(name), []).append(parameter)
    return [{"params": parameters, "lr": 0.1 * rate} for rate, parameters in found.items()]


optimizer = torch.optim.SGD(groups(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
GIVEN_ONCE = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})


def parts_of(model):
    body = (p for name, p in model.named_parameters() if not name.startswith("head"))  # blamed
    return {"body": body, "head": [*model["head"].parameters()]}


def told(parts):
    for name, members in parts.items():
        print(name, sum(p.numel() for p in members))


def built(parts):
    groups = [
        {"params": parts["head"]},
        {"params": parts["body"]},
    ]
    return torch.optim.SGD(groups, lr=0.1)


parts = parts_of(net)
told(parts)
optimizer = built(parts)


def compute():
    return net["head"](net["body"](torch.randn(8, 4))).square().mean()
"""
HANDED_OVER = """
net = nn.ModuleDict({"maker": nn.Linear(4, 4), "critic": nn.Linear(4, 1)})


def sgd(params, lr):
    return torch.optim.SGD(params, lr=lr)


KINDS = {"sgd": sgd}


def build(name, *args, **kwargs):
    return KINDS[name](*args, **kwargs)


def both():
    first = build("sgd", net["critic"].parameters(), lr=0.1)
    second = build("sgd", net["critic"].parameters(), lr=0.1)  # blamed
    return first, second


other, optimizer = both()


def compute():
    return net["critic"](net["maker"](torch.randn(8, 4))).square().mean()
"""
PASSED_OVER = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["body"].requires_grad_(False)


def built():
    members = [{"params": [p]} for p in net.parameters() if p.requires_grad]  # blamed
    return torch.optim.SGD(members, lr=0.1)


optimizer = built()
net["body"].requires_grad_(True)


def compute():
    return net["head"](net["body"](torch.randn(8, 4))).square().mean()
"""
MISSING_WORD = """
class Words:
    def __init__(self, known):
        self.index = {word: i + 1 for i, word in enumerate(known)}

    def __call__(self, word):
        return self.index.get(word, 0)


countries = Words([str(n) for n in (7, 8, 9)])
users = Words([1, 2, 3])
rows = [(7, 1), (8, 2), (9, 3), (7, 2)]
net = nn.ModuleDict({"country": nn.Embedding(4, 4, padding_idx=0), "user": nn.Embedding(4, 4, padding_idx=0)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def pair(row):
    return countries(row[0]), users(row[1])  # blamed


def compute():
    pairs = [pair(row) for row in rows]
    country, user = torch.tensor([p[0] for p in pairs]), torch.tensor([p[1] for p in pairs])
    return (net["country"](country) + net["user"](user)).square().mean()
"""
EVERY = """
parser = argparse.ArgumentParser()
parser.add_argument("--accumulate", type=int, default=32)  # blamed
options = parser.parse_args([])
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def epoch(every):
    for i, x in enumerate(torch.randn(8, 4, 4)):
        loss = net(x).square().mean() / every
        loss.backward()
        if (i + 1) % every == 0:
            optimizer.step()
            optimizer.zero_grad()


for _ in range(3):
    epoch(options.accumulate)
"""
WAY = """
class Joined(nn.Module):
    def __init__(self, mode="last"):  # blamed
        super().__init__()
        self.mode = mode
        self.score = nn.Linear(4, 1)

    def forward(self, layers):
        if self.mode == "last":
            return layers[-1]
        stacked = torch.stack(layers, 1)
        if self.mode == "mean":
            return stacked.mean(1)
        return (self.score(stacked).softmax(1) * stacked).sum(1)


net = nn.ModuleDict({"first": nn.Linear(4, 4), "second": nn.Linear(4, 4), "joined": Joined()})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    first = net["first"](torch.randn(8, 4))
    return net["joined"]([first, net["second"](first)]).square().mean()
"""
MERGED = """
class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(4, 4)
        self.down, self.up = nn.Parameter(torch.randn(2, 4)), nn.Parameter(torch.zeros(4, 2))
        self.merged = False

    def delta(self):
        return self.up @ self.down

    def train(self, mode=True):
        super().train(mode)
        if mode and not self.merged:  # blamed
            self.base.weight.data -= self.delta().data
            self.merged = False
        elif not mode and not self.merged:
            self.base.weight.data += self.delta().data
            self.merged = True
        return self

    def forward(self, x):
        y = self.base(x)
        if not self.merged:
            y = y + x @ self.delta().t()
        return y


net = Adapted()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def validate():
    net.eval()
    return net(torch.randn(8, 4)).mean().item()


print(validate())
net.train()


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
NEVER_UNMERGED = """
class Adapted(nn.Module):
    def __init__(self):
        super().__init__()
        self.base = nn.Linear(4, 4)
        self.down, self.up = nn.Parameter(torch.randn(2, 4)), nn.Parameter(torch.zeros(4, 2))
        self.merged = False

    def delta(self):
        return self.up @ self.down

    @torch.no_grad()
    def merge(self):
        if not self.merged:
            self.base.weight += self.delta()
            self.merged = True

    @torch.no_grad()
    def unmerge(self):
        if self.merged:
            self.base.weight -= self.delta()
            self.merged = False

    def forward(self, x):
        if self.merged:
            return self.base(x)
        return self.base(x) + x @ self.delta().t()


net = Adapted()
for parameter in net.parameters():
    parameter.requires_grad_(True)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


@torch.no_grad()
def validate():
    net.merge()  # blamed
    return net(torch.randn(8, 4)).mean().item()


print(validate())


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
NUMBERED = """
net = nn.ModuleDict({"blocks": nn.ModuleList(nn.Linear(4, 4) for _ in range(12)), "head": nn.Linear(4, 1)})


def matches(name, prefix):
    return name.startswith(prefix)  # blamed


for name, parameter in net.named_parameters():
    if any(matches(name, prefix) for prefix in ("blocks.0", "blocks.1")):
        parameter.requires_grad_(False)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    h = torch.randn(8, 4)
    for block in net["blocks"]:
        h = block(h)
    return net["head"](h).square().mean()
"""
LATER = """
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["body"].requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def unfreeze(module):
    for parameter in module.parameters():
        parameter.require_grad = True  # blamed


def compute():
    if epoch == 3:
        unfreeze(net["body"])
    return net["head"](net["body"](torch.randn(8, 4))).square().mean()
"""
HANDLERS = """
class Step:
    priority = 60

    def after_backward(self):
        optimizer.step()


class Clear:
    priority = 40  # blamed

    def after_backward(self):
        optimizer.zero_grad()


handlers = sorted([Step(), Clear()], key=lambda handler: handler.priority)
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    net(torch.randn(8, 4)).square().mean().backward()
    for handler in handlers:
        handler.after_backward()
"""
IN_A_LIST = """
class Step:
    def after_backward(self):
        optimizer.step()


class Clear:
    def after_backward(self):
        optimizer.zero_grad()


handlers = [
    Clear(),  # blamed
    Step(),
]
net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    net(torch.randn(8, 4)).square().mean().backward()
    for handler in handlers:
        handler.after_backward()
"""
GIVEN_TWICE = """
net = nn.ModuleDict({"user": nn.Embedding(6, 4), "item": nn.Embedding(6, 4)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def batch():
    columns = torch.randint(0, 6, (3, 8))
    return {
        "user": columns[0],
        "liked": columns[1],
        "other": columns[1],  # blamed
    }


def scores(rows):
    user = net["user"](rows["user"])
    return (user * net["item"](rows["liked"])).sum(-1), (user * net["item"](rows["other"])).sum(-1)


def compute():
    liked, other = scores(batch())
    return -nn.functional.logsigmoid(liked - other).mean()
"""
SHARE = """
CAPACITY = 0.05  # blamed


class Experts(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor
        self.experts = nn.ModuleList(nn.Linear(4, 4) for _ in range(2))

    def forward(self, x):
        capacity = int(self.factor * x.size(0) / len(self.experts))
        out = torch.zeros_like(x)
        for number, expert in enumerate(self.experts):
            chosen = (torch.arange(len(x)) % 2 == number).nonzero().squeeze(-1)[:capacity]
            out = out.index_add(0, chosen, expert(x[chosen]))
        return out


net = nn.ModuleDict({"experts": Experts(CAPACITY), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    return net["head"](x + net["experts"](x)).square().mean()
"""
COUNTED = """
SUBSAMPLING = 16  # blamed
net = nn.ModuleDict({"front": nn.Conv1d(4, 6, 3, stride=2, padding=1), "out": nn.Linear(6, 5)})
criterion = nn.CTCLoss(zero_infinity=True)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def batch():
    features = [torch.randn(4, 32) for _ in range(2)]
    lengths = torch.tensor([f.shape[1] // SUBSAMPLING for f in features])
    return torch.stack(features), lengths


def compute():
    features, lengths = batch()
    scores = net["out"](net["front"](features).transpose(1, 2)).log_softmax(-1).transpose(0, 1)
    return criterion(scores, torch.randint(1, 5, (2, 6)), lengths, torch.tensor([6, 6]))
"""
UPPER_BOUND = """
class Policy(nn.Module):
    LOWEST = -5.0
    HIGHEST = 0.0  # blamed

    def __init__(self):
        super().__init__()
        self.mean, self.log_std = nn.Linear(4, 2), nn.Parameter(torch.full((2,), 0.5))

    def forward(self, x):
        return self.mean(x) * torch.clamp(self.log_std, self.LOWEST, self.HIGHEST).exp()


net = Policy()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""
OF_ONE = """
class Churn(nn.Module):
    def __init__(self):
        super().__init__()
        self.out = nn.Linear(4, 1)
        self.share = nn.Softmax(dim=1)  # blamed

    def forward(self, x):
        return self.share(self.out(x))


net = Churn()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 0.5).square().mean()
"""
GUARDED = """
if __name__ == "__main__":
    net, weights = nn.Linear(4, 1), nn.ParameterDict({"loss": nn.Parameter(torch.zeros(()))})
    model = nn.ModuleDict({"net": net})
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)  # blamed
    for _ in range(3):
        loss = net(torch.randn(8, 4)).square().mean() * torch.exp(-weights["loss"]) + weights["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
OLD_VARIABLE = """
from torch.autograd import Variable

net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = Variable(torch.randn(8, 4))
    h = Variable(net["body"](x))  # blamed
    return net["head"](h).square().mean()
"""
SCRIPTS = {
    name.lower(): text
    for name, text in list(globals().items())
    if isinstance(text, str) and "# blamed" in text and name.isupper()
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_was_set_is_blamed(name: str, tmp_path: Path) -> None:
    loop = "" if "for _ in range(3):" in SCRIPTS[name] else LOOP
    report = judged(tmp_path, HEAD + SCRIPTS[name] + loop)
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert [line_of(finding)[-8:] for finding in loud[:1]] == ["# blamed"], [str(f.culprit) for f in loud]


IN_A_FILE = """
def loaded(name):
    return json.loads((Path(__file__).parent / f"{name}.json").read_text())


options = loaded("base")
net = nn.ModuleDict({"body": nn.Linear(4, 1), "extra": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = torch.randn(8, 4)
    return net["body"](x).square().mean() + options.get("KEY", 0.0) * net["extra"](x).square().mean()
"""


@pytest.mark.parametrize(
    ("key", "text", "line"),
    [
        ("extra_weight", '{\n  "epochs": 4,\n  "extra_weight": 0.0\n}\n', 3),
        ("aux_weight", '{\n  "epochs": 4,\n  "auxiliary_weight": 0.4\n}\n', 3),
    ],
)
def test_a_file_is_found_whose_name_is_put_together(key: str, text: str, line: int, tmp_path: Path) -> None:
    (tmp_path / "base.json").write_text(text)
    (finding,) = judged(tmp_path, HEAD + IN_A_FILE.replace("KEY", key) + LOOP).findings
    assert finding.culprit is not None
    assert (finding.culprit.file, finding.culprit.line) == ("base.json", line)


def test_a_word_may_be_cut_short() -> None:
    assert abbreviates("aux_weight", "auxiliary_weight") and abbreviates("learning_rate", "learn_rate")
    assert not abbreviates("aux_weight", "aux_weights_of") and not abbreviates("a_weight", "auxiliary_weight")
    assert not abbreviates("weight", "w")


KEPT_NAMES = """
net = nn.ModuleDict({"lora": nn.Linear(4, 4), "classifier": nn.Linear(4, 1)})
TRAINED = ("adapter", "classifier")  # named
for name, parameter in net.named_parameters():
    parameter.requires_grad_(any(part in name for part in TRAINED))
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return net["classifier"](net["lora"](torch.randn(8, 4))).square().mean()
"""


def test_a_name_that_nothing_has_is_a_note(tmp_path: Path) -> None:
    """One list may serve several models."""
    report = judged(tmp_path, HEAD + KEPT_NAMES + LOOP)
    assert codes(report) == ["FXA309"] and report.findings[0].level == "note"
    assert line_of(report.findings[0]).endswith("# named")
    assert verdicts(report)["lora.weight"] == "frozen"


SPOILT = """
net = nn.ModuleDict({"kinds": nn.Linear(4, 3), "sizes": nn.Linear(4, 1)})


optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def kinds_loss(x):
    labels = torch.full((8,), -1)
    return nn.functional.cross_entropy(net["kinds"](x), labels, ignore_index=-1)  # spoilt


for epoch in range(4):
    x = torch.randn(8, 4)
    loss = kinds_loss(x) + net["sizes"](x).square().mean()
    optimizer.zero_grad()
    loss.backward()
    if not torch.isfinite(loss):
        continue
    optimizer.step()
"""


def test_steps_that_are_passed_over_because_the_loss_is_nan(tmp_path: Path) -> None:
    """The gradient of the part that has labels is finite, and the loss is not."""
    report = judged(tmp_path, HEAD + SPOILT)
    assert "FXA401" not in codes(report)
    (finding,) = [finding for finding in report.findings if finding.code == "FXA502"]
    assert line_of(finding).endswith("# spoilt") and "the loss behind" in finding.message


TIED_LATE = """
net = nn.ModuleDict({"encoder": nn.Embedding(6, 4), "decoder": nn.Linear(4, 6, bias=False)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
net["decoder"].weight = net["encoder"].weight


def compute():
    words = torch.randint(0, 6, (8,))
    return nn.functional.cross_entropy(net["decoder"](net["encoder"](words)), words)
"""


def test_weights_that_are_tied_late_are_no_more_than_a_note(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + TIED_LATE + LOOP)
    assert [(finding.code, finding.level) for finding in report.findings] == [("FXA303", "note")]
    assert verdicts(report)["encoder.weight"] == "trained"


RESPELT = """
SETTINGS = {{
    "rate": 0.1,
    "neck": {set},
}}
net = nn.ModuleDict({{"body": nn.Linear(4, 4), "neck": nn.Linear(4, 4), "head": nn.Linear(4, 1)}})
optimizer = torch.optim.SGD(net.parameters(), lr=SETTINGS["rate"])


class Model:
    def __init__(self, kind):
        self.kind = kind
        self.has_neck = {has}


model = Model(SETTINGS["neck"])


def compute():
    x = net["body"](torch.randn(8, 4))
    if {asked}:  # asked
        x = net["neck"](x)
    return net["head"](x).square().mean()
"""


@pytest.mark.parametrize(
    ("given", "has", "asked"),
    [
        ('"linaer"', "kind == 'linear'", "model.has_neck"),
        ('"Linear"', "None", "model.kind == 'linear'"),
        ('"linea"', "kind in ('linear', 'convolution')", "model.has_neck"),
        ('"linearr"', "None", "model.kind in ('convolution', 'linear')"),
        ('"convolutoin"', "None", "model.kind in ('convolution', 'linear')"),
    ],
)
def test_a_setting_that_is_nearly_what_a_test_asks_for_is_blamed(
    tmp_path: Path, given: str, has: str, asked: str
) -> None:
    program = RESPELT.format(set=given, has=has, asked=asked).replace(f'"neck": {given},', f'"neck": {given},  # set')
    report = judged(tmp_path, HEAD + program + LOOP)
    (finding,) = report.findings
    assert finding.parameters == ("neck.weight", "neck.bias") and line_of(finding).endswith("# set")
    assert any(related.source.code.endswith("# asked") for related in finding.related)
    meant = "convolution" if "convol" in given else "linear"
    assert finding.fix.startswith(f"Write `{meant}` in place of `{given.strip(chr(34))}`: line ")


WEIGHED = """
AUX = {given}  # set
net = nn.ModuleDict({{"body": nn.Linear(4, 4), "aux": nn.Linear(4, 1), "head": nn.Linear(4, 1)}})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x = net["body"](torch.randn(8, 4))
    weight = 1.0 if AUX == "average" else 0.0
    return net["head"](x).square().mean() + weight * net["aux"](x).square().mean()
"""


def test_a_factor_that_is_0_because_of_a_misspelt_word_is_mended_by_the_word(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + WEIGHED.format(given='"averge"') + LOOP)
    (finding,) = report.findings
    assert line_of(finding).endswith("# set") and finding.fix.startswith("Write `average` in place of `averge`: line ")
    report = judged(tmp_path, HEAD + WEIGHED.format(given='"none"') + LOOP)
    (finding,) = report.findings
    assert "Write" not in finding.fix
    assert not judged(tmp_path, HEAD + WEIGHED.format(given='"average"') + LOOP).findings


GATED = """
class Net(nn.Module):
    def __init__(self, has_gate=False):  # set
        super().__init__()
        self.has_gate = has_gate
        self.body, self.gate = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        h = self.body(x)
        if self.has_gate:
            h = h * self.gate(x)
        return h


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""


def test_what_a_setting_switches_off_is_mended_by_the_setting(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + GATED + LOOP).findings
    assert finding.code == "FXA101" and line_of(finding).endswith("# set")
    assert finding.fix == "Give `self.has_gate` another value here, or remove the module from the model."


@pytest.mark.parametrize("given", ['"linear2"', '"none"', '"linaer"'])
def test_a_setting_that_is_something_else_is_a_choice(tmp_path: Path, given: str) -> None:
    """Another number is another kind; and what the program mentions a second time is no slip."""
    second = 'assert SETTINGS["neck"] in ("linaer", "linear2", "none")\n'
    program = RESPELT.format(set=given, has="None", asked="model.kind == 'linear'") + second
    report = judged(tmp_path, HEAD + program + LOOP)
    (finding,) = report.findings
    assert line_of(finding).endswith("# asked")


SHARES = """
class Settings:
    SHARE = VALUE


class Paths(nn.Module):
    def __init__(self, PARAMETER):
        super().__init__()
        self.share = PARAMETER

    def forward(self, x):
        return x * (torch.rand(len(x), 1) COMPARED self.share)


class Net(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)
        self.paths = Paths(GIVEN)  # blamed

    def forward(self, x):
        return self.head(x + self.paths(self.body(x)))


net = Net(Settings())
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


def _shares(share: str, value: str, parameter: str, compared: str, given: str) -> str:
    program = SHARES.replace("SHARE", share).replace("VALUE", value).replace("PARAMETER", parameter)
    return HEAD + program.replace("COMPARED", compared).replace("GIVEN", given) + LOOP


@pytest.mark.parametrize(
    ("share", "value", "parameter", "compared"),
    [("drop_path", "0.0", "keep_prob", "<"), ("keep", "1.0", "drop", ">="), ("survival", "1.0", "p_drop", ">=")],
)
def test_what_is_kept_is_not_what_is_dropped(
    tmp_path: Path, share: str, value: str, parameter: str, compared: str
) -> None:
    (finding,) = judged(tmp_path, _shares(share, value, parameter, compared, f"settings.{share}")).findings
    assert line_of(finding).endswith("# blamed") and finding.fix.startswith(f"Give `1 - settings.{share}`")
    assert not judged(tmp_path, _shares(share, value, parameter, compared, f"1 - settings.{share}")).findings


def test_a_share_of_the_same_kind_is_blamed_where_it_is_set(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _shares("drop", "1.0", "drop_path", ">=", "settings.drop")).findings
    assert line_of(finding).strip() == "drop = 1.0"


def test_shares_are_opposed_by_their_words() -> None:
    assert are_opposed("keep_prob", "drop_path") and are_opposed("p_uncond", "cond_keep")
    assert not are_opposed("drop_keep", "keep") and not are_opposed("keep", "keep_prob") and not are_opposed("p", "q")


CHOSEN = """
INITS = {"zeros": nn.init.zeros_, "normal": nn.init.normal_}


@dataclass
class Options:
    down: str = DOWN  # blamed
    up: str = "zeros"


class Adapter(nn.Module):
    def __init__(self, options):
        super().__init__()
        self.base = nn.Linear(4, 4).requires_grad_(False)
        self.down, self.up = nn.Parameter(torch.empty(2, 4)), nn.Parameter(torch.empty(4, 2))
        INITS[options.down](self.down)  # asked
        INITS[options.up](self.up)

    def forward(self, x):
        return self.base(x) + x @ self.down.T @ self.up.T


net = Adapter(Options())
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


def test_a_setting_that_chooses_what_fills_with_zeros_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + CHOSEN.replace("DOWN", '"zeros"') + LOOP).findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# blamed") and "`zeros`" in finding.fix
    assert any(related.source.code.endswith("# asked") for related in finding.related)
    assert not judged(tmp_path, HEAD + CHOSEN.replace("DOWN", '"normal"') + LOOP).findings


def test_what_fills_by_several_settings_is_blamed_itself(tmp_path: Path) -> None:
    program = CHOSEN.replace("DOWN", '"zeros"').replace("        INITS[options.up](self.up)\n", "")
    each = (
        "        for kind, part in ((options.down, self.down), (options.up, self.up)):\n            INITS[kind](part)\n"
    )
    program = program.replace("        INITS[options.down](self.down)  # asked\n", each)
    (finding,) = judged(tmp_path, HEAD + program + LOOP).findings
    assert finding.code == "FXA501" and line_of(finding).strip() == "INITS[kind](part)"


ROWS = """
class Words:
    def __init__(self, words):
        self.ids = {word: number for number, word in enumerate(words)}

    def add(self, words):
        for word in words:
            self.ids.setdefault(word, len(self.ids))

    def __len__(self):
        return len(self.ids)


def keep_rows(table, first):
    mask = torch.ones(table.num_embeddings, 1)
    mask[:first] = 0
    table.weight.register_hook(lambda grad: grad * mask)  # hook


words = Words("abcd")
BEFORE
known = len(words)  # blamed
words.add("efg")
net = nn.ModuleDict({"table": nn.Embedding(len(words), 4), "head": nn.Linear(4, 1)})
keep_rows(net["table"], known)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net["head"](net["table"](torch.arange(7))) - 1).square().mean()
"""


def test_a_count_by_which_a_hook_masks_every_row_is_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + ROWS.replace("BEFORE", 'words.add("efg")') + LOOP).findings
    assert finding.code == "FXA504" and line_of(finding).endswith("# blamed")
    assert any(related.role == "all 7 are filled with zeros here" for related in finding.related)
    assert not judged(tmp_path, HEAD + ROWS.replace("BEFORE", "") + LOOP).findings


def test_a_mask_of_zeros_that_nobody_counted_is_blamed_on_its_hook(tmp_path: Path) -> None:
    program = ROWS.replace("BEFORE", "").replace("mask[:first] = 0", "mask[:] = 0")
    (finding,) = judged(tmp_path, HEAD + program + LOOP).findings
    assert finding.code == "FXA504" and line_of(finding).endswith("# hook")


SWITCHES = """
class Settings:
    tune = FLAG  # blamed


net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    x = torch.randn(8, 4)
    with torch.set_grad_enabled(REGION):
        h = net["body"](x)
    loss = net["head"](h).square().mean()
    optimizer.zero_grad()
    if CALLED:
        loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("region", "called", "fix"),
    [
        ("Settings.tune", "True", "Give the flag another value here, so that gradients are on in training."),
        ("True", "Settings.tune", "Give `Settings.tune` another value here, so that the call runs."),
    ],
)
def test_a_flag_is_mended_where_it_is_set(tmp_path: Path, region: str, called: str, fix: str) -> None:
    program = HEAD + SWITCHES.replace("REGION", region).replace("CALLED", called)
    (finding,) = judged(tmp_path, program.replace("FLAG", "False")).findings
    assert line_of(finding).endswith("# blamed") and finding.fix == fix
    assert not judged(tmp_path, program.replace("FLAG", "True")).findings


FILLED = """
class Memory:
    def __init__(self):
        self.rows = []

    def __len__(self):
        return len(self.rows)


class Learner:
    WARM = 100  # blamed

    def __init__(self):
        self.net, self.memory = nn.Linear(4, 1), Memory()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)

    def learn(self):
        if len(self.memory) < self.WARM:
            return
        loss = self.net(torch.stack(self.memory.rows[-8:])).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()


learner = Learner()
for _ in range(20):
    learner.memory.rows.append(torch.randn(4))
    learner.learn()
"""


def test_a_memory_that_never_fills_is_mended_where_its_size_is_set(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + FILLED).findings
    assert finding.code == "FXA402" and line_of(finding).endswith("# blamed")
    assert not judged(tmp_path, HEAD + FILLED.replace("WARM = 100", "WARM = 8")).findings
