"""Keys, prefixes and patterns that somebody wrote down, and that fit no name: the text is to be edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import LOOP, codes, judged, left_alone, line_of, verdicts

pytestmark = pytest.mark.usefixtures("first_step_paid")

HEAD = """
import torch
from torch import nn

torch.manual_seed(0)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.head, self.quality = nn.Linear(4, 4), nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x):
        h = torch.tanh(self.body(x))
        return self.head(h), self.quality(h)


net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
"""

# -- terms that a filter by their key leaves out -------------------------------------------------------------------

LOSSES = """
def losses(out, quality):
    first = (out - 1).square().mean()
    second = MADE
    return dict(
        loss_out=first,
        KEY=second,  # blamed
        count=torch.tensor(8.0))


def summed(found):
    log = {name: value.mean() for name, value in found.items()}
    return sum(value for name, value in log.items() if "loss" in name)


def compute():
    return summed(losses(*net(torch.randn(8, 4))))
"""
OF_QUALITY = "(quality - 1).square().mean()"


@pytest.mark.parametrize(
    ("key", "made", "verdict", "is_blamed"),
    [
        ("quality", OF_QUALITY, "unreachable", True),
        ("loss_quality", OF_QUALITY, "trained", False),
        ("quality", f"{OF_QUALITY}.detach()", "unreachable", False),
    ],
    ids=["a term", "a term as the filter asks for it", "a number for the log"],
)
def test_a_term_with_a_name_of_its_own_under_a_key_that_is_left_out(
    key: str, made: str, verdict: str, is_blamed: bool, tmp_path: Path
) -> None:
    report = judged(tmp_path, HEAD + LOSSES.replace("KEY", key).replace("MADE", made) + LOOP)
    assert verdicts(report)["quality.weight"] == verdict
    assert bool(report.findings) is (verdict != "trained")
    assert any("# blamed" in line_of(finding) for finding in report.findings) is is_blamed


@pytest.mark.slow
@pytest.mark.parametrize(("key", "share"), [("quality", 2 / 6), ("loss_quality", 0.0)])
def test_plain_training_leaves_alone_what_the_filter_leaves_out(key: str, share: float) -> None:
    assert left_alone(HEAD + LOSSES.replace("KEY", key).replace("MADE", OF_QUALITY) + LOOP) == share


FORGOTTEN = """
def losses(out, quality):
    first = (out - 1).square().mean()
    loss_quality = (quality - 1).square().mean()  # forgotten
    return {"loss_out": first, "share": quality.sigmoid().mean()MORE}


def compute():
    found = losses(*net(torch.randn(8, 4)))
    return sum(value for name, value in found.items() if "loss" in name)
"""


@pytest.mark.parametrize(
    ("more", "blamed"), [("", "forgotten"), (', "loss_quality": loss_quality', "")], ids=["left out", "put in"]
)
def test_a_term_of_the_right_name_that_nobody_puts_in(more: str, blamed: str, tmp_path: Path) -> None:
    report = judged(tmp_path, HEAD + FORGOTTEN.replace("MORE", more) + LOOP)
    assert [line_of(finding).partition("# ")[2] for finding in report.findings] == ([blamed] if blamed else [])


# -- weights under keys that nobody asks for -----------------------------------------------------------------------

TERMS = """
import json
from pathlib import Path

weights = json.loads(Path("weights.json").read_text())
TERMS = {}


def term(name):
    def keep(function):
        TERMS[name] = function
        return function

    return keep


@term("fit")
def fit(out, quality):
    return (out - 1).square().mean()


@term("residual")
def residual(out, quality):
    return (quality - 1).square().mean()


def compute():
    out = net(torch.randn(8, 4))
    total = torch.zeros(())
    for name, function in TERMS.items():
        WEIGHT
        total = total + weight * function(*out)
    return total
"""
GET = "weight = weights.get(name, 0.0)"
CHOSEN = "weight = weights[name] if name in weights else 0.0"
CALLED = "weight = weight_of(weights, name)"
HELPER = """
def weight_of(table, name):
    found = table.get(name, 0.0)
    return float(found)
"""
SMOOTH = """

@term("smooth")
def smooth(out, quality):
    return out.mean()

