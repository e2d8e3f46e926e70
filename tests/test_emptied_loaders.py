"""`drop_last` of a data set that is smaller than a batch leaves none: its line is blamed for what goes without."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of

HEAD = """
from dataclasses import dataclass

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)


def data(size):
    return TensorDataset(torch.randn(size, 4), torch.randn(size, 1))


def train(loader, key):
    for x, y in loader:
        loss = (net[key](net["body"](x).tanh()) - y).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


net = nn.ModuleDict({"body": nn.Linear(4, 4), "large": nn.Linear(4, 1), "small": nn.Linear(4, 1)})
optimizer = torch.optim.SGD(net.parameters(), lr=0.05)
"""
NAMED = """
large = DataLoader(data(64), batch_size=16, drop_last=True)
small = DataLoader(data(8), batch_size=BATCH, drop_last=True)  # blamed
for epoch in range(3):
    train(large, "large")
    train(small, "small")
"""
BUILT = """
def loader_of(size, training=True):
    return DataLoader(
        data(size),
        batch_size=BATCH,
        drop_last=training,  # blamed
    )


loaders = {"large": loader_of(64), "small": loader_of(8)}
for epoch in range(3):
    for key, loader in loaders.items():
        train(loader, key)
"""
SETTING = """
@dataclass
class Settings:
    batch: int = BATCH
    drop_last: bool = True  # blamed


settings = Settings()
loaders = {
    key: DataLoader(data(size), batch_size=settings.batch, drop_last=settings.drop_last)
    for key, size in (("large", 64), ("small", 8))
}
for epoch in range(3):
    for key, loader in loaders.items():
        train(loader, key)
"""
UNPACKED = """
options = {
    "batch_size": BATCH,
    "drop_last": True,  # blamed
}
small = DataLoader(data(8), **options)
for epoch in range(3):
    train(small, "large")
    train(small, "small")
"""
ASKED = """
def loaders():
    return (
        DataLoader(data(64), batch_size=16, drop_last=True),
        DataLoader(data(8), batch_size=BATCH, drop_last=True),  # blamed
    )


large, small = loaders()
for epoch in range(2):
    batches = iter(small)
    for x, y in large:
        try:
            x, y = next(batches)
        except StopIteration:
            break
        loss = sum((net[key](net["body"](x).tanh()) - y).square().mean() for key in ("large", "small"))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
FORGOTTEN = """
large = DataLoader(data(64), batch_size=16, drop_last=True)
held_out = DataLoader(data(8), batch_size=16, drop_last=True)  # blamed
for epoch in range(3):
    train(large, "large")
    for x, y in held_out:
        print(net["large"](net["body"](x).tanh()))
"""


@pytest.mark.parametrize("program", [NAMED, BUILT, SETTING, UNPACKED])
def test_the_line_that_drops_the_only_batch_is_blamed(tmp_path: Path, program: str) -> None:
    finding = judged(tmp_path, HEAD + program.replace("BATCH", "16")).findings[0]
    assert line_of(finding).endswith("# blamed") and finding.fix.startswith("Leave `drop_last` out")
    assert not codes(judged(tmp_path, HEAD + program.replace("BATCH", "4")))


def test_a_loader_that_is_asked_in_vain_is_blamed(tmp_path: Path) -> None:
    finding = judged(tmp_path, HEAD + ASKED.replace("BATCH", "16")).findings[0]
    assert finding.code == "FXA402" and line_of(finding).endswith("# blamed")
    assert finding.related[0].role == "no batch comes here"
    assert not codes(judged(tmp_path, HEAD + ASKED.replace("BATCH", "4")))


def test_a_loop_that_trains_nothing_is_not_blamed_for_what_is_forgotten(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + FORGOTTEN).findings
    assert finding.code == "FXA101" and not line_of(finding).endswith("# blamed")
