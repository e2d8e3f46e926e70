"""Values that go by a key, a name or a place: the line to edit is the one that gives the wrong one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import json
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(0)
"""

# -- losses that are left out by their key -----------------------------------------------------------------------

DETECTOR = """
class Detector(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.kind, self.box = nn.Linear(5, 8), nn.Linear(8, 3), nn.Linear(8, 4)

    def loss(self, x, labels, boxes):
        h = torch.tanh(self.body(x))
        losses = {"loss_kind": F.cross_entropy(self.kind(h), labels)}
        losses["KEY"] = F.l1_loss(self.box(h), boxes)  # blamed
        return losses


def summed(losses):
    log = {name: value.mean() for name, value in losses.items()}
    SUMMED
    return total, log


net = Detector()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)


def compute():
    loss, log = summed(net.loss(torch.randn(16, 5), torch.randint(0, 3, (16,)), torch.randn(16, 4)))
    shown = {name: value.item() for name, value in log.items()}
    return loss
"""
SUMS = {
    "a comprehension": 'total = sum(value for name, value in log.items() if "loss" in name)',
    "an if": """total = 0.0
    for name, value in log.items():
        if name.startswith("loss"):
            total = total + value""",
    "a continue": """total = 0.0
    for name, value in log.items():
        if not name.startswith("loss"):
            continue
        total += value""",
}


def detector(summed: str, key: str) -> str:
    return HEAD + DETECTOR.replace("SUMMED", SUMS[summed]).replace("KEY", key) + LOOP


@pytest.mark.parametrize("summed", SUMS)
def test_a_key_that_the_filter_does_not_take_is_the_line(summed: str, tmp_path: Path) -> None:
    report = judged(tmp_path, detector(summed, "box_l1"))
    (finding,) = report.findings
    assert (finding.code, line_of(finding).partition("#")[2]) == ("FXA103", " blamed")
    assert "`loss_kind` for one, and leaves `box_l1` out" in finding.related[0].role
    assert finding.fix == "Name it as the test asks, like `loss_kind`, or let the test take it."
    assert {name for name, verdict in verdicts(report).items() if verdict != "trained"} == {"box.weight", "box.bias"}


@pytest.mark.parametrize("summed", SUMS)
def test_a_key_that_the_filter_takes_is_healthy(summed: str, tmp_path: Path) -> None:
    report = judged(tmp_path, detector(summed, "loss_box"))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


def test_a_filter_of_what_is_shown_leaves_nothing_out_of_the_loss(tmp_path: Path) -> None:
    text = detector("an if", "box_l1").replace(SUMS["an if"], 'total = log["loss_kind"]')
    shown = 'shown = {name: value.item() for name, value in log.items() if "loss" in name}'
    report = judged(tmp_path, text.replace("shown = {name: value.item() for name, value in log.items()}", shown))
    (finding,) = report.findings
    assert finding.code == "FXA103" and line_of(finding).partition("#")[2] != " blamed", str(finding.culprit)


WEIGHTED = """
class Criterion:
    def __init__(self, weights):
        self.weights = weights

    def loss_kind(self, out):
        return {"loss_kind": F.cross_entropy(out[0], torch.zeros(8, dtype=torch.long))}

    def loss_quality(self, out):
        return {"loss_quality": F.mse_loss(out[1], torch.zeros(8, 1))}

    def __call__(self, out):
        losses = {}
        for name in ("kind", "quality"):
            losses.update(getattr(self, f"loss_{name}")(out))
        return sum(losses[k] * self.weights[k] for k in losses if k in self.weights)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.kind, self.quality = nn.Linear(4, 3), nn.Linear(4, 1)

    def forward(self, x):
        return self.kind(x), self.quality(x)


with open("weights.json") as file:
    criterion = Criterion(json.load(file)["weights"])
net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)


def compute():
    return criterion(net(torch.randn(8, 4)))
"""


def weighted(folder: Path, key: str) -> str:
    (folder / "weights.json").write_text(json.dumps({"weights": {"loss_kind": 1.0, key: 2.0}}, indent=2), "utf-8")
    return HEAD + WEIGHTED + LOOP