"""
RIGHT = '{\n  "fit": 1.0,\n  "residual": 0.1\n}'
WRONG = '{\n  "fit": 1.0,\n  "pde": 0.1\n}'


def _weighted(folder: Path, weight: str, weights: str) -> str:
    (folder / "weights.json").write_text(weights, encoding="utf-8")
    return HEAD + HELPER + TERMS.replace("WEIGHT", weight) + LOOP


@pytest.mark.parametrize("weight", [GET, CHOSEN, CALLED])
def test_the_weight_that_nobody_asks_for(weight: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, _weighted(tmp_path, weight, WRONG)).findings
    assert finding.code == "FXA501" and set(finding.parameters) == {"quality.weight", "quality.bias"}
    assert (line_of(finding), finding.culprit and finding.culprit.file) == ('"pde": 0.1', "weights.json")


@pytest.mark.parametrize("weight", [GET, CHOSEN, CALLED])
def test_a_weight_under_the_name_of_its_term(weight: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _weighted(tmp_path, weight, RIGHT))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


@pytest.mark.parametrize(
    ("weights", "more"),
    [
        ('{\n  "fit": 1.0\n}', ""),
        ('{\n  "fit": 1.0,\n  "pde": 0.0\n}', ""),
        ('{\n  "fit": 1.0,\n  "every": 10\n}', "\nprint(weights['every'])\n"),
        ('{\n  "fit": 1.0,\n  "pde": 0.1,\n  "prior": 0.1\n}', ""),
        (
            '{\n  "fit": 1.0,\n  "prior": 0.1\n}',
            "\n@term('smooth')\ndef smooth(out, quality):\n    return out.mean()\n",
        ),
    ],
    ids=["no weight", "a weight of 0", "a key that is read elsewhere", "two that may be it", "two without a weight"],
)
def test_a_term_without_a_weight_keeps_the_line_of_the_lookup(weights: str, more: str, tmp_path: Path) -> None:
    text = _weighted(tmp_path, GET, weights)
    (finding,) = judged(tmp_path, text.replace("\ndef compute", f"{more}\ndef compute")).findings
    assert finding.code == "FXA501" and line_of(finding) == GET


@pytest.mark.slow
@pytest.mark.parametrize(("weights", "share"), [(WRONG, 2 / 6), (RIGHT, 0.0)])
def test_plain_training_leaves_alone_what_has_no_weight(
    weights: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_weighted(tmp_path, GET, weights)) == share


# -- lists of modules to unfreeze ----------------------------------------------------------------------------------

THAWS = """
import json
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
chosen = json.loads(Path("settings.json").read_text())


class Adapter(nn.Module):
    def __init__(self, base):
        super().__init__()
        self.base, self.low = base, nn.Parameter(torch.zeros(4, 4))

    def forward(self, x):
        return self.base(x) + x @ self.low


net = nn.Sequential()
net.add_module("body", nn.Linear(4, 4))
net.add_module("score", nn.Linear(4, 1))
for p in net.parameters():
    p.requires_grad = False
net.body = Adapter(net.body)
for name, module in net.named_modules():
    if name.rpartition(".")[2] in chosen["saved"]:  # asked
        module.requires_grad_(True)
