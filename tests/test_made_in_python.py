"""Targets, indices and masks that leave everything out are blamed where the program puts them together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of

HEAD = """
import torch
import torch.nn as nn
import torch.nn.functional as F

torch.manual_seed(0)
"""
LABELS = """
IGNORE = -100


def align(labels, words):
    out, previous = [], None
    for word in words:
        current, previous = word, word
        if current == previous:  # blamed
            out.append(IGNORE)
        else:
            out.append(labels[current])
    return out


def batch():
    rows = [(torch.randn(5, 4), torch.tensor(align([0, 1, 2], [0, 0, 1, 2, 2]))) for _ in range(4)]
    return torch.stack([r[0] for r in rows]), torch.stack([r[1] for r in rows])


net = nn.ModuleDict({"slots": nn.Linear(4, 3), "mood": nn.Linear(4, 2)})


def compute():
    x, y = batch()
    slots = F.cross_entropy(net["slots"](x).flatten(0, 1), y.flatten(), ignore_index=IGNORE, reduction="sum")
    return slots + net["mood"](x).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
BUCKETS = """
import zlib


def bucket(text):
    return (zlib.crc32(text.encode()) >> 32) % 16  # blamed


net = nn.ModuleDict({"item": nn.Embedding(16, 4, padding_idx=0), "out": nn.Linear(4, 1)})
rows = [torch.tensor([bucket(f"item {i}") for i in range(first, first + 6)]) for first in range(0, 64, 2)]
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for ids in torch.utils.data.DataLoader(rows, batch_size=4, shuffle=True):
    loss = net["out"](net["item"](ids)).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
SPELT = """
LETTERS = {letter: number for number, letter in enumerate("abcdefghijklmnopqrstuvwxyz", 1)}


def encode(word):
    return [LETTERS.get(letter, 0) for letter in word]  # blamed


net = nn.ModuleDict({"letter": nn.Embedding(27, 4, padding_idx=0), "out": nn.Linear(4, 1)})
ids = torch.tensor([encode(word) for word in ("ANNA", "OTTO", "EMIL")])
opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = (net["out"](net["letter"](ids)) - 1).square().mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""
PADDED = """
PAD = 0


def collate(rows):
    ids = nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD)
    mask = (ids == PAD).float()  # blamed
    return ids, mask


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(20, 4, padding_idx=PAD)
        self.out = nn.Linear(4, 1)

    def forward(self, ids, mask):
        mask = mask.unsqueeze(-1)
        return self.out((self.embed(ids) * mask).sum(1) / mask.sum(1).clamp(min=1e-6))


net = Net()


def compute():
    return (net(*collate([torch.randint(1, 20, (n,)) for n in (3, 5, 6)])) - 1).square().mean()

opt = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    loss = compute()
    opt.zero_grad()
    loss.backward()
    opt.step()
"""


@pytest.mark.parametrize(
    ("program", "code"),
    [
        pytest.param(LABELS, "FXA501", id="labels"),
        pytest.param(BUCKETS, "FXA501", id="indices"),
        pytest.param(PADDED, "FXA501", id="a mask of padding"),
        pytest.param(SPELT, "FXA501", id="letters written otherwise"),
    ],
)
def test_the_line_is_blamed(tmp_path: Path, program: str, code: str) -> None:
    finding = next(one for one in judged(tmp_path, HEAD + program).findings if one.level != "note")
    assert finding.code == code
    assert "# blamed" in line_of(finding)


def test_labels_that_count_have_no_finding(tmp_path: Path) -> None:
    right = LABELS.replace("        current, previous = word, word\n", "").replace(
        "if current == previous", "if word == previous"
    )
    right = right.replace("labels[current])", "labels[word])\n        previous = word")
    assert judged(tmp_path, HEAD + right).findings == ()


def test_letters_written_otherwise_are_told(tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, HEAD + SPELT).findings
    assert "The keys are written like `a`" in finding.fix
    assert judged(tmp_path, HEAD + SPELT.replace("for letter in word", "for letter in word.lower()")).findings == ()
