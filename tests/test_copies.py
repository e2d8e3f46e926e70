"""What a copy or a list was made beside is no data: the memo of a deep copy, the other members of a list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.scripts import codes, judged, line_of, verdicts

PROGRAMS = Path(__file__).parent / "programs" / "bugs"
CHECKPOINTS = {
    "a deep copy of the weights": "kept = copy.deepcopy(model.state_dict())",
    "a deep copy of the optimizer": "kept = copy.deepcopy(optimizer); kept.load_state_dict(optimizer.state_dict())",
    "pickled": "kept = pickle.loads(pickle.dumps(model))",
    "saved": "buffer = io.BytesIO(); torch.save(model.state_dict(), buffer)",
    "hashed": "hashlib.sha256(b''.join(v.detach().numpy().tobytes() for v in model.state_dict().values()))",
    "averaged one by one": "[a.mul_(0.9).add_(b.detach(), alpha=0.1) for a, b in zip(ema, model.parameters())]",
    "averaged by a list": (
        "torch._foreach_mul_(ema, 0.9); torch._foreach_add_(ema, list(p.data for p in model.parameters()))"
    ),
    "averaged by torch": "averaged.update_parameters(model)",
}


@pytest.mark.parametrize(
    ("name", "dropped"),
    [
        ("707_head_dropped_beside_a_copied_teacher", "self.head(hidden)"),
        ("708_head_dropped_beside_a_foreach_average", "hidden, _ = self.student(x)"),
    ],
)
def test_the_dropped_output_is_blamed_and_not_the_copy(name: str, dropped: str, tmp_path: Path) -> None:
    report = judged(tmp_path, (PROGRAMS / f"{name}.py").read_text())
    (finding,) = [f for f in report.findings if f.level == "error"]
    assert (finding.code, "<-- culprit" in str(finding.culprit and finding.culprit.context)) == ("FXA103", True)
    assert dropped in line_of(finding)


@pytest.mark.parametrize("name", CHECKPOINTS)
def test_checkpoints_of_every_kind_are_no_use(name: str, tmp_path: Path) -> None:
    text = f"""\
import copy, hashlib, io, pickle, torch
from torch import nn
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body, self.pool, self.out = nn.Linear(6, 8), nn.Linear(8, 8), nn.Linear(8, 2)
    def forward(self, x):
        h = self.body(x).relu()
        pooled = self.pool(h).tanh()
        return self.out(h), pooled
torch.manual_seed(0)
model = Net()
optimizer = torch.optim.Adam(model.parameters(), 1e-2)
ema = [p.detach().clone() for p in model.parameters()]
averaged = torch.optim.swa_utils.AveragedModel(model, use_buffers=False)
for _ in range(4):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(torch.randn(8, 6))[0], torch.randint(0, 2, (8,))).backward()
    optimizer.step()
    with torch.no_grad():
        {CHECKPOINTS[name]}
"""
    report = judged(tmp_path, text, to_end=True)
    loud = [f for f in report.findings if f.level == "error"]
    assert (codes(report)[:1], [line_of(f) for f in loud]) == (["FXA103"], ["pooled = self.pool(h).tanh()"])
    assert {n for n, v in verdicts(report).items() if v == "unreachable"} >= {"pool.weight", "pool.bias"}