optimizer = torch.optim.SGD([p for p in net.parameters() if p.requires_grad], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


def _saving(folder: Path, saved: str) -> str:
    (folder / "settings.json").write_text(f'{{\n  "rank": 4,\n  "saved": {saved}\n}}', encoding="utf-8")
    return THAWS + LOOP


@pytest.mark.parametrize(
    ("saved", "blamed", "verdict"),
    [
        ('["classifier"]', '"saved"', "frozen"),
        ('["classifier", "lm_head"]', '"saved"', "frozen"),
        ('["classifier", "score"]', "", "trained"),
        ('["score"]', "", "trained"),
        ("[]", "", "frozen"),
    ],
)
def test_the_list_of_modules_that_there_are_not(saved: str, blamed: str, verdict: str, tmp_path: Path) -> None:
    report = judged(tmp_path, _saving(tmp_path, saved))
    assert verdicts(report)["score.weight"] == verdict
    loud = [finding for finding in report.findings if finding.level != "note"]
    assert [finding.code for finding in loud] == (["FXA308"] if blamed else [])
    for finding in loud:
        assert blamed in line_of(finding) and "no module is named `classifier`" in finding.message


@pytest.mark.slow
@pytest.mark.parametrize(("saved", "share"), [('["classifier"]', 4 / 5), ('["score"]', 2 / 5)])
def test_plain_training_leaves_alone_what_the_list_does_not_name(
    saved: str, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_saving(tmp_path, saved)) == share


# -- texts that choose parameters for the optimizer ----------------------------------------------------------------

GROUPS = """
import fnmatch
import json
import re
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return torch.tanh(self.third(torch.tanh(self.second(torch.tanh(self.first(x))))))


class Top(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 1)

    def forward(self, x):
        return self.fc(x)


def groups_of(net, settings):
    groups = []
    for group in settings["groups"]:
        CHOOSE
        groups.append({"params": chosen, "lr": group["lr"]})
    return groups


net = nn.Sequential()
net.add_module("stem", nn.Linear(4, 4))
net.add_module("body", Block())
net.add_module("head", Top())
settings = json.loads(Path("settings.json").read_text())
optimizer = torch.optim.SGD(groups_of(net, settings), lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""
PREFIXES = """
        prefixes, chosen = tuple(group["match"]), []
        for name, p in net.named_parameters():
            if not name.startswith(prefixes):
                continue
            chosen.append(p)
"""
EACH = """
        chosen = [p for n, p in net.named_parameters() if any(n.startswith(key) for key in group["match"])]
"""
EXPRESSION = """
        rule = re.compile(group["match"][0])
        chosen = [p for name, p in net.named_parameters() if rule.match(name)]
"""
WHOLE = """
        kind = group["match"][0]
        chosen = [p for name, p in net.named_parameters() if fnmatch.fnmatchcase(name, kind)]
"""
WAYS = {
    PREFIXES: ('["stem.", "body."]', '["fc."]', '["head."]'),
    EACH: ('["stem.", "body."]', '["fc.", "classifier."]', '["head.", "classifier."]'),
    EXPRESSION: ('["(stem|body)\\\\."]', '["top\\\\."]', '["head\\\\."]'),
    WHOLE: ('["[sb]*"]', '["fc*"]', '["head.*"]'),
}


def _grouped(folder: Path, choose: str, *matches: str) -> str:
    lines = ",\n".join(f'    {{"match": {match}, "lr": 0.1}}' for match in matches)
    (folder / "settings.json").write_text(f'{{\n  "groups": [\n{lines}\n  ]\n}}\n', encoding="utf-8")
    return GROUPS.replace("CHOOSE", choose.strip()) + LOOP


@pytest.mark.parametrize("choose", WAYS)
def test_the_texts_that_no_name_fits(choose: str, tmp_path: Path) -> None:
    first, wrong, _ = WAYS[choose]
    (finding,) = judged(tmp_path, _grouped(tmp_path, choose, first, wrong)).findings
    assert finding.code == "FXA301" and set(finding.parameters) == {"head.fc.weight", "head.fc.bias"}
    assert wrong in line_of(finding) and "no name fits" in finding.related[1].role


@pytest.mark.parametrize("choose", WAYS)
def test_texts_that_names_fit(choose: str, tmp_path: Path) -> None:
    first, _, right = WAYS[choose]
    report = judged(tmp_path, _grouped(tmp_path, choose, first, right))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


@pytest.mark.parametrize("matches", [(), ('["fc."]', '["classifier."]')], ids=["no further group", "two in vain"])
def test_what_no_group_asks_for_is_blamed_in_the_program(matches: tuple[str, ...], tmp_path: Path) -> None:
    first, _, _ = WAYS[PREFIXES]
    (finding,) = judged(tmp_path, _grouped(tmp_path, PREFIXES, first, *matches)).findings
    assert finding.code == "FXA301" and finding.culprit is not None
    assert finding.culprit.file.endswith("script.py")


def test_a_group_for_another_model_is_healthy_beside_one_for_the_head(tmp_path: Path) -> None:
    first, wrong, right = WAYS[PREFIXES]
    report = judged(tmp_path, _grouped(tmp_path, PREFIXES, first, wrong, right))
    assert codes(report) == [] and set(verdicts(report).values()) == {"trained"}


@pytest.mark.slow
@pytest.mark.parametrize(("last", "share"), [(1, 2 / 10), (2, 0.0)])
def test_plain_training_leaves_alone_what_no_text_fits(
    last: int, share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert left_alone(_grouped(tmp_path, PREFIXES, WAYS[PREFIXES][0], WAYS[PREFIXES][last])) == share


PARTS = """
import torch
from torch import nn

torch.manual_seed(0)
RATES = {
    "stem": 0.1,
    "neck": 0.2,
}
net = nn.ModuleDict({"stem": nn.Linear(4, 4), "NAME": nn.Linear(4, 1)})
groups = []
for part, rate in RATES.items():
    own = [(n, p) for n, p in net.named_parameters() if n.startswith(part + ".")]
    for wide in (True, False):
        chosen = [p for n, p in own if (p.ndim > 1) is wide]
        if chosen:
            groups.append({"params": chosen, "lr": rate})
optimizer = torch.optim.SGD(groups, lr=0.1)


def compute():
    return (net["NAME"](torch.tanh(net["stem"](torch.randn(8, 4)))) - 1).square().mean()
"""


@pytest.mark.parametrize(("name", "found"), [("fpn", ["FXA301"]), ("neck", [])])
def test_a_part_that_no_module_is_called(name: str, found: list[str], tmp_path: Path) -> None:
    report = judged(tmp_path, PARTS.replace("NAME", name) + LOOP)
    assert codes(report) == found
    assert all('"neck": 0.2' in line_of(finding) for finding in report.findings)


FILES = """
import json
import re
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
ROOT = Path("settings")


def load(name):
    settings = json.loads((ROOT / f"{name}.json").read_text())
    for group, choice in settings["defaults"].items():
        settings[group] = json.loads((ROOT / group / f"{choice}.json").read_text())
    return settings


net = nn.ModuleDict({"body": nn.Linear(4, 4), "first": nn.Linear(4, 1), "second": nn.Linear(4, 1)})
weights = load("train")["objective"]["weights"]
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)


