"""Two parts of a program that have to agree do not: keys that are written on one side and asked for on the other, an
iterator that both go through, a rate that one takes from the other at the wrong time."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.report import Report
from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import json
from itertools import chain

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""


def loud(report: Report) -> list[str]:
    """The messages of what is more than a note."""
    return [finding.message for finding in report.findings if finding.level != "note"]


# -- a table of weights with a key that no term has, beside a term without a weight ------------------------------------

WEIGHTS = """
with open("settings.json") as file:
    settings = json.load(file)
TERMS = {"mask": F.mse_loss, "edge": F.l1_loss, "depth": F.mse_loss}


class Net(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.heads = nn.ModuleDict({name: nn.Linear(4, 1) for name in names})

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return {name: head(h) for name, head in self.heads.items()}


class Weighted:
    def __init__(self, weights):
        self.weights = dict(weights)

    def __call__(self, terms):
        TAKEN


net = Net(TERMS)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
criterion = Weighted(settings["weights"])
x, y = torch.randn(8, 4), torch.randn(8, 1)


def compute():
    return criterion({name: TERMS[name](out, y) for name, out in net(x).items()})
"""
TAKEN = {
    "a comprehension": "return sum(self.weights[name] * v for name, v in terms.items() if name in self.weights)",
    "a dictionary": """kept = {name: self.weights[name] * v for name, v in terms.items() if name in self.weights}
        return sum(kept.values())""",
    "a loop": """total = 0.0
        for name, value in terms.items():
            if name in self.weights:
                total = total + self.weights[name] * value
        return total""",
    "a loop that goes on": """total = 0.0
        for name, value in terms.items():
            weight = self.weights.get(name)
            if weight is None:
                continue
            total = total + weight * value
        return total""",
    "the weights in turn": "return sum(weight * terms[name] for name, weight in self.weights.items() if name in terms)",
    "the weights in a loop": """total = 0.0
        for name, weight in self.weights.items():
            if name in terms:
                total = total + weight * terms[name]
        return total""",
}


def weighted(taken: str) -> str:
    return HEAD + WEIGHTS.replace("TAKEN", TAKEN[taken]) + LOOP


def with_weights(folder: Path, **weights: float) -> None:
    entries = ",\n".join(f'    "{name}": {weight}' for name, weight in weights.items())
    (folder / "settings.json").write_text('{\n  "weights": {\n' + entries + "\n  }\n}\n", encoding="utf-8")


@pytest.mark.parametrize("taken", TAKEN)
def test_the_weight_that_no_term_has_is_blamed(taken: str, tmp_path: Path) -> None:
    with_weights(tmp_path, mask=1.0, boundary=0.5, depth=0.2)
    report = judged(tmp_path, weighted(taken))
    (finding,) = report.findings
    assert verdicts(report)["heads.edge.weight"] == "unreachable"
    assert line_of(finding) == '"boundary": 0.5,'
    assert "`edge`" in finding.fix


@pytest.mark.parametrize("taken", TAKEN)
def test_weights_of_all_terms_are_no_matter(taken: str, tmp_path: Path) -> None:
    with_weights(tmp_path, mask=1.0, edge=0.5, depth=0.2)
    assert not judged(tmp_path, weighted(taken)).findings


@pytest.mark.parametrize("taken", ["a comprehension", "the weights in turn"])
@pytest.mark.parametrize("others", [{}, {"boundary": 0.5, "normal": 0.1}, {"boundary": 0.0}])
def test_no_entry_is_blamed_where_none_or_several_may_be_meant(
    taken: str, others: dict[str, float], tmp_path: Path
) -> None:
    with_weights(tmp_path, mask=1.0, depth=0.2, **others)
    (finding,) = judged(tmp_path, weighted(taken)).findings
    assert finding.culprit is not None
    assert finding.culprit.file.endswith("script.py")


@pytest.mark.slow
@pytest.mark.parametrize("taken", TAKEN)
@pytest.mark.parametrize(("name", "share"), [("boundary", 2 / 8), ("edge", 0.0)])
def test_plain_training_leaves_alone_what_has_no_weight(
    taken: str, name: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with_weights(tmp_path, **{"mask": 1.0, name: 0.5, "depth": 0.2})
    assert left_alone(weighted(taken)) == share


# -- a key that is looked up in the wrong section, for what another use of the model reads, too ------------------------

SECTIONS = """
with open("settings.json") as file:
    settings = json.load(file)


class Net(nn.Module):
    def __init__(self, width, drop=0.0):
        super().__init__()
        self.drop = drop
        self.body, self.out = nn.Linear(4, width), nn.Linear(width, 1)
        self.classes = nn.Embedding(3, width)
        self.none = nn.Parameter(torch.randn(width))

    def condition(self, y, count):
        if y is None:
            return self.none.expand(count, -1)
        found = self.classes(y)
        if self.training and self.drop > 0:
            found = torch.where(torch.rand(count, 1) < self.drop, self.none, found)
        return found

    def forward(self, x, y=None):
        return self.out(torch.tanh(self.body(x) + self.condition(y, len(x))))


model = settings["model"]
net = Net(model["width"], ASKED)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
x, y = torch.randn(12, 4), torch.arange(12) % 3


def compute():
    return net(x, y).square().mean()
"""
ASKED = {
    "by get": 'drop=model.get("drop", 0.0)',
    "by pop": 'drop=model.pop("drop", 0.0)',
}
LAID_OUT = """{
  "model": {
    "width": 4MODEL
  },
  "guidance": {
    "scale": 2.0GUIDANCE
  }
}
"""


def sections(asked: str) -> str:
    return HEAD + SECTIONS.replace("ASKED", ASKED[asked]) + LOOP


def with_sections(folder: Path, section: str) -> None:
    text = LAID_OUT.replace(section, ',\n    "drop": 0.5').replace("MODEL", "").replace("GUIDANCE", "")
    (folder / "settings.json").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("asked", ASKED)
def test_the_key_in_another_section_is_blamed_though_sampling_reads_it_too(asked: str, tmp_path: Path) -> None:
    with_sections(tmp_path, "GUIDANCE")
    report = judged(tmp_path, sections(asked))
    (finding,) = report.findings
    assert verdicts(report)["none"] == "unreachable"
    assert line_of(finding) == '"drop": 0.5'


@pytest.mark.parametrize("asked", ASKED)
def test_a_key_in_its_section_is_no_matter(asked: str, tmp_path: Path) -> None:
    with_sections(tmp_path, "MODEL")
    assert not judged(tmp_path, sections(asked)).findings


def test_without_the_key_the_branches_come_in_their_order(tmp_path: Path) -> None:
    with_sections(tmp_path, "NOWHERE")
    (finding,) = judged(tmp_path, sections("by get")).findings
    assert line_of(finding) == "if y is None:"


@pytest.mark.slow
@pytest.mark.parametrize(("section", "share"), [("GUIDANCE", 1 / 6), ("MODEL", 0.0)])
def test_plain_training_leaves_alone_what_stands_for_no_class(
    section: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with_sections(tmp_path, section)
    assert left_alone(sections("by get")) == share


# -- parameters kept under a key, and looked up under another one ------------------------------------------------------

RATES = """
class Rates(nn.Module):
    def __init__(self, names):
        super().__init__()
        self.log_rate = nn.ParameterDict()
        for name in names:
            self.log_rate[KEPT] = nn.Parameter(torch.tensor(-1.0))

    def of(self, name):
        LOOKED

    def summary(self):
        return {key: rate.exp().item() for key, rate in self.log_rate.items()}


def adapted(body, rates, x, y):
    fast = dict(body.named_parameters())
    loss = F.mse_loss(torch.func.functional_call(body, fast, (x,)), y)
    grads = torch.autograd.grad(loss, tuple(fast.values()), create_graph=True)
    return {name: p - rates.of(name) * g for (name, p), g in zip(fast.items(), grads)}


class Learner(nn.Module):
    def __init__(self, body, rates):
        super().__init__()
        self.body, self.rates = body, rates

    def forward(self, x, y):
        return torch.func.functional_call(self.body, adapted(self.body, self.rates, x, y), (x,))


body = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
rates = Rates([name for name, _ in body.named_parameters()])
OWNED
x, y = torch.randn(8, 4), torch.randn(8, 1)


def compute():
    REPORTED
"""
LOOKED = {
    "a test": """key = name.replace(".", "_")  # blamed
        if key in self.log_rate:
            return self.log_rate[key].exp()
        return 0.1""",
    "a choice": """key = name.replace(".", "_")  # blamed
        return self.log_rate[key].exp() if key in self.log_rate else 0.1""",
    "an exception": """key = name.replace(".", "_")  # blamed
        try:
            rate = self.log_rate[key].exp()
        except (AttributeError, KeyError):
            rate = 0.1
        return rate""",
}
ADAPTED = "F.mse_loss(torch.func.functional_call(body, adapted(body, rates, x, y), (x,)), y)"
LOOSE = "optimizer = torch.optim.SGD([*body.parameters(), *rates.parameters()], lr=0.1)"
OWNED = """net = Learner(body, rates)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)"""
KINDS = {
    "of one model": (OWNED, "return F.mse_loss(net(x, y), y)", "unreachable"),
    "beside the model": (LOOSE, f"return {ADAPTED}", "stale"),
    "reported": (LOOSE, f"rates.summary()\n    return {ADAPTED}", "unreachable"),
}


def rates(looked: str, kind: str, kept: str = 'name.replace(".", "__")') -> str:
    owned, reported, _ = KINDS[kind]
    text = RATES.replace("KEPT", kept).replace("LOOKED", LOOKED[looked])
    return HEAD + text.replace("OWNED", owned).replace("REPORTED", reported) + LOOP


@pytest.mark.parametrize("looked", LOOKED)
@pytest.mark.parametrize("kind", KINDS)
def test_the_key_that_is_made_otherwise_than_it_is_kept_is_blamed(looked: str, kind: str, tmp_path: Path) -> None:
    report = judged(tmp_path, rates(looked, kind))
    (finding,) = report.findings
    assert {verdicts(report)[name] for name in finding.parameters} == {KINDS[kind][2]}
    assert line_of(finding) == 'key = name.replace(".", "_")  # blamed'


@pytest.mark.parametrize("looked", LOOKED)
def test_a_key_that_is_made_alike_is_no_matter(looked: str, tmp_path: Path) -> None:
    assert not loud(judged(tmp_path, rates(looked, "reported", 'name.replace(".", "_")')))


@pytest.mark.slow
@pytest.mark.parametrize("looked", LOOKED)
@pytest.mark.parametrize(("letters", "share"), [("__", 4 / 8), ("_", 0.0)])
def test_plain_training_leaves_alone_what_is_looked_up_otherwise(looked: str, letters: str, share: float) -> None:
    assert left_alone(rates(looked, "of one model", f'name.replace(".", "{letters}")')) == share


# -- a group that joins during a warm-up, and takes over a rate of 0 ---------------------------------------------------

JOINING = """
class Warmup:
    def __init__(self, optimizer, steps):
        self.optimizer, self.steps, self.count = optimizer, steps, FIRST
        self.base = [(group, group["lr"]) for group in optimizer.param_groups]
        self.apply()

    def apply(self):
        for group, rate in self.base:
            group["lr"] = rate * min(1.0, self.count / self.steps)

    def step(self):
        self.count += 1
        self.apply()


