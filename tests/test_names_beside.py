"""Names that are asked for and name too much, or nothing: the text, or the test, is to be edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

# -- a prefix with which other parts begin, too ------------------------------------------------------------------------

LAYERS = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.ModuleDict({"stem": nn.Linear(4, 4), "layers": nn.ModuleList(nn.Linear(4, 4) for _ in range(COUNT))})
net["head"] = nn.Linear(4, 1)


def freeze(model, count):
    prefixes = ["stem"] + [f"PREFIX" for i in range(count)]
    for name, parameter in model.named_parameters():
        if ASKED:  # blamed
            parameter.requires_grad = False


freeze(net, 2)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    h = net["stem"](torch.randn(8, 4))
    for layer in net["layers"]:
        h = torch.tanh(layer(h))
    return (net["head"](h) - 1).square().mean()
"""
IN_A_TUPLE = "name.startswith(tuple(prefixes))"


def _layers(asked: str, count: int, prefix: str) -> str:
    return LAYERS.replace("ASKED", asked).replace("COUNT", str(count)).replace("PREFIX", prefix) + LOOP


@pytest.mark.parametrize("asked", [IN_A_TUPLE, "any(name.startswith(one) for one in tuple(prefixes))"])
@pytest.mark.parametrize(
    ("count", "prefix", "is_beyond"),
    [(12, "layers.{i}", True), (4, "layers.{i}", False), (12, "layers.{i}.", False)],
    ids=["goes on", "nothing that goes on", "with a dot"],
)
def test_prefixes_that_are_made_a_tuple(asked: str, count: int, prefix: str, is_beyond: bool, tmp_path: Path) -> None:
    report = judged(tmp_path, _layers(asked, count, prefix))
    assert codes(report) == (["FXA310"] if is_beyond else [])
    for finding in report.findings:
        assert line_of(finding).endswith("# blamed")
        assert {name.split(".")[1] for name in finding.parameters} == {"10", "11"}


@pytest.mark.slow
def test_plain_training_leaves_alone_what_begins_with_a_prefix() -> None:
    with_dot, without = (left_alone(_layers(IN_A_TUPLE, 12, prefix)) for prefix in ("layers.{i}.", "layers.{i}"))
    assert (with_dot, without) == (6 / 28, 10 / 28)


TOWERS = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.text = nn.Linear(4, 4)
        self.text_proj = PROJECTION
        self.head = nn.Linear(4, 1)

    def forward(self, x):
        return self.head(torch.tanh(self.text_proj(self.text(x))))


def freeze(model, names):
    for name, parameter in model.named_parameters():
        if ASKED:  # blamed
            parameter.requires_grad = False


net = Net()
LOAD
freeze(net, NAMES)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
EACH = "any(name.startswith(one) for one in names)"
OF_THE_TEXT = "net.text.load_state_dict(nn.Linear(4, 4).state_dict())"


def _towers(
    asked: str = EACH, load: str = OF_THE_TEXT, names: str = '["text"]', projection: str = "nn.Linear(4, 4)"
) -> str:
    text = TOWERS.replace("ASKED", asked).replace("LOAD", load).replace("NAMES", names)
    return text.replace("PROJECTION", projection) + LOOP


@pytest.mark.parametrize("asked", [EACH, "any(one in name for one in names)", "name.startswith(tuple(names))"])
def test_a_new_part_whose_name_begins_as_that_of_the_loaded_one(asked: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _towers(asked)).findings
    assert (finding.code, finding.level, set(finding.parameters)) == (
        "FXA310",
        "warning",
        {"text_proj.weight", "text_proj.bias"},
    )
    assert line_of(finding).endswith("# blamed") and "whole name" in finding.fix


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_towers(names='["text."]'), id="with a dot"),
        pytest.param(_towers(names='["text", "text_proj"]'), id="both are named"),
        pytest.param(_towers(load="net.load_state_dict(Net().state_dict())"), id="both are loaded"),
        pytest.param(_towers(load="print(net)"), id="none is loaded"),
        pytest.param(_towers(names='["text_"]'), id="only the other is meant"),
        pytest.param(_towers(projection="nn.LayerNorm(4)"), id="nothing was drawn at random"),
    ],
)
def test_a_part_of_such_a_name_that_may_be_meant(text: str, tmp_path: Path) -> None:
    report = judged(tmp_path, text)
    assert codes(report) == []
    assert set(verdicts(report).values()) == {"frozen", "trained"}


