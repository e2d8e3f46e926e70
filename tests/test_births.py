"""A 0 is followed from where it multiplies to the line from which it comes, as the program really ran."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

import pytest

from tests.scripts import judged

TRAINING = """
import torch
from torch import nn

{setup}

body, aux = nn.Linear(4, 1), nn.Linear(4, 1)
optimizer = torch.optim.SGD([*body.parameters(), *aux.parameters()], lr=0.1)
for step in range(3):
    x = torch.ones(8, 4)
    optimizer.zero_grad()
    loss = body(x).square().mean() + {use} * aux(x).square().mean()
    loss.backward()
    optimizer.step()
"""

WAYS = {
    "assigned": ("weight = 0.0  # born", "weight"),
    "negated": ("weight = -0.0  # born", "weight"),
    "unpacked": ("rate, weight = 0.1, 0.0  # born", "weight"),
    "handed through three names": ("first = 0  # born\nsecond = first\nthird = second", "third"),
    "a default": ("def weigh(scale=0.0):  # born\n    return scale", "weigh()"),
    "a default of a keyword": ("def weigh(*, scale=0.0):  # born\n    return scale", "weigh()"),
    "given by position": ("def weigh(scale=1.0):\n    return scale\nweight = weigh(0.0)  # born", "weight"),
    "given by keyword": ("def weigh(scale=1.0):\n    return scale\nweight = weigh(scale=0.0)  # born", "weight"),
    "given by a dictionary": (
        "def weigh(scale=1.0):\n    return scale\noptions = {'scale': 0.0}  # born\nweight = weigh(**options)",
        "weight",
    ),
    "an attribute": (
        "class Terms:\n    def __init__(self):\n        self.aux = 0.0  # born\nterms = Terms()",
        "terms.aux",
    ),
    "an attribute of the object, not of its namesake": (
        """
        class Terms:
            def __init__(self, aux):
                self.aux = aux
        other = Terms(0.0)
        first = Terms(1.0)
        second = Terms(0.0)  # born
        """,
        "second.aux",
    ),
    "the last of three": (
        "class Terms:\n    pass\nterms = Terms()\nterms.aux = 0.0\nterms.aux = 1.0\nterms.aux = 0.0  # born",
        "terms.aux",
    ),
    "a class attribute": ("class Terms:\n    aux = 0.0  # born\nterms = Terms()", "terms.aux"),
    "a field's default": (
        """
        from dataclasses import dataclass
        @dataclass
        class Terms:
            body: float = 1.0
            aux: float = 0.0  # born
        terms = Terms(body=0.5)
        """,
        "terms.aux",
    ),
    "a field's default by field": (
        """
        from dataclasses import dataclass, field
        @dataclass
        class Terms:
            aux: float = field(default=0.0)  # born
        terms = Terms()
        """,
        "terms.aux",
    ),
    "a field that is given": (
        """
        from dataclasses import dataclass
        @dataclass
        class Terms:
            aux: float = 1.0
        terms = Terms(
            aux=0.0,  # born
        )
        """,
        "terms.aux",
    ),
    "a namespace": ("from types import SimpleNamespace\nterms = SimpleNamespace(aux=0.0)  # born", "terms.aux"),
    "an entry": ("terms = {'body': 1.0, 'aux': 0.0}  # born", "terms['aux']"),
    "an entry of an entry": (
        "config = {\n    'model': {'width': 0.0},\n    'loss': {'aux': 0.0},  # born\n}",
        "config['loss']['aux']",
    ),
    "an entry that is changed": ("terms = {'aux': 1.0}\nterms['aux'] = 0.0  # born", "terms['aux']"),
    "an entry that is missing": ("terms = {'auks': 1.0}\nweight = terms.get('aux', 0.0)  # born", "weight"),
    "an entry that is there": ("terms = {'aux': 0.0}  # born\nweight = terms.get('aux', 1.0)", "weight"),
    "an option's default": (
        """
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--body-weight", type=float, default=0.0)
        parser.add_argument("--aux-weight", type=float, default=0.0)  # born
        options = parser.parse_args([])
        """,
        "options.aux_weight",
    ),
    "an arithmetic": ("epoch, total = 1, 5\nweight = epoch // total  # born", "weight"),
    "a conversion": ("weight = int(0.4)  # born", "weight"),
    "a choice": ("late = False\nweight = (\n    1.0\n    if late\n    else 0.0  # born\n)", "weight"),
    "an alternative": ("given = None\nweight = given or 0.0  # born", "weight"),
    "what a function returns": ("def weigh():\n    return 0.0  # born\nweight = weigh()", "weight"),
    "what a method returns": (
        """
        class Schedule:
            def __init__(self, total):
                self.total = total
            def at(self, step):
                return step // self.total  # born
        schedule = Schedule(10)
        """,
        "schedule.at(step)",
    ),
    "a dictionary whose entries are attributes": (
        """
        class Options(dict):
            __getattr__ = dict.get
        options = Options(aux=0.0)  # born
        """,
        "options.aux",
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_zero_is_followed_to_its_birth(way: str, tmp_path: Path) -> None:
    setup, use = WAYS[way]
    text = TRAINING.format(setup=textwrap.dedent(setup), use=use)
    report = judged(tmp_path, text)
    (finding,) = report.findings
    assert finding.code == "FXA501" and finding.culprit is not None
    lines = text.split("\n")
    assert lines[finding.culprit.line - 1].endswith("# born"), finding.culprit


FILES = {
    "conf.yaml": "# the terms\nloss:\n  body: 1.0\n  aux: 0.0\n",
    "conf.json": json.dumps({"loss": {"body": 1.0, "aux": 0.0}}, indent=1),
    "conf.toml": "[loss]\nbody = 1.0\naux = 0.0\n",
}
READERS = {
    "conf.yaml": "import yaml\nwith open('conf.yaml') as file:\n    config = yaml.safe_load(file)",
    "conf.json": "import json, pathlib\nconfig = json.loads(pathlib.Path('conf.json').read_text())",
    "conf.toml": "import tomllib\nwith open('conf.toml', 'rb') as file:\n    config = tomllib.load(file)",
}


@pytest.mark.parametrize("name", ["conf.yaml", "conf.json", "conf.toml"])
def test_a_zero_from_a_file_has_the_line_of_its_key(name: str, tmp_path: Path) -> None:
    if name == "conf.toml":
        pytest.importorskip("tomllib")
    (tmp_path / name).write_text(FILES[name], encoding="utf-8")
    text = TRAINING.format(setup=READERS[name], use="config['loss']['aux']")
    (finding,) = judged(tmp_path, text).findings
    assert finding.culprit is not None
    assert (finding.culprit.file, "aux" in finding.culprit.code) == (name, True), finding.culprit


DECISION = """
import torch
from torch import nn