def current(optimizer):
    return optimizer.param_groups[0]["lr"]


net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
schedule = Warmup(optimizer, 4)
extra = nn.Linear(4, 1)
JOINED
x, y = torch.randn(8, 4), torch.randn(8, 1)


def compute():
    schedule.step()
    return F.mse_loss(net(x) + extra(x), y)


for epoch in range(8):
    loss = F.mse_loss(net(x) + extra(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
"""
JOINED = {
    "at once": (
        "optimizer.add_param_group("
        '{"params": list(extra.parameters()), "lr": optimizer.param_groups[0]["lr"]})  # blamed'
    ),
    "by a name": """rate = optimizer.param_groups[0]["lr"]
optimizer.add_param_group(dict(params=list(extra.parameters()), lr=rate))  # blamed""",
    "by a function": """group = {"params": list(extra.parameters()), "lr": current(optimizer)}  # blamed
optimizer.add_param_group(group)""",
    "with all settings": """group = {**optimizer.param_groups[0], "params": list(extra.parameters())}  # blamed
optimizer.add_param_group(group)""",
}


def joining(joined: str, first: str = "0") -> str:
    return HEAD + JOINING.replace("JOINED", JOINED[joined]).replace("FIRST", first)


@pytest.mark.parametrize("joined", JOINED)
def test_the_rate_that_is_taken_over_during_a_warm_up_is_blamed(joined: str, tmp_path: Path) -> None:
    report = judged(tmp_path, joining(joined))
    (finding,) = report.findings
    assert verdicts(report)["extra.weight"] == "blocked"
    assert line_of(finding).endswith("# blamed")


@pytest.mark.parametrize("joined", JOINED)
def test_a_rate_that_is_above_0_then_is_no_matter(joined: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, joining(joined, "1")).findings


def test_a_factor_of_0_is_blamed_for_itself(tmp_path: Path) -> None:
    text = joining("at once", "1").replace('["lr"]})  # blamed', '["lr"] * SCALE})')
    text = text.replace("extra =", "SCALE = 0.0  # a factor\nextra =")
    (finding,) = judged(tmp_path, text).findings
    assert "a warm-up" not in " ".join(related.role for related in finding.related)


@pytest.mark.slow
@pytest.mark.parametrize("joined", JOINED)
@pytest.mark.parametrize(("first", "share"), [("0", 2 / 6), ("1", 0.0)])
def test_plain_training_leaves_alone_what_joined_with_a_rate_of_0(joined: str, first: str, share: float) -> None:
    assert left_alone(joining(joined, first)) == share


# -- an iterator of parameters that a report goes through before the optimizer does ------------------------------------

GROUPS = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.first, self.second = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.first(h) + self.second(h)


def grouped(net):
    GROUPED


def told(groups):
    for group in groups:
        print(sum(p.numel() for p in group["params"]))


net = Net()
groups = grouped(net)
told(groups)
optimizer = torch.optim.SGD(groups, lr=0.1)
x, y = torch.randn(8, 4), torch.randn(8, 1)


def compute():
    return F.mse_loss(net(x), y)
"""
MADE = {
    "a chain": "chain(net.first.parameters(), net.second.parameters())",
    "a generator": "(p for part in (net.first, net.second) for p in part.parameters())",
    "a chain of all": "chain.from_iterable(part.parameters() for part in (net.first, net.second))",
}
GROUPED = {
    "a list": """heads = MADE  # blamed
    return [{"params": list(net.body.parameters())}, {"params": heads, "lr": 0.2}]""",
    "calls of dict": """heads = MADE  # blamed
    body = dict(params=list(net.body.parameters()))
    return [body, dict(params=heads, lr=0.2)]""",
}


def grouping(made: str, grouped: str) -> str:
    return HEAD + GROUPS.replace("GROUPED", GROUPED[grouped]).replace("MADE", made) + LOOP


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("grouped", GROUPED)
def test_the_iterator_that_a_report_uses_up_is_blamed(made: str, grouped: str, tmp_path: Path) -> None:
    report = judged(tmp_path, grouping(MADE[made], grouped))
    (finding,) = report.findings
    assert verdicts(report)["second.weight"] == "excluded"
    assert line_of(finding) == f"heads = {MADE[made]}  # blamed"


@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize("grouped", GROUPED)
def test_a_list_that_a_report_goes_through_is_no_matter(made: str, grouped: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, grouping(f"list({MADE[made]})", grouped)).findings


def test_a_full_iterator_is_not_blamed_for_another_group(tmp_path: Path) -> None:
    text = (
        grouping(MADE["a chain"], "a list").replace("told(groups)\n", "").replace("list(net.body.parameters())", "[]")
    )
    (finding,) = judged(tmp_path, text).findings
    assert "# blamed" not in line_of(finding)


@pytest.mark.slow
@pytest.mark.parametrize("made", MADE)
@pytest.mark.parametrize(("form", "share"), [("{}", 4 / 6), ("list({})", 0.0)])
def test_plain_training_leaves_alone_what_a_report_used_up(made: str, form: str, share: float) -> None:
    assert left_alone(grouping(form.format(MADE[made]), "a list")) == share
