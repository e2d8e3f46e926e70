"""Numbers of steps that count something else, and what is handed out, split or resized in another file or function."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- samples for batches -----------------------------------------------------------------------------------------------

DATA = """
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
train_set = TensorDataset(torch.randn(64, 4), torch.randint(0, 2, (64,)))
train_loader = DataLoader(train_set, batch_size=16, shuffle=True)
net = nn.ModuleDict({"trunk": nn.Linear(4, 8), "head": nn.Linear(8, 2)})
optimizer = torch.optim.SGD(
    [{"params": net["trunk"].parameters(), "late": 1.0}, {"params": net["head"].parameters(), "late": 0.0}], lr=0.1
)
"""
ROUNDS = """
for epoch in range(4):
    for x, y in train_loader:
        loss = F.cross_entropy(net["head"](torch.relu(net["trunk"](x))), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        AFTER
"""
RAMP = """
class Ramp:
    def __init__(self, start):
        self.start = start

    def __call__(self, step):
        TEST


def schedule(optimizer, steps_per_epoch):
    return LambdaLR(optimizer, [Ramp(int(group["late"] * steps_per_epoch)) for group in optimizer.param_groups])


scheduler = schedule(optimizer, COUNT)  # blamed
"""
TESTS = {
    "shifted": "step = step - self.start\n        if step < 0:\n            return 0.0\n        return 1.0",
    "compared": "if step < self.start:\n            return 0.0\n        return min(1.0, (step + 1 - self.start) / 2)",
}
THAW = """
class Thaw:
    def __init__(self, module, freeze_steps):
        self.module, self.freeze_steps, self.step = module, freeze_steps, 0
        self.module.requires_grad_(False)

    def advance(self):
        self.step += 1
        if self.step >= self.freeze_steps:
            self.module.requires_grad_(True)


steps_per_epoch = COUNT  # blamed
thaw = Thaw(net["trunk"], freeze_steps=steps_per_epoch)
"""


def ramped(test: str, count: str) -> str:
    return (
        DATA + RAMP.replace("TEST", TESTS[test]).replace("COUNT", count) + ROUNDS.replace("AFTER", "scheduler.step()")
    )


def thawed(count: str) -> str:
    return DATA + THAW.replace("COUNT", count) + ROUNDS.replace("AFTER", "thaw.advance()")


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("count", ["len(train_set)", "steps_per_epoch=len(train_set)", "len(train_loader.dataset)"])
def test_a_schedule_that_counts_samples_is_blamed_where_they_are_counted(test: str, count: str, tmp_path: Path) -> None:
    report = judged(tmp_path, ramped(test, count))
    (finding,) = report.findings
    assert finding.code == "FXA304"
    assert verdicts(report)["trunk.weight"] == "blocked"
    assert line_of(finding) == f"scheduler = schedule(optimizer, {count})  # blamed"
    assert "counts samples" in (finding.fix or "")


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize("count", ["len(train_loader)", "len(train_set) // 16"])
def test_a_schedule_that_counts_batches_trains(test: str, count: str, tmp_path: Path) -> None:
    report = judged(tmp_path, ramped(test, count))
    assert not report.findings
    assert set(verdicts(report).values()) == {"trained"}


def test_a_delay_without_any_count_is_told_where_it_returns_the_zero(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, ramped("compared", "500")).findings
    assert line_of(finding) == "return 0.0"
    assert "counts samples" not in (finding.fix or "")


def test_a_thaw_that_waits_for_samples_is_blamed_where_they_are_counted(tmp_path: Path) -> None:
    report = judged(tmp_path, thawed("len(train_set)"))
    (finding,) = report.findings
    assert verdicts(report)["trunk.weight"] == "frozen"
    assert line_of(finding) == "steps_per_epoch = len(train_set)  # blamed"
    assert not judged(tmp_path, thawed("len(train_loader)")).findings


@pytest.mark.slow
@pytest.mark.parametrize(("count", "share"), [("len(train_set)", 0.5), ("len(train_loader)", 0.0)])
def test_plain_training_leaves_alone_what_waits_for_samples(count: str, share: float) -> None:
    assert left_alone(ramped("shifted", count)) == share
    assert left_alone(thawed(count)) == share


# -- a scheduler behind the loop of a comprehension --------------------------------------------------------------------

EPOCHS = """
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(0)
net = nn.ModuleDict({"trunk": nn.Linear(4, 8), "head": nn.Linear(8, 2)})
optimizer = torch.optim.SGD([{"params": part.parameters()} for part in net.values()], lr=0.1)


class Late:
    def __init__(self, start):
        self.start = start

    def __call__(self, iteration):
        if iteration < self.start:
            return 0.0
        return 1.0


scheduler = LambdaLR(optimizer, [Late(6), Late(0)])


def train_batch(x):
    loss = net["head"](torch.relu(net["trunk"](x))).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    INSIDE
    return loss.item()


batches = torch.randn(8, 16, 4)
for epoch in range(2):
    losses = [train_batch(batch) for batch in batches]
    BEHIND
"""


def stepped(inside: str, behind: str) -> str:
    return EPOCHS.replace("INSIDE", inside).replace("BEHIND", behind)


def test_a_scheduler_behind_a_comprehension_that_trains_is_blamed(tmp_path: Path) -> None:
    report = judged(tmp_path, stepped("pass", "scheduler.step()"))
    (finding,) = report.findings
    assert finding.code == "FXA304"
    assert line_of(finding) == "scheduler.step()"
    assert verdicts(report)["trunk.weight"] == "blocked"
    assert not judged(tmp_path, stepped("scheduler.step()", "pass")).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_what_an_epoch_advances() -> None:
    assert left_alone(stepped("pass", "scheduler.step()")) == 0.5
    assert left_alone(stepped("scheduler.step()", "pass")) == 0.0


# -- what is handed out from a cache -----------------------------------------------------------------------------------

INDEX = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)


class Index:
    def __init__(self, tower, count):
        self.tower, self.count, self.table = tower, count, None

    @torch.no_grad()
    def refresh(self):
        self.table = self.tower(torch.arange(self.count))

    def vectors(self, ids, fresh=DEFAULT):  # blamed
        if fresh or self.table is None:
            return self.tower(ids)
        return self.table[ids]


net = nn.ModuleDict({"user": nn.Embedding(8, 4), "item": nn.Embedding(6, 4)})
index = Index(net["item"], 6)
index.refresh()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    users, items = torch.randint(0, 8, (16,)), torch.randint(0, 6, (16,))
    score = (net["user"](users) * index.vectors(ASKED)).sum(-1)
    return F.softplus(-score).mean()
"""


def indexed(default: str, asked: str) -> str:
    return INDEX.replace("DEFAULT", default).replace("ASKED", asked) + LOOP


def test_the_default_by_which_a_cache_without_gradients_is_handed_out_is_blamed(tmp_path: Path) -> None:
    report = judged(tmp_path, indexed("False", "items"))
    (finding,) = report.findings
    assert finding.code == "FXA105"
    assert line_of(finding) == "def vectors(self, ids, fresh=False):  # blamed"
    assert verdicts(report)["item.weight"] == "unreachable"


@pytest.mark.parametrize(("default", "asked"), [("True", "items"), ("False", "items, fresh=True")])
def test_what_is_computed_anew_trains(default: str, asked: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, indexed(default, asked)).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_what_a_cache_hands_out() -> None:
    assert left_alone(indexed("False", "items")) == 0.5
    assert left_alone(indexed("True", "items")) == 0.0


# -- split in another file, resized by a hook --------------------------------------------------------------------------

GROUPS = """
def decay_groups(model):
    decay, others = [], []
    for name, parameter in model.named_parameters():
        if parameter.ndim > 1:
            decay.append(parameter)
        LAST
            others.append(parameter)
    return [{"params": decay, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
"""
BUILT = """
import torch
from torch import nn

from groups import decay_groups

KINDS = {"sgd": torch.optim.SGD}


def build(model, kind):
    cls = KINDS[kind]
    return cls(decay_groups(model), lr=0.1)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc, self.norm = nn.Linear(4, 4), nn.LayerNorm(4)
        self.gamma = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return x + self.gamma * torch.tanh(self.fc(self.norm(x)))


torch.manual_seed(0)
net = nn.Sequential(Block(), Block())
optimizer = build(net, "sgd")


def compute():
    return net(torch.randn(16, 4)).square().mean()
"""


@pytest.mark.parametrize("last", ['elif name.endswith(".bias") or "norm" in name:', "else:"])
def test_the_last_test_of_a_split_in_another_file_is_blamed(last: str, tmp_path: Path) -> None:
    (tmp_path / "groups.py").write_text(GROUPS.replace("LAST", last), encoding="utf-8")
    report = judged(tmp_path, BUILT + LOOP)
    if last == "else:":
        assert not report.findings
        return
    (finding,) = report.findings
    assert finding.code == "FXA301"
    assert finding.culprit is not None
    assert (finding.culprit.file.rpartition("/")[2], line_of(finding)) == ("groups.py", last)
    assert verdicts(report)["0.gamma"] == "excluded"


@pytest.mark.slow
@pytest.mark.parametrize(("last", "share"), [('elif name.endswith(".bias") or "norm" in name:', 0.2), ("else:", 0.0)])
def test_plain_training_leaves_alone_what_a_split_lets_fall_through(
    last: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "groups.py").write_text(GROUPS.replace("LAST", last), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "groups", raising=False)
    assert left_alone(BUILT + LOOP) == pytest.approx(share)
    monkeypatch.delitem(sys.modules, "groups", raising=False)


FITTED = """
import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed, self.out = nn.Embedding(4, 8), nn.Linear(8, 1)

    def resize(self, count):
        new = nn.Embedding(count, 8)
        with torch.no_grad():
            new.weight[:4] = self.embed.weight
        self.embed = new

    def forward(self, ids):
        return self.out(torch.tanh(self.embed(ids)))


class Task:
    def __init__(self):
        self.net = Net()

    def configure_optimizers(self):
        return torch.optim.SGD(self.net.parameters(), lr=0.1)

    def on_fit_start(self):
        self.net.resize(6)


torch.manual_seed(0)
task = Task()


class Fitter:
    def fit(self, task):
        FIRST
        SECOND
        for epoch in range(4):
            loss = task.net(torch.randint(0, 6, (16,))).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()


Fitter().fit(task)
"""
CALLS = ("optimizer = task.configure_optimizers()", "task.on_fit_start()")


def test_a_hook_that_resizes_behind_the_optimizer_is_blamed_where_it_is_called(tmp_path: Path) -> None:
    report = judged(tmp_path, FITTED.replace("FIRST", CALLS[0]).replace("SECOND", CALLS[1]))
    (finding,) = report.findings
    assert finding.code == "FXA204"
    assert line_of(finding) == "task.on_fit_start()"
    report = judged(tmp_path, FITTED.replace("FIRST", CALLS[1]).replace("SECOND", CALLS[0]))
    assert codes(report) == []


# -- leaves that a library makes ---------------------------------------------------------------------------------------

STACKED = """
import copy

import torch
from torch import nn
from torch.func import functional_call, stack_module_state


class Ensemble(nn.Module):
    def __init__(self):
        super().__init__()
        self.members = nn.ModuleList(nn.Linear(4, 1) for _ in range(3))
        skeleton = copy.deepcopy(self.members[0]).to("meta")
        self._call = lambda state, z: functional_call(skeleton, state, (z,))
        self._state, _ = stack_module_state(self.members)
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.scale * torch.vmap(self._call, in_dims=(0, None))(self._state, x)


torch.manual_seed(0)
net = Ensemble()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return net(torch.randn(16, 4)).square().mean()
"""


def test_leaves_that_a_library_made_are_one_finding_at_the_line_that_asked_for_them(tmp_path: Path) -> None:
    report = judged(tmp_path, STACKED + LOOP)
    (finding,) = (finding for finding in report.findings if finding.code == "FXA205")
    assert line_of(finding) == "self._state, _ = stack_module_state(self.members)"
    assert len(finding.parameters) == 2
    assert verdicts(report)["scale"] == "trained"


# -- rates that are rounded away, in a group that a registry hands on --------------------------------------------------

ROUNDED = """
import torch
from torch import nn

OPTIMIZERS = {}


def register(make):
    OPTIMIZERS[make.__name__] = make
    return make


@register
def sgd(groups):
    return torch.optim.SGD(groups, momentum=0.9)


def layerwise(parts, base, decay):
    groups = []
    for depth, part in enumerate(parts):
        lr = ROUND  # blamed
        groups.append({"params": list(part.parameters()), "lr": lr})
    return groups


def build(name, groups):
    return OPTIMIZERS[name](groups)


torch.manual_seed(0)
net = nn.ModuleDict({"head": nn.Linear(8, 1), "trunk": nn.Linear(4, 8), "stem": nn.Linear(4, 4)})
groups = layerwise(net.values(), 1e-3, 0.1)
optimizer = build("sgd", groups)


def compute():
    return net["head"](torch.relu(net["trunk"](torch.tanh(net["stem"](torch.randn(8, 4)))))).square().mean()
"""


def rounded(way: str) -> str:
    return ROUNDED.replace("ROUND", way) + LOOP


@pytest.mark.parametrize("way", ["round(base * decay**depth, 4)", "round(base * decay**depth, ndigits)"])
def test_a_rate_that_is_rounded_away_is_blamed_where_it_is_rounded(way: str, tmp_path: Path) -> None:
    text = rounded(way).replace("OPTIMIZERS = {}", "OPTIMIZERS = {}\nndigits = 4")
    report = judged(tmp_path, text)
    (finding,) = report.findings
    assert finding.code == "FXA304"
    assert verdicts(report)["stem.weight"] == "blocked"
    assert line_of(finding) == f"lr = {way}  # blamed"


def test_a_rate_with_enough_digits_trains(tmp_path: Path) -> None:
    assert not judged(tmp_path, rounded("round(base * decay**depth, 8)")).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_what_has_a_rate_rounded_away() -> None:
    assert left_alone(rounded("round(base * decay**depth, 4)")) == pytest.approx(1 / 3)
    assert left_alone(rounded("round(base * decay**depth, 8)")) == 0.0


# -- the list of kinds that a new kind is most like --------------------------------------------------------------------

KINDS = """
import torch
from torch import nn

DECAYED = (nn.Linear,)
OTHERS = (nn.LayerNorm, nn.Embedding)


class RMSNorm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return self.scale * x / x.square().mean(-1, keepdim=True).add(1e-6).sqrt()


def split(model):
    decay, others = [], []
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                others.append(parameter)
            elif isinstance(module, DECAYED):
                decay.append(parameter)
            elif isinstance(module, OTHERS):
                others.append(parameter)
    return [{"params": decay}, {"params": others}]


torch.manual_seed(0)
net = nn.Sequential(nn.Linear(4, 4), NORM(4), nn.Linear(4, 1))
optimizer = torch.optim.SGD(split(net), lr=0.1)


def compute():
    return net(torch.randn(8, 4)).square().mean()
"""


def test_the_list_with_the_most_similar_kind_is_the_one_that_lacks_a_kind(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, KINDS.replace("NORM", "RMSNorm") + LOOP).findings
    assert finding.code == "FXA301"
    assert line_of(finding) == "OTHERS = (nn.LayerNorm, nn.Embedding)"
    assert not judged(tmp_path, KINDS.replace("NORM", "nn.LayerNorm") + LOOP).findings


@pytest.mark.slow
def test_plain_training_leaves_alone_the_kind_that_no_list_has() -> None:
    assert left_alone(KINDS.replace("NORM", "RMSNorm") + LOOP) == pytest.approx(0.2)
    assert left_alone(KINDS.replace("NORM", "nn.LayerNorm") + LOOP) == 0.0
