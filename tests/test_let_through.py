"""What PyTorch refuses is let through in a forked copy of the script; the copy leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from fxaudit.run.script import run_script

SCRIPT = """
import os
import sys
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
steps = 0
for step in range(80):
    optimizer.zero_grad()
    loss = model(torch.randn(4, 3)).square().mean().detach()
    loss.backward()
    optimizer.step()
    steps += 1
    if step == int(sys.argv[1]):
        {write}
"""
WRITES = {
    "open": "open('log.txt', 'w').write('step')",
    "append": "open('kept.txt', 'a').write('step')",
    "save": "torch.save(model.state_dict(), 'last.pt')",
    "save-over": "torch.save(model.state_dict(), 'kept.txt')",
    "mkdir": "os.makedirs('checkpoints/1', exist_ok=True)",
    "remove": "os.remove('kept.txt')",
    "program": "os.system('touch made.txt')",
}


@pytest.mark.parametrize("to_end", [False, True], ids=["run", "to-end"])
@pytest.mark.parametrize("when", [0, 79])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES.keys())
def test_the_copy_writes_nothing(
    write: str, when: int, to_end: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "train.py"
    script.write_text(SCRIPT.format(write=write))
    (tmp_path / "kept.txt").write_text("kept")
    report = run_script(["train.py", str(when)], to_end=to_end)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["kept.txt", "train.py"]
    assert (tmp_path / "kept.txt").read_text() == "kept"
    assert {parameter.verdict for parameter in report} == {"unreachable"}
    assert report.script_exit is not None and report.script_exit.startswith("RuntimeError: element 0")
    assert report.findings[0].culprit is not None and "detach" in report.findings[0].culprit.code