def test_a_weight_under_a_name_that_no_loss_has_is_the_line(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, weighted(tmp_path, "loss_iou")).findings
    assert finding.code == "FXA103" and finding.culprit is not None
    assert (finding.culprit.file, finding.culprit.code) == ("weights.json", '"loss_iou": 2.0')
    assert finding.related[0].role == "`k in self.weights` decides against `loss_quality`"


def test_a_weight_under_the_name_of_its_loss_is_healthy(tmp_path: Path) -> None:
    report = judged(tmp_path, weighted(tmp_path, "loss_quality"))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


# -- names ---------------------------------------------------------------------------------------------------------

BLOCKS = """
net = nn.Sequential()
for number in range(12):
    net.add_module(f"block{number}", nn.Linear(4, 4))


def freeze(net, patterns):
    for name, p in net.named_parameters():
        if TEST:  # blamed
            p.requires_grad = False


freeze(net, PATTERNS)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
EACH = "any(text in name for text in patterns)"


@pytest.mark.parametrize(
    ("test", "patterns", "beyond"),
    [
        (EACH, '["block0", "block1"]', {"block10", "block11"}),
        (EACH, '["block0.", "block1."]', set()),
        (EACH, '["block0", "block1", "block10", "block11"]', set()),
        ('"block1" in name', "[]", {"block10", "block11"}),
        ('name.startswith("block1")', "[]", {"block10", "block11"}),
        ('name.startswith("block1.")', "[]", set()),
        ('"1" in name', "[]", set()),
    ],
)
def test_a_number_that_goes_on_is_told_where_it_is_asked_for(
    test: str, patterns: str, beyond: set[str], tmp_path: Path
) -> None:
    text = BLOCKS.replace("TEST", test).replace("PATTERNS", patterns)
    report = judged(tmp_path, HEAD + text + LOOP)
    assert codes(report) == (["FXA310"] if beyond else [])
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed")
        assert {name.partition(".")[0] for name in finding.parameters} == beyond
        assert 'block1.")`' in finding.fix or '"block1." in name`' in finding.fix


# -- what is given -------------------------------------------------------------------------------------------------

SOLVER = """
SOLVERS = {
    "sgd": lambda params, rate: torch.optim.SGD(params, lr=rate, momentum=0.9),
    "adam": lambda params, rate: torch.optim.Adam(params, lr=rate),
}


def solver(params, name="adam", rate=1e-2):
    return SOLVERS[name](params, rate)