def compute():
    h = torch.tanh(net["body"](torch.randn(8, 4)))
    terms = {"next": (net["first"](h) - 1).square().mean(), "profile": (net["second"](h) - 1).square().mean()}
    return sum(weights.get(name, 0.0) * value for name, value in terms.items())
"""


@pytest.mark.parametrize(("key", "found"), [("reconstruct", ["FXA501"]), ("profile", [])])
def test_a_key_in_a_file_whose_name_is_put_together(key: str, found: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "settings" / "objective"
    folder.mkdir(parents=True)
    (folder.parent / "train.json").write_text('{"defaults": {"objective": "both"}}', encoding="utf-8")
    weights = f'{{"weights": {{\n  "next": 1.0,\n  "{key}": 0.2\n}}}}\n'
    (folder / "both.json").write_text(weights, encoding="utf-8")
    report = judged(tmp_path, FILES + LOOP)
    assert codes(report) == found
    assert all(line_of(finding) == '"reconstruct": 0.2' for finding in report.findings)


BY_PATTERN = """
import json
import re
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.attn, self.NAME = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return x + torch.tanh(self.NAME(torch.tanh(self.attn(x))))


net = nn.Sequential(*(Block() for _ in range(4)))
groups = json.loads(Path("groups.json").read_text())
compiled = [(group["name"], re.compile(group["pattern"])) for group in groups]
chosen = {name: [] for name, _ in compiled}
for name, parameter in net.named_parameters():
    for group, pattern in compiled:
        if pattern.search(name):
            chosen[group].append(parameter)
            break
optimizer = torch.optim.SGD([{"params": members} for members in chosen.values() if members], lr=0.1)


def compute():
    return (net(torch.randn(8, 4)) - 1).square().mean()
"""


@pytest.mark.parametrize(("name", "found"), [("ffn", ["FXA301"]), ("mlp", [])])
def test_a_word_in_a_pattern_that_no_module_is_called(name: str, found: list[str], tmp_path: Path) -> None:
    lines = [
        r'{"name": "attention", "pattern": "attn\\.(weight|bias)$"},',
        r'{"name": "mlp", "pattern": "\\.mlp\\."}',
    ]
    (tmp_path / "groups.json").write_text("[\n" + "\n".join(lines) + "\n]\n", encoding="utf-8")
    report = judged(tmp_path, BY_PATTERN.replace("NAME", name) + LOOP)
    assert codes(report) == found
    assert all("mlp" in line_of(finding) for finding in report.findings)
