"""Terms that a setting names, counts that are told for others, and helpers and tests that are right elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- terms whose names a setting gives ---------------------------------------------------------------------------------

TERMS = """
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
SETTINGS = {
    "depth": dict(width=6, weight=1.0, title="loss_depth"),
    "normal": dict(
        width=4,
        title="TITLE",  # titled
        weight=0.5,
    ),
}


class Branch(nn.Module):
    def __init__(self, width, weight, title="loss_other"):
        super().__init__()
        self.title, self.weight = title, weight
        self.up, self.down = nn.Linear(8, width), nn.Linear(width, 1)

    def terms(self, x, y):
        out = self.down(torch.relu(self.up(x)))
        return {KEY: self.weight * F.l1_loss(out, y), "spread": out.detach().std()}


class Net(nn.Module):
    def __init__(self, settings):
        super().__init__()
        self.stem = nn.Linear(4, 8)
        self.branches = nn.ModuleDict({name: Branch(**options) for name, options in settings.items()})

    def forward(self, x, y):
        table, h = {}, torch.tanh(self.stem(x))
        for name, branch in self.branches.items():
            for key, value in branch.terms(h, y).items():
                table[f"{name}/{key}"] = value
        return table


net = Net(SETTINGS)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(4):
    table = net(torch.randn(8, 4), torch.randn(8, 1))
    total = sum(value for name, value in table.items() if "loss" in name)
    optimizer.zero_grad()
    total.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("key", ["self.title", 'f"{self.title}"', 'self.title + "_term"'])
def test_the_setting_is_blamed_that_names_a_term_as_no_filter_asks(tmp_path: Path, key: str) -> None:
    program = TERMS.replace("KEY", key)
    (finding,) = judged(tmp_path, program.replace("TITLE", "l1_normal")).findings
    assert finding.code == "FXA103" and line_of(finding).endswith("# titled")
    assert finding.related[0].role.startswith("`'loss' in name` picks here, `depth/loss_depth")
    assert not codes(judged(tmp_path, program.replace("TITLE", "loss_normal")))


def test_a_setting_that_names_a_term_as_the_others_are_named_is_not_blamed(tmp_path: Path) -> None:
    program = TERMS.replace("KEY", "self.title").replace("TITLE", "loss_normal")
    program = program.replace('"loss" in name)', 'name.startswith("depth/loss"))')
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA103" and not line_of(finding).endswith("# titled")


# -- counts that are told for others -----------------------------------------------------------------------------------

COUNTS = """
import torch
from torch import nn

torch.manual_seed(0)


class Ranker(nn.Module):
    def __init__(self, LIMIT=9):  # limit
        super().__init__()
        self.items, self.score = nn.Embedding(20, 6), nn.Linear(6, 1)
        self.LIMIT, self.seen_batches = LIMIT, 0

    def tell(self, batches):
        self.seen_batches = batches

    def forward(self, ids):
        is_warm = self.seen_batches >= self.LIMIT
        with torch.set_grad_enabled(True) if is_warm else torch.no_grad():
            h = self.items(ids)
        return self.score(h)


class Loop:
    def __init__(self):
        self.net = Ranker()
        self.optimizer = torch.optim.SGD(self.net.parameters(), lr=0.1)
        self.round, self.batches = 0, 0

    def one(self, ids, y):
        self.net.tell(GIVEN)  # told
        loss = (self.net(ids).squeeze(-1) - y).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.batches += 1

    def fit(self):
        for self.round in range(3):
            for _ in range(8):
                self.one(torch.randint(0, 20, (8,)), torch.randn(8))


Loop().fit()
"""


def counted(given: str, limit: str = "frozen_for") -> str:
    return COUNTS.replace("GIVEN", given).replace("LIMIT", limit)


def test_the_call_is_blamed_that_tells_another_count_than_is_asked_for(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, counted("self.round")).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# told")
    assert "`batches` is given `self.round`, though there is a `self.batches`" in finding.message
    assert finding.fix.startswith("Give it the count that it asks for by name")


def test_it_is_blamed_where_a_setting_limits_it_and_the_test_is_turned(tmp_path: Path) -> None:
    program = counted("self.round").replace("self.net = Ranker()", "self.net = Ranker(frozen_for=11)")
    program = program.replace("torch.set_grad_enabled(True) if is_warm else torch.no_grad()", "REGION")
    program = program.replace("REGION", "torch.no_grad() if not is_warm else torch.set_grad_enabled(True)")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# told")


