"""What a configuration switches off in as many words is a note: nobody has to be told that it does not train."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.scripts import LOOP, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

SCRIPT = """
import json

import torch
from torch import nn

torch.manual_seed(0)
READ
net = nn.ModuleDict({"body": nn.Linear(4, 4), "main": nn.Linear(4, 1), "aux": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def error(out):
    return (out - 1).square().mean()


def compute():
    h = torch.tanh(net["body"](torch.randn(8, 4)))
    main = error(net["main"](h))
    WAY
"""
FILE = 'config = json.load(open("config.json"))'
WAYS = {
    "a weight": ('return main + config["extra"]["weight"] * error(net["aux"](h))', "FXA501", "weight"),
    "a flag": (
        'use = config["extra"]["use"]\n    if use:\n        main = main + error(net["aux"](h))\n    return main',
        "FXA101",
        "use",
    ),
    "a comprehension": (
        'terms = {"main": main, "aux": error(net["aux"](h))}\n'
        '    weights = {"main": 1.0, "aux": config["extra"]["weight"]}\n'
        "    return sum(weights[name] * term for name, term in terms.items() if weights[name] > 0)",
        "FXA103",
        "weight",
    ),
}


def script(folder: Path, way: str, aux: dict[str, object], read: str = FILE) -> str:
    (folder / "config.json").write_text(json.dumps({"extra": aux}, indent=2))
    return SCRIPT.replace("READ", read).replace("WAY", WAYS[way][0]) + LOOP


@pytest.mark.parametrize("way", ["a weight", "a flag", "a comprehension"])
def test_an_entry_that_switches_it_off_is_told_in_a_note(way: str, tmp_path: Path) -> None:
    report = judged(tmp_path, script(tmp_path, way, {"weight": 0.0, "use": False}))
    assert verdicts(report)["aux.weight"] in ("blocked", "unreachable")
    (finding,) = report.findings
    assert (finding.code, finding.level) == (WAYS[way][1], "note")
    assert line_of(finding).strip().startswith(f'"{WAYS[way][2]}":')


@pytest.mark.parametrize("way", ["a weight", "a flag", "a comprehension"])
def test_an_entry_that_switches_it_on_leaves_nothing_to_tell(way: str, tmp_path: Path) -> None:
    assert not judged(tmp_path, script(tmp_path, way, {"weight": 0.5, "use": True})).findings


def test_a_key_that_is_misspelt_stays_an_error(tmp_path: Path) -> None:
    read = 'config = {"extra": {"weight": json.load(open("config.json"))["extra"].get("weight", 0.0)}}'
    report = judged(tmp_path, script(tmp_path, "a weight", {"wieght": 0.5}, read))
    (finding,) = report.findings
    assert finding.level == "error"
    assert line_of(finding).strip().startswith('"wieght"')


def test_a_weight_that_the_code_itself_sets_stays_an_error(tmp_path: Path) -> None:
    text = script(tmp_path, "a weight", {}).replace('config["extra"]["weight"]', "weight")
    text = text.replace("    h = torch", "    weight = 0.0\n    h = torch", 1)
    (finding,) = judged(tmp_path, text).findings
    assert finding.level == "error"


LISTED = 'if "aux" in config["TABLE"]:\n        main = main + error(net["aux"](h))\n    return main'


@pytest.mark.parametrize(
    ("read", "level"),
    [
        ('config = {"tasks": ["main", "depth"]}', "note"),
        ('config = {"tasks": ["main", "Aux"]}', "warning"),
        ('config = {"tasks": {"main": 1, "depth": 2}}', "warning"),
    ],
    ids=["a list of others", "a list with nearly that name", "the keys of a table"],
)
def test_a_name_that_is_not_listed(read: str, level: str, tmp_path: Path) -> None:
    text = SCRIPT.replace("READ", f"{read}\ntasks = config['tasks']").replace("WAY", LISTED) + LOOP
    report = judged(tmp_path, text.replace('config["TABLE"]', "tasks"))
    assert [finding.level for finding in report.findings] == [level]
    assert report.findings[0].code == "FXA101"


THAWED = """
import torch
from torch import nn

torch.manual_seed(0)
config = {"release": RELEASE}
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["body"].requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def release(step):
    if step == config["release"]:
        net["body"].requires_grad_(True)


for epoch in range(4):
    release(epoch)
    loss = (net["head"](torch.tanh(net["body"](torch.randn(8, 4)))) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


@pytest.mark.parametrize(("release", "level"), [("-1", "note"), ("400", "warning")])
def test_a_counter_that_is_to_come_below_nought_waits_for_nothing(release: str, level: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, THAWED.replace("RELEASE", release)).findings
    assert (finding.code, finding.level) == ("FXA306", level)


# -- what has the name of a term that is switched off ------------------------------------------------------------------

ROUNDS = """
import torch
from torch import nn

torch.manual_seed(0)
TARGETS = {"main": 1.0, "toxic": WEIGHT}
FROZEN = {"toxic": False}
net = nn.ModuleDict({"body": nn.Linear(4, 4), "heads": nn.ModuleDict({name: nn.Linear(4, 1) for name in TARGETS})})
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
logs = {}
for name, flag in FROZEN.items():
    if flag:
        net["heads"][name].requires_grad_(False)


def compute():
    h, total = torch.tanh(net["body"](torch.randn(8, 4))), 0.0
    for name, weight in TARGETS.items():
        out = net["heads"][name](h)
        term = ((outCUT if name == "toxic" else out) - 1).square().mean()
        logs[name] = term.detach()
        if weight:
            total = total + weight * term
    return total
"""


@pytest.mark.parametrize(
    ("weight", "cut", "levels"),
    [("0.0", "", ["note"]), ("0.5", "", []), ("0.5", ".detach()", ["error"])],
    ids=["off", "on", "cut off, and without a part in another table"],
)
def test_a_term_that_its_own_weight_leaves_out(weight: str, cut: str, levels: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, ROUNDS.replace("WEIGHT", weight).replace("CUT", cut) + LOOP)
    assert [finding.level for finding in report.findings] == levels
    for finding in report.findings if weight == "0.0" else ():
        assert line_of(finding).startswith("TARGETS = ") and finding.message.endswith(": its weight is 0.0")
        assert "it ends here" in [related.role for related in finding.related]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("weight", "cut", "share"), [("0.0", "", 2 / 6), ("0.5", "", 0.0), ("0.5", ".detach()", 2 / 6)]
)
def test_plain_training_leaves_alone_what_its_weight_leaves_out(weight: str, cut: str, share: float) -> None:
    assert left_alone(ROUNDS.replace("WEIGHT", weight).replace("CUT", cut) + LOOP) == share


PICKED = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.ModuleDict({"body": nn.Linear(4, 4), "head": nn.Linear(4, 1)})
net["body"].requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def thaw(net, kinds):
    params = [p for m in net.modules() if isinstance(m, kinds) for p in m.parameters() if not p.requires_grad]
    if params:
        for p in params:
            p.requires_grad_(True)


for epoch in range(4):
    thaw(net, nn.LayerNorm)
    loss = (net["head"](torch.tanh(net["body"](torch.randn(8, 4)))) - 1).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""


def test_parameters_picked_by_a_kind_that_the_model_lacks(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, PICKED).findings
    assert (finding.code, finding.level) == ("FXA306", "note")


def test_what_decays_beside_a_weight_of_nought_is_not_left_alone(tmp_path: Path) -> None:
    text = script(tmp_path, "a weight", {"weight": 0.0, "use": False})
    built = "torch.optim.SGD(net.parameters(), lr=0.1)"
    (finding,) = judged(tmp_path, text.replace(built, "torch.optim.AdamW(net.parameters(), lr=0.1)")).findings
    assert (finding.code, finding.level) == ("FXA501", "error")


# -- a rate of 0 for one group -----------------------------------------------------------------------------------------

RATED = """
from types import SimpleNamespace

import torch
from torch import nn

torch.manual_seed(0)
OPTIONS = GIVEN
net = nn.ModuleDict({"words": nn.Embedding(8, 4), "main": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(
    [
        {"params": net["words"].parameters(), "lr": FIRST},
        {"params": net["main"].parameters(), "lr": SECOND},
    ]
)


def compute():
    return net["main"](net["words"](torch.randint(0, 8, (16,)))).square().mean()
"""
TABLES = {
    "SimpleNamespace": ("SimpleNamespace(words_lr={}, lr={})", "OPTIONS.words_lr", "OPTIONS.lr"),
    "dict": ('{{"words_lr": {}, "lr": {}}}', 'OPTIONS["words_lr"]', 'OPTIONS["lr"]'),
}


def rated(table: str, words: str, main: str) -> str:
    given, first, second = TABLES[table]
    return RATED.replace("GIVEN", given.format(words, main)).replace("FIRST", first).replace("SECOND", second) + LOOP


@pytest.mark.parametrize("table", TABLES)
def test_a_rate_of_zero_for_one_group_of_several_is_a_note(table: str, tmp_path: Path) -> None:
    report = judged(tmp_path, rated(table, "0.0", "0.1"))
    (finding,) = report.findings
    assert (finding.code, finding.level) == ("FXA304", "note")
    assert line_of(finding).startswith("OPTIONS = ")
    assert verdicts(report)["words.weight"] == "blocked"


@pytest.mark.parametrize("table", TABLES)
def test_a_rate_of_zero_for_all_stays_an_error(table: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, rated(table, "0.0", "0.0")).findings
    assert (finding.code, finding.level) == ("FXA304", "error")


def test_a_rate_of_zero_in_the_code_itself_stays_an_error(tmp_path: Path) -> None:
    text = rated("dict", "0.0", "0.1").replace('OPTIONS["words_lr"]', "0.0")
    (finding,) = judged(tmp_path, text).findings
    assert (finding.code, finding.level) == ("FXA304", "error")


@pytest.mark.slow
@pytest.mark.parametrize(("words", "main", "share"), [("0.0", "0.1", 1 / 3), ("0.0", "0.0", 1.0), ("0.1", "0.1", 0.0)])
def test_plain_training_leaves_alone_what_has_a_rate_of_zero(words: str, main: str, share: float) -> None:
    assert left_alone(rated("dict", words, main)) == pytest.approx(share)
