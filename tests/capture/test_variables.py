"""What a program calls the things that it made: variables, attributes of objects, and attributes of what these hold."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from types import CodeType

import torch
from torch import nn

from fxaudit.capture.variables import names_of
from tests.scripts import LOOP, judged, verdicts


class Average:
    """Keeps a copy, as a moving average does."""

    def __init__(self, module: nn.Module) -> None:
        self.shadow = copy.deepcopy(module)


class Trainer:
    """Keeps what keeps it."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.average = module, Average(module)


def _of_torch(code: CodeType) -> bool:
    return "torch" in code.co_filename


def test_an_attribute_of_what_an_object_holds_has_its_path() -> None:
    trainer = Trainer(nn.Linear(2, 2))
    found = names_of((trainer.module, trainer.average.shadow), sys._getframe(), _of_torch)
    assert found == {id(trainer.module): "trainer.module", id(trainer.average.shadow): "trainer.average.shadow"}


def test_the_shorter_way_counts() -> None:
    trainer = Trainer(nn.Linear(2, 2))
    shadow = trainer.average.shadow
    assert names_of([shadow], sys._getframe(), _of_torch) == {id(shadow): "shadow"}


def test_what_nothing_holds_has_no_name() -> None:
    found = names_of((torch.ones(1),), sys._getframe(), _of_torch)
    assert found == {}


SCRIPT = """
import copy

import torch
from torch import nn


class Generator(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Linear(4, 4)

    def forward(self, x):
        return self.net(x)


class Average:
    def __init__(self, module):
        self.shadow = copy.deepcopy(module).requires_grad_(False)

    def update(self, module):
        with torch.no_grad():
            for kept, new in zip(self.shadow.parameters(), module.parameters()):
                kept.lerp_(new, 0.1)


class Loop:
    def __init__(self, model):
        self.model = model
        self.optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        self.average = Average(model["generator"])

    def loss(self):
        self.average.update(self.model["generator"])
        return self.average.shadow(torch.ones(2, 4)).square().mean() + self.model["generator"](torch.ones(2, 4)).mean()


torch.manual_seed(0)
loop = Loop(nn.ModuleDict({"generator": Generator()}))
optimizer = loop.optimizer


def compute():
    return loop.loss()
"""


def test_an_average_is_not_called_as_the_part_that_it_follows(tmp_path: Path) -> None:
    found = verdicts(judged(tmp_path, SCRIPT + LOOP))
    assert found["loop.model.generator.net.weight"] == "trained"
    assert found["loop.average.shadow.net.weight"] == "frozen"