def test_a_count_that_is_told_under_its_name_is_no_mistake(tmp_path: Path) -> None:
    assert "FXA105" not in codes(judged(tmp_path, counted("self.batches")))


@pytest.mark.parametrize(
    "program",
    [
        counted("self.round").replace("self.batches += 1", "self.batches = 0"),  # nothing counts under that name
        counted("self.round").replace("self.batches", "self.steps"),
        counted("self.round", "frozen_rounds"),  # the limit is one of rounds
    ],
)
def test_a_count_that_may_be_meant_leaves_the_limit_to_blame(tmp_path: Path, program: str) -> None:
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA105" and line_of(finding).endswith("# limit")


# -- groups by tests of shapes -----------------------------------------------------------------------------------------

GROUPS = """
import torch
from torch import nn

torch.manual_seed(0)


def sorted_out(net):
    strong, weak = [], []
    for weight in net.parameters():
        if weight.dim() <= 1:
            weak.append(weight)
        elif weight.dim() == NUMBER:  # asked
            strong.append(weight)
    return strong, weak


def make(net, kind):
    strong, weak = sorted_out(net)
    groups = [{"params": strong, "weight_decay": 0.1}, {"params": weak}]
    if kind == "KIND":  # kind
        return torch.optim.SGD(groups, lr=0.1)
    raise ValueError(kind)


net = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = make(net, **{"kind": "KIND"})
for step in range(4):
    loss = net(torch.randn(8, 1, 4, 4)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize("kind", ["sgd", "momentum"])
def test_a_test_for_the_kind_of_an_optimizer_asks_for_no_name(tmp_path: Path, kind: str) -> None:
    program = GROUPS.replace("KIND", kind)
    (finding,) = judged(tmp_path, program.replace("NUMBER", "2")).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# asked")
    assert "no name contains" not in finding.message
    assert not codes(judged(tmp_path, program.replace("== NUMBER", ">= 2")))


def test_a_name_that_is_asked_for_in_vain_is_blamed_still(tmp_path: Path) -> None:
    program = GROUPS.replace("KIND", "sgd").replace(
        "weight in net.parameters()", "name, weight in net.named_parameters()"
    )
    program = program.replace("weight.dim() == NUMBER:", 'name == "0.wieght" or weight.dim() == 2:')
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# asked")
    assert "no name contains `0.wieght`" in finding.message


# -- helpers for reports -----------------------------------------------------------------------------------------------

HELPERS = """
import torch
from torch import nn

torch.manual_seed(0)


def gathered(parts):
    HELPED  # within


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right, self.last = nn.Linear(3, 5), nn.Linear(3, 5), nn.Linear(5, 1)

    def forward(self, x, y):
        both = gathered([self.left(x), self.right(y)])  # called
        return self.last(torch.relu(both)).mean(0)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=0.01)


def train():
    for step in range(4):
        loss = (net(torch.randn(8, 3), torch.randn(8, 3)) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def summary():
    CALLED
    outs = [net(torch.randn(8, 3), torch.randn(8, 3)) for _ in range(3)]
    print(gathered(outs).mean())


train()
summary()
"""
STACKED = "return torch.stack([part.detach().cpu() for part in parts])"


@pytest.mark.parametrize("called", ["net.eval()", "torch.set_printoptions(2)"])
def test_the_call_in_forward_of_a_helper_for_reports_is_blamed(tmp_path: Path, called: str) -> None:
    program = HELPERS.replace("HELPED", STACKED).replace("CALLED", called)
    if "eval" not in called:
        program = program.replace("def summary", "@torch.no_grad()\ndef summary")
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA104" and line_of(finding).endswith("# called")
    assert [one.role for one in finding.related[:2]] == ["gradient ends here", "called here for a report, rightly"]
    assert "without the helper" in finding.fix and "-" not in finding.fix.splitlines()[-1][:1]


@pytest.mark.parametrize(
    ("helped", "called"),
    [
        (STACKED, "net.train()"),  # nobody says that the other call is for a report
        ("return torch.stack([torch.tanh(part.detach()) for part in parts])", "net.eval()"),  # it computes
    ],
)
def test_a_helper_that_is_not_for_reports_is_blamed_itself(tmp_path: Path, helped: str, called: str) -> None:
    (finding,) = judged(tmp_path, HELPERS.replace("HELPED", helped).replace("CALLED", called)).findings
    assert finding.code == "FXA104" and line_of(finding).endswith("# within")