class Options:
    def __init__(self, mode, verbose=False):
        self.mode = mode
        self.verbose = verbose

def options():
    return Options(mode="fitting")

net = nn.Linear(4, 1)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
given = options()
for step in range(3):
    net(torch.ones(2, 4)).sum().backward()
    if not given.verbose and given.mode == "fit":
        optimizer.step()
    optimizer.zero_grad()
"""


def test_a_decision_tells_the_operand_that_decided_and_its_value(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, DECISION).findings
    assert finding.code == "FXA401"
    roles = {related.role: related.source.code for related in finding.related}
    assert roles["`given.mode` is 'fitting', from here"] == 'return Options(mode="fitting")'
    assert not any("verbose" in role for role in roles)


RATES = {
    "of the group": (
        "groups = [\n    {'params': [a], 'lr': 0.1 * 0},  # born\n    {'params': [b], 'lr': 0.1},\n]\n"
        "optimizer = torch.optim.SGD(groups, lr=0.1)"
    ),
    "of the constructor": "rate = 0.0  # born\noptimizer = torch.optim.SGD([a], lr=rate)",
    "of a table of settings": (
        "table = [{'name': 'a', 'scale': 0}]  # born\n"
        "groups = []\nfor row in table:\n    groups.append({'params': [a], 'lr': 0.1 * row['scale']})\n"
        "optimizer = torch.optim.SGD(groups, lr=0.1)"
    ),
    "of a schedule": (
        "def factor(step):\n    return step // 10  # born\n"
        "optimizer = torch.optim.SGD([a], lr=0.1)\nschedule = torch.optim.lr_scheduler.LambdaLR(optimizer, factor)"
    ),
    "written in the loop": (
        "optimizer = torch.optim.SGD([a], lr=0.1)\nscale = 0  # born\n"
        "for group in optimizer.param_groups:\n    group['lr'] = 0.1 * scale"
    ),
}


@pytest.mark.parametrize("way", RATES)
def test_a_rate_of_zero_is_followed_to_its_birth(way: str, tmp_path: Path) -> None:
    text = (
        "import torch\na, b = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))\n"
        f"{RATES[way]}\n"
        "for step in range(3):\n    optimizer.zero_grad()\n    (a.sum() + b.sum()).backward()\n    optimizer.step()\n"
        "    if 'schedule' in globals():\n        schedule.step()\n"
    )
    report = judged(tmp_path, text)
    finding = next(f for f in report.findings if f.code == "FXA304")
    assert finding.culprit is not None
    assert text.split("\n")[finding.culprit.line - 1].endswith("# born"), finding.culprit
