"""Programs that only look like one with a mistake: they are healthy, or another line is to blame."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")
HEAD = """
import copy

import torch
from torch import nn
from torch.func import functional_call

torch.manual_seed(0)
"""

# -- values that are drawn anew for each of several trainings ----------------------------------------------------------

ANEW = """
def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


def train():
    net.apply(init)
    for _ in range(5):
        optimizer.zero_grad()
        (net(X) - Y).square().mean().backward()
        optimizer.step()
    return copy.deepcopy(net)


net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
X, Y = torch.randn(16, 4), torch.randn(16, 1)
kept = []
LOOP
"""
LOOPS = {
    "members": "for member in range(6):\n    kept.append(train())",
    "parts of the data": "for k, held in enumerate(torch.randperm(16).chunk(6)):\n    kept.append(train())",
    "subjects": "for subject in torch.randn(6, 4):\n    kept.append(train())",
    "restarts": "while len(kept) < 6:\n    kept.append(train())",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_each_round_is_a_training_of_its_own(loop: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + ANEW.replace("LOOP", LOOPS[loop]))
    assert codes(report) == []
    assert set(verdicts(report).values()) == {"trained"}


def test_a_head_that_is_forgotten_on_purpose_by_an_optimizer_of_its_own(tmp_path: Path) -> None:
    text = """
body, head = nn.Linear(4, 4), nn.Linear(4, 2)
first, second = torch.optim.SGD(body.parameters(), lr=0.05), torch.optim.SGD(head.parameters(), lr=0.05)
for epoch in range(8):
    head.reset_parameters()
    for _ in range(4):
        first.zero_grad(), second.zero_grad()
        (head(torch.tanh(body(torch.randn(8, 4)))) - 1).square().mean().backward()
        first.step(), second.step()
"""
    assert codes(judged(tmp_path, HEAD + text)) == []


# -- a callback that never finds anything better, for another reason ---------------------------------------------------

BEST = """
class RestoreBest:
    def __init__(self, mode, margin=0.0):
        self.sign, self.margin = (1.0 if mode == "max" else -1.0), margin
        self.best, self.kept = BEST, copy.deepcopy(net.state_dict())

    def on_epoch_end(self, loss):
        score = self.sign * loss
        if self.best is None or score > self.best + self.margin:
            self.best, self.kept = score, copy.deepcopy(net.state_dict())
        else:
            net.load_state_dict(self.kept)


net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
callback = RestoreBest(GIVEN)  # mode
for epoch in range(8):
    for _ in range(4):
        optimizer.zero_grad()
        loss = (net(torch.ones(8, 4)) - 3).square().mean()
        loss.backward()
        optimizer.step()
    callback.on_epoch_end(loss.item())
"""


@pytest.mark.parametrize(
    ("best", "given", "blames_the_mode"),
    [
        ("None", 'mode="max"', True),
        ('float("inf")', 'mode="min"', False),
        ("None", 'mode="min", margin=100.0', False),
    ],
)
def test_a_mode_is_blamed_only_where_the_other_would_do(
    best: str, given: str, blames_the_mode: bool, tmp_path: Path
) -> None:
    (finding,) = judged(tmp_path, HEAD + BEST.replace("BEST", best).replace("GIVEN", given)).findings
    assert finding.code == "FXA408"
    assert line_of(finding).endswith("# mode") is blames_the_mode


# -- regions without gradients that no setting chooses -----------------------------------------------------------------

REGIONS = """
class Net(nn.Module):
    def __init__(self, normalise):
        super().__init__()
        self.normalise = normalise
        self.encoder, self.norm, self.head = nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 1)

    def forward(self, x):
        if self.normalise:
            with torch.no_grad():  # blamed
                x = self.norm(self.encoder(x))
        else:
            with torch.no_grad():
                x = self.encoder(x)
        return self.head(x)

    def embed(self, x):
        return self.encoder(x)


def train():
    for _ in range(5):
        optimizer.zero_grad()
        net(torch.randn(8, 4)).square().mean().backward()
        optimizer.step()


TRAIN = True
net = Net(normalise=NORMALISE)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
if TRAIN:
    train()
else:
    print(net.embed(torch.randn(8, 4)))
