"""Methods that never run, because they are called otherwise than the one that they were to take the place of, or stand
behind another base; values that are put back under a mask."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.program.spelling import abbreviates
from tests.scripts import codes, judged, line_of, verdicts

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


# -- a base that stands before the mixin -------------------------------------------------------------------------------

SPEECH = """
import torch
from torch import nn

torch.manual_seed(0)


class Speech(nn.Module):
    def __init__(self):
        super().__init__()
        self.frames = nn.Linear(6, 4)
        self.words = nn.Linear(4, 3)

    def encode(self, x):
        h = self.frames(x)
        SUPER
        return torch.tanh(h)  # encode of the base

    def groups(self):
        return [*self.frames.parameters(), *self.words.parameters()]

    def forward(self, x):
        return self.words(self.encode(x))


class PitchMixin:
    def with_pitch(self):
        self.pitch = nn.Linear(6, 4)
        return self

    def encode(self, x):
        h = super().encode(x)
        return h + self.pitch(x)  # encode of the mixin

    def groups(self):
        return [*super().groups(), *self.pitch.parameters()]


class Voiced(BASES):  # bases
    SPEED = 1
    OWN


class Singing(Voiced):
    pass


model = Singing().with_pitch()
optimizer = torch.optim.SGD(PARAMETERS, lr=0.1)  # built
for epoch in range(3):
    loss = LOSS.square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
"""
HIDING, RIGHT = "Speech, PitchMixin", "PitchMixin, Speech"


def speech(bases: str, own: str = "", within: str = "", given: str = "model.parameters()", loss: str = "") -> str:
    """The program with these bases."""
    words = {"BASES": bases, "OWN": own, "SUPER": within or "pass", "PARAMETERS": given}
    text = SPEECH
    for word, meant in {**words, "LOSS": loss or "model(torch.randn(8, 6))"}.items():
        text = text.replace(word, meant)
    return text


def test_bases_in_the_wrong_order_are_blamed(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, speech(HIDING)).findings
    assert finding.code == "FXA101" and line_of(finding).endswith("# bases")
    assert finding.related[0].role == "`Speech.encode` runs, and hides `PitchMixin.encode`: its class comes first"
    assert finding.fix.startswith("List `PitchMixin` before the other bases")
    assert not codes(judged(tmp_path, speech(RIGHT)))


def test_so_are_those_that_hide_what_hands_out_parameters(tmp_path: Path) -> None:
    sung = "(model(x := torch.randn(8, 6)) + model.pitch(x)[:, :3])"
    (finding,) = judged(tmp_path, speech(HIDING, given="model.groups()", loss=sung)).findings
    assert finding.code == "FXA301" and line_of(finding).endswith("# bases")


OVERRIDES = "def encode(self, x):\n        return torch.relu(self.frames(x))  # encode of its own"
ASKS = "if x is None:\n            return super().encode(x)"


def test_a_method_of_the_class_itself_hides_both(tmp_path: Path) -> None:
    for bases in (HIDING, RIGHT):
        (finding,) = judged(tmp_path, speech(bases, own=OVERRIDES)).findings
        assert finding.code == "FXA101" and not line_of(finding).endswith("# bases")


def test_a_method_that_may_go_further_hides_none(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, speech(HIDING, within=ASKS)).findings
    assert finding.code == "FXA101" and not line_of(finding).endswith("# bases")


def test_a_mixin_that_runs_and_leaves_its_part_out_is_blamed_itself(tmp_path: Path) -> None:
    text = speech(RIGHT).replace("return h + self.pitch(x)", "return h if len(x) else h + self.pitch(x)")
    (finding,) = judged(tmp_path, text).findings
    assert finding.code == "FXA101" and not line_of(finding).endswith("# bases")


# -- values that are put back under a mask -----------------------------------------------------------------------------

SPARSE = """
import torch
from torch import nn

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 2))
x, y = torch.randn(32, 6), torch.randn(32, 2)


class Sparse:
    def __init__(self, weight):
        self.drawn = weight.detach().clone()
        self.alive = torch.ones_like(self.drawn)
        self.weight = weight

    @torch.no_grad()
    def drop(self, share):
        bound = self.weight.abs().flatten().kthvalue(int(share * self.weight.numel())).values
        self.alive = (self.weight.abs() > bound).float()

    @torch.no_grad()
    def keep(self):
        self.weight.mul_(self.alive)

    @torch.no_grad()
    def restart(self, weight):
        weight.copy_(self.alive * self.drawn)


sparse = Sparse(net[0].weight)
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for number in range(30):
    if number in (ROUNDS):
        sparse.drop(0.4)
        sparse.restart(net[0].weight)
    loss = (net(x) - y).square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    AFTER
"""


def sparse(after: str, rounds: str = "12,") -> str:
    """The program that does that after each step."""
    return SPARSE.replace("AFTER", after).replace("ROUNDS", rounds)


def test_weights_that_are_put_back_under_a_mask_that_changes(tmp_path: Path) -> None:
    report = judged(tmp_path, sparse("sparse.restart(net[0].weight)  # back"))
    (finding,) = report.findings
    assert verdicts(report)["0.weight"] == "replaced" and verdicts(report)["2.weight"] == "trained"
    assert finding.code == "FXA408" and finding.parameters == ("0.weight",) and line_of(finding).endswith("# back")


@pytest.mark.parametrize(
    ("after", "rounds"),
    [
        ("sparse.keep()", "8, 16"),  # pruned
        ("number % 5 or sparse.restart(net[0].weight)", "12,"),  # now and then
        ("if number < 6: sparse.restart(net[0].weight)", "4,"),  # only while it begins
        ("sparse.keep() if number == 12 else sparse.restart(net[0].weight)", "40,"),  # one step is kept
    ],
)
def test_weights_under_a_mask_are_trained(tmp_path: Path, after: str, rounds: str) -> None:
    report = judged(tmp_path, sparse(after, rounds))
    assert verdicts(report)["0.weight"] == "trained"