class System(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.centres = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        return self.centres(self.body(x).tanh())


net = System()
optimizer = solver(GIVEN)  # blamed


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(("given", "found"), [("net.body.parameters()", ["FXA301"]), ("net.parameters()", [])])
def test_a_lambda_that_hands_on_is_not_the_line(given: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SOLVER.replace("GIVEN", given) + LOOP)
    assert codes(report) == found
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


BOUNDED = """
class Net(nn.Module):
    def __init__(self, low, high):
        super().__init__()
        self.mean, self.spread, self.bounds = nn.Linear(4, 1), nn.Linear(4, 1), (low, high)

    def forward(self, x):
        low, high = self.bounds
        return self.mean(x), self.spread(x).clamp(low, high)


class Options:
    low, high = -4.0, 2.0


def build(options):
    return Net(GIVEN)  # blamed


net = build(Options())
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)


def compute():
    mean, spread = net(torch.randn(8, 4))
    return (spread + (mean - 1).square() * (-spread).exp()).mean()
"""


@pytest.mark.parametrize("given", ["options.high, options.low", "high=options.low, low=options.high"])
def test_bounds_that_are_given_in_each_others_place(given: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + BOUNDED.replace("GIVEN", given) + LOOP)
    (finding,) = report.findings
    assert finding.code == "FXA501" and line_of(finding).endswith("# blamed"), str(finding.culprit)
    assert (
        finding.fact == "the lower bound of `clamp`, 2, lies above the upper one, -4: it gives -4 whatever it is given"
    )
    assert finding.fix == "Exchange the two bounds: the lower one comes first."


def test_bounds_that_are_given_in_their_place_are_healthy(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + BOUNDED.replace("GIVEN", "options.low, options.high") + LOOP)
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


MERGED = """
DEFAULTS = {"optim": {"lr": 0.01}, "loss": {"edge": 0.0}}


def merge(base, other):
    out = dict(base)
    for key, value in other.items():
        out[key] = merge(out[key], value) if isinstance(value, dict) and key in out else value
    return out


def load(path):
    with open(path) as file:
        own = json.load(file)
    return merge(GIVEN)  # blamed


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts, self.edge = nn.Linear(4, 2), nn.Linear(4, 1)

    def forward(self, x):
        return self.parts(x).square().mean(), self.edge(x).square().mean()


settings = load("edges.json")
net = Net()
optimizer = torch.optim.SGD(net.parameters(), **settings["optim"])
weight = settings["loss"]["edge"]


def compute():
    parts, edge = net(torch.randn(8, 4))
    return parts + weight * edge
"""


@pytest.mark.parametrize(("given", "found"), [("own, DEFAULTS", ["FXA501"]), ("DEFAULTS, own", [])])
def test_defaults_that_are_put_over_what_a_file_says(given: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "edges.json").write_text('{\n  "loss": {"edge": 0.5}\n}\n', "utf-8")
    report = judged(tmp_path, HEAD + MERGED.replace("GIVEN", given) + LOOP)
    assert codes(report) == found
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed"), str(finding.culprit)
        assert "`edge` is 0.5 here, which is lost" in {related.role for related in finding.related}


def test_a_default_of_0_that_no_file_speaks_of_is_the_line(tmp_path: Path) -> None:
    (tmp_path / "edges.json").write_text('{\n  "optim": {"lr": 0.02}\n}\n', "utf-8")
    (finding,) = judged(tmp_path, HEAD + MERGED.replace("GIVEN", "DEFAULTS, own") + LOOP).findings
    assert finding.code == "FXA501" and line_of(finding).startswith("DEFAULTS")


FILTERED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.ModuleDict({name: nn.Linear(4, 4) for name in ("stem", "layers", "pooler")})
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        for layer in self.body.values():
            x = layer(x).tanh()
        return self.head(x)


net = Net()
FIRST
SECOND
optimizer = torch.optim.SGD([{"params": head, "lr": 0.1}, {"params": body, "lr": 0.01}])


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
HEADS = 'head = [p for n, p in net.named_parameters() if n.startswith("head")]'
BODIES = 'body = [p for n, p in net.named_parameters() if n.startswith("body.layers")]  # blamed'


@pytest.mark.parametrize(("first", "second"), [(HEADS, BODIES), (BODIES, HEADS)])
def test_of_two_filters_the_one_that_asks_for_a_part_of_what_is_left_out(
    first: str, second: str, tmp_path: Path
) -> None:
    (finding,) = judged(tmp_path, HEAD + FILTERED.replace("FIRST", first).replace("SECOND", second) + LOOP).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# blamed"), str(finding.culprit)


# -- what a library does with it -----------------------------------------------------------------------------------

LIBRARY = """
shown = {}


def log(name, value):
    shown[name] = value.clone().detach()


def backward(loss):
    loss.backward()
"""
SHOWN = """
import sys
sys.path.insert(0, "site-packages")
import torch
from torch import nn
from trainer import backward, log

torch.manual_seed(0)
body, head, aux = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *head.parameters(), *aux.parameters()], lr=0.1)
for epoch in range(4):
    h = torch.tanh(body(torch.randn(8, 4)))
    loss = (head(h) - 1).square().mean()
    side = (aux(h) - 1).square().mean()  # blamed
    log("side", side)
    optimizer.zero_grad()
    backward(LOSS)
    optimizer.step()
"""


def with_library(folder: Path) -> None:
    (folder / "site-packages").mkdir()
    (folder / "site-packages" / "trainer.py").write_text(LIBRARY, encoding="utf-8")


@pytest.mark.parametrize(("loss", "found"), [("loss", ["FXA103"]), ("loss + side", [])])
def test_what_a_library_shows_is_not_the_last_use(loss: str, found: list[str], tmp_path: Path) -> None:
    with_library(tmp_path)
    report = judged(tmp_path, SHOWN.replace("LOSS", loss))
    assert codes(report) == found
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed") and "what `mean` makes of them" in finding.message


def test_the_line_that_calls_a_librarys_backward_is_told(tmp_path: Path) -> None:
    with_library(tmp_path)
    text = SHOWN.replace("LOSS", "loss + side").replace("    optimizer.step()\n", "")
    (finding,) = judged(tmp_path, text).findings
    assert finding.code == "FXA401" and line_of(finding) == "optimizer.zero_grad()"
    told = next(related for related in finding.related if related.role == "backward is called here")
    assert told.source.code == "backward(loss + side)"


# -- what follows what, and what is the same ------------------------------------------------------------------------

CONTRAST = """
import copy


class Contrast(nn.Module):
    def __init__(self):
        super().__init__()
        encoder = nn.Linear(4, 4)
        self.encoder_q = encoder
        self.encoder_k = COPIED  # blamed
        self.proj_q = nn.Linear(4, 4)
        self.proj_k = copy.deepcopy(self.proj_q)
        for part in (self.encoder_k, self.proj_k):
            for p in part.parameters():
                p.requires_grad = False

    def forward(self, x):
        with torch.no_grad():
            k = self.proj_k(self.encoder_k(x + 0.1))
        return (self.proj_q(self.encoder_q(x)).tanh() - k).square().mean()


net = Contrast()
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return net(torch.randn(8, 4))
"""


@pytest.mark.parametrize(("copied", "found"), [("encoder", ["FXA306"]), ("copy.deepcopy(encoder)", [])])
def test_a_follower_that_is_no_copy_freezes_what_it_follows(copied: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + CONTRAST.replace("COPIED", copied) + LOOP)
    assert [finding.code for finding in report.findings if finding.level != "note"] == found
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed") and set(finding.parameters) == {
            "encoder_q.weight", "encoder_q.bias",
        }  # fmt: skip
        assert "`encoder_k` is the same module as `encoder_q`, not a copy" in finding.message


