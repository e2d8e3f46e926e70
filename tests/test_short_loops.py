"""A loop over the first batches of data in a fixed order: its limit is blamed for what only the rest would use."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import judged, line_of, verdicts

SCRIPT = """
import itertools
import json
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset, TensorDataset

torch.manual_seed(0)
LIMIT = {limit}  # the limit


class Rows(Dataset):
    def __init__(self, sites):
        xs, ks = [], []
        for k in range(sites):
            xs.append(torch.randn(8, 4))
            ks.append(torch.full((8,), k))
        self.x, self.k = torch.cat(xs), torch.cat(ks)

    def __len__(self):
        return len(self.x)

    def __getitem__(self, i):
        return self.x[i], self.k[i]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Linear(4, 4)
        self.heads = nn.ModuleDict({{name: nn.Linear(4, 1) for name in ("a", "b", "c")}})

    def forward(self, x, site):
        h, out = torch.tanh(self.body(x)), x.new_zeros(len(x))
        for k, name in enumerate(self.heads):
            here = site == k
            if here.any():
                out = out.masked_scatter(here, self.heads[name](h[here]).squeeze(1))
        return out


def loader(data):
    return DataLoader(data, batch_size=4{order})


{data}
net = Net()
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
batches = loader(data)
for epoch in range(3):
    {loop}
        loss = (net(x, site) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
"""
LOOPS = {
    "a slice": "for x, site in itertools.islice(batches, LIMIT):",
    "a range beside it": "for _, (x, site) in zip(range(LIMIT), batches):",
    "a break": "for i, (x, site) in enumerate(batches):\n        if i >= LIMIT:\n            break",
}
DATA = {
    "a data set of the program": "data = Rows(3)",
    "tensors": "x = torch.randn(24, 4)\nsite = torch.arange(3).repeat_interleave(8)\ndata = TensorDataset(x, site)",
    "a list": "data = [(torch.randn(4), torch.tensor(i // 8)) for i in range(24)]",
}
SLICE, ROWS = LOOPS["a slice"], DATA["a data set of the program"]


def script(limit: int = 4, order: str = "", data: str = ROWS, loop: str = SLICE) -> str:
    return SCRIPT.format(limit=limit, order=order, data=data, loop=loop)


@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
def test_the_limit_is_blamed(loop: str, tmp_path: Path) -> None:
    report = judged(tmp_path, script(loop=loop))
    assert verdicts(report)["heads.b.weight"] == "trained"
    (finding,) = report.findings
    assert finding.code == "FXA101"
    assert "# the limit" in line_of(finding)
    assert finding.fact == "only the first 4 of 6 batches are taken"
    assert str(finding.fix).startswith("Take all batches, or shuffle the data")


def test_a_test_that_asks_the_tensor_itself(tmp_path: Path) -> None:
    program = script().replace("            if here.any():", "            if (site == k).any():")
    (finding,) = judged(tmp_path, program).findings
    assert "# the limit" in line_of(finding)


@pytest.mark.parametrize("data", DATA.values(), ids=DATA)
def test_whatever_the_data_is_made_of(data: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, script(data=data)).findings
    assert "# the limit" in line_of(finding)
    assert finding.fact == "only the first 4 of 6 batches are taken"


@pytest.mark.parametrize(
    "program",
    [
        script(limit=6, data="data = Rows(2)"),
        script(limit=9, data="data = Rows(2)"),
        script(limit=1, order=", sampler=torch.arange(8).tolist()"),
    ],
    ids=["as many as there are", "more than there are", "another order"],
)
def test_a_limit_that_leaves_nothing_out_that_is_known_is_not(program: str, tmp_path: Path) -> None:
    (finding,) = judged(tmp_path, program).findings
    assert finding.code == "FXA101"
    assert "# the limit" not in line_of(finding)


def test_a_module_that_a_setting_keeps_from_running_is_not_blamed_on_it(tmp_path: Path) -> None:
    program = script(limit=5).replace("if here.any():", 'if here.any() and name != "c":')
    findings = judged(tmp_path, program).findings
    assert findings
    assert not any("# the limit" in line_of(finding) for finding in findings)


def test_all_batches(tmp_path: Path) -> None:
    report = judged(tmp_path, script(limit=6))
    assert report.findings == ()
    assert set(verdicts(report).values()) == {"trained"}
