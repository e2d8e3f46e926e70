"""`DistributedDataParallel` hands every output of the model through one function; that ties no output to another."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed
from torch import nn
from torch.nn.parallel import DistributedDataParallel

import fxaudit
from fxaudit.report import Report
from fxaudit.run.copy import in_copy


class TwoHeads(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.head, self.auxiliary = nn.Linear(4, 1), nn.Linear(4, 1)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return self.head(x), self.auxiliary(x)


def test_an_output_that_the_loss_leaves_out_is_a_dead_end_under_ddp(tmp_path: Path) -> None:
    def work() -> str:
        store = torch.distributed.FileStore(str(tmp_path / "store"), 1)
        torch.distributed.init_process_group("gloo", rank=0, world_size=1, store=store)
        torch.manual_seed(0)
        model = DistributedDataParallel(TwoHeads(), find_unused_parameters=True)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        with fxaudit.watch(model, optimizer) as watching:
            for _ in range(3):
                optimizer.zero_grad()
                main, _ = model(torch.randn(8, 4))
                main.square().mean().backward()
                optimizer.step()
        return watching.report.to_json()

    answer, why = in_copy(work, seconds=100.0)
    assert answer is not None, why
    report = Report.from_json(answer)
    assert {p.name: p.verdict for p in report} == {
        "head.weight": "trained",
        "head.bias": "trained",
        "auxiliary.weight": "unreachable",
        "auxiliary.bias": "unreachable",
    }
    (finding,) = report.findings
    assert finding.code == "FXA103"
    assert finding.culprit is not None
    assert finding.culprit.code.strip() == "main, _ = model(torch.randn(8, 4))"