def test_a_module_that_is_shared_and_frozen_on_purpose_is_no_alarm(tmp_path: Path) -> None:
    text = CONTRAST.replace("COPIED", "encoder").replace("encoder_q", "features").replace("encoder_k", "again")
    assert codes(judged(tmp_path, HEAD + text + LOOP)) == []


PLAIN = """
class Time BASE:  # blamed
    def __init__(self):
        INIT
        self.first = nn.Linear(1, 4)

    def CALLED(self, t):
        return torch.tanh(self.first(t))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.time = Time()
        self.out = nn.Linear(4, 1)

    def forward(self, t):
        return self.out(self.time(t))


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(8, 1)) - 1).square().mean()
"""


def test_a_class_that_was_to_be_a_module_is_the_line(tmp_path: Path) -> None:
    text = PLAIN.replace(" BASE", "").replace("INIT", "pass").replace("CALLED", "__call__")
    (finding,) = judged(tmp_path, HEAD + text + LOOP).findings
    assert finding.code == "FXA205" and line_of(finding).endswith("# blamed"), str(finding.culprit)
    assert finding.fix.startswith("Derive the class from `nn.Module`")
    healthy = PLAIN.replace(" BASE", "(nn.Module)").replace("INIT", "super().__init__()").replace("CALLED", "forward")
    assert codes(judged(tmp_path, HEAD + healthy + LOOP)) == []


