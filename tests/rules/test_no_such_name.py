"""FXA309 and the names asked for in vain: however the test is written, and never where nothing was misspelt."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from fxaudit.report import Report
from tests.scripts import judged

MODEL = """
import argparse
import fnmatch
import re
from dataclasses import dataclass, field

import torch
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = nn.Linear(4, 4)
        self.adapter = nn.Linear(4, 4)
        self.classifier = nn.Linear(4, 1)

    def forward(self, x):
        return self.classifier(self.adapter(self.encoder(x)))


model = Net()
"""

LOOP = """
optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    model(torch.ones(8, 4)).square().mean().backward()
    optimizer.step()
"""


def after(folder: Path, choosing: str, loop: str = LOOP) -> tuple[Report, str]:
    text = MODEL + textwrap.dedent(choosing) + loop
    return judged(folder, text), text


MISSPELT = {
    "contained": """
        for name, p in model.named_parameters():
            p.requires_grad = "classifier" in name or "adaptor" in name  # culprit
    """,
    "contained, or else": """
        for name, p in model.named_parameters():
            if "classifier" in name or "adaptor" in name:  # culprit
                p.requires_grad = True
            else:
                p.requires_grad = False
    """,
    "not contained": """
        for name, p in model.named_parameters():
            if "classifier" not in name and "adaptor" not in name:  # culprit
                p.requires_grad = False
    """,
    "not either": """
        for name, p in model.named_parameters():
            if not ("classifier" in name or "adaptor" in name):  # culprit
                p.requires_grad_(False)
    """,
    "passed over": """
        for name, p in model.named_parameters():
            if "classifier" in name or "adaptor" in name:  # culprit
                continue
            p.requires_grad = False
    """,
    "a list": """
        trained = ["classifier", "adaptor"]  # culprit
        for name, p in model.named_parameters():
            p.requires_grad = any(part in name for part in trained)
    """,
    "a list of several lines": """
        TRAINED = (
            "classifier",
            "adaptor",  # culprit
        )
        for name, p in model.named_parameters():
            if not any(part in name for part in TRAINED):
                p.requires_grad = False
    """,
    "none of a list": """
        trained = ["classifier", "adaptor"]  # culprit
        for name, p in model.named_parameters():
            if all(part not in name for part in trained):
                p.requires_grad = False
    """,
    "the beginning": """
        for name, p in model.named_parameters():
            p.requires_grad = name.startswith(("classifier.", "adaptor."))  # culprit
    """,
    "the beginning, from a tuple": """
        prefixes = ("classifier", "adaptor")  # culprit
        for name, p in model.named_parameters():
            p.requires_grad = name.startswith(prefixes)
    """,
    "an expression": """
        for name, p in model.named_parameters():
            p.requires_grad = bool(re.match("classifier", name) or re.match("adaptor", name))  # culprit
    """,
    "an expression that was compiled": """
        pattern = re.compile(r"adaptor")  # culprit
        for name, p in model.named_parameters():
            p.requires_grad = pattern.search(name) is not None or "classifier" in name
    """,
    "the part that a variable holds": """
        for name, p in model.named_parameters():
            top, _, rest = name.partition(".")
            p.requires_grad = top == "classifier" or top == "adaptor"  # culprit
    """,
    "one by one, in a function": """
        def choose(name, p):
            p.requires_grad = "classifier" in name or "adaptor" in name  # culprit

        for name, p in model.named_parameters():
            choose(name, p)
    """,
    "a pattern": """
        for name, p in model.named_parameters():
            p.requires_grad = fnmatch.fnmatch(name, "classifier*") or fnmatch.fnmatch(name, "adaptor.*")  # culprit
    """,
    "the first part": """
        for name, p in model.named_parameters():
            p.requires_grad = name.split(".")[0] in ("classifier", "adaptor")  # culprit
    """,
    "a set of children": """
        for name, child in model.named_children():
            child.requires_grad_(name in {"classifier", "adaptor"})  # culprit
    """,
    "keys of a dictionary": """
        rates = {"classifier": 0.1, "adaptor": 0.01}  # culprit
        for name, p in model.named_parameters():
            p.requires_grad = any(key in name for key in rates)
    """,
    "items of a dictionary": """
        rates = {
            "classifier": 0.1,
            "adaptor": 0.01,  # culprit
        }
        for name, p in model.named_parameters():
            p.requires_grad = any(key in name for key, rate in rates.items())
    """,
    "a field": """
        @dataclass
        class Options:
            trained: list = field(default_factory=lambda: ["classifier", "adaptor"])  # culprit

        options = Options()
        for name, p in model.named_parameters():
            p.requires_grad = any(part in name for part in options.trained)
    """,
    "an option": """
        parser = argparse.ArgumentParser()
        parser.add_argument("--trained", nargs="+", default=["classifier", "adaptor"])  # culprit
        options = parser.parse_args([])
        for name, p in model.named_parameters():
            p.requires_grad = any(part in name for part in options.trained)
    """,
    "an option that is split": """
        parser = argparse.ArgumentParser()
        parser.add_argument("--trained", default="classifier,adaptor")  # culprit
        options = parser.parse_args([])
        for name, p in model.named_parameters():
            p.requires_grad = any(part in name for part in options.trained.split(","))
    """,
    "an argument": """
        def freeze(module, keep):
            for name, p in module.named_parameters():
                if not any(part in name for part in keep):
                    p.requires_grad = False

        freeze(model, keep=["classifier", "adaptor"])  # culprit
    """,
    "letters swapped": """
        for name, p in model.named_parameters():
            p.requires_grad = "classifier" in name or "adpater" in name  # culprit
    """,
    "plural": """
        for name, p in model.named_parameters():
            p.requires_grad = "classifier" in name or "adapters" in name  # culprit
    """,
    "a capital letter": """
        for name, p in model.named_parameters():
            p.requires_grad = "classifier" in name or "Adapter" in name  # culprit
    """,
    "a dot too many": """
        for name, p in model.named_parameters():
            p.requires_grad = "classifier" in name or ".adapter." in name  # culprit
    """,
}


@pytest.mark.parametrize("kind", MISSPELT)
def test_a_misspelt_name_that_leaves_something_frozen_is_told(kind: str, tmp_path: Path) -> None:
    report, text = after(tmp_path, MISSPELT[kind])
    (finding,) = [found for found in report.findings if found.code == "FXA309"]
    assert finding.culprit is not None and set(finding.parameters) == {"adapter.weight", "adapter.bias"}
    assert text.split("\n")[finding.culprit.line - 1].endswith("# culprit"), finding.culprit
    assert "`adapter`" in finding.message, finding.message


HEALTHY = {
    "the name is right": """
        for name, p in model.named_parameters():
            p.requires_grad = "classifier" in name or "adapter" in name
    """,
    "what freezes is asked for in vain": """
        for name, p in model.named_parameters():
            if "encodr" in name or "encoder" in name:
                p.requires_grad = False
    """,
    "a list that serves several models": """
        BACKBONES = ["backbone", "features", "encoder", "trunk"]
        for name, p in model.named_parameters():
            if any(part in name for part in BACKBONES):
                p.requires_grad = False
    """,
    "heads of several models": """
        HEADS = ["classifier", "head", "fc", "adapter", "lm_head"]
        for name, p in model.named_parameters():
            p.requires_grad = any(part in name for part in HEADS)
    """,
    "short names": """
        for name, p in model.named_parameters():
            p.requires_grad = "ada" not in name and "fc" not in name and "en" not in name or "fx" in name
    """,
    "a near name that is trained": """
        for name, p in model.named_parameters():
            p.requires_grad = "adaptor" in name or "adapter" in name or "classifier" in name
    """,
    "a plural beside the name": """
        for name, p in model.named_parameters():
            p.requires_grad = any(part in name for part in ("adapters", "adapter", "classifier"))
    """,
    "names that are far": """
        for name, p in model.named_parameters():
            p.requires_grad = "decoder" in name or "adapter" in name or "classifier" in name
    """,
    "another test on the same names": """
        printed = [name for name, p in model.named_parameters() if "encodr" in name]
        for name, p in model.named_parameters():
            p.requires_grad = "encoder" not in name
    """,
    "a test of something else": """
        mode = "adapters"
        for name, p in model.named_parameters():
            if mode == "adaptors":
                p.requires_grad = "adapter" in name
            else:
                p.requires_grad = "classifier" in name
    """,
    "a test of something else, in a function that is given it": """
        def choose(model, tuning):
            if tuning == "adapters":
                for name, p in model.named_parameters():
                    p.requires_grad = "adapter" in name
            elif tuning == "heads":
                for name, p in model.named_parameters():
                    p.requires_grad = "classifier" in name

        choose(model, "heads")
    """,
    "thawed again": """
        for name, p in model.named_parameters():
            p.requires_grad = "adaptor" in name or "classifier" in name
        for p in model.adapter.parameters():
            p.requires_grad = True
    """,
}


@pytest.mark.parametrize("kind", HEALTHY)
def test_where_no_name_was_misspelt_nothing_is_said(kind: str, tmp_path: Path) -> None:
    report, _ = after(tmp_path, HEALTHY[kind])
    assert [found.message for found in report.findings if found.level != "note"] == []


def test_a_text_that_no_name_is_near_to_is_told_without_one(tmp_path: Path) -> None:
    """As where the names of a wrapped model are asked of the model that it wraps."""
    choosing = 'chosen = [p for name, p in model.named_parameters() if name.startswith("module.encoder")]\n'
    loop = LOOP.replace("[p for p in model.parameters() if p.requires_grad]", "[{'params': chosen}, {'params': rest}]")
    report, _ = after(
        tmp_path, f"{choosing}rest = [p for n, p in model.named_parameters() if 'encoder' not in n]\n", loop
    )
    (finding,) = [found for found in report.findings if found.code == "FXA301"]
    assert "``" not in finding.message and "`module.encoder`" in finding.message