# -- names of parts that are to train beside adapters ------------------------------------------------------------------

ADAPTERS = """
import json
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
settings = json.loads(Path("settings.json").read_text())


class Adapter(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base = base
        self.lora_a, self.lora_b = nn.Parameter(torch.randn(4, 2)), nn.Parameter(torch.randn(2, 4))

    def forward(self, x):
        return self.base(x) + x @ self.lora_a @ self.lora_b


net = nn.Sequential()
net.add_module("body", Adapter(nn.Linear(4, 4)))
net.add_module("classifier", nn.Linear(4, 1))
for name, param in net.named_parameters():
    parts = name.split(".")
    is_adapter = parts[-1].startswith("lora_")
    is_saved = any(part in settings["saved"] for part in parts)
    is_kept = any(part in settings["kept"] for part in parts)
    SET  # frozen
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
FLAGS = "param.requires_grad_(is_adapter or is_saved)"
NEGATED = "param.requires_grad_((is_adapter or is_saved) and not is_kept)"
BRANCH = """if not is_adapter and parts[0] not in settings["saved"]:
        param.requires_grad = False"""


def _saving(folder: Path, saved: str, statement: str = FLAGS) -> str:
    (folder / "settings.json").write_text(
        f'{{\n  "rank": 2,\n  "kept": ["position"],\n  "saved": {saved}\n}}', encoding="utf-8"
    )
    return ADAPTERS.replace("SET", statement) + LOOP


@pytest.mark.parametrize("statement", [FLAGS, NEGATED, BRANCH])
@pytest.mark.parametrize("saved", ['["score"]', '["score", "lm_head"]'])
def test_the_list_of_parts_to_train_that_names_none(saved: str, statement: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _saving(tmp_path, saved, statement))
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("FXA306", "warning")
    assert finding.culprit and finding.culprit.file == "settings.json" and '"saved"' in line_of(finding)
    assert "no module is named `score`" in finding.message and "`classifier`" in finding.fix


@pytest.mark.parametrize("statement", [FLAGS, NEGATED, BRANCH])
def test_a_list_of_parts_to_train_that_is_empty_keeps_the_line_that_freezes(statement: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _saving(tmp_path, "[]", statement)).findings
    assert (finding.code, finding.level) == ("FXA306", "note")
    assert "# frozen" in line_of(finding)


@pytest.mark.parametrize("saved", ['["classifier"]', '["score", "classifier"]'])
def test_a_list_of_parts_to_train_that_names_the_head(saved: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _saving(tmp_path, saved))
    assert codes(report) == [] and verdicts(report)["classifier.weight"] == "trained"


@pytest.mark.slow
@pytest.mark.parametrize(("saved", "share"), [('["score"]', 4 / 6), ('["classifier"]', 2 / 6)])
def test_plain_training_leaves_alone_what_is_not_named(
    saved: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_saving(tmp_path, saved)) == share


# -- names that are listed for a group without decay -------------------------------------------------------------------

DECAY = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.position = nn.Parameter(torch.randn(4)), nn.Parameter(torch.randn(4))
        self.body, self.head = nn.Linear(4, 4), nn.Linear(4, 1)

    def no_weight_decay(self):
        return {"token", "position"}

    def forward(self, x):
        return self.head(torch.tanh(self.body(x + self.position) * self.token))


def groups(model):
    skip = model.no_weight_decay()
    decay, no_decay = [], []
    for name, param in model.named_parameters():
        LOOP
    return [{"params": no_decay, "weight_decay": 0.0}, {"params": decay, "weight_decay": 0.1}]


def make(model, name):
    params = groups(model)
    kinds = {
        "sgd": lambda: torch.optim.SGD(params, lr=0.1),
        "adam": lambda: torch.optim.Adam(params, lr=0.1),
    }
    return kinds[name]()


net = Net()
optimizer = make(net, "sgd")


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
TOGETHER = """if not param.requires_grad or name in skip:  # blamed
            continue
        (no_decay if param.ndim <= 1 else decay).append(param)"""
APART = """if not param.requires_grad:
            continue
        if name in skip:  # blamed
            continue
        (no_decay if param.ndim <= 1 else decay).append(param)"""
RIGHT = """if not param.requires_grad:
            continue
        (no_decay if param.ndim <= 1 or name in skip else decay).append(param)"""


@pytest.mark.parametrize("loop", [TOGETHER, APART])
def test_the_test_that_passes_by_what_is_listed_for_a_group(loop: str, tmp_path: Path) -> None:
    report = judged(tmp_path, DECAY.replace("LOOP", loop) + LOOP)
    (finding,) = report.findings
    assert (finding.code, set(finding.parameters)) == ("FXA301", {"token", "position"})
    assert line_of(finding).endswith("# blamed")


def test_what_is_listed_for_a_group_and_gets_into_it(tmp_path: Path) -> None:
    report = judged(tmp_path, DECAY.replace("LOOP", RIGHT) + LOOP)
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


@pytest.mark.slow
@pytest.mark.parametrize(("loop", "share"), [(TOGETHER, 2 / 6), (APART, 2 / 6), (RIGHT, 0.0)])
def test_plain_training_leaves_alone_what_is_passed_by(loop: str, share: float) -> None:
    assert left_alone(DECAY.replace("LOOP", loop) + LOOP) == share


# -- one alternative of a pattern, with an old name --------------------------------------------------------------------

PATTERNS = """
import re
from pathlib import Path