CYCLE = """
with open("options.yaml") as file:
    options = yaml.safe_load(file)


class Cycle(nn.Module):
    def __init__(self):
        super().__init__()
        self.G_AB, self.G_BA, self.D_A, self.D_B = (nn.Linear(2, 2) for _ in range(4))


def built(nets, modules, lr):
    return torch.optim.Adam(itertools.chain.from_iterable(getattr(nets, m).parameters() for m in modules), lr=lr)


nets = Cycle()
optimizers = {name: built(nets, **group) for name, group in options.items()}
for epoch in range(4):
    a, b = torch.randn(8, 2), torch.randn(8, 2)
    fake_a, fake_b = nets.G_BA(b), nets.G_AB(a)
    made = (nets.D_A(fake_a) - 1).square().mean() + (nets.D_B(fake_b) - 1).square().mean()
    nets.zero_grad()
    made.backward()
    optimizers["makers"].step()
    told = nets.D_A(fake_a.detach()).square().mean() + (nets.D_A(a) - 1).square().mean()
    told = told + nets.D_B(fake_b.detach()).square().mean() + (nets.D_B(b) - 1).square().mean()
    nets.zero_grad()
    told.backward()
    optimizers["judges"].step()
"""


@pytest.mark.parametrize(("makers", "found"), [("[G_AB]", ["FXA301"]), ("[G_AB, G_BA]", [])])
def test_the_list_of_the_parts_of_the_same_sort_is_the_line(makers: str, found: list[str], tmp_path: Path) -> None:
    text = f"makers:\n  modules: {makers}\n  lr: 0.01\njudges:\n  modules: [D_A, D_B]\n  lr: 0.01\n"
    (tmp_path / "options.yaml").write_text(text, "utf-8")
    report = judged(tmp_path, HEAD.replace("import json", "import itertools\nimport yaml") + CYCLE)
    assert codes(report) == found
    for finding in report.findings:
        assert (finding.culprit.file, finding.culprit.line) == ("options.yaml", 2) if finding.culprit else False


TRIPLETS = """
class Triplets(torch.utils.data.Dataset):
    def __init__(self):
        self.points = torch.randn(24, 4)

    def __len__(self):
        return 24

    def __getitem__(self, i):
        positive, negative = (i + 1) % 24, (i + 7) % 24
        return self.points[i], self.points[positive], self.points[OTHER]  # blamed


net = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
loader = torch.utils.data.DataLoader(Triplets(), batch_size=8)
for epoch in range(2):
    for batch in loader:
        anchor, near, far = (net(part) for part in batch)
        loss = ((anchor - near).square().sum(1) - (anchor - far).square().sum(1) + 9).clamp_min(0).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""


@pytest.mark.parametrize(("other", "found"), [("positive", ["FXA501"]), ("negative", [])])
def test_what_is_given_twice_so_that_gradients_cancel_out(other: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + TRIPLETS.replace("OTHER", other))
    assert [finding.code for finding in report.findings if finding.level == "error"] == found
    for finding in report.findings:
        assert finding.level == "note" or line_of(finding).endswith("# blamed")
    weights = {verdict for name, verdict in verdicts(report).items() if name.endswith("weight")}
    assert weights == ({"blocked"} if found else {"trained"})


EPOCHS = """
class Resume:
    def __init__(self, path):
        self.path = path

    def on_epoch_begin(self, trainer):
        WHEN
            trainer.model.load_state_dict(torch.load(self.path))  # blamed


class Trainer:
    def __init__(self, model, callbacks):
        self.model, self.callbacks = model, callbacks
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)

    def emit(self, event):
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def fit(self, epochs):
        for self.epoch in range(epochs):
            self.emit("on_epoch_begin")
            for _ in range(4):
                self.optimizer.zero_grad()
                (self.model(torch.randn(8, 4)) - 1).square().mean().backward()
                self.optimizer.step()


model = nn.Linear(4, 1)
torch.save({name: value.clone() + 1 for name, value in model.state_dict().items()}, "last.pt")
Trainer(model, [Resume("last.pt")]).fit(5)
"""


@pytest.mark.parametrize(
    ("when", "verdict"), [("if os.path.exists(self.path):", "replaced"), ("if trainer.epoch == 0:", "trained")]
)
def test_what_comes_again_in_each_epoch_is_waited_for(when: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD.replace("import json", "import os") + EPOCHS.replace("WHEN", when))
    assert set(verdicts(report).values()) == {verdict}
    assert codes(report) == (["FXA408"] if verdict == "replaced" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


SLOW = """
class Lookahead:
    def __init__(self, base):
        self.base, self.steps = base, 0
        self.slow = {p: p.detach().clone() for group in base.param_groups for p in group["params"]}

    @torch.no_grad()
    def step(self):
        self.base.step()
        self.steps += 1
        if self.steps % 4 == 0:
            for p, slow in self.slow.items():
                FIRST  # blamed
                SECOND


