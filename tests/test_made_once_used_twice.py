"""What is gone through, counted, kept or made at the wrong moment: the line where that happens is the one to edit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import contextlib
import copy

import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""

# -- an iterator that is used up where flags are to be put back --------------------------------------------------------

FROZEN = """
@contextlib.contextmanager
def frozen(params):
    TAKEN
    flags = []
    for p in params:  # blamed
        flags.append(p.requires_grad)
        p.requires_grad_(False)
    try:
        yield
    finally:
        for p, flag in zip(params, flags):
            p.requires_grad_(flag)


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
with frozen(GIVEN):
    net(torch.randn(8, 4))


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(
    ("taken", "given", "is_lost"),
    [
        ("pass", "net[0].parameters()", True),
        ("pass", "filter(lambda p: p.ndim > 0, net[0].parameters())", True),
        ("params = list(params)", "net[0].parameters()", False),
        ("pass", "[*net[0].parameters()]", False),
    ],
)
def test_flags_that_are_not_put_back_because_nothing_is_left(
    taken: str, given: str, is_lost: bool, tmp_path: Path
) -> None:
    program = HEAD + FROZEN.replace("TAKEN", taken).replace("GIVEN", given) + LOOP
    report = judged(tmp_path, program)
    assert verdicts(report)["0.weight"] == ("frozen" if is_lost else "trained")
    assert codes(report) == (["FXA306"] if is_lost else [])
    for finding in report.findings:
        assert finding.level == "warning" and line_of(finding).endswith("# blamed")
        assert "`params = list(params)`" in finding.fix


# -- a gradient written as the difference of one thing with itself -----------------------------------------------------

WRITTEN = """
net, worker = (nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1)) for _ in range(2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
inner = torch.optim.SGD(worker.parameters(), lr=0.1)
for ROUND in range(4):
    worker.load_state_dict(net.state_dict())
    before = BEFORE
    for _ in range(3):
        inner.zero_grad()
        (worker(torch.randn(8, 4)) - 1).square().mean().backward()
        inner.step()
    after = worker.state_dict()
    change = {name: after[name] - before[name] for name in after}
    for name, parameter in net.named_parameters():
        parameter.grad = -change[name]
    optimizer.step()
"""


@pytest.mark.parametrize(
    ("before", "is_zero"),
    [
        ("worker.state_dict()  # blamed", True),
        ("{name: p.detach() for name, p in worker.named_parameters()}  # blamed", True),
        ("copy.deepcopy(worker.state_dict())", False),
        ("{name: p.detach().clone() for name, p in worker.named_parameters()}", False),
    ],
)
def test_a_difference_of_what_was_not_copied(before: str, is_zero: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + WRITTEN.replace("BEFORE", before).replace("ROUND", "step"))
    found = {name: verdict for name, verdict in verdicts(report).items() if not name.startswith("worker")}
    assert set(found.values()) == ({"blocked"} if is_zero else {"trained"})
    assert codes(report) == (["FXA501"] if is_zero else [])
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed")
        assert "of the same memory with itself" in finding.message


# -- a mask of new rows, counted when nothing was new any more ---------------------------------------------------------

ROWS = """
class Vocabulary:
    def __init__(self, words):
        self.words = list(words)

    def __len__(self):
        return len(self.words)

    def add(self, words):
        FIRST
        self.words.extend(words)
        SECOND
        return list(range(begin, len(self.words)))


vocabulary = Vocabulary("abcd")
old = len(vocabulary)
new = vocabulary.add("ef")
grown = len(vocabulary)  # counted
table = nn.Embedding(len(vocabulary), 4)
MASK
table.weight.register_hook(lambda grad: grad * keep)
head = nn.Linear(4, 1)
optimizer = torch.optim.SGD([*table.parameters(), *head.parameters()], lr=0.1)


def compute():
    return (head(table(torch.arange(6))) - 1).square().mean()
"""
LISTED = "keep = torch.zeros(len(vocabulary), 1)\nkeep[new] = 1.0"
COMPARED = "keep = (torch.arange(len(vocabulary)) >= {}).float().unsqueeze(1)"
BEGIN = "begin = len(self.words)"


