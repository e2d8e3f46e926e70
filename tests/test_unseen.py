"""Absence is evidence only where somebody watched: a loss that was there before, and what other processes train."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
import torch
from torch import nn

import fxaudit
from fxaudit.report import Report
from tests.judged import run

pytestmark = pytest.mark.usefixtures("first_step_paid")


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.enc, self.out = nn.Linear(6, 8), nn.Linear(8, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.enc(x).relu()
        return self.out(hidden.detach())  # guilty


def loss_of(model: nn.Module) -> torch.Tensor:
    return model(torch.randn(8, 6)).square().mean()


# -- a loss that was computed before -----------------------------------------------------------------------------------


def test_of_a_loss_that_was_there_before_reach_is_known_and_no_line_is_blamed() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    report = fxaudit.audit(model, loss_of(model), optimizer)
    assert report["enc.weight"].verdict == "unreachable"
    assert report["out.weight"].verdict == "trained"
    (found,) = [finding for finding in report.findings if finding.level == "error"]
    assert found.code == "FXA902"
    assert found.culprit is None
    assert "was not recorded" in found.message
    assert "closure" in found.fix
    assert report.exit_code == 1


def test_what_nobody_holds_is_then_a_note() -> None:
    model = Net()
    report = fxaudit.audit(model, loss_of(model), torch.optim.SGD(model.out.parameters(), lr=0.1))
    assert [finding.level for finding in report.findings if "enc.weight" in finding.parameters] == ["note"]


def test_a_healthy_loss_that_was_there_before_raises_no_alarm() -> None:
    model = nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 1))
    report = fxaudit.audit(model, loss_of(model), torch.optim.SGD(model.parameters(), lr=0.1))
    assert report.ok, report
    assert set(report.verdicts()) == {"trained"}


def test_a_loss_computed_under_a_watch_is_explained_inside_and_after_the_block() -> None:
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch():
        loss = loss_of(model)
        inside = fxaudit.why(model.enc.weight, loss)
    after = fxaudit.why(model.enc.weight, loss)
    for told in (inside, after):
        assert told.culprit is not None
        assert told.culprit.code.endswith("# guilty")
    (found,) = [f for f in fxaudit.audit(model, loss, optimizer).findings if f.level == "error"]
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty")


def test_another_loss_is_not_explained_by_a_block_that_did_not_see_it() -> None:
    model = Net()
    with fxaudit.watch():
        loss_of(model)
    told = fxaudit.why(model.enc.weight, loss_of(model))
    assert told.culprit is None
    assert told.unwatched


def test_what_is_remembered_of_a_block_keeps_nothing_alive() -> None:
    model = Net()
    with fxaudit.watch():
        loss = loss_of(model)
    kept = weakref.ref(model), weakref.ref(loss)
    del model, loss
    gc.collect()
    assert [reference() for reference in kept] == [None, None]


# -- processes that the script starts ----------------------------------------------------------------------------------

START = """
import torch
import torch.multiprocessing as mp
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

def train(rank, model, steps=3):
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(torch.randn(16, 4)), torch.randn(16, 1)).backward()
        optimizer.step()

def look(model):
    with torch.no_grad():
        model(torch.randn(2, 4))

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.enc, self.out = nn.Linear(4, 8), nn.Linear(8, 1)
    def forward(self, x):
        return self.out(self.enc(x).detach())

if __name__ == "__main__":
    torch.set_num_threads(1)
    mp.set_start_method("fork", force=True)
    model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
"""

IN_CHILDREN = {
    "a process": """
    model.share_memory()
    workers = [mp.Process(target=train, args=(rank, model)) for rank in range(2)]
    [worker.start() for worker in workers]; [worker.join() for worker in workers]
    look(model)
""",
    "spawned": """
    mp.start_processes(train, args=(model,), nprocs=1, start_method="fork")
    look(model)
""",
    "a subclass": """
    class Worker(mp.Process):
        def __init__(self, model): super().__init__(); self.model = model
        def run(self): train(0, self.model)
    worker = Worker(model); worker.start(); worker.join()
    look(model)
""",
    "a global": """
    def work(): train(0, model)
    worker = mp.Process(target=work); worker.start(); worker.join()
    look(model)
""",
    "backward there, step here": """
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    def work(model): nn.functional.mse_loss(model(torch.randn(4, 4)), torch.randn(4, 1)).backward()
    for _ in range(3):
        optimizer.zero_grad()
        worker = mp.Process(target=work, args=(model,)); worker.start(); worker.join()
        optimizer.step()
""",
}


def reported(body: str, folder: Path) -> Report:
    path = folder / "train.py"
    path.write_text(START + body, encoding="utf-8")
    return run(path)


@pytest.mark.parametrize("how", IN_CHILDREN)
def test_what_another_process_may_train_is_unknown_and_no_alarm(how: str, tmp_path: Path) -> None:
    report = reported(IN_CHILDREN[how], tmp_path)
    assert set(report.verdicts()) == {"unknown"}
    assert all("process" in parameter.reason for parameter in report)
    assert [finding for finding in report.findings if finding.level != "note"] == []


def test_a_loader_with_workers_hides_nothing(tmp_path: Path) -> None:
    report = reported(
        """
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    data = TensorDataset(torch.randn(12, 4), torch.randn(12, 1))
    for x, y in DataLoader(data, batch_size=4, num_workers=1):
        optimizer.zero_grad(); nn.functional.mse_loss(model(x), y).backward(); optimizer.step()
""",
        tmp_path,
    )
    assert report["enc.weight"].verdict == "unreachable"
    assert [finding.code for finding in report.findings if finding.level == "error"] == ["FXA104"]


def test_a_process_that_only_looks_on_hides_nothing(tmp_path: Path) -> None:
    report = reported(
        """
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad(); model(torch.randn(4, 4)).square().mean().backward(); optimizer.step()
        watcher = mp.Process(target=look, args=(model,)); watcher.start(); watcher.join()
""",
        tmp_path,
    )
    assert report["enc.weight"].verdict == "unreachable"
    assert [finding.code for finding in report.findings if finding.level == "error"] == ["FXA104"]


# -- copies ------------------------------------------------------------------------------------------------------------


class Byol(nn.Module):
    """The teacher is copied without gradients, and `head` before the buffers of the batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.online = nn.ModuleDict(
            {"head": nn.Linear(8, 3), "body": nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))}
        )
        self.target: nn.Module | None = None

    def run(self, net: nn.ModuleDict, x: torch.Tensor) -> torch.Tensor:
        hidden = net["body"](x)
        net["head"](hidden)  # guilty
        return hidden

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        import copy

        online = self.run(self.online, x)
        with torch.no_grad():
            if self.target is None:
                self.target = copy.deepcopy(self.online)
            target = self.run(self.target, x)
        return (online - target * 0.5).pow(2).mean()


def test_what_was_copied_before_is_no_input_of_a_copy() -> None:
    torch.manual_seed(0)
    model = Byol()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with fxaudit.watch() as watch:
        for _ in range(4):
            optimizer.zero_grad()
            model(torch.randn(8, 4)).backward()
            optimizer.step()
    (found,) = [f for f in watch.report.findings if "online.head.weight" in f.parameters]
    assert found.code == "FXA103"
    assert found.culprit is not None
    assert found.culprit.code.endswith("# guilty")