"""


def test_neither_what_starts_the_training_nor_another_region_is_the_way_out(tmp_path: Path) -> None:
    finding = judged(tmp_path, HEAD + REGIONS.replace("NORMALISE", "True")).findings[0]
    assert finding.code == "FXA105" and line_of(finding).endswith("# blamed")


# -- statistics of a choice, and probes that nobody reads --------------------------------------------------------------

CHOSEN = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.router, self.experts, self.head = nn.Linear(4, 3), nn.Parameter(torch.randn(3, 4)), nn.Linear(4, 1)

    def forward(self, x):
        chosen = self.router(x).argmax(-1)  # blamed
        self.used = torch.where(chosen == 0, 1.0, 0.0).mean().item()
        return self.head(x * self.experts[chosen])


net = Net()
"""
PROBED = """
class Probe:
    seen = {}

    def __init__(self, layer):
        layer.register_forward_hook(self.keep)

    def keep(self, module, given, out):
        self.seen["last"] = out


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.aux, self.head = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        side = self.aux(h)
        return self.head(h)  # blamed


net = Net()
probes = [Probe(layer) for layer in net.children()]
"""
TRAINED = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for epoch in range(4):
    optimizer.zero_grad()
    (net(torch.randn(8, 4)) - 1).square().mean().backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("text", "code"), [(CHOSEN, "FXA108"), (PROBED, "FXA103")], ids=["statistics", "probes"])
def test_what_is_only_looked_at_is_not_blamed(text: str, code: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + text + TRAINED).findings
    assert finding.code == code
    assert line_of(finding).endswith("# blamed")


# -- `functional_call` beside a parameter that nothing reads -----------------------------------------------------------

FOLLOWED = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.scale, self.scales = nn.Linear(4, 4), nn.Parameter(torch.ones(4)), False

    def forward(self, x):
        y = torch.tanh(self.body(x))
        return y * self.scale if self.scales else y


net = Net()
followed = {name: value.detach().clone() for name, value in net.named_parameters()}
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for step in range(4):
    x = torch.randn(8, 4)
    with torch.no_grad():
        target = functional_call(net, followed, (x,))
    optimizer.zero_grad()
    (net(x + 0.1) - target).square().mean().backward()
    optimizer.step()
"""


def test_a_target_by_functional_call_is_not_why_a_parameter_is_not_read(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + FOLLOWED).findings
    assert (finding.code, finding.level) == ("FXA102", "warning")
    assert "functional_call" not in finding.message and "`self.scales` is False" in finding.message


# -- scalers, and optimizers that are gone -----------------------------------------------------------------------------

SCALED = """
def fit(net, optimizer, scaler):
    for epoch in range(12):
        optimizer.zero_grad()
        loss = (net(torch.randn(8, 4)) - 1).square().mean() / ZERO
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()


nets = [nn.Linear(4, 1) for _ in range(2)]
optimizers = [torch.optim.SGD(net.parameters(), lr=1e-3) for net in nets]
scalers = [torch.amp.GradScaler("cpu", init_scale=2.0**10) for _ in nets]
for net, optimizer, scaler in zip(nets, optimizers, scalers):
    fit(net, optimizer, scaler)
"""
FOLDS = """
def fit():
    net = nn.Linear(4, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    for epoch in range(12):
        optimizer.zero_grad()
        out = net(torch.randn(8, 4))
        scaler.scale((out - 1).square().mean() + torch.log(out - out).mean()).backward()
        scaler.step(optimizer)
        scaler.update()


for fold in range(3):
    fit()
"""


def test_a_scaler_for_each_model_is_not_made_anew_in_each_round(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + SCALED.replace("ZERO", "torch.zeros(())"))
    assert report.findings and not any("made anew" in finding.message for finding in report.findings)


def test_an_optimizer_that_a_scaler_never_let_step_held_its_parameters(tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + FOLDS)
    assert set(verdicts(report).values()) == {"blocked"}
    assert "FXA301" not in codes(report)


# -- files that were not opened ----------------------------------------------------------------------------------------

OPENED = """
import json
from pathlib import Path

name = "new"
options = json.loads((Path() / "configs" / name / "base.json").read_text())
net = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 1))
groups = [{"params": net[0].parameters(), "lr": options.get("first", 0.0)}, {"params": net[1].parameters()}]  # asked
optimizer = torch.optim.SGD(groups, lr=options["lr"])
for epoch in range(4):
    optimizer.zero_grad()
    (net(torch.randn(8, 4)) - 1).square().mean().backward()
    optimizer.step()
"""


def test_a_file_of_the_same_name_in_another_folder_is_not_blamed(tmp_path: Path) -> None:
    for folder, text in (("old", '{\n "lr": 0.1,\n "first": 0.0\n}\n'), ("new", '{\n "lr": 0.1\n}\n')):
        (tmp_path / "configs" / folder).mkdir(parents=True)
        (tmp_path / "configs" / folder / "base.json").write_text(text, encoding="utf-8")
    (finding,) = judged(tmp_path, HEAD + OPENED).findings
    assert finding.code == "FXA304" and line_of(finding).endswith("# asked")
