"""No parameter is lost from the report, and each that is lost to training has a finding."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

HEAD = """
import torch
from torch import nn
torch.manual_seed(0)
x = torch.randn(5, 4)
"""
LOOP = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(4):
    optimizer.zero_grad()
    net(x).square().mean().backward()
    optimizer.step()
"""


def report_on(folder: Path, net: str, loop: str = LOOP):  # type: ignore[no-untyped-def]
    import textwrap

    return judged(folder, HEAD + textwrap.dedent(net) + loop)


def test_layers_in_a_list_whose_outputs_are_cut_off_are_in_the_report(tmp_path: Path) -> None:
    net = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.branches = [nn.Linear(4, 3) for _ in range(2)]
                self.gate = nn.Linear(4, 2)

            def forward(self, x):
                outs = torch.stack([branch(x).detach() for branch in self.branches], 1)
                return (self.gate(x).unsqueeze(-1) * outs).sum(1)

        net = Net()
        """
    report = report_on(tmp_path, net)
    assert verdicts(report)["branches[0].weight"] == "unregistered"
    assert codes(report) == ["FXA205"]
    assert line_of(report.findings[0]) == "self.branches = [nn.Linear(4, 3) for _ in range(2)]"
    assert any("detach" in related.source.code for related in report.findings[0].related)


@pytest.mark.parametrize("use", ["with torch.no_grad(): aim = self.hidden[0](x)", "aim = self.hidden[0](x).detach()"])
def test_a_teacher_that_is_hidden_in_a_list_on_purpose_is_left_alone(tmp_path: Path, use: str) -> None:
    net = f"""
        class Net(nn.Module):
            def __init__(self, teacher):
                super().__init__()
                self.hidden = [teacher]
                self.student = nn.Linear(4, 2)

            def forward(self, x):
                {use}
                return self.student(x) - aim

        net = Net(nn.Linear(4, 2))
        """
    report = report_on(tmp_path, net)
    assert codes(report) == []


def test_what_is_only_read_by_a_view_without_gradients_has_a_finding(tmp_path: Path) -> None:
    net = """
        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.norm, self.filter, self.head = nn.LayerNorm(4), nn.Conv1d(1, 1, 3, padding=1), nn.Linear(4, 1)

            def forward(self, x):
                hidden = self.norm(x)
                with torch.no_grad():
                    unused = self.filter(hidden.unsqueeze(1)).squeeze(1)
                return self.head(x)

        net = Net()
        """
    report = report_on(tmp_path, net)
    lost = [parameter for parameter in report if parameter.verdict == "unreachable"]
    assert [parameter.name for parameter in lost] == ["norm.weight", "norm.bias", "filter.weight", "filter.bias"]
    assert all(parameter.findings for parameter in lost)
    assert line_of(report["norm.weight"].findings[0]) == "hidden = self.norm(x)"


def test_on_the_meta_device_nobody_claims_that_nothing_changed(tmp_path: Path) -> None:
    net = """
        torch.set_default_device("meta")
        net, x = nn.Linear(4, 1), torch.ones(5, 4)
        """
    report = report_on(tmp_path, net)
    assert verdicts(report) == {"weight": "unknown", "bias": "unknown"}
    assert "meta device" in report["weight"].reason
    assert codes(report) == []


def test_a_second_loss_that_is_refused_has_a_finding_and_nothing_is_said_to_be_updated(tmp_path: Path) -> None:
    loop = """
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
for _ in range(3):
    optimizer.zero_grad()
    out = net(x)
    out.sum().backward()
    out.detach().mean().backward()
    optimizer.step()
"""
    report = report_on(tmp_path, "net = nn.Linear(4, 1)", loop)
    assert codes(report) == ["FXA109"]
    assert line_of(report.findings[0]) == "out.detach().mean().backward()"
    assert report.crash is not None and report.crash.step == 1
    assert "before anything was updated" in report.summary
    assert "were updated" not in report.summary.replace("before anything was updated", "")


DEEP = """
import sys, threading
import torch, fxaudit
from fxaudit.errors import GraphTooDeepError

def work():
    weight = torch.nn.Parameter(torch.ones(2))
    value = weight * 1.0
    for _ in range(int(sys.argv[1])):
        value = value * 1.0
    loss = value.sum()
    try:
        print(fxaudit.why(weight, loss).reaches)
    except GraphTooDeepError as error:
        print(error)
    del value, loss

if sys.argv[2] == "beside":
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
else:
    work()
print("alive")
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("nodes", "where", "said"),
    [(200_000, "main", "True"), (100_000, "beside", "in the main thread"), (10_000, "beside", "True")],
)
def test_a_deep_graph_that_was_walked_can_be_dropped(tmp_path: Path, nodes: int, where: str, said: str) -> None:
    script = tmp_path / "deep.py"
    script.write_text(DEEP, encoding="utf-8")
    command = [sys.executable, str(script), str(nodes), where]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "alive"), done.stderr[-500:]
    assert said in done.stdout