@pytest.mark.parametrize(
    ("first", "second", "mask", "blamed"),
    [
        ("pass", f"{BEGIN}  # late", LISTED, "# late"),
        (BEGIN, "pass", LISTED, ""),
        (BEGIN, "pass", COMPARED.format("grown"), "# counted"),
        (BEGIN, "pass", COMPARED.format("old"), ""),
    ],
)
def test_a_count_that_is_taken_too_late(first: str, second: str, mask: str, blamed: str, tmp_path: Path) -> None:
    report = judged(
        tmp_path, HEAD + ROWS.replace("FIRST", first).replace("SECOND", second).replace("MASK", mask) + LOOP
    )
    assert codes(report) == (["FXA504"] if blamed else [])
    assert all(line_of(finding).endswith(blamed) for finding in report.findings)


# -- a row that is looked up on purpose, and counts as padding ---------------------------------------------------------

PADDED = """
def table(rows, width, padding_idx=0):  # default
    return nn.Embedding(rows, width, padding_idx=padding_idx)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.words, self.mark, self.head = table(5, 4), MADE, nn.Linear(4, 1)

    def forward(self, ids):
        return self.head(self.words(ids) + self.mark(INDEX))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randint(1, 5, (8, 3))) - 1).square().mean()
"""


@pytest.mark.parametrize(
    ("made", "index", "blamed"),
    [
        ("table(1, 4)", "torch.zeros_like(ids)", "# default"),
        ("table(1, 4, padding_idx=None)", "torch.zeros_like(ids)", ""),
        ("table(5, 4)", "ids * 0", "return self.head(self.words(ids) + self.mark(ids * 0))"),
    ],
)
def test_a_row_of_its_own_that_is_padding_by_default(made: str, index: str, blamed: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + PADDED.replace("MADE", made).replace("INDEX", index) + LOOP)
    assert codes(report) == (["FXA501"] if blamed else [])
    assert all(line_of(finding).endswith(blamed) for finding in report.findings)
    assert all(("without `padding_idx`" in f.fix) is ("default" in blamed) for f in report.findings)


# -- a gradient that a branch of backward sets to None -----------------------------------------------------------------

STEPS = """
class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, scale):
        ctx.save_for_backward(x, scale)
        return x * scale

    @staticmethod
    def backward(ctx, grad):
        x, scale = ctx.saved_tensors
        grad_scale = (grad * x).sum()
        if not ctx.needs_input_grad[NUMBER]:  # blamed
            grad_scale = None
        return grad * scale, grad_scale


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.scale, self.head = nn.Linear(4, 4), nn.Parameter(torch.tensor(2.0)), nn.Linear(4, 1)

    def forward(self, x):
        return self.head(Scaled.apply(self.body(x) if BODY else x, self.scale))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(("number", "verdict"), [("0", "unreachable"), ("1", "trained")])
def test_a_branch_of_backward_that_sets_a_gradient_to_none(number: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + STEPS.replace("NUMBER", number).replace("BODY", "False") + LOOP)
    assert verdicts(report)["scale"] == verdict
    found = [finding for finding in report.findings if "scale" in finding.parameters]
    assert [finding.code for finding in found] == (["FXA111"] if verdict == "unreachable" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in found)


# -- one of a kind that is asked for twice -----------------------------------------------------------------------------

ASKED = """
KINDS = {"proxies": lambda: Proxies()}


class Proxies(nn.Module):
    def __init__(self):
        super().__init__()
        self.proxies = nn.Parameter(torch.randn(3, 4))

    def forward(self, z):
        return (z @ self.proxies.t()).square().mean()


def build():
    return KINDS["proxies"]()


class Trainer:
    def __init__(self, net, given):
        self.net = net
        self.criterion = ASKS


def prepared(net):
    given = build()
    return torch.optim.SGD([*net.parameters(), *given.parameters()], lr=0.1), given


net = nn.Linear(4, 4)
optimizer, given = prepared(net)
trainer = Trainer(net, given)


def compute():
    return trainer.criterion(trainer.net(torch.randn(8, 4)) - 1)
"""


@pytest.mark.parametrize(("asks", "is_another"), [("build()  # blamed", True), ("given", False)])
def test_who_asks_for_another_one_is_blamed(asks: str, is_another: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + ASKED.replace("ASKS", asks) + LOOP)
    assert codes(report) == (["FXA204"] if is_another else [])
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed") and "Make one, and hand it on" in finding.fix


# -- names that are asked for within a part of the model ---------------------------------------------------------------

WITHIN = """
def freeze(module, prefixes):
    for name, parameter in module.named_parameters():
        if any(name.startswith(prefix) for prefix in prefixes):  # blamed
            parameter.requires_grad_(False)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.backbone = nn.ModuleDict({"blocks": nn.ModuleList(nn.Linear(4, 4) for _ in range(COUNT))})
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        for block in self.backbone["blocks"]:
            x = torch.tanh(block(x))
        return self.head(x)