import torch
import yaml
from torch import nn

torch.manual_seed(0)
rules = yaml.safe_load(Path("groups.yaml").read_text())["groups"]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.query_tower, self.item_tower, self.scale = nn.Linear(4, 4), nn.Linear(4, 4), nn.Parameter(torch.ones(1))

    def forward(self, x):
        return (self.query_tower(x) * self.item_tower(x)).sum() * self.scale


def groups(model):
    found = [{"params": [], "lr": rule["lr"]} for rule in rules]
    patterns = [re.compile(rule["pattern"]) for rule in rules]
    for name, param in model.named_parameters():
        for pattern, group in zip(patterns, found):
            if pattern.search(name):
                group["params"].append(param)
                break
    return [group for group in found if group["params"]]  # left out


net = Net()
optimizer = torch.optim.SGD(groups(net), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square()
"""


def _grouped(folder: Path, pattern: str) -> str:
    lines = ["groups:", f"  - pattern: '{pattern}'", "    lr: 0.01", "  - pattern: '^scale$'", "    lr: 0.1"]
    (folder / "groups.yaml").write_text("\n".join(lines), encoding="utf-8")
    return PATTERNS + LOOP


@pytest.mark.parametrize("pattern", ["^(user|item)_tower", r"^(item|user)_tower\.\w+"])
def test_one_alternative_of_a_pattern_that_has_another_word_of_the_name(pattern: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _grouped(tmp_path, pattern))
    (finding,) = report.findings
    assert (finding.code, set(finding.parameters)) == ("FXA301", {"query_tower.weight", "query_tower.bias"})
    assert finding.culprit and finding.culprit.file == "groups.yaml" and pattern in line_of(finding)


@pytest.mark.parametrize("pattern", ["^(query|item)_tower", "_tower"])
def test_alternatives_that_all_name_something(pattern: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _grouped(tmp_path, pattern))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


@pytest.mark.parametrize("pattern", ["^item_tower", "^(user|item)_side|^item"])
def test_a_pattern_that_no_word_of_the_name_would_mend_keeps_the_line(pattern: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _grouped(tmp_path, pattern)).findings
    assert finding.code == "FXA301" and "# left out" in line_of(finding)


@pytest.mark.slow
@pytest.mark.parametrize(("pattern", "share"), [("^(user|item)_tower", 2 / 5), ("^(query|item)_tower", 0.0)])
def test_plain_training_leaves_alone_what_no_alternative_fits(
    pattern: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_grouped(tmp_path, pattern)) == share