net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
slow = Lookahead(optimizer)
for epoch in range(20):
    optimizer.zero_grad()
    (net(torch.randn(8, 4)) - 1).square().mean().backward()
    slow.step()
"""


@pytest.mark.parametrize(
    ("first", "second", "verdict"),
    [
        ("p.copy_(slow)", "slow.lerp_(p, 0.5)", "replaced"),
        ("slow.lerp_(p, 0.5)", "p.copy_(slow)", "trained"),
    ],
)
def test_slow_weights_that_are_copied_before_they_follow(first: str, second: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SLOW.replace("FIRST", first).replace("SECOND", second))
    assert set(verdicts(report).values()) == {verdict}
    assert codes(report) == (["FXA408"] if verdict == "replaced" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)
    assert any("more were watched" in note for note in report.notes)


ROUTED = """
class Routed(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate, self.experts = nn.Linear(4, 3), nn.ModuleList(nn.Linear(4, 1) for _ in range(3))

    def forward(self, x):
        chosen = CHOSEN
        share = SHARE
        return sum(share[:, i, None] * expert(x) for i, expert in enumerate(self.experts))


net = Routed()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return (net(torch.randn(32, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(
    ("chosen", "share", "told"),
    [
        ("self.gate(x).argmax(1)", "F.one_hot(chosen, 3).float()  # blamed", "chosen = self.gate(x).argmax(1)"),
        (
            "self.gate(x) > 0",
            "torch.where(chosen, torch.ones(32, 3), torch.zeros(32, 3))  # blamed",
            "chosen = self.gate(x) > 0",
        ),
        ("self.gate(x).argmax(1)  # blamed", "torch.eye(3)[chosen]", "share = torch.eye(3)[chosen]"),
        ("self.gate(x) > 0  # blamed", "chosen.float()", "share = chosen.float()"),
    ],
)
def test_where_numbers_are_made_of_a_choice_is_told(chosen: str, share: str, told: str, tmp_path: Path) -> None:
    text = ROUTED.replace("CHOSEN", chosen).replace("SHARE", share)
    (finding,) = judged(tmp_path, HEAD + text + LOOP).findings
    assert finding.code == "FXA108" and line_of(finding).endswith("# blamed")
    assert finding.related[0].source.code == told
    assert ("one_hot(i, n) * probabilities" in finding.fix) is ("# blamed" in share)


def test_a_mask_that_lets_the_numbers_themselves_through_is_healthy(tmp_path: Path) -> None:
    numbers = "torch.where(chosen, self.gate(x), torch.zeros(32, 3))"
    text = ROUTED.replace("CHOSEN", "self.gate(x) > 0").replace("SHARE", numbers)
    assert codes(judged(tmp_path, HEAD + text + LOOP)) == []


# -- near misses ---------------------------------------------------------------------------------------------------

MEMBERS = """
import copy
net = nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
members = [copy.deepcopy(net.state_dict()) for _ in range(4)]
for generation in range(3):
    for number, member in enumerate(members):
        net.load_state_dict(member)
        for _ in range(4):
            optimizer.zero_grad()
            (net(torch.randn(8, 4)) - 1).square().mean().backward()
            optimizer.step()
        members[number] = copy.deepcopy(net.state_dict())
"""
ADDED = """
net = nn.Linear(4, 4)
place = nn.Parameter(torch.randn(4))
optimizer = torch.optim.SGD([*net.parameters(), place], lr=0.1)
for epoch in range(40):
    h = net(torch.randn(8, 4))
    h += place
    optimizer.zero_grad()
    (h - 1).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize("text", [MEMBERS, ADDED], ids=["members of a population", "added in place"])
def test_values_that_the_program_keeps_itself_are_not_waited_for(text: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + text)
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}
    assert not any("more were watched" in note for note in report.notes)


ALL_FROZEN = """
net = nn.Sequential()
for number in range(12):
    net.add_module(f"block{number}", nn.Linear(4, 4))
net.requires_grad_(False)
head = nn.Linear(4, 1)
watched = [name for name, _ in net.named_parameters() if "block1" in name]
optimizer = torch.optim.SGD(head.parameters(), lr=0.1)


def compute():
    return (head(net(torch.randn(8, 4))) - 1).square().mean()
"""


def test_a_number_in_a_test_that_freezes_nothing_is_no_slip(tmp_path: Path) -> None:
    assert codes(judged(tmp_path, HEAD + ALL_FROZEN + LOOP)) == []


TOWER = """
class Towers(nn.Module):
    def __init__(self, encoder):
        super().__init__()
        self.query_encoder, self.key_encoder, self.head = encoder, encoder, nn.Linear(4, 4)

    def forward(self, x):
        return (self.head(self.query_encoder(x)) - self.key_encoder(x + 0.1)).square().mean()


encoder = nn.Linear(4, 4)
encoder.requires_grad_(False)
net = Towers(encoder)
optimizer = torch.optim.SGD(net.head.parameters(), lr=0.1)


def compute():
    return net(torch.randn(8, 4))
"""


def test_a_tower_that_is_frozen_by_its_own_name_is_shared_on_purpose(tmp_path: Path) -> None:
    assert codes(judged(tmp_path, HEAD + TOWER + LOOP)) == []


RANKED = """
class Ranked(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.weight = nn.Linear(4, 4), nn.Parameter(torch.randn(4, 1))
        self.offset = nn.Parameter(torch.zeros(1, 1))

    def forward(self, x):
        return torch.tanh(self.body(x)) @ self.weight + self.offset


net = Ranked()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    return F.softplus(net(torch.randn(8, 4)) - net(torch.randn(8, 4))).mean()
"""


def test_a_shift_of_two_dimensions_that_cancels_out_is_a_note(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + RANKED + LOOP)
    (finding,) = report.findings
    assert (finding.level, finding.code, list(finding.parameters)) == ("note", "FXA501", ["offset"])


GAP = """
def pair(number):
    x = torch.randn(8, 4)
    return x, x, number


class Gap(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.gap = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        one, two = self.gap(h), self.gap(h)
        return h + (one - two)


net = Gap()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    x, target, _ = pair(0)
    return (net(x) - target).square().mean()
"""


def test_what_is_returned_twice_elsewhere_is_not_what_cancels_out(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + GAP + LOOP)
    (finding,) = report.findings
    assert finding.code == "FXA501" and "pair" not in str(finding.culprit), str(finding.culprit)
    assert finding.culprit is not None and finding.culprit.line != 11


@pytest.mark.parametrize(
    "value", ["self.box(h)", "F.l1_loss(self.box(h), boxes).item()", "F.l1_loss(self.box(h), boxes).detach()"]
)
def test_a_key_without_a_term_of_a_loss_is_named_rightly(value: str, tmp_path: Path) -> None:
    text = detector("a comprehension", "box_l1").replace("F.l1_loss(self.box(h), boxes)", value)
    text = text.replace("{name: value.mean() for name, value in losses.items()}", "losses")
    text = text.replace("value.item()", "0")
    report = judged(tmp_path, text)
    assert report["box.weight"].verdict == "unreachable"
    assert all("Name it as the test asks" not in finding.fix for finding in report.findings)


# -- what training really does ---------------------------------------------------------------------------------------

PLAINLY = {
    "a key of a loss": (detector("an if", "box_l1"), detector("an if", "loss_box")),
    "a number": tuple(
        HEAD + BLOCKS.replace("TEST", f'"{text}" in name').replace("PATTERNS", "[]") + LOOP
        for text in ("block1", "block1.")
    ),
    "what a lambda is given": tuple(
        HEAD + SOLVER.replace("GIVEN", given) + LOOP for given in ("net.body.parameters()", "net.parameters()")
    ),
    "bounds": tuple(
        HEAD + BOUNDED.replace("GIVEN", given) + LOOP
        for given in ("options.high, options.low", "options.low, options.high")
    ),
    "defaults": tuple(HEAD + MERGED.replace("GIVEN", given) + LOOP for given in ("own, DEFAULTS", "DEFAULTS, own")),
    "weights": (HEAD + WEIGHTED + LOOP, HEAD + WEIGHTED.replace("weights.json", "right.json") + LOOP),
    "a filter": tuple(
        HEAD + FILTERED.replace("FIRST", HEADS).replace("SECOND", body) + LOOP
        for body in (BODIES, BODIES.replace("body.layers", "body"))
    ),
    "what is given twice": tuple(HEAD + TRIPLETS.replace("OTHER", other) for other in ("positive", "negative")),
    "slow weights": tuple(
        HEAD + SLOW.replace("FIRST", one).replace("SECOND", other)
        for one, other in (
            ("p.copy_(slow)", "slow.lerp_(p, 0.5)"),
            ("slow.lerp_(p, 0.5)", "p.copy_(slow)"),
        )
    ),
}
"""What is wrong → the program with the mistake, and without it."""


@pytest.mark.slow
@pytest.mark.parametrize("name", PLAINLY)
def test_plain_training_leaves_more_alone_with_the_mistake(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.json").write_text('{"loss": {"edge": 0.5}}', "utf-8")
    for file, key in (("weights.json", "loss_iou"), ("right.json", "loss_quality")):
        (tmp_path / file).write_text(json.dumps({"weights": {"loss_kind": 1.0, key: 2.0}}), "utf-8")
    broken, right = PLAINLY[name]
    assert left_alone(broken) > left_alone(right) == (2 / 24 if name == "a number" else 0)  # block1 itself stays frozen


DRAWN = """
def init_weights(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight)
        nn.init.zeros_(m.bias)


def run_epoch(net, optimizer, epoch):
    OUTER
    for _ in range(4):
        optimizer.zero_grad()
        (net(torch.randn(8, 4)) - 1).square().mean().backward()
        optimizer.step()


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for EPOCH in range(5):
    INNER
    run_epoch(net, optimizer, EPOCH)
"""


@pytest.mark.parametrize(
    ("outer", "inner", "epoch", "verdict"),
    [
        ("net.apply(init_weights)  # blamed", "", "epoch", "replaced"),
        ("", "net.apply(init_weights)  # blamed", "epoch", "replaced"),
        ("", "for layer in net: layer.reset_parameters()  # blamed", "epoch", "replaced"),
        ("if epoch == 0: net.apply(init_weights)", "", "epoch", "trained"),
        ("", "net.apply(init_weights)", "fold", "trained"),
        ("", "net[1].apply(init_weights)", "epoch", "trained"),
        (
            "",
            "net.apply(init_weights); optimizer = torch.optim.SGD(net.parameters(), lr=0.1)",
            "epoch",
            "trained",
        ),
    ],
)
def test_values_that_are_drawn_anew_in_each_epoch(
    outer: str, inner: str, epoch: str, verdict: str, tmp_path: Path
) -> None:
    program = DRAWN.replace("OUTER", outer).replace("INNER", inner).replace("EPOCH", epoch)
    report = judged(tmp_path, HEAD + program)
    assert set(verdicts(report).values()) == {verdict}
    assert codes(report) == (["FXA408"] if verdict == "replaced" else [])
    assert all(line_of(finding).endswith("# blamed") for finding in report.findings)


@pytest.mark.parametrize(("when", "is_lost"), [("", True), ("if epoch == 0: ", False)])
def test_what_plain_training_learns_is_lost_where_values_are_drawn_anew(when: str, is_lost: bool) -> None:
    outer = f"{when}net.apply(init_weights)\n    begun.append(net[0].weight.detach().clone())"
    program = HEAD + "begun = []\n" + DRAWN.replace("OUTER", outer).replace("INNER", "").replace("EPOCH", "epoch")
    begun = []
    for rate in ("0.1", "0.01"):
        scope: dict[str, Any] = {}
        exec(program.replace("lr=0.1", f"lr={rate}"), scope)
        begun.append(scope["begun"][-1])
    assert torch.equal(*begun) is is_lost
