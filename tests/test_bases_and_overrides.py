"""Methods that never run, because they are called otherwise than the one that they were to take the place of."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.spelling import abbreviates
from tests.scripts import codes, judged, line_of

# -- a method of the subclass that is called otherwise -----------------------------------------------------------------

TRACKER = """
import torch
from torch import nn

torch.manual_seed(0)


class Tracker(nn.Module):
    def __init__(self):
        super().__init__()
        self.core = nn.Linear(5, 4)

    def get_trainable_parameters(self):  # base
        return list(self.core.parameters())

    def get_buffers_of_state(self):
        return []


class Smoothed(Tracker):
    def __init__(self):
        super().__init__()
        self.gain = nn.Linear(4, 2)
        self.shift = nn.Linear(2, 2)

    METHOD

    def forward(self, x):
        return self.shift(self.gain(self.core(x)))


def optimizer_for(tracker, rate):
    chosen = tracker.get_trainable_parameters()
    return torch.optim.SGD(chosen, lr=rate)  # built


tracker = Smoothed()
optimizer = optimizer_for(tracker, 0.1)
MORE
for epoch in range(3):
    loss = tracker(torch.randn(8, 5)).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
BOTH = "return super().get_trainable_parameters() + [*self.gain.parameters(), *self.shift.parameters()]"


def with_method(name: str, body: str = BOTH, more: str = "") -> str:
    """The program with a method of that name in the subclass."""
    return TRACKER.replace("METHOD", f"def {name}(self):  # {name}\n        {body}").replace("MORE", more)


@pytest.mark.parametrize("name", ["get_trainable_params", "get_train_parameters", "get_trainable_parametres"])
def test_a_method_that_was_to_hand_out_more_is_blamed(tmp_path: Path, name: str) -> None:
    (finding,) = judged(tmp_path, with_method(name)).findings
    assert finding.code == "FXA301" and line_of(finding).endswith(f"# {name}")
    assert finding.fix == "Call the method `get_trainable_parameters`, as the one whose place it is to take."
    assert finding.related[0].role.startswith("`Tracker.get_trainable_parameters` runs, and")


@pytest.mark.parametrize(
    ("name", "body", "more"),
    [
        ("get_trainable_params", BOTH, "print(len(tracker.get_trainable_params()))"),  # it is another method
        ("get_trainable_params", BOTH, "print(len(getattr(tracker, 'get_trainable_params', list)()))"),
        ("get_trainable_params", BOTH, "if not optimizer:\n    tracker.get_trainable_params()"),
        ("get_trainable_params", "return list(self.gain.parameters())", ""),  # it leaves some out, too
        ("get_frozen_parameters", BOTH, ""),  # another word
        ("trainable_params", BOTH, ""),  # a word less
    ],
)
def test_a_method_that_may_be_meant_otherwise_is_not(tmp_path: Path, name: str, body: str, more: str) -> None:
    (finding,) = judged(tmp_path, with_method(name, body, more)).findings
    assert finding.code == "FXA301" and not line_of(finding).endswith(f"# {name}")


def test_the_method_under_its_own_name_is_fine(tmp_path: Path) -> None:
    assert not codes(judged(tmp_path, with_method("get_trainable_parameters")))


def test_the_other_class_is_not_asked_for_its_method(tmp_path: Path) -> None:
    """The object is one of a class that has no such method; the one that has is never made."""
    text = with_method("get_trainable_params").replace("tracker = Smoothed()", "tracker = Raw()")
    text = text.replace("def optimizer_for", "class Raw(Tracker):\n" + RAW + "\n\ndef optimizer_for")
    (finding,) = judged(tmp_path, text).findings
    assert finding.code == "FXA301" and "# get_trainable_params" not in line_of(finding)


RAW = """
    def __init__(self):
        super().__init__()
        self.gain = nn.Linear(4, 2)

    def forward(self, x):
        return self.gain(self.core(x))
"""


def test_plurals_of_words_that_are_cut_short() -> None:
    assert abbreviates("get_params", "get_parameters") and abbreviates("list_feats", "list_features")
    assert not abbreviates("get_params", "get_parts") and not abbreviates("all_gates", "all_gains")