net = Net()
freeze(net.backbone, ["blocks.0", "blocks.1"])
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(("count", "found"), [("12", ["FXA310"]), ("4", [])])
def test_a_number_that_goes_on_in_a_part_of_the_model(count: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + WITHIN.replace("COUNT", count) + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


SELECTED = """
net = nn.ModuleDict({"blocks": nn.ModuleList(nn.Linear(4, 4) for _ in range(COUNT)), "head": nn.Linear(4, 1)})


def matches(name, prefixes):
    return any(name.startswith(prefix) for prefix in prefixes)  # blamed


def select(module, prefixes):
    return {name: parameter for name, parameter in module.named_parameters() if matches(name, prefixes)}


def freeze(module, prefixes):
    chosen = select(module, prefixes)
    for parameter in chosen.values():
        parameter.requires_grad = False


freeze(net, ["blocks.0", "blocks.1"])
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    h = torch.randn(8, 4)
    for block in net["blocks"]:
        h = block(h)
    return net["head"](h).square().mean()
"""


@pytest.mark.parametrize("asked", ["any(name.startswith(prefix) for prefix in prefixes)", "name.startswith(prefixes)"])
@pytest.mark.parametrize(("count", "found"), [("12", ["FXA310"]), ("4", [])])
def test_a_number_that_goes_on_where_a_helper_selects(count: str, found: list[str], asked: str, tmp_path: Path) -> None:
    text = SELECTED.replace("any(name.startswith(prefix) for prefix in prefixes)", asked).replace("COUNT", count)
    text = text.replace('["blocks.0", "blocks.1"]', '("blocks.0", "blocks.1")')
    report = judged(tmp_path, HEAD + text + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


# -- a second training in the block that only a started program runs ---------------------------------------------------

STAGES = """
def fit(net):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        net(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()


class Session:
    def __init__(self, student):
        self.student = student
        self.optimizer = torch.optim.AdamW(student.parameters(), lr=0.1)

    def run(self):
        for _ in range(5):
            self.optimizer.zero_grad()
            h = self.student[0](torch.randn(8, 4))CUT
            self.student[1](h).square().mean().backward()
            self.optimizer.step()


if __name__ == "__main__":
    teacher = nn.Linear(4, 1)
    fit(teacher)
    student = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
    Session(student).run()
"""


@pytest.mark.parametrize(("cut", "verdict"), [(".detach()  # blamed", "unreachable"), ("", "trained")])
def test_what_is_trained_later_in_the_same_block_is_waited_for(cut: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + STAGES.replace("CUT", cut))
    found = {name: value for name, value in verdicts(report).items() if "0." in name}
    assert found and set(found.values()) == {verdict}
    assert codes(report) == (["FXA104"] if cut else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


@pytest.mark.parametrize(("factor", "verdict"), [("0.0", "blocked"), ("0.5", "trained")])
def test_a_hook_that_was_hung_on_while_nothing_was_recorded_is_known(factor: str, verdict: str, tmp_path: Path) -> None:
    text = STAGES.replace("CUT", "").replace(
        "    Session(student)",
        f"    student[0].weight.register_hook(lambda grad: grad * {factor})\n    Session(student)",
    )
    report = judged(tmp_path, HEAD + text)
    found = {name: value for name, value in verdicts(report).items() if "0.weight" in name}
    assert found and set(found.values()) == {verdict}
    assert codes(report) == (["FXA504"] if verdict == "blocked" else [])
    assert all("register_hook" in line_of(finding) for finding in report.findings)


MISTAKES = {
    "used up": (FROZEN.replace("TAKEN", "pass"), ("GIVEN", "net[0].parameters()", "[*net[0].parameters()]")),
    "padding": (
        PADDED.replace("INDEX", "torch.zeros_like(ids)"),
        ("MADE", "table(1, 4)", "table(1, 4, padding_idx=None)"),
    ),
    "backward": (STEPS.replace("BODY", "False"), ("NUMBER", "0", "1")),
    "asked twice": (ASKED, ("ASKS", "build()", "given")),
    "counted late": (
        ROWS.replace("FIRST", BEGIN).replace("SECOND", ""),
        ("MASK", *map(COMPARED.format, ("grown", "old"))),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_plain_training_leaves_more_alone_with_the_mistake(name: str) -> None:
    text, (place, wrong, right) = MISTAKES[name]
    with_it, without = (left_alone(HEAD + text.replace(place, given) + LOOP) for given in (wrong, right))
    assert with_it > without
